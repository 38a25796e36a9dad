"""A photo is read again when it may be another one, and only then; expected digests are hashlib's."""

import hashlib
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from resources.photo_digests import PhotoDigests

OLD_NS = 1_700_000_000 * 10**9


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"first")
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "lake" / "photo_digests.parquet"


def ask(table: Path, photo: Path, *, settled: bool = True) -> tuple[str, int]:
    """The digest, and how many files were read; `settled` asks ten seconds later than it is."""
    known = PhotoDigests(table)
    known._started_ns += 10 * 10**9 if settled else 0
    digest = known.of(str(photo))
    known.save()
    return digest, known.read


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once(table: Path, photo: Path) -> None:
    assert ask(table, photo) == (sha256(b"first"), 1)
    assert ask(table, photo) == (sha256(b"first"), 0)


def test_same_size_and_date_with_other_bytes_is_seen(table: Path, photo: Path) -> None:
    """As rsync --times leaves it: in place, or another file moved there."""
    os.utime(photo, ns=(OLD_NS, OLD_NS))
    ask(table, photo)
    photo.write_bytes(b"other")
    os.utime(photo, ns=(OLD_NS, OLD_NS))
    assert ask(table, photo) == (sha256(b"other"), 1)
    beside = photo.with_name("b.jpg")
    beside.write_bytes(b"third")
    os.utime(beside, ns=(OLD_NS, OLD_NS))
    beside.replace(photo)
    assert ask(table, photo) == (sha256(b"third"), 1)


def test_a_file_just_written_is_not_trusted(table: Path, photo: Path) -> None:
    """It could be written again in the same tick of its clock."""
    assert ask(table, photo, settled=False) == (sha256(b"first"), 1)
    assert ask(table, photo, settled=False) == (sha256(b"first"), 1)


def test_a_damaged_table_is_none(table: Path, photo: Path) -> None:
    ask(table, photo)
    table.write_bytes(table.read_bytes()[:-7])
    assert ask(table, photo) == (sha256(b"first"), 1)
    assert ask(table, photo) == (sha256(b"first"), 0)


def test_a_damaged_table_does_not_stay(table: Path) -> None:
    """Even where nothing was asked that is worth keeping."""
    table.parent.mkdir()
    table.write_bytes(b"PAR1 torn")
    PhotoDigests(table).save()
    assert pq.read_table(table).num_rows == 0


def test_what_is_no_longer_asked_is_forgotten(table: Path, photo: Path) -> None:
    other = photo.with_name("c.jpg")
    other.write_bytes(b"c")
    ask(table, photo)
    ask(table, other)
    assert ask(table, photo)[1] == 1


def test_a_missing_file_is_an_error(table: Path, photo: Path) -> None:
    photo.unlink()
    with pytest.raises(FileNotFoundError):
        PhotoDigests(table).of(str(photo))

"""Files held to what they were: by a note that sha256sum reads too, or by their own names."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from catalog.errors import FormatError
from catalog.formats import noted_files


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two files, noted together."""
    first, second = tmp_path / "a.bin", tmp_path / "a.bin.items.json"
    first.write_bytes(b"\0\1\2")
    second.write_text("[]\n", "utf-8")
    noted_files.note(first, second)
    return first, second


def test_sha256sum_reads_the_note(pair: tuple[Path, Path]) -> None:
    """Coreutils' own check of `a.sha256`, and two spaces between digest and name as it writes them."""
    note = pair[0].with_suffix(".sha256")
    assert (
        note.read_text("utf-8").splitlines()[1] == f"{hashlib.sha256(b'[]' + bytes([10])).hexdigest()}  {pair[1].name}"
    )
    done = subprocess.run(["sha256sum", "--check", note.name], cwd=note.parent, capture_output=True, check=False)
    assert done.stdout == b"a.bin: OK\na.bin.items.json: OK\n"
    noted_files.check(*pair, mend="")


@pytest.mark.parametrize("damaged", [0, 1])
@pytest.mark.parametrize("content", [b"", b"\0\1", b"\0\1\3", None])
def test_another_byte_is_told_with_its_file(pair: tuple[Path, Path], damaged: int, content: bytes | None) -> None:
    """Empty, cut, another bit, gone."""
    if content is None:
        pair[damaged].unlink()
    else:
        pair[damaged].write_bytes(content)
    told = "can't be read" if content is None else r"its sha256 is \w{12}\.\.\., which a\.sha256 beside it does not say"
    with pytest.raises(FormatError, match=rf"{pair[damaged].name}: {told}.*mend it$"):
        noted_files.check(*pair, mend="mend it")


@pytest.mark.parametrize("note", [None, b"", b"\xff\xfe garbage"])
def test_without_a_good_note_nothing_is_whole(pair: tuple[Path, Path], note: bytes | None) -> None:
    """A file is not taken on trust."""
    path = pair[0].with_suffix(".sha256")
    path.unlink() if note is None else path.write_bytes(note)
    assert not noted_files.is_whole(pair[0])


def test_a_name_tells_the_content(tmp_path: Path) -> None:
    """Sixteen letters of its digest; a damaged file is not found, and the next write takes its place."""
    stem = tmp_path / "deep" / "photo-192"
    assert noted_files.find_named(stem, ".jpg") is None
    path = noted_files.write_named(stem, ".jpg", b"thumb")
    assert path.name == f"photo-192-{hashlib.sha256(b'thumb').hexdigest()[:16]}.jpg"
    assert noted_files.stem_of(path) == "photo-192"
    assert noted_files.find_named(stem, ".jpg") == path
    path.write_bytes(b"thumc")
    assert noted_files.find_named(stem, ".jpg") is None
    noted_files.write_named(stem, ".jpg", b"other")
    assert [entry.read_bytes() for entry in stem.parent.iterdir()] == [b"other"]

"""A file is read once as long as it is the same one, and again as soon as it may not be."""

import hashlib
import os

from catalog.formats.file_digests import FileDigests


def test_a_renamed_or_linked_file_is_not_read_again(tmp_path):
    """Told by bytes that are changed behind the file's back, with its times set back: they are not seen."""
    first = tmp_path / "a"
    first.write_bytes(b"one")
    seen = FileDigests()
    assert seen.of(first) == hashlib.sha256(b"one").hexdigest()
    times = first.stat()
    with first.open("r+b") as file:
        file.write(b"two")
    os.utime(first, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.link(first, tmp_path / "b")
    first.rename(tmp_path / "c")
    assert seen.of(tmp_path / "b") == seen.of(tmp_path / "c") == hashlib.sha256(b"one").hexdigest()
    assert FileDigests().of(tmp_path / "b") == hashlib.sha256(b"two").hexdigest()


def test_another_size_time_or_file_is_read_again(tmp_path):
    """Longer, touched, replaced."""
    path, seen = tmp_path / "a", FileDigests()
    path.write_bytes(b"one")
    seen.of(path)
    path.write_bytes(b"longer")
    assert seen.of(path) == hashlib.sha256(b"longer").hexdigest()
    path.write_bytes(b"other!")
    os.utime(path, ns=(1, 1))
    assert seen.of(path) == hashlib.sha256(b"other!").hexdigest()
    (tmp_path / "new").write_bytes(b"third!")
    os.utime(tmp_path / "new", ns=(1, 1))
    (tmp_path / "new").replace(path)
    assert seen.of(path) == hashlib.sha256(b"third!").hexdigest()

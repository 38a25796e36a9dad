"""A file is the old one or the new one, never a part, whatever happens in between."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from catalog.formats import atomic


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def test_writes_whole_files(tmp_path: Path) -> None:
    """Into folders that it makes, readable by others, with nothing left beside."""
    path = tmp_path / "deep" / "down" / "a.bin"
    atomic.write_bytes(path, b"\0\1\2")
    assert path.read_bytes() == b"\0\1\2"
    atomic.write_text(path, "é\n€\r\n")
    assert path.read_bytes() == b"\xc3\xa9\n\xe2\x82\xac\r\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert names(path.parent) == ["a.bin"]


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    """The old file stays as it was, the part is gone, the error comes through."""
    path = tmp_path / "a.bin"
    atomic.write_bytes(path, b"old")
    with pytest.raises(RuntimeError, match="in the middle"), atomic.write_beside(path) as beside:
        beside.write_bytes(b"half of the new")
        assert path.read_bytes() == b"old"
        raise RuntimeError("in the middle")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_writer_that_removed_its_part(tmp_path: Path) -> None:
    """Is told, and what was there stays."""
    path = tmp_path / "a.bin"
    atomic.write_bytes(path, b"old")
    with pytest.raises(FileNotFoundError), atomic.write_beside(path) as beside:
        beside.unlink()
    assert path.read_bytes() == b"old"


def test_never_over_a_folder(tmp_path: Path) -> None:
    """A folder of that name stays, with what is in it."""
    (tmp_path / "a.bin").mkdir()
    (tmp_path / "a.bin" / "inside").write_bytes(b"kept")
    with pytest.raises(OSError, match=r"a\.bin"):
        atomic.write_bytes(tmp_path / "a.bin", b"new")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["a.bin", "inside"]


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    """A real process, killed with SIGKILL while it writes: no reader takes its part for the file."""
    path = tmp_path / "a.bin"
    atomic.write_bytes(path, b"old")
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom catalog.formats import atomic\n"
        "with atomic.write_beside(Path(sys.argv[1])) as beside:\n"
        "    beside.write_bytes(b'half')\n    print('written', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    left = [name for name in names(tmp_path) if name != "a.bin"]
    assert len(left) == 1
    assert left[0].startswith(".a.bin.")  # hidden, and no *.bin for a reader that lists the folder
    assert left[0].endswith(".part")
    atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


def test_readers_see_the_old_or_the_new(tmp_path: Path) -> None:
    """While two threads write 100 times each, every read is one of the whole contents."""
    path = tmp_path / "a.bin"
    contents = [bytes([number]) * 100_000 for number in range(2)]
    atomic.write_bytes(path, contents[0])

    def write(content: bytes) -> None:
        for _ in range(100):
            atomic.write_bytes(path, content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert path.read_bytes() in contents
    for writer in writers:
        writer.join()
    assert names(tmp_path) == ["a.bin"]

"""Digests of files, each computed once for as long as the file stays the same one. For one run: nothing is kept."""

from collections.abc import Callable
from pathlib import Path

from catalog.formats import digests

DigestOf = Callable[[Path], str]  # a file's SHA-256: `digests.of_file`, or `FileDigests().of`


class FileDigests:
    """SHA-256 of files, by device, inode, size and time of change: a file that was renamed or linked is the same one.

    A file is read again once any of these is another. What changes bytes behind all four (a failing disk, a tool that
    sets times back) is not seen: who must see that reads with `digests.of_file`.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int], str] = {}

    def of(self, path: Path) -> str:
        """The file's SHA-256, read only where it was not read before. Raises: OSError."""
        seen = path.stat()
        key = (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns)
        if key not in self._known:
            self._known[key] = digests.of_file(path)
        return self._known[key]

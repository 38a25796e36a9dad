"""SHA-256 of a feed's photos, remembered from one refresh to the next for as long as a file is the same one."""

import os
import time
from pathlib import Path

import pyarrow as pa

from catalog.errors import FormatError
from catalog.formats import digests, tables

# A file that was written this shortly before it was read could be written again without its times telling.
SETTLED_NS = 2_000_000_000
SCHEMA = pa.schema(
    [
        pa.field("path", pa.string()),
        *[pa.field(name, pa.int64()) for name in ("device", "inode", "size", "mtime_ns", "ctime_ns")],
        pa.field("sha256", pa.string()),
    ]
)
Signs = tuple[int, int, int, int, int]  # what tells that a file is the one that was read


class PhotoDigests:
    """Digests of files by path; a file is read again once its inode, size or any of its times is another.

    The time of change (ctime) is among them, which no program can set back: a photo that was replaced by one of the
    same size and date is seen. Bytes that a failing disk changes are not.
    """

    def __init__(self, path: Path) -> None:
        """What is known is kept in the table at `path`; one that can't be read is as good as none."""
        self._path = path
        self._started_ns = time.time_ns()
        self._known: dict[str, tuple[Signs, str]] = {}
        self._seen: dict[str, tuple[Signs, str]] = {}
        self._damaged = False
        self.read = 0  # files whose bytes were read
        if path.exists():
            try:
                columns = [column.to_pylist() for column in tables.read_table(path, SCHEMA).columns]
                for name, *signs, sha256 in zip(*columns, strict=True):
                    self._known[name] = ((*signs,), sha256)
            except FormatError:
                self._damaged = True

    def remembered(self, path: str) -> str:
        """The SHA-256 of a file that is still the one that was read; "" of any other."""
        before = self._known.get(path)
        try:
            if before is None or before[0] != _signs(path):
                return ""
        except OSError:
            return ""
        self._seen[path] = before
        return before[1]

    def of(self, path: str) -> str:
        """The SHA-256 of a file's bytes. Safe to call from several threads. Raises: OSError."""
        if sha256 := self.remembered(path):
            return sha256
        signs = _signs(path)
        sha256 = digests.of_file(Path(path))
        self.read += 1
        if max(signs[-2:]) < self._started_ns - SETTLED_NS:
            self._seen[path] = (signs, sha256)
        return sha256

    def save(self, *, forget: bool = True) -> None:
        """Keep what was asked this time; `forget` the rest."""
        kept = self._seen if forget else {**self._known, **self._seen}
        if kept == self._known and not self._damaged:
            return
        ordered = sorted(kept.items())
        columns = [[path for path, _ in ordered]]
        columns += [[signs[place] for _, (signs, _) in ordered] for place in range(5)]
        columns += [[sha256 for _, (_, sha256) in ordered]]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
        tables.write_table(self._path, pa.table(arrays, schema=SCHEMA))


def _signs(path: str) -> Signs:
    found = os.stat(path)  # noqa: PTH116  # 20,000 of these a refresh: Path.stat takes twice as long
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

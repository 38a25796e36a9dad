"""What a disk that is full, read-only or failing did to a command, in one line a person can act on.

It loads the standard library only: every command tells its errors through it.
"""

import contextlib
import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from catalog.errors import LookbookError

FULL = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
NEXT_TO_NOTHING_BYTES = 2**20  # SQLite calls it an I/O error where it can't get room for the files beside a database
UNSTORED = "Exception while writing logger call to event log"  # of dagster/_core/instance/types.py in 1.13.27
MAKE_ROOM = "make room (`lookbook gc` lists what can go), then run it again: what was finished is kept"


def told(error: BaseException) -> LookbookError | None:
    """The one line of an error that the disk is the cause of, whatever it was wrapped in; None for any other."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno in (*FULL, *READ_ONLY, errno.EIO):
            return LookbookError(words(cause))
        if isinstance(cause, sqlite3.Error) and (line := _of_sqlite(cause)):
            return LookbookError(line)
    return None


def words(error: OSError) -> str:
    """What could not be done with which file, and how to go on."""
    where = error.filename2 or error.filename or _home() or "a file"
    if error.errno in FULL:
        return f"{where}: can't be written, the disk is full; {MAKE_ROOM}"
    return f"{where}: can't be read or written ({error.strerror or error})"


@contextlib.contextmanager
def said_once() -> Iterator[None]:
    """Keep off standard error what Dagster writes there of an event that it could not store, SQL and all: it raises the
    same error, which the command tells in one line.
    """
    with contextlib.redirect_stderr(_WithoutUnstoredEvents(sys.stderr)):  # type: ignore[type-var]
        yield


class _WithoutUnstoredEvents:
    """A text stream, without those words."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """As the stream does."""
        return len(text) if text.startswith(UNSTORED) else self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def _of_sqlite(error: sqlite3.Error) -> str:
    """The line of an error of the databases that Dagster keeps its runs and events in; "" where no disk is to blame."""
    folder = os.environ.get("DAGSTER_HOME", "")
    where = folder or "Dagster's storage"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of it tells which call failed
    full = code == sqlite3.SQLITE_IOERR and folder and _free_bytes(Path(folder)) < NEXT_TO_NOTHING_BYTES
    if code == sqlite3.SQLITE_FULL or full:
        return f"{where}: Dagster's records can't be written, the disk is full; {MAKE_ROOM}"
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return f"{where}: Dagster's records can't be read or written ({error})"
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return (
            f"{where}: Dagster's records are damaged ({error}); move that folder away and run `lookbook build`: the "
            "history of runs is lost, no row is computed again"
        )
    return ""


def _home() -> str:
    """The home that this process works on; "" where it works on none."""
    folder = os.environ.get("DAGSTER_HOME")
    return str(Path(folder).parent) if folder else ""


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and all that led to it; what SQLAlchemy and Dagster wrap counts."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "user_exception", None), getattr(one, "orig", None), one.__cause__, one.__context__]

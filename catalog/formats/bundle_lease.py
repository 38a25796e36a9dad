"""A reader's hold on a bundle version: while one has it open, nobody who asks drops the version's folder.

The hold is a shared `flock` on manifest.json, which the system takes back from a process that ends in any way. It
reaches as far as `flock` does: one machine, and file systems that have it. Elsewhere a reader goes on without.
"""

import contextlib
import os
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

from catalog.formats.manifest import NAME

if sys.platform != "win32":
    import fcntl


class Lease:
    """A shared hold on the bundle in a folder, until it is closed or forgotten."""

    def __init__(self, folder: Path) -> None:
        """Take hold. Raises: OSError when the folder has no manifest, or lost it while we took hold."""
        manifest = folder / NAME
        opened = os.open(manifest, os.O_RDONLY)
        self._close = weakref.finalize(self, os.close, opened)
        if sys.platform != "win32":
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(opened, fcntl.LOCK_SH)
        try:
            held = os.path.samestat(os.fstat(opened), manifest.stat())
        except OSError:
            self.close()
            raise
        if not held:  # replaced between the two steps
            self.close()
            raise FileNotFoundError(manifest)

    def close(self) -> None:
        """Let go; a second time does nothing."""
        self._close()


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Is nobody holding the bundle in `folder`? While the block runs, none takes hold of it either."""
    try:
        opened = os.open(folder / NAME, os.O_RDONLY)
    except OSError:  # no manifest: no reader can have opened it
        yield True
        return
    try:
        yield _locked(opened)
    finally:
        os.close(opened)


def _locked(opened: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True

"""One build at a time in a home: the lock that commands and Dagster's runs share, and that a killed one frees."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from catalog.errors import LookbookError
from resources.home import Home

RUNS_WAIT_S = 600.0  # a nightly run that meets somebody's build waits for it


def lock_file(home: Home) -> Path:
    """The file that is locked while a home is built or cleaned."""
    return home.dagster / "build.lock"


@contextmanager
def hold(home: Home, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the home's lock; a process that holds it already may hold it again.

    Raises: LookbookError when another process still holds it after `wait_s` seconds.
    """
    with _held(lock_file(home), wait_s):
        yield


@contextmanager
def _held(file: Path, wait_s: float) -> Iterator[None]:
    lock = FileLock(file, is_singleton=True, thread_local=False)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout as error:
        told = f"another build is running in {file.parent.parent}: wait for it, or end it"
        raise LookbookError(told) from error
    try:
        yield
    finally:
        lock.release()


class Exclusive(dg.ConfigurableResource):
    """A resource that writes to the home: while a run has it open, no other build of the home runs."""

    build_lock: str = ""  # file to lock; "" where one process alone has the folder, as in tests

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Exclusive"]:
        """Wait for another build to end, then open."""
        with _held(Path(self.build_lock), RUNS_WAIT_S) if self.build_lock else nullcontext():
            yield self

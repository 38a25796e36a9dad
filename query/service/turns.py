"""So many searches at a time, so many more that wait for their turn, first come first served; the rest is told."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from query.service.problems import busy

Result = TypeVar("Result")


class Turns:
    """Runs searches in threads of its own; all calls come from the event loop.

    A thread takes the next search by itself as soon as it is free: were the event loop asked first, a core would idle
    until it had its turn between the other threads.
    """

    def __init__(self, at_once: int, waiting: int) -> None:
        self._at_once, self._most_waiting = at_once, waiting
        self._here = 0
        self._threads = ThreadPoolExecutor(at_once, "lookbook-search")

    @property
    def running(self) -> int:
        """Searches that run."""
        return min(self._here, self._at_once)

    @property
    def waiting(self) -> int:
        """Searches that wait."""
        return self._here - self.running

    def run(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Do some work in its turn; it is done to its end, though nobody may wait for it any more.

        Raises: Problem where too many wait already.
        """
        if self._here >= self._at_once + self._most_waiting:
            raise busy(f"{self.waiting} searches are waiting already; try again in a moment")
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._here += 1
        future.add_done_callback(self._ended)
        return future

    def close(self) -> None:
        """End the threads once they are idle."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ended(self, _: object) -> None:
        self._here -= 1

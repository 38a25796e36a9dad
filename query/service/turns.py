"""So many searches at a time, so many more that wait for their turn, first come first served; the rest is told."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from query.service.problems import busy

Result = TypeVar("Result")


class Turns:
    """Runs searches in threads of its own. Its counts are read by the metrics; all calls come from the event loop."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self.running = 0
        self.waiting = 0
        self._most_waiting = waiting
        self._places = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, "lookbook-search")

    async def take(self) -> None:
        """Wait for a turn, which `run` then uses, or `give_back`. Raises: Problem where too many wait already."""
        if self._places.locked() and self.waiting >= self._most_waiting:
            raise busy(f"{self.waiting} searches are waiting already; try again in a moment")
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.running += 1

    def give_back(self) -> None:
        """The turn is over, or was not needed."""
        self.running -= 1
        self._places.release()

    def run(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Use a turn that was taken. It ends when the work does, though nobody waits for it any more."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        future.add_done_callback(lambda _: self.give_back())
        return future

    def close(self) -> None:
        """End the threads once they are idle."""
        self._threads.shutdown(wait=False, cancel_futures=True)

"""How one host is asked: so many requests at once, a pause when it asks for one, and no further once it is down."""

import asyncio
import hashlib
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from catalog.errors import DownloadError
from catalog.records import Reason

GIVEN_UP_AFTER = 8  # addresses of one host that failed, all tries of each, one after the other
LONGEST_WAIT_S = 120.0  # between two good answers; a server that asks for more is asked again by the next build


class Host:
    """One host through one run."""

    def __init__(self, name: str, per_host: int) -> None:
        self.name = name
        self.places = asyncio.Semaphore(per_host)
        self._failed_in_row = 0
        self._last_failure = ""
        self.closed = False  # it asked for more patience than a run has
        self._paused_until = 0.0
        self._paused_s = 0.0  # since it last answered

    def answered(self) -> None:
        """It lives: what failed before does not count any more."""
        self._failed_in_row = 0
        self._paused_s = 0.0

    def failed(self, detail: str) -> None:
        """An address failed for good."""
        self._failed_in_row += 1
        self._last_failure = detail

    def check_up(self) -> None:
        """Raises: DownloadError, so much failed, or so long a pause is asked for, that the rest only cost time."""
        if self._failed_in_row >= GIVEN_UP_AFTER:
            raise DownloadError(
                Reason.DOWNLOAD_FAILED,
                f"{self.name} is not asked any more in this run: {self._failed_in_row} addresses failed one after the "
                f"other, the last: {self._last_failure}",
            )
        if self.closed:
            raise DownloadError(
                Reason.DOWNLOAD_FAILED,
                f"{self.name} is not asked any more in this run: it wants to be left alone for longer than "
                f"{LONGEST_WAIT_S:g} s, the next run asks again",
            )

    def pause(self, seconds: float) -> None:
        """Ask nothing of it for so long; no further in this run where that makes too much without an answer between."""
        now = time.monotonic()
        until = max(self._paused_until, now + seconds)
        self._paused_s += until - max(self._paused_until, now)
        if self._paused_s > LONGEST_WAIT_S:
            self.closed = True
        else:
            self._paused_until = until

    async def wait(self) -> None:
        """Until it may be asked. Raises: DownloadError, it is not asked any more in this run."""
        self.check_up()
        while (left := self._paused_until - time.monotonic()) > 0:
            await asyncio.sleep(left)
            self.check_up()


def back_off_s(first_s: float, tries: int, url: str) -> float:
    """How long to wait after `tries` tries: doubled each time, times 0.5 to 1 by the URL: not all come at once."""
    spread = int.from_bytes(hashlib.sha256(f"{tries} {url}".encode("utf-8", "replace")).digest()[:4], "big") / 2**32
    return float(first_s * 2 ** (tries - 1) * (0.5 + spread / 2))


def retry_after_s(value: str) -> float:
    """A Retry-After header in seconds from now, 0 where it says nothing that can be read (RFC 9110, 10.2.3)."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

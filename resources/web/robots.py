"""robots.txt, as RFC 9309 has it: asked for once a host, kept to for every page, its crawl delay too."""

import asyncio
import io
import time
from dataclasses import dataclass

import httpx
from protego import Protego

from catalog.errors import DownloadError
from catalog.records import Reason
from resources.web.fetching import ROBOTS_NAME, Fetcher

LONGEST_DELAY_S = 60.0  # between two pages; a host that asks for more gets this much


@dataclass
class _Rules:
    """One host's; `refusal` says why nothing may be asked of it at all."""

    robots: Protego | None = None  # None: it has none, all is allowed
    refusal: DownloadError | None = None
    delay_s: float = 0.0
    next_at: float = 0.0


class Robots:
    """The rules of every host that a run meets."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._hosts: dict[str, asyncio.Task[_Rules]] = {}

    async def allow(self, url: httpx.URL) -> None:
        """Return when the page may be asked for.

        Raises: DownloadError, robots.txt says no, or can't be had by the host's fault: a no for all of it.
        """
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        if origin not in self._hosts:
            self._hosts[origin] = asyncio.create_task(self._read(f"{origin}/robots.txt"))
        rules = await self._hosts[origin]
        if rules.refusal is not None:
            raise rules.refusal
        if rules.robots is not None and not rules.robots.can_fetch(str(url), ROBOTS_NAME):
            raise DownloadError(
                Reason.ROBOTS_REFUSED,
                f"{origin}/robots.txt keeps {ROBOTS_NAME} from this page: ask the shop for a feed",
            )
        if rules.delay_s:
            now = time.monotonic()
            mine = max(now, rules.next_at)
            rules.next_at = mine + rules.delay_s
            await asyncio.sleep(mine - now)

    async def _read(self, url: str) -> _Rules:
        body = io.BytesIO()
        try:
            await self._fetcher.get(url, body)
        except DownloadError as error:
            if 400 <= error.status < 500 and error.status != 429:
                return _Rules()  # RFC 9309, 2.3.1.3: unavailable
            if error.reason == Reason.ADDRESS_REFUSED:
                return _Rules(refusal=error)
            told = f"{url} can't be had ({error.detail}), and without it nothing may be asked of the host (RFC 9309)"
            return _Rules(refusal=DownloadError(Reason.ROBOTS_REFUSED, told))
        robots = Protego.parse(body.getvalue().decode("utf-8", "replace"))
        delay = robots.crawl_delay(ROBOTS_NAME) or 0.0
        return _Rules(robots, delay_s=min(max(0.0, float(delay)), LONGEST_DELAY_S))

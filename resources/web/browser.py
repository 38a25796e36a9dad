"""Pages that scripts fill, opened in the system's Chromium and scrolled to their end, through our own requests.

Chromium gets no network: no name resolves and its proxy is dead. Each request of a page is answered by
`browser_requests`; photos by a blank one, since only their addresses are wanted.
"""

import asyncio
import base64
import contextlib
import os
import shutil
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from catalog.errors import DownloadError, LookbookError
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.records import Reason
from resources.web.browser_requests import PageRequests, Reply
from resources.web.fetching import USER_AGENT

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page, Playwright, Route

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MAX_SCROLLS = 60
QUIET_SCROLLS = 3  # without the page growing: its end
SCROLL_PAUSE_S = 0.2
SILENCE_S = 5.0  # at most, for the requests that a page begins with
NO_NETWORK = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--no-first-run",
)
_ANSWERED = ("document", "script", "stylesheet", "xhr", "fetch")
_BLANK_GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


class ScriptedPages:
    """An open browser; a page at a time is enough for a guest. An async context manager."""

    def __init__(self, rules: DownloadRules) -> None:
        self._rules = rules
        self._playwright: Playwright
        self._browser: Browser
        self._one = asyncio.Semaphore(1)

    async def __aenter__(self) -> Self:
        """Raises: LookbookError, the extra or Chromium is missing, or Chromium does not start."""
        try:
            from playwright.async_api import Error, async_playwright
        except ImportError as error:
            raise LookbookError("--browser needs the extra [browser]: pip install --editable '.[browser]'") from error
        chromium = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
        if chromium is None:
            raise LookbookError(f"--browser needs Chromium, and there is none of {', '.join(CHROMIUMS)}: install it")
        self._playwright = await async_playwright().start()
        try:
            self._browser = await self._playwright.chromium.launch(
                executable_path=chromium, args=list(NO_NETWORK), chromium_sandbox=os.geteuid() != 0
            )
        except Error as error:
            await self._playwright.stop()
            raise LookbookError(f"{chromium} does not start: {str(error).splitlines()[0]}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._browser.close()
        await self._playwright.stop()

    async def render(self, url: str, content: bytes, content_type: str) -> bytes:
        """The page that was sent as `content`, as UTF-8 HTML after its scripts ran and it was scrolled to its end.

        Raises: DownloadError, the page can't be opened.
        """
        from playwright.async_api import Error

        requests = PageRequests(self._rules, url, Reply(200, {"content-type": content_type}, content))
        async with self._one:
            context = await self._browser.new_context(
                user_agent=USER_AGENT,
                service_workers="block",
                accept_downloads=False,
                viewport={"width": 1280, "height": 1600},
            )
            try:
                await context.route("**/*", lambda route: _answer(route, requests))
                await context.route_web_socket("**/*", lambda socket: socket.close())
                page = await context.new_page()
                await page.goto(url, wait_until="domcontentloaded", timeout=1000 * self._rules.timeout_s)
                with contextlib.suppress(Error):  # a page that never falls silent is read as it is
                    await page.wait_for_load_state("networkidle", timeout=1000 * SILENCE_S)
                await _scroll(page, self._rules.timeout_s)
                return (await page.content()).encode("utf-8", "replace")
            except Error as error:
                told = str(error).splitlines()[0]
                raise DownloadError(Reason.DOWNLOAD_FAILED, f"the browser can't open the page: {told}") from error
            finally:
                await context.close()
                await requests.close()


async def _answer(route: "Route", requests: PageRequests) -> None:
    """Answer one of a page's requests, or end it."""
    from playwright.async_api import Error

    request = route.request
    try:
        if request.resource_type == "image":
            await route.fulfill(status=200, content_type="image/gif", body=_BLANK_GIF)
        elif request.resource_type not in _ANSWERED:
            await route.abort()
        else:
            try:
                reply = await requests.ask(
                    request.method, request.url, await request.all_headers(), request.post_data_buffer
                )
            except DownloadError:
                await route.abort()
            else:
                await route.fulfill(status=reply.status, headers=reply.headers, body=reply.body)
    except Error:
        return  # the page is gone, and its requests with it


async def _scroll(page: "Page", limit_s: float) -> None:
    """Down a screen at a time, until the page has stopped to grow."""
    ends, quiet, height = time.monotonic() + limit_s, 0, -1
    for _ in range(MAX_SCROLLS):
        await page.evaluate("window.scrollBy(0, window.innerHeight)")
        await asyncio.sleep(SCROLL_PAUSE_S)
        now, at_end = await page.evaluate(
            "[document.documentElement.scrollHeight,"
            " window.scrollY + window.innerHeight >= document.documentElement.scrollHeight - 2]"
        )
        quiet = quiet + 1 if at_end and now == height else 0
        height = now
        if quiet >= QUIET_SCROLLS or time.monotonic() > ends:
            return

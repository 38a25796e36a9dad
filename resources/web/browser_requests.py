"""What a browser's page asks for, asked by us: under the same rule of addresses, bounded, without photos and films.

The browser itself has no network at all (see `browser`), so nothing that a page does gets past this.
"""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import dataclass

import httpcore
import httpx

from catalog.errors import DownloadError
from catalog.formats.feeds.download_rules import MIB, DownloadRules
from catalog.records import Reason
from resources.web.addresses import check_url
from resources.web.bodies import write_body
from resources.web.fetching import MAX_REDIRECTS, USER_AGENT
from resources.web.transport import checked_client

MAX_PAGE_REQUESTS = 400
MAX_PAGE_BYTES = 64 * MIB  # of all that one page asks for
_CONNECTIONS = 16
_HOP_BY_HOP = {"host", "connection", "content-length", "accept-encoding", "transfer-encoding", "content-encoding"}


@dataclass(frozen=True)
class Reply:
    """One answer, whole and unpacked."""

    status: int
    headers: dict[str, str]
    body: bytes


class PageRequests:
    """The requests of one page, counted; the page itself was had already, and is asked for no second time."""

    def __init__(self, rules: DownloadRules, url: str, page: Reply) -> None:
        self._rules, self._had = rules, {url: page}
        self._left_requests, self._left_bytes = MAX_PAGE_REQUESTS, MAX_PAGE_BYTES
        self._client = checked_client(rules, _CONNECTIONS)

    async def close(self) -> None:
        """End its connections."""
        await self._client.aclose()

    async def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """One request, redirects followed. Raises: DownloadError, whatever keeps it from an answer."""
        if method == "GET" and (had := self._had.pop(url, None)):
            return had
        if self._left_requests <= 0 or self._left_bytes <= 0:
            raise DownloadError(Reason.FILE_TOO_LARGE, "the page asks for too much")
        self._left_requests -= 1
        sent = {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP and name[:1] != ":"}
        sent |= {"user-agent": USER_AGENT, "accept-encoding": "gzip, deflate"}
        try:
            async with asyncio.timeout(self._rules.timeout_s):
                return await self._hops(method, httpx.URL(url), sent, body)
        except (TimeoutError, OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
            raise DownloadError(Reason.DOWNLOAD_FAILED, str(error) or type(error).__name__) from error
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise DownloadError(Reason.DOWNLOAD_FAILED, str(error) or type(error).__name__) from error

    async def _hops(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None) -> Reply:
        for _ in range(MAX_REDIRECTS + 1):
            check_url(url, self._rules)
            async with self._client.stream(method, url, headers=dict(headers), content=body) as response:
                location = response.headers.get("Location")
                if response.is_redirect and location:
                    before, url = url, url.join(location)
                    if (before.scheme, before.netloc) != (url.scheme, url.netloc):
                        headers = {name: value for name, value in headers.items() if name.lower() != "cookie"}
                    if response.status_code in (301, 302, 303):
                        method, body = "GET", None
                    continue
                content = io.BytesIO()
                self._left_bytes -= await write_body(response, content, min(self._rules.max_bytes, self._left_bytes))
                kept = {name: value for name, value in response.headers.items() if name not in _HOP_BY_HOP}
                return Reply(response.status_code, kept, content.getvalue())
        raise DownloadError(Reason.DOWNLOAD_FAILED, f"more than {MAX_REDIRECTS} redirects")

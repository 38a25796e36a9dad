"""One GET as a guest should make it: checked hop by hop, bounded in time and size, tried again where that can help."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType
from typing import BinaryIO, Self

import httpcore
import httpx

from catalog.errors import DownloadError
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.records import Reason
from resources.web.addresses import check_url
from resources.web.bodies import pass_over_body, write_body
from resources.web.hosts import LONGEST_WAIT_S, Host, back_off_s, retry_after_s
from resources.web.transport import checked_client

ROBOTS_NAME = "Lookbook"
USER_AGENT = f"{ROBOTS_NAME}/{version('lookbook')}"
CONNECTIONS = 32  # at once, over all hosts
MAX_REDIRECTS = 5
FIRST_BACK_OFF_S = 0.5
_REDIRECTS = (301, 302, 303, 307, 308)
_CAN_PASS = (408, 425, 429, 500, 502, 503, 504)
_TOO_SLOW = (TimeoutError, httpcore.TimeoutException, httpx.TimeoutException)
_BROKEN = (httpcore.NetworkError, httpcore.ProtocolError, httpx.TransportError, ssl.SSLError)

Allow = Callable[[httpx.URL], Awaitable[None]]  # returns, or raises, before a URL is asked for


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a server said: the body is in the sink, unless nothing had changed."""

    url: str  # that answered, after redirects
    not_modified: bool
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""
    size_bytes: int = 0


class _PassingError(Exception):
    """What may be well at the next try."""

    def __init__(self, detail: str, wait_s: float = 0.0, status: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.wait_s = wait_s
        self.status = status


class Fetcher:
    """Fetches under one set of rules; connections are used again. An async context manager."""

    def __init__(self, rules: DownloadRules, *, accept: str, packed: bool = False) -> None:
        """`accept` is the Accept header; `packed` lets servers send gzip, which photos gain nothing by."""
        self.rules = rules
        self._hosts: dict[str, Host] = {}
        self._places = asyncio.Semaphore(CONNECTIONS)
        encoding = "gzip, deflate" if packed else "identity"
        self._client = checked_client(
            rules, CONNECTIONS, {"User-Agent": USER_AGENT, "Accept": accept, "Accept-Encoding": encoding}
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def get(
        self, url: str, sink: BinaryIO, *, etag: str = "", last_modified: str = "", allow: Allow | None = None
    ) -> Answer:
        """Fetch `url` into `sink`, which is emptied before each try; with a validator, only what has changed.

        `allow` is asked before each hop, and may wait or raise.
        Raises: DownloadError, the address is refused, the answer is no content, or every try failed.
        """
        start = _parsed(url)
        check_url(start, self.rules)
        asked = {"If-None-Match": etag} if etag else {}
        if last_modified:
            asked["If-Modified-Since"] = last_modified
        host = self._host(start)
        tried = 0
        while True:
            tried += 1
            await host.wait()
            try:
                answer = await self._try(start, asked, sink, allow)
            except DownloadError:
                host.answered()
                raise
            except _PassingError as error:
                wait_s = max(error.wait_s, back_off_s(FIRST_BACK_OFF_S, tried, url))
                too_long = wait_s > LONGEST_WAIT_S
                if error.wait_s and not too_long:
                    host.pause(wait_s)
                if tried > self.rules.retries or too_long or host.closed:
                    host.failed(error.detail)
                    told = f"{error.detail}; {tried} {'try' if tried == 1 else 'tries'}, the next run tries again"
                    raise DownloadError(Reason.DOWNLOAD_FAILED, told, status=error.status) from error
                await asyncio.sleep(wait_s)
            else:
                host.answered()
                return answer

    def _host(self, url: httpx.URL) -> Host:
        name = f"{url.host}:{url.port}" if url.port else url.host
        if name not in self._hosts:
            self._hosts[name] = Host(name, self.rules.per_host)
        return self._hosts[name]

    async def _try(self, url: httpx.URL, asked: dict[str, str], sink: BinaryIO, allow: Allow | None) -> Answer:
        """One try, redirects followed; the time spent waiting for a place does not count."""
        left_s = self.rules.timeout_s
        for hop in range(MAX_REDIRECTS + 1):
            try:
                check_url(url, self.rules)
                if allow is not None:
                    await allow(url)
                async with self._host(url).places, self._places:
                    started = time.monotonic()
                    async with asyncio.timeout(left_s):
                        found = await self._ask(url, asked, sink)
                    left_s -= time.monotonic() - started
            except DownloadError as error:
                if not hop:
                    raise
                told = f"redirected to {url.host or url.scheme}: {error.detail}"
                raise DownloadError(error.reason, told, status=error.status) from error
            except _TOO_SLOW as error:
                raise _PassingError(f"{url.host} gave no whole answer within {self.rules.timeout_s:g} s") from error
            except _BROKEN as error:
                told = str(error) or type(error).__name__
                raise _PassingError(told if url.host in told else f"{url.host}: {told}") from error
            except (httpx.InvalidURL, ValueError, OverflowError) as error:
                told = f"{url.host}: an address that can't be asked for ({error}): mend it"
                raise DownloadError(Reason.DOWNLOAD_FAILED, told) from error
            if isinstance(found, Answer):
                return found
            url = found
        raise DownloadError(Reason.DOWNLOAD_FAILED, f"more than {MAX_REDIRECTS} redirects: mend the address")

    async def _ask(self, url: httpx.URL, asked: dict[str, str], sink: BinaryIO) -> Answer | httpx.URL:
        """One request: its answer, or where it is redirected to."""
        async with self._client.stream("GET", url, headers=asked) as response:
            status, headers = response.status_code, response.headers
            if status != 200:
                await pass_over_body(response)
            if status in _REDIRECTS and headers.get("Location"):
                return _joined(url, headers["Location"])
            told = f"{url.host} answers HTTP {status} {response.reason_phrase}".rstrip()
            if status in _CAN_PASS:
                raise _PassingError(told, retry_after_s(headers.get("Retry-After", "")), status)
            if status == 304 and asked:
                return Answer(url=str(url), not_modified=True)
            if status != 200:
                raise DownloadError(Reason.DOWNLOAD_FAILED, f"{told}: mend the address", status=status)
            sink.seek(0)
            sink.truncate()
            size = await write_body(response, sink, self.rules.max_bytes)
            return Answer(
                url=str(url),
                not_modified=False,
                etag=_sent_back(headers.get("ETag", "")),
                last_modified=_sent_back(headers.get("Last-Modified", "")),
                content_type=headers.get("Content-Type", ""),
                size_bytes=size,
            )


def _sent_back(validator: str) -> str:
    """A validator as the server gave it, "" where no header can carry it back."""
    return validator if validator.isascii() and validator.isprintable() else ""


def _parsed(url: str) -> httpx.URL:
    try:
        return _readable(httpx.URL(url))
    except (httpx.InvalidURL, ValueError) as error:
        raise DownloadError(Reason.ADDRESS_REFUSED, f"is no URL ({error}): mend the address") from error


def _joined(url: httpx.URL, location: str) -> httpx.URL:
    try:
        return _readable(url.join(location))
    except (httpx.InvalidURL, ValueError) as error:
        raise DownloadError(
            Reason.DOWNLOAD_FAILED, f"{url.host} redirects to what is no URL: mend the address"
        ) from error


def _readable(url: httpx.URL) -> httpx.URL:
    """The URL, once its host could be read. Raises: ValueError, an "xn--" name that stands for nothing."""
    _ = url.host
    return url

"""HTTP connections that only ever go to an address that was checked: httpx over httpcore, names looked up here.

The check stands where the connection is made, so that no redirect, rebinding of a name or way of writing an address
gets past it. Host header, SNI and certificate stay those of the name. A proxy is used only where the rules ask for it:
it connects in our place, so that only the name can be checked then.
"""

import contextlib
import urllib.request
from collections.abc import AsyncIterator, Iterable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from catalog.formats.feeds.download_rules import DownloadRules
from resources.web.addresses import checked_addresses

KEEP_ALIVE_S = 15.0
_CONNECT_S = 10.0


def checked_client(
    rules: DownloadRules, connections: int, headers: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """A client under the rules that follows no redirect by itself and takes no cookie.

    It raises httpx's and httpcore's own errors, and DownloadError for an address.
    """

    async def check_host(request: httpx.Request) -> None:
        with contextlib.suppress(OSError):  # a name that only the proxy can look up
            await checked_addresses(request.url.host, request.url.port or 0, allow_private=rules.allow_private)

    direct = CheckedTransport(allow_private=rules.allow_private, connections=connections)
    return httpx.AsyncClient(
        transport=direct,
        mounts=_proxies(direct) if rules.use_proxy else None,
        event_hooks={"request": [check_host] if rules.use_proxy else []},
        headers=headers,
        timeout=httpx.Timeout(rules.timeout_s, connect=min(_CONNECT_S, rules.timeout_s), pool=None),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )


def _proxies(direct: httpx.AsyncBaseTransport) -> dict[str, httpx.AsyncBaseTransport]:
    """The environment's proxies as an httpx client mounts them; hosts of NO_PROXY are asked directly."""
    named = urllib.request.getproxies()
    passed = [host.strip().lstrip(".") for host in named.get("no", "").split(",") if host.strip()]
    if "*" in passed:
        return {}
    urls = {kind: named[kind] for kind in ("http", "https", "all") if kind in named}
    mounts: dict[str, httpx.AsyncBaseTransport] = {
        f"{kind}://": httpx.AsyncHTTPTransport(proxy=url if "://" in url else f"http://{url}")
        for kind, url in urls.items()
    }
    return mounts | {f"all://*{host}": direct for host in passed}


class _CheckedConnections(httpcore.AsyncNetworkBackend):
    """Connects to the addresses of a name, one after the other, once all of them are allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await checked_addresses(host, port, allow_private=self._allow_private)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} can't be looked up ({error.strerror or error})") from error
        failed: Exception | None = None
        for address in addresses:
            try:
                return await self._plain.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise httpcore.ConnectError(f"{host} does not take connections ({failed or 'it has no address'})") from failed

    async def sleep(self, seconds: float) -> None:
        await self._plain.sleep(seconds)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


class CheckedTransport(httpx.AsyncBaseTransport):
    """What an `httpx.AsyncClient` sends through. Raises httpcore's own errors, and DownloadError for an address."""

    def __init__(self, *, allow_private: bool, connections: int) -> None:
        """At most `connections` are open at once; those that are idle are used again."""
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=KEEP_ALIVE_S,
            network_backend=_CheckedConnections(allow_private=allow_private),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One request, no redirect followed."""
        response = await self._pool.handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

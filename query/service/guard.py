"""Who may ask: the host that is meant, the pages that may, the key. It looks at headers only."""

import hashlib
import hmac
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from query.service.problems import Problem
from query.service.settings import Settings, is_loopback

OPEN = ("/", "/healthz", "/readyz", "/bundle")  # GET /bundle without the key says only that one is needed
OPEN_BELOW = "/page/"
BEARER = "bearer "


class Guard:
    """Holds requests to the settings."""

    def __init__(self, settings: Settings) -> None:
        self._key = _digest(settings.key) if settings.key else b""
        self._origins = frozenset(origin.lower() for origin in settings.origins)
        self._hosts = frozenset(urlsplit(origin).netloc.lower() for origin in settings.origins)
        self._loopback = settings.on_loopback

    def check(self, path: str, headers: Headers) -> None:
        """Raises: Problem for a host, an origin or a key that is not right."""
        self._check_host(headers)
        self._check_origin(headers)
        if path not in OPEN and not path.startswith(OPEN_BELOW) and not self.has_key(headers):
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "key_needed",
                "this service needs a key in the header X-API-Key, or as Authorization: Bearer",
                {"WWW-Authenticate": 'Bearer realm="lookbook"'},
            )

    def has_key(self, headers: Headers) -> bool:
        """Is the key right, or none needed? Takes as long for any wrong one."""
        if not self._key:
            return True
        bearer = headers.get("authorization", "")
        given = headers.get("x-api-key") or (bearer[len(BEARER) :].strip() if bearer.lower().startswith(BEARER) else "")
        return hmac.compare_digest(_digest(given), self._key)

    def allowed_origin(self, headers: Headers) -> str:
        """The other site whose page asks and may; "" where there is none."""
        origin = headers.get("origin", "").lower()
        return origin if origin in self._origins else ""

    def _check_host(self, headers: Headers) -> None:
        """A page elsewhere may let its own name lead to this machine (DNS rebinding): only our own names are taken."""
        host = headers.get("host", "").lower()
        if self._loopback and not is_loopback(_name_of(host)) and host not in self._hosts:
            raise Problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "other_host",
                "this service answers to localhost only; behind a proxy, start it with --allow-origin and its address",
            )

    def _check_origin(self, headers: Headers) -> None:
        origin = headers.get("origin")
        if origin is None or self.allowed_origin(headers):
            return
        parts = origin.lower().split("://", 1)
        if len(parts) != 2 or parts[0] not in ("http", "https") or parts[1] != headers.get("host", "").lower():
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "other_origin",
                "pages of other sites may not ask; start the service with --allow-origin and the site's address",
            )


def _name_of(host: str) -> str:
    """A Host header's name or address, without its port."""
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()

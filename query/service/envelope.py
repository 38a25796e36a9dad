"""What is true of every request: it is let in or not, its answer has our headers, it is counted and logged.

The log says method, path, status and milliseconds; nothing of a query, a header or a body.
"""

import asyncio
import logging
import time
from http import HTTPStatus
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from query.service.guard import Guard
from query.service.metrics import Metrics
from query.service.problems import Problem
from query.service.shelf import Shelf

LOG = logging.getLogger("lookbook")
BUNDLE_HEADER = "X-Lookbook-Bundle"
CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
SECURITY = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, X-API-Key",
    "Access-Control-Max-Age": "600",
}
LEFT_CLOSED = 499  # in the log: the client left before it had its answer
LINGER_S, LINGER_BYTES = 2.0, 64 * 2**20  # a refused body is passed over so long, so that its sender reads the answer
OTHER_ROUTE = "(other)"


class Envelope:
    """Wraps the application; the outermost of all."""

    def __init__(self, app: ASGIApp, guard: Guard, metrics: Metrics, shelf: Shelf) -> None:
        self._app, self._guard, self._metrics, self._shelf = app, guard, metrics, shelf

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        one = _Exchange(scope, receive, send, self._guard, self._shelf)
        try:
            response = self._refused(scope)
            await (response or self._app)(scope, one.receive, one.send)
        except ClientDisconnect:
            one.status = LEFT_CLOSED
        except Exception:
            LOG.exception("%s %s failed", scope["method"], quote(scope["path"], safe="/"))
            one.status = 500
            if not one.began:
                await _unknown().response(scope["path"])(scope, one.receive, one.send)
        seconds = time.perf_counter() - started
        route = getattr(scope.get("route"), "path", OTHER_ROUTE)
        self._metrics.answered(scope["method"], route, one.status, seconds)
        LOG.info("%s %s %d %.0f ms", scope["method"], quote(scope["path"], safe="/"), one.status, 1000 * seconds)

    def _refused(self, scope: Scope) -> Response | None:
        """The answer to a request that goes no further."""
        headers = Headers(scope=scope)
        try:
            before = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
            if before and self._guard.allowed_origin(headers):  # a browser asks whether it may ask, without the key
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=PREFLIGHT)
            self._guard.check(scope["path"], headers)
        except Problem as problem:
            return problem.response(scope["path"])
        return None


class _Exchange:
    """One request and its answer, on their way."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, guard: Guard, shelf: Shelf) -> None:
        headers = Headers(scope=scope)
        self.status = LEFT_CLOSED
        self.began = False
        self._receive, self._send = receive, send
        self._origin, self._has_key = guard.allowed_origin(headers), guard.has_key(headers)
        self._shelf = shelf
        self._here = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers  # the whole body
        self._expects = "expect" in headers

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._here = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.began, self.status = True, message["status"]
            self._add_headers(MutableHeaders(scope=message))
        elif not message.get("more_body", False) and not self._here:
            await self._send({**message, "more_body": True})
            await self._pass_over()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        for name, value in SECURITY.items():
            headers.setdefault(name, value)
        headers.setdefault("Cache-Control", "no-store")
        if self._has_key and self._shelf.version:
            headers.setdefault(BUNDLE_HEADER, self._shelf.version)
        if self._origin:
            headers["Access-Control-Allow-Origin"] = self._origin
            headers["Access-Control-Expose-Headers"] = f"{BUNDLE_HEADER}, Retry-After"
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            headers.add_vary_header("Origin")
        if not self._here:
            headers["Connection"] = "close"

    async def _pass_over(self) -> None:
        """Read what is still coming: closing on it would take the answer from a sender that has not read it yet."""
        passed = 0
        try:
            async with asyncio.timeout(LINGER_S):
                while not self._here and not self._expects and passed < LINGER_BYTES:
                    passed += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _unknown() -> Problem:
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", "the service failed at this request; its log says where")

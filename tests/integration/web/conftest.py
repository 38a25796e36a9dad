"""A real web server on loopback that does as each test bids it, and photos for it to serve."""

import io
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image

Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Shop:
    """A server's replies by path, and what it was asked."""

    host: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def url(self, path: str) -> str:
        """A path's whole address."""
        return f"http://{self.host}{path}"

    def serve(self, path: str, body: bytes, content_type: str = "image/jpeg", **headers: str) -> str:
        """Serve a body with its length, and 304 to who has its ETag or date; returns its URL."""

        def reply(handler: BaseHTTPRequestHandler) -> None:
            had = {"ETag": handler.headers["If-None-Match"], "Last-Modified": handler.headers["If-Modified-Since"]}
            unchanged = any(value and had.get(name) == value for name, value in headers.items())
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            answer(
                handler, 304 if unchanged else 200, b"" if unchanged else body, {"Content-Type": content_type, **sent}
            )

        self.replies[path] = reply
        return self.url(path)

    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [path for path, _ in self.asked]


def answer(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: dict[str, str] | None = None):
    """A whole, honest answer."""
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away in the middle are what these tests are about."""


@pytest.fixture
def start_shop() -> Iterator[Callable[..., Shop]]:
    """Starts servers, each on a free port of its own; all end with the test."""
    running = []

    def start(wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain) -> Shop:
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                with lock:
                    shop.connections += 1

            def do_GET(self) -> None:
                with lock:
                    shop.asked.append((self.path, dict(self.headers)))
                    shop.at_once += 1
                    shop.most_at_once = max(shop.most_at_once, shop.at_once)
                try:
                    reply = shop.replies.get(self.path)
                    if reply:
                        reply(self)
                    else:
                        answer(self, 404, b"nothing here")
                finally:
                    with lock:
                        shop.at_once -= 1

            def log_message(self, *arguments: object) -> None:
                """Nothing on standard error."""

        server = _Server(("127.0.0.1", 0), Handler)
        server.socket = wrap(server.socket)
        shop = Shop(f"127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        running.append(server)
        return shop

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def shop(start_shop: Callable[..., Shop]) -> Shop:
    """One server."""
    return start_shop()


@pytest.fixture
def answering() -> Callable[..., None]:
    """`answer`, for replies that a test writes itself."""
    return answer


@pytest.fixture(scope="session")
def photo() -> Callable[..., bytes]:
    """A photo's bytes, another one for every number."""

    def encoded(number: int = 0, form: str = "JPEG", side_px: int = 64) -> bytes:
        pixels = np.random.default_rng(number).integers(0, 256, (side_px, side_px, 3), np.uint8)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, form)
        return content.getvalue()

    return encoded

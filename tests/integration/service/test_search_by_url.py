"""A photo by its address, where a service may fetch: from a real server, by the guarded code with loopback allowed."""

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import uvicorn

from catalog.formats.feeds.download_rules import DownloadRules
from query.service.app import build_app
from query.service.settings import Settings
from resources.web.fetching import Fetcher

MAX_BYTES = 200_000


def fetch_here(url: str, max_bytes: int) -> bytes:
    """What `lookbook serve` fetches with, but for loopback, where the test's own server is."""

    async def fetch() -> bytes:
        sink = io.BytesIO()
        rules = DownloadRules(max_bytes=max_bytes, allow_private=True, retries=0, timeout_s=5)
        async with Fetcher(rules, accept="image/*") as fetcher:
            await fetcher.get(url, sink)
        return sink.getvalue()

    return asyncio.run(fetch())


@pytest.fixture(scope="module")
def url(current) -> Iterator[str]:
    """A service that may fetch."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = build_app(Settings(bundle=current, max_bytes=MAX_BYTES, fetch_photo=fetch_here))
    server = uvicorn.Server(uvicorn.Config(app, ws="none", lifespan="on", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    found = f"http://127.0.0.1:{listening.getsockname()[1]}"
    until = time.monotonic() + 60
    while httpx.get(f"{found}/readyz", timeout=30).status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.1)
    yield found
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def shop(built_shop, tmp_path_factory) -> Iterator[str]:
    """A web server with a photo, a page and a file that is too large."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "photo.jpg").write_bytes(built_shop.queries[0].read_bytes())
    (folder / "page.html").write_text("<html>no photo</html>")
    (folder / "large.jpg").write_bytes(bytes(MAX_BYTES + 1))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """The test says what matters."""


def ask(url: str, /, **parts: object) -> httpx.Response:
    """Search with parts of a form."""
    return httpx.post(f"{url}/search", files=parts, timeout=60)


def test_a_photo_by_its_address_is_as_one_that_is_sent(url, shop, photos):
    """The same results."""
    fetched = ask(url, url=(None, f"{shop}/photo.jpg"))
    assert fetched.status_code == 200
    assert fetched.json()["results"] == ask(url, file=photos[0]).json()["results"]


def test_what_can_not_be_fetched(url, shop, photos):
    """Each by its reason: nothing there, a page, too large, no address, and both a file and an address."""
    wanted = {
        f"{shop}/none.jpg": (422, "download_failed"),
        f"{shop}/page.html": (415, "not_an_image"),
        f"{shop}/large.jpg": (413, "file_too_large"),
        "photo.jpg": (422, "address_refused"),
    }
    for address, told in wanted.items():
        answered = ask(url, url=(None, address))
        assert (answered.status_code, answered.json()["reason"]) == told, address
    both = ask(url, url=(None, f"{shop}/photo.jpg"), file=photos[0])
    assert (both.status_code, both.json()["reason"]) == (422, "no_photo")
    assert "or its address" in both.json()["detail"]

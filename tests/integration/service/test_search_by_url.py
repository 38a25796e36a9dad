"""A photo by its address, where a service may fetch: from a real server, by the guarded code with loopback allowed."""

import asyncio
import io
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import uvicorn

from catalog.formats.feeds.download_rules import DownloadRules
from query.service.app import build_api
from query.service.envelope import Envelope
from query.service.parts import FETCHES, Parts
from query.service.settings import Settings
from resources.web.fetching import Fetcher

MAX_BYTES = 200_000
WAITING = 2


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
def parts(current) -> Parts:
    """What the service below is made of."""
    return Parts(Settings(bundle=current, max_bytes=MAX_BYTES, waiting=WAITING, fetch_photo=fetch_here))


@pytest.fixture(scope="module")
def url(parts) -> Iterator[str]:
    """A service that may fetch."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = Envelope(build_api(parts), parts.guard, parts.metrics, parts.shelf)
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
    slow = threading.Semaphore(0)  # so many asks for /slow.jpg are being answered
    go_on = threading.Event()

    def do_GET(self) -> None:
        """A photo that comes when it may, beside the files."""
        if self.path == "/slow.jpg":
            self.slow.release()
            assert self.go_on.wait(30)
            self.path = "/photo.jpg"
        super().do_GET()

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


def test_a_fetched_photo_is_counted_as_one_that_is_sent(url, shop, photos, parts, monkeypatch):
    """With room for the photo but not for its form beside it: 503; then nothing is held, and there is room again."""
    with monkeypatch.context() as small:
        small.setattr(parts.memory, "most_bytes", len(photos[0]))
        answered = ask(url, url=(None, f"{shop}/photo.jpg"))
    assert (answered.status_code, answered.json()["reason"]) == (503, "busy")
    assert "too many large photos" in answered.json()["detail"]
    assert parts.memory.held_bytes == 0
    assert ask(url, url=(None, f"{shop}/photo.jpg")).status_code == 200
    assert parts.memory.held_bytes == 0


def test_so_many_wait_for_a_fetch_and_no_more(url, shop, photos, parts):
    """Four are being fetched and two wait, as many as may: the next address is 503 at once, a file is searched."""
    with ThreadPoolExecutor(FETCHES + WAITING) as clients:
        asked = [clients.submit(ask, url, url=(None, f"{shop}/slow.jpg")) for _ in range(FETCHES + WAITING)]
        try:
            assert all(_Quiet.slow.acquire(timeout=20) for _ in range(FETCHES))
            until = time.monotonic() + 20
            while parts.fetches.waiting < WAITING:
                assert time.monotonic() < until
                time.sleep(0.02)
            refused = ask(url, url=(None, f"{shop}/photo.jpg"))
            sent = ask(url, file=photos[0])
        finally:
            _Quiet.go_on.set()
        statuses = {answered.result().status_code for answered in asked}
    assert (refused.status_code, refused.json()["reason"], refused.headers["Retry-After"]) == (503, "busy", "1")
    assert refused.json()["detail"] == "2 searches are waiting already; try again in a moment"
    assert (sent.status_code, 200 in statuses, statuses <= {200, 503}) == (200, True, True)

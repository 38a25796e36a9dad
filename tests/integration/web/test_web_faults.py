"""What a server can do wrong: each costs a bounded time and size, has its named reason, and harms nothing else."""

import gzip
import os
import socket
import struct
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from catalog.formats.feeds.download_rules import DownloadRules
from resources.downloads import Fetched, fetch_photos
from resources.photo_store import PhotoStore
from resources.web import hosts

KIB = 1024
LIMIT = 256 * KIB
Reply = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[..., Fetched]:
    """Fetches URLs with short limits; keyword arguments are other rules."""

    def run(*urls: str, **rules: object) -> Fetched:
        chosen = {"allow_private": True, "timeout_s": 0.4, "retries": 0, "max_bytes": LIMIT, **rules}
        store = PhotoStore(tmp_path / "downloads", tmp_path / "downloads" / "raw_catalog.parquet")
        return fetch_photos(dict.fromkeys(urls, ""), DownloadRules(**chosen), store)

    return run


def failure(fetched: Fetched) -> str:
    """Of the one photo that failed, with nothing left behind."""
    [had] = fetched.photos.values()
    assert had.path is None
    assert had.failure is not None
    return str(had.failure)


def hangs(handler: BaseHTTPRequestHandler) -> None:
    """Takes the request and says nothing until the client goes away."""
    handler.connection.settimeout(5)
    handler.connection.recv(1)


def drips(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then: no single read takes long."""
    head(handler, {"Content-Length": "100000"})
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def head(handler: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
    """The head of a good answer."""
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def sends(body: bytes, **headers: str) -> Reply:
    """A body under headers of the test's own, and the end of the connection."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        head(handler, {name.replace("_", "-"): value for name, value in headers.items()})
        handler.wfile.write(body)
        handler.close_connection = True

    return reply


def endless(handler: BaseHTTPRequestHandler) -> None:
    """A body without a length that never ends."""
    head(handler, {"Content-Type": "image/jpeg"})
    while True:
        handler.wfile.write(b"\xff" * 65536)


def resets(handler: BaseHTTPRequestHandler) -> None:
    """Half an answer, then the connection is torn down."""
    head(handler, {"Content-Length": "1000"})
    handler.wfile.write(b"x" * 500)
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


@pytest.mark.parametrize("reply", [hangs, drips])
def test_time_is_limited(shop, fetch, reply) -> None:
    """The whole try, not only each read."""
    shop.replies["/a.jpg"] = reply
    started = time.perf_counter()
    assert "gave no whole answer within 0.4 s; 1 try" in failure(fetch(shop.url("/a.jpg")))
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (sends(b"x" * 10, Content_Length="1000"), "download_failed: 127.0.0.1: peer closed connection"),
        (resets, "download_failed: 127.0.0.1"),
        (sends(b"x" * 300 * KIB, Content_Length=str(300 * KIB)), f"file_too_large: {300 * KIB} bytes, at most {LIMIT}"),
        (sends(b"x" * 300 * KIB), "file_too_large: more bytes came, at most"),
        (endless, "file_too_large: more bytes came, at most"),
        (sends(b"", Content_Length="nonsense"), "download_failed"),
        (sends(b"<html>sorry</html>", Content_Type="image/jpeg"), "not_an_image: what came is none of JPEG"),
        (sends(b""), "empty_file: 0 bytes came"),
        (sends(gzip.compress(b"\0" * 100_000_000), Content_Encoding="gzip"), "unpack to more, at most"),
        (sends(gzip.compress(b"photo")[:-9], Content_Encoding="gzip"), "the packed body ends early"),
        (sends(b"no gzip", Content_Encoding="gzip"), "the packed body is damaged"),
        (sends(b"x", Content_Encoding="br"), "packed as 'br', which was not asked for"),
    ],
)
def test_a_lie_is_found_out(shop, fetch, tmp_path, reply, told) -> None:
    """About length, type or packing; nothing is stored."""
    shop.replies["/a.jpg"] = reply
    assert told in failure(fetch(shop.url("/a.jpg"), timeout_s=5))
    assert [path.name for path in (tmp_path / "downloads").rglob("*.*")] == ["raw_catalog.parquet"]


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("told_length", [True, False])
def test_a_photo_cut_short_is_refused(shop, fetch, photo, form, told_length) -> None:
    """A length that is too small, or none at all and an early end: the bytes themselves tell."""
    whole = photo(1, form)
    half = whole[: len(whole) // 2]
    lengths = {"Content_Length": str(len(half))} if told_length else {}
    shop.replies["/a.jpg"] = sends(whole if told_length else half, **lengths)
    assert "truncated_image: cut short or damaged" in failure(fetch(shop.url("/a.jpg")))


def test_a_cut_photo_does_not_take_a_good_ones_place(shop, fetch, photo) -> None:
    """The earlier one stands in."""
    url = shop.serve("/a.jpg", photo(1))
    earlier = fetch(url).photos[url].path
    shop.serve("/a.jpg", photo(2)[:-300])
    kept = fetch(url)
    assert kept.kept == 1
    assert kept.photos[url].path == earlier
    assert "sent as 'image/jpeg'" in str(kept.photos[url].failure)


def test_a_png_bomb_is_not_decoded(shop, fetch) -> None:
    """A header that claims 60,000 x 60,000 px, in a few bytes; Pillow's own limit says so before a pixel is made."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000)) + chunk(b"IEND", b"")
    assert "too_many_pixels" in failure(fetch(shop.serve("/bomb.png", bomb)))


def test_what_fails_two_times_in_three_comes_in_the_end(shop, fetch, photo, answering) -> None:
    """Each photo's first two tries fail, in ways that can pass."""
    tries: dict[str, int] = {}
    content = photo(1)

    def flaky(handler: BaseHTTPRequestHandler) -> None:
        tries[handler.path] = tries.get(handler.path, 0) + 1
        if tries[handler.path] == 1:
            answering(handler, 503)
        elif tries[handler.path] == 2:
            resets(handler)
        else:
            answering(handler, 200, content)

    urls = [shop.url(f"/{place}.jpg") for place in range(6)]
    shop.replies = {f"/{place}.jpg": flaky for place in range(6)}
    fetched = fetch(*urls, retries=2, per_host=6, timeout_s=5)
    assert fetched.downloaded == 6
    assert set(tries.values()) == {3}


def test_retry_after_is_kept_to(shop, fetch, photo, answering) -> None:
    """The whole host is left alone for the second that it asks for, then both photos come."""
    times: list[float] = []
    content = photo(1)

    def limited(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            answering(handler, 429, headers={"Retry-After": "1"})
        else:
            answering(handler, 200, content)

    shop.replies = {"/a.jpg": limited, "/b.jpg": limited}
    assert fetch(shop.url("/a.jpg"), shop.url("/b.jpg"), retries=1, per_host=1).downloaded == 2
    assert times[1] - times[0] >= 1


def test_a_server_that_wants_a_long_pause_is_left_to_the_next_build(shop, fetch, answering) -> None:
    """A build does not wait an hour."""
    shop.replies["/a.jpg"] = lambda handler: answering(handler, 429, headers={"Retry-After": "3600"})
    assert "answers HTTP 429 Too Many Requests; 1 try, the next run" in failure(fetch(shop.url("/a.jpg"), retries=3))
    assert len(shop.asked) == 1


@pytest.mark.parametrize(("wanted_s", "most"), [("100000", 11), ("1", 8)])
def test_pauses_are_bounded_for_the_whole_host(shop, fetch, answering, monkeypatch, wanted_s, most) -> None:
    """36 photos of a host that only ever asks for patience: a long one is not waited for, short ones add up."""
    monkeypatch.setattr(hosts, "LONGEST_WAIT_S", 1.5)
    for place in range(36):
        shop.replies[f"/{place}.jpg"] = lambda handler: answering(handler, 429, headers={"Retry-After": wanted_s})
    started = time.perf_counter()
    fetched = fetch(*[shop.url(f"/{place}.jpg") for place in range(36)], retries=2)
    assert fetched.failed == 36
    assert len(shop.asked) <= most
    assert time.perf_counter() - started < 5
    assert "not asked any more in this run" in str(list(fetched.photos.values())[-1].failure)


def test_a_host_that_is_down_is_given_up(shop, fetch, answering) -> None:
    """After eight photos in a row the others only cost time; the next run asks again."""
    shop.replies = {f"/{place}.jpg": lambda handler: answering(handler, 500) for place in range(40)}
    fetched = fetch(*[shop.url(f"/{place}.jpg") for place in range(40)], per_host=1)
    assert fetched.failed == 40
    assert len(shop.asked) == hosts.GIVEN_UP_AFTER
    assert "not asked any more in this run" in str(list(fetched.photos.values())[-1].failure)


def test_a_photo_that_is_not_there_does_not_count_against_its_host(shop, fetch, photo) -> None:
    """A host that answers 404 is well."""
    missing = [shop.url(f"/no-{place}.jpg") for place in range(20)]
    there = shop.serve("/a.jpg", photo(1))
    fetched = fetch(*missing, there, per_host=1)
    assert (fetched.failed, fetched.downloaded) == (20, 1)


def test_a_closed_port_and_an_unknown_name(fetch) -> None:
    """Neither hangs; both say which host."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    assert "127.0.0.1 does not take connections" in failure(fetch(f"http://127.0.0.1:{port}/a.jpg"))
    assert "can't be looked up" in failure(fetch("http://shop.invalid/a.jpg", timeout_s=5))


def test_redirects_are_followed_a_few_times(shop, start_shop, fetch, photo, answering) -> None:
    """Relative, to another host, permanent or not; a loop ends."""
    other = start_shop()
    goal = other.serve("/goal.jpg", photo(1))
    shop.replies["/a.jpg"] = lambda handler: answering(handler, 302, headers={"Location": "b.jpg"})
    shop.replies["/b.jpg"] = lambda handler: answering(handler, 308, headers={"Location": goal})
    shop.replies["/loop.jpg"] = lambda handler: answering(handler, 301, headers={"Location": "/loop.jpg"})
    assert fetch(shop.url("/a.jpg")).downloaded == 1
    assert "more than 5 redirects" in failure(fetch(shop.url("/loop.jpg")))
    assert shop.paths().count("/loop.jpg") == 6


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("file:///etc/passwd", "redirected to file: only http and https are fetched, not 'file'"),
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254, a link-local address"),
        ("http://[::ffff:169.254.169.254]/", "a link-local address"),
        ("http://0.0.0.0/", "no address of any machine"),
        ("http://user:secret@127.0.0.1/", "holds a user name or password"),
        ("http://[::1/", "127.0.0.1: Invalid URL in location header"),
        ("https://", "names no host"),
    ],
)
def test_a_redirect_is_checked_like_the_url(shop, fetch, answering, location, told) -> None:
    """Each hop; what a redirect may hold of secrets is not told."""
    shop.replies["/a.jpg"] = lambda handler: answering(handler, 302, headers={"Location": location})
    found = failure(fetch(shop.url("/a.jpg")))
    assert told in found
    assert "secret" not in found


@pytest.mark.parametrize("target", ["http://127.0.0.1:99999/ok", "http://127.0.0.1:0/ok", "http://xn--a/x"])
def test_an_address_that_can_not_be_asked_for_costs_its_own_row(shop, fetch, photo, answering, target) -> None:
    """Named by the feed or by a redirect; the photo beside it comes."""
    good = shop.serve("/good.jpg", photo(1))
    shop.replies["/moved.jpg"] = lambda handler: answering(handler, 302, headers={"Location": target})
    moved = shop.url("/moved.jpg")
    fetched = fetch(target, moved, good)
    assert (fetched.failed, fetched.downloaded) == (2, 1)
    assert str(fetched.photos[target].failure.reason) == "address_refused"
    assert str(fetched.photos[moved].failure.reason) in ("address_refused", "download_failed")


def test_only_hosts_that_are_allowed_are_asked(shop, fetch, photo, answering) -> None:
    """For a redirect's target, too."""
    shop.replies["/a.jpg"] = lambda handler: answering(
        handler, 302, headers={"Location": f"http://localhost:{shop.host.partition(':')[2]}/b.jpg"}
    )
    shop.serve("/b.jpg", photo(1))
    assert "localhost is not among allow_hosts" in failure(fetch(shop.url("/a.jpg"), allow_hosts=("127.0.0.1",)))
    assert "127.0.0.1 is not among allow_hosts" in failure(fetch(shop.url("/a.jpg"), allow_hosts=("*.shop.example",)))
    assert shop.paths() == ["/a.jpg"]

"""Photos from a real server: fetched once, asked for again politely, kept when it fails, held by their content."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from catalog.formats import tables
from catalog.formats.feeds.download_rules import DownloadRules
from resources.downloads import Fetched, fetch_photos, wanted_urls
from resources.photo_store import PhotoStore

RULES = DownloadRules(allow_private=True, timeout_s=5, retries=0)


@pytest.fixture
def store(tmp_path: Path) -> PhotoStore:
    """An empty store."""
    return PhotoStore(tmp_path / "downloads", tmp_path / "downloads" / "raw_catalog.parquet")


@pytest.fixture
def fetch(store: PhotoStore) -> Callable[..., Fetched]:
    """Fetches URLs, or URLs with their pins, into the store."""

    def run(*urls: str, rules: DownloadRules = RULES, pins: Mapping[str, str] | None = None) -> Fetched:
        return fetch_photos(pins or dict.fromkeys(urls, ""), rules, store)

    return run


def reasons(fetched: Fetched) -> list[str]:
    """Of what failed."""
    return [str(had.failure.reason) for had in fetched.photos.values() if had.failure]


def test_stores_a_photo_under_its_sha256(shop, photo, fetch, store) -> None:
    """The bytes as sent, under their own digest and the extension of what they are, whatever the URL says."""
    content = photo(1, "PNG")
    url = shop.serve("/a.jpg?width=300", content, ETag='"1"')
    fetched = fetch(url)
    sha256 = hashlib.sha256(content).hexdigest()
    assert fetched.photos[url].path == store.folder / sha256[:2] / f"{sha256}.png"
    assert fetched.photos[url].path.read_bytes() == content
    assert (fetched.downloaded, fetched.downloaded_bytes, fetched.failed) == (1, len(content), 0)
    [row] = tables.read(store.table, tables.DOWNLOADS)
    assert (row["url"], row["sha256"], row["etag"], row["status"]) == (url, sha256, '"1"', "downloaded")
    assert not list(store.folder.glob("*.part"))


@pytest.mark.parametrize("headers", [{"ETag": 'W/"x"'}, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}])
def test_what_has_not_changed_is_not_sent_again(shop, photo, fetch, headers) -> None:
    """The second time the validator goes out, a 304 comes back, and the photo is the same file."""
    url = shop.serve("/a.jpg", photo(1), **headers)
    first, second = fetch(url), fetch(url)
    assert (second.downloaded, second.not_modified, second.downloaded_bytes) == (0, 1, 0)
    assert second.photos == first.photos
    [name] = headers
    sent = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[name]
    assert shop.asked[1][1][sent] == headers[name]


def test_a_photo_replaced_under_its_url_is_noticed(shop, photo, fetch, store) -> None:
    """Another content, another file; the earlier one stays in the store."""
    url = shop.serve("/a.jpg", photo(1), ETag='"1"')
    first = fetch(url).photos[url].path
    shop.serve("/a.jpg", photo(2), ETag='"2"')
    second = fetch(url)
    assert second.downloaded == 1
    assert second.photos[url].path.read_bytes() == photo(2)
    assert first.read_bytes() == photo(1)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"other bytes")])
def test_a_stored_photo_that_was_lost_or_damaged_is_fetched_again(shop, photo, fetch, damage) -> None:
    """No validator goes out then: a 304 would bring nothing."""
    url = shop.serve("/a.jpg", photo(1), ETag='"1"')
    path = fetch(url).photos[url].path
    damage(path)
    again = fetch(url)
    assert again.downloaded == 1
    assert again.photos[url].path == path
    assert path.read_bytes() == photo(1)
    assert "If-None-Match" not in shop.asked[1][1]


def test_two_urls_with_one_content_are_one_file(shop, photo, fetch, store) -> None:
    """Each is asked for, the bytes are stored once."""
    fetched = fetch(shop.serve("/a.jpg", photo(1)), shop.serve("/b.jpg", photo(1)))
    assert len({had.path for had in fetched.photos.values()}) == 1
    assert len(list(store.folder.glob("??/*"))) == 1


def test_a_server_that_is_gone_loses_nothing(shop, photo, fetch, store) -> None:
    """The earlier photo stands in, with what went wrong; what never came has no photo, and comes the next time."""
    had, new = shop.serve("/a.jpg", photo(1), ETag='"1"'), shop.url("/b.jpg")
    earlier = fetch(had).photos[had].path
    shop.replies.clear()
    failing = fetch(had, new)
    assert (failing.kept, failing.failed) == (1, 1)
    assert failing.photos[had].path == earlier
    assert failing.photos[new].path is None
    assert reasons(failing) == ["download_failed"] * 2
    assert "answers HTTP 404 Not Found" in failing.photos[new].failure.detail
    shop.serve("/a.jpg", photo(1), ETag='"1"')
    shop.serve("/b.jpg", photo(2))
    healed = fetch(had, new)
    assert (healed.not_modified, healed.downloaded, healed.failed) == (1, 1, 0)


def test_a_young_photo_is_not_asked_for(shop, photo, fetch) -> None:
    """`max_age_hours` counts from the last answer; a failed one is asked for at once."""
    url = shop.serve("/a.jpg", photo(1))
    day = DownloadRules(allow_private=True, retries=0, max_age_hours=24)
    fetch(url, rules=day)
    assert fetch(url, rules=day).not_asked == 1
    assert len(shop.asked) == 1
    fetch(url)
    assert len(shop.asked) == 2


def test_a_pinned_photo_is_that_content_or_none(shop, photo, fetch) -> None:
    """Fetched once and never asked for again; another content is refused."""
    pin = hashlib.sha256(photo(1)).hexdigest()
    url = shop.serve("/a.jpg", photo(1))
    assert fetch(pins={url: pin}).downloaded == 1
    shop.serve("/a.jpg", photo(2))
    assert fetch(pins={url: pin}).not_asked == 1
    other = fetch(pins={url: "0" * 64})
    assert reasons(other) == ["other_content"]
    assert other.photos[url].path is None
    assert hashlib.sha256(photo(2)).hexdigest() in other.photos[url].failure.detail


def test_pins_of_one_url_must_agree() -> None:
    """Two rows of a feed with one URL fetch once; where they disagree each row is held to its own pin later."""
    pairs = [("u", "1"), ("v", ""), ("u", "1"), ("w", "1"), ("w", "2"), ("w", "2")]
    assert wanted_urls(pairs) == {"u": "1", "v": "", "w": ""}


def test_connections_are_used_again_and_few_at_once(shop, photo, fetch) -> None:
    """40 photos over at most `per_host` connections; answers without a photo leave them open, too."""
    urls = [shop.serve(f"/{place}.jpg", photo(place), ETag=f'"{place}"') for place in range(40)]
    rules = DownloadRules(allow_private=True, retries=0, per_host=3)
    assert fetch(*urls, rules=rules).downloaded == 40
    assert shop.connections <= 3
    assert shop.most_at_once <= 3
    assert fetch(*urls, shop.url("/none-1.jpg"), shop.url("/none-2.jpg"), rules=rules).not_modified == 40
    assert shop.connections <= 6


def test_a_damaged_table_of_urls_is_told_and_begun_anew(shop, photo, fetch, store) -> None:
    """It only spares work: photos are fetched again."""
    url = shop.serve("/a.jpg", photo(1), ETag='"1"')
    fetch(url)
    content = store.table.read_bytes()
    store.table.write_bytes(content[: len(content) // 2])
    again = fetch(url)
    assert again.downloaded == 1
    assert "photos fetched again" in again.note
    assert "damaged" in again.note


def test_a_full_or_read_only_disk_stops_with_its_own_error(shop, photo, fetch, store) -> None:
    """The first worker's OSError, not a group of them."""
    url = shop.serve("/a.jpg", photo(1))
    fetch(url)
    shutil.rmtree(store.folder)
    store.folder.write_bytes(b"a file stands where the folder should be")
    with pytest.raises(OSError, match="downloads"):
        fetch(url)


SCRIPT = """
import sys
from pathlib import Path
from catalog.formats.feeds.download_rules import DownloadRules
from resources.downloads import fetch_photos
from resources.photo_store import PhotoStore
folder, *urls = sys.argv[1:]
rules = DownloadRules(allow_private=True, per_host=1)
fetch_photos(dict.fromkeys(urls, ""), rules, PhotoStore(Path(folder), Path(folder) / "raw_catalog.parquet"))
"""


def test_a_killed_run_loses_little(shop, photo, fetch, store, tmp_path) -> None:
    """kill -9 among 30 photos, one after the other: only the one that was on its way is sent again."""
    slow = threading.Event()

    def slowly(place: int) -> Callable[..., None]:
        shop.serve(f"/{place}.jpg", photo(place), ETag=f'"{place}"')
        quickly = shop.replies[f"/{place}.jpg"]
        return lambda handler: (slow.wait(0.03), quickly(handler))

    urls = [shop.url(f"/{place}.jpg") for place in range(30)]
    shop.replies = {f"/{place}.jpg": slowly(place) for place in range(30)}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(store.folder), *urls])
    while len(shop.asked) < 20:
        time.sleep(0.01)
    process.kill()
    process.wait()
    slow.set()
    again = fetch(*urls)
    assert again.downloaded + again.not_modified == 30
    assert again.not_modified >= 19
    assert all(hashlib.sha256(had.path.read_bytes()).hexdigest() == had.path.stem for had in again.photos.values())


def test_a_signal_stops_the_fetching_wherever_it_comes(shop, photo, store, caplog) -> None:
    """What its handler raises reaches the caller, as Dagster's interrupt must, and no event loop logs it."""

    class Interrupt(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interrupt

    def in_a_callback(done: int, total: int) -> None:
        if done == 20:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGTERM)

    urls = [shop.serve(f"/{place}.jpg", photo(1)) for place in range(300)]
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with pytest.raises(Interrupt):
            fetch_photos(dict.fromkeys(urls, ""), RULES, store, in_a_callback)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not caplog.records
    assert len(shop.asked) < len(urls)
    assert not list(store.folder.glob(".*.part"))


def test_says_who_asks(shop, photo, fetch) -> None:
    """A plain name, no browser's."""
    fetch(shop.serve("/a.jpg", photo(1)))
    assert shop.asked[0][1]["User-Agent"].startswith("Lookbook/")
    assert shop.asked[0][1]["Accept-Encoding"] == "identity"

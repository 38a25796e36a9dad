"""When a watched feed counts as changed: by what it holds, not by its time stamp."""

import os
import shutil
from pathlib import Path

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.content import content_digest, quick_signature
from catalog.formats.feeds.description import load_feed

CSV = "product_id,category,image\nA,dress,a.jpg\n"
DESCRIPTION = 'format = "csv"\npath = "feed.csv"\n[queries]\npath = "queries.csv"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A feed with its description and labelled queries; photos are no part of it."""
    (tmp_path / "feed.csv").write_text(CSV, "utf-8")
    (tmp_path / "queries.csv").write_text(CSV, "utf-8")
    (tmp_path / "feed.toml").write_text(DESCRIPTION, "utf-8")
    return tmp_path


def seen(shop: Path) -> tuple[str, str]:
    description = load_feed(shop / "feed.toml")
    return content_digest(description, shop), quick_signature(description, shop)


def test_a_time_stamp_is_no_change(shop: Path) -> None:
    """Though the quick look can't know that."""
    content, quick = seen(shop)
    os.utime(shop / "feed.csv", ns=(1, 1))
    assert seen(shop)[0] == content
    assert seen(shop)[1] != quick


@pytest.mark.parametrize("name", ["feed.csv", "queries.csv", "feed.toml"])
def test_other_bytes_are_a_change(shop: Path, name: str) -> None:
    """Of the feed, its queries, or what its description means."""
    before = seen(shop)
    file = shop / name
    file.write_text(file.read_text("utf-8").replace("A,", "B,").replace('"csv"', '"csv"\ncurrency = "EUR"'), "utf-8")
    after = seen(shop)
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_the_same_size_and_time_hide_nothing(shop: Path) -> None:
    """As `cp -p` or `rsync -t` leave a file."""
    before = seen(shop)
    stamp = (shop / "feed.csv").stat().st_mtime_ns
    (shop / "feed.csv").write_text(CSV.replace("A", "B"), "utf-8")
    os.utime(shop / "feed.csv", ns=(stamp, stamp))
    after = seen(shop)
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_a_copy_of_a_home_holds_the_same_feed(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Wherever it lies: a home that was moved has nothing to read again."""
    copy = tmp_path_factory.mktemp("elsewhere") / "home"
    shutil.copytree(shop, copy)
    assert seen(copy)[0] == seen(shop)[0]


def test_of_folders_the_listing_counts(tmp_path: Path) -> None:
    """A photo that is added, exchanged, moved to another category or removed."""
    (tmp_path / "dress").mkdir()
    (tmp_path / "shirt").mkdir()
    photo = tmp_path / "dress" / "a.jpg"
    photo.write_bytes(b"one")
    description = load_feed(tmp_path)
    digests = [content_digest(description, tmp_path)]
    photo.write_bytes(b"other")
    digests.append(content_digest(description, tmp_path))
    photo.rename(tmp_path / "shirt" / "a.jpg")
    digests.append(content_digest(description, tmp_path))
    (tmp_path / "shirt" / "a.jpg").unlink()
    digests.append(content_digest(description, tmp_path))
    assert len(set(digests)) == 4
    assert content_digest(description, tmp_path) == digests[-1]


def test_a_feed_that_went_away_is_told(shop: Path) -> None:
    """With its path, whatever asks."""
    description = load_feed(shop / "feed.toml")
    (shop / "feed.csv").unlink()
    for look in (content_digest, quick_signature):
        with pytest.raises(FeedError, match=r"/feed\.csv: the feed can't be read \(No such file or directory\)$"):
            look(description, shop)

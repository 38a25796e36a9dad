"""Photos sorted into folders. Real folders, links and odd names."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import FeedContents, read_feed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The feed's folder."""
    (tmp_path / "shop").mkdir()
    return tmp_path / "shop"


def put(root: Path, *names: str) -> None:
    """A file under each name."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def placed(contents: FeedContents) -> list[tuple[str, str, int, str]]:
    """Each row as category, product, index, photo."""
    return [(r.category, r.product_id, r.image_index, r.image) for r in contents.rows]


def test_files_and_folders_are_products(root: Path) -> None:
    """In the order of the names' characters; several files of one name are one product's photos."""
    put(root, "tops/b.jpg", "tops/a.JPEG", "tops/a.png", "tops/Z.webp", "tops/c/2.jpg", "tops/c/10.jpg", "Hats/ä 1.jpg")
    contents = read_feed(load_feed(root))
    assert placed(contents) == [
        ("Hats", "Hats/ä 1", 0, "Hats/ä 1.jpg"),
        ("tops", "tops/Z", 0, "tops/Z.webp"),
        ("tops", "tops/a", 0, "tops/a.JPEG"),
        ("tops", "tops/a", 1, "tops/a.png"),
        ("tops", "tops/b", 0, "tops/b.jpg"),
        ("tops", "tops/c", 0, "tops/c/10.jpg"),
        ("tops", "tops/c", 1, "tops/c/2.jpg"),
    ]
    assert contents.rows[0].image_path == f"{root}/Hats/ä 1.jpg"
    assert contents.rows[0].title == "ä 1"
    assert [(r.reason, r.product_id) for r in contents.rejected] == [("unusual_id", "Hats/ä 1")]


def test_what_is_no_photo_is_passed_over(root: Path) -> None:
    """What machines and people leave in folders."""
    put(root, "tops/a.jpg", "tops/.DS_Store", "tops/Thumbs.db", "tops/notes.txt", "tops/.hidden/x.jpg", ".git/x.jpg")
    put(root, "readme.md", "__MACOSX/tops/a.jpg", "tops/b/c.jpg", "tops/b/._c.jpg", "tops/@eaDir/c.jpg")
    contents = read_feed(load_feed(root))
    assert [r.image for r in contents.rows] == ["tops/a.jpg", "tops/b/c.jpg"]
    assert contents.rejected == ()


def test_what_is_in_the_wrong_place_is_told(root: Path, told: Callable[..., object]) -> None:
    """Empty folders, photos beside the categories, folders too deep."""
    put(root, "tops/a.jpg", "stray.jpg", "tops/deep/er/x.jpg", "notes/only.txt")
    (root / "empty").mkdir()
    (root / "tops/void").mkdir()
    contents = read_feed(load_feed(root))
    assert [r.image for r in contents.rows] == ["tops/a.jpg"]
    assert told(contents) == [
        ("shop/empty", "empty_category", "rejected", ""),
        ("shop/notes", "empty_category", "rejected", ""),
        ("shop/stray.jpg", "missing_category", "rejected", ""),
        ("shop/tops/deep/er", "broken_row", "rejected", "tops/deep"),
        ("shop/tops/deep", "missing_image", "rejected", "tops/deep"),
        ("shop/tops/void", "missing_image", "rejected", "tops/void"),
    ]


def test_links_that_leave_the_feed_are_not_followed(root: Path, told: Callable[..., object]) -> None:
    """Of folders and of photos; links inside are."""
    put(root, "tops/a.jpg", "../outside/x.jpg")
    (root / "linked").symlink_to(root.parent / "outside")
    (root / "tops/out").symlink_to(root.parent / "outside")
    (root / "tops/x.jpg").symlink_to(root.parent / "outside/x.jpg")
    (root / "tops/gone.jpg").symlink_to(root / "nowhere.jpg")
    (root / "also").symlink_to(root / "tops")
    os.mkfifo(root / "tops/pipe.jpg")
    contents = read_feed(load_feed(root))
    assert [(r.product_id, r.image_path) for r in contents.rows] == [
        ("also/a", f"{root}/tops/a.jpg"),
        ("tops/a", f"{root}/tops/a.jpg"),
    ]
    reasons = [(r.where, r.reason) for r in contents.rejected if r.where.startswith(("shop/tops", "shop/linked"))]
    assert reasons == [
        ("shop/linked", "image_outside_root"),
        ("shop/tops/gone.jpg", "image_not_found"),
        ("shop/tops/out", "image_outside_root"),
        ("shop/tops/pipe.jpg", "image_not_found"),
        ("shop/tops/x.jpg", "image_outside_root"),
    ]


def test_names_that_are_no_text(root: Path) -> None:
    """A Latin-1 file name on a UTF-8 machine, a line end in a name."""
    put(root, "tops/a.jpg", "tops/b\nc.jpg")
    Path(os.fsdecode(os.fsencode(root) + b"/tops/\xe4.jpg")).write_bytes(b"x")
    contents = read_feed(load_feed(root))
    assert [r.product_id for r in contents.rows] == ["tops/a"]
    assert [(r.reason, r.product_id) for r in contents.rejected] == [
        ("unusable_id", r"tops/b\nc"),
        ("unusable_id", r"tops/\udce4"),
    ]


def test_categories_may_be_renamed(root: Path) -> None:
    """The id stays as the folders have it."""
    put(root, "Blusen/a.jpg")
    (root.parent / "feed.toml").write_text('format = "folders"\npath = "shop"\n[categories]\nBlusen = "tops"\n')
    assert placed(read_feed(load_feed(root.parent / "feed.toml"))) == [("tops", "Blusen/a", 0, "Blusen/a.jpg")]


def test_a_folder_of_no_use(root: Path) -> None:
    """Each in one line."""
    put(root, "a.jpg")
    with pytest.raises(FeedError, match="no category folder in it: photos are read from shop/<category>/"):
        read_feed(load_feed(root))
    (root / "tops").mkdir()
    with pytest.raises(FeedError, match="0 of 2 rows can be used: 1 missing_category, 1 empty_category"):
        read_feed(load_feed(root))

"""Where photos are found, and where never: real files, links, pipes and folders."""

import os
from pathlib import Path

import pytest

from catalog.formats.feeds.photos import Remote, Unlocated, photo_locator, without_login
from catalog.records import Reason


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """shop/a.jpg, shop/deep/ü b.jpg, shop/copy/x/y.jpg, and secret.jpg beside the shop."""
    root = tmp_path / "shop"
    for name in ("a.jpg", "deep/ü b.jpg", "copy/x/y.jpg", "50%25.jpg", "../secret.jpg"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")
    return root


def test_finds_local_photos(shop: Path) -> None:
    """Relative, absolute, file URL, through `.` and `..` that stay inside, written on Windows."""
    locate = photo_locator(shop, ())
    for reference in ("a.jpg", " a.jpg ", "./a.jpg", "deep/../a.jpg", f"{shop}/a.jpg", f"file://{shop}/a.jpg"):
        assert locate(reference) == f"{shop}/a.jpg"
    assert locate(f"file://localhost{shop}/deep/%C3%BC%20b.jpg?v=1#x") == f"{shop}/deep/ü b.jpg"
    assert locate("deep\\ü b.jpg") == f"{shop}/deep/ü b.jpg"
    assert locate("50%25.jpg") == f"{shop}/50%25.jpg"  # a path is no URL: nothing in it is decoded


def test_finds_the_copy_of_a_web_photo(shop: Path) -> None:
    """The longest prefix wins; query and fragment go; host and scheme don't mind case."""
    urls = (("https://cdn.example/", shop), ("https://cdn.example/img", shop / "copy"))
    locate = photo_locator(shop, urls)
    assert locate("https://cdn.example/img/x/y.jpg?width=300&v=2#top") == f"{shop}/copy/x/y.jpg"
    assert locate("HTTPS://CDN.example/deep/%C3%BC%20b.jpg") == f"{shop}/deep/ü b.jpg"
    assert locate("//cdn.example/a.jpg") == f"{shop}/a.jpg"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("", Reason.MISSING_IMAGE),
        ("   ", Reason.MISSING_IMAGE),
        ("none.jpg", Reason.IMAGE_NOT_FOUND),
        ("deep", Reason.IMAGE_NOT_FOUND),
        ("deep/", Reason.IMAGE_NOT_FOUND),
        (".", Reason.IMAGE_NOT_FOUND),
        ("a.jpg\0.png", Reason.IMAGE_NOT_FOUND),
        ("\ud800.jpg", Reason.IMAGE_NOT_FOUND),
        ("x" * 5000, Reason.IMAGE_NOT_FOUND),
        ("a.jpg/b.jpg", Reason.IMAGE_NOT_FOUND),
        ("file://otherhost/a.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("../secret.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("deep/../../secret.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("/etc/passwd", Reason.IMAGE_OUTSIDE_ROOT),
        ("file:///etc/passwd", Reason.IMAGE_OUTSIDE_ROOT),
        ("https://cdn.example/%2e%2e/secret.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("https://cdn.example/..%2fsecret.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("https://cdn.example//etc/passwd", Reason.IMAGE_NOT_FOUND),
        ("https://cdn.example/%00", Reason.IMAGE_NOT_FOUND),
        ("https://cdn.example/deep/", Reason.IMAGE_NOT_FOUND),
        ("https://cdn.example", Reason.REMOTE_IMAGE),
        ("https://cdn.example.evil/a.jpg", Reason.REMOTE_IMAGE),
        ("http://cdn.example/a.jpg", Reason.REMOTE_IMAGE),
        ("s3://bucket/a.jpg", Reason.REMOTE_IMAGE),
        ("link-out.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("linked/secret.jpg", Reason.IMAGE_OUTSIDE_ROOT),
        ("loop.jpg", Reason.IMAGE_NOT_FOUND),
        ("pipe.jpg", Reason.IMAGE_NOT_FOUND),
        ("device.jpg", Reason.IMAGE_OUTSIDE_ROOT),
    ],
)
def test_refuses_what_is_no_photo_of_the_shop(shop: Path, reference: str, reason: Reason) -> None:
    """Each with its reason, and never an exception or a hang."""
    (shop / "link-out.jpg").symlink_to(shop.parent / "secret.jpg")
    (shop / "linked").symlink_to(shop.parent)
    (shop / "loop.jpg").symlink_to(shop / "loop.jpg")
    (shop / "device.jpg").symlink_to("/dev/zero")
    os.mkfifo(shop / "pipe.jpg")
    found = photo_locator(shop, (("https://cdn.example", shop),))(reference)
    assert isinstance(found, Unlocated)
    assert found.reason is reason
    assert found.detail


def test_a_link_inside_is_its_target(shop: Path) -> None:
    """So that one photo under two names is seen to be one."""
    (shop / "again.jpg").symlink_to("a.jpg")
    assert photo_locator(shop, ())("again.jpg") == f"{shop}/a.jpg"


def test_a_root_that_is_itself_a_link(shop: Path, tmp_path: Path) -> None:
    """The root is resolved once; what is in it is inside."""
    (tmp_path / "current").symlink_to(shop)
    assert photo_locator(tmp_path / "current", ())("a.jpg") == f"{shop}/a.jpg"


def test_a_copy_is_its_own_root(shop: Path) -> None:
    """A web photo may not leave its copy's folder, though the file is inside the photos' root."""
    locate = photo_locator(shop, (("https://cdn.example/", shop / "copy"),))
    assert locate("https://cdn.example/../a.jpg") == Unlocated(
        Reason.IMAGE_OUTSIDE_ROOT,
        f"the photo lies outside {shop}/copy: move it there, or name a wider folder as `photos`",
    )


def test_remote_says_what_to_do(shop: Path) -> None:
    """Nothing is fetched without being asked."""
    found = photo_locator(shop, ())("https://shop.example/a.jpg")
    assert isinstance(found, Unlocated)
    assert "add the table [download]" in found.detail
    assert "[photo_urls]" in found.detail


def test_a_web_photo_that_may_be_fetched(shop: Path) -> None:
    """Its URL, without what no server is sent; a copy goes first; a file on this machine stays one."""
    locate = photo_locator(shop, (("https://cdn.example/", shop),), download=True)
    assert locate(" https://shop.example/a.jpg?v=1#top ") == Remote("https://shop.example/a.jpg?v=1")
    assert locate("//shop.example/a.jpg") == Remote("https://shop.example/a.jpg")
    assert locate("https://cdn.example/a.jpg") == f"{shop}/a.jpg"
    assert locate("a.jpg") == f"{shop}/a.jpg"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("s3://bucket/a.jpg", Reason.REMOTE_IMAGE),
        ("https://user:secret@shop.example/a.jpg", Reason.ADDRESS_REFUSED),
        ("https://secret@shop.example/a.jpg", Reason.ADDRESS_REFUSED),
        ("file:///etc/passwd", Reason.IMAGE_OUTSIDE_ROOT),
    ],
)
def test_what_is_never_fetched(shop: Path, reference: str, reason: Reason) -> None:
    """Other schemes, and addresses with a login."""
    found = photo_locator(shop, (), download=True)(reference)
    assert isinstance(found, Unlocated)
    assert found.reason is reason
    assert "secret" not in found.detail


def test_a_login_is_not_shown() -> None:
    """What stands before the host's "@" goes; an "@" further on is part of the path."""
    assert without_login("https://user:secret@shop.example/a.jpg") == "https://***@shop.example/a.jpg"
    assert without_login("//user:se@cret@shop.example/a.jpg") == "//***@shop.example/a.jpg"
    assert without_login("https://shop.example/a@2x.jpg") == "https://shop.example/a@2x.jpg"
    assert without_login("a@2x.jpg") == "a@2x.jpg"

"""The files of a collection: gone on with after a kill, and never quietly misread."""

from pathlib import Path

import pytest

from catalog.errors import FormatError
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.download_rules import DownloadRules
from catalog.formats.pages.collection import CollectionFiles, PageState
from catalog.formats.pages.product import PageProduct

STATE = PageState(
    url="https://shop.example/ü",
    etag='"1"',
    products=(PageProduct(product_id="1", title="A\nB", images=("https://shop.example/a.jpg",)),),
)


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    """The last line of a page stands; a line that a killed run left unfinished is passed over."""
    files = CollectionFiles(tmp_path / "shop.jsonl")
    assert files.read_pages() == {}
    files.remember(PageState(url=STATE.url, reason="download_failed"))
    files.remember(STATE)
    assert files.read_pages() == {STATE.url: STATE}
    whole = files.pages.read_bytes()
    for cut in range(1, 60):
        files.pages.write_bytes(whole + whole[:cut])
        assert files.read_pages() == {STATE.url: STATE}


def test_a_line_that_is_not_ours_is_told(tmp_path: Path) -> None:
    """By file and line."""
    files = CollectionFiles(tmp_path / "shop.jsonl")
    files.remember(STATE)
    files.pages.write_text('{"url": 1}\n' + files.pages.read_text())
    with pytest.raises(FormatError, match=r"shop.pages.jsonl line 1: not a page's line .*; remove the file"):
        files.read_pages()


def test_a_description_that_is_there_stays(tmp_path: Path) -> None:
    """It is the user's own; the feed is written anew."""
    files = CollectionFiles(tmp_path / "shop.jsonl")
    files.description.write_text("# mine\n")
    files.write([STATE], STATE.products, DownloadRules())
    assert files.description.read_text() == "# mine\n"
    files.description.unlink()
    files.write([STATE], STATE.products, DownloadRules(allow_private=True))
    described = load_feed(files.description)
    assert (described.path, described.download) == (files.feed, DownloadRules(allow_private=True))

"""`lookbook collect` on a small shop of pages, served on loopback."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import read_feed

ROBOTS = b"User-agent: *\nDisallow: /secret/\nAllow: /\n"


def product_page(sku: str, **more: object) -> bytes:
    """A page that says what it sells."""
    said = {
        "@type": "Product",
        "sku": sku,
        "name": f"Mug {sku}",
        "category": "mugs",
        "image": f"/img/{sku}.jpg",
        "offers": {"price": "9.90", "priceCurrency": "EUR"},
        **more,
    }
    return f'<html><script type="application/ld+json">{json.dumps(said)}</script></html>'.encode()


@pytest.fixture
def mugs(shop):
    """Three product pages, a listing, a page about the shop, and robots.txt."""
    shop.serve("/robots.txt", ROBOTS, "text/plain")
    for sku in ("a", "b", "c"):
        shop.serve(f"/p/{sku}", product_page(sku), "text/html", ETag=f'"{sku}"')
    shop.serve("/secret/d", product_page("d"), "text/html")
    shop.serve("/about", b"<html><p>About us</p></html>", "text/html")
    links = "".join(f'<a href="{path}">x</a>' for path in ("/p/a", "/p/b", "/about", "https://elsewhere.example/x"))
    shop.serve("/mugs", f"<html>{links}</html>".encode(), "text/html")
    return shop


@pytest.fixture
def collect(lookbook, tmp_path) -> Callable[..., tuple[list[dict], list[dict], str]]:
    """Runs the command; returns the feed's lines, the rejected ones and what was printed."""

    def run(*arguments: object, ok: bool = True) -> tuple[list[dict], list[dict], str]:
        feed = tmp_path / "out" / "shop.jsonl"
        done = lookbook("collect", *arguments, "--out", feed, "--allow-private", ok=ok)
        return lines(feed), lines(feed.with_suffix(".rejected.jsonl")), done.stdout + done.stderr

    return run


def lines(path: Path) -> list[dict]:
    """A JSONL file's rows."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def test_a_list_of_pages_becomes_a_feed(mugs, collect, tmp_path) -> None:
    """Each page not used has its reason; the feed is read as any other; robots.txt is asked for once and kept to."""
    named = tmp_path / "urls.txt"
    pages = ("/p/a", "/p/b", "/about", "/secret/d", "/gone")
    named.write_text("# the shop\n" + "\n".join(map(mugs.url, pages)) + "\n")
    feed, rejected, printed = collect(named)
    assert [(row["product_id"], row["price"], row["images"]) for row in feed] == [
        (sku, "9.90", [mugs.url(f"/img/{sku}.jpg")]) for sku in ("a", "b")
    ]
    assert {(row["url"], row["reason"]) for row in rejected} == {
        (mugs.url("/about"), "no_product"),
        (mugs.url("/secret/d"), "robots_refused"),
        (mugs.url("/gone"), "download_failed"),
    }
    assert all(row["url"] in printed and row["detail"] in printed for row in rejected)
    assert mugs.paths().count("/robots.txt") == 1
    assert "/secret/d" not in mugs.paths()
    described = load_feed(tmp_path / "out" / "shop.toml")
    assert described.download is not None
    rows = read_feed(described).rows
    assert [(row.product_id, row.category, row.price, row.image_path) for row in rows] == [
        ("a", "mugs", 9.9, ""),
        ("b", "mugs", 9.9, ""),
    ]


def test_a_second_run_asks_only_for_what_it_has_not(mugs, collect, answering) -> None:
    """With --refresh for all, and what has not changed is not sent again; what fails then stays as it was."""
    collect(mugs.url("/p/a"), mugs.url("/p/b"))
    before = len(mugs.asked)
    feed, _, printed = collect(mugs.url("/p/a"), mugs.url("/p/b"), mugs.url("/p/c"))
    assert mugs.paths()[before:] == ["/robots.txt", "/p/c"]
    assert [row["product_id"] for row in feed] == ["a", "b", "c"]
    assert "1 fetched, 0 not modified, 2 read before" in printed
    mugs.serve("/p/b", product_page("b", name="Renamed"), "text/html", ETag='"b2"')
    mugs.replies["/p/c"] = lambda handler: answering(handler, 403)
    feed, rejected, printed = collect(*[mugs.url(f"/p/{sku}") for sku in "abc"], "--refresh")
    assert [row["title"] for row in feed] == ["Mug a", "Renamed", "Mug c"]
    assert "1 fetched, 1 not modified, 0 read before; 0 rejected, 1 kept as they were" in printed
    assert [(row["url"], row["outcome"]) for row in rejected] == [(mugs.url("/p/c"), "kept")]
    del mugs.replies["/p/c"]  # 404: the shop sells it no more
    feed, _, _ = collect(*[mugs.url(f"/p/{sku}") for sku in "abc"], "--refresh")
    assert [row["product_id"] for row in feed] == ["a", "b"]


def test_a_listing_and_a_sitemap(mugs, collect) -> None:
    """Links on the listing's own host; a sitemap of sitemaps; a listing is no failure, a page without product is."""
    _, rejected, _ = collect(mugs.url("/mugs"), "--follow")
    assert [row["url"] for row in rejected] == [mugs.url("/about")]
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    index = f"<sitemapindex {space}><sitemap><loc>{mugs.url('/s1.xml')}</loc></sitemap></sitemapindex>"
    named = "".join(f"<url><loc>{mugs.url(path)}</loc></url>" for path in ("/p/c", "/p/a"))
    mugs.serve("/sitemap.xml", index.encode(), "application/xml")
    mugs.serve("/s1.xml", f"<urlset {space}>{named}</urlset>".encode(), "application/xml")
    feed, _, printed = collect(mugs.url("/sitemap.xml"), "--max-pages", 1)
    assert [row["product_id"] for row in feed] == ["c"]
    assert "1 pages more were found: raise --max-pages 1" in printed


def test_a_run_that_gives_nothing_fails_and_leaves_the_feed(mugs, collect) -> None:
    """Exit code 1, one line; the reasons are in the file."""
    collect(mugs.url("/p/a"))
    feed, rejected, printed = collect(mugs.url("/about"), ok=False)
    assert [row["product_id"] for row in feed] == ["a"]
    assert [row["reason"] for row in rejected] == ["no_product"]
    assert "none of 1 pages gave a product" in printed


def test_a_host_whose_robots_txt_fails_is_not_asked(mugs, collect, answering) -> None:
    """RFC 9309: a server's error is a no; an address that is not public is refused before that."""
    mugs.replies["/robots.txt"] = lambda handler: answering(handler, 500)
    _, rejected, _ = collect(mugs.url("/p/a"), ok=False)
    assert rejected[0]["reason"] == "robots_refused"
    assert "answers HTTP 500" in rejected[0]["detail"]
    assert set(mugs.paths()) == {"/robots.txt"}


def test_private_addresses_are_refused_without_being_asked_to(mugs, lookbook, tmp_path) -> None:
    """As for photos."""
    done = lookbook("collect", mugs.url("/p/a"), "--out", tmp_path / "shop.jsonl", ok=False)
    assert "address_refused" in done.stderr
    assert mugs.asked == []


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        (["no-such-file"], "neither a URL, which begins with https:// or http://, nor a file"),
        (["https://me:secret@shop.example/"], "is no http or https URL without a password"),
        (["empty.txt"], "no URL in it"),
        (["bad.txt"], "bad.txt line 2: is no http"),
    ],
)
def test_sources_that_can_not_be_read(lookbook, tmp_path, sources, told) -> None:
    """One line, before anything is asked."""
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "bad.txt").write_text("https://shop.example/a\nshop.example/b\n")
    done = lookbook("collect", *sources, "--out", tmp_path / "shop.jsonl", ok=False, cwd=tmp_path)
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1

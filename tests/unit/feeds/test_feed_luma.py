"""The real shop's feed: Luma's manifest, as feeds/luma.toml describes it. Counts from ../shared/data/README.md."""

from collections import Counter
from pathlib import Path

import pytest

from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import read_feed

CHECKOUT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(
    not (CHECKOUT / "../shared/data/manifest.csv").exists(), reason="the real photos (../shared/data) are not here"
)


def test_gallery_and_queries() -> None:
    """298 gallery photos of 118 styles, one a colour variant; 168 query photos of known ones; nothing turned away."""
    feed = load_feed(CHECKOUT / "feeds/luma.toml")
    assert feed.queries is not None
    gallery, queries = read_feed(feed), read_feed(feed.queries)
    assert (len(gallery.rows), len(queries.rows)) == (298, 168)
    assert gallery.rejected == queries.rejected == ()
    assert len({r.product_id for r in gallery.rows}) == 118
    assert len({r.variant for r in gallery.rows}) == 298
    assert {r.variant for r in queries.rows} <= {r.variant for r in gallery.rows}
    assert Counter(r.category for r in gallery.rows).most_common(3) == [("tees", 49), ("jackets", 48), ("pants", 48)]
    first = gallery.rows[0]
    assert (first.product_id, first.variant) == ("luma-gear:mb01", "luma-gear:mb01:blue")
    assert (first.image, first.title, first.color) == ("luma/mb01-blue-0.jpg", "Joust Duffle Bag", "blue")
    assert first.image_path == str((CHECKOUT / "../shared/data/luma/mb01-blue-0.jpg").resolve())
    assert max(r.image_index for r in queries.rows) > 0

"""How far two listings are apart, on listings that are counted by hand."""

import pytest

from catalog.evaluation.feed_drift import (
    Product,
    category_changes,
    change,
    jumped,
    listing,
    price_changes,
    why_refused,
)


def shop(**prices: float | None) -> dict[str, Product]:
    """Products with a price each, a photo each, all mugs, in EUR."""
    return {name: Product("mug", price, "EUR", 1) for name, price in prices.items()}


def of(count: int, *, photos: int = 1, start: int = 0, category: str = "mug") -> dict[str, Product]:
    return {f"{category}-{n}": Product(category, 1.0, "EUR", photos) for n in range(start, start + count)}


def test_photos_make_products() -> None:
    """A product has the lowest of its variants' prices, whatever their order."""
    found = listing(
        [("a", "mug", 9.0, "EUR"), ("b", "bag", None, ""), ("a", "mug", 7.5, "EUR"), ("a", "mug", None, "")]
    )
    assert found == {"a": Product("mug", 7.5, "EUR", 3), "b": Product("bag", None, "", 1)}


def test_what_came_and_went() -> None:
    """10 products before, of which 7 stay; 2 are new; photos are counted too."""
    found = change(of(10, photos=2), of(9, start=3))
    assert (found.dropped, found.added, found.photos_before, found.photos_now) == (3, 2, 20, 9)
    assert found.dropped_share == 0.3
    assert found.growth == 0.9


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (of(10), of(7), ""),  # 30 % may go
        (of(10), of(6), "4 of the 10 published products are gone (40.0%, most_dropped is 30.0%)"),
        (of(10), of(50), ""),
        (
            of(10),
            of(51),
            "51 products with 51 photos, 10 with 10 are published (5.1 times as many, most_growth is 5)",
        ),
        (
            of(10),
            of(10, photos=100),
            "10 products with 1000 photos, 10 with 10 are published (100.0 times as many, most_growth is 5)",
        ),
        ({}, of(1000), ""),  # nothing to compare with
        (of(10), of(10, start=100), "10 of the 10 published products are gone (100.0%, most_dropped is 30.0%)"),
    ],
)
def test_what_is_beyond_a_limit(before: dict, now: dict, told: str) -> None:
    """At the limit is within it; a feed with all new ids has lost all products."""
    assert why_refused(change(before, now), most_dropped=0.3, most_growth=5) == told


def test_categories_that_jump() -> None:
    """Half is not over half; a category of a few products never tells; one that is new or gone changed wholly."""
    before = {**of(10), **of(20, category="bag"), **of(3, category="hat"), **of(8, category="old")}
    now = {**of(21), **of(10, category="bag"), **of(8, category="new")}
    changes = category_changes(before, now)
    assert [(c.category, c.before, c.now) for c in changes] == [
        ("bag", 20, 10), ("hat", 3, 0), ("mug", 10, 21), ("new", 0, 8), ("old", 8, 0),
    ]  # fmt: skip
    assert [c.category for c in jumped(changes, 0.5)] == ["mug", "new", "old"]


def test_prices_that_jump() -> None:
    """A decimal mistake shows as its factor; a sale, half price, is not over twofold."""
    before = shop(a=10, b=20, c=30, d=40, e=None, f=5, g=0, gone=1)
    now = {**shop(a=1000, b=10, c=30, d=4000, e=3, f=None, g=9), "new": Product("mug", 1.0, "EUR", 1)}
    found = price_changes(before, now, factor=2)
    assert (found.compared, found.changed, found.jumped, found.lost) == (5, 4, 3, 1)
    assert found.typical_jump == 100
    assert found.jumped_share == 0.6


def test_another_currency_is_another_price() -> None:
    """Even at the same number."""
    now = {name: Product("mug", 10.0, "USD", 1) for name in "ab"}
    found = price_changes(shop(a=10, b=10), now, factor=2)
    assert (found.compared, found.jumped, found.other_currency, found.typical_jump) == (2, 2, 2, 1)


def test_nothing_to_compare() -> None:
    """No share of nothing."""
    assert price_changes({}, shop(a=1), factor=2).jumped_share == 0
    assert change({}, {}).dropped_share == 0

"""Reading some categories of a feed anew, the rest of the catalogue staying as it stands.

A product is read anew when it is in one of the categories, now or before: one that moves between categories is moved
and not lost, and is never in two of them.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog.errors import FeedError
from catalog.records import CatalogRow


def find_categories(
    named: Sequence[str], rows: Sequence[CatalogRow], standing: Sequence[Mapping[str, Any]]
) -> set[str]:
    """The categories named, as the feed or the standing catalogue spells them.

    A name that is spelt so to the letter means that one; else case, margins and the form of its accents are passed
    over, and all that are left alike are meant.
    Raises: FeedError that names the nearest one.
    """
    there = {row.category for row in rows} | {row["category"] for row in standing}
    alike: dict[str, set[str]] = {}
    for name in there:
        alike.setdefault(_plain(name), set()).add(name)
    found: set[str] = set()
    for name in named:
        meant = {name} & there or alike.get(_plain(name))
        if not meant:
            close = difflib.get_close_matches(_plain(name), alike, 1)
            hint = f"did you mean {min(alike[close[0]])!r}?" if close else f"there are {', '.join(sorted(there))}"
            raise FeedError(f"no category {name!r} in the feed or the catalogue; {hint}")
        found |= meant
    return found


def _plain(name: str) -> str:
    """A name as names are compared (Unicode 3.13, D145: folding may undo a normal form)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()


def products_of(categories: set[str], rows: Sequence[CatalogRow], standing: Sequence[Mapping[str, Any]]) -> set[str]:
    """The products that are read anew."""
    now = {row.product_id for row in rows if row.category in categories}
    return now | {row["product_id"] for row in standing if row["category"] in categories}


def merged(
    fresh: Iterable[Mapping[str, Any]],
    standing: Iterable[Mapping[str, Any]],
    anew: set[str],
    feed_order: Iterable[str],
) -> list[dict[str, Any]]:
    """Rows of the products in `anew` from `fresh`, all others from `standing`; products in the feed's order.

    Products that stay though the feed has lost them come last: they leave with the next whole refresh.
    """
    rows_of: dict[str, list[dict[str, Any]]] = {}
    for row in fresh:
        rows_of.setdefault(row["product_id"], []).append(dict(row))
    for row in standing:
        if row["product_id"] not in anew:
            rows_of.setdefault(row["product_id"], []).append(dict(row))
    in_feed = [product for product in dict.fromkeys(feed_order) if product in rows_of]
    return [row for product in dict.fromkeys([*in_feed, *rows_of]) for row in rows_of[product]]

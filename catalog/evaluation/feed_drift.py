"""How far a feed has gone from the catalogue that is published: products, categories, prices. Counts only, no files."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

FEWEST_TO_TELL = 5  # products that a category must gain or lose to be told: of three products, two are half


@dataclass(frozen=True)
class Product:
    """A product as a listing has it."""

    category: str
    price: float | None  # the lowest of its variants' prices
    currency: str
    photos: int


Listing = Mapping[str, Product]


def listing(photos: Iterable[tuple[str, str, float | None, str]]) -> dict[str, Product]:
    """Products by their id, of (product_id, category, price, currency), one of these a photo."""
    found: dict[str, Product] = {}
    for product_id, category, price, currency in photos:
        known = found.get(product_id)
        if known is None:
            found[product_id] = Product(category, price, currency, 1)
        else:
            prices = [given for given in (known.price, price) if given is not None]
            lowest = min(prices) if prices else None
            found[product_id] = Product(known.category, lowest, known.currency, known.photos + 1)
    return found


@dataclass(frozen=True)
class Change:
    """What came and went between two listings."""

    products_before: int
    products_now: int
    dropped: int
    added: int
    photos_before: int
    photos_now: int

    @property
    def dropped_share(self) -> float:
        """Of the products before."""
        return self.dropped / self.products_before if self.products_before else 0.0

    @property
    def growth(self) -> float:
        """How many times as many products, or photos, whichever grew more."""
        pairs = ((self.products_now, self.products_before), (self.photos_now, self.photos_before))
        return max((now / before for now, before in pairs if before), default=1.0)


def change(before: Listing, now: Listing) -> Change:
    """Compare two listings product by product."""
    stayed = len(before.keys() & now.keys())
    photos = [sum(product.photos for product in of.values()) for of in (before, now)]
    return Change(len(before), len(now), len(before) - stayed, len(now) - stayed, photos[0], photos[1])


def why_refused(found: Change, most_dropped: float, most_growth: float) -> str:
    """What of a change is beyond a limit, with the numbers and the limit; "" where nothing is."""
    if found.dropped_share > most_dropped:
        return (
            f"{found.dropped} of the {found.products_before} published products are gone "
            f"({found.dropped_share:.1%}, most_dropped is {most_dropped:.1%})"
        )
    if found.growth > most_growth:
        return (
            f"{found.products_now} products with {found.photos_now} photos, {found.products_before} with "
            f"{found.photos_before} are published ({found.growth:.1f} times as many, most_growth is {most_growth:g})"
        )
    return ""


@dataclass(frozen=True)
class CategoryChange:
    """A category's products in two listings."""

    category: str
    before: int
    now: int

    @property
    def share(self) -> float:
        """By how much it changed, of the larger of the two counts: 1 where it is new or has gone."""
        return abs(self.now - self.before) / max(self.now, self.before)


def category_changes(before: Listing, now: Listing) -> list[CategoryChange]:
    """Every category of either listing, by name."""
    counts = [Counter(product.category for product in of.values()) for of in (before, now)]
    return [CategoryChange(name, counts[0][name], counts[1][name]) for name in sorted(counts[0].keys() | counts[1])]


def jumped(changes: Iterable[CategoryChange], most: float) -> list[CategoryChange]:
    """Those that changed by more than the share `most`, and by some products at least."""
    return [one for one in changes if one.share > most and abs(one.now - one.before) >= FEWEST_TO_TELL]


@dataclass(frozen=True)
class PriceChanges:
    """How the prices of the products that stayed have changed."""

    compared: int  # products with a price in both
    changed: int
    jumped: int
    typical_jump: float  # median of new / old over those that jumped; 1 where none did
    lost: int  # had a price, and have none now
    other_currency: int

    @property
    def jumped_share(self) -> float:
        """Of the products compared."""
        return self.jumped / self.compared if self.compared else 0.0


def price_changes(before: Listing, now: Listing, factor: float) -> PriceChanges:
    """Compare prices; one has jumped when it is over `factor` times, or under 1 / `factor` of, what it was.

    A price in another currency is not compared, and counts as jumped: 10 EUR and 10 USD are no less another price. A
    price that was 0 and is not any more, or the other way round, has jumped too.
    """
    ratios, lost, other_currency, zeros = [], 0, 0, 0
    for product_id, old in before.items():
        new = now.get(product_id)
        if new is None or old.price is None:
            continue
        if new.price is None:
            lost += 1
        elif new.currency != old.currency:
            other_currency += 1
        elif old.price <= 0 or new.price <= 0:
            zeros += old.price != new.price
            ratios.append(1.0)
        else:
            ratios.append(new.price / old.price)
    ratio = np.array(ratios)
    far = (ratio > factor) | (ratio < 1 / factor)
    return PriceChanges(
        compared=len(ratios) + other_currency,
        changed=int(np.count_nonzero(ratio != 1)) + zeros + other_currency,
        jumped=int(np.count_nonzero(far)) + zeros + other_currency,
        typical_jump=float(np.median(ratio[far])) if far.any() else 1.0,
        lost=lost,
        other_currency=other_currency,
    )

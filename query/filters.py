"""Which of a bundle's items a search may find, by the fields of its catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalog.errors import LookbookError
from query.bundle import Bundle, nearest_names

IN_STOCK = ("instock", "available", "limitedavailability", "onlineonly", "instoreonly")  # schema.org's and Google's


@dataclass(frozen=True)
class Filters:
    """A price range in the catalogue's own currency, brands, and stock; an item that says nothing of a field that is
    asked for is not found."""

    least_price: float | None = None
    most_price: float | None = None
    brands: tuple[str, ...] = ()
    in_stock: bool = False

    def __post_init__(self) -> None:
        """Raises: LookbookError for a price that is no number, or a range that holds none."""
        for price in (self.least_price, self.most_price):
            if price is not None and not 0 <= price < float("inf"):
                raise LookbookError(f"a price of {price} is none; it takes a number from 0 up")
        if self.least_price is not None and self.most_price is not None and self.least_price > self.most_price:
            raise LookbookError(f"no price is from {self.least_price} to {self.most_price}; exchange the two")

    @property
    def is_open(self) -> bool:
        """Does it let every item pass?"""
        return self == Filters()

    def rows(self, bundle: Bundle) -> np.ndarray:
        """(n_items,) bool: the items that pass.

        Raises: LookbookError that names the nearest brands, for one that the bundle has not.
        """
        wanted = {self._known(brand, bundle.brands) for brand in self.brands}
        return np.fromiter((self._passes(item, wanted) for item in bundle.items), np.bool_, len(bundle.items))

    def _passes(self, item: Mapping[str, Any], brands: set[str]) -> bool:
        price = item.get("price")
        if self.least_price is not None and (price is None or price < self.least_price):
            return False
        if self.most_price is not None and (price is None or price > self.most_price):
            return False
        if brands and _folded(item.get("brand")) not in brands:
            return False
        return not self.in_stock or _letters(item.get("availability")) in IN_STOCK

    @staticmethod
    def _known(brand: str, known: Sequence[str]) -> str:
        if _folded(brand) not in map(_folded, known):
            close = nearest_names(brand, known)
            hint = f"; the nearest are {', '.join(map(repr, close))}" if close else ""
            raise LookbookError(f"no brand {brand!r} in this bundle{hint}")
        return _folded(brand)


def _folded(text: object) -> str:
    return str(text or "").strip().casefold()


def _letters(text: object) -> str:
    """`in_stock`, `In Stock` and `https://schema.org/InStock` are one."""
    return "".join(letter for letter in str(text or "").rsplit("/", 1)[-1].casefold() if letter.isalpha())

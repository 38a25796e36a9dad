"""Street photos paired with shop photos, and the share of them that is asked: `lookbook evaluate --pairs`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from catalog.errors import FormatError
from catalog.evaluation import csv_tables
from catalog.evaluation.labelled_photos import Photo, inside, one_spelling
from catalog.evaluation.protocols import PAIRS, Protocol

NEEDED = ("street", "shop")
ONE_CATEGORY = "product"  # where the file names none


@dataclass(frozen=True)
class Sampling:
    """How many pairs the file has, and how many are asked."""

    pairs: int
    asked: int
    products: int
    products_asked: int
    repeated: int  # rows that an earlier row already had

    @property
    def ratio(self) -> float:
        """The share of the pairs that is asked."""
        return self.asked / self.pairs

    def __str__(self) -> str:
        repeated = f"; {self.repeated} rows repeat an earlier one and count once" if self.repeated else ""
        return (
            f"{self.asked} of {self.pairs} pairs are asked (sampling ratio {self.ratio:.3f}), "
            f"of {self.products_asked} of {self.products} products{repeated}"
        )


def read_pairs(path: Path, folder: Path) -> list[tuple[Photo, Photo]]:
    """The (street, shop) photos of a CSV file with the columns street, shop and, if it likes, category.

    Paths are taken from `folder`, or from the file's own folder where that has no such photo. A shop photo is a
    product; a row that an earlier one already had is marked as repeated. Raises: FormatError, no such file, no such
    columns, a row without both paths or with one that leaves its folder, or no row.
    """
    found: list[tuple[Photo, Photo]] = []
    of_street: dict[str, set[str]] = {}
    for where, row in csv_tables.read_rows(path, NEEDED, "--pairs names a CSV file, a row a street and a shop photo"):
        street, shop = (inside((row[column] or "").strip(), where, "the photos'") for column in NEEDED)
        if not street or not shop:
            raise FormatError(f"{where}: both a street and a shop photo are wanted")
        category = (row.get("category") or "").strip() or ONE_CATEGORY
        asked, sold = (
            Photo(name=name, file=_found(name, folder, path.parent), category=category, product_id=one_spelling(shop))
            for name in (street, shop)
        )
        if street in of_street:  # a street photo that shows two products is asked for each
            asked = replace(asked, name=f"{street} for {shop}")
        known = of_street.setdefault(street, set())
        found.append((replace(asked, repeats=shop in known), sold))
        known.add(shop)
    return found


def sample(pairs: Sequence[tuple[Photo, Photo]], share: float, seed: int) -> tuple[Protocol, Sampling]:
    """Ask `share` of the pairs, stratified by product; the gallery is every shop photo of the file.

    Of n pairs a product has n x share, rounded down; what all lack to the nearest whole number goes, one each, to the
    products that rounding took most from, equals in a seeded order. Which of a product's pairs these are is seeded.
    """
    rng, part = np.random.default_rng(seed), Fraction(str(share))  # the decimal number that was asked, exactly
    of_product: dict[str, list[str]] = {}
    once = [street for street, _ in pairs if not street.repeats]
    for street in once:
        of_product.setdefault(street.product_id, []).append(street.name)
    wanted = {name: part * len(names) for name, names in of_product.items()}
    quota = {name: int(share_of) for name, share_of in wanted.items()}
    rest = max(1, round(part * len(once))) - sum(quota.values())
    shuffled = [list(of_product)[place] for place in rng.permutation(len(of_product))]
    for name in sorted(shuffled, key=lambda name: quota[name] - wanted[name])[:rest]:
        quota[name] += 1
    asked = {names[place] for name, names in of_product.items() for place in rng.permutation(len(names))[: quota[name]]}
    chosen = tuple(street for street in once if street.name in asked)
    gallery = {shop.name: shop for _, shop in pairs}
    protocol = Protocol(name=PAIRS, gallery=tuple(gallery.values()), queries=chosen)
    products = len({street.product_id for street in chosen})
    return protocol, Sampling(len(once), len(chosen), len(of_product), products, len(pairs) - len(once))


def _found(name: str, folder: Path, beside: Path) -> Path:
    path = folder / name
    return path if path.exists() else beside / name

"""Street photos paired with shop photos, and the share of them that is asked: `lookbook evaluate --pairs`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from catalog.errors import FormatError
from catalog.evaluation import csv_tables
from catalog.evaluation.labelled_photos import Photo
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

    @property
    def ratio(self) -> float:
        """The share of the pairs that is asked."""
        return self.asked / self.pairs

    def __str__(self) -> str:
        return (
            f"{self.asked} of {self.pairs} pairs are asked (sampling ratio {self.ratio:.3f}), "
            f"of {self.products_asked} of {self.products} products"
        )


def read_pairs(path: Path, folder: Path) -> list[tuple[Photo, Photo]]:
    """The (street, shop) photos of a CSV file with the columns street, shop and, if it likes, category.

    Paths are taken from `folder`, or from the file's own folder where that has no such photo. A shop photo is a
    product. Raises: FormatError, no such file, no such columns, a row without both paths, or no row.
    """
    found: list[tuple[Photo, Photo]] = []
    of_street: dict[str, set[str]] = {}
    for where, row in csv_tables.read_rows(path, NEEDED, "--pairs names a CSV file, a row a street and a shop photo"):
        street, shop = ((row[column] or "").strip() for column in NEEDED)
        if not street or not shop:
            raise FormatError(f"{where}: both a street and a shop photo are wanted")
        category = (row.get("category") or "").strip() or ONE_CATEGORY
        asked, sold = (
            Photo(name=name, file=_found(name, folder, path.parent), category=category, product_id=shop)
            for name in (street, shop)
        )
        if street in of_street:  # a street photo that shows two products is asked for each
            asked = replace(asked, name=f"{street} for {shop}")
        if shop not in of_street.setdefault(street, set()):
            found.append((asked, sold))
            of_street[street].add(shop)
    return found


def sample(pairs: Sequence[tuple[Photo, Photo]], share: float, seed: int) -> tuple[Protocol, Sampling]:
    """Ask `share` of the pairs, stratified by product; the gallery is every shop photo of the file.

    Products stand in a seeded order and each one's pairs together; every 1 / share-th pair is taken. So of n pairs a
    product has floor or ceil of n x share, the total is the nearest whole number, and rare products are not forgotten.
    """
    rng = np.random.default_rng(seed)
    of_product: dict[str, list[Photo]] = {}
    for street, _ in pairs:
        of_product.setdefault(street.product_id, []).append(street)
    names = list(of_product)
    ordered = [
        of_product[names[place]][other]
        for place in rng.permutation(len(names))
        for other in rng.permutation(len(of_product[names[place]]))
    ]
    count = max(1, round(share * len(ordered)))
    start = rng.random()
    places = np.floor((np.arange(count) + start) * len(ordered) / count).astype(int)
    asked = {id(ordered[place]): ordered[place] for place in places}
    chosen = tuple(street for street, _ in pairs if id(street) in asked)
    gallery = {shop.name: shop for _, shop in pairs}
    protocol = Protocol(name=PAIRS, gallery=tuple(gallery.values()), queries=chosen)
    products = len({street.product_id for street in chosen})
    return protocol, Sampling(len(pairs), len(chosen), len(of_product), products)


def _found(name: str, folder: Path, beside: Path) -> Path:
    path = folder / name
    return path if path.exists() else beside / name

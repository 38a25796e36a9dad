"""Which categories a query belongs to: nearest prototype, or the nearest two when the margin is small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Prototypes:
    """One L2-normalised vector a category, all in one encoder's space."""

    categories: tuple[str, ...]
    vectors: np.ndarray  # (len(categories), dim) float32


@dataclass(frozen=True)
class Route:
    """The categories to search, best first, and how sure that is."""

    categories: tuple[str, ...]  # one, or two when the margin is small
    cosines: tuple[tuple[str, float], ...]  # of every category, best first
    margin: float  # between the best two cosines; infinite where there is only one category


@dataclass(frozen=True)
class CategoryPrototype:
    """One category's direction, and what it rests on."""

    category: str
    products: int
    basis: str  # "visual", or "visual and named" while its products are few
    vector: np.ndarray  # (dim,) float32, L2-normalised


def category_prototypes(
    embeddings: np.ndarray,
    categories: Sequence[str],
    products: Sequence[str],
    named: Mapping[str, np.ndarray],
    min_products: int,
) -> list[CategoryPrototype]:
    """A prototype for each category of the rows, sorted by category.

    `embeddings` is (n, dim) L2-normalised, `categories` and `products` name each row's. A prototype is the mean
    direction of the category's products, each product counted once however many photos it has (visual). While there
    are fewer than `min_products` of them, p products weigh p / min_products and the category's `named` (zero-shot)
    prototype the rest, where there is one.
    """
    category_of, product_of = np.array(categories), np.array(products)
    found = []
    for category in sorted(set(categories)):
        rows = np.flatnonzero(category_of == category)
        names, product_index = np.unique(product_of[rows], return_inverse=True)
        each_once = (1.0 / np.bincount(product_index))[product_index].astype(np.float32)
        vector = l2_normalize((embeddings[rows] * each_once[:, None]).sum(axis=0)[None])[0]
        basis = "visual"
        if category in named and len(names) < min_products:
            share = np.float32(len(names) / min_products)
            vector = l2_normalize((share * vector + (1 - share) * named[category])[None])[0]
            basis = "visual and named"
        found.append(CategoryPrototype(category, len(names), basis, vector))
    return found


def route(embedding: np.ndarray, prototypes: Prototypes, margin: float) -> Route:
    """Find the category of one (dim,) L2-normalised embedding; the best two where they are less than `margin` apart.

    Ties go to the category that sorts first.
    """
    cosines = prototypes.vectors @ embedding
    order = np.argsort(-cosines, kind="stable")
    ranked = tuple((prototypes.categories[row], float(cosines[row])) for row in order)
    gap = ranked[0][1] - ranked[1][1] if len(ranked) > 1 else float("inf")
    chosen = ranked[:2] if gap < margin else ranked[:1]
    return Route(tuple(name for name, _ in chosen), ranked, gap)


def l2_normalize(vectors: np.ndarray) -> np.ndarray:
    """Bring the rows of (n, dim) float32 to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)

"""Which items come first: cosine candidates, then texture and colour, then one result a product.

Scores of the three parts are brought to one scale, 0 for a chance pair of products and 1 for the same picture, so that
the weights mean what they say and two encoders' spaces can be merged. Ties fall to the lower row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from catalog.vision.color import color_similarity

MOST_CHANCE = 0.99  # where all products look alike: 1 would divide by zero, a rounding above it turn the order round


@dataclass(frozen=True)
class Weights:
    """How much each part counts (convex), and the colour similarity below which a candidate comes last."""

    semantic: float
    texture: float
    color: float
    color_gate: float


@dataclass(frozen=True)
class Scored:
    """One candidate item and every part of its score; at most 1, and 0 for a chance pair of products."""

    row: int
    score: float
    semantic_cosine: float
    semantic: float
    texture_cosine: float
    texture: float
    color: float
    passed_color_gate: bool


def calibrate(cosines: np.ndarray, chance: float) -> np.ndarray:
    """Cosines to a common scale: `chance`, the mean cosine of two different products in this space, is 0; 1 stays 1.

    What is less alike than chance is negative; the order of cosines within a space stays.
    """
    return np.asarray((cosines - chance) / (1.0 - chance), np.float32)


def top_candidates(similarities: np.ndarray, groups: Sequence[str] | np.ndarray, count: int) -> np.ndarray:
    """All rows of the best `count` distinct groups by (n,) similarity, best row first.

    A group (product) is as good as its best row. Counting groups and not rows keeps `count` true however many photos
    a product has; taking all their rows lets texture and colour choose among a product's photos.
    """
    groups = np.asarray(groups)
    looked_at = 4 * count
    while True:
        order = _top_rows(similarities, looked_at)
        _, first_places = np.unique(groups[order], return_index=True)
        if len(first_places) >= count or looked_at >= len(similarities):
            break
        looked_at *= 4
    best_groups = groups[order[np.sort(first_places)[:count]]]
    chosen = np.flatnonzero(np.isin(groups, best_groups))
    return np.asarray(chosen[np.argsort(-similarities[chosen], kind="stable")])


def _top_rows(similarities: np.ndarray, count: int) -> np.ndarray:
    """The `count` best rows and those that tie with the last of them, best first, ties to the lower row."""
    rows = np.arange(len(similarities))
    if count < len(similarities):  # sorting all would take most of a search's time
        floor = np.partition(similarities, -count)[-count]
        rows = np.flatnonzero(similarities >= floor)
    return np.asarray(rows[np.argsort(-similarities[rows], kind="stable")])


def rerank(
    candidates: np.ndarray,
    semantic_cosines: np.ndarray,
    semantic: np.ndarray,
    texture_query: np.ndarray,
    texture_rows: np.ndarray,
    texture_chance: float,
    color_query: np.ndarray,
    color_rows: np.ndarray,
    weights: Weights,
) -> list[Scored]:
    """Order candidate rows by the weighted sum of their three parts; those under the colour gate come last.

    `candidates` is (n,) row numbers; `semantic_cosines` and `semantic` (n,) belong to them; `texture_rows` (n, dim) and
    `color_rows` (n, 26) are theirs too.
    """
    texture_cosines = texture_rows @ texture_query
    texture = calibrate(texture_cosines, texture_chance)
    color = color_similarity(color_query, color_rows)
    scores = weights.semantic * semantic + weights.texture * texture + weights.color * color
    passed = color >= weights.color_gate
    order = np.lexsort((candidates, -scores, ~passed))
    return [
        Scored(
            row=int(candidates[place]),
            score=float(scores[place]),
            semantic_cosine=float(semantic_cosines[place]),
            semantic=float(semantic[place]),
            texture_cosine=float(texture_cosines[place]),
            texture=float(texture[place]),
            color=float(color[place]),
            passed_color_gate=bool(passed[place]),
        )
        for place in order
    ]


def first_of_each(scored: Sequence[Scored], groups: np.ndarray, count: int) -> list[Scored]:
    """The best row of each of the first `count` groups; `groups` (n_items,) numbers the product of every item."""
    best: dict[int, Scored] = {}
    for one in scored:
        best.setdefault(int(groups[one.row]), one)
    return list(best.values())[:count]


def chance_cosine(vectors: np.ndarray, products: Sequence[str], rng: np.random.Generator, pairs: int = 20_000) -> float:
    """Mean cosine of seeded random pairs of items of different products: the zero of `calibrate`.

    Returns 0.0 when there are no two products to compare, and at most `MOST_CHANCE`.
    """
    if len(set(products)) < 2:
        return 0.0
    names = np.array(products)
    first = rng.integers(len(vectors), size=pairs)
    second = rng.integers(len(vectors), size=pairs)
    different = names[first] != names[second]
    if not different.any():
        return 0.0
    first, second = first[different], second[different]
    return min(MOST_CHANCE, float(np.einsum("ij,ij->i", vectors[first], vectors[second]).mean()))

"""Which categories a query belongs to: the best one, and all that come close to it.

How a router is made is in `catalog.features.prototypes` and `catalog.features.router_head`; this much ships.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Method = Literal["prototypes", "linear_head"]
MEASURES: dict[Method, str] = {"prototypes": "cosines", "linear_head": "probabilities"}


@dataclass(frozen=True)
class Router:
    """A line a category, `vectors @ embedding + bias`, all in one encoder's space.

    "prototypes": unit vectors and no bias give cosines; where a prototype leans on words, its line is brought to the
    scale of cosines with the others' photos. "linear_head": the lines are logits, and softmax makes probabilities.
    """

    categories: tuple[str, ...]
    vectors: np.ndarray  # (len(categories), dim) float32
    bias: np.ndarray  # (len(categories),) float32
    method: Method = "prototypes"


@dataclass(frozen=True)
class Route:
    """The categories to search, best first, and how sure that is."""

    categories: tuple[str, ...]  # all whose score is near the best
    scores: tuple[tuple[str, float], ...]  # of every category, best first
    measure: str  # what the scores are: "cosines" or "probabilities"
    margin: float  # between the best two scores; infinite where there is only one category


def route(embedding: np.ndarray, router: Router, margin: float) -> Route:
    """Find the category of one (dim,) L2-normalised embedding, and all others less than `margin` behind it.

    An encoder that is sure leads to one category, one that is not to several: leaving the right one out loses the
    product, searching one more costs a scan. Ties go to the category that sorts first.
    """
    scores = router.vectors @ embedding + router.bias
    if router.method == "linear_head":
        scores = _softmax(scores)
    order = np.argsort(-scores, kind="stable")
    ranked = tuple((router.categories[row], float(scores[row])) for row in order)
    gap = ranked[0][1] - ranked[1][1] if len(ranked) > 1 else float("inf")
    near = tuple(name for name, score in ranked[1:] if ranked[0][1] - score < margin)
    return Route((ranked[0][0], *near), ranked, MEASURES[router.method], gap)


def l2_normalize(vectors: np.ndarray) -> np.ndarray:
    """Bring the rows of (n, dim) float32 to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shifted / shifted.sum())

"""Search by words over an open bundle. The words come embedded: the towers that read them do not ship.

Words are not routed: all categories are searched, or the one named. "Red, floral" names no category, and where words do
name one its products fit best anyway.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import LookbookError
from query.bundle import Bundle


@dataclass(frozen=True)
class TextQuery:
    """A query's words, as the text tower of one space's encoder embeds them."""

    embedding: np.ndarray  # (dim,) float32, L2-normalised
    logit_scale: float  # scale x cosine + bias is the encoder's own log-odds that a text and a photo belong together
    logit_bias: float


@dataclass(frozen=True)
class TextHit:
    """One result: the item of its product that the words fit best. Words have no texture or colour to compare."""

    rank: int  # from 1
    item: Mapping[str, Any]  # as in catalog.json
    thumb: Path
    row: int
    log_odds: float  # that words and photo belong together
    cosine: float  # of the two, in the item's space


@dataclass(frozen=True)
class TextResult:
    """What words found."""

    words: str
    hits: tuple[TextHit, ...]
    categories: tuple[str, ...]  # that were searched
    milliseconds: Mapping[str, float]  # by stage, in order


def spaces_of(bundle: Bundle, category: str | None) -> tuple[str, ...]:
    """The spaces of all items, or of a category's: those that the words must be embedded in.

    Raises: LookbookError for a category that isn't there.
    """
    return tuple(sorted(bundle.spaces_of(_rows(bundle, category))))


def nearest(bundle: Bundle, queries: Mapping[str, TextQuery], count: int, category: str | None) -> tuple[TextHit, ...]:
    """The `count` products that words fit best, one result each; ties fall to the lower row.

    `queries` are the words by space. Two spaces' cosines say nothing to each other, so results are merged on log-odds:
    each encoder's scale and bias, learnt with it, turn its cosines into how sure it is.
    Raises: LookbookError for a category that isn't there, or a space that the words are not in.
    """
    rows = _rows(bundle, category)
    spaces = bundle.spaces[rows]
    cosines, log_odds = np.empty(len(rows), np.float32), np.empty(len(rows), np.float64)
    for space in spaces_of(bundle, category):
        if space not in queries:
            raise LookbookError(f"the words are not embedded in {space!r}, where some of the products are")
        query, here = queries[space], np.flatnonzero(spaces == bundle.space_names.index(space))
        cosines[here] = bundle.embeddings[rows[here]] @ query.embedding
        log_odds[here] = query.logit_scale * cosines[here].astype(np.float64) + query.logit_bias
    order = np.argsort(-log_odds, kind="stable")
    _, firsts = np.unique(bundle.products[rows[order]], return_index=True)
    found = []
    for rank, place in enumerate(order[np.sort(firsts)[:count]], start=1):
        row = int(rows[place])
        item, thumb = bundle.items[row], bundle.thumb(row)
        found.append(TextHit(rank, item, thumb, row, float(log_odds[place]), float(cosines[place])))
    return tuple(found)


def _rows(bundle: Bundle, category: str | None) -> np.ndarray:
    if category is None:
        return np.arange(len(bundle.items))
    return bundle.category_rows[bundle.find_category(category)]

"""What a search takes and gives, typed: the query's features, the hits with the parts of their scores, the times."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from catalog.features import ranking, routing
from catalog.vision import crops, masks
from catalog.vision.boxes import Box


@dataclass(frozen=True)
class Hit:
    """One result: the catalogue's item that matched best of its product (or variant), and why."""

    rank: int  # from 1
    item: Mapping[str, Any]  # as in catalog.json: product_id, variant, title, category, price ...
    thumb: Path
    scored: ranking.Scored


@dataclass(frozen=True, kw_only=True)
class QueryFeatures:
    """What a query is ranked by."""

    texture: np.ndarray
    color: np.ndarray
    embeddings: dict[str, np.ndarray]  # by space


@dataclass(frozen=True, kw_only=True)
class CutOut:
    """What was looked at of a photo, and the product in it."""

    photo_hwc: np.ndarray  # the whole photo
    box: Box  # of the photo, in its pixels: what was looked at
    mask: masks.ProductMask  # of what was looked at
    crop: crops.ProductCrop

    def things(self) -> tuple[Box, ...]:
        """The boxes of the mask's pieces as fractions of the photo, largest first: each may be searched alone."""
        height, width = self.photo_hwc.shape[:2]
        labels, count = ndimage.label(self.mask.binary_mask)
        sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        found = ndimage.find_objects(labels)
        left, top = self.box[:2]
        return tuple(
            (
                float(left + found[place][1].start) / width,
                float(top + found[place][0].start) / height,
                float(left + found[place][1].stop) / width,
                float(top + found[place][0].stop) / height,
            )
            for place in np.argsort(-sizes, kind="stable")
            if sizes[place] >= masks.MIN_PIECE_SHARE * sizes.max()  # less is a speck along an edge
        )


@dataclass(frozen=True, kw_only=True)
class Described(QueryFeatures, CutOut):
    """What the models make of one query photo; `embeddings` grows by the spaces that a route leads to."""


class Watcher:
    """Is told of a search's stages as they end; a service shows them before the results are there."""

    def cut_out(self, seen: CutOut) -> None:
        """The product was cut out."""

    def routed(self, route: routing.Route) -> None:
        """Its category was found."""


@dataclass(frozen=True)
class SearchResult:
    """The hits, the route they came by, and what each stage took."""

    hits: tuple[Hit, ...]
    route: routing.Route | None  # None where the caller named the category, or searched by product
    categories: tuple[str, ...]  # that were searched
    milliseconds: Mapping[str, float]  # by stage, in order; stages that run side by side overlap
    described: Described | None = None  # None for a search by product
    elapsed_ms: float = 0.0  # from the call to the answer
    candidates: tuple[ranking.Scored, ...] = ()  # all that were reranked, where the caller asked for them

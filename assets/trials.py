"""Puts labelled queries to the engine that ships: every weighting of the score, the right category told, the times."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image

from assets import reporting
from catalog.errors import ImageError
from catalog.evaluation.retrieval import Answer
from catalog.features.ranking import Weights
from catalog.records import CatalogRow
from catalog.vision.masks import intersection_over_union
from query.engine import Described, Engine, SearchResult

FULL, PERFECT_ROUTE = "full score", "full score, perfect route"
PLACES = 10  # of each ranking that are kept
LEFT_OUT_QUERIES = 200  # at most, where the feed has no labelled queries


@dataclass(frozen=True)
class Query:
    """A photo whose product is known."""

    product_id: str
    variant: str
    category: str
    pattern: str
    photo: Path | np.ndarray  # a file, read when it is asked; or pixels
    mask_path: str = ""
    leave_out: tuple[int, ...] = ()  # rows that would be the photo itself


@dataclass
class Trials:
    """What came of all queries."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)  # by weighting, in the order of the queries
    misses: list[list[np.ndarray]] = field(default_factory=list)  # small pictures: photo, cut-out, first results
    unreadable: int = 0

    def add(self, engine: Engine, query: Query) -> None:
        """Put one query to the engine."""
        try:
            photo = query.photo.read_bytes() if isinstance(query.photo, Path) else query.photo
            result = engine.search(photo, leave_out=query.leave_out)
        except ImageError:
            self.unreadable += 1
            return
        for name, answer in _answers(engine, query, result).items():
            self.answers.setdefault(name, []).append(answer)
        if not result.hits or result.hits[0].item["product_id"] != query.product_id:
            self.misses.append(_pictures(result))


def labelled_queries(rows: Sequence[CatalogRow], engine: Engine) -> list[Query]:
    """The feed's labelled photos of products that the bundle has."""
    known = set(engine.bundle.products.tolist())
    return [
        Query(row.product_id, row.variant, row.category, row.pattern, Path(row.image_path), row.mask_path)
        for row in rows
        if row.product_id in known
    ]


def left_out_queries(engine: Engine) -> list[Query]:
    """Thumbnails of products that have several pictures, each to be searched with its own rows left out."""
    items = engine.bundle.items
    pictures = defaultdict(set)
    for item in items:
        pictures[item["product_id"]].add(item["thumb"])
    several = [row for row, item in enumerate(items) if len(pictures[item["product_id"]]) > 1]
    queries = []
    for row in reporting.spread(several, LEFT_OUT_QUERIES):
        item = items[row]
        same_picture = tuple(other for other in range(len(items)) if items[other]["thumb"] == item["thumb"])
        with Image.open(engine.bundle.thumb(row)) as thumb:
            photo = np.asarray(thumb.convert("RGB"))
        # the left-out row's variant may have no other photo: only the product is asked for
        queries.append(Query(item["product_id"], "", item["category"], item["pattern"], photo, leave_out=same_picture))
    return queries


def weightings(own: Weights) -> dict[str, Weights]:
    """The bundle's weights, and each part of the score left out with the rest brought back to 1."""
    named = {
        FULL: own,
        "without texture": replace(own, texture=0.0),
        "without color": replace(own, color=0.0, color_gate=0.0),
        "without color gate": replace(own, color_gate=0.0),
        "semantic only": replace(own, texture=0.0, color=0.0, color_gate=0.0),
    }
    scaled = {}
    for name, weights in named.items():
        total = weights.semantic + weights.texture + weights.color
        if total > 0:
            parts = {part: getattr(weights, part) / total for part in ("semantic", "texture", "color")}
            scaled[name] = replace(weights, **parts)
    return scaled


def _answers(engine: Engine, query: Query, result: SearchResult) -> dict[str, Answer]:
    """What the engine answers to one query under every weighting, and when told the right category."""
    described = result.described
    if described is None or result.route is None:
        raise ValueError("a benchmark query is a photo that is routed")
    answers = {}
    for name, weights in weightings(engine.bundle.weights).items():
        answers[name] = _answer(engine, query, described, result, weights, None)
    right = query.category if query.category in engine.bundle.prototypes.categories else None
    answers[PERFECT_ROUTE] = _answer(engine, query, described, result, engine.bundle.weights, right)
    return answers


def _answer(
    engine: Engine, query: Query, described: Described, result: SearchResult, weights: Weights, category: str | None
) -> Answer:
    products, variants = (
        engine.search(
            described, k=PLACES, weights=weights, category=category, one_result_per=one, leave_out=query.leave_out
        ).hits
        for one in ("product", "variant")
    )
    route = result.route
    return Answer(
        product_id=query.product_id,
        variant=query.variant,
        category=query.category,
        pattern=query.pattern,
        products=tuple(hit.item["product_id"] for hit in products),
        variants=tuple((hit.item["product_id"], hit.item["variant"]) for hit in variants),
        patterns=tuple(hit.item["pattern"] for hit in products),
        best_category=category or (route.categories[0] if route else ""),
        searched=(category,) if category else result.categories,
        mask_iou=_mask_iou(described, query.mask_path),
        milliseconds=result.milliseconds,
    )


def _mask_iou(described: Described, mask_path: str) -> float | None:
    if not mask_path:
        return None
    found = described.mask.binary_mask
    with Image.open(mask_path) as exact:
        size = (found.shape[1], found.shape[0])
        wanted = np.asarray(exact.convert("L").resize(size, Image.Resampling.BILINEAR)) >= 128
    return intersection_over_union(found, wanted)


def _pictures(result: SearchResult) -> list[np.ndarray]:
    """A photo, its cut-out and the first results, small, as one row of a contact sheet."""
    if result.described is None:
        return []
    pictures = [Image.fromarray(result.described.photo_hwc), Image.fromarray(result.described.crop.image_hwc)]
    for hit in result.hits[: reporting.SHEET_COLUMNS - 2]:
        with Image.open(hit.thumb) as thumb:
            pictures.append(thumb.convert("RGB"))
    for picture in pictures:
        picture.thumbnail((reporting.TILE_PX, reporting.TILE_PX), Image.Resampling.BICUBIC)
    return reporting.whole_row([np.asarray(picture) for picture in pictures])

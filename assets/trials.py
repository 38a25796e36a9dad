"""Puts labelled queries to the engine that ships: as it is, weighted otherwise, and with another route."""

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
from catalog.formats import tables
from catalog.records import Outcome, Reason, Rejection
from catalog.vision.masks import intersection_over_union
from query.engine import Described, Engine, SearchResult
from resources.data_lake import DataLake
from resources.feed import Feed

FULL, PERFECT_ROUTE, NO_ROUTE = "full score", "full score, perfect route", "full score, no route"
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
    mask: Path | None = None  # exact, of the photo's size
    leave_out: tuple[int, ...] = ()  # rows that would be the photo itself


@dataclass
class Trials:
    """What came of all queries."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)  # by weighting, in the order of the queries
    misses: list[list[np.ndarray]] = field(default_factory=list)  # small pictures: photo, cut-out, first results
    rejected: list[Rejection] = field(default_factory=list)  # queries that could not be put, masks that can't be read

    def add(self, engine: Engine, query: Query) -> None:
        """Put one query to the engine."""
        try:
            result = engine.search(pixels_or_bytes(query.photo), leave_out=query.leave_out)
        except ImageError as error:
            self.rejected.append(rejection(query, Reason(error.reason), error.detail))
            return
        mask_iou = None
        if query.mask and result.described:
            try:
                mask_iou = _mask_iou(result.described, query.mask)
            except OSError as error:  # Pillow's UnidentifiedImageError is one
                told = f"its mask {query.mask.name} is no picture that can be read ({type(error).__name__})"
                self.rejected.append(rejection(query, Reason.NOT_AN_IMAGE, told, Outcome.KEPT))
        for name, answer in _answers(engine, query, result, mask_iou).items():
            self.answers.setdefault(name, []).append(answer)
        if not result.hits or result.hits[0].item["product_id"] != query.product_id:
            self.misses.append(_pictures(result))


def labelled_queries(data_lake: DataLake, feed: Feed) -> list[Query]:
    """The query photos whose product is known, as the lake's table has them."""
    return [
        Query(
            row["product_id"],
            row["variant"],
            row["category"],
            row["pattern"],
            feed.absolute(row["image_path"]),
            feed.absolute(row["mask_path"]) if row["mask_path"] else None,
        )
        for row in tables.read(data_lake.table("labelled_queries"), tables.RAW_CATALOG)
    ]


def rejection(query: Query, reason: Reason, detail: str, outcome: Outcome = Outcome.REJECTED) -> Rejection:
    """The rejected table's row of a query that could not be put, or not measured whole."""
    image = query.photo.name if isinstance(query.photo, Path) else ""
    return Rejection(
        stage="benchmark",
        reason=reason,
        outcome=outcome,
        detail=detail,
        where=f"query photo {image} of {query.product_id!r}",
        product_id=query.product_id,
        variant=query.variant,
        image=image,
    )


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


def _answers(engine: Engine, query: Query, result: SearchResult, mask_iou: float | None) -> dict[str, Answer]:
    """What the engine answers to one query under every weighting, without a route, and told the right category."""
    described = result.described
    if described is None or result.route is None:
        raise ValueError("a benchmark query is a photo that is routed")
    answers = {}
    for name, weights in weightings(engine.bundle.weights).items():
        answers[name] = _answer(engine, query, described, result, weights, None, mask_iou)
    every = engine.bundle.router.categories
    right = (query.category,) if query.category in every else None
    answers[NO_ROUTE] = _answer(engine, query, described, result, engine.bundle.weights, every, mask_iou)
    answers[PERFECT_ROUTE] = _answer(engine, query, described, result, engine.bundle.weights, right, mask_iou)
    return answers


def _answer(
    engine: Engine,
    query: Query,
    described: Described,
    result: SearchResult,
    weights: Weights,
    told: Sequence[str] | None,
    mask_iou: float | None,
) -> Answer:
    products, variants = (
        engine.search(
            described, k=PLACES, weights=weights, category=told, one_result_per=one, leave_out=query.leave_out
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
        best_category=told[0] if told == (query.category,) else route.categories[0] if route else "",
        searched=tuple(told) if told else result.categories,
        mask_iou=mask_iou,
        milliseconds=result.milliseconds,
    )


def pixels_or_bytes(photo: Path | np.ndarray) -> bytes | np.ndarray:
    """A query's pixels, or its file's bytes. Raises: ImageError when the file can't be read."""
    if not isinstance(photo, Path):
        return photo
    try:
        return photo.read_bytes()
    except OSError as error:
        raise ImageError(Reason.IMAGE_NOT_FOUND, f"{photo.name}: can't be read ({error.strerror})") from error


def _mask_iou(described: Described, mask: Path) -> float:
    found = described.mask.binary_mask
    with Image.open(mask) as exact:
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

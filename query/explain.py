"""Why a search found what it found, in numbers: the route, what was looked at, each part of each score."""

from dataclasses import dataclass

from catalog.features.ranking import Weights
from query.bundle import Bundle
from query.filters import Filters
from query.results import Hit, SearchResult

MASK_FLAGS = {
    "full_frame": "no product stood out, so the whole photo was searched with",
    "fills_photo": "the product fills nearly all of the photo",
    "touches_border": "the product runs out of the photo",
    "many_pieces": "it is in more than three pieces: are there several products?",
    "uncertain": "the segmenter was unsure what is product and what is not",
}


@dataclass(frozen=True)
class RoutedCategory:
    """One category that the router scored."""

    name: str
    score: float
    behind: float  # the best one
    searched: bool


@dataclass(frozen=True)
class Part:
    """One part of a score: `value` x `weight` is its `contribution`."""

    name: str
    cosine: float | None  # None: colour is compared by histogram, not by cosine
    chance: float | None  # the mean cosine of two different products, which makes `value` 0
    value: float
    weight: float
    contribution: float


@dataclass(frozen=True)
class ExplainedHit:
    """One result's score, part by part."""

    rank: int
    product_id: str
    row: int
    space: str  # whose cosine the semantic part is
    parts: tuple[Part, ...]
    score: float  # their sum
    passed_color_gate: bool  # one that did not comes after all that did, whatever its score


@dataclass(frozen=True)
class Explanation:
    """All that led to a search's results."""

    measure: str | None  # of the route's scores; None where the caller named the category
    margin: float | None  # categories less than this behind the best are searched too
    route: tuple[RoutedCategory, ...]
    categories: tuple[str, ...]  # that were searched
    mask_flags: dict[str, str]  # each with what it means
    mask_area: float | None  # of what was looked at, in [0, 1]
    mask_confidence: float | None
    items: int  # in the categories that were searched
    items_left: int  # of them by the filters
    reranked: int  # of them, the nearest by cosine, whose texture and colour were compared
    color_gate: float
    hits: tuple[ExplainedHit, ...]


def explain(bundle: Bundle, result: SearchResult, weights: Weights, filters: Filters) -> Explanation:
    """What led to `result`, which was searched in `bundle` with these weights and filters."""
    passed = filters.rows(bundle)
    rows = [row for name in result.categories for row in bundle.category_rows.get(name, ())]
    mask = result.described.mask if result.described else None
    return Explanation(
        measure=result.route.measure if result.route else None,
        margin=bundle.manifest["router"]["margin"] if result.route else None,
        route=_route(result),
        categories=result.categories,
        mask_flags={flag: MASK_FLAGS[flag] for flag in mask.flags} if mask else {},
        mask_area=mask.area_fraction if mask else None,
        mask_confidence=mask.confidence if mask else None,
        items=len(rows),
        items_left=int(passed[rows].sum()) if rows else 0,
        reranked=len(result.candidates),
        color_gate=weights.color_gate,
        hits=tuple(_hit(bundle, hit, weights) for hit in result.hits),
    )


def _route(result: SearchResult) -> tuple[RoutedCategory, ...]:
    if result.route is None:
        return ()
    best = result.route.scores[0][1]
    return tuple(
        RoutedCategory(name, score, best - score, name in result.categories) for name, score in result.route.scores
    )


def _hit(bundle: Bundle, hit: Hit, weights: Weights) -> ExplainedHit:
    scored, space = hit.scored, str(hit.item["space"])
    chance = bundle.manifest["spaces"][space]["chance_cosine"]
    texture_chance = bundle.manifest["texture_space"]["chance_cosine"]
    parts = (
        _part("semantic", scored.semantic_cosine, chance, scored.semantic, weights.semantic),
        _part("texture", scored.texture_cosine, texture_chance, scored.texture, weights.texture),
        _part("color", None, None, scored.color, weights.color),
    )
    product = str(hit.item["product_id"])
    return ExplainedHit(hit.rank, product, scored.row, space, parts, scored.score, scored.passed_color_gate)


def _part(name: str, cosine: float | None, chance: float | None, value: float, weight: float) -> Part:
    return Part(name, cosine, chance, value, weight, value * weight)

"""Queries whose own product did not come first: what rank it got, and which part of the score cost it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from assets import reporting
from assets.trials import PARTS, Asked
from catalog.features.ranking import Scored
from catalog.vision import charts
from query.results import Hit

ROUTE, CANDIDATES, GATE = "route", "candidates", "color gate"
SHOWN = 4
RESULTS_SHOWN = 4


@dataclass(frozen=True)
class Miss:
    """A query, the first result, and the product that should have been it."""

    asked: Asked
    right: Hit  # as it scores where only it is searched
    rank: int | None  # of the right product among the candidates; None where it is not one
    cost: str  # what kept it from the first place: a part of the score, or ROUTE, CANDIDATES, GATE
    lost: float  # the first result's score less the right product's; 0 where nothing was found


def misses(asked: Sequence[Asked]) -> list[Miss]:
    """All of them, those that lost most first."""
    found = [_miss(each) for each in asked if each.missed]
    return sorted(found, key=lambda miss: (-miss.lost, miss.asked.query.item))


def sheet(worst: Sequence[Miss]) -> np.ndarray:
    """The worst queries as a picture: photo, cut-out, right product, first results, and the parts of the scores."""
    return charts.searches([_shown(miss) for miss in worst[:SHOWN]])


def _miss(asked: Asked) -> Miss:
    engine, query, hits = asked.engine, asked.query, asked.result.hits
    own = engine.bundle.rows_of_product(query.product_id)
    others = np.setdiff1d(np.arange(len(engine.bundle.items)), own)
    right = engine.search(
        asked.described.features,
        k=1,
        category=sorted({engine.bundle.items[row]["category"] for row in own}),
        leave_out=[*others, *query.leave_out],
    ).hits[0]
    candidates = engine.search(
        asked.described.features,
        k=engine.bundle.manifest["ranking"]["candidates"],
        category=asked.result.categories,
        leave_out=query.leave_out,
    ).hits
    rank = next((hit.rank for hit in candidates if hit.item["product_id"] == query.product_id), None)
    lost = hits[0].scored.score - right.scored.score if hits else 0.0
    return Miss(asked, right, rank, _cost(asked, right, rank), lost)


def _cost(asked: Asked, right: Hit, rank: int | None) -> str:
    if right.item["category"] not in asked.result.categories:
        return ROUTE
    if rank is None or not asked.result.hits:
        return CANDIDATES
    first = asked.result.hits[0].scored
    if first.passed_color_gate and not right.scored.passed_color_gate:
        return GATE
    return max(PARTS, key=lambda part: _share(asked, first, part) - _share(asked, right.scored, part))


def _share(asked: Asked, scored: Scored, part: str) -> float:
    """What a part gives to the score."""
    return float(getattr(asked.engine.bundle.weights, part) * getattr(scored, part))


def _shown(miss: Miss) -> charts.Search:
    asked, hits = miss.asked, miss.asked.result.hits
    photo, crop = asked.described.pictures
    tiles = [charts.Tile(photo, "photo"), charts.Tile(crop, "cut out"), charts.Tile(_thumb(miss.right), "right", True)]
    tiles += [
        charts.Tile(_thumb(hit), f"{hit.rank}.", hit.item["product_id"] == asked.query.product_id)
        for hit in hits[:RESULTS_SHOWN]
    ]
    place = f"rank {miss.rank}" if miss.rank else "not a candidate"
    words = [
        f"{asked.query.product_id} {asked.query.variant}"[:44],
        f"{asked.query.category}, searched: {', '.join(asked.result.categories)}"[:50],
        f"right product: {place}; what cost it: {miss.cost}",
    ]
    parts = [
        charts.Part(part, _share(asked, hits[0].scored, part), _share(asked, miss.right.scored, part))
        for part in PARTS
        if hits
    ]
    return charts.Search(tiles, words, parts)


def _thumb(hit: Hit) -> np.ndarray:
    with Image.open(hit.thumb) as thumb:
        thumb.thumbnail((reporting.TILE_PX, reporting.TILE_PX), Image.Resampling.BICUBIC)
        return np.asarray(thumb.convert("RGB"))

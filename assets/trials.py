"""Puts labelled queries to the engine that ships: as it is, weighted otherwise, and with another route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from assets import reporting
from assets.described_queries import DescribedQuery
from assets.query_photos import Query
from catalog.evaluation.retrieval import Answer
from catalog.features.ranking import Weights
from catalog.features.routing import Route
from query.engine import Engine, Hit, SearchResult

FULL, PERFECT_ROUTE, NO_ROUTE = "full score", "full score, perfect route", "full score, no route"
PLACES = 10  # of each ranking that are kept


@dataclass(frozen=True)
class Miss:
    """A query whose own product did not come first."""

    described: DescribedQuery
    hits: tuple[Hit, ...]

    def pictures(self) -> list[np.ndarray]:
        """Photo, cut-out and the first results, small, as one row of a contact sheet."""
        pictures = self.described.pictures
        for hit in self.hits[: reporting.SHEET_COLUMNS - 2]:
            with Image.open(hit.thumb) as thumb:
                thumb.thumbnail((reporting.TILE_PX, reporting.TILE_PX), Image.Resampling.BICUBIC)
                pictures.append(np.asarray(thumb.convert("RGB")))
        return reporting.whole_row(pictures)


@dataclass
class Trials:
    """What came of all queries."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)  # by weighting, in the order of the queries
    misses: list[Miss] = field(default_factory=list)

    def add(self, engine: Engine, query: Query, described: DescribedQuery) -> None:
        """Put one query to the engine."""
        result = engine.search(described.features, leave_out=query.leave_out)
        if result.route is None:
            raise ValueError("a benchmark query is a photo that is routed")
        milliseconds = {**described.milliseconds, **result.milliseconds}
        asked = _Asked(engine, query, described, result, result.route, milliseconds)
        for name, answer in asked.answers().items():
            self.answers.setdefault(name, []).append(answer)
        if not result.hits or result.hits[0].item["product_id"] != query.product_id:
            self.misses.append(Miss(described, result.hits))


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


@dataclass(frozen=True)
class _Asked:
    """One query and the engine's own answer to it."""

    engine: Engine
    query: Query
    described: DescribedQuery
    result: SearchResult
    route: Route
    milliseconds: Mapping[str, float]

    def answers(self) -> dict[str, Answer]:
        """What the engine answers under every weighting, without a route, and told the right category."""
        own, every = self.engine.bundle.weights, self.engine.bundle.router.categories
        right = (self.query.category,) if self.query.category in every else None
        return {
            **{name: self._answer(weights, None) for name, weights in weightings(own).items()},
            NO_ROUTE: self._answer(own, every),
            PERFECT_ROUTE: self._answer(own, right),
        }

    def _answer(self, weights: Weights, told: Sequence[str] | None) -> Answer:
        # a routed search goes where the first one was routed to
        searched = tuple(told or self.result.categories)
        products, variants = (
            self.engine.search(
                self.described.features,
                k=PLACES,
                weights=weights,
                category=searched,
                one_result_per=one,
                leave_out=self.query.leave_out,
            ).hits
            for one in ("product", "variant")
        )
        return Answer(
            product_id=self.query.product_id,
            variant=self.query.variant,
            category=self.query.category,
            pattern=self.query.pattern,
            products=tuple(hit.item["product_id"] for hit in products),
            variants=tuple((hit.item["product_id"], hit.item["variant"]) for hit in variants),
            patterns=tuple(hit.item["pattern"] for hit in products),
            best_category=self.query.category if told == (self.query.category,) else self.route.categories[0],
            searched=searched,
            mask_iou=self.described.mask_iou,
            milliseconds=self.milliseconds,
        )

"""Puts labelled queries to the engine that ships: as it is, weighted otherwise, and with another route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

from assets.described_queries import DescribedQuery
from assets.query_photos import Query
from catalog.errors import LookbookError
from catalog.evaluation.evaluation_report import FULL, SEMANTIC_ONLY
from catalog.evaluation.retrieval import PLACES, Answer
from catalog.features.ranking import Weights
from catalog.features.routing import Route
from query.engine import Engine
from query.results import SearchResult

PERFECT_ROUTE, NO_ROUTE = f"{FULL}, perfect route", f"{FULL}, no route"
GATE = "color_gate"
PARTS = tuple(each.name for each in fields(Weights) if each.name != GATE)  # as the parts of `ranking.Scored` are called
DESIGN = {"semantic": 0.50, "texture": 0.30, "color": 0.20}  # what Lookbook began from
DESIGN_NAME = "weights " + " / ".join(f"{share:.2f}" for share in DESIGN.values())


@dataclass
class Trials:
    """What came of all queries, by the name of how they were put."""

    asked: list["Asked"] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)  # each in the order of `asked`

    def add(self, engine: Engine, query: Query, described: DescribedQuery) -> None:
        """Put one query to the engine, in every way."""
        asked = Asked.put(engine, query, described)
        self.asked.append(asked)
        for name, answer in asked.answers().items():
            self.answers.setdefault(name, []).append(answer)

    def add_way(self, name: str, answers: Sequence[Answer]) -> None:
        """Add what came of the same queries put otherwise: to another bundle's engine, or described otherwise.

        `Asked.put(engine, query, described).answer()` makes one. It stands in the ablation beside the others.
        Raises: LookbookError for a name that is taken, or other queries.
        """
        if name in self.answers:
            raise LookbookError(f"the benchmark has answers called {name!r} already; give them another name")
        wanted = [(asked.query.product_id, asked.query.variant) for asked in self.asked]
        if [(answer.product_id, answer.variant) for answer in answers] != wanted:
            raise LookbookError(
                f"the answers called {name!r} are not to the {len(wanted)} queries that were put, in order"
            )
        self.answers[name] = list(answers)


def weightings(own: Weights) -> dict[str, Weights]:
    """The bundle's weights, the semantic part alone, one part after the other added to it, and each left out.

    What is left is brought back to a sum of 1; the colour gate goes with the colour. Of weights that are the same by
    two names the first stays.
    """
    shares = {part: getattr(own, part) for part in PARTS}
    named = {FULL: own, SEMANTIC_ONLY: _only(own, ["semantic"], gate=False)}
    for part in PARTS:
        named[f"without {part}"] = _only(own, [name for name in PARTS if name != part], gate=part != "color")
    named["without color gate"] = replace(own, color_gate=0.0)
    for count in range(2, len(PARTS)):
        named[" + ".join(PARTS[:count])] = _only(own, PARTS[:count], gate=False)
    named[DESIGN_NAME] = replace(own, **{part: DESIGN.get(part, 0.0) for part in shares})
    distinct: dict[str, Weights] = {}
    for name, weights in named.items():
        if weights is not None and weights not in distinct.values():
            distinct[name] = weights
    return distinct


def _only(own: Weights, parts: Sequence[str], *, gate: bool) -> Weights | None:
    """`own` with some of its parts; None where they have no weight."""
    total = sum(getattr(own, part) for part in parts)
    if total <= 0:
        return None
    scaled = {part: getattr(own, part) / total if part in parts else 0.0 for part in PARTS}
    return replace(own, **scaled, color_gate=own.color_gate if gate else 0.0)


@dataclass(frozen=True)
class Asked:
    """One query and the engine's own answer to it."""

    engine: Engine
    query: Query
    described: DescribedQuery
    result: SearchResult
    route: Route
    milliseconds: Mapping[str, float]

    @classmethod
    def put(cls, engine: Engine, query: Query, described: DescribedQuery) -> "Asked":
        """Search as the phone does."""
        result = engine.search(described.features, leave_out=query.leave_out)
        if result.route is None:
            raise ValueError("a benchmark query is a photo that is routed")
        milliseconds = {**described.milliseconds, **result.milliseconds}
        return cls(engine, query, described, result, result.route, milliseconds)

    @property
    def missed(self) -> bool:
        """Did another product come first, or none?"""
        return not self.result.hits or self.result.hits[0].item["product_id"] != self.query.product_id

    def answers(self) -> dict[str, Answer]:
        """What the engine answers under every weighting, without a route, and told the right category."""
        own, every = self.engine.bundle.weights, self.engine.bundle.router.categories
        right = (self.query.category,) if self.query.category in every else None
        return {
            **{name: self.answer(weights) for name, weights in weightings(own).items()},
            NO_ROUTE: self.answer(own, every),
            PERFECT_ROUTE: self.answer(own, right),
        }

    def answer(self, weights: Weights | None = None, told: Sequence[str] | None = None) -> Answer:
        """What the engine answers by some weights, by default the bundle's, in the categories it is told, by default
        those that it routed the query to.
        """
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
            best_category=self.query.category if searched == (self.query.category,) else self.route.categories[0],
            searched=searched,
            mask_iou=self.described.mask_iou,
            milliseconds=self.milliseconds,
        )

"""Weights of the parts of a score, fitted on a home's own benchmark queries, and what they are worth on others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assets.benchmark_queries import choose
from assets.trials import DESIGN, PARTS, Asked
from catalog.errors import LookbookError
from catalog.evaluation import fusion_fit
from catalog.evaluation.comparison import Row, against_first
from catalog.evaluation.fusion_fit import Candidates
from catalog.evaluation.retrieval import values
from catalog.features.ranking import Weights
from query.engine import Engine
from query.results import QueryFeatures
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.progress import Progress

OWN, FITTED, PRIOR = "the profile's own", "fitted, each product left out in turn", "design"
MEASURES = ("success@1", "reciprocal rank@10", "variant success@1", "print precision@10")
DESIGN_WEIGHTS = tuple(DESIGN.get(part, 0.0) for part in PARTS)  # that fits are pulled to
DECIMALS = 2  # of a weight in a profile: more would promise more than the queries know


@dataclass(frozen=True)
class Fitted:
    """What came of a fit."""

    protocol: str
    queries: int
    used: int  # queries with both a right and a wrong candidate that the colour gate lets pass: only they say something
    weights: Mapping[str, float]  # by part, fitted on all queries
    own: Mapping[str, float]
    tables: Mapping[str, Sequence[Row]]  # by measure: every weighting against the profile's own, by the engine itself


def fit_weights(engine: Engine, data_lake: DataLake, feed: Feed, progress: Progress) -> Fitted:
    """Fit the weights on all queries; and weigh each product's queries by what all others gave, to compare.

    Raises: LookbookError where no query can be put, or none has both a right and a wrong candidate.
    """
    chosen = choose(engine, data_lake, feed, progress)
    if not chosen.asked:
        raise LookbookError(f"no weights can be fitted: {chosen.protocol}; see `lookbook rejected`")
    asked = [Asked.put(engine, query, described) for query, described in chosen.asked]
    listed = [
        candidates(
            engine,
            described.features,
            each.result.categories,
            query.product_id,
            engine.bundle.rows_of_product(query.product_id),
            query.leave_out,
        )
        for (query, described), each in zip(chosen.asked, asked, strict=True)
    ]
    own = engine.bundle.weights
    ways = {
        OWN: [own] * len(asked),
        FITTED: [with_parts(own, found) for found in fusion_fit.leave_one_group_out(listed, DESIGN_WEIGHTS)],
        PRIOR: [with_parts(own, np.array(DESIGN_WEIGHTS))] * len(asked),
    }
    columns = {
        name: values([each.answer(weights) for each, weights in zip(asked, way, strict=True)])
        for name, way in ways.items()
    }
    products = [query.product_id for query, _ in chosen.asked]
    return Fitted(
        chosen.protocol,
        len(asked),
        sum(query.says_something for query in listed),
        _rounded(fusion_fit.fit(listed, DESIGN_WEIGHTS)),
        {part: getattr(own, part) for part in PARTS},
        {
            measure: against_first({name: found[measure] for name, found in columns.items()}, products)
            for measure in MEASURES
            if measure in columns[OWN]
        },
    )


def candidates(
    engine: Engine,
    features: QueryFeatures,
    routed: Sequence[str],
    product_id: str,
    own_rows: Sequence[int] | np.ndarray,
    leave_out: Sequence[int],
) -> Candidates:
    """What the engine reranks for a query, and its own category too, so that a wrong route hides no right answer.

    `routed` are the categories that its route searches, `own_rows` the rows of its product. A candidate under the
    colour gate comes last whatever the weights: it says nothing of them.
    """
    own = {engine.bundle.items[row]["category"] for row in own_rows}
    hits = engine.search(
        features,
        k=engine.bundle.manifest["ranking"]["candidates"],
        category=sorted({*routed, *own}),
        leave_out=leave_out,
    ).hits
    reached = [hit for hit in hits if hit.scored.passed_color_gate]
    parts = np.array([[getattr(hit.scored, part) for part in PARTS] for hit in reached], np.float64)
    relevant = np.isin([hit.scored.row for hit in reached], own_rows)
    return Candidates(parts.reshape(len(reached), len(PARTS)), relevant, product_id)


def with_parts(own: Weights, fitted: np.ndarray) -> Weights:
    """Weights with other shares of the parts, (parts,) float, and the same gate."""
    return replace(own, **dict(zip(PARTS, fitted.tolist(), strict=True)))


def _rounded(weights: np.ndarray) -> dict[str, float]:
    """Weights as a profile may have them, summing to 1 as they are written: the largest takes what rounding leaves."""
    rounded = dict(zip(PARTS, np.round(weights, DECIMALS).tolist(), strict=True))
    largest = max(PARTS, key=rounded.__getitem__)
    rest = sum(value for part, value in rounded.items() if part != largest)
    return {**rounded, largest: round(1 - rest, DECIMALS)}

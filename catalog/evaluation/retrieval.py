"""What is measured of searches whose answer is known: a record a query, and the table of measures made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalog.evaluation import measures
from catalog.evaluation.measures import Estimate, Judged

PLACES = 10  # of a ranking that its precision and its reciprocal rank look at


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One labelled query and what the engine answered. Rankings hold one entry a product, or a variant."""

    product_id: str
    variant: str  # "" where the label names none
    category: str
    pattern: str  # "" where the label names none
    products: tuple[str, ...]  # ranked
    variants: tuple[tuple[str, str], ...]  # ranked (product_id, variant)
    patterns: tuple[str, ...]  # of the ranked products
    best_category: str  # the route's first
    searched: tuple[str, ...]  # the routed categories
    mask_iou: float | None = None  # against an exact mask, where the label has one
    milliseconds: Mapping[str, float] = field(default_factory=dict)


def values(answers: Sequence[Answer]) -> dict[str, list[float | None]]:
    """Every measure that the labels allow, in a fixed order: a value a query, None where its label is not asked for.

    `success@k`: the product is among the first k results (one result a product). `reciprocal rank@10`: 1 over the
    product's place. `variant success@k`: the very variant is among the first k (one result a variant), of queries whose
    label names one. A wrong route is a miss in all of them. `routed@1`: the route's best category is the label's;
    `routed`: one of the searched ones is. `print precision@10`: share of the first ten results with the query's print
    class.
    """
    products = [Judged.by_label(a.products, a.product_id) for a in answers]
    variants = [Judged.by_label(a.variants, (a.product_id, a.variant)) for a in answers]
    prints = [Judged.by_label(a.patterns, a.pattern) for a in answers]
    successes = {k: f"Success@{k}" for k in (1, 5, 10)}
    found: dict[str, Sequence[float | None]] = {
        **{f"success@{k}": measures.per_query(measure, products) for k, measure in successes.items()},
        f"reciprocal rank@{PLACES}": measures.per_query(f"RR@{PLACES}", products),
        **{f"variant success@{k}": _where(measures.per_query(measure, variants), [a.variant for a in answers])
           for k, measure in successes.items()},
        "routed@1": [float(a.best_category == a.category) for a in answers],
        "routed": [float(a.category in a.searched) for a in answers],
        f"print precision@{PLACES}": _where(measures.per_query(f"P@{PLACES}", prints), [a.pattern for a in answers]),
        "mask IoU": [a.mask_iou for a in answers],
    }  # fmt: skip
    return {name: list(column) for name, column in found.items() if any(value is not None for value in column)}


def _where(column: Sequence[float], labels: Sequence[str]) -> list[float | None]:
    """The values of queries that have the label."""
    return [value if label else None for value, label in zip(column, labels, strict=True)]


def score(answers: Sequence[Answer]) -> dict[str, Estimate]:
    """The mean of every measure over the queries whose label allows it; intervals resample whole products."""
    table = {}
    for name, column in values(answers).items():
        asked = [(value, a.product_id) for value, a in zip(column, answers, strict=True) if value is not None]
        table[name] = measures.estimate([value for value, _ in asked], [group for _, group in asked])
    return table

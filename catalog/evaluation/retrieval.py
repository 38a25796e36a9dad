"""What is measured of searches whose answer is known: a record a query, and the table of measures made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from catalog.evaluation import measures
from catalog.evaluation.measures import Estimate

PRECISION_PLACES = 10


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
    searched: tuple[str, ...]  # the routed categories, one or two
    mask_iou: float | None = None  # against an exact mask, where the label has one
    milliseconds: Mapping[str, float] = field(default_factory=dict)


def score(answers: Sequence[Answer], *, has_variants: bool) -> dict[str, Estimate]:
    """Every measure that the labels allow, in a fixed order; intervals resample whole products.

    `success@k`: the product is among the first k results (one result a product). `variant success@k`: the very
    variant is among the first k (one result a variant). A wrong route is a miss in both. `routed@1`: the route's best
    category is the label's; `routed`: one of the searched ones is. `print precision@10`: share of the first ten results
    with the query's print class.
    """
    everything = range(len(answers))
    patterned = [place for place in everything if answers[place].pattern]
    masked = [place for place in everything if answers[place].mask_iou is not None]
    wanted: list[tuple[str, Sequence[int], Callable[[Answer], float]]] = [
        (f"success@{k}", everything, lambda a, k=k: measures.success_at_k(a.products, a.product_id, k))  # type: ignore[misc]
        for k in (1, 5, 10)
    ]
    if has_variants:
        wanted += [
            (
                f"variant success@{k}",
                everything,
                lambda a, k=k: measures.success_at_k(a.variants, (a.product_id, a.variant), k),  # type: ignore[misc]
            )
            for k in (1, 5, 10)
        ]
    wanted += [
        ("routed@1", everything, lambda a: float(a.best_category == a.category)),
        ("routed", everything, lambda a: float(a.category in a.searched)),
        (
            f"print precision@{PRECISION_PLACES}",
            patterned,
            lambda a: measures.precision_at_k(a.patterns, a.pattern, PRECISION_PLACES),
        ),
        ("mask IoU", masked, lambda a: a.mask_iou or 0.0),
    ]
    table = {}
    for name, places, measure in wanted:
        chosen = [answers[place] for place in places]
        if chosen:
            table[name] = measures.estimate([measure(a) for a in chosen], [a.product_id for a in chosen])
    return table

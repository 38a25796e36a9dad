"""The measures of a ranking, by ir-measures, and an interval for their mean. docs/evaluation.md defines each.

Three different numbers go by "recall@10" elsewhere. Here: `success_at_k` is any relevant among the first k;
`recall_at_k` and `average_precision` divide by all relevant; the overlap of two rankings is `gate.agreement_at_k`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np

RESAMPLES = 2000
NO_ANSWER = "needs at least one relevant item; leave the query out and say so"


@dataclass(frozen=True)
class Judged:
    """A ranking as its labels see it."""

    hits: tuple[bool, ...]  # by rank: is what stands there relevant?
    relevant: int  # of all there are, found or not

    @classmethod
    def by_label(cls, ranked: Sequence[Hashable], wanted: Hashable, relevant: int | None = None) -> "Judged":
        """What of a ranking of labels is `wanted`; `relevant` is how many of it there are, by default those found.

        Raises: ValueError for fewer relevant items than the ranking has.
        """
        hits = tuple(label == wanted for label in ranked)
        if relevant is not None and relevant < sum(hits):
            raise ValueError(f"{sum(hits)} relevant items are in the ranking, but there are said to be only {relevant}")
        return cls(hits, sum(hits) if relevant is None else relevant)


def per_query(measure: str, judged: Sequence[Judged]) -> list[float]:
    """One of ir-measures' measures ("Success@10", "P@10", "R@10", "AP", "RR@10") of every ranking, in order.

    A query's rank is its score, falling, so that what ties in our ranking keeps its place in TREC's, which would order
    it by name. A ranking without a relevant item scores 0.
    """
    relevances: dict[str, dict[str, int]] = {}
    scores: dict[str, dict[str, float]] = {}
    for place, query in enumerate(judged):
        name = str(place)
        missed = query.relevant - sum(query.hits)
        relevances[name] = {f"d{rank}": int(hit) for rank, hit in enumerate(query.hits)}
        relevances[name] |= {f"missed {number}": 1 for number in range(missed)}
        scores[name] = {f"d{rank}": float(-rank) for rank in range(len(query.hits))}
    parsed = ir_measures.parse_measure(measure)
    found = {metric.query_id: float(metric.value) for metric in ir_measures.iter_calc([parsed], relevances, scores)}
    return [found.get(str(place), 0.0) for place in range(len(judged))]


def success_at_k(ranked: Sequence[Hashable], relevant: Hashable, k: int) -> float:
    """1.0 when `relevant` is among the first k of a ranking, else 0.0."""
    return per_query(f"Success@{k}", [Judged.by_label(ranked, relevant)])[0]


def precision_at_k(ranked: Sequence[Hashable], relevant: Hashable, k: int) -> float:
    """Share of the first k whose label is `relevant`; places that a short ranking leaves empty count as misses."""
    return per_query(f"P@{k}", [Judged.by_label(ranked, relevant)])[0]


def recall_at_k(ranked: Sequence[Hashable], relevant: Hashable, k: int, relevant_count: int) -> float:
    """Share of all `relevant_count` relevant items that are among the first k. Raises: ValueError for none."""
    if relevant_count < 1:
        raise ValueError(f"recall {NO_ANSWER}")
    return per_query(f"R@{k}", [Judged.by_label(ranked, relevant, relevant_count)])[0]


def average_precision(ranked: Sequence[Hashable], relevant: Hashable, relevant_count: int) -> float:
    """Mean, over all `relevant_count` relevant items, of the precision at each one's rank (TREC); a missing one is 0.

    Raises: ValueError for no relevant item.
    """
    if relevant_count < 1:
        raise ValueError(f"average precision {NO_ANSWER}")
    return per_query("AP", [Judged.by_label(ranked, relevant, relevant_count)])[0]


def reciprocal_rank(ranked: Sequence[Hashable], relevant: Hashable, k: int) -> float:
    """One over the rank of the first relevant item; 0.0 where none is among the first k. Their mean is MRR@k."""
    return per_query(f"RR@{k}", [Judged.by_label(ranked, relevant)])[0]


@dataclass(frozen=True)
class Estimate:
    """A mean over queries with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    queries: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.queries})"


def estimate(values: Sequence[float], groups: Sequence[Hashable], seed: int = 0) -> Estimate:
    """Mean of per-query values with a 95 % percentile bootstrap interval that resamples whole groups.

    Queries of one group (one product, one sender) stand or fall together: resampling them one by one would promise
    more than the data holds. Raises: ValueError for no value.
    """
    if not len(values):
        raise ValueError("no query to estimate from")
    totals, counts = group_totals(values, groups)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(totals), size=(RESAMPLES, len(totals)))
    means = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(np.mean(values)), float(low), float(high), len(values))


def group_totals(values: Sequence[float], groups: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
    """The sum of the values of each group and how many there are, both (groups,) float64, as groups first appear.

    Raises: ValueError where not every value has its group.
    """
    if len(values) != len(groups):
        raise ValueError(f"{len(values)} values, but groups of another length: {len(groups)}")
    names = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    index = np.array([names[group] for group in groups], np.int64)
    totals = np.bincount(index, np.asarray(values, np.float64), len(names))
    return totals, np.bincount(index, minlength=len(names)).astype(np.float64)

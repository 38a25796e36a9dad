"""The measures, each defined once, and their intervals. docs/results.md shows them; none has a clock or a file.

Three different numbers go by "recall@10" elsewhere. Here: `success_at_k` is any relevant among the first k;
`recall_at_k` and `average_precision` divide by all relevant; the overlap of two rankings is `gate.agreement_at_k`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over queries with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    queries: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.queries})"


def success_at_k(ranked: Sequence[Hashable], relevant: Hashable, k: int) -> float:
    """1.0 when `relevant` is among the first k of a ranking, else 0.0."""
    return float(relevant in ranked[:k])


def precision_at_k(ranked: Sequence[Hashable], relevant: Hashable, k: int) -> float:
    """Share of the first k whose label is `relevant`; places that a short ranking leaves empty count as misses."""
    return sum(label == relevant for label in ranked[:k]) / k


def recall_at_k(ranked: Sequence[Hashable], relevant: Hashable, k: int, relevant_count: int) -> float:
    """Share of all `relevant_count` relevant items that are among the first k. Raises: ValueError for none."""
    if relevant_count < 1:
        raise ValueError("recall needs at least one relevant item; leave the query out and say so")
    return sum(label == relevant for label in ranked[:k]) / relevant_count


def average_precision(ranked: Sequence[Hashable], relevant: Hashable, relevant_count: int) -> float:
    """Mean, over all `relevant_count` relevant items, of the precision at each one's rank (TREC); a missing one is 0.

    Raises: ValueError for no relevant item.
    """
    if relevant_count < 1:
        raise ValueError("average precision needs at least one relevant item; leave the query out and say so")
    found, total = 0, 0.0
    for rank, label in enumerate(ranked, start=1):
        if label == relevant:
            found += 1
            total += found / rank
    return total / relevant_count


def estimate(values: Sequence[float], groups: Sequence[Hashable], seed: int = 0) -> Estimate:
    """Mean of per-query values with a 95 % percentile bootstrap interval that resamples whole groups.

    Queries of one group (one product, one sender) stand or fall together: resampling them one by one would promise
    more than the data holds. Raises: ValueError for no value.
    """
    if not len(values):
        raise ValueError("no query to estimate from")
    names = {group: place for place, group in enumerate(dict.fromkeys(groups))}
    index = np.array([names[group] for group in groups])
    totals = np.bincount(index, np.asarray(values, np.float64), len(names))
    counts = np.bincount(index, minlength=len(names)).astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(names), size=(RESAMPLES, len(names)))
    means = totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(np.mean(values)), float(low), float(high), len(values))

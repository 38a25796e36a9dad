"""Is one way of searching better than another on the same queries? A paired test, and what many tests at once cost.

Queries of one group (a product, a sender) stand or fall together: intervals draw whole groups, the test turns whole
groups round. Arrays only; docs/evaluation.md says when to believe a difference.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.evaluation.measures import estimate, group_totals

FLIPS = 9999  # random ones; all of them are enumerated where there are no more
BLOCK_FLIPS = 500  # held in memory at a time
ROUNDING = 1e-9  # sums of the same terms in another order are equal


@dataclass(frozen=True)
class Difference:
    """Two ways compared over the queries that both were asked: the second less the first."""

    mean: float
    low: float  # of the 95 % bootstrap interval over whole groups
    high: float
    p: float  # two-sided: how often chance alone makes a difference as large
    queries: int
    groups: int

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}], p = {self.p:.3f} (n = {self.queries})"


def paired(first: Sequence[float], second: Sequence[float], groups: Sequence[Hashable], seed: int = 0) -> Difference:
    """Compare the per-query values of two ways, query i of both in group i: `second` less `first`.

    The interval resamples whole groups. The p-value is of a randomisation test: were both ways one, each group's
    difference might as well have the other sign; p is the share of all such flips (or of `FLIPS` seeded random ones and
    the one that was seen) whose mean is as far from 0 as the one seen.
    Raises: ValueError for no query, or lists of different lengths.
    Source: Smucker, Allan and Carterette, "A comparison of statistical significance tests for information retrieval
        evaluation", 2007; p with the one seen counted: Phipson and Smyth, 2010.
    """
    if not len(first) == len(second) == len(groups):
        raise ValueError(f"{len(first)} values, {len(second)} values and {len(groups)} groups: not of one length")
    differences = (np.asarray(second, np.float64) - np.asarray(first, np.float64)).tolist()
    interval = estimate(differences, groups, seed)
    totals, _ = group_totals(differences, groups)
    p = _sign_flip(totals, np.random.default_rng(seed))
    return Difference(interval.mean, interval.low, interval.high, p, len(differences), len(totals))


def _sign_flip(totals: np.ndarray, rng: np.random.Generator) -> float:
    """The two-sided p-value of the sum of (groups,) totals under flips of their signs."""
    moved = totals[totals != 0]  # a group that is the same both ways says nothing
    seen = abs(moved.sum()) - ROUNDING * max(1.0, float(np.abs(moved).sum()))
    if 2 ** min(len(moved), 60) <= FLIPS + 1:
        flips = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1
        return float(np.mean(np.abs((1 - 2 * flips) @ moved) >= seen))
    as_far = 0
    for start in range(0, FLIPS, BLOCK_FLIPS):
        flips = rng.integers(2, size=(min(BLOCK_FLIPS, FLIPS - start), len(moved)), dtype=np.int8)
        as_far += int(np.count_nonzero(np.abs((1 - 2 * flips) @ moved) >= seen))
    return (as_far + 1) / (FLIPS + 1)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """The p-values of one table by name, adjusted for there being several: the chance of even one false claim.

    Source: Holm, "A simple sequentially rejective multiple test procedure", 1979.
    """
    adjusted, least = {}, 0.0
    for place, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = least
    return {name: adjusted[name] for name in p_values}

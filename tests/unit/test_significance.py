"""The paired test against exact enumeration by hand, scipy's permutation test, and what it must and must not find."""

import itertools

import numpy as np
import pytest
from scipy import stats

from catalog.evaluation.significance import Difference, holm, paired


def enumerated(totals: list[float]) -> float:
    """The share of all sign flips whose sum is as far from 0: by itertools, not by our arrays."""
    flips = list(itertools.product((1, -1), repeat=len(totals)))
    seen = abs(sum(totals))
    sums = [abs(sum(sign * total for sign, total in zip(flip, totals, strict=True))) for flip in flips]
    return sum(found >= seen - 1e-12 for found in sums) / len(flips)


def test_three_groups_by_hand() -> None:
    """Better in each of three groups: of eight flips two are as far from 0, all one way and all the other."""
    found = paired([0, 0, 0], [1, 1, 1], ["a", "b", "c"])
    assert found == Difference(mean=1.0, low=1.0, high=1.0, p=0.25, queries=3, groups=3)


def test_whole_groups_flip() -> None:
    """Six queries of two products are two flips, not six: p can't go under a half."""
    assert paired([0] * 6, [1] * 6, list("aaabbb")).p == 0.5
    assert paired([0] * 6, [1] * 6, list("abcdef")).p == 2 / 64


def test_few_groups_are_enumerated() -> None:
    """Ten groups of one to three queries: every one of the 1,024 flips."""
    rng = np.random.default_rng(5)
    groups = np.repeat(np.arange(10), rng.integers(1, 4, 10))
    first, second = rng.random(len(groups)), rng.random(len(groups)) + 0.15
    totals = [float((second - first)[groups == group].sum()) for group in range(10)]
    assert paired(first.tolist(), second.tolist(), groups.tolist()).p == pytest.approx(enumerated(totals), abs=1e-12)


def test_many_groups_are_scipys() -> None:
    """60 pairs: `scipy.stats.permutation_test` of paired samples, 20,000 random swaps, within their noise."""
    rng = np.random.default_rng(7)
    first = rng.random(60)
    second = first + rng.normal(0.05, 0.2, 60)
    reference = stats.permutation_test(
        (first, second), lambda a, b, axis: np.mean(b - a, axis=axis), permutation_type="samples", vectorized=True,
        n_resamples=20_000, rng=np.random.default_rng(8),
    )  # fmt: skip
    found = paired(first.tolist(), second.tolist(), range(60))
    assert 0.01 < reference.pvalue < 0.5  # a p that could be wrong
    assert found.p == pytest.approx(reference.pvalue, abs=0.015)
    assert found.mean == pytest.approx(reference.statistic)


def test_chance_alone_is_uniform() -> None:
    """Two ways that are one: p is under 0.1 in about a tenth of 200 tries, whole groups of three at a time."""
    rng = np.random.default_rng(9)
    ps = []
    for _ in range(200):
        of_group = np.repeat(rng.normal(size=12), 3)
        values = of_group + rng.normal(size=36) * 0.1
        ps.append(paired([0.0] * 36, values.tolist(), np.repeat(np.arange(12), 3).tolist()).p)
    assert 0.04 < np.mean(np.array(ps) < 0.1) < 0.17
    assert 0.42 < np.mean(np.array(ps) < 0.5) < 0.58


def test_the_same_values_are_no_difference() -> None:
    """And the order of the two only turns the sign."""
    assert paired([0.3, 1.0], [0.3, 1.0], ["a", "b"]) == Difference(0.0, 0.0, 0.0, 1.0, 2, 2)
    one, other = paired([0, 0, 1, 0], [1, 1, 1, 0], range(4)), paired([1, 1, 1, 0], [0, 0, 1, 0], range(4))
    assert (one.mean, one.low, one.high, one.p) == (-other.mean, -other.high, -other.low, other.p)
    assert one.mean == 0.5


def test_the_same_seed_gives_the_same() -> None:
    """Both interval and p are seeded, where flips are drawn too."""
    rng = np.random.default_rng(0)
    first, second = rng.random(40).tolist(), rng.random(40).tolist()
    assert paired(first, second, range(40)) == paired(first, second, range(40))
    assert paired(first, second, range(40), seed=1) != paired(first, second, range(40))


def test_refuses_what_does_not_fit() -> None:
    """A caller's mistakes."""
    with pytest.raises(ValueError, match="2 values, 1 values and 2 groups: not of one length"):
        paired([0, 1], [0], ["a", "b"])
    with pytest.raises(ValueError, match="no query to estimate from"):
        paired([], [], [])


def test_holm_by_hand() -> None:
    """0.01 x 4, 0.02 x 3, then 0.03 x 2 and 0.04 x 1, which may not fall under the one before; none over 1."""
    adjusted = holm({"c": 0.03, "a": 0.01, "d": 0.04, "b": 0.02})
    assert adjusted == pytest.approx({"c": 0.06, "a": 0.04, "d": 0.06, "b": 0.06})
    assert list(adjusted) == ["c", "a", "d", "b"]
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_reads_well() -> None:
    """As a report shows it."""
    assert str(Difference(0.0412, -0.01, 0.0931, 0.0449, 168, 118)) == "+0.041 [-0.010, +0.093], p = 0.045 (n = 168)"

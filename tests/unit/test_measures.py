"""Each measure worked out by hand, and its interval held to scipy's bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from catalog.evaluation.measures import (
    Estimate,
    Judged,
    average_precision,
    estimate,
    per_query,
    precision_at_k,
    recall_at_k,
    reciprocal_rank,
    success_at_k,
)

# Relevant ("x") at ranks 1, 3 and 6 of seven.
RANKED = ["x", "a", "x", "b", "c", "x", "d"]


def test_success_by_hand() -> None:
    """Any relevant among the first k."""
    assert [success_at_k(["a", "b", "x", "x"], "x", k) for k in (1, 2, 3, 10)] == [0, 0, 1, 1]
    assert success_at_k([], "x", 10) == 0
    assert success_at_k([("p", "red"), ("p", "blue")], ("p", "blue"), 1) == 0


def test_precision_by_hand() -> None:
    """Divides by k, also where the ranking is shorter."""
    assert [precision_at_k(RANKED, "x", k) for k in (1, 2, 3, 6)] == [1, 0.5, pytest.approx(2 / 3), 0.5]
    assert precision_at_k(RANKED, "x", 10) == pytest.approx(0.3)
    assert precision_at_k([], "x", 10) == 0


def test_recall_by_hand() -> None:
    """Divides by all relevant: of five there are, three are in the ranking at all."""
    assert [recall_at_k(RANKED, "x", k, 5) for k in (1, 3, 7, 100)] == pytest.approx([0.2, 0.4, 0.6, 0.6])


def test_average_precision_by_hand() -> None:
    """(1/1 + 2/3 + 3/6) / 3 for all found; / 5 where two were never found."""
    assert average_precision(RANKED, "x", 3) == pytest.approx((1 + 2 / 3 + 0.5) / 3)
    assert average_precision(RANKED, "x", 5) == pytest.approx((1 + 2 / 3 + 0.5) / 5)
    assert average_precision(RANKED, "y", 2) == 0
    assert average_precision(["x", "x"], "x", 2) == 1


def test_reciprocal_rank_by_hand() -> None:
    """1 over the first relevant rank, only among the first k."""
    assert [reciprocal_rank(["a", "b", "x", "x"], "x", k) for k in (2, 3, 10)] == pytest.approx([0, 1 / 3, 1 / 3])
    assert reciprocal_rank(["x"], "x", 10) == 1
    assert reciprocal_rank([], "x", 10) == 0


def test_many_queries_at_once_keep_their_order() -> None:
    """Twelve queries, so that "10" must not come before "2"; one ranking is empty, one finds nothing."""
    judged = [Judged((False,) * place + (True,), 1) for place in range(10)] + [Judged((), 1), Judged((False,), 0)]
    assert per_query("RR@10", judged) == pytest.approx([1 / rank for rank in range(1, 11)] + [0, 0])


def test_ties_keep_our_order() -> None:
    """TREC orders equal scores by name; 11 results of which the second is relevant, "d10" must not come before it."""
    assert per_query("Success@1", [Judged((False, True, *[False] * 9), 1)]) == [0]
    assert per_query("Success@2", [Judged((False, True, *[False] * 9), 1)]) == [1]


def test_refuses_fewer_relevant_than_found() -> None:
    """A label counted wrong."""
    with pytest.raises(ValueError, match="3 relevant items are in the ranking, but there are said to be only 2"):
        average_precision(RANKED, "x", 2)


@settings(deadline=None)
@given(ranked=st.lists(st.sampled_from("xyz"), max_size=12), missed=st.integers(0, 3))
def test_average_precision_is_the_mean_of_precisions(ranked: list[str], missed: int) -> None:
    """TREC's definition, told with `precision_at_k`: at the rank of each relevant, over all there are."""
    relevant = ranked.count("x") + missed
    if not relevant:
        return
    at_each = [precision_at_k(ranked, "x", rank) for rank, label in enumerate(ranked, start=1) if label == "x"]
    assert average_precision(ranked, "x", relevant) == pytest.approx(sum(at_each) / relevant)


def test_nothing_relevant_is_no_number() -> None:
    """A query without an answer is left out, and said so; it is not a 0."""
    with pytest.raises(ValueError, match="recall needs at least one relevant item; leave the query out and say so"):
        recall_at_k(RANKED, "x", 3, 0)
    with pytest.raises(ValueError, match="average precision needs at least one relevant item"):
        average_precision(RANKED, "x", 0)


def test_interval_is_scipys() -> None:
    """200 queries of as many products: within half a hundredth of `scipy.stats.bootstrap`, 20,000 resamples."""
    values = np.random.default_rng(1).random(200) < 0.7
    reference = stats.bootstrap(
        (values.astype(float),), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    found = estimate(values.astype(float).tolist(), range(200))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=0.006)
    assert found.queries == 200


def test_interval_of_groups_is_scipys() -> None:
    """60 products of one to five queries: whole products are drawn, sums over sums (scipy's paired bootstrap)."""
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 6, 60)
    groups = np.repeat(np.arange(60), counts)
    values = np.repeat(rng.random(60) < 0.6, counts) * 0.5 + (rng.random(len(groups)) < 0.6) * 0.5
    totals = np.bincount(groups, values)
    reference = stats.bootstrap(
        (totals, counts),
        lambda total, count, axis: total.sum(axis=axis) / count.sum(axis=axis),
        n_resamples=20_000, method="percentile", paired=True, vectorized=True, rng=np.random.default_rng(4),
    ).confidence_interval  # fmt: skip
    found = estimate(values.tolist(), groups.tolist())
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=0.008)


def test_grouping_widens_the_interval() -> None:
    """100 products asked five times each with one answer: five times the queries are no more knowledge.

    The interval is that of the 100, and sqrt(5) times as wide as 500 independent queries would have.
    """
    answers = (np.random.default_rng(6).random(100) < 0.5).astype(float)
    repeated = np.repeat(answers, 5).tolist()
    once = estimate(answers.tolist(), range(100))
    grouped = estimate(repeated, np.repeat(np.arange(100), 5).tolist())
    apart = estimate(repeated, range(500))
    assert (grouped.low, grouped.high) == pytest.approx((once.low, once.high))
    assert (grouped.high - grouped.low) / (apart.high - apart.low) == pytest.approx(5**0.5, rel=0.12)
    assert grouped.queries == 500


def test_the_order_of_groups_does_not_count() -> None:
    """Which product comes first changes the draws, not the estimate beyond their noise."""
    values, groups = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0] * 20, list("aabbcd") * 20
    first = estimate(values, groups)
    second = estimate(values[::-1], groups[::-1])
    assert first.mean == second.mean == 0.5
    assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=0.13)


def test_one_group_tells_nothing_more() -> None:
    """Its interval is a point: there is nothing to draw from."""
    assert estimate([1.0, 0.0, 1.0, 0.0], ["a"] * 4) == Estimate(0.5, 0.5, 0.5, 4)


def test_all_alike() -> None:
    """No doubt left, in this sample."""
    assert estimate([1.0] * 9, range(9)) == Estimate(1.0, 1.0, 1.0, 9)


def test_the_same_seed_gives_the_same_interval() -> None:
    """And another seed another."""
    values = (np.random.default_rng(0).random(50)).tolist()
    assert estimate(values, range(50)) == estimate(values, range(50))
    assert estimate(values, range(50), seed=1) != estimate(values, range(50))


def test_refuses_no_query_and_labels_that_do_not_fit() -> None:
    """Both are a caller's mistake."""
    with pytest.raises(ValueError, match="no query to estimate from"):
        estimate([], [])
    with pytest.raises(ValueError, match="length"):
        estimate([1.0, 0.0], ["a"])


def test_reads_well() -> None:
    """As docs/results.md shows it."""
    assert str(Estimate(0.6004, 0.5555, 0.65, 168)) == "0.600 [0.555, 0.650] (n = 168)"

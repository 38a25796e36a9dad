"""Fitting the weights of a score's parts: planted ones are found, of any number of parts, and nobody is flattered."""

import numpy as np
import pytest

from catalog.errors import LookbookError
from catalog.evaluation.fusion_fit import SHARPNESS, Candidates, fit, leave_one_group_out


def planted(weights: list[float], queries: int, seed: int = 0, candidates: int = 12) -> list[Candidates]:
    """Queries whose right answer is drawn as the model says: by the softmax of the planted weights' scores."""
    rng = np.random.default_rng(seed)
    drawn = []
    for number in range(queries):
        parts = rng.uniform(0, 1, (candidates, len(weights)))
        odds = np.exp(SHARPNESS * parts @ np.array(weights))
        right = rng.choice(candidates, p=odds / odds.sum())
        drawn.append(Candidates(parts, np.arange(candidates) == right, f"product {number}"))
    return drawn


@pytest.mark.parametrize(
    "weights", [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.6, 0.0, 0.4], [0.4, 0.3, 0.2, 0.1], [0.3, 0.7]]
)
def test_planted_weights_are_found(weights: list[float]) -> None:
    """1,000 queries, two to four parts, an even prior: within 0.04 of every weight, and convex."""
    found = fit(planted(weights, 1000), [1 / len(weights)] * len(weights))
    assert found == pytest.approx(weights, abs=0.04)
    assert found.sum() == pytest.approx(1)
    assert (found >= 0).all()


def test_two_parts_by_a_scan() -> None:
    """The minimum over the one free number, of the same loss written down plainly, at a thousand places."""
    queries, prior = planted([0.8, 0.2], 30, seed=4), np.array([0.5, 0.5])

    def loss(first: float) -> float:
        weights, total = np.array([first, 1 - first]), 0.0
        for query in queries:
            scores = 20 * query.parts @ weights
            total += np.log(np.exp(scores).sum()) - scores[query.relevant][0]
        return total / 30 + (10 / 30) / 2 * ((weights - prior) ** 2).sum()

    scanned = min(np.linspace(0, 1, 1001), key=loss)
    assert fit(queries, prior)[0] == pytest.approx(scanned, abs=0.002)


def test_few_queries_stay_near_the_prior() -> None:
    """Three queries that only colour answers move the weights towards it, not all the way; three hundred do."""
    rng = np.random.default_rng(1)
    parts = [
        np.column_stack([rng.uniform(0, 0.02, 8), rng.uniform(0, 0.02, 8), [0.1, *[0.05] * 7]]) for _ in range(300)
    ]
    queries = [Candidates(own, np.arange(8) == 0, place) for place, own in enumerate(parts)]
    few, many = (fit(queries[:count], [0.5, 0.3, 0.2]) for count in (3, 300))
    assert 0.2 < few[2] < 0.6
    assert many[2] > 0.95


def test_a_query_has_no_say_in_its_own_weights() -> None:
    """One group of contrary queries: left out, the weights are exactly those of a fit without them."""
    queries = planted([0.9, 0.1], 20, seed=2)
    contrary = [
        Candidates(query.parts[:, ::-1], query.relevant, "contrary") for query in planted([0.9, 0.1], 15, seed=3)
    ]
    by_query = leave_one_group_out([*queries, *contrary], [0.5, 0.5])
    assert by_query[-1] == pytest.approx(fit(queries, [0.5, 0.5]), abs=1e-6)
    assert by_query[0] == pytest.approx(fit([*queries[1:], *contrary], [0.5, 0.5]), abs=1e-6)
    assert all(weights is by_query[20] for weights in by_query[20:])


def test_what_says_nothing_changes_nothing() -> None:
    """A query whose answer is not among its candidates, and one that has only right ones."""
    queries = planted([0.7, 0.3], 25, seed=6)
    silent = [Candidates(np.eye(2), np.zeros(2, bool), "a"), Candidates(np.eye(2), np.ones(2, bool), "b")]
    assert fit([*queries, *silent], [0.5, 0.5]) == pytest.approx(fit(queries, [0.5, 0.5]), abs=1e-9)


def test_several_right_answers_count_as_one_query() -> None:
    """A product of four variants, all in the same place, weighs as much as one."""
    rng = np.random.default_rng(8)
    parts = rng.uniform(0, 1, (10, 3))
    once = Candidates(parts, np.arange(10) == 0, "a")
    four = Candidates(np.concatenate([parts[:1]] * 3 + [parts]), np.array([True] * 4 + [False] * 9), "a")
    other = planted([0.2, 0.3, 0.5], 5, seed=9)
    assert fit([four, *other], [1 / 3] * 3) == pytest.approx(fit([once, *other], [1 / 3] * 3), abs=1e-5)


def test_nothing_to_fit_on() -> None:
    """Said in words that a shop can act on."""
    wanted = "no query has both its right answer and a wrong one .* name more labelled query photos under .queries."
    with pytest.raises(LookbookError, match=wanted):
        fit([], [0.5, 0.3, 0.2])
    with pytest.raises(LookbookError, match=wanted):
        leave_one_group_out([Candidates(np.eye(3), np.arange(3) == 0, "the only product")], [0.5, 0.3, 0.2])

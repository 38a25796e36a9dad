"""Tables of differences: ways of searching against the full score, and a run against the run before it."""

import pytest

from catalog.evaluation.comparison import Asked, against_first, with_the_run_before

GROUPS = [f"product {number}" for number in range(8)]


def test_ways_against_the_first() -> None:
    """Eight products. Always worse: p = 2 / 256, doubled by Holm for two rows; never other: 0, p = 1."""
    full, same = against_first({"full": [1.0] * 8, "same": [1.0] * 8, "worse": [0.0] * 8}, GROUPS)[:2]
    assert (full.name, full.estimate.mean, full.difference, full.p_holm) == ("full", 1, None, None)
    assert same.difference is not None
    assert (same.difference.mean, same.p_holm) == (0, 1)
    worse = against_first({"full": [1.0] * 8, "same": [1.0] * 8, "worse": [0.0] * 8}, GROUPS)[2]
    assert worse.difference is not None
    assert (worse.difference.mean, worse.difference.p) == (-1, 2 / 256)
    assert worse.p_holm == pytest.approx(4 / 256)


def test_only_queries_that_have_the_measure() -> None:
    """Two of eight have no print."""
    column = [None, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, None]
    found = against_first({"full": column, "other": [None, *[1.0] * 6, None]}, GROUPS)
    assert [row.estimate.queries for row in found] == [6, 6]
    assert found[1].difference is not None
    assert (found[1].difference.mean, found[1].difference.queries) == (0.5, 6)
    assert against_first({"full": [None], "other": [None]}, ["a"]) == []


def test_refuses_ways_of_other_queries() -> None:
    """Else values would be paired that do not belong together."""
    with pytest.raises(ValueError, match="'other' has not the values of the same queries as 'full'"):
        against_first({"full": [1.0, None], "other": [None, 1.0]}, ["a", "b"])
    with pytest.raises(ValueError, match="'other' has not the values of the same queries"):
        against_first({"full": [1.0, 0.0], "other": [1.0]}, ["a", "b"])


def test_only_what_both_runs_asked() -> None:
    """Query 1 went, query 4 came, query 3 has no print any more; the rest is compared whatever the order."""
    before = {n: Asked(f"p{n}", {"success@1": 0.0, "print": 0.5}) for n in (1, 2, 3)}
    now = {
        4: Asked("p4", {"success@1": 0.0}),
        3: Asked("p3", {"success@1": 1.0}),
        2: Asked("p2", {"success@1": 1.0, "print": 0.25}),
    }
    found = with_the_run_before(before, now)
    assert {name: (one.mean, one.queries) for name, one in found.items()} == {"success@1": (1, 2), "print": (-0.25, 1)}
    assert with_the_run_before({}, now) == {}
    assert with_the_run_before({9: Asked("p", {"success@1": 1.0})}, now) == {}

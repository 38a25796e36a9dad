"""Where a query goes: the nearest prototype or the likeliest line, and those that come close."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax as scipy_softmax

from catalog.features.routing import Router, l2_normalize, route


def at(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def bare(categories: tuple[str, ...], vectors: np.ndarray) -> Router:
    """Prototypes without a bias."""
    return Router(categories, vectors, np.zeros(len(categories), np.float32))


BAG_DRESS_MUG = bare(("bag", "dress", "mug"), at(0, 90, 180))


def test_goes_to_the_nearest() -> None:
    """At 30 degrees: cosines 0.866, 0.5 and -0.866, best first; the margin is the gap."""
    found = route(at(30)[0], BAG_DRESS_MUG, 0.05)
    assert found.categories == ("bag",)
    assert [name for name, _ in found.scores] == ["bag", "dress", "mug"]
    assert [cosine for _, cosine in found.scores] == pytest.approx([math.sqrt(3) / 2, 0.5, -math.sqrt(3) / 2], abs=1e-6)
    assert found.margin == pytest.approx(math.sqrt(3) / 2 - 0.5, abs=1e-6)


def test_goes_to_both_when_the_margin_is_small() -> None:
    """At 44 degrees the gap is cos 44 - sin 44 = 0.0247."""
    query = at(44)[0]
    assert route(query, BAG_DRESS_MUG, 0.03).categories == ("bag", "dress")
    assert route(query, BAG_DRESS_MUG, 0.02).categories == ("bag",)
    assert route(at(46)[0], BAG_DRESS_MUG, 0.03).categories == ("dress", "bag")


def test_goes_to_all_that_come_close() -> None:
    """At 30 degrees the others are 0.366 and 1.732 behind."""
    assert route(at(30)[0], BAG_DRESS_MUG, 1.7).categories == ("bag", "dress")
    assert route(at(30)[0], BAG_DRESS_MUG, 1.8).categories == ("bag", "dress", "mug")


def test_a_tie_goes_to_the_first_by_name() -> None:
    """And with a margin of 0 to it alone."""
    prototypes = bare(("bag", "dress"), at(10, 10))
    assert route(at(10)[0], prototypes, 0).categories == ("bag",)
    assert route(at(10)[0], prototypes, 0.01).categories == ("bag", "dress")


def test_one_category_is_always_right() -> None:
    """Its margin is infinite."""
    found = route(at(200)[0], bare(("bag",), at(0)), 0.05)
    assert found.categories == ("bag",)
    assert found.margin == math.inf


@settings(deadline=None)
@given(
    vectors=hnp.arrays(np.float32, st.tuples(st.integers(1, 8), st.just(4)), elements=st.integers(-8, 8).map(float)),
    query=hnp.arrays(np.float32, 4, elements=st.integers(-8, 8).map(float)),
    margin=st.sampled_from([0.0, 1.0, 10.0]),
)
def test_route_is_that_of_brute_force(vectors: np.ndarray, query: np.ndarray, margin: float) -> None:
    """In float64, ties by name; whole numbers, so that both are exact."""
    names = tuple(f"category {number}" for number in range(len(vectors)))
    cosines = vectors.astype(np.float64) @ query.astype(np.float64)
    order = sorted(range(len(names)), key=lambda row: (-cosines[row], row))
    found = route(query, bare(names, vectors), margin)
    assert found.scores == tuple((names[row], cosines[row]) for row in order)
    near = [row for row in order[1:] if cosines[order[0]] - cosines[row] < margin]
    assert found.categories == tuple(names[row] for row in (order[0], *near))


def test_a_bias_is_added() -> None:
    """At 30 degrees 0.866 and 0.5: with 0.4 more the second is first; cosines they are still called."""
    router = Router(("bag", "dress"), at(0, 90), np.array([0, 0.4], np.float32))
    found = route(at(30)[0], router, 0.02)
    assert found.categories == ("dress",)
    assert found.scores == (("dress", pytest.approx(0.9)), ("bag", pytest.approx(math.sqrt(3) / 2)))
    assert (found.measure, found.margin) == ("cosines", pytest.approx(0.9 - math.sqrt(3) / 2, abs=1e-6))


@settings(deadline=None)
@given(
    lines=hnp.arrays(np.float32, st.tuples(st.integers(1, 6), st.just(5)), elements=st.floats(-60, 60, width=32)),
    margin=st.sampled_from([0.0, 0.1, 0.9]),
)
def test_a_linear_head_gives_probabilities(lines: np.ndarray, margin: float) -> None:
    """As SciPy's softmax has them, and the margin is between them."""
    names = tuple(f"category {number}" for number in range(len(lines)))
    query = np.array([0.5, -0.5, 0.5, 0.5], np.float32)
    wanted = scipy_softmax(lines[:, :-1].astype(np.float64) @ query + lines[:, -1])
    found = route(query, Router(names, lines[:, :-1].copy(), lines[:, -1].copy(), "linear_head"), margin)
    assert found.measure == "probabilities"
    assert dict(found.scores) == pytest.approx(dict(zip(names, wanted.tolist(), strict=True)), abs=1e-4)
    assert [score for _, score in found.scores] == sorted((score for _, score in found.scores), reverse=True)
    best = [score for _, score in found.scores]
    assert found.margin == (best[0] - best[1] if len(best) > 1 else math.inf)
    assert len(found.categories) == 1 + sum(best[0] - score < margin for score in best[1:])


def test_normalizes_rows() -> None:
    """(3, 4) has length 5; a row of zeros stays, and nothing divides by it."""
    with np.errstate(all="raise"):
        found = l2_normalize(np.array([[3, 4], [0, 0], [0, -2]], np.float32))
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, -1]]))

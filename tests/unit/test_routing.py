"""Where a query goes: the nearest prototype, or the nearest two; and how prototypes are made."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from catalog.features.routing import Prototypes, category_prototypes, l2_normalize, route


def at(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def degrees_of(vector: np.ndarray) -> float:
    """The other way round."""
    return math.degrees(math.atan2(vector[1], vector[0]))


BAG_DRESS_MUG = Prototypes(("bag", "dress", "mug"), at(0, 90, 180))


def test_goes_to_the_nearest() -> None:
    """At 30 degrees: cosines 0.866, 0.5 and -0.866, best first; the margin is the gap."""
    found = route(at(30)[0], BAG_DRESS_MUG, 0.05)
    assert found.categories == ("bag",)
    assert [name for name, _ in found.cosines] == ["bag", "dress", "mug"]
    assert [cosine for _, cosine in found.cosines] == pytest.approx(
        [math.sqrt(3) / 2, 0.5, -math.sqrt(3) / 2], abs=1e-6
    )
    assert found.margin == pytest.approx(math.sqrt(3) / 2 - 0.5, abs=1e-6)


def test_goes_to_both_when_the_margin_is_small() -> None:
    """At 44 degrees the gap is cos 44 - sin 44 = 0.0247."""
    query = at(44)[0]
    assert route(query, BAG_DRESS_MUG, 0.03).categories == ("bag", "dress")
    assert route(query, BAG_DRESS_MUG, 0.02).categories == ("bag",)
    assert route(at(46)[0], BAG_DRESS_MUG, 0.03).categories == ("dress", "bag")


def test_never_goes_to_three() -> None:
    """However wide the margin."""
    assert len(route(at(30)[0], BAG_DRESS_MUG, 5).categories) == 2


def test_a_tie_goes_to_the_first_by_name() -> None:
    """And with a margin of 0 to it alone."""
    prototypes = Prototypes(("bag", "dress"), at(10, 10))
    assert route(at(10)[0], prototypes, 0).categories == ("bag",)
    assert route(at(10)[0], prototypes, 0.01).categories == ("bag", "dress")


def test_one_category_is_always_right() -> None:
    """Its margin is infinite."""
    found = route(at(200)[0], Prototypes(("bag",), at(0)), 0.05)
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
    found = route(query, Prototypes(names, vectors), margin)
    assert found.cosines == tuple((names[row], cosines[row]) for row in order)
    both = len(names) > 1 and cosines[order[0]] - cosines[order[1]] < margin
    assert found.categories == tuple(names[row] for row in order[: 1 + both])


def test_a_prototype_is_the_mean_of_its_products() -> None:
    """Two products at 0 and 60 degrees: 30; three photos of the one count no more than the other's single one."""
    bag, dress = category_prototypes(at(0, 0, 0, 60, 200), ["dress"] * 4 + ["bag"], ["a", "a", "a", "b", "c"], {}, 5)
    assert (bag.category, bag.products, bag.basis) == ("bag", 1, "visual")
    assert (dress.category, dress.products, dress.basis) == ("dress", 2, "visual")
    assert degrees_of(bag.vector) % 360 == pytest.approx(200, abs=1e-3)
    assert degrees_of(dress.vector) == pytest.approx(30, abs=1e-3)
    for found in (bag, dress):
        assert found.vector.dtype == np.float32
        assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)


def test_one_product_id_in_two_categories() -> None:
    """Counts in each by its own photos."""
    bag, dress = category_prototypes(at(0, 90, 40), ["bag", "dress", "bag"], ["a", "a", "b"], {}, 1)
    assert (degrees_of(bag.vector), degrees_of(dress.vector)) == pytest.approx((20, 90), abs=1e-3)


def test_few_products_lean_on_the_named_prototype() -> None:
    """One of four needed: a quarter its own at 0 degrees, three quarters the named one at 90: atan(3)."""
    named = {"bag": at(90)[0], "dress": at(90)[0], "hat": at(90)[0]}
    categories = ["bag", "bag", "dress", "dress", "dress", "dress", "mug"]
    bag, dress, mug = category_prototypes(at(*[0] * 7), categories, list("aabcdef"), named, 4)
    assert degrees_of(bag.vector) == pytest.approx(math.degrees(math.atan(3)), abs=1e-3)
    assert np.linalg.norm(bag.vector) == pytest.approx(1, abs=1e-6)
    assert (bag.products, bag.basis) == (1, "visual and named")
    assert (degrees_of(dress.vector), dress.products, dress.basis) == (0, 4, "visual")  # as many as are needed
    assert (degrees_of(mug.vector), mug.basis) == (0, "visual")  # no prototype by its name
    assert named["bag"].tolist() == at(90)[0].tolist()  # what came in is left alone


def test_normalizes_rows() -> None:
    """(3, 4) has length 5; a row of zeros stays, and nothing divides by it."""
    with np.errstate(all="raise"):
        found = l2_normalize(np.array([[3, 4], [0, 0], [0, -2]], np.float32))
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0.6, 0.8], [0, 0], [0, -1]]))

"""Candidates, rerank and one result a product, against a brute force in float64 that is written out here."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from catalog.features.ranking import (
    MOST_CHANCE,
    Weights,
    calibrate,
    chance_cosine,
    first_of_each,
    rerank,
    top_candidates,
)

# Multiples of 1/8: sums of products of them are exact in float32, so that ties are real ties.
eighths = st.integers(-8, 8).map(lambda number: number / 8)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


# --- candidates ------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    similarities=st.lists(eighths, min_size=1, max_size=30),
    data=st.data(),
    count=st.integers(1, 12),
)
def test_candidates_are_those_of_brute_force(similarities: list[float], data: st.DataObject, count: int) -> None:
    """The products by their best rows, the lower row first in a tie; all rows of the first `count` of them."""
    groups = data.draw(
        st.lists(st.sampled_from("abcdefgh"), min_size=len(similarities), max_size=len(similarities)), "groups"
    )
    order = sorted(range(len(similarities)), key=lambda row: (-similarities[row], row))
    best = list(dict.fromkeys(groups[row] for row in order))[:count]
    wanted = [row for row in order if groups[row] in best]
    found = top_candidates(np.array(similarities, np.float32), groups, count)
    assert found.tolist() == wanted


def test_candidates_count_products_not_rows() -> None:
    """Three products are asked for: the first has four photos before the second's one, and all are candidates."""
    similarities = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2], np.float32)
    groups = ["a", "a", "a", "a", "b", "a", "c", "d"]
    assert top_candidates(similarities, groups, 3).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert top_candidates(similarities, np.array(groups), 1).tolist() == [0, 1, 2, 3, 5]
    assert top_candidates(similarities, groups, 99).tolist() == list(range(8))


def test_candidate_ties_go_to_the_lower_row() -> None:
    """Five alike: the first two."""
    assert top_candidates(np.zeros(5, np.float32), list("abcde"), 2).tolist() == [0, 1]


# --- rerank ----------------------------------------------------------------------------------------------------------


def color_rows(*shares: float) -> np.ndarray:
    """Signatures whose similarity with `color_rows(1)` is the share."""
    rows = np.zeros((len(shares), 26), np.float32)
    for row, share in zip(rows, shares, strict=True):
        row[[0, 18, 22]] = share
        row[[1, 19, 23]] = 1 - share
    return rows


@settings(deadline=None)
@given(
    texture=hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.just(4)), elements=eighths),
    data=st.data(),
    weights=st.sampled_from([(0.5, 0.3, 0.2), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.25, 0.5, 0.25)]),
    gate=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    chance=st.sampled_from([0.0, 0.5, -0.25]),
)
def test_rerank_is_that_of_brute_force(
    texture: np.ndarray, data: st.DataObject, weights: tuple[float, float, float], gate: float, chance: float
) -> None:
    """Every part of every score in float64, those that reach the gate first, ties to the lower row."""
    count = len(texture)
    semantic = np.array(data.draw(st.lists(eighths, min_size=count, max_size=count)), np.float32)
    shares = data.draw(st.lists(st.sampled_from([0, 0.25, 0.5, 0.75, 1]), min_size=count, max_size=count))
    candidates = np.array(data.draw(st.permutations(range(10, 10 + count))))
    query = np.array(data.draw(st.lists(eighths, min_size=4, max_size=4)), np.float32)
    colors = color_rows(*shares)
    found = rerank(
        candidates, semantic + 1, semantic, query, texture, chance, color_rows(1)[0], colors,
        Weights(*weights, color_gate=gate),
    )  # fmt: skip
    brute = {}
    for place, row in enumerate(candidates.tolist()):
        cosine = float(texture[place].astype(np.float64) @ query.astype(np.float64))
        parts = (float(semantic[place]), (cosine - chance) / (1 - chance), float(shares[place]))
        brute[row] = (sum(w * part for w, part in zip(weights, parts, strict=True)), parts, cosine, place)
    assert sorted(scored.row for scored in found) == sorted(candidates.tolist())
    for scored in found:
        score, parts, cosine, place = brute[scored.row]
        assert scored.score == pytest.approx(score, abs=1e-5)
        assert (scored.semantic, scored.texture, scored.color) == pytest.approx(parts, abs=1e-6)
        assert scored.texture_cosine == pytest.approx(cosine, abs=1e-6)
        assert scored.semantic_cosine == semantic[place] + 1
        assert scored.passed_color_gate == (parts[2] >= gate or parts[2] == pytest.approx(gate))
    for first, second in itertools.pairwise(found):
        assert first.passed_color_gate >= second.passed_color_gate
        if first.passed_color_gate == second.passed_color_gate:
            assert brute[first.row][0] >= brute[second.row][0] - 1e-5
            assert first.score > second.score or first.row < second.row


def test_rerank_by_hand() -> None:
    """0.5 x 0.4 + 0.3 x (0.6 - 0.2) / 0.8 + 0.2 x 0.75 = 0.5."""
    weights = Weights(semantic=0.5, texture=0.3, color=0.2, color_gate=0.2)
    (scored,) = rerank(
        np.array([7]), np.array([0.55], np.float32), np.array([0.4], np.float32), np.array([1, 0], np.float32),
        np.array([[0.6, 0.8]], np.float32), 0.2, color_rows(1)[0], color_rows(0.75), weights,
    )  # fmt: skip
    assert scored.row == 7
    assert scored.score == pytest.approx(0.5)
    assert (scored.semantic, scored.texture, scored.color) == pytest.approx((0.4, 0.5, 0.75))
    assert (scored.semantic_cosine, scored.texture_cosine) == pytest.approx((0.55, 0.6))
    assert scored.passed_color_gate


def reranked(semantic: list[float], shares: list[float], gate: float, rows: list[int] | None = None) -> list[int]:
    """Rows in order, of candidates that differ in their semantic part and their colours only."""
    count = len(semantic)
    found = rerank(
        np.array(rows or range(count)), np.zeros(count, np.float32), np.array(semantic, np.float32),
        np.array([1, 0], np.float32), np.tile(np.array([1, 0], np.float32), (count, 1)), 0.0,
        color_rows(1)[0], color_rows(*shares), Weights(0.5, 0.3, 0.2, gate),
    )  # fmt: skip
    return [scored.row for scored in found]


def test_other_colors_come_last() -> None:
    """However alike else; among themselves they keep their order, and with the gate at 0 there is none."""
    assert reranked([0.1, 0.9, 0.2, 0.8], [0.5, 0.1, 0.5, 0.1], 0.2) == [2, 0, 1, 3]
    assert reranked([0.1, 0.9, 0.2, 0.8], [0.5, 0.1, 0.5, 0.1], 0.0) == [1, 3, 2, 0]
    assert reranked([0.1, 0.9], [0.0, 0.1], 0.2) == [1, 0]  # nobody passes: still all are there


def test_rerank_ties_go_to_the_lower_row() -> None:
    """Not to the earlier candidate."""
    assert reranked([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], 0.2, rows=[30, 10, 20]) == [10, 20, 30]


# --- one result a product --------------------------------------------------------------------------------------------


def test_one_result_a_product() -> None:
    """The first of each, in order; `count` is of products."""

    def best(count: int, rows: int = 6) -> list[int]:
        found = rerank(
            np.arange(rows), np.zeros(rows, np.float32), np.array([6, 5, 4, 3, 2, 1], np.float32)[:rows] / 8,
            np.zeros(2, np.float32), np.zeros((rows, 2), np.float32), 0.0, color_rows(1)[0], color_rows(*[1] * rows),
            Weights(1, 0, 0, 0),
        )  # fmt: skip
        return [scored.row for scored in first_of_each(found, np.array([7, 7, 3, 7, 5, 3]), count)]

    assert best(10) == [0, 2, 4]
    assert best(2) == [0, 2]
    assert best(10, rows=1) == [0]


# --- one scale -------------------------------------------------------------------------------------------------------


def test_calibrate_by_hand() -> None:
    """Chance is 0, the same picture 1, half way a half; less than chance is negative."""
    found = calibrate(np.array([0.6, 1.0, 0.8, 0.4], np.float32), 0.6)
    assert found.dtype == np.float32
    assert found == pytest.approx([0, 1, 0.5, -0.5], abs=1e-6)


@settings(deadline=None)
@given(cosines=st.lists(eighths, min_size=2, max_size=20), chance=st.floats(-0.5, MOST_CHANCE))
def test_calibrate_keeps_the_order(cosines: list[float], chance: float) -> None:
    """Within a space nothing changes places."""
    found = calibrate(np.array(cosines, np.float32), chance)
    assert np.argsort(found, kind="stable").tolist() == np.argsort(cosines, kind="stable").tolist()


def test_chance_is_the_mean_over_different_products() -> None:
    """20,000 seeded pairs come within 0.01 of the mean over all pairs, worked out in float64."""
    rng = np.random.default_rng(5)
    vectors = unit(rng.normal(size=(20, 8)).repeat(3, axis=0) + rng.normal(size=(60, 8)) / 4 + 1)
    products = [f"p{number // 3}" for number in range(60)]  # three photos each, much alike
    everything = vectors.astype(np.float64) @ vectors.astype(np.float64).T
    different = np.array([[a != b for b in products] for a in products])
    found = chance_cosine(vectors, products, np.random.default_rng(0))
    assert found == pytest.approx(everything[different].mean(), abs=0.01)
    assert everything.mean() - everything[different].mean() > 0.01  # pairs of one product would have shown
    assert chance_cosine(vectors, products, np.random.default_rng(0)) == found
    assert chance_cosine(vectors, products, np.random.default_rng(1)) != found


def test_chance_needs_two_products() -> None:
    """One product, or none, has no chance pair: 0."""
    vectors = unit(np.ones((3, 4)))
    assert chance_cosine(vectors, ["a", "a", "a"], np.random.default_rng(0)) == 0
    assert chance_cosine(vectors[:0], [], np.random.default_rng(0)) == 0


def test_a_shop_whose_products_look_alike_is_still_searched() -> None:
    """One photo for all: chance is 1, or a rounding above it, and the scale would be nothing or turned round."""
    vectors = unit(np.tile(np.random.default_rng(0).normal(size=8), (4, 1)))
    chance = chance_cosine(vectors, list("abcd"), np.random.default_rng(0))
    assert chance == MOST_CHANCE
    found = calibrate(np.array([1, 0.5], np.float32), chance)
    assert np.isfinite(found).all()
    assert found[0] > found[1]

"""What decides whether a smaller model ships: agreement worked out by hand, thresholds at their edges, the words."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.evaluation.gate import (
    BLOCK_ROWS,
    Decision,
    EncoderComparison,
    SegmenterComparison,
    agreement_at_k,
    compare_encoders,
    compare_segmenters,
    decide,
    refuse,
    success_at_1,
)
from catalog.profiles import Int8Gate


def at(*degrees: float) -> np.ndarray:
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def every(gallery: np.ndarray) -> np.ndarray:
    """All rows of the gallery are asked."""
    return np.arange(len(gallery))


def test_agreement_of_some_rows() -> None:
    """The first test's third and fifth item alone: one of two, and two of two."""
    gallery, some = at(0, 10, 25, 60, 100), np.array([2, 4])
    assert agreement_at_k(gallery[some], at(50, 100), gallery, some, k=2) == pytest.approx(3 / 4)


def test_agreement_by_hand() -> None:
    """Five items at 0, 10, 25, 60 and 100 degrees; the smaller model turns the third to 50.

    The first two of each in float: 0: {10, 25}, 10: {0, 25}, 25: {10, 0}, 60: {25, 100} (35, 40), 100: {60, 25}.
    The third's query at 50 finds {60, 10} in the same gallery (10, 40 and 50 away): one of two. 9 of 10.
    """
    gallery = at(0, 10, 25, 60, 100)
    smaller = at(0, 10, 50, 60, 100)
    assert agreement_at_k(gallery, smaller, gallery, every(gallery), k=2) == pytest.approx(9 / 10)
    assert agreement_at_k(gallery, gallery, gallery, every(gallery), k=2) == 1
    assert agreement_at_k(gallery, smaller, gallery, every(gallery), k=1) == pytest.approx(4 / 5)


def test_agreement_leaves_the_query_out() -> None:
    """Each item's nearest other; its own row, where the smaller model may land anywhere, is no result."""
    gallery = at(0, 1, 90, 91)
    assert agreement_at_k(gallery, gallery, gallery, every(gallery), k=1) == 1
    assert agreement_at_k(gallery, at(91, 90, 1, 0), gallery, every(gallery), k=1) == 0


def test_agreement_of_few_rows_is_of_all_the_rest() -> None:
    """Three items have two others, whatever the model says; one item has none."""
    gallery = at(0, 10, 90)
    assert agreement_at_k(gallery, at(90, 90, 0), gallery, every(gallery)) == 1
    assert agreement_at_k(at(0), at(50), at(0), np.array([0])) == 1


def test_agreement_ties_go_to_the_lower_row() -> None:
    """Four alike: both models take the first, so that a catalogue of copies agrees with itself."""
    gallery = at(5, 5, 5, 5)
    assert agreement_at_k(gallery, at(200, 200, 200, 200), gallery, every(gallery), k=1) == 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(2, 40), k=st.integers(1, 12))
def test_agreement_is_that_of_brute_force(seed: int, count: int, k: int) -> None:
    """In plain Python on whole numbers, exact in both."""
    rng = np.random.default_rng(seed)
    gallery, smaller = rng.integers(-4, 5, (2, count, 3)).astype(np.float32)
    nearest = min(k, count - 1)

    def first(queries: np.ndarray, row: int) -> set[int]:
        others = [other for other in range(count) if other != row]
        return set(sorted(others, key=lambda other: (-float(queries[row] @ gallery[other]), other))[:nearest])

    shared = sum(len(first(gallery, row) & first(smaller, row)) for row in range(count))
    assert agreement_at_k(gallery, smaller, gallery, every(gallery), k) == pytest.approx(shared / (count * nearest))


def test_agreement_goes_through_blocks() -> None:
    """More queries than are scanned at a time: a shift by one item is one neighbour of two, in every block."""
    count = 2 * BLOCK_ROWS + 100
    gallery = at(*np.arange(count) * 360 / count)
    assert agreement_at_k(gallery, gallery, gallery, every(gallery), k=2) == 1
    own = np.arange(count) * 360 / count
    smaller = at(*(own + 1.4 * 360 / count))  # nearest but itself: the next and the one after
    assert agreement_at_k(gallery, smaller, gallery, every(gallery), k=2) == pytest.approx(0.5)


def test_success_by_hand() -> None:
    """Of three queries two find the wanted product's row."""
    gallery = at(0, 45, 90)
    products, wanted = np.array(["a", "b", "a"]), np.array(["a", "a", "b"])
    assert success_at_1(at(2, 80, 91), gallery, wanted, products) == pytest.approx(2 / 3)


def test_compares_encoders() -> None:
    """Cosines of 0, 60 and 90 degrees: 1, 0.5 and 0; numpy's quantile at one in a hundred."""
    found = compare_encoders(at(0, 10, 20), at(0, 70, 110), np.arange(3), success_lost=0.01)
    assert found.cosine_mean == pytest.approx(0.5, abs=1e-6)
    assert found.cosine_min == pytest.approx(0, abs=1e-6)
    assert found.cosine_p1 == pytest.approx(0.01, abs=1e-6)  # a fiftieth of the way from 0 to 0.5
    assert (found.queries, found.success_lost, found.agreement_at_10) == (3, 0.01, 1)


def test_compares_segmenters() -> None:
    """Mean, minimum, and the one in a hundred."""
    found = compare_segmenters(np.array([1.0, 0.9, 0.5]))
    assert found.mask_iou_mean == pytest.approx(0.8)
    assert (found.mask_iou_min, found.photos) == (0.5, 3)
    assert found.mask_iou_p1 == pytest.approx(0.5 + 0.02 * 0.4)


GATE = Int8Gate(
    min_agreement_at_10=0.9, max_success_lost=0.02, min_cosine_mean=0.98, min_cosine_p1=0.93,
    min_mask_iou_mean=0.97, min_mask_iou_p1=0.85,
)  # fmt: skip


def encoder(**changes: float | None) -> EncoderComparison:
    """One that is just good enough in everything."""
    values = {"agreement_at_10": 0.9, "cosine_mean": 0.98, "cosine_p1": 0.93, "cosine_min": 0.5, "success_lost": 0.02}
    return EncoderComparison(**{**values, **changes}, queries=100)  # type: ignore[arg-type]


def judged(form: str, measured: EncoderComparison | SegmenterComparison) -> Decision:
    """By those thresholds, of a file of 5 bytes that takes half the time."""
    return decide(form, measured, GATE, size_bytes=5, latency_ratio=0.5)


def test_the_thresholds_themselves_pass() -> None:
    """Neither more nor less is asked; without labelled queries success is not judged; a gain is no loss."""
    for measured in (encoder(), encoder(success_lost=None), encoder(success_lost=-0.5)):
        decision = judged("int8", measured)
        assert (decision.form, decision.passed, decision.reasons) == ("int8", True, ())
    segmenter = SegmenterComparison(mask_iou_mean=0.97, mask_iou_p1=0.85, mask_iou_min=0.0, photos=9)
    assert judged("fp16", segmenter).passed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"agreement_at_10": 0.8999}, "agreement_at_10 0.8999 is under 0.9"),
        ({"cosine_mean": 0.97996}, "cosine_mean 0.9800 is under 0.98"),
        ({"cosine_p1": 0.1}, "cosine_p1 0.1000 is under 0.93"),
        ({"success_lost": 0.0201}, "success@1 lost 0.0201 is over 0.02"),
        ({"agreement_at_10": float("nan")}, "agreement_at_10 nan is under 0.9"),
        ({"success_lost": float("nan")}, "success@1 lost nan is over 0.02"),
    ],
)
def test_each_threshold_refuses(changes: dict[str, float], reason: str) -> None:
    """With the value and the threshold; what is no number passes nothing."""
    decision = judged("int8", encoder(**changes))
    assert not decision.passed
    assert decision.reasons == (reason,)


def test_all_that_falls_short_is_told() -> None:
    """In a fixed order, and with everything that was measured."""
    decision = judged("int8", encoder(agreement_at_10=0.1, cosine_mean=0.2, success_lost=0.3))
    assert decision.reasons == (
        "agreement_at_10 0.1000 is under 0.9",
        "cosine_mean 0.2000 is under 0.98",
        "success@1 lost 0.3000 is over 0.02",
    )
    assert decision.measured["cosine_min"] == 0.5
    assert decision.measured["queries"] == 100
    segmenter = SegmenterComparison(mask_iou_mean=0.5, mask_iou_p1=0.1, mask_iou_min=0.0, photos=9)
    assert judged("int8", segmenter).reasons == (
        "mask_iou_mean 0.5000 is under 0.97",
        "mask_iou_p1 0.1000 is under 0.85",
    )


def test_size_and_latency_are_told_and_not_judged() -> None:
    """A form that is larger and slower than its float model passes all the same: fp16 on some processors is."""
    decision = decide("fp16", encoder(), GATE, size_bytes=10**9, latency_ratio=3.0)
    assert (decision.passed, decision.size_bytes, decision.latency_ratio) == (True, 10**9, 3.0)


def test_what_could_not_run_is_refused_with_its_reason() -> None:
    """Nothing was measured of it."""
    decision = refuse("static_qdq", "a.onnx: ONNX Runtime can't open it", size_bytes=7)
    assert not decision.passed
    assert decision.reasons == ("a.onnx: ONNX Runtime can't open it",)
    assert (decision.measured, decision.latency_ratio, decision.size_bytes) == ({}, None, 7)

"""Does a smaller model stand in for its float one? What is measured, and what decides."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from catalog.profiles import Int8Gate

SEGMENTER_PHOTOS = 160  # compared mask by mask
ENCODER_CROPS = 1024  # put as queries, of all crops: what the gate costs must not grow with the catalogue
BLOCK_ROWS = 512  # of queries scanned at a time, so that memory does not grow with the square of the catalogue


@dataclass(frozen=True, kw_only=True)
class EncoderComparison:
    """A smaller encoder against its float one, over crops of the catalogue as queries."""

    agreement_at_10: float
    cosine_mean: float
    cosine_p1: float
    cosine_min: float
    success_lost: float | None  # success@1 of the float encoder less the smaller one's; None without labelled queries
    queries: int


@dataclass(frozen=True, kw_only=True)
class SegmenterComparison:
    """A smaller segmenter against its float one, mask by mask."""

    mask_iou_mean: float
    mask_iou_p1: float
    mask_iou_min: float
    photos: int


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the gate says of one form of a model."""

    form: str  # as `catalog.onnx_export.quantization.forms` calls them
    passed: bool
    reasons: tuple[str, ...]  # what it fell short of
    measured: dict[str, Any]
    size_bytes: int  # reported, as the latency is: no threshold asks for either
    latency_ratio: float | None  # time of a call over the float model's, in one run; None where it never ran


def agreement_at_k(
    float_queries: np.ndarray, queries: np.ndarray, gallery: np.ndarray, own_rows: np.ndarray, k: int = 10
) -> float:
    """Mean share of the float ranking's first k that the other ranking's first k has too.

    Row i of both (n, dim) query matrices is row own_rows[i] of the (m, dim) gallery, which is left out of its own
    results. With fewer than k + 1 rows the whole rest is compared. Ties go to the lower row in both.
    """
    k = min(k, len(gallery) - 1)
    if k < 1 or not len(own_rows):
        return 1.0
    shared = 0
    for start in range(0, len(own_rows), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        first = _top_k(float_queries[rows] @ gallery.T, own_rows[rows], k)
        second = _top_k(queries[rows] @ gallery.T, own_rows[rows], k)
        shared += sum(len(np.intersect1d(a, b)) for a, b in zip(first, second, strict=True))
    return shared / (len(own_rows) * k)


def _top_k(cosines: np.ndarray, own_rows: np.ndarray, k: int) -> list[np.ndarray]:
    """The places of each row's k highest, ties to the lower place. Sorting all of them would take most of the time."""
    cosines[np.arange(len(cosines)), own_rows] = -np.inf
    least = np.partition(cosines, -k, axis=1)[:, -k]
    found = []
    for row, floor in zip(cosines, least, strict=True):
        places = np.flatnonzero(row >= floor)
        found.append(places[np.argsort(-row[places], kind="stable")][:k])
    return found


def success_at_1(queries: np.ndarray, gallery: np.ndarray, wanted: np.ndarray, products: np.ndarray) -> float:
    """Share of (n, dim) labelled queries whose nearest gallery row is of the wanted product."""
    return float((products[np.argmax(queries @ gallery.T, axis=1)] == wanted).mean())


def compare_encoders(
    gallery: np.ndarray, vectors: np.ndarray, own_rows: np.ndarray, success_lost: float | None = None
) -> EncoderComparison:
    """Measure a smaller encoder's (n, dim) vectors of some crops against the float ones of all, (m, dim).

    `own_rows` (n,) are the crops' rows of the gallery.
    """
    float_vectors = gallery[own_rows]
    cosines = np.einsum("ij,ij->i", float_vectors, vectors)
    return EncoderComparison(
        agreement_at_10=agreement_at_k(float_vectors, vectors, gallery, own_rows),
        cosine_mean=float(cosines.mean()),
        cosine_p1=float(np.quantile(cosines, 0.01)),
        cosine_min=float(cosines.min()),
        success_lost=success_lost,
        queries=len(vectors),
    )


def compare_segmenters(ious: np.ndarray) -> SegmenterComparison:
    """Measure a smaller segmenter by the (n,) IoU of its masks with the float one's."""
    return SegmenterComparison(
        mask_iou_mean=float(ious.mean()),
        mask_iou_p1=float(np.quantile(ious, 0.01)),
        mask_iou_min=float(ious.min()),
        photos=len(ious),
    )


def decide(
    form: str,
    measured: EncoderComparison | SegmenterComparison,
    gate: Int8Gate,
    *,
    size_bytes: int,
    latency_ratio: float,
) -> Decision:
    """Hold what was measured to the profile's thresholds."""
    lost = None
    if isinstance(measured, EncoderComparison):
        lost = measured.success_lost
        floors = [
            ("agreement_at_10", measured.agreement_at_10, gate.min_agreement_at_10),
            ("cosine_mean", measured.cosine_mean, gate.min_cosine_mean),
            ("cosine_p1", measured.cosine_p1, gate.min_cosine_p1),
        ]
    else:
        floors = [
            ("mask_iou_mean", measured.mask_iou_mean, gate.min_mask_iou_mean),
            ("mask_iou_p1", measured.mask_iou_p1, gate.min_mask_iou_p1),
        ]
    reasons = [f"{name} {value:.4f} is under {floor:g}" for name, value, floor in floors if not value >= floor]
    if lost is not None and not lost <= gate.max_success_lost:
        reasons.append(f"success@1 lost {lost:.4f} is over {gate.max_success_lost:g}")
    return Decision(
        form=form,
        passed=not reasons,
        reasons=tuple(reasons),
        measured=asdict(measured),
        size_bytes=size_bytes,
        latency_ratio=latency_ratio,
    )


def refuse(form: str, reason: str, *, size_bytes: int = 0) -> Decision:
    """Of a form that could not be made, opened or run at all."""
    return Decision(form=form, passed=False, reasons=(reason,), measured={}, size_bytes=size_bytes, latency_ratio=None)

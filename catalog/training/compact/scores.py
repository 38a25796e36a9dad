"""What a trained model is worth on photos that it never saw: classes, and retrieval by its embedding. No torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from ir_measures import AP, RR, Success

MEASURES = {"top_1": Success @ 1, "top_5": Success @ 5, "mrr": RR, "map": AP}
QUERIES_AT_ONCE = 64  # whose whole rankings are in memory


@dataclass(frozen=True)
class ClassScore:
    """One class; a quotient of nothing is 0, as scikit-learn has it."""

    label: str
    precision: float
    recall: float
    f1: float
    photos: int  # of the class in the split


@dataclass(frozen=True)
class Classification:
    """All classes."""

    accuracy: float
    precision: float  # macro: the mean over the classes that have a photo here; `recall` and `f1` likewise
    recall: float
    f1: float
    classes: tuple[ClassScore, ...]
    confusion: np.ndarray  # (classes, classes) photos: row the true class, column the one that was answered


def classification(truth: np.ndarray, answered: np.ndarray, names: Sequence[str]) -> Classification:
    """Score (n,) answered class indices against the true ones."""
    confusion = np.zeros((len(names), len(names)), np.int64)
    np.add.at(confusion, (truth, answered), 1)
    right, asked, given = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    precision, recall = _share(right, given), _share(right, asked)
    f1 = _share(2 * right, asked + given)
    there = asked > 0
    classes = tuple(
        ClassScore(name, float(precision[row]), float(recall[row]), float(f1[row]), int(asked[row]))
        for row, name in enumerate(names)
    )
    return Classification(
        accuracy=float(right.sum() / max(1, len(truth))),
        precision=_mean(precision[there]),
        recall=_mean(recall[there]),
        f1=_mean(f1[there]),
        classes=classes,
        confusion=confusion,
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def retrieval(
    queries: np.ndarray, labels: np.ndarray, gallery: np.ndarray, gallery_labels: np.ndarray, *, same: bool = False
) -> Mapping[str, float]:
    """Same-class retrieval by cosine: means over the queries of `MEASURES`, as ir-measures defines them.

    `queries` (n, dim) and `gallery` (m, dim) are of length 1; `same` says that row i is in both, and is left out of its
    own results. A query whose class the gallery has not scores 0. `queries` counts what the means are over.
    """
    totals = dict.fromkeys(MEASURES, 0.0)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        rows = range(start, min(start + QUERIES_AT_ONCE, len(queries)))
        cosines = queries[start : start + QUERIES_AT_ONCE] @ gallery.T
        run: dict[str, dict[str, float]] = {}
        relevant: dict[str, dict[str, int]] = {}
        for row, own in zip(rows, cosines, strict=True):
            places = [place for place in range(len(gallery)) if not (same and place == row)]
            run[str(row)] = {str(place): float(own[place]) for place in places}
            wanted = {str(place): 1 for place in places if gallery_labels[place] == labels[row]}
            relevant[str(row)] = wanted or {"none": 1}
        by_measure = {measure: name for name, measure in MEASURES.items()}
        for metric in ir_measures.iter_calc(list(MEASURES.values()), relevant, run):
            totals[by_measure[metric.measure]] += metric.value
    count = max(1, len(queries))
    return {**{name: total / count for name, total in totals.items()}, "queries": len(queries)}

"""Which of a promptable segmenter's masks is the product's: measured, refused or ranked. Who made them is not known."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from catalog.vision import boxes, masks
from catalog.vision.boxes import Box
from catalog.vision.prompts import TOUCHING

STABILITY_OFFSET = 1.0  # logits: the mask is cut that much above and below its threshold of 0
MIN_PREDICTED_IOU = 0.70
MIN_STABILITY = 0.80
MIN_AGREEMENT = 0.50  # with what prompted
MAX_BORDER_FRACTION = 0.75  # of the photo's frame: a mask that touches nearly all of it is the background
MIN_SALIENT_SHARE = 1 / 3  # of a mask that touches the frame, yet less than that
MOST_PIECES = 8
# Of masks that nothing but a grid point asked for: the defaults of SAM 2's own mask generator.
GRID_MIN_PREDICTED_IOU = 0.80
GRID_MIN_STABILITY = 0.95
GRID_MOST_IOU = 0.70  # between two masks of different things
GRID_MOST_CANDIDATES = 64  # kept, the surest: bounds memory and time


@dataclass(frozen=True)
class Candidate:
    """One mask as the segmenter gives it."""

    logits: np.ndarray  # (side, side) float32 over the whole photo, squashed; over 0 is the thing
    predicted_iou: float  # what the segmenter itself thinks of it


@dataclass(frozen=True)
class Chosen:
    """The mask that was taken, at the photo's size, and what it was taken for."""

    binary_mask: np.ndarray  # (height, width) bool
    confidence: float  # mean |2 * probability - 1| over the photo, in [0, 1]
    predicted_iou: float
    stability: float
    saliency_iou: float | None  # with the saliency mask; None where there is none


def is_background(binary_mask: np.ndarray, saliency_mask: np.ndarray | None) -> bool:
    """Is a (height, width) bool mask what stands behind the product?

    It is where it runs along nearly all of the photo's frame, or along a good part of it without being salient.
    """
    border = masks.border_fraction(binary_mask)
    if not masks.MAX_BORDER_FRACTION < border <= MAX_BORDER_FRACTION:
        return border > MAX_BORDER_FRACTION
    return saliency_mask is None or bool(saliency_mask[binary_mask].mean() < MIN_SALIENT_SHARE)


def stability(logits: np.ndarray) -> float:
    """IoU of the mask cut `STABILITY_OFFSET` above its threshold and the same below, in [0, 1]; 0 where it is empty."""
    lower = np.count_nonzero(logits > -STABILITY_OFFSET)
    return float(np.count_nonzero(logits > STABILITY_OFFSET) / lower) if lower else 0.0


def best_candidate(
    candidates: Iterable[Candidate], width: int, height: int, saliency_mask: np.ndarray | None, box: Box | None
) -> Chosen | None:
    """The candidate with the greatest predicted IoU x stability x agreement; None where none is good.

    `box` is a detector's, where one prompted: a mask agrees as far as its own box does with that one (IoU). Else its
    IoU with `saliency_mask`, (height, width) bool, tells. With neither, the larger of two masks is the likelier
    product: the square root of its area stands in.
    A candidate is refused whose scores are low or not a number, that is next to nothing, the background or in many
    pieces, or that does not agree with what prompted it.
    """
    best: Chosen | None = None
    best_value = 0.0
    for candidate in candidates:
        steady = stability(candidate.logits)
        if not (candidate.predicted_iou >= MIN_PREDICTED_IOU and steady >= MIN_STABILITY):
            continue
        binary = masks.without_specks(to_photo(candidate.logits, width, height) > 0)
        area = float(binary.mean())
        if (
            area < masks.MIN_AREA_FRACTION
            or is_background(binary, saliency_mask)
            or ndimage.label(binary, TOUCHING)[1] > MOST_PIECES
        ):
            continue
        overlap = None if saliency_mask is None else masks.intersection_over_union(binary, saliency_mask)
        if box is not None:
            agreement = boxes.box_iou(boxes.box_of_mask(binary), box)
        elif overlap is not None:
            agreement = overlap
        else:
            agreement = 1.0
        if agreement < MIN_AGREEMENT:
            continue
        value = candidate.predicted_iou * steady * agreement
        if box is None and overlap is None:
            value *= area**0.5
        if value > best_value:
            best_value = value
            best = Chosen(binary, _confidence(candidate.logits), candidate.predicted_iou, steady, overlap)
    return best


def to_photo(logits: np.ndarray, width: int, height: int) -> np.ndarray:
    """(side, side) float32 logits at the photo's size, (height, width), bilinearly."""
    picture = Image.fromarray(np.ascontiguousarray(logits, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The sure and steady candidates of a grid, surest first, each thing once: at most `GRID_MOST_CANDIDATES`."""
    sure = [
        candidate
        for candidate in candidates
        if candidate.predicted_iou >= GRID_MIN_PREDICTED_IOU and stability(candidate.logits) >= GRID_MIN_STABILITY
    ]
    kept: list[tuple[Candidate, np.ndarray, Box, int]] = []
    for candidate in sorted(sure, key=lambda entry: -entry.predicted_iou):
        binary = candidate.logits > 0
        area = int(np.count_nonzero(binary))
        if not area:
            continue
        around = boxes.box_of_mask(binary)
        if not any(_same(binary, around, area, other, its_box, its_area) for _, other, its_box, its_area in kept):
            kept.append((candidate, binary, around, area))
        if len(kept) == GRID_MOST_CANDIDATES:
            break
    return [candidate for candidate, _, _, _ in kept]


def _same(first: np.ndarray, first_box: Box, first_area: int, second: np.ndarray, second_box: Box, area: int) -> bool:
    # Two masks share no more than their boxes do, so that most pairs need no look at their pixels.
    if boxes.box_area(boxes.intersection(first_box, second_box)) <= GRID_MOST_IOU * max(first_area, area):
        return False
    return masks.intersection_over_union(first, second) > GRID_MOST_IOU


def _confidence(logits: np.ndarray) -> float:
    return float(np.abs(np.tanh(logits / 2)).mean())  # 2 * sigmoid(x) - 1 = tanh(x / 2)

"""Boxes in a photo: what a detector gives, overlap, and which of several is the product's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]  # left, top, right, bottom, in pixels; right and bottom are outside

MIN_PRODUCT_FRACTION = 0.005  # of the photo's area: less is a thing in the background, or a part of the product
MIN_SALIENT_SHARE = 0.5  # of a detection's box, inside the saliency mask's: a bed under a shirt is not the product


@dataclass(frozen=True)
class Detection:
    """One thing that a detector found."""

    box: Box
    confidence: float  # in [0, 1]


def box_of_mask(binary_mask: np.ndarray) -> Box:
    """The smallest box around a (height, width) bool mask with at least one pixel."""
    rows, columns = np.flatnonzero(binary_mask.any(axis=1)), np.flatnonzero(binary_mask.any(axis=0))
    return (float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def box_area(box: Box) -> float:
    """A box's pixels; 0 where its sides are crossed."""
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def intersection(first: Box, second: Box) -> Box:
    """What two boxes share; its area is 0 where they share nothing."""
    return (
        max(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        min(first[3], second[3]),
    )


def box_iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes; 0 where both are empty."""
    shared = box_area(intersection(first, second))
    union = box_area(first) + box_area(second) - shared
    return shared / union if union > 0 else 0.0


def grown(box: Box, share: float, least_px: float, width: int, height: int) -> Box:
    """A box with `share` of its sides, at least `least_px`, added on each side, inside the photo."""
    across, down = max(least_px, share * (box[2] - box[0])), max(least_px, share * (box[3] - box[1]))
    larger = (box[0] - across, box[1] - down, box[2] + across, box[3] + down)
    return intersection(larger, (0.0, 0.0, float(width), float(height)))


def without_doubles(detections: Sequence[Detection], most_iou: float) -> list[Detection]:
    """The detections, surest first, without those that overlap a surer one by more than `most_iou`."""
    kept: list[Detection] = []
    for found in sorted(detections, key=lambda entry: -entry.confidence):
        if all(box_iou(found.box, other.box) <= most_iou for other in kept):
            kept.append(found)
    return kept


def products_box(
    detections: Sequence[Detection], width: int, height: int, saliency_mask: np.ndarray | None
) -> Detection | None:
    """The detection that is most likely the product; None where none may be it.

    `saliency_mask` is (height, width) bool, or None where nothing stands out. With it a detection counts by its
    confidence times the Dice overlap of its box with the mask, without it by confidence times the square root of its
    share of the photo: a shop shows its product large. A box that lies mostly beside what stands out is not the
    product's.
    """
    photo = (0.0, 0.0, float(width), float(height))
    salient_box = photo if saliency_mask is None else box_of_mask(saliency_mask)
    values = []
    for found in detections:
        box = intersection(found.box, photo)
        area = box_area(box)
        if not (np.isfinite(found.confidence) and area >= MIN_PRODUCT_FRACTION * width * height):
            continue
        if box_area(intersection(box, salient_box)) < MIN_SALIENT_SHARE * area:
            continue
        if saliency_mask is None:
            weight = float(np.sqrt(area / (width * height)))
        else:
            left, top, right, bottom = (round(side) for side in box)
            shared = np.count_nonzero(saliency_mask[top:bottom, left:right])
            weight = 2.0 * shared / (np.count_nonzero(saliency_mask) + area)
        if weight > 0:
            values.append((found.confidence * weight, Detection(box, found.confidence)))
    return max(values, key=lambda entry: entry[0])[1] if values else None

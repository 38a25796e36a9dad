"""What a promptable segmenter is asked: a box and points from a saliency mask, or a grid of single points.

All points lie on the product. None is set on the background: where the saliency missed a part of the product, such a
point would cut it off.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from catalog.vision import boxes
from catalog.vision.boxes import Box

BOX_MARGIN = 0.03  # of the box's sides, added all around: saliency tends to stop short of the product's edge
LEAST_MARGIN_PX = 2.0
MOST_POINTS = 5
MIN_PIECE_SHARE = 0.10  # of the largest: as masks.MIN_PIECE_SHARE
TOUCHING = np.ones((3, 3), bool)  # corners too: else a thin chain that runs aslant is as many pieces as it has pixels
WELL_INSIDE = 0.5  # of the greatest depth: how deep in its piece a further point lies at least
# Points a side of the grid. A product that fills a twentieth of the photo's sides or more has one on it; 32, as SAM 2's
# own mask generator has, asks 1,024 times a photo: a minute, not a quarter of one, on two free cores.
GRID_SIDE = 16
GRID_BATCH = 16  # points asked at once: more were no faster, and 32 took SAM 2's decoder .8 GB more than one, 16 .2


@dataclass(frozen=True)
class Prompt:
    """One question to a segmenter: the thing in this box, under these points."""

    box: Box | None
    points: tuple[tuple[float, float], ...]  # (x, y) in pixels of the photo


def prompt_of_mask(binary_mask: np.ndarray) -> Prompt:
    """A box a little larger than a (height, width) bool mask with at least one pixel, and points well inside it."""
    height, width = binary_mask.shape
    around = boxes.grown(boxes.box_of_mask(binary_mask), BOX_MARGIN, LEAST_MARGIN_PX, width, height)
    return Prompt(around, points_inside(binary_mask))


def points_inside(binary_mask: np.ndarray) -> tuple[tuple[float, float], ...]:
    """At most `MOST_POINTS` points of a mask: the deepest of each piece, then more, far from those that are there.

    A point's depth is its distance from the nearest pixel outside the mask; beyond the photo's edge all is outside.
    """
    labels, count = ndimage.label(binary_mask, TOUCHING)
    depth = ndimage.distance_transform_edt(np.pad(binary_mask, 1))[1:-1, 1:-1]
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    pieces = [place + 1 for place in np.argsort(-sizes, kind="stable") if sizes[place] >= MIN_PIECE_SHARE * sizes.max()]
    chosen: list[tuple[int, int]] = []  # row, column
    deepest: dict[int, float] = {}
    for piece in pieces[:MOST_POINTS]:
        within = np.where(labels == piece, depth, 0.0)
        place = int(within.argmax())
        chosen.append(divmod(place, within.shape[1]))
        deepest[piece] = float(within.flat[place])
    rows, columns = np.nonzero(depth > 0)
    least = np.array([WELL_INSIDE * deepest.get(piece, np.inf) for piece in range(count + 1)])
    deep = depth[rows, columns] >= least[labels[rows, columns]]
    rows, columns = rows[deep], columns[deep]
    away = np.full(len(rows), np.inf)
    for row, column in chosen:
        away = np.minimum(away, np.hypot(rows - row, columns - column))
    while len(chosen) < MOST_POINTS:
        farthest = int(away.argmax())
        row, column = int(rows[farthest]), int(columns[farthest])
        if away[farthest] < 2 * depth[row, column]:  # inside the circle that the points before it already stand for
            break
        chosen.append((row, column))
        away = np.minimum(away, np.hypot(rows - row, columns - column))
    return tuple((column + 0.5, row + 0.5) for row, column in chosen)


def grid(width: int, height: int, side: int = GRID_SIDE) -> list[Prompt]:
    """`side` x `side` single points, evenly spread over a photo."""
    return [
        Prompt(None, (((column + 0.5) * width / side, (row + 0.5) * height / side),))
        for row in range(side)
        for column in range(side)
    ]

"""Exact edges on a plain ground, as a shop's photos have: what differs from the ground is the product, shade is not.

A segmenter works on a small square and so is some pixels off along every edge. Where the ground is one colour its
difference tells the edge to the pixel; what only darkens the ground may be a shadow or a white product, and there the
segmenter has the word.
"""

import numpy as np
from scipy import ndimage

from catalog.vision import masks
from catalog.vision.masks import ProductMask

FRAME_PX = 4
SAME_LEVELS = 6  # between a plain ground's own pixels
LEAST_PLAIN = 0.90  # of the frame's pixels: a product may run out of the photo
OTHER_LEVELS = 10  # from the ground, in any channel: no longer ground
SHADE_LEVELS = 8  # between the channels of what darkens the ground and does not tint it
DARKEST_GROUND = 64.0  # shade on a darker one is not told from noise
LEAST_AGREEMENT = 0.5  # IoU with the segmenter's mask: else the plain frame is a border around a photo
LEAST_SEEN = 0.1  # of a piece, by the segmenter: else it is a logo or another thing
LEAST_FILLED = 0.5  # of a hole, by the segmenter: a white print; else the ground between an arm and a body

SETTINGS = {  # as a bundle tells its clients
    "frame_px": FRAME_PX,
    "same_levels": SAME_LEVELS,
    "least_plain": LEAST_PLAIN,
    "other_levels": OTHER_LEVELS,
    "shade_levels": SHADE_LEVELS,
    "darkest_ground": DARKEST_GROUND,
    "least_agreement": LEAST_AGREEMENT,
    "least_seen": LEAST_SEEN,
    "least_filled": LEAST_FILLED,
}


def cut_out(saliency_mask: np.ndarray, image_hwc: np.ndarray) -> ProductMask:
    """The product in a (height, width, 3) uint8 photo, by its (side, side) float32 saliency and its exact edges."""
    height, width = image_hwc.shape[:2]
    found = masks.product_mask(saliency_mask, width, height)
    if masks.FULL_FRAME in found.flags:
        return found
    exact = exact_edges(image_hwc, found.binary_mask)
    return found if exact is found.binary_mask else masks.judge_mask(exact, found.confidence)


def plain_ground(image_hwc: np.ndarray) -> np.ndarray | None:
    """The (3,) float32 colour of the ground of a (height, width, 3) uint8 photo; None where its frame has several."""
    frame = np.concatenate(
        [
            part.reshape(-1, 3)
            for part in (
                image_hwc[:FRAME_PX],
                image_hwc[-FRAME_PX:],
                image_hwc[FRAME_PX:-FRAME_PX, :FRAME_PX],
                image_hwc[FRAME_PX:-FRAME_PX, -FRAME_PX:],
            )
        ]
    )
    ground = np.median(frame, axis=0).astype(np.float32)
    plain = (np.abs(frame - ground) <= SAME_LEVELS).all(axis=1).mean() >= LEAST_PLAIN
    return ground if plain else None


def exact_edges(image_hwc: np.ndarray, binary_mask: np.ndarray) -> np.ndarray:
    """A (height, width) bool mask of a (height, width, 3) uint8 photo, brought to the product's edges.

    The same mask where the ground is not plain, or where what stands on it is not what the mask shows.
    """
    ground = plain_ground(image_hwc)
    if ground is None or not binary_mask.any():
        return binary_mask
    darker = [level - image_hwc[..., channel].astype(np.float32) for channel, level in enumerate(ground)]
    least, most = _extremes(darker)
    stands_out = np.maximum(most, -least) > OTHER_LEVELS
    least, most = _extremes(
        [channel * (255 / max(level, DARKEST_GROUND)) for channel, level in zip(darker, ground, strict=True)]
    )
    shade = (most - least <= SHADE_LEVELS) & ~binary_mask
    pieces = masks.without_specks(_seen(ndimage.binary_opening(stands_out & ~shade), binary_mask, LEAST_SEEN))
    exact = pieces | _seen(_holes(pieces), binary_mask, LEAST_FILLED)
    agrees = masks.intersection_over_union(exact, binary_mask) >= LEAST_AGREEMENT
    return exact if agrees else binary_mask


def _extremes(channels: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The least and the most of three channels, pixel by pixel; along the last axis numpy takes ten times as long."""
    first, second, third = channels
    return np.minimum(np.minimum(first, second), third), np.maximum(np.maximum(first, second), third)


def _seen(parts: np.ndarray, binary_mask: np.ndarray, least: float) -> np.ndarray:
    """The pieces of a (height, width) bool array of which at least a share is in the mask."""
    labels, _ = ndimage.label(parts)
    kept = np.bincount(labels.ravel(), binary_mask.ravel()) >= least * np.bincount(labels.ravel())
    kept[0] = False
    return np.asarray(kept[labels])


def _holes(pieces: np.ndarray) -> np.ndarray:
    """What pieces enclose; a hundredth of the time that growing the ground from the frame would take."""
    labels, count = ndimage.label(~pieces)
    enclosed = np.ones(count + 1, np.bool_)
    enclosed[0] = False
    for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        enclosed[side] = False
    return np.asarray(enclosed[labels])

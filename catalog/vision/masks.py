"""From a saliency map to a clean binary mask of the product, and what is suspicious about it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

THRESHOLD = 0.5
MIN_PIECE_SHARE = 0.10  # of the largest piece: two shoes stay, specks go
MIN_AREA_FRACTION = 0.01
MAX_AREA_FRACTION = 0.95
MAX_BORDER_FRACTION = 0.25
MIN_CONFIDENCE = 0.75
BLANK_LEVELS = 8  # the most that the values of an empty photo vary, compression included
FULL_FRAME = "full_frame"  # the flag of a mask that is only a fall-back


@dataclass(frozen=True)
class ProductMask:
    """A product's pixels in its photo, and how far to trust them."""

    binary_mask: np.ndarray  # (height, width) bool
    area_fraction: float  # of the photo, in [0, 1]
    border_fraction: float  # share of the photo's frame that the mask touches, in [0, 1]
    pieces: int
    confidence: float  # mean |2 * saliency - 1| over the photo, in [0, 1]; 1 where every pixel is certain
    flags: tuple[str, ...]


def product_mask(saliency_mask: np.ndarray, width: int, height: int) -> ProductMask:
    """Clean a (side, side) float32 saliency map in [0, 1] into a mask of a `width` x `height` photo.

    Pieces under `MIN_PIECE_SHARE` of the largest are dropped. Where hardly anything is left the whole photo is
    taken, and flagged `full_frame`: a product poorly cut is still found, a product lost is not.
    """
    pieces_kept = without_specks(saliency_mask >= THRESHOLD)
    cleaned = np.where(pieces_kept, saliency_mask, np.minimum(saliency_mask, THRESHOLD - 0.01))
    upsampled = Image.fromarray(cleaned.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    binary = np.asarray(upsampled) >= THRESHOLD
    confidence = float(np.abs(2.0 * saliency_mask - 1.0).mean())
    return judge_mask(binary, confidence)


def is_blank(image_hwc: np.ndarray) -> bool:
    """Is a (height, width, 3) uint8 photo white all over, or one grey? One who knows close-ups takes it for fabric."""
    return int(image_hwc.max()) - int(image_hwc.min()) <= BLANK_LEVELS


def judge_mask(binary_mask: np.ndarray, confidence: float) -> ProductMask:
    """Measure a (height, width) bool mask and flag what is suspicious; next to nothing becomes the full frame."""
    area = float(binary_mask.mean())
    flags = []
    if area < MIN_AREA_FRACTION:
        binary_mask = np.ones_like(binary_mask)
        flags.append(FULL_FRAME)
    elif area > MAX_AREA_FRACTION:
        flags.append("fills_photo")
    border = border_fraction(binary_mask)
    if border > MAX_BORDER_FRACTION and FULL_FRAME not in flags:
        flags.append("touches_border")
    pieces = int(ndimage.label(binary_mask)[1])
    if pieces > 3:
        flags.append("many_pieces")
    if confidence < MIN_CONFIDENCE:
        flags.append("uncertain")
    return ProductMask(binary_mask, float(binary_mask.mean()), border, pieces, confidence, tuple(flags))


def border_fraction(binary_mask: np.ndarray) -> float:
    """The share of the photo's frame, its outermost pixels, that a (height, width) bool mask touches."""
    frame = np.concatenate([binary_mask[0], binary_mask[-1], binary_mask[1:-1, 0], binary_mask[1:-1, -1]])
    return float(frame.mean())


def without_specks(binary: np.ndarray) -> np.ndarray:
    """A (height, width) bool mask without the pieces that are under `MIN_PIECE_SHARE` of its largest."""
    labels, count = ndimage.label(binary)
    if count < 2:
        return binary
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    large = sizes >= MIN_PIECE_SHARE * sizes.max()
    return np.asarray(large[labels])


def intersection_over_union(first: np.ndarray, second: np.ndarray) -> float:
    """IoU of two bool masks of one shape; two empty masks are the same mask: 1."""
    union = np.count_nonzero(first | second)
    return 1.0 if union == 0 else float(np.count_nonzero(first & second) / union)

"""The square that encoders see: the product alone, on one background, with its mask."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

BACKGROUND = 255  # white, as most shops' own photos are
MARGIN = 0.04  # of the product's longer side, left free all around


@dataclass(frozen=True)
class ProductCrop:
    """A product cut out of its photo: (side, side, 3) uint8 on white, and its (side, side) bool mask."""

    image_hwc: np.ndarray
    binary_mask: np.ndarray
    box: tuple[int, int, int, int]  # left, top, right, bottom of the square in the photo's pixels; may reach outside


def crop_product(image_hwc: np.ndarray, binary_mask: np.ndarray, max_side_px: int) -> ProductCrop:
    """Cut the masked product out of a photo into a square of at most `max_side_px`, all else white.

    The aspect ratio is kept: the square is the mask's box grown by `MARGIN`, centred, filled with white where it
    leaves the photo. A mask without a pixel is an error of the caller (masks.judge_mask never gives one).
    """
    rows = np.flatnonzero(binary_mask.any(axis=1))
    columns = np.flatnonzero(binary_mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    longer = max(bottom - top, right - left)
    side = int(longer + 2 * max(1, round(MARGIN * longer)))
    square_top = int((top + bottom - side) // 2)
    square_left = int((left + right - side) // 2)
    image = np.full((side, side, 3), BACKGROUND, np.uint8)
    mask = np.zeros((side, side), bool)
    inside = np.s_[top - square_top : bottom - square_top, left - square_left : right - square_left]
    cut = binary_mask[top:bottom, left:right]
    image[inside] = np.where(cut[..., None], image_hwc[top:bottom, left:right], BACKGROUND)
    mask[inside] = cut
    box = (square_left, square_top, square_left + side, square_top + side)
    if side > max_side_px:
        size = (max_side_px, max_side_px)
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
        mask = np.asarray(Image.fromarray(mask.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)) >= 0.5
        if not mask.any():  # a thread thinner than a pixel of the smaller square
            mask = np.ones_like(mask)
    return ProductCrop(image, mask, box)


def to_rgba(crop: ProductCrop) -> np.ndarray:
    """A crop as one (side, side, 4) uint8 picture: its alpha is 255 on the product, 0 around it."""
    alpha = crop.binary_mask.astype(np.uint8) * np.uint8(255)
    return np.concatenate([crop.image_hwc, alpha[..., None]], axis=2)


def from_rgba(rgba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The (side, side, 3) uint8 pixels and the (side, side) bool mask of a crop kept by `to_rgba`."""
    return np.ascontiguousarray(rgba[..., :3]), rgba[..., 3] >= 128

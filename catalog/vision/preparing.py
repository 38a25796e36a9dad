"""What an encoder's network takes, made with Pillow: the same pixels that a shipped graph prepares inside itself.

A build that runs a network in torch, in batches, prepares its crops here; everything else hands pixels to the graph.
"""

import numpy as np
from PIL import Image

from catalog.model_descriptions import ModelDescription

RESAMPLING = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def prepare_image(image_hwc: np.ndarray, model: ModelDescription) -> np.ndarray:
    """(height, width, 3) uint8 sRGB to (3, side, side) float32, resized, cut and normalised as the row says."""
    size, box = _geometry(image_hwc.shape[0], image_hwc.shape[1], model)
    resized = Image.fromarray(image_hwc).resize(size, RESAMPLING[model.resample]).crop(box)
    scale = 1 / (255 * np.asarray(model.std, np.float32))
    shift = np.asarray(model.mean, np.float32) / np.asarray(model.std, np.float32)
    return np.ascontiguousarray((np.asarray(resized, np.float32) * scale - shift).transpose(2, 0, 1))


def prepare_mask(binary_mask: np.ndarray, model: ModelDescription) -> np.ndarray:
    """(height, width) bool to (1, side, side) float32 in [0, 1], by the geometry of its image."""
    size, box = _geometry(binary_mask.shape[0], binary_mask.shape[1], model)
    resized = Image.fromarray(binary_mask.astype(np.float32)).resize(size, Image.Resampling.BILINEAR).crop(box)
    return np.asarray(resized, np.float32)[None]


def _geometry(height: int, width: int, model: ModelDescription) -> tuple[tuple[int, int], tuple[int, int, int, int]]:
    """The (width, height) to resize to, and the (left, top, right, bottom) to keep of that."""
    side = model.input_side_px
    if model.resize == "squash":
        return (side, side), (0, 0, side, side)
    shortest = model.resize_side_px or side
    shorter = min(height, width)
    size = (shortest * width // shorter, shortest * height // shorter)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    return size, (left, top, left + side, top + side)

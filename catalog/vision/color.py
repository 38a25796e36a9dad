"""The 26-float colour signature of a product, and how alike two of them are."""

import numpy as np

HUE_BINS, SATURATION_BINS, VALUE_BINS = 18, 4, 4
COLOR_SIGNATURE_DIM = HUE_BINS + SATURATION_BINS + VALUE_BINS
_HUE, _SATURATION, _VALUE = slice(0, 18), slice(18, 22), slice(22, 26)
GREY_VOTE = 0.02  # chroma every pixel is given to spread over all hues: of a grey nothing else is left
SAMPLED_SIDE = 192  # of a larger crop every second, third ... pixel is read: colours need no more


def color_signature(image_hwc: np.ndarray, binary_mask: np.ndarray) -> np.ndarray:
    """Describe the masked pixels' colours by three soft histograms, each summing to 1.

    Takes (height, width, 3) uint8 sRGB and a (height, width) bool mask with at least one pixel.
    Returns: (26,) float32: 18 hue bins of 20 degrees (bin 0 centred on red), 4 of saturation, 4 of value, low to high.
    A vote is shared by the two nearest bins in proportion. Hue votes weigh their chroma (max - min), so greys have
    no hue: a product without any colour has a flat hue histogram.
    """
    step = max(1, max(binary_mask.shape) // SAMPLED_SIDE)
    sampled = image_hwc[::step, ::step][binary_mask[::step, ::step]]
    pixels = (sampled if len(sampled) else image_hwc[binary_mask]).astype(np.float32) / 255.0
    if not len(pixels):
        raise ValueError("the mask has no pixel; masks.judge_mask gives a full frame in that case")
    value = pixels.max(axis=1)
    chroma = value - pixels.min(axis=1)
    saturation = np.divide(chroma, value, out=np.zeros_like(value), where=value > 0)
    hue = _hue_turns(pixels, value, chroma)
    signature = np.empty(COLOR_SIGNATURE_DIM, np.float32)
    votes = _soft_histogram(hue * HUE_BINS, chroma, HUE_BINS, circular=True)
    flat = np.full(HUE_BINS, GREY_VOTE * len(pixels) / HUE_BINS)
    signature[_HUE] = (votes + flat) / (votes + flat).sum()
    weights = np.ones_like(value)
    for part, channel, bins in ((_SATURATION, saturation, SATURATION_BINS), (_VALUE, value, VALUE_BINS)):
        histogram = _soft_histogram(channel * (bins - 1), weights, bins, circular=False)
        signature[part] = histogram / histogram.sum()
    return signature


def color_similarity(query: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Mean histogram intersection of the three groups: (n,) float32 in [0, 1], 1 for the same colours.

    `query` is (26,), `rows` (n, 26).
    """
    smaller = np.minimum(rows, query)
    return np.asarray(smaller.sum(axis=1, dtype=np.float32) / np.float32(3))


def _hue_turns(pixels: np.ndarray, value: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Hue in turns, [0, 1), 0 for greys; the usual HSV hexagon."""
    red, green, blue = pixels.T
    safe = np.where(chroma > 0, chroma, 1)
    sixths = np.where(
        value == red,
        (green - blue) / safe,
        np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return np.asarray((sixths / 6.0) % 1.0)


def _soft_histogram(positions: np.ndarray, weights: np.ndarray, bins: int, *, circular: bool) -> np.ndarray:
    lower = np.floor(positions).astype(np.int64)
    upper_share = positions - lower
    upper = lower + 1
    if circular:
        lower, upper = lower % bins, upper % bins
    else:
        lower, upper = np.clip(lower, 0, bins - 1), np.clip(upper, 0, bins - 1)
    counts = np.bincount(lower, weights * (1 - upper_share), minlength=bins)
    return np.asarray(counts + np.bincount(upper, weights * upper_share, minlength=bins))

"""A design and its inks made into a tile of woven cloth, kept per process since many photos share it."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from catalog.sample_catalog.drawing.curves import Floats
from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.prints.animal import coat
from catalog.sample_catalog.prints.design import PrintDesign
from catalog.sample_catalog.prints.field import blank, wrapped_noise
from catalog.sample_catalog.prints.floral import flowers
from catalog.sample_catalog.prints.geometric import shapes
from catalog.sample_catalog.prints.woven import checks, dots, stripes

Bytes = npt.NDArray[np.uint8]

_DRAW = {
    "floral": flowers,
    "polka_dot": dots,
    "striped": stripes,
    "checked": checks,
    "animal": coat,
    "geometric": shapes,
}
SIDE = 256  # texels; a power of two, so that a lookup wraps by a mask


@lru_cache(maxsize=32)
def _weave(weave: str, texels_per_cm: float, seed: int) -> Floats:
    """Relative brightness of the bare cloth, (SIDE, SIDE) about 1."""
    rng = np.random.default_rng(seed)
    place = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(SIDE)
    fine = rng.standard_normal((SIDE, SIDE), dtype=np.float32)
    grain = (fine + np.roll(fine, 1, 0) + np.roll(fine, 1, 1) + np.roll(fine, (1, 1), (0, 1))) * np.float32(0.5)
    cm = SIDE / texels_per_cm

    def lines(along: Floats, per_cm: float) -> Floats:
        return np.asarray(np.sin(along * np.float32(2 * np.pi * max(1, round(per_cm * cm)))))

    down, across = place[:, None], place[None, :]
    texel_limit = texels_per_cm / 3.6  # finer ribs than this would alias
    if weave == "heather":
        streak = sum(np.roll(fine, k, 1) for k in range(9)) / np.float32(3.2)
        return 1 + np.float32(0.06) * streak + np.float32(0.03) * grain
    if weave == "slub":
        streak = wrapped_noise(SIDE, 34, rng, stretch=9) + wrapped_noise(SIDE, 30, rng, stretch=0.11)
        return 1 + np.float32(0.035) * streak + np.float32(0.025) * grain
    if weave == "rib":
        return 1 + np.float32(0.13) * lines(across, min(2.2, texel_limit)) + np.float32(0.02) * grain
    if weave == "twill":
        return 1 + np.float32(0.06) * lines(across + down, min(3.5, texel_limit / 1.5)) + np.float32(0.03) * grain
    if weave == "waffle":
        rate = min(1.4, texel_limit)
        return 1 + np.float32(0.09) * lines(across, rate) * lines(down, rate) + np.float32(0.02) * grain
    if weave == "denim":
        streak = wrapped_noise(SIDE, 40, rng, stretch=0.08)
        return np.asarray(
            1
            + np.float32(0.04) * lines(across + down, min(3.5, texel_limit / 1.5))
            + np.float32(0.035) * streak
            + np.float32(0.04) * grain
        )
    if weave == "leather":
        return 1 + np.float32(0.03) * wrapped_noise(SIDE, 40, rng) + np.float32(0.015) * grain
    if weave == "canvas":
        rate = min(4.0, texel_limit)
        return 1 + np.float32(0.04) * (lines(across, rate) + lines(down, rate)) + np.float32(0.035) * grain
    if weave == "glaze":
        return 1 + np.float32(0.012) * wrapped_noise(SIDE, 9, rng)
    return 1 + np.float32(0.016) * grain  # jersey, poplin


@lru_cache(maxsize=24)
def printed_cloth(design: PrintDesign, inks: tuple[Rgb, ...], weave: str, texels_per_cm: float) -> Bytes:
    """The cloth's repeat, (SIDE, SIDE, 3) uint8 sRGB; `repeat_cm` of the design is taken as it is."""
    tile = blank(SIDE, texels_per_cm, inks[0])
    if design.label in _DRAW:
        _DRAW[design.label](tile, design, inks)
    soft = Image.fromarray(np.clip(tile.color, 0, 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(1.3))
    light = _weave(weave, texels_per_cm, 7)
    return np.asarray(np.clip(np.asarray(soft, np.float32) * light[..., None], 0, 255).astype(np.uint8))

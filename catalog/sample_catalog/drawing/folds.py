"""Cloth's height field: folds that hang, pull, gather and crumple, in cm. Outlines and light live elsewhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from catalog.sample_catalog.drawing.canvas import Piece, enlarge
from catalog.sample_catalog.drawing.curves import Floats, smoothstep

_FLAT, _OPEN = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
_STEP = 2  # folds are wider than two pixels, so they are worked out on every second one


@dataclass(frozen=True)
class Stroke:
    """One fold: a ridge between two points (x, y), steeper on one side, faded at both ends; all in cm."""

    start: tuple[float, float]
    end: tuple[float, float]
    width: tuple[float, float] = (0.8, 1.8)  # half width where it begins and where it ends
    height: float = 0.6
    bend: float = 0.0  # how far its middle moves sideways
    skew: float = 0.35  # 0: both sides alike .. 0.8: one side is a cliff
    root: float = 0.12  # share of the length over which it rises; small where a seam holds it
    tail: float = 0.45  # share over which it dies away


def stroke_height(x: Floats, y: Floats, strokes: Iterable[Stroke]) -> Floats:
    """Sum of the strokes' ridges at each place."""
    total = np.zeros_like(x)
    for stroke in strokes:
        along_x, along_y = stroke.end[0] - stroke.start[0], stroke.end[1] - stroke.start[1]
        length = float(np.hypot(along_x, along_y)) + 1e-3
        ux, uy = np.float32(along_x / length), np.float32(along_y / length)
        dx, dy = x - np.float32(stroke.start[0]), y - np.float32(stroke.start[1])
        t = (dx * ux + dy * uy) * np.float32(1 / length)
        across = dy * ux - dx * uy
        if stroke.bend:
            across -= np.float32(4 * stroke.bend) * t * (1 - t)
        width = np.float32(stroke.width[0]) + np.float32(stroke.width[1] - stroke.width[0]) * np.clip(t, 0, 1)
        q = across / width
        q *= 1 + np.float32(stroke.skew) * np.tanh(q * 2)
        rise = np.clip(t * np.float32(1 / stroke.root), 0, 1)
        fall = np.clip((1 - t) * np.float32(1 / stroke.tail), 0, 1)
        total += np.float32(stroke.height) * np.exp(-q * q) * (rise * fall * (2 - rise) * (2 - fall))
    return total


def swell(
    x: Floats, y: Floats, rng: np.random.Generator, wavelength_cm: float, *, stretch: float = 1.0, waves: int = 6
) -> Floats:
    """Smooth noise of about unit spread: random plane waves; `stretch` > 1 makes it long in y."""
    total = np.zeros_like(x)
    for _ in range(waves):
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        k = 2 * np.pi / (wavelength_cm * rng.uniform(0.7, 1.5))
        total += np.sin(
            x * np.float32(k * np.cos(angle)) + y * np.float32(k * np.sin(angle) / stretch) + np.float32(phase)
        )
    return total * np.float32(np.sqrt(2 / waves))


def crumple(
    x: Floats, y: Floats, rng: np.random.Generator, wavelength_cm: float, height: float, *, stretch: float = 1.0
) -> Floats:
    """Thin curved creases: ridges along the zero lines of smooth noise, stronger here and there."""
    lines = swell(x, y, rng, wavelength_cm, stretch=stretch)
    where = swell(x, y, rng, wavelength_cm * 2.2, waves=4)
    return np.asarray(
        np.float32(height) * np.exp(-np.square(lines * np.float32(2.6))) * np.clip(0.35 + 0.5 * where, 0, 1.2)
    )


def drape(around: Floats, rng: np.random.Generator, folds: float, *, sharp: float = 0.5) -> Floats:
    """Hanging folds about a hem, of unit height: `around` is the turn in radians, `folds` how many a half turn.

    Irregular in width; `sharp` towards 1 makes round ridges with narrow valleys.
    """
    bent = around + sum(
        np.float32(rng.uniform(0.1, 0.35) / k)
        * np.sin(around * np.float32(k * rng.uniform(0.8, 1.7)) + np.float32(rng.uniform(0, 6)))
        for k in (1, 2, 3)
    )
    wave = np.sin(bent * np.float32(2 * folds) + np.float32(rng.uniform(0, 6)))
    uneven = 1 + 0.45 * np.sin(bent * np.float32(0.7 * folds) + np.float32(rng.uniform(0, 6)))
    rounded = 1 - np.abs(np.sin(bent * np.float32(folds) + np.float32(rng.uniform(0, 6)))) ** np.float32(1.6)
    return np.asarray(
        (wave * np.float32(0.5 * (1 - sharp)) + (0.5 - rounded) * np.float32(sharp)) * uneven.astype(np.float32)
    )


def gathers(
    x: Floats, y: Floats, seam_y: Floats | float, rng: np.random.Generator, *, width_cm: float, reach_cm: float
) -> Floats:
    """Fine upright folds below a seam that holds more cloth than its length; unit height, fading over `reach_cm`."""
    below = y - seam_y
    wander = np.float32(0.3 * width_cm) * swell(x, y, rng, 6 * width_cm, waves=3)
    ridge = np.sin((x + wander) * np.float32(2 * np.pi / width_cm))
    ridge += np.float32(0.6) * np.sin(
        (x - wander) * np.float32(2 * np.pi / (1.7 * width_cm)) + np.float32(rng.uniform(0, 6))
    )
    fade = np.where(below > 0, np.exp(-np.square(below * np.float32(1 / reach_cm))), 0)
    return (ridge * np.float32(0.4) * fade).astype(np.float32)


@dataclass(frozen=True)
class Relief:
    """A piece's height worked out: all (h, w) float32, or (1, 1) where it is the same everywhere."""

    lift: Floats  # the folds' height in cm, without the body's form: prints move with it
    slope_x: Floats
    slope_y: Floats
    occlusion: Floats


def relief(piece: Piece, height: Callable[[Floats, Floats], tuple[Floats, Floats] | Floats]) -> Relief:
    """Work out a piece's height in cm: slopes on screen and the shade in its valleys.

    `height(x, y)` gives the form, or (form, folds) where the cloth does not lie smooth on it.
    """
    shape = piece.cover.shape
    if piece.empty:
        return Relief(piece.cover, piece.cover, piece.cover, piece.cover)
    worked_out = height(piece.x[::_STEP, ::_STEP], piece.y[::_STEP, ::_STEP])
    form, folds = worked_out if isinstance(worked_out, tuple) else (worked_out, None)
    total = form if folds is None else form + folds
    step_cm = np.float32(piece.cm_per_pixel * _STEP)
    slope_x, slope_y = np.zeros_like(total), np.zeros_like(total)
    slope_x[:, 1:-1] = (total[:, 2:] - total[:, :-2]) / (2 * step_cm)
    slope_y[1:-1] = (total[2:] - total[:-2]) / (2 * step_cm)
    bilinear = Image.Resampling.BILINEAR
    large_x, large_y = enlarge(slope_x, shape, _STEP, bilinear), enlarge(slope_y, shape, _STEP, bilinear)
    if folds is None:
        return Relief(_FLAT, large_x, large_y, _OPEN)
    # Valleys see less of the sky: narrow ones against the cloth close by, wide ones against the cloth about them.
    near = ndimage.uniform_filter(folds, max(3, round(2.4 / float(step_cm))), mode="nearest")
    wide = ndimage.uniform_filter(folds, max(3, round(9.0 / float(step_cm))), mode="nearest")
    shade = 1 - np.float32(0.75) * np.clip((near - folds) * np.float32(1.1), -0.15, 1)
    shade *= 1 - np.clip((wide - folds) * np.float32(0.28), -0.10, 0.5)
    lift, occlusion = enlarge(folds, shape, _STEP, bilinear), enlarge(shade, shape, _STEP, bilinear)
    return Relief(lift, large_x, large_y, occlusion)


def tube(x: Floats, left: Floats | float, right: Floats | float, depth: Floats | float) -> Floats:
    """Height of a rounded form between two edges: an ellipse's upper half, flattened a little at the rim."""
    middle, half = (left + right) * 0.5, np.maximum((right - left) * 0.5, 0.3)
    s = np.clip((x - middle) / half, -1, 1)
    return np.asarray(depth * np.sqrt(np.maximum(1.03 - s * s, 0.03)).astype(np.float32))


def fade_in(y: Floats, start: float, end: float) -> Floats:
    """0 before `start`, 1 after `end` (cm down the cloth)."""
    return smoothstep(start, end, y)

"""A shop's studio: a pale backdrop, its soft shadow, the light of a soft box."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog.sample_catalog.drawing.canvas import Canvas, enlarge
from catalog.sample_catalog.drawing.curves import Floats, smoothstep
from catalog.sample_catalog.drawing.shading import Light

_STEP = 8  # shadows and backdrops are soft: worked out on every eighth pixel


@dataclass(frozen=True, kw_only=True)
class Studio:
    """One session's setting."""

    white: tuple[float, float, float]  # the backdrop's linear color
    falloff: float  # how much darker its rim is
    floor: float  # height of the floor's line as a share of the photo; 2 where none is seen
    shadow: float
    light: Light


def make_studio(rng: np.random.Generator, *, floor: float) -> Studio:
    """Another day in the studio."""
    grey = float(rng.uniform(0.82, 1.04))
    warm = float(rng.normal(0, 0.012))
    side = float(rng.choice((-1, 1), p=(0.7, 0.3)))
    return Studio(
        white=(grey + warm, grey, grey - warm),
        falloff=float(rng.uniform(0.02, 0.12)),
        floor=floor,
        shadow=float(rng.uniform(0.16, 0.34)),
        light=Light(
            x=side * float(rng.uniform(0.35, 0.75)),
            y=-float(rng.uniform(0.35, 0.75)),
            z=float(rng.uniform(0.65, 0.95)),
            key=float(rng.uniform(0.78, 0.92)),
            fill=float(rng.uniform(0.24, 0.36)),
            wrap=float(rng.uniform(0.04, 0.16)),
            tint=(1.0 + warm, 1.0, 1.0 - warm),
        ),
    )


def _blurred(small: Floats, radius: int) -> Floats:
    """Three box blurs, near enough a Gaussian."""
    for _ in range(3):
        for axis in (0, 1):
            pad = [(0, 0), (0, 0)]
            pad[axis] = (radius + 1, radius)
            total = np.cumsum(np.pad(small, pad, "edge"), axis=axis, dtype=np.float32)
            size = small.shape[axis]
            high = np.take(total, range(2 * radius + 1, 2 * radius + 1 + size), axis=axis)
            low = np.take(total, range(0, size), axis=axis)
            small = (high - low) * np.float32(1 / (2 * radius + 1))
    return small


def soft_shadow(solid: Floats, *, dx: float, dy: float, radius: float) -> Floats:
    """What a soft light leaves dark behind `solid`, moved by (dx, dy) pixels and blurred, (H, W) in [0, 1]."""
    tall, wide = solid.shape
    step = _STEP if radius > 6 else 4 if radius > 3 else 2
    small = np.ascontiguousarray(solid[step // 2 :: step, step // 2 :: step])
    shift_y, shift_x = round(dy / step), round(dx / step)
    moved = np.zeros_like(small)
    h, w = small.shape
    y0, y1, x0, x1 = max(shift_y, 0), min(h, h + shift_y), max(shift_x, 0), min(w, w + shift_x)
    moved[y0:y1, x0:x1] = small[y0 - shift_y : y1 - shift_y, x0 - shift_x : x1 - shift_x]
    soft = _blurred(moved, max(1, round(radius / step / 1.7)))
    large = enlarge(np.ascontiguousarray(soft), (tall, wide), step, Image.Resampling.BILINEAR)
    if large.shape != (tall, wide):
        large = np.pad(large, ((0, tall - large.shape[0]), (0, wide - large.shape[1])), "edge")
    return large


def backdrop(studio: Studio, reaches: Floats) -> Floats:
    """The set lit but for its shadows, (H, W, 3) linear; `reaches` (H, W) is the share of light that gets there."""
    tall, wide = reaches.shape
    row = (np.arange(tall, dtype=np.float32) / np.float32(tall))[:, None]
    column = (np.arange(wide, dtype=np.float32) / np.float32(wide))[None, :]
    line = smoothstep(studio.floor - 0.06, studio.floor + 0.06, row)
    line = line * (1 - np.float32(1.6) * np.clip(row - np.float32(studio.floor), 0, 1))
    fall = np.float32(studio.falloff * 2.2)
    down = 1 - fall * np.square(row - np.float32(0.42)) - np.float32(0.055) * line
    bright = (down - fall * np.square(column - np.float32(0.46))) * reaches
    return np.asarray(bright[..., None] * np.array(studio.white, np.float32))


def foot_shadow(tall: int, wide: int, foot_px: Floats, away: float, strength: float) -> Floats:
    """Share of light that what stands leaves to its ground, (tall, wide): dark where it touches, soft beside it.

    `foot_px` (2, 2) are the left and right end (x, y) of where it stands, `away` -1 .. 1 the side away from the light.
    """
    middle, span = foot_px.mean(axis=0), foot_px[1] - foot_px[0]
    half = max(0.5 * float(span[0]), 1.0)
    x = (np.arange(wide, dtype=np.float32)[None, :] - middle[0]) / np.float32(half)
    y = (np.arange(tall, dtype=np.float32)[:, None] - middle[1] - np.float32(0.5) * span[1] * x) * 2
    core = np.exp(-np.square(np.maximum(np.abs(x) - 0.82, 0) * 7)) * np.exp(-np.square(y / np.float32(0.07 * half)))
    reach = np.float32(0.36 * half)
    lean = np.float32(away * 0.22) * np.clip(y / reach, -1, 1)
    lying = np.exp(-np.square(np.maximum(np.abs(x - lean) - 0.62, 0) * 2.6))
    lying = lying * np.exp(-np.square((y - np.float32(0.12) * reach) / reach))
    return np.asarray(1 - np.float32(1.5 * strength) * core - np.float32(1.05 * strength) * lying * (1 - 0.4 * core))


def studio_shadow(canvas: Canvas, studio: Studio, stage: str, foot_px: Floats | None) -> Floats:
    """Share of light that reaches the backdrop, (H, W): the cast shadow and, for what stands, the dark at its foot."""
    tall, wide = canvas.view.height, canvas.view.width
    away = -float(np.sign(studio.light.x))
    if stage == "flat":
        near = soft_shadow(canvas.solid, dx=away * 0.008 * tall, dy=0.011 * tall, radius=0.011 * tall)
        far = soft_shadow(canvas.solid, dx=away * 0.015 * tall, dy=0.025 * tall, radius=0.035 * tall)
        return 1 - np.float32(studio.shadow) * (np.float32(0.7) * near + np.float32(0.6) * far)
    if foot_px is None:
        far = soft_shadow(canvas.solid, dx=away * 0.045 * tall, dy=0.03 * tall, radius=0.07 * tall)
        return 1 - np.float32(0.42 * studio.shadow) * far
    return foot_shadow(tall, wide, foot_px, away, studio.shadow)

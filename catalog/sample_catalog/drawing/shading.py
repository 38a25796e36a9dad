"""Light on a finished canvas: one key light, the sky's fill, a rim and a highlight. Linear light in and out."""

from dataclasses import dataclass

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import Floats

_LINT = 0.007  # what even black cloth gives back, so that its folds are seen


@dataclass(frozen=True, kw_only=True)
class Light:
    """Where the key light stands (x right, y down, z to the camera), and how the rest fills in."""

    x: float = -0.45
    y: float = -0.5
    z: float = 0.75
    key: float = 0.78
    fill: float = 0.36
    wrap: float = 0.12  # how far the light reaches round a form: large for a soft box
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    sheen: float = 0.16  # light that grazing fibres catch


def shade(canvas: Canvas, rows: slice, columns: slice, light: Light) -> Floats:
    """The lit colour of a window of the canvas, (h, w, 3) linear float32."""
    p, q = canvas.slope_x[rows, columns], canvas.slope_y[rows, columns]
    occlusion, gloss = canvas.occlusion[rows, columns], canvas.gloss[rows, columns]
    length = float(np.sqrt(light.x**2 + light.y**2 + light.z**2))
    lx, ly, lz = light.x / length, light.y / length, light.z / length
    nz = 1 / np.sqrt(1 + p * p + q * q)
    toward = (np.float32(lz) - p * np.float32(lx) - q * np.float32(ly)) * nz
    diffuse = np.maximum((toward + np.float32(light.wrap)) * np.float32(1 / (1 + light.wrap)), 0)
    sky = np.float32(0.82) + np.float32(0.22) * q * nz + np.float32(0.18) * nz  # more from above than from below
    direct = np.float32(light.key) * diffuse * np.sqrt(np.maximum(occlusion, 0))
    ambient = np.float32(light.fill) * sky * occlusion
    rim = np.float32(light.sheen) * np.square(1 - nz) * occlusion
    color = canvas.color[rows, columns] + np.float32(_LINT)
    # Blinn's half vector; the camera looks straight down z.
    hx, hy, hz = lx, ly, lz + 1
    half = float(np.sqrt(hx**2 + hy**2 + hz**2))
    facing: Floats = np.maximum((np.float32(hz / half) - p * np.float32(hx / half) - q * np.float32(hy / half)) * nz, 0)
    broad = np.square(np.square(np.square(np.square(facing))))  # to the 16th: a power by squaring, ten times as fast
    sharp = np.square(np.square(broad))
    shine = gloss * occlusion * (np.float32(0.35) * broad + np.float32(0.55) * gloss * sharp)
    lit = np.empty_like(color)
    for channel in range(3):
        light_in = direct * np.float32(light.tint[channel]) + ambient
        lit[..., channel] = color[..., channel] * light_in + (rim * 0.5 + shine) * np.float32(light.tint[channel])
    return lit

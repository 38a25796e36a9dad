"""How a thing is put into a scene; none is ever a product of the catalogue."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import Floats
from catalog.sample_catalog.drawing.folds import relief
from catalog.sample_catalog.drawing.tubes import make_tube

_COLORS = (
    (178, 52, 48),
    (36, 60, 98),
    (226, 218, 200),
    (52, 96, 74),
    (214, 168, 62),
    (120, 120, 124),
    (34, 34, 38),
    (206, 130, 104),
)


def pick(rng: np.random.Generator) -> Floats:
    return np.square(np.array(_COLORS[int(rng.integers(len(_COLORS)))], np.float32) / 255)


def turned(points: Floats, angle: float, x: float, y: float) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray((points @ np.array([[c, s], [-s, c]]) + np.array([x, y])).astype(np.float32))


def put(
    canvas: Canvas,
    outline: Floats,
    color: Floats,
    *,
    shadow: float = 0.5,
    lift: float = 0.6,
    bevel: float = 0.3,
    gloss: float = 0.0,
) -> None:
    piece = canvas.cut(outline)
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=lift, strength=shadow, dx=0.3 * lift, dy=0.6 * lift)
    canvas.lay(piece, color, product=False, bevel_cm=bevel, gloss=gloss)


def rod(
    canvas: Canvas,
    knots: list[tuple[float, float]],
    widths: list[tuple[float, float]],
    color: Floats,
    *,
    gloss: float = 0.1,
    lift: float = 0.5,
) -> None:
    rod = make_tube([(x, y) for x, y in knots], widths)
    piece = rod.cut(canvas, bulge=0.2)
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=lift, strength=0.5, dx=0.2, dy=0.4)

    form = relief(piece, rod.rounded())
    canvas.lay(piece, color, form.slope_x, form.slope_y, product=False, gloss=gloss)

"""What bags are made of: filled-out bodies, straps, chains, rings."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas, Piece
from catalog.sample_catalog.drawing.curves import Floats, ellipse, path
from catalog.sample_catalog.drawing.details import BRASS, METAL, dashes, stitches
from catalog.sample_catalog.drawing.fabric import Fabric, linear
from catalog.sample_catalog.drawing.folds import Stroke, crumple, gathers, relief, stroke_height, swell
from catalog.sample_catalog.drawing.tubes import make_tube
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.shapes import BagShape

LEATHERS: tuple[Rgb, ...] = ((150, 96, 56), (92, 58, 40), (38, 34, 34), (206, 178, 142), (120, 44, 36))


def leather_of(shape: BagShape) -> Floats:
    return linear(LEATHERS[shape.leather % len(LEATHERS)])


def metal_of(shape: BagShape) -> Floats:
    return BRASS if shape.brass else METAL


def strap(
    canvas: Canvas,
    knots: list[tuple[float, float]],
    half: float,
    color: Floats,
    *,
    shadow: float = 0.4,
    stitched: bool = True,
    gloss: float = 0.15,
) -> None:
    band = make_tube([(x, y) for x, y in knots], [(0, half), (1, half)])
    piece = band.cut(canvas)
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=0.7, strength=shadow, dx=0.3, dy=0.4)

    form = relief(piece, band.rounded(0.4))
    canvas.lay(piece, color, form.slope_x, form.slope_y, gloss=gloss, bevel_cm=0.15, bevel_width_cm=0.2)
    if stitched and half > 0.7:
        lines = [band.line + band.normal * np.float32(o * (half - 0.3)) for o in (-1, 1)]
        stitches(canvas, lines, color, 0.55)


def chain(canvas: Canvas, knots: list[tuple[float, float]], color: Floats) -> None:
    line = path([(x, y) for x, y in knots], closed=False)
    links = dashes(line, 1.1, 0.35)
    rings = []
    for k, link in enumerate(links):
        middle, along = link.mean(axis=0), link[1] - link[0]
        turn = float(np.arctan2(along[1], along[0]))
        shape = ellipse(0, 0, 0.85, 0.5 if k % 2 else 0.28, 12)
        c, s = np.cos(turn), np.sin(turn)
        rings.append((shape @ np.array([[c, s], [-s, c]], np.float32) + middle).astype(np.float32))
    if rings:
        piece = canvas.cut(*rings)
        canvas.lay(piece, color, gloss=0.9, bevel_cm=0.4, bevel_width_cm=0.2)


def ring(canvas: Canvas, x: float, y: float, color: Floats, radius: float = 1.1) -> None:
    loop = np.concatenate([ellipse(x, y, radius, radius, 20), ellipse(x, y, radius, radius, 20)[:1]])
    canvas.crease([loop + np.array([0.15, 0.25], np.float32)], width_cm=0.6, strength=0.4)
    rows, columns, cover = canvas.strokes([loop], 0.45)
    if cover.size:
        seen = canvas.color[rows, columns]
        seen += cover[..., None] * (color * np.float32(1.3) - seen)
        for layer in (canvas.product, canvas.solid):
            layer[rows, columns] = np.maximum(layer[rows, columns], cover)


def body(
    canvas: Canvas,
    fabric: Fabric,
    shape: BagShape,
    pose: Pose,
    outline: Floats,
    *,
    deep: float,
    strokes: list[Stroke],
    power: float = 3.5,
    shift: float = 0.0,
    cinch: bool = False,
) -> Piece:
    """The main piece: a filled-out form of cloth or leather."""
    piece = canvas.cut(outline)
    if piece.empty:
        return piece
    rng = pose.rng("bagcloth")
    (x0, y0), (x1, y1) = outline.min(axis=0), outline.max(axis=0)
    cx, cy, rx, ry = float(x0 + x1) / 2, float(y0 + y1) / 2, float(x1 - x0) / 2, float(y1 - y0) / 2

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        u, v = np.clip((x - cx) / np.float32(rx * 1.01), -1, 1), np.clip((y - cy) / np.float32(ry * 1.01), -1, 1)
        dome = (
            np.maximum(1 - np.abs(u) ** np.float32(power), 0.004)
            * np.maximum(1 - np.abs(v) ** np.float32(power), 0.004)
        ) ** np.float32(0.5)
        wx = x + np.float32(0.8) * swell(x, y, rng, 12.0, waves=4)
        wy = y + np.float32(0.8) * swell(x, y, rng, 12.0, waves=4)
        folds = stroke_height(wx, wy, strokes) * np.float32(shape.soft)
        folds += np.float32(shape.soft) * (
            crumple(x, y, rng, 12.0, 0.22 + pose.crumple) + np.float32(0.16) * swell(x, y, rng, 13.0)
        )
        if cinch:
            folds += np.float32(1.0) * gathers(x, y, float(y0) + 2.0, rng, width_cm=2.2, reach_cm=9.0)
        return np.float32(deep) * dome, folds

    form = relief(piece, height)
    bulge = np.clip((piece.x - cx) / np.float32(rx), -1, 1)
    u = piece.x + np.float32(0.06 * rx) * bulge * bulge * bulge + np.float32(0.35) * form.lift
    v = piece.y - np.float32(y0) + np.float32(0.22) * form.lift
    canvas.lay(
        piece,
        fabric.sample(u, v, shift=shift),
        form.slope_x,
        form.slope_y,
        occlusion=form.occlusion,
        gloss=fabric.gloss,
        bevel_cm=0.3,
    )
    return piece


def sags(shape: BagShape, rng: np.random.Generator, count: int = 6) -> list[Stroke]:
    w, h = shape.half_width, shape.height
    strokes = []
    for _ in range(count):
        sign = float(rng.choice((-1, 1)))
        y = -h * float(rng.uniform(0.25, 0.95))
        strokes.append(
            Stroke(
                (sign * w * 0.96, y),
                (sign * w * float(rng.uniform(-0.2, 0.5)), y + float(rng.uniform(-3, 8))),
                (0.9, 2.4),
                float(rng.uniform(0.25, 0.7)),
                bend=float(rng.normal(0, 1.6)),
                tail=0.7,
            )
        )
    for sign in (-1, 1):
        strokes.append(
            Stroke(
                (sign * w * 0.5, -h * 0.95),
                (sign * w * float(rng.uniform(0.3, 0.7)), -h * 0.35),
                (1.0, 3.0),
                float(rng.uniform(0.3, 0.6)),
                tail=0.8,
            )
        )
        strokes.append(Stroke((sign * w * 0.97, -0.5), (sign * w * 0.45, -h * 0.25), (0.8, 2.0), 0.5, tail=0.8))
    return strokes

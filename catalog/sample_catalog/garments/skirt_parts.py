"""What is sewn or tied to a skirt: tiers, pleats, slits, buttons, waistbands, bows."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, mirrored, path
from catalog.sample_catalog.drawing.details import buttons, patch, seam, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import fade_in, relief, swell, tube
from catalog.sample_catalog.drawing.tubes import make_tube
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.skirt_form import SkirtForm, skirt_hem, tier_y
from catalog.sample_catalog.shapes import SkirtShape


def draw_skirt_details(canvas: Canvas, fabric: Fabric, shape: SkirtShape, form: SkirtForm, pose: Pose) -> None:
    ground = fabric.ground
    hem = skirt_hem(shape, form, pose)
    if shape.cut != "pleated":
        line = hem[1:-1].copy()
        line[:, 1] -= 1.8
        line[:, 0] *= 0.985
        stitches(canvas, [line], ground, 0.45)
    for tier in range(1, shape.tiers):
        y = tier_y(shape, form, tier)
        half = float(form.half(np.array([y], np.float32))[0])
        canvas.crease(
            [path([(-half, y), (-half * 0.6, y + 0.8), (0, y + 1.2), (half * 0.6, y + 0.8), (half, y)], closed=False)],
            width_cm=0.5,
            strength=0.5,
        )
    if shape.cut == "pleated":
        at_hem = float(form.half(np.array([form.hem_y], np.float32))[0])
        lines = []
        count = int(np.pi / 2 * at_hem / (shape.pleat_cm * 1.2))
        for k in range(-count, count + 1):
            turn = k * shape.pleat_cm * 1.2 / at_hem
            if abs(turn) > 1.45:
                continue
            down = np.linspace(form.waist_y + 1.5, form.hem_y - 0.5, 12, dtype=np.float32)
            lines.append(np.stack([np.float32(np.sin(turn)) * form.half(down), down], axis=1))
        canvas.crease(lines, width_cm=0.45, strength=0.45)
    if shape.slit and not pose.back:
        x = 7.5
        top = form.hem_y - 0.36 * (form.hem_y - form.waist_y)
        canvas.crease([path([(x, top), (x + 0.3, form.hem_y + 1.5)], closed=False)], width_cm=0.9, strength=0.75)
        stitches(canvas, [path([(x - 1.0, top), (x - 0.8, form.hem_y)], closed=False)], ground)
    if shape.buttons and not pose.back:
        x = pose.yaw * 5.0
        canvas.crease(
            [path([(x + 1.7, form.waist_y + 2), (x + 1.7, form.hem_y + 1)], closed=False)], width_cm=0.4, strength=0.45
        )
        places = [(x, form.waist_y + 6 + 7.4 * k) for k in range(int((form.hem_y - form.waist_y - 8) / 7.4) + 1)]
        buttons(
            canvas,
            places,
            np.array([0.42, 0.3, 0.2], np.float32) if float(ground.mean()) > 0.3 else np.full(3, 0.7, np.float32),
            0.8,
        )
    if shape.cut == "wrap" and not pose.back:
        _wrap_panel(canvas, fabric, form, pose)


def _wrap_panel(canvas: Canvas, fabric: Fabric, form: SkirtForm, pose: Pose) -> None:
    """The overlapping panel's edge, and the tie that holds it."""
    side = 1 if form.seed % 2 else -1
    waist = form.knots[0][1]
    edge: list[Knot] = [
        (side * waist * 0.75, form.waist_y + 1),
        (side * waist * 0.5, form.waist_y + 0.36 * (form.hem_y - form.waist_y)),
        (-side * 1.0, form.hem_y - 5),
        (-side * 4.0, form.hem_y + 1.0),
    ]
    line = path(edge, closed=False)
    canvas.crease([line], width_cm=0.9, strength=0.62)
    stitches(canvas, [line + np.array([-side * 1.0, 0], np.float32)], fabric.ground)
    x, y = side * waist * 0.72, form.waist_y + 2.2
    draw_bow(canvas, fabric, x, y, pose)


def draw_bow(
    canvas: Canvas, fabric: Fabric, x: float, y: float, pose: Pose, *, color: Floats | None = None, size: float = 1.0
) -> None:
    """A tied bow with two hanging ends."""
    rng = pose.rng("bow")
    for sign in (-1, 1):
        end = [
            (x, y),
            (x + sign * 2.0 * size, y + 7 * size),
            (x + sign * float(rng.uniform(1.5, 4)) * size, y + float(rng.uniform(13, 19)) * size),
        ]
        ribbon = make_tube(end, [(0, 0.7 * size), (0.5, 1.2 * size), (1, 1.5 * size)])
        piece = ribbon.cut(canvas)
        canvas.cast(piece, blur_cm=0.6, strength=0.5, dy=0.4)
        cloth = fabric.sample(piece.x, piece.y, shift=2.2) if color is None else color
        canvas.lay(
            piece, cloth, piece.x * np.float32(-0.25) if not piece.empty else 0.0, gloss=fabric.gloss, bevel_cm=0.3
        )
    for sign in (-1, 1):
        loop = path(
            [
                (x, y, CORNER),
                (x + sign * 3.2 * size, y - 2.2 * size),
                (x + sign * 5.4 * size, y + 0.2 * size),
                (x + sign * 3.0 * size, y + 1.8 * size),
            ]
        )
        patch(canvas, fabric, loop, shift=sign * 1.3, turn=0.8 * sign, color=color, shadow=0.5, bevel_cm=0.7)
    patch(
        canvas,
        fabric,
        path(
            [
                (x - 1.0 * size, y - 1.0 * size),
                (x + 1.0 * size, y - 1.0 * size),
                (x + 0.9 * size, y + 1.1 * size),
                (x - 0.9 * size, y + 1.1 * size),
            ]
        ),
        shift=0.4,
        color=color,
        bevel_cm=0.7,
    )


def draw_band(canvas: Canvas, fabric: Fabric, shape: SkirtShape, form: SkirtForm, pose: Pose) -> None:
    """The waistband."""
    if shape.band == "none":
        return
    half, y = form.knots[0][1], form.waist_y
    low = half + 0.25
    knots: list[Knot] = [
        (0, y + 0.8),
        (half * 0.6, y + 0.4),
        (half, y - 0.5, CORNER),
        (low, y + shape.band_cm - 0.4, CORNER),
        (half * 0.6, y + shape.band_cm + 0.6),
        (0, y + shape.band_cm + 1.0),
    ]
    outline = path(mirrored(knots))
    piece = canvas.cut(outline)
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=0.5, strength=0.4, dy=0.4)
    rng = pose.rng("band")

    def height(px: Floats, py: Floats) -> tuple[Floats, Floats]:
        folds = np.zeros_like(px)
        if shape.band == "elastic":
            folds = (
                np.float32(0.3)
                * np.sin(px * np.float32(4.2) + np.float32(0.8) * swell(px, py, rng, 4.0))
                * fade_in(np.abs(py - y), 3.4, 0.2)
            )
        return tube(px, -low, low, 9.0 * pose.depth), folds

    form_ = relief(piece, height)
    color = (
        fabric.sample(piece.x, piece.y, shift=2.6)
        if shape.trim == 0
        else np.broadcast_to(fabric.ink(shape.trim), (*piece.cover.shape, 3))
    )
    canvas.lay(piece, color, form_.slope_x, form_.slope_y, occlusion=form_.occlusion, gloss=fabric.gloss, bevel_cm=0.35)
    for offset in (0.5, shape.band_cm - 0.5):
        stitches(
            canvas,
            [
                path(
                    [(-half + 0.6, y + offset - 0.2), (0, y + offset + 0.8), (half - 0.6, y + offset - 0.2)],
                    closed=False,
                )
            ],
            fabric.ground,
            0.5,
        )
    if shape.band == "tie" and not pose.back:
        draw_bow(canvas, fabric, 3.0, y + 2.4, pose, size=0.8)
    if shape.band == "band" and not pose.back and not shape.buttons and form.seed % 3 == 0:
        seam(canvas, [path([(half * 0.86, y + 3), (half * 0.9, y + 16)], closed=False)], fabric.ground, strength=0.25)

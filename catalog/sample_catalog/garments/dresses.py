"""Dresses: a bodice joined to a skirt, or one long piece; straps, belts and sashes."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, curve_at, mirrored, path, rounded_box
from catalog.sample_catalog.drawing.details import BRASS, patch, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.necks import neck_side
from catalog.sample_catalog.garments.skirt_parts import draw_bow
from catalog.sample_catalog.garments.skirts import draw_skirt, draw_skirt_behind
from catalog.sample_catalog.garments.top_form import middle_x, side_knots
from catalog.sample_catalog.garments.tops import draw_top, draw_top_behind
from catalog.sample_catalog.shapes import DressShape


def draw_dress_behind(canvas: Canvas, fabric: Fabric, shape: DressShape, pose: Pose) -> None:
    """What lies behind the figure."""
    draw_top_behind(canvas, fabric, shape.top, pose)
    if shape.skirt is not None:
        draw_skirt_behind(canvas, fabric, shape.skirt, pose)


def draw_dress(canvas: Canvas, fabric: Fabric, shape: DressShape, pose: Pose) -> None:
    """The dress in front of the figure."""
    if shape.skirt is not None:
        draw_skirt(canvas, fabric, shape.skirt, pose, band=False)
    draw_top(canvas, fabric, shape.top, pose)
    if shape.wrap and not pose.back:
        _wrap(canvas, fabric, shape, pose)
    _belt(canvas, fabric, shape, pose)


def _wrap(canvas: Canvas, fabric: Fabric, shape: DressShape, pose: Pose) -> None:
    """The crossed front: one edge runs from a shoulder over the other to the waist."""
    side_y, half = neck_side(shape.top, pose), shape.top.neck_half
    waist = side_knots(shape.top, pose)[-1]
    depth = side_y + 3.4 + shape.top.neck_depth
    line = path(
        [
            (half, side_y),
            (half * 0.5, side_y + 0.5 * (depth - side_y)),
            (-0.8, depth + 0.6),
            (-waist[1] * 0.55, waist[0] - 5),
            (-waist[1] * 0.95, waist[0]),
        ],
        closed=False,
    )
    low = line[line[:, 1] > depth - 1.5]
    canvas.crease([low], width_cm=0.8, strength=0.55)
    stitches(canvas, [line + np.array([0.9, 0.6], np.float32)], fabric.ground, 0.5)


def _belt(canvas: Canvas, fabric: Fabric, shape: DressShape, pose: Pose) -> None:
    if shape.belt == "none":
        if shape.skirt is not None:
            y, half = side_knots(shape.top, pose)[-1]
            canvas.crease([path([(-half, y), (0, y + 1.4), (half, y)], closed=False)], width_cm=0.5, strength=0.4)
        return
    knots_ = side_knots(shape.top, pose)
    y = pose.body.waist_y if shape.skirt is None else knots_[-1][0]
    half = float(curve_at(knots_, np.array([y], np.float32))[0]) + 0.3
    tall = 3.2 if shape.belt == "belt" else 4.4
    knots: list[Knot] = [
        (0, y - tall / 2 + 1.2),
        (half * 0.6, y - tall / 2 + 0.8),
        (half, y - tall / 2, CORNER),
        (half, y + tall / 2, CORNER),
        (half * 0.6, y + tall / 2 + 0.8),
        (0, y + tall / 2 + 1.2),
    ]
    color: Floats | None = None
    if shape.belt == "belt":
        color = (
            np.array([0.16, 0.09, 0.05], np.float32)
            if float(fabric.ground.mean()) > 0.12
            else np.array([0.42, 0.28, 0.16], np.float32)
        )
    elif shape.trim:
        color = fabric.ink(shape.trim)
    patch(canvas, fabric, path(mirrored(knots)), shift=1.7, color=color, shadow=0.5, bevel_cm=0.4)
    if pose.back:
        return
    x = middle_x(pose)
    if shape.belt == "belt":
        frame = canvas.cut(rounded_box(x, y + 1.1, 2.3, 2.2, 0.5))
        canvas.cast(frame, blur_cm=0.3, strength=0.5)
        canvas.lay(frame, BRASS, gloss=0.8, bevel_cm=0.4, bevel_width_cm=0.25)
        hole = canvas.cut(rounded_box(x, y + 1.1, 1.5, 1.4, 0.3))
        canvas.lay(hole, color if color is not None else fabric.ground, bevel_cm=-0.2)
    else:
        draw_bow(canvas, fabric, x + (0 if shape.belt == "sash" else 5.0), y + 1.0, pose, color=color, size=0.95)

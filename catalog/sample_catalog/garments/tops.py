"""T-shirts, shirts and hoodies: body, sleeves, neck, opening and pockets put together on a figure."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, path
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import (
    relief,
)
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.necks import (
    draw_hood_behind,
    draw_hood_front,
    draw_inside,
    neck_knots,
)
from catalog.sample_catalog.garments.sleeves import draw_sleeve, sleeve_tube
from catalog.sample_catalog.garments.top_form import armpit, shoulder_tip, side_knots, torso_height, yawed
from catalog.sample_catalog.garments.top_parts import draw_front, draw_hood_back, draw_seams
from catalog.sample_catalog.shapes import TopShape


def _body_outline(shape: TopShape, pose: Pose) -> tuple[Floats, list[tuple[float, float]], list[tuple[float, float]]]:
    """The body's outline and its two sides (y, half width), each side wandering a little by itself."""
    rng = pose.rng("outline")
    tip, pit = shoulder_tip(shape, pose), armpit(shape, pose)
    neck = neck_knots(shape, pose, back=pose.back)
    halves, sides = [], []
    for _ in range(2):
        side = [
            (y, w + float(rng.normal(0, 0.22 * pose.folds)) * (k > 0))
            for k, (y, w) in enumerate(side_knots(shape, pose))
        ]
        sides.append(side)
        knots: list[Knot] = list(neck)
        middle = 0.5 * (neck[-1][0] + tip[0])
        knots += [(middle, 0.5 * (neck[-1][1] + tip[1]) - 0.35), (tip[0], tip[1], CORNER)]
        dip = 2.4 if shape.sleeve != "none" else 3.0
        knots += [
            (min(tip[0], pit[0]) - dip * 0.6, tip[1] + 0.4 * (pit[1] - tip[1])),
            (pit[0] - 0.7, pit[1] - 2.2),
            (*pit, CORNER),
        ]
        knots += [(w, y) for y, w in side[1:-1]]
        hem_y, hem_w = side[-1]
        lean = float(rng.normal(0, 0.3))
        if shape.hem == "curved":
            knots += [
                (hem_w, hem_y - 7.5, CORNER),
                (hem_w * 0.82, hem_y - 3.2),
                (hem_w * 0.5, hem_y + 0.6),
                (0, hem_y + 1.6),
            ]
        else:
            knots += [(hem_w, hem_y + lean, CORNER), (hem_w * 0.55, hem_y + 1.2 + lean), (0, hem_y + 1.5)]
        halves.append(knots)
    right, left = halves
    flipped: list[Knot] = [(-k[0], k[1], True) if len(k) == 3 else (-k[0], k[1]) for k in reversed(left[1:-1])]
    return path([*right, *flipped]), sides[0], sides[1]


def draw_top(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """All in front of the figure but `draw_forearms`, which comes after it, as `draw_top_behind` comes before."""
    tip = shoulder_tip(shape, pose)
    if shape.sleeve != "none":
        for side in (-1, 1):
            draw_sleeve(canvas, fabric, shape, pose, side, sleeve_tube(shape, pose, side, tip), tip)
    draw_body(canvas, fabric, shape, pose)
    draw_front(canvas, fabric, shape, pose)
    if shape.neck == "hood":
        if pose.back:
            draw_hood_back(canvas, fabric, shape, pose)
        else:
            draw_hood_front(canvas, fabric, shape, pose, cords=True)


def arms_in_front(shape: TopShape, pose: Pose) -> list[int]:
    """The sides whose sleeved forearm lies before the body."""
    if pose.stage != "model" or shape.sleeve == "none" or shape.sleeve_cm <= 30:
        return []
    return [side for side in (-1, 1) if pose.arms[0 if side > 0 else 1][1] < -0.1]


def draw_forearms(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """The sleeves from the elbow on, where they cross the body."""
    tip = shoulder_tip(shape, pose)
    for side in arms_in_front(shape, pose):
        sleeve = sleeve_tube(shape, pose, side, tip)
        draw_sleeve(canvas, fabric, shape, pose, side, sleeve, tip, start=min(31.0, sleeve.length * 0.55))


def draw_top_behind(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """What lies behind the figure's neck."""
    if pose.back:
        return
    if shape.neck == "hood":
        draw_hood_behind(canvas, fabric, shape, pose)
    draw_inside(canvas, fabric, shape, pose, label=pose.stage in ("ghost", "flat", "hanger"))


def draw_body(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """The front (or back) piece with its seams and hem."""
    outline, right, left = _body_outline(shape, pose)
    piece = canvas.cut(outline)
    if piece.empty:
        return
    form = relief(piece, lambda x, y: torso_height(shape, pose, right, left, x, y, shape.hem_y))
    half = right[0][1] + 1.5
    u = yawed(piece, pose, half) + np.float32(0.35) * form.lift
    v = piece.y + np.float32(0.22) * form.lift
    canvas.cast(piece, blur_cm=1.2, strength=0.3, dy=0.6)
    canvas.lay(
        piece,
        fabric.sample(u, v),
        form.slope_x,
        form.slope_y,
        occlusion=form.occlusion,
        gloss=fabric.gloss,
        bevel_cm=0.16,
    )
    draw_seams(canvas, fabric, shape, pose)

"""What is sewn to a top: seams, hem, placket, zip, pockets, the hood behind."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, mirrored, path
from catalog.sample_catalog.drawing.details import (
    buttons,
    inset,
    patch,
    pocket_outline,
    rib_band,
    seam,
    stitches,
    zipper,
)
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import (
    Relief,
    Stroke,
    relief,
    stroke_height,
    swell,
)
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.necks import (
    draw_collar,
    draw_neck_band,
    neck_side,
)
from catalog.sample_catalog.garments.top_form import armpit, middle_x, shoulder_tip, side_knots
from catalog.sample_catalog.shapes import TopShape


def _hem_line(shape: TopShape, pose: Pose, up_cm: float) -> Floats:
    y, half = side_knots(shape, pose)[-1]
    if shape.hem == "curved":
        line: list[Knot] = [
            (-half, y - 7.5 - up_cm),
            (-half * 0.82, y - 3.2 - up_cm),
            (-half * 0.5, y + 0.6 - up_cm),
            (0, y + 1.6 - up_cm),
            (half * 0.5, y + 0.6 - up_cm),
            (half * 0.82, y - 3.2 - up_cm),
            (half, y - 7.5 - up_cm),
        ]
        return path(line[1:-1], closed=False)
    inner = half - 0.7
    return path(
        [
            (-inner, y - up_cm),
            (-inner * 0.55, y + 1.2 - up_cm),
            (0, y + 1.5 - up_cm),
            (inner * 0.55, y + 1.2 - up_cm),
            (inner, y - up_cm),
        ],
        closed=False,
    )


def draw_seams(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    tip, pit = shoulder_tip(shape, pose), armpit(shape, pose)
    ground = fabric.ground
    if shape.raglan:
        side_y, half = neck_side(shape, pose), shape.neck_half
        lines = [
            path(
                [
                    (s * (half - 1.0), side_y + 2.2),
                    (s * (0.5 * (half + pit[0]) - 0.6), 0.5 * (side_y + pit[1]) + 1.4),
                    (s * (pit[0] - 0.6), pit[1]),
                ],
                closed=False,
            )
            for s in (-1, 1)
        ]
        seam(canvas, lines, ground)
    elif shape.sleeve != "none":
        lines = []
        for s in (-1, 1):
            dip = 2.4
            lines.append(
                path(
                    [
                        (s * (tip[0] - 0.3), tip[1] + 0.4),
                        (s * (min(tip[0], pit[0]) - dip * 0.6 - 0.2), tip[1] + 0.4 * (pit[1] - tip[1])),
                        (s * (pit[0] - 1.0), pit[1] - 2.2),
                        (s * pit[0], pit[1]),
                    ],
                    closed=False,
                )
            )
        canvas.crease(lines, width_cm=0.5, strength=0.4)
        stitches(canvas, [line - np.array([np.sign(line[0, 0]) * 0.5, 0], np.float32) for line in lines], ground, 0.45)
    else:
        for s in (-1, 1):
            dip = 3.0
            line = path(
                [
                    (s * tip[0], tip[1]),
                    (s * (min(tip[0], pit[0]) - dip * 0.6), tip[1] + 0.4 * (pit[1] - tip[1])),
                    (s * (pit[0] - 0.7), pit[1] - 2.2),
                    (s * pit[0], pit[1]),
                ],
                closed=False,
            )
            stitches(canvas, [line - np.array([s * 0.9, -0.2], np.float32)], ground, 0.6)
            canvas.crease([line - np.array([s * 1.1, -0.2], np.float32)], width_cm=0.3, strength=0.2)
    if shape.hem in ("rib", "band"):
        y, half = side_knots(shape, pose)[-1]
        knots: list[Knot] = [
            (0, y - 4.2),
            (half * 0.55, y - 4.4),
            (half + 0.1, y - 5.2, CORNER),
            (half - 0.4, y + 0.8, CORNER),
            (half * 0.55, y + 2.0),
            (0, y + 2.3),
        ]
        rib_band(canvas, fabric, path(mirrored(knots)), fabric.ink(shape.trim), shadow=0.35)
    else:
        line = _hem_line(shape, pose, 2.0)
        canvas.crease([line], width_cm=0.35, strength=0.16)
        stitches(canvas, [line, line + np.array([0, 0.55], np.float32)], ground, 0.5)


def draw_front(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """Opening, pockets and collar; a back has a yoke at most."""
    rng = pose.rng("front")
    side_y, ground = neck_side(shape, pose), fabric.ground
    depth = side_y + 3.4 + shape.neck_depth
    middle = middle_x(pose)
    if shape.neck in ("crew", "v", "scoop", "boat", "square", "sweetheart"):
        draw_neck_band(canvas, fabric, shape, pose, width_cm=2.0 if shape.neck in ("crew", "v") else 1.0)
    open_cm = 0.0
    if not pose.back and shape.opening in ("buttons", "half_buttons"):
        open_cm = 0.0 if rng.random() < 0.35 and shape.neck != "camp" else float(rng.uniform(3, 6))
        end = shape.hem_y + 1.2 if shape.opening == "buttons" else depth + 17
        _placket(canvas, fabric, middle, depth, end)
    if not pose.back and shape.opening == "zip":
        line = path(
            [
                (middle * 0.4, depth + 1.0),
                (middle, depth + 14),
                (middle, 0.5 * (depth + shape.hem_y)),
                (middle, shape.hem_y + 1.0),
            ],
            closed=False,
        )
        canvas.crease(
            [line - np.array([1.0, 0], np.float32), line + np.array([1.0, 0], np.float32)], width_cm=0.3, strength=0.2
        )
        zipper(canvas, line, ground * np.float32(0.7))
    if pose.back:
        if shape.opening != "none" and shape.neck in ("collar", "band", "camp"):
            tip = shoulder_tip(shape, pose)
            yoke = path([(-tip[0] + 1.0, side_y + 9.5), (0, side_y + 10.6), (tip[0] - 1.0, side_y + 9.5)], closed=False)
            seam(canvas, [yoke], ground)
    else:
        _pockets(canvas, fabric, shape, middle)
    if shape.neck in ("collar", "camp", "band"):
        draw_collar(canvas, fabric, shape, pose, open_cm=open_cm)


def _placket(canvas: Canvas, fabric: Fabric, middle: float, depth: float, end: float) -> None:
    """The buttoned band from the neck (`depth`) down to `end`; `middle` is where a turned figure has its middle."""
    ground = fabric.ground
    band = path(
        [
            (middle * 0.5 - 1.6, depth - 0.6, CORNER),
            (middle * 0.5 + 1.7, depth - 0.6, CORNER),
            (middle + 1.7, depth + 14),
            (middle + 1.7, end, CORNER),
            (middle - 1.6, end, CORNER),
            (middle - 1.6, depth + 14),
        ]
    )
    patch(canvas, fabric, band, shift=0.9, shadow=0.35, bevel_cm=0.22)
    lines = [
        path([(middle * 0.5 + s, depth), (middle + s, depth + 14), (middle + s, end - 0.4)], closed=False)
        for s in (-1.2, 1.25)
    ]
    stitches(canvas, lines, ground, 0.5)
    count = max(2, int((end - depth - 6) / 8.6) + 1)
    tone = np.full(3, 0.8, np.float32) if float(ground.mean()) < 0.55 else ground * np.float32(0.6)
    buttons(
        canvas,
        [
            (middle * min(1.0, 0.5 + 0.05 * k * 4), depth + 4.2 + k * 8.6)
            for k in range(count)
            if depth + 4.2 + k * 8.6 < end - 2
        ],
        tone,
    )


def _pockets(canvas: Canvas, fabric: Fabric, shape: TopShape, middle: float) -> None:
    ground = fabric.ground
    if shape.pockets in ("chest", "flaps"):
        for sign in (1,) if shape.pockets == "chest" else (-1, 1):
            outline = pocket_outline(sign * 8.4 + middle * 0.8, 17.5, 4.8, 11.5)
            patch(canvas, fabric, outline, shift=0.35, shadow=0.3, bevel_cm=0.2)
            stitches(canvas, [inset(outline, 0.5)], ground, 0.6)
            if shape.pockets == "flaps":
                flap = pocket_outline(sign * 8.4 + middle * 0.8, 16.6, 5.2, 4.6, point=1.6)
                patch(canvas, fabric, flap, shift=1.35, shadow=0.5)
                stitches(canvas, [inset(flap, 0.45)], ground, 0.6)
                buttons(canvas, [(sign * 8.4 + middle * 0.8, 20.0)], np.full(3, 0.75, np.float32), 0.5)
    if shape.pockets == "kangaroo":
        top, low = shape.hem_y - 23, shape.hem_y - 4.0
        m = middle * 0.9
        knots: list[Knot] = [
            (0, top),
            (7.6, top, CORNER),
            (11.4, top + 5.5),
            (13.8, top + 12.5, CORNER),
            (13.9, low, CORNER),
            (0, low),
        ]
        outline = path(mirrored(knots)) + np.array([m, 0], np.float32)
        patch(canvas, fabric, outline, shift=0.8, shadow=0.5, bevel_cm=0.4)
        for sign in (-1, 1):
            edge = path(
                [(m + sign * 7.6, top + 0.3), (m + sign * 11.0, top + 5.6), (m + sign * 13.2, top + 12.3)], closed=False
            )
            canvas.crease([edge + np.array([sign * 0.5, 0], np.float32)], width_cm=0.8, strength=0.55)
            stitches(canvas, [edge - np.array([sign * 0.8, 0], np.float32)], ground, 0.6)
        stitches(canvas, [path([(m - 7, top + 0.7), (m + 7, top + 0.7)], closed=False)], ground, 0.6)
    if shape.pockets == "welt":
        for sign in (-1, 1):
            line = path(
                [(middle + sign * 7.2, shape.hem_y - 20), (middle + sign * 10.8, shape.hem_y - 8)], closed=False
            )
            canvas.crease([line], width_cm=1.3, strength=0.4)
            stitches(canvas, [line - np.array([sign * 0.9, 0], np.float32)], ground, 0.6)


def draw_hood_back(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """A hood hanging down the back."""
    half, side = shape.neck_half, neck_side(shape, pose)
    knots: list[Knot] = [
        (0, side - 4),
        (half, side - 3),
        (half + 3.2, side + 2),
        (half + 2.4, side + 12),
        (half * 0.6, side + 20),
        (0, side + 22),
    ]
    piece = canvas.cut(path(mirrored(knots)))
    canvas.cast(piece, blur_cm=1.4, strength=0.5, dy=0.8)
    rng = pose.rng("hoodback")
    strokes = [Stroke((s * 9, side + 2), (s * 2, side + 16), (1.4, 2.4), 0.8, bend=s * 1.5) for s in (-1, 1)]

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        dome = 4.0 * np.sqrt(np.maximum(1.1 - np.square(x / (half + 3.4)) - np.square((y - side - 9) / 15), 0.03))
        return dome.astype(np.float32), stroke_height(x, y, strokes) + np.float32(0.2) * swell(x, y, rng, 7.0)

    form: Relief = relief(piece, height)
    canvas.lay(
        piece,
        fabric.sample(piece.x, piece.y, shift=6.0, part="hood"),
        form.slope_x,
        form.slope_y,
        occlusion=form.occlusion,
        bevel_cm=0.3,
    )
    seam(canvas, [path([(0, side - 2), (0.3, side + 10), (0, side + 21)], closed=False)], fabric.ground)

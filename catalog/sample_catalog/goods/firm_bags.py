"""Bags that keep their form: flap bag, duffel, top-handle bag."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, mirrored, path, rounded_box
from catalog.sample_catalog.drawing.details import dashes, patch, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import relief
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.goods.bag_parts import body, chain, leather_of, metal_of, ring, sags, strap
from catalog.sample_catalog.shapes import BagShape


def draw_flap(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    rng = pose.rng("bag")
    w, h, rise = shape.half_width, shape.height, shape.handle_cm
    trim = leather_of(shape)
    loop = [
        (-w * 0.97, -h + 1.5),
        (-w * 0.8, -h - rise * 0.55),
        (float(rng.normal(0, 2)), -h - rise),
        (w * 0.8, -h - rise * 0.55),
        (w * 0.97, -h + 1.5),
    ]
    if shape.chain:
        chain(canvas, loop, metal_of(shape))
    else:
        strap(canvas, loop, shape.handle_half * 0.8, trim)
    side = 1 if pose.yaw >= 0 else -1
    gusset = path(
        [
            (side * (w - 2), -h + 1.5, CORNER),
            (side * (w + 1.1), -h + 4.0, CORNER),
            (side * (w + 1.6), -h * 0.5),
            (side * (w + 1.2), -2.6, CORNER),
            (side * (w - 2), -0.2, CORNER),
        ]
    )
    piece = canvas.cut(gusset)
    canvas.lay(
        piece,
        fabric.ground * np.float32(0.75),
        -1.2 * side,
        0.0,
        occlusion=0.75,
        gloss=fabric.gloss,
        bevel_cm=0.3,
    )
    outline = rounded_box(0, -h / 2, w, h / 2, shape.round_)
    body(
        canvas,
        fabric,
        shape,
        pose,
        outline,
        deep=3.6,
        strokes=sags(shape, rng, 2) if shape.soft > 0.6 else [],
        power=5.0,
    )
    reach = h * float(pose.rng("flapcut").uniform(0.5, 0.5)) + h * 0.12
    r = shape.round_
    knots: list[Knot] = [
        (0, -h - 0.5),
        (w - r, -h - 0.5),
        (w + 0.3, -h + r * 0.8),
        (w + 0.1, -h + reach * 0.55),
        (w * 0.72, -h + reach * 0.93),
        (0, -h + reach + 1.2),
    ]
    flap = path(mirrored(knots))
    cut = canvas.cut(flap)
    if not cut.empty:
        canvas.cast(cut, blur_cm=1.0, strength=0.6, dy=0.7)

        def height(x: Floats, y: Floats) -> Floats:
            rolled = np.square(np.minimum(y + np.float32(h - 3), 0) / np.float32(4.4))
            return np.asarray(
                np.float32(3.4) * np.sqrt(np.maximum(1.04 - np.square(x / np.float32(w * 1.02)) - rolled, 0.03))
            )

        form = relief(cut, height)
        canvas.lay(
            cut,
            fabric.sample(cut.x, cut.y + np.float32(h), shift=1.1),
            form.slope_x,
            form.slope_y,
            gloss=fabric.gloss,
            bevel_cm=0.45,
        )
        stitches(
            canvas,
            [
                path(
                    [
                        (-w + 1.0, -h + 3.0),
                        (-w * 0.9, -h + reach * 0.5),
                        (-w * 0.66, -h + reach * 0.86),
                        (0, -h + reach + 0.4),
                        (w * 0.66, -h + reach * 0.86),
                        (w * 0.9, -h + reach * 0.5),
                        (w - 1.0, -h + 3.0),
                    ],
                    closed=False,
                )
            ],
            fabric.ground,
        )
    clasp = canvas.cut(rounded_box(0, -h + reach + 0.6, 1.5, 1.9, 0.5))
    canvas.cast(clasp, blur_cm=0.4, strength=0.5, dy=0.3)
    canvas.lay(clasp, metal_of(shape), gloss=0.9, bevel_cm=0.5, bevel_width_cm=0.3)
    bar = canvas.cut(rounded_box(0, -h + reach + 0.6, 0.35, 1.1, 0.3))
    canvas.lay(bar, metal_of(shape) * np.float32(0.5), gloss=0.6, bevel_cm=0.3, bevel_width_cm=0.2)
    for sign in (-1, 1):
        ring(canvas, sign * w * 0.97, -h + 1.6, metal_of(shape), 0.9)


def draw_duffel(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    rng = pose.rng("bag")
    w, h, rise = shape.half_width, shape.height, shape.handle_cm
    trim, grip = leather_of(shape), w * 0.36
    strap(
        canvas,
        [
            (-grip, -h * 0.8),
            (-grip * 0.8, -h - rise * 0.75),
            (0, -h - rise * 0.97),
            (grip * 0.8, -h - rise * 0.75),
            (grip, -h * 0.8),
        ],
        shape.handle_half * 0.8,
        trim * np.float32(0.7),
    )
    knots: list[Knot] = [
        (0, -h - 0.4),
        (w * 0.5, -h),
        (w * 0.82, -h * 0.94),
        (w * 0.97, -h * 0.6),
        (w, -h * 0.16),
        (w * 0.93, -0.6),
        (w * 0.5, 0.1),
        (0, 0.2),
    ]
    outline = path(mirrored(knots))
    body(canvas, fabric, shape, pose, outline, deep=7.0, strokes=sags(shape, rng, 5), power=2.6)
    top = path(
        [(-w * 0.86, -h * 0.84), (-w * 0.5, -h * 0.93), (0, -h * 0.96), (w * 0.5, -h * 0.93), (w * 0.86, -h * 0.84)],
        closed=False,
    )
    canvas.crease([top], width_cm=1.4, strength=0.35)
    canvas.draw(dashes(top, 0.4, 0.3), width_cm=0.7, color=metal_of(shape), opacity=0.9)
    for sign in (-1, 1):
        end = path(
            [
                (sign * w * 0.9, -h * 0.82, CORNER),
                (sign * w * 1.0, -h * 0.3),
                (sign * w * 0.96, -0.4, CORNER),
                (sign * w * 0.76, 0.0, CORNER),
                (sign * w * 0.8, -h * 0.4),
            ]
        )
        patch(canvas, fabric, end, color=trim, shadow=0.3)
        pipe = path([(sign * w * 0.86, -h * 0.86), (sign * w * 0.8, -h * 0.4), (sign * w * 0.77, 0.0)], closed=False)
        stitches(canvas, [pipe + np.array([sign * 0.8, 0], np.float32)], trim)
    strap(
        canvas,
        [
            (-grip, -h * 0.36),
            (-grip, -h * 0.86),
            (-grip * 0.82, -h - rise * 0.7),
            (0, -h - rise),
            (grip * 0.82, -h - rise * 0.7),
            (grip, -h * 0.86),
            (grip, -h * 0.36),
        ],
        shape.handle_half,
        trim,
    )
    for sign in (-1, 1):
        ring(canvas, sign * grip, -h * 0.82, metal_of(shape), 1.2)


def draw_box(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    w, h, rise = shape.half_width, shape.height, shape.handle_cm
    trim = leather_of(shape)
    grip = w * 0.4
    side = 1 if pose.yaw >= 0 else -1
    gusset = path(
        [
            (side * (w * 0.8), -h + 0.3, CORNER),
            (side * (w * 0.82 + 2.0), -h + 1.4, CORNER),
            (side * (w + 1.9), -1.6, CORNER),
            (side * w * 0.97, -0.1, CORNER),
        ]
    )
    piece = canvas.cut(gusset)
    canvas.lay(
        piece,
        fabric.ground * np.float32(0.7),
        -1.3 * side,
        0.0,
        occlusion=0.75,
        gloss=fabric.gloss,
        bevel_cm=0.3,
    )
    knots: list[Knot] = [
        (0, -h),
        (w * 0.82, -h, CORNER),
        (w * 0.9, -h * 0.6),
        (w, -1.2),
        (w - 1.2, 0, CORNER),
        (0, 0.1),
    ]
    outline = path(mirrored(knots))
    body(canvas, fabric, shape, pose, outline, deep=2.6, strokes=[], power=7.0)
    for sign in (-1, 1):
        corner = path(
            [
                (sign * w, -4.4, CORNER),
                (sign * (w - 1.0), 0.1, CORNER),
                (sign * (w - 5.6), 0.1, CORNER),
                (sign * (w - 3.4), -3.2),
            ]
        )
        patch(canvas, fabric, corner, color=trim, shadow=0.35)
    flap = path(
        mirrored(
            [(0, -h - 0.4), (w * 0.83, -h - 0.4, CORNER), (w * 0.86, -h * 0.72), (w * 0.6, -h * 0.5), (0, -h * 0.44)]
        )
    )
    patch(canvas, fabric, flap, shift=1.1, shadow=0.6, bevel_cm=0.5)
    stitches(
        canvas,
        [
            path(
                [
                    (-w * 0.8, -h * 0.74),
                    (-w * 0.57, -h * 0.53),
                    (0, -h * 0.475),
                    (w * 0.57, -h * 0.53),
                    (w * 0.8, -h * 0.74),
                ],
                closed=False,
            )
        ],
        fabric.ground,
    )
    lock = canvas.cut(rounded_box(0, -h * 0.45, 1.9, 1.3, 0.4))
    canvas.cast(lock, blur_cm=0.4, strength=0.5, dy=0.3)
    canvas.lay(lock, metal_of(shape), gloss=0.9, bevel_cm=0.45, bevel_width_cm=0.3)
    strap(
        canvas,
        [
            (-grip, -h + 0.4),
            (-grip * 0.92, -h - rise * 0.7),
            (-grip * 0.4, -h - rise),
            (grip * 0.4, -h - rise),
            (grip * 0.92, -h - rise * 0.7),
            (grip, -h + 0.4),
        ],
        shape.handle_half,
        trim,
    )
    for sign in (-1, 1):
        ring(canvas, sign * grip, -h + 0.2, metal_of(shape), 1.0)

"""Bags that slouch: tote, hobo, bucket, backpack."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Knot, ellipse, mirrored, path, rounded_box
from catalog.sample_catalog.drawing.details import dashes, inset, patch, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import Stroke
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.goods.bag_parts import body, leather_of, metal_of, ring, sags, strap
from catalog.sample_catalog.shapes import BagShape


def draw_tote(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    rng = pose.rng("bag")
    w, h, rise = shape.half_width, shape.height, shape.handle_cm
    color = leather_of(shape) if shape.leather < 3 else fabric.ground * np.float32(0.8)
    grip = w * 0.42
    lean = float(rng.normal(0, 1.2))
    back = [
        (-grip - 0.6, -h + 1),
        (-grip * 0.85 + lean, -h - rise * 0.62),
        (lean, -h - rise * 0.9),
        (grip * 0.85 + lean, -h - rise * 0.62),
        (grip - 0.6, -h + 1),
    ]
    strap(canvas, back, shape.handle_half, color * np.float32(0.75))
    lip = canvas.cut(ellipse(0, -h + 0.4, w * 0.985, 1.9, 40))
    canvas.lay(lip, fabric.ground * np.float32(0.7), 0.0, 0.3, occlusion=0.35)
    r = shape.round_ * 0.5
    top = w * 1.0
    knots: list[Knot] = [
        (0, -h + 1.9),
        (top * 0.6, -h + 1.3),
        (top, -h, CORNER),
        (w * 0.985 + float(rng.normal(0, 0.25)), -h * 0.5),
        (w * 0.95, -r * 2),
        (w * 0.95 - r, -0.3),
        (w * 0.5, 0.15),
        (0, 0.2),
    ]
    outline = path(mirrored(knots))
    body(canvas, fabric, shape, pose, outline, deep=4.2, strokes=sags(shape, rng))
    hem = path(
        [(-top * 0.97, -h + 3.0), (-top * 0.6, -h + 4.3), (0, -h + 4.9), (top * 0.6, -h + 4.3), (top * 0.97, -h + 3.0)],
        closed=False,
    )
    canvas.crease([hem], width_cm=0.4, strength=0.22)
    stitches(canvas, [hem], fabric.ground)
    front = [
        (-grip, -h + 7.5),
        (-grip, -h + 0.5),
        (-grip * 0.9 - lean, -h - rise * 0.66),
        (-lean, -h - rise),
        (grip * 0.9 - lean, -h - rise * 0.66),
        (grip, -h + 0.5),
        (grip, -h + 7.5),
    ]
    strap(canvas, front, shape.handle_half, color)
    for sign in (-1, 1):
        canvas.draw(
            [
                np.array([[sign * grip - 0.8, -h + 4.4], [sign * grip + 0.8, -h + 6.9]], np.float32),
                np.array([[sign * grip + 0.8, -h + 4.4], [sign * grip - 0.8, -h + 6.9]], np.float32),
            ],
            width_cm=0.2,
            color=color * np.float32(0.5) + np.float32(0.05),
        )
    if shape.pocket:
        box = rounded_box(0, -h * 0.38, w * 0.42, h * 0.22, 1.0)
        patch(canvas, fabric, box, shift=0.5, shadow=0.4)
        stitches(canvas, [inset(box, 0.6)], fabric.ground)


def draw_hobo(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    rng = pose.rng("bag")
    w, h, rise = shape.half_width, shape.height, shape.handle_cm
    trim = leather_of(shape)
    tilt = float(rng.normal(0, 0.7))
    inner: list[Knot] = [
        (0, -h * 0.52 + tilt),
        (w * 0.42, -h * 0.6),
        (w * 0.72, -h * 0.95),
        (w * 0.80, -h * 1.2, CORNER),
    ]
    outer: list[Knot] = [
        (w * 0.94, -h * 1.2, CORNER),
        (w * 1.04, -h * 0.72),
        (w * 0.92, -h * 0.24),
        (w * 0.5, -0.6),
        (0, 0.2),
    ]
    top = -h * 1.2 - rise
    strap(
        canvas,
        [
            (-w * 0.87, -h * 1.17),
            (-w * 0.62, top + rise * 0.22),
            (0, top),
            (w * 0.62, top + rise * 0.22),
            (w * 0.87, -h * 1.17),
        ],
        shape.handle_half * 1.25,
        trim,
    )
    outline = path(mirrored([*inner, *outer]))
    strokes = [
        Stroke(
            (s * w * 0.84, -h * 1.05),
            (s * w * float(rng.uniform(0.0, 0.5)), -h * float(rng.uniform(0.15, 0.4))),
            (0.8, 3.0),
            float(rng.uniform(0.5, 1.0)),
            bend=s * float(rng.uniform(0, 3)),
            tail=0.7,
        )
        for s in (-1, 1)
        for _ in range(3)
    ]
    body(canvas, fabric, shape, pose, outline, deep=6.0, strokes=[*strokes, *sags(shape, rng, 3)], power=2.6)
    zip_line = path(
        [
            (-w * 0.7, -h * 0.9),
            (-w * 0.42, -h * 0.57),
            (0, -h * 0.49 + tilt),
            (w * 0.42, -h * 0.57),
            (w * 0.7, -h * 0.9),
        ],
        closed=False,
    )
    canvas.crease([zip_line], width_cm=0.9, strength=0.45)
    canvas.draw(dashes(zip_line, 0.4, 0.3), width_cm=0.5, color=metal_of(shape), opacity=0.9)
    for sign in (-1, 1):
        tab = path(
            [
                (sign * w * 0.76, -h * 1.22, CORNER),
                (sign * w * 0.98, -h * 1.22, CORNER),
                (sign * w * 0.99, -h * 1.06, CORNER),
                (sign * w * 0.79, -h * 1.04, CORNER),
            ]
        )
        patch(canvas, fabric, tab, color=trim, shadow=0.5)
        ring(canvas, sign * w * 0.87, -h * 1.21, metal_of(shape), 1.2)


def draw_bucket(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    rng = pose.rng("bag")
    w, h, rise = shape.half_width, shape.height, shape.handle_cm
    trim = leather_of(shape)
    strap(
        canvas,
        [
            (-w * 0.8, -h + 4),
            (-w * 0.75, -h - rise * 0.5),
            (float(rng.normal(0, 2)), -h - rise),
            (w * 0.75, -h - rise * 0.5),
            (w * 0.8, -h + 4),
        ],
        shape.handle_half,
        trim,
    )
    mouth = canvas.cut(ellipse(0, -h + 0.2, w * 0.8, 2.6, 40))
    canvas.lay(mouth, fabric.ground * np.float32(0.6), 0.0, 0.3, occlusion=0.3)
    frill: list[Knot] = [(0, -h + 2.2)]
    for k, share in enumerate((0.2, 0.4, 0.6)):
        frill.append((w * share, -h + 1.7 + (0.55 if k % 2 else -0.25)))
    knots: list[Knot] = [
        *frill,
        (w * 0.84, -h - 0.6, CORNER),
        (w * 0.78, -h + 4.5),
        (w * 0.93, -h * 0.55),
        (w, -3.4),
        (w * 0.92, -0.9),
        (w * 0.5, 0.5),
        (0, 0.8),
    ]
    outline = path(mirrored(knots))
    body(canvas, fabric, shape, pose, outline, deep=w * 0.62, strokes=sags(shape, rng, 4), power=2.4, cinch=True)
    base = path(
        [
            (-w * 0.985, -4.2, CORNER),
            (-w * 0.5, -3.0),
            (0, -2.6),
            (w * 0.5, -3.0),
            (w * 0.985, -4.2, CORNER),
            (w * 0.92, -0.8),
            (w * 0.5, 0.5),
            (0, 0.8),
            (-w * 0.5, 0.5),
            (-w * 0.92, -0.8),
        ]
    )
    patch(canvas, fabric, base, color=trim, shadow=0.3)
    cord_y = -h + 5.0
    holes = [(w * s, cord_y + 1.6 * (1 - (s / 0.8) ** 2)) for s in (-0.68, -0.42, -0.15, 0.15, 0.42, 0.68)]
    line = path([(-w * 0.78, cord_y), *holes, (w * 0.78, cord_y)], closed=False)
    canvas.crease([line], width_cm=1.1, strength=0.4)
    strap(canvas, [(float(a), float(b)) for a, b in line[::4]], 0.34, trim, stitched=False, shadow=0.3)
    for sign in (-1, 1):
        end = float(rng.uniform(9, 13))
        strap(
            canvas,
            [
                (sign * w * 0.14, cord_y + 1.5),
                (sign * w * 0.2, cord_y + end * 0.5),
                (sign * w * float(rng.uniform(0.1, 0.26)), cord_y + end),
            ],
            0.36,
            trim,
            stitched=False,
            shadow=0.5,
        )


def draw_backpack(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    rng = pose.rng("bag")
    w, h = shape.half_width, shape.height
    trim = leather_of(shape)
    for sign in (-1, 1):
        strap(
            canvas,
            [
                (sign * w * 0.45, -h * 0.96),
                (sign * (w + 2.2), -h * 0.8),
                (sign * (w + 3.4), -h * 0.42),
                (sign * w * 0.86, -h * 0.08),
            ],
            shape.handle_half * 1.3,
            fabric.ground * np.float32(0.7),
        )
    strap(canvas, [(-3.4, -h + 1), (-2.8, -h - 4.6), (0, -h - 5.8), (2.8, -h - 4.6), (3.4, -h + 1)], 0.95, trim)
    knots: list[Knot] = [
        (0, -h - 0.6),
        (w * 0.6, -h + 0.6),
        (w * 0.95, -h * 0.8),
        (w, -h * 0.4),
        (w * 0.98, -4),
        (w * 0.84, -0.5),
        (w * 0.4, 0.1),
        (0, 0.2),
    ]
    body(canvas, fabric, shape, pose, path(mirrored(knots)), deep=6.0, strokes=sags(shape, rng, 4), power=3.0)
    arch = path(
        [
            (-w * 0.88, -h * 0.5),
            (-w * 0.82, -h * 0.78),
            (-w * 0.42, -h * 0.93),
            (0, -h * 0.96),
            (w * 0.42, -h * 0.93),
            (w * 0.82, -h * 0.78),
            (w * 0.88, -h * 0.5),
        ],
        closed=False,
    )
    canvas.crease([arch], width_cm=1.3, strength=0.4)
    canvas.draw(dashes(arch, 0.45, 0.32), width_cm=0.6, color=metal_of(shape), opacity=0.85)
    pocket = path(
        [
            (-w * 0.7, -h * 0.44),
            (0, -h * 0.47),
            (w * 0.7, -h * 0.44),
            (w * 0.76, -h * 0.2),
            (w * 0.66, -2.2),
            (0, -1.6),
            (-w * 0.66, -2.2),
            (-w * 0.76, -h * 0.2),
        ]
    )
    cut = patch(canvas, fabric, pocket, shift=0.9, shadow=0.55, bevel_cm=0.9)
    del cut
    line = path([(-w * 0.62, -h * 0.37), (0, -h * 0.395), (w * 0.62, -h * 0.37)], closed=False)
    canvas.crease([line], width_cm=1.0, strength=0.35)
    canvas.draw(dashes(line, 0.4, 0.3), width_cm=0.55, color=metal_of(shape), opacity=0.85)
    pull = rounded_box(w * 0.5, -h * 0.34, 0.4, 1.4, 0.3)
    patch(canvas, fabric, pull, color=trim, shadow=0.5)
    patch(canvas, fabric, rounded_box(0, -h * 0.68, 2.2, 1.5, 0.5), color=trim, shadow=0.35)

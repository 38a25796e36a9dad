"""What is sewn to trousers: fly, pockets, cuffs, waistband."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, mirrored, path
from catalog.sample_catalog.drawing.details import buttons, inset, patch, pocket_outline, seam, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import relief, swell, tube
from catalog.sample_catalog.drawing.tubes import make_tube
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.skirt_parts import draw_bow
from catalog.sample_catalog.garments.trouser_form import Edges, crotch, waist_half
from catalog.sample_catalog.shapes import TrouserShape


def draw_leg_seams(canvas: Canvas, fabric: Fabric, shape: TrouserShape, pose: Pose) -> None:
    fork, y = crotch(pose, shape), shape.waist_y
    x = pose.yaw * 3.0
    ground = fabric.ground
    front = path([(x, y + 3), (x * 0.8, y + 0.6 * (fork - y)), (0.0, fork - 1)], closed=False)
    canvas.crease([front], width_cm=0.5, strength=0.5)
    if pose.back:
        stitches(canvas, [front + np.array([0.5, 0], np.float32)], ground, 0.5)
    elif shape.fly:
        fly = path([(x + 3.2, y + 3.5), (x + 3.2, y + 12), (x + 2.4, y + 16.5), (x, y + 18.5)], closed=False)
        stitches(canvas, [fly, fly - np.array([0.5, 0.2], np.float32)], ground, 0.7)
    half = waist_half(shape, pose)
    if pose.back:
        if shape.pockets in ("slant", "patch", "cargo") and shape.band not in ("elastic",):
            for side in (-1, 1):
                outline = pocket_outline(side * 8.2, y + 11.5, 6.0, 13.0, point=2.0)
                patch(canvas, fabric, outline, shift=0.5, shadow=0.3, bevel_cm=0.2)
                stitches(canvas, [inset(outline, 0.5)], ground)
        yoke = path([(-half - 1.5, y + 6), (0, y + 9.4), (half + 1.5, y + 6)], closed=False)
        seam(canvas, [yoke], ground, strength=0.3)
        return
    if shape.pockets in ("slant", "cargo", "patch"):
        for side in (-1, 1):
            if shape.pockets == "patch":
                line = path(
                    [(side * (half - 6.2), y + 3.6), (side * (half - 4.5), y + 8.2), (side * (half + 2.2), y + 10.0)],
                    closed=False,
                )
            else:
                line = path(
                    [
                        (side * (half - 4.4), y + 3.6),
                        (side * (half + 0.4), y + 12),
                        (side * (pose.body.hip_half + shape.ease - 0.7), pose.body.hip_y - 1),
                    ],
                    closed=False,
                )
            canvas.crease([line], width_cm=0.55, strength=0.5)
            stitches(canvas, [line - np.array([side * 0.7, 0.1], np.float32)], ground, 0.7)


def draw_leg_details(canvas: Canvas, fabric: Fabric, shape: TrouserShape, pose: Pose, side: int, edges: Edges) -> None:
    outer, inner = edges
    ground = fabric.ground
    hem_y, x1 = outer[-1]
    x0 = inner[-1][1]
    a, b = side * x0, side * x1
    if shape.side_stripe:
        rim = np.array([(side * (x - 1.6), y) for y, x in outer], np.float32)
        line = path([(float(px), float(py)) for px, py in rim], closed=False)
        canvas.draw(
            [line], width_cm=1.5, color=fabric.ink(1) if fabric.design.label == "plain" else ground, opacity=0.95
        )
    if shape.pockets == "cargo":
        x = float(np.interp(pose.body.knee_y - 14, [k[0] for k in outer], [k[1] for k in outer]))
        y = min(pose.body.knee_y - 18, hem_y - 20)
        box = pocket_outline(side * (x - 5.0), y, 5.2, 15.0, point=0.0)
        patch(canvas, fabric, box, shift=0.6, shadow=0.5, bevel_cm=0.35)
        stitches(canvas, [inset(box, 0.6)], ground)
        patch(canvas, fabric, pocket_outline(side * (x - 5.0), y - 0.8, 5.6, 5.0, point=0.8), shift=1.1, shadow=0.5)
        buttons(canvas, [(side * (x - 5.0), y + 2.4)], ground * np.float32(0.5), 0.5)
    if shape.cuff == "rib":
        knots: list[Knot] = [
            (a, hem_y - 3.4, CORNER),
            (0.5 * (a + b), hem_y - 3.0),
            (b, hem_y - 3.4, CORNER),
            (b - side * 0.8, hem_y + 2.2, CORNER),
            (0.5 * (a + b), hem_y + 2.9),
            (a + side * 0.8, hem_y + 2.2, CORNER),
        ]
        piece = canvas.cut(path(knots))
        canvas.cast(piece, blur_cm=0.5, strength=0.4)
        if not piece.empty:
            period = max(0.55, 3.0 * piece.cm_per_pixel)
            color = ground * (1 + np.float32(0.14) * np.sin(piece.x * np.float32(2 * np.pi / period)))[..., None]
            half = abs(b - a) / 2
            form = relief(piece, lambda x, y: tube(x, min(a, b), max(a, b), 0.8 * half * pose.depth))
            canvas.lay(piece, color, form.slope_x, form.slope_y, bevel_cm=0.4)
    elif shape.cuff == "rolled":
        knots = [
            (a - side * 0.3, hem_y - 3.4, CORNER),
            (0.5 * (a + b), hem_y - 2.7),
            (b + side * 0.4, hem_y - 3.4, CORNER),
            (b + side * 0.5, hem_y + 0.4, CORNER),
            (0.5 * (a + b), hem_y + 1.2),
            (a - side * 0.4, hem_y + 0.5, CORNER),
        ]
        patch(canvas, fabric, path(knots), color=ground * np.float32(1.15) + np.float32(0.03), shadow=0.5, bevel_cm=0.5)
    elif shape.cuff == "raw":
        rng = pose.rng(f"raw{side}")
        frays = []
        for share in np.linspace(0.02, 0.98, 26):
            x, y = a + (b - a) * share, hem_y + 0.7 * (1 - (2 * share - 1) ** 2)
            frays.append(np.array([[x, y - 0.4], [x + rng.normal(0, 0.3), y + rng.uniform(0.5, 1.6)]], np.float32))
        canvas.draw(frays, width_cm=0.16, color=np.full(3, 0.7, np.float32), opacity=0.8)
    else:
        line = path(
            [(a + side * 0.3, hem_y - 2.2), (0.5 * (a + b), hem_y - 1.4), (b - side * 0.3, hem_y - 2.2)], closed=False
        )
        canvas.crease([line], width_cm=0.35, strength=0.18)
        stitches(canvas, [line], ground, 0.55)


def draw_waist(canvas: Canvas, fabric: Fabric, shape: TrouserShape, pose: Pose) -> None:
    half, y = waist_half(shape, pose), shape.waist_y
    tall = {"band": 3.8, "elastic": 3.4, "drawstring": 4.0, "paperbag": 3.0}[shape.band]
    rng = pose.rng("waist")
    ground = fabric.ground
    if shape.band == "paperbag":
        frill: list[Knot] = [(0, y - 2.6)]
        for k, share in enumerate((0.2, 0.4, 0.6, 0.8)):
            frill.append((half * share, y - 2.4 - (0.9 if k % 2 else 0.0)))
        frill += [(half + 1.2, y - 3.2, CORNER), (half + 0.2, y + 1.2, CORNER), (0, y + 2.4)]
        piece = canvas.cut(path(mirrored(frill)))
        if not piece.empty:
            form = relief(
                piece,
                lambda px, py: (
                    tube(px, -half, half, 8.0),
                    np.float32(0.5) * np.sin(px * np.float32(1.9) + swell(px, py, rng, 5.0)),
                ),
            )
            canvas.lay(
                piece,
                fabric.sample(piece.x, piece.y, shift=1.0),
                form.slope_x,
                form.slope_y,
                occlusion=form.occlusion,
                bevel_cm=0.25,
            )
    knots: list[Knot] = [
        (0, y + 0.9),
        (half * 0.6, y + 0.5),
        (half, y - 0.4, CORNER),
        (half + 0.5, y + tall - 0.5, CORNER),
        (half * 0.6, y + tall + 0.5),
        (0, y + tall + 0.9),
    ]
    piece = canvas.cut(path(mirrored(knots)))
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=0.5, strength=0.4, dy=0.4)

    def height(px: Floats, py: Floats) -> tuple[Floats, Floats]:
        folds = np.zeros_like(px)
        if shape.band != "band":
            folds = np.float32(0.28) * np.sin(px * np.float32(4.4) + np.float32(0.9) * swell(px, py, rng, 4.0))
        return tube(px, -half - 0.3, half + 0.3, 9.0 * pose.depth), folds

    form = relief(piece, height)
    color = fabric.sample(piece.x, piece.y, shift=2.6)
    canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=form.occlusion, gloss=fabric.gloss, bevel_cm=0.35)
    lines = [
        path([(-half + 0.5, y + o - 0.3), (0, y + o + 0.9), (half - 0.5, y + o - 0.3)], closed=False)
        for o in (0.5, tall - 0.4)
    ]
    stitches(canvas, lines, ground, 0.55)
    if shape.band == "band":
        for share in (-0.72, -0.34, 0.34, 0.72):
            x = share * half
            loop = path(
                [
                    (x - 0.6, y - 0.1, CORNER),
                    (x + 0.6, y - 0.1, CORNER),
                    (x + 0.6, y + tall + 0.9, CORNER),
                    (x - 0.6, y + tall + 0.9, CORNER),
                ]
            )
            patch(canvas, fabric, loop, shift=0.7, shadow=0.4, bevel_cm=0.3)
        if not pose.back:
            buttons(canvas, [(pose.yaw * 3.0, y + 2.8)], np.full(3, 0.35, np.float32), 0.85)
    elif not pose.back and shape.band in ("drawstring", "elastic"):
        tint = np.full(3, 0.8, np.float32) if float(ground.mean()) < 0.5 else ground * np.float32(0.5)
        for sign in (-1, 1):
            cord = make_tube(
                [
                    (sign * 0.8, y + 2.4),
                    (sign * float(rng.uniform(1.2, 2.6)), y + 8),
                    (sign * float(rng.uniform(0.8, 3.0)), y + float(rng.uniform(12, 17))),
                ],
                [(0, 0.35), (1, 0.35)],
            )
            cut = cord.cut(canvas, bulge=0.2)
            canvas.cast(cut, blur_cm=0.3, strength=0.5, dx=0.15, dy=0.2)
            canvas.lay(cut, tint, cut.x * np.float32(-1.4) if not cut.empty else 0.0)
    elif shape.band == "paperbag" and not pose.back:
        draw_bow(canvas, fabric, 0.0, y + 1.8, pose, size=0.85)

"""Pants and shorts: two legs below one waist."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, curve_at, mirrored, path, smoothstep
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import crumple, drape, gathers, relief, stroke_height, swell, tube
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.trouser_form import Edges, crotch, leg_edges, leg_outline, leg_strokes, waist_half
from catalog.sample_catalog.garments.trouser_parts import draw_leg_details, draw_leg_seams, draw_waist
from catalog.sample_catalog.shapes import TrouserShape


def draw_trousers_behind(canvas: Canvas, fabric: Fabric, shape: TrouserShape, pose: Pose) -> None:
    """The inner sides seen at leg openings and, where nobody is inside, at the waist."""
    for side in (-1, 1):
        outer, inner = leg_edges(shape, pose, side)
        hem_y, x1 = outer[-1]
        x0 = inner[-1][1]
        middle, half = 0.5 * (x0 + x1) * side, 0.5 * (x1 - x0)
        if shape.split:
            middle, half = middle - 1.6 * side, half - 1.8
        lip: list[Knot] = [
            (middle - half * 0.84, hem_y - 3, CORNER),
            (middle + half * 0.84, hem_y - 3, CORNER),
            (middle + half * 0.86, hem_y, CORNER),
            (middle, hem_y - 0.6),
            (middle - half * 0.86, hem_y, CORNER),
        ]
        piece = canvas.cut(path(lip))
        canvas.lay(piece, fabric.ground * np.float32(0.6), occlusion=0.25)
    if pose.stage in ("ghost", "flat", "hanger") and not pose.back:
        half, y = waist_half(shape, pose), shape.waist_y
        rim: list[Knot] = [
            (0, y - 1.6),
            (half * 0.6, y - 1.3),
            (half * 0.99, y - 0.2, CORNER),
            (half * 0.6, y + 2.6),
            (0, y + 3.0),
        ]
        piece = canvas.cut(path(mirrored(rim)))
        if not piece.empty:
            deep = np.clip((piece.y - np.float32(y - 1.6)) / np.float32(3.2), 0, 1)
            canvas.lay(
                piece,
                fabric.ground * np.float32(0.8),
                0.0,
                0.3,
                occlusion=np.float32(0.7) - np.float32(0.45) * deep,
                bevel_cm=0.25,
            )


def draw_trousers(canvas: Canvas, fabric: Fabric, shape: TrouserShape, pose: Pose) -> None:
    """Both legs, seams, pockets and waistband."""
    order = (-1, 1) if pose.step >= 0 else (1, -1)
    edges = {side: leg_edges(shape, pose, side) for side in order}
    for place, side in enumerate(order):
        _leg(canvas, fabric, shape, pose, side, edges[side], over=place == 1)
    draw_leg_seams(canvas, fabric, shape, pose)
    for side in order:
        draw_leg_details(canvas, fabric, shape, pose, side, edges[side])
    draw_waist(canvas, fabric, shape, pose)


def _leg(
    canvas: Canvas, fabric: Fabric, shape: TrouserShape, pose: Pose, side: int, edges: Edges, *, over: bool
) -> None:
    outer, inner = edges
    piece = canvas.cut(leg_outline(shape, side, edges))
    if piece.empty:
        return
    fork = crotch(pose, shape)
    strokes = leg_strokes(shape, pose, side, edges)
    rng = pose.rng(f"legnoise{side}")
    hips = [(shape.waist_y, waist_half(shape, pose)), (pose.body.hip_y, outer[1][1]), (fork + 20, outer[1][1] + 1)]

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        out, into = curve_at(outer, y), curve_at([(fork - 3, 0.0), *inner], y)
        left, right = (np.float32(side) * out, np.float32(side) * into) if side < 0 else (into, out)
        leg = tube(x, left, right, np.float32(0.85 * pose.depth) * (out - into) * np.float32(0.5))
        hip = curve_at(hips, y)
        deep = curve_at([(shape.waist_y, 9.5), (pose.body.hip_y, 11.0), (fork + 20, 11.5)], y)
        whole = tube(x, -hip, hip, deep * np.float32(pose.depth))
        if pose.back and pose.stage != "flat":
            whole = whole + np.float32(2.2) * np.exp(
                -np.square((x - side * 8) / 6.0) - np.square((y - pose.body.hip_y - 2) / 8.0)
            )
        low = smoothstep(fork - 9, fork + 16, y)
        wx = x + np.float32(0.6) * swell(x, y, rng, 10.0, waves=4)
        wy = y + np.float32(0.8) * swell(x, y, rng, 11.0, waves=4)
        folds = stroke_height(wx, wy, strokes) * np.float32(pose.folds * shape.folds)
        folds += crumple(x, y, rng, 9.0, pose.crumple * 1.2)
        if shape.hem > 13 and shape.hem_y > 100:  # a wide leg hangs like a skirt
            middle, half = (out + into) * np.float32(0.5 * side), (out - into) * np.float32(0.5)
            turn = np.arcsin(np.clip((x - middle) / np.maximum(half, 1), -0.98, 0.98)).astype(np.float32)
            folds += drape(turn, rng, 3.4) * np.float32(1.2 * pose.folds) * smoothstep(fork, shape.hem_y, y)
        if shape.band in ("elastic", "drawstring", "paperbag"):
            folds += np.float32(0.45) * gathers(x, y, shape.waist_y + 3, rng, width_cm=1.9, reach_cm=8.0)
        if shape.cuff == "rib":
            folds += np.float32(0.4) * gathers(x, shape.hem_y - y, 4.0, rng, width_cm=1.8, reach_cm=6.0)
        if shape.crease:
            axis = (out + into) * np.float32(0.5 * side)
            folds += (
                np.float32(0.55) * np.maximum(0, 1 - np.abs(x - axis) / 2.2) * smoothstep(shape.waist_y + 4, fork, y)
            )
        return whole * (1 - low) + leg * low, folds

    form = relief(piece, height)
    axis = np.interp(
        piece.y,
        [k[0] for k in inner],
        [
            0.5 * (a[1] + b)
            for a, b in zip(
                inner, np.interp([k[0] for k in inner], [k[0] for k in outer], [k[1] for k in outer]), strict=True
            )
        ],
    )
    start = float(0.5 * (inner[0][1] + np.interp(inner[0][0], [k[0] for k in outer], [k[1] for k in outer])))
    u = piece.x - np.float32(side) * (axis.astype(np.float32) - np.float32(start)) + np.float32(0.35) * form.lift
    v = piece.y + np.float32(0.22) * form.lift
    if over:
        canvas.cast(piece, blur_cm=1.2, strength=0.4, dy=0.3)
    else:
        canvas.cast(piece, blur_cm=1.2, strength=0.4, dy=0.8)
    color = fabric.sample(
        u,
        v,
        part="sleeve" if side < 0 and fabric.design.motif == "sleeves" else "body",
        shift=0.0 if fabric.design.label in ("striped", "color_block") else 3.0 * side,
    )
    canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=form.occlusion, gloss=fabric.gloss, bevel_cm=0.12)

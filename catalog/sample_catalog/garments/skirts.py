"""Skirts: cones of cloth that hang in folds from a waist, and what is pleated, tiered or wrapped."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import relief
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.garments.skirt_form import skirt_form, skirt_height, skirt_outline, tier_y
from catalog.sample_catalog.garments.skirt_parts import draw_band, draw_skirt_details
from catalog.sample_catalog.shapes import SkirtShape


def draw_skirt_behind(canvas: Canvas, fabric: Fabric, shape: SkirtShape, pose: Pose) -> None:
    """The inner side of the back, seen below the front's hem and round the legs."""
    form = skirt_form(shape, pose)
    outline = skirt_outline(shape, form, pose)
    low = outline[:, 1] > form.waist_y + 0.6 * (form.hem_y - form.waist_y)
    moved = outline.copy()
    moved[low, 1] -= 0.9
    moved[:, 0] *= 0.985
    piece = canvas.cut(moved)
    if not piece.empty:
        canvas.lay(piece, fabric.ground * np.float32(0.55), 0.0, 0.2, occlusion=0.3)


def draw_skirt(canvas: Canvas, fabric: Fabric, shape: SkirtShape, pose: Pose, *, band: bool = True) -> None:
    """The front: cloth, seams, waistband, closings."""
    form = skirt_form(shape, pose)
    outline = skirt_outline(shape, form, pose)
    piece = canvas.cut(outline)
    if piece.empty:
        return
    rise = relief(piece, lambda x, y: skirt_height(shape, form, pose, x, y))
    half = form.half(piece.y)
    s = np.clip(piece.x / half, -1, 1)
    waist = float(form.knots[0][1])
    # A flared panel's grain runs straight down its middle; towards the sides it fans out with the folds.
    fan = np.float32(0.0 if shape.cut == "pencil" else 0.45)
    u = piece.x * (1 - fan) + fan * s * np.float32(0.5 * (waist + shape.hem_half)) + np.float32(0.16) * s * s * s * half
    u = u - np.float32(pose.yaw * 5.0) * (1 - s * s) + np.float32(0.35) * rise.lift
    v = piece.y + np.float32(0.22) * rise.lift - np.float32(0.03) * half * (1 - s * s)
    shift = 0.0
    if shape.tiers:
        tier = sum(
            (piece.y > tier_y(shape, form, t) + 1.2 * (1 - s * s)).astype(np.float32) for t in range(1, shape.tiers)
        )
        u, v = u + tier * np.float32(5.3), v + tier * np.float32(2.1)
    canvas.cast(piece, blur_cm=1.6, strength=0.45, dy=1.2)
    canvas.lay(
        piece,
        fabric.sample(u, v, shift=shift),
        rise.slope_x,
        rise.slope_y,
        occlusion=rise.occlusion,
        gloss=fabric.gloss,
        bevel_cm=0.18,
    )
    draw_skirt_details(canvas, fabric, shape, form, pose)
    if band:
        draw_band(canvas, fabric, shape, form, pose)

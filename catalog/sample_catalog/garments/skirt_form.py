"""A skirt's silhouette and folds on a figure."""

from dataclasses import dataclass

import numpy as np

from catalog.sample_catalog.drawing.curves import Floats, curve_at, path
from catalog.sample_catalog.drawing.folds import (
    Stroke,
    crumple,
    drape,
    gathers,
    stroke_height,
    swell,
    tube,
)
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import SkirtShape

_HEM_POINTS = 49


@dataclass(frozen=True)
class SkirtForm:
    """A skirt on its figure: how wide it is at each height, and the folds' turn about it."""

    knots: tuple[tuple[float, float], ...]  # (y, half width)
    waist_y: float
    hem_y: float
    seed: int

    def half(self, y: Floats) -> Floats:
        """Half width at `y`."""
        return curve_at(self.knots, y)


def skirt_form(shape: SkirtShape, pose: Pose) -> SkirtForm:
    """The silhouette of the skirt."""
    body = pose.body
    waist = body.waist_half + shape.waist_ease + (0.8 if pose.stage == "flat" else 0)
    hip = body.hip_half + 1.0
    long = shape.hem_y - shape.waist_y
    knots = [(shape.waist_y, waist)]
    if shape.cut == "pencil":
        knots += [(body.hip_y - 3, hip), (body.hip_y + 14, hip + 0.2), (shape.hem_y, shape.hem_half)]
    elif shape.cut in ("circle", "tiered"):
        knots += [
            (shape.waist_y + 0.22 * long, max(hip - 1, waist + 0.30 * (shape.hem_half - waist))),
            (shape.waist_y + 0.6 * long, waist + 0.66 * (shape.hem_half - waist)),
            (shape.hem_y, shape.hem_half),
        ]
    else:
        knots += [
            (shape.waist_y + 0.38 * long, max(hip * 0.97, waist + 0.42 * (shape.hem_half - waist))),
            (shape.hem_y, shape.hem_half),
        ]
    return SkirtForm(tuple(knots), shape.waist_y, shape.hem_y, int(pose.rng("skirt").integers(2**31)))


def around(form: SkirtForm, x: Floats, y: Floats) -> Floats:
    return np.asarray(np.arcsin(np.clip(x / form.half(y), -0.985, 0.985)).astype(np.float32))


def skirt_hem(shape: SkirtShape, form: SkirtForm, pose: Pose) -> Floats:
    """The hem from right to left, (n, 2): lower in front, moved up and down by the folds that end in it."""
    s = np.linspace(1, -1, _HEM_POINTS, dtype=np.float32)
    turn = np.arcsin(np.clip(s, -0.985, 0.985))
    half = float(form.half(np.array([form.hem_y], np.float32))[0])
    sag = (0.05 * half + 0.6) * (1 - s * s) * (0.6 if pose.stage == "flat" else 1.0)
    wave = np.zeros_like(s)
    if shape.cut in ("a_line", "circle", "tiered", "wrap"):
        rng = np.random.default_rng(form.seed)
        wave = drape(turn, rng, shape.folds) * np.float32(0.55 * shape.fold_cm * pose.folds)
    if shape.cut == "pleated":
        phase = (turn * np.float32(half) / np.float32(shape.pleat_cm * 1.2)) % 1
        wave = (phase - 0.5) * np.float32(0.5)
    return np.stack([s * half, form.hem_y + sag + wave], axis=1).astype(np.float32)


def skirt_outline(shape: SkirtShape, form: SkirtForm, pose: Pose) -> Floats:
    """The whole outline in cm."""
    rng = pose.rng("skirtside")
    y = np.linspace(form.waist_y, form.hem_y, 16, dtype=np.float32)
    half = form.half(y)
    fade = np.sin(np.linspace(0, np.pi, 16)) * 0.35 * pose.folds
    right = np.stack([half + fade * rng.normal(0, 1, 16).cumsum() * 0.25, y], axis=1)
    left = np.stack([-half - fade * rng.normal(0, 1, 16).cumsum() * 0.25, y], axis=1)
    top = path([(-half[0], form.waist_y), (0, form.waist_y + 1.3), (half[0], form.waist_y)], closed=False)
    return np.concatenate([top, right[1:-1], skirt_hem(shape, form, pose), left[-2:0:-1]]).astype(np.float32)


def skirt_height(shape: SkirtShape, form: SkirtForm, pose: Pose, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Roundness over the hips, and folds."""
    body = pose.body
    half = form.half(y)
    deep = curve_at([(form.waist_y, 9.0), (body.hip_y, 11.5), (form.hem_y, 13.0)], y) * np.float32(pose.depth)
    round_ = tube(x, -half, half, deep)
    turn = around(form, x, y)
    down = np.clip((y - form.waist_y) / np.float32(form.hem_y - form.waist_y), 0, 1.1)
    rng = np.random.default_rng(form.seed)
    folds = np.zeros_like(x)
    strength = np.float32(2.3 * shape.fold_cm * pose.folds)
    if shape.cut in ("a_line", "circle", "tiered", "wrap"):
        power = 1.0 if shape.cut == "circle" else 1.5
        folds += drape(turn, rng, shape.folds) * strength * down ** np.float32(power)
        folds += np.float32(0.3) * drape(turn, rng, shape.folds * 1.9, sharp=0.3) * strength * down
    noise = pose.rng("skirtnoise")
    if shape.cut == "pleated":
        hem = np.float32(form.hem_y)
        at_hem = turn * form.half(np.full_like(y, hem))
        phase = (at_hem / np.float32(shape.pleat_cm * 1.2)) % 1
        saw = phase * phase * (1 - np.clip((phase - 0.86) / 0.14, 0, 1))
        folds += (
            saw * np.float32(1.1) * (0.35 + 0.65 * down)
            + np.float32(0.5) * swell(turn * 20, y * 0.4, noise, 14.0) * down
        )
    elif shape.cut == "pencil":
        strokes = [
            Stroke(
                (s * 15, body.hip_y - float(noise.uniform(-4, 8))),
                (-s * float(noise.uniform(0, 9)), body.hip_y + float(noise.uniform(-2, 12))),
                (1.0, 2.2),
                float(noise.uniform(0.2, 0.5)),
                bend=float(noise.normal(0, 1)),
            )
            for s in (-1, 1, -1, 1)
        ]
        strokes += [
            Stroke((s * 6, body.hip_y + 12), (s * 8, form.hem_y + 3), (1.6, 2.6), 0.4, root=0.5, tail=0.1)
            for s in (-1, 1)
        ]
        folds += stroke_height(x, y, strokes) * np.float32(pose.folds)
    if shape.cut == "circle" or shape.band in ("elastic", "tie"):
        folds += np.float32(0.5 * pose.folds) * gathers(x, y, form.waist_y + 1, noise, width_cm=2.0, reach_cm=9.0)
    if shape.tiers:
        for tier in range(1, shape.tiers):
            line = tier_y(shape, form, tier) + 1.2 * (1 - np.square(np.clip(x / half, -1, 1)))
            folds += np.float32(0.75 * pose.folds) * gathers(x, y, line, noise, width_cm=2.4, reach_cm=9.0)
            folds += np.float32(0.5) * np.where(y > line, np.exp(-(y - line) * np.float32(0.4)), 0)
    folds += crumple(x, y, noise, 12.0, pose.crumple * 1.4) + np.float32(0.12) * swell(x, y, noise, 12.0, stretch=2)
    return round_, folds.astype(np.float32)


def tier_y(shape: SkirtShape, form: SkirtForm, tier: int) -> float:
    long = form.hem_y - form.waist_y
    return float(form.waist_y + long * (tier / shape.tiers) ** 0.9)

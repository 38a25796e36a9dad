"""Trousers' measures on a figure: waist, crotch, the edges of each leg, its folds."""

import numpy as np

from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, path
from catalog.sample_catalog.drawing.folds import Stroke
from catalog.sample_catalog.figures.limbs import leg_knots
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import TrouserShape

Edges = tuple[list[tuple[float, float]], list[tuple[float, float]]]


def waist_half(shape: TrouserShape, pose: Pose) -> float:
    """Half width of the waist, cm."""
    body = pose.body
    share = np.clip((shape.waist_y - body.waist_y) / (body.hip_y - body.waist_y), 0, 1)
    return float(body.waist_half + (body.hip_half - body.waist_half) * share**1.3 + 0.8)


def crotch(pose: Pose, shape: TrouserShape) -> float:
    """y of the crotch, cm."""
    return pose.body.crotch_y + 1.0 + 0.5 * shape.ease


def leg_edges(shape: TrouserShape, pose: Pose, side: int) -> Edges:
    """(y, x) down a leg's outer and inner edge, for the photo's right leg if side is 1 (x signed)."""
    body = pose.body
    rng = pose.rng(f"leg{side}")
    bones = leg_knots(body, pose, side)
    line = path(bones, closed=False)
    fork = crotch(pose, shape)

    # Wide legs push each other apart, so that their inner edges are seen.
    foot = float(np.interp(shape.hem_y, line[:, 1], line[:, 0]) * side)
    apart = max(0.0, shape.hem + 0.9 - foot) if shape.hem_y > body.knee_y else 0.4 * max(0.0, shape.hem - 1.0 - foot)

    def bone(y: float) -> float:
        push = apart * float(np.clip((y - fork) / (shape.hem_y - fork), 0, 1))
        return float(np.interp(y, line[:, 1], line[:, 0]) * side) + push

    wide = max(0.0, shape.thigh - 10.5)
    outer = [(shape.waist_y, waist_half(shape, pose)), (body.hip_y, body.hip_half + shape.ease + 0.3 * wide)]
    inner = [(fork, 0.15)]
    places = [
        (fork + 7, shape.thigh),
        (body.knee_y, shape.knee),
        (0.5 * (body.knee_y + 133.0), 0.5 * (shape.knee + shape.hem)),
        (133.0, shape.hem),
    ]
    for y, half in places:
        if y > shape.hem_y - 4:
            continue
        wobble = float(rng.normal(0, 0.15)) * shape.folds * pose.folds
        outer.append((y, bone(y) + half + wobble))
        inner.append(
            (y, max(bone(y) - half, 0.25 if y < body.knee_y else -2.0) + float(rng.normal(0, 0.15)) * shape.folds)
        )
    end = (
        float(np.interp(shape.hem_y, [fork + 7, body.knee_y, 133.0], [shape.thigh, shape.knee, shape.hem]))
        if shape.hem_y > fork + 30
        else shape.hem
    )
    outer.append((shape.hem_y, bone(shape.hem_y) + end))
    inner.append((shape.hem_y, max(bone(shape.hem_y) - end, 0.4 if shape.hem_y < 118 else -3.0)))
    return outer, inner


def leg_outline(shape: TrouserShape, side: int, edges: Edges) -> Floats:
    outer, inner = edges
    knots: list[Knot] = [
        (-0.4 * side, shape.waist_y + 1.2, CORNER),
        (side * outer[0][1] * 0.55, shape.waist_y + 0.8),
        (side * outer[0][1], shape.waist_y, CORNER),
    ]
    knots += [(side * x, y) for y, x in outer[1:-1]]
    hem_y, hem_x = outer[-1]
    low_x = inner[-1][1]
    drop = 0.8
    if shape.split:
        knots += [(side * hem_x, hem_y - 5.5, CORNER), (side * (hem_x - 1.4), hem_y - 1.0)]
    else:
        knots.append((side * hem_x, hem_y, CORNER))
    knots += [(side * 0.5 * (hem_x + low_x), hem_y + drop), (side * low_x, hem_y + 0.2, CORNER)]
    knots += [(side * x, y) for y, x in reversed(inner[1:-1])]
    knots += [(side * inner[0][1], inner[0][0], CORNER), (-0.4 * side, inner[0][0] - 2.5)]
    return path(knots)


def leg_strokes(shape: TrouserShape, pose: Pose, side: int, edges: Edges) -> list[Stroke]:
    rng = pose.rng(f"legfolds{side}")
    body, fork = pose.body, crotch(pose, shape)
    outer, inner = edges

    def at(y: float, share: float) -> float:
        o = np.interp(y, [k[0] for k in outer], [k[1] for k in outer])
        i = np.interp(y, [k[0] for k in inner], [k[1] for k in inner])
        return float(side * (i + (o - i) * share))

    strokes = [
        Stroke(
            (side * 1.0, fork - 2 + 1.6 * k),
            (at(body.hip_y + 4, float(rng.uniform(0.55, 0.95))), fork - float(rng.uniform(4, 13)) + 4.5 * k),
            (0.7, 1.8),
            float(rng.uniform(0.3, 0.6)),
            bend=side * float(rng.uniform(-0.5, 1.2)),
        )
        for k in range(3)
    ]
    if shape.hem_y > body.knee_y + 12:
        for _ in range(5):
            y = body.knee_y + float(rng.uniform(-8, 10))
            first = float(rng.choice((0.02, 0.98)))
            strokes.append(
                Stroke(
                    (at(y, first), y),
                    (at(y, 0.5 + 0.25 * (0.5 - first)), y + float(rng.uniform(-2, 4))),
                    (0.8, 1.5),
                    float(rng.uniform(0.3, 0.65)),
                    bend=float(rng.normal(0, 0.8)),
                    tail=0.7,
                )
            )
        for k in range(5):
            y = shape.hem_y - 3 - 3.3 * k + float(rng.normal(0, 0.7))
            first = float(rng.choice((0.02, 0.98)))
            strokes.append(
                Stroke(
                    (at(y, first), y),
                    (at(y, 1 - first), y + float(rng.uniform(-2.5, 2.5))),
                    (0.8, 1.2),
                    float(rng.uniform(0.25, 0.6)),
                    bend=float(rng.normal(0, 0.9)),
                    tail=0.7,
                )
            )
        strokes += [
            Stroke(
                (at(fork + 8, share), fork + 6),
                (at(shape.hem_y - 12, share), shape.hem_y - 10),
                (1.6, 1.8),
                float(rng.uniform(0.15, 0.4)),
                bend=float(rng.normal(0, 1)),
            )
            for share in (0.35, 0.65)
        ]
    else:
        for _ in range(3):
            share = float(rng.uniform(0.2, 0.85))
            strokes.append(
                Stroke(
                    (at(fork, share), body.hip_y + float(rng.uniform(2, 8))),
                    (at(shape.hem_y, share), shape.hem_y + 3),
                    (1.2, 2.3),
                    float(rng.uniform(0.3, 0.55)),
                    root=0.5,
                    tail=0.1,
                    bend=float(rng.normal(0, 0.8)),
                )
            )
    return strokes

"""A top's measures on a figure: shoulder, armpit, sides, roundness and folds."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Piece
from catalog.sample_catalog.drawing.curves import Floats, curve_at
from catalog.sample_catalog.drawing.folds import (
    Stroke,
    crumple,
    drape,
    fade_in,
    stroke_height,
    swell,
    tube,
)
from catalog.sample_catalog.figures.body import shoulder_line
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import TopShape


def shoulder_tip(shape: TopShape, pose: Pose) -> tuple[float, float]:
    """Where the shoulder seam ends, on the photo's right."""
    x = pose.body.shoulder_half + shape.shoulder_out
    lift = 1.1 if pose.stage == "flat" else 0.8
    return x, shoulder_line(pose.body, x) - lift


def armpit(shape: TopShape, pose: Pose) -> tuple[float, float]:
    """Where sleeve and side meet, on the photo's right."""
    x, y = shoulder_tip(shape, pose)
    deep = 16.5 + 0.55 * shape.ease + (2.0 if shape.sleeve == "none" else 2 * max(0.0, shape.sleeve_half - 8.6))
    return min(pose.body.bust_half + shape.ease, x + 4), y + deep


def side_knots(shape: TopShape, pose: Pose) -> list[tuple[float, float]]:
    """(y, half width) down the side from the armpit to the hem."""
    body = pose.body
    chest, arm_y = armpit(shape, pose)
    waist = body.waist_half + shape.ease + 0.6
    straight = chest + 0.3 * shape.hem_out
    middle = straight + (waist - straight) * shape.waisted
    knots = [(arm_y, chest), (0.5 * (arm_y + body.waist_y), 0.45 * chest + 0.55 * middle + 0.4), (body.waist_y, middle)]
    end = (
        max(chest, body.hip_half * 0.96 + 0.8 * shape.ease)
        if shape.hem_y > 52
        else middle + 0.6 * max(0, shape.hem_y - 46)
    )
    if shape.hem_y > body.waist_y + 2:
        knots.append((shape.hem_y, end + shape.hem_out))
    else:
        knots[-1] = (shape.hem_y, middle + shape.hem_out)
    return knots


def _torso_strokes(shape: TopShape, pose: Pose, rng: np.random.Generator) -> list[Stroke]:
    """Folds of a body piece: from the armpits, across the waist, down from the chest."""
    pit = armpit(shape, pose)
    loose = min(1.2 + 0.2 * shape.ease, 1.9)
    strokes = []
    for side in (-1, 1):
        strokes += [
            Stroke(
                (side * (pit[0] - 0.6), pit[1] - 1 + 1.4 * k),
                (side * float(rng.uniform(3, 9)), pit[1] + float(rng.uniform(-5, 3)) + 5.0 * k),
                (0.8, 2.0),
                float(rng.uniform(0.25, 0.55)) * loose,
                bend=side * float(rng.uniform(-1.6, 0.6)),
                tail=0.7,
            )
            for k in range(3)
        ]
        if shape.waisted > 0.25:
            for _ in range(3):
                y = pose.body.waist_y + float(rng.uniform(-6, 8))
                strokes.append(
                    Stroke(
                        (side * (pose.body.waist_half + shape.ease), y),
                        (side * float(rng.uniform(-1, 6)), y + float(rng.uniform(0, 4))),
                        (0.9, 1.7),
                        float(rng.uniform(0.2, 0.5)) * loose,
                        bend=side * float(rng.uniform(-0.4, 1.4)),
                        tail=0.75,
                    )
                )
        for _ in range(2):
            x = float(rng.uniform(3, 13))
            strokes.append(
                Stroke(
                    (side * x, float(rng.uniform(22, 34))),
                    (side * (x + float(rng.uniform(-1, 3))), shape.hem_y + 4),
                    (1.2, float(rng.uniform(2.0, 3.4))),
                    float(rng.uniform(0.3, 0.6)) * loose,
                    bend=float(rng.normal(0, 1.2)),
                    tail=0.1,
                    root=0.5,
                )
            )
    if pose.step and pose.stage == "model":
        side = 1 if pose.step > 0 else -1
        strokes.append(
            Stroke(
                (side * 15, pose.body.hip_y - 8), (-side * 8, pose.body.waist_y - 2), (1.2, 2.4), 0.4 * loose, bend=1.5
            )
        )
    return strokes


def torso_height(
    shape: TopShape,
    pose: Pose,
    right: list[tuple[float, float]],
    left: list[tuple[float, float]],
    x: Floats,
    y: Floats,
    bottom: float,
) -> tuple[Floats, Floats]:
    """The body's roundness under the cloth and the cloth's folds, in cm, for a torso down to `bottom`."""
    body = pose.body
    rng = pose.rng("torso")
    tip = shoulder_tip(shape, pose)
    # Where a sleeve goes on, the form does too: no rim at the armhole.
    beyond = 5.0 if shape.sleeve != "none" else 0.0
    upper = [
        (-6.0, tip[0] * 0.8 + beyond),
        (tip[1] + 2, tip[0] + beyond),
        (right[0][0] - 7, right[0][1] + 0.7 * beyond),
    ]
    at = y[:, :1] if float(np.ptp(y, axis=1).max() if y.size else 0) < 1e-3 else y
    r = curve_at([*upper, *right], at)
    w = curve_at([*upper, *left], at)
    deep = curve_at(
        [
            (-4, 2.5),
            (3, 5.5),
            (12, 9.0),
            (body.bust_y, 11.0),
            (body.waist_y, 9.6),
            (body.hip_y, 11.0),
            (body.hip_y + 45, 12.0),
        ],
        at,
    )
    edge = np.float32(1.06 if pose.stage == "flat" else 1.0)
    form = tube(x, -w * edge, r * edge, deep * np.float32(pose.depth))
    if not pose.back and pose.stage != "flat":
        for side in (-1, 1):
            form = form + np.float32(body.bust * pose.depth) * np.exp(
                -np.square((x - side * 7.6) / 5.4) - np.square((y - body.bust_y) / 5.6)
            )
    elif pose.back and pose.stage != "flat":
        form = form - np.float32(0.9) * np.exp(-np.square(x / 2.6)) * fade_in(y, 6, 22)
        for side in (-1, 1):
            form = form + np.float32(0.8) * np.exp(-np.square((x - side * 8.5) / 4.6) - np.square((y - 14) / 7.0))
    wx = x + np.float32(0.9) * swell(x, y, rng, 24.0, waves=4)
    wy = y + np.float32(1.2) * swell(x, y, rng, 24.0, waves=4)
    strokes = _torso_strokes(shape, pose, rng)
    folds = stroke_height(wx, wy, strokes) * np.float32(pose.folds)
    folds += crumple(x, y, rng, 10.0, pose.crumple * 1.6)
    if shape.hem_y > 70:  # long cloth hangs from the chest in upright folds
        turn = np.arcsin(np.clip(x / np.maximum(r, w), -0.97, 0.97)).astype(np.float32)
        folds += drape(turn, rng, 2.8) * np.float32(1.7 * pose.folds) * fade_in(y, body.bust_y + 4, shape.hem_y)
    folds += np.float32(0.17 * pose.folds) * swell(x, y, rng, 11.0, stretch=2.2)
    return form, folds


def yawed(piece: Piece, pose: Pose, half: float) -> Floats:
    """x on the cloth where the figure is turned: what is in the middle moves, the sides stay."""
    s = np.clip(piece.x * np.float32(1 / half), -1, 1)
    turned = piece.x - np.float32(pose.yaw * 5.0) * (1 - s * s)
    return np.asarray(turned + np.float32(0.16 * pose.depth) * s * s * s * np.float32(half))


def middle_x(pose: Pose) -> float:
    """Where the cloth's middle line lies."""
    return pose.yaw * 5.0

"""Arms with their hands, legs with their shoes."""

from functools import lru_cache

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import Floats, Knot, path, smoothstep
from catalog.sample_catalog.drawing.fabric import linear
from catalog.sample_catalog.drawing.folds import relief, tube
from catalog.sample_catalog.drawing.tubes import Tube, make_tube
from catalog.sample_catalog.figures.body import Figure
from catalog.sample_catalog.figures.pose import Body, Pose


def arm_knots(body: Body, pose: Pose, side: int) -> list[Knot]:
    """Shoulder, elbow and wrist of one arm (side 1 is the photo's right), with knots that round the bends."""
    upper, fore = pose.arms[0 if side > 0 else 1]
    x0, y0 = body.shoulder_half - 4.2, body.shoulder_y + 5.0
    ex, ey = x0 + 28.5 * np.sin(upper), y0 + 28.5 * np.cos(upper)
    wx, wy = ex + 25 * np.sin(fore), ey + 25 * np.cos(fore)
    knots: list[Knot] = [
        (side * x0, y0),
        (side * (x0 + 14 * np.sin(upper)), y0 + 14 * np.cos(upper)),
        (side * (ex - 3.5 * np.sin(upper)), ey - 3.5 * np.cos(upper)),
        (side * (ex + 3.5 * np.sin(fore)), ey + 3.5 * np.cos(fore)),
        (side * wx, wy),
    ]
    return knots


def flesh(
    canvas: Canvas, shape: Tube, color: Floats, *, gloss: float = 0.06, start: float = 0.0, fade_cm: float = 0.0
) -> None:
    """A limb; its far end runs out over `fade_cm` into what lies below it."""
    piece = shape.cut(canvas, start=start)
    if fade_cm and not piece.empty:
        piece.clip(smoothstep(shape.length, shape.length - fade_cm, piece.y))
    form = relief(piece, shape.rounded(0.85))
    canvas.lay(piece, color, form.slope_x, form.slope_y, gloss=gloss, product=False)


@lru_cache(maxsize=1)
def _hand_shape() -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """A relaxed right hand's parts and the lines between its fingers; its wrist on (0, 0), fingers along +y, cm."""
    thumb = make_tube([(-2.0, 2.5), (-3.4, 6.0), (-3.0, 9.4)], [(0, 1.2), (0.6, 0.9), (1, 0.5)])
    palm = make_tube([(0, -4.0), (0, 3), (-0.1, 9.5)], [(0, 2.3), (0.4, 2.6), (0.8, 2.9), (1, 2.3)])
    parts, between = [thumb.outline(), palm.outline(bulge=0.7)], []
    for reach, place in ((15.0, -1.9), (16.4, -0.65), (15.8, 0.7), (13.6, 1.85)):
        finger = make_tube(
            [(place, 6.5), (place * 0.95 - 0.25, 11), (place * 0.7 - 1.0, reach)], [(0, 0.95), (0.7, 0.8), (1, 0.45)]
        )
        parts.append(finger.outline(bulge=0.5))
        between.append((finger.line[6:] + finger.normal[6:] * np.float32(0.75)).astype(np.float32))
    return tuple(parts), tuple(between[:3])


def _hand(canvas: Canvas, body: Body, pose: Pose, side: int, skin: Floats) -> None:
    """A relaxed hand at the wrist."""
    wrist = np.array(arm_knots(body, pose, side)[-1][:2], np.float32)
    tilt = pose.arms[0 if side > 0 else 1][1] * 0.8 - 0.06
    k = 0.72 + 0.1 * body.arm
    c, s = k * np.cos(tilt), k * np.sin(tilt)
    turn = np.array([[side * c, -s], [side * s, c]], np.float32)  # rows: where the hand's own x and y point
    parts, between = _hand_shape()
    piece = canvas.cut(*(part @ turn + wrist for part in parts))
    if piece.empty:
        return
    nx, ny = np.float32(np.cos(tilt)), np.float32(-side * np.sin(tilt))  # across the hand
    across = ((piece.x - wrist[0]) * nx + (piece.y - wrist[1]) * ny) * np.float32(-0.16)
    slope_x, slope_y = across * nx, across * ny + np.float32(0.06)
    canvas.lay(piece, skin, slope_x, slope_y, gloss=0.06, product=False, bevel_cm=1.0, bevel_width_cm=0.9)
    canvas.crease([line @ turn + wrist for line in between], width_cm=0.35, strength=0.3)


def draw_arm(canvas: Canvas, figure: Figure, pose: Pose, side: int, *, hand: bool = True, start: float = 0.0) -> None:
    """A bare arm with its hand."""
    body, skin = pose.body, linear(figure.skin)
    shape = make_tube(
        arm_knots(body, pose, side),
        [
            (0, 4.4 * body.arm),
            (0.14, 4.3 * body.arm),
            (0.36, 3.7 * body.arm),
            (0.53, 3.1 * body.arm),
            (0.62, 3.3 * body.arm),
            (0.8, 2.6 * body.arm),
            (1, 2.0 * body.arm),
        ],
    )
    if hand:
        _hand(canvas, body, pose, side, skin)
    flesh(canvas, shape, skin, start=start, fade_cm=2.5 if hand else 0.0)


def leg_knots(body: Body, pose: Pose, side: int) -> list[Knot]:
    """Hip, knee and ankle of one leg."""
    spread = pose.stance * 2.0
    bend = max(0.0, pose.step * side)  # the free leg's knee comes in and its foot goes out
    return [
        (side * (body.hip_half * 0.5), body.hip_y),
        (side * (body.hip_half * 0.5 + 0.3 * spread), body.crotch_y + 6),
        (side * (body.hip_half * 0.45 + 0.7 * spread - 1.0 * bend), body.knee_y),
        (side * (body.hip_half * 0.42 + 1.0 * spread - 0.2 * bend), body.knee_y + 18),
        (side * (body.hip_half * 0.36 + 1.2 * spread + 1.8 * bend), body.ankle_y),
    ]


def draw_leg(
    canvas: Canvas,
    pose: Pose,
    side: int,
    color: Floats,
    *,
    gloss: float = 0.06,
    foot: Floats | None = None,
    from_y: float = 0.0,
) -> None:
    """A bare or stockinged leg from the hip down, with a shoe where `foot` gives its color."""
    body, k = pose.body, pose.body.arm * 0.45 + 0.55
    knots = leg_knots(body, pose, side)
    if foot is not None:
        draw_shoe(canvas, pose, side, foot)
    shape = make_tube(
        knots,
        [
            (0, 8.9),
            (0.12, 8.7),
            (0.3, 7.4 * k),
            (0.52, 5.5 * k),
            (0.6, 5.2 * k),
            (0.72, 5.6 * k),
            (0.88, 4.0 * k),
            (1, 3.3 * k),
        ],
    )
    # The leg runs nearly upright, so cm down the body are cm along it.
    piece = shape.cut(canvas, start=float(np.clip(from_y - body.hip_y, 0, shape.length - 5)), bulge=1.0)
    knee = shape.length * 0.55

    def height(d: Floats, t: Floats) -> tuple[Floats, Floats]:
        near, far = shape.half_width(t)
        cap = np.float32(0.5) * np.exp(-np.square(d / 2.8) - np.square((t - np.float32(knee)) / 3.4))
        return tube(d, -far, near, 0.9 * near), cap - np.float32(0.2) * np.exp(
            -np.square(d / 3.0) - np.square((t - np.float32(knee + 5.0)) / 1.6)
        )

    form = relief(piece, height)
    canvas.cast(piece, blur_cm=1.4, strength=0.28)
    canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=form.occlusion, gloss=gloss, product=False)


def draw_shoe(canvas: Canvas, pose: Pose, side: int, color: Floats) -> None:
    """A plain low shoe seen from the front, toe turned out a little."""
    x, y = leg_knots(pose.body, pose, side)[-1][:2]
    toe = side * 2.2
    sole = path(
        [
            (x - 3.7, y + 1),
            (x - 4.4 + toe * 0.4, y + 8),
            (x - 3.6 + toe, y + 12.4),
            (x + toe, y + 13.6),
            (x + 3.6 + toe, y + 12.4),
            (x + 4.4 + toe * 0.4, y + 8),
            (x + 3.7, y + 1),
            (x, y - 1.5),
        ]
    )
    rubber = canvas.cut(sole + np.array([0, 0.9], np.float32))
    canvas.cast(rubber, blur_cm=1.0, strength=0.5, dy=0.6)
    canvas.lay(rubber, np.full(3, 0.72, np.float32), product=False, bevel_cm=0.5)
    piece = canvas.cut(sole)

    def height(px: Floats, py: Floats) -> Floats:
        u, v = (px - np.float32(x + toe * 0.7)) / 4.6, (py - np.float32(y + 6)) / 8.5
        return np.float32(4.2) * np.sqrt(np.maximum(1.1 - u * u - v * v, 0.03)).astype(np.float32)

    form = relief(piece, height)
    canvas.lay(piece, color, form.slope_x, form.slope_y, gloss=0.15, product=False, bevel_cm=0.3)
    laces = [
        np.array([[x + toe * 0.45 - 1.7, y + 2.6 + 1.5 * k], [x + toe * 0.5 + 1.7, y + 3.0 + 1.5 * k]], np.float32)
        for k in range(3)
    ]
    canvas.draw(
        laces, width_cm=0.5, color=np.float32(0.45) + np.float32(0.5) * (1 - color), opacity=0.8, on_product=False
    )

"""Sleeves: a tube along the arm, its folds at armpit and elbow, its cuff."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import Floats, Knot, path
from catalog.sample_catalog.drawing.details import buttons, patch, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import Stroke, crumple, gathers, relief, stroke_height, swell, tube
from catalog.sample_catalog.drawing.tubes import Tube, make_tube
from catalog.sample_catalog.figures.limbs import arm_knots
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import TopShape

_JOIN = 13.5  # where, along the tube, the rim out of the shoulder seam runs into the tube's own
_BEFORE = 5.0  # cm of the tube above the shoulder joint: its coordinates reach under the body's piece


def sleeve_tube(shape: TopShape, pose: Pose, side: int, tip: tuple[float, float]) -> Tube:
    """The sleeve's tube down the arm; `tip` is the shoulder seam's end (x, y) on the photo's right."""
    upper, fore = pose.arms[0 if side > 0 else 1]
    half, end = shape.sleeve_half, shape.sleeve_end
    ux, uy = np.sin(upper), np.cos(upper)
    if pose.stage == "model":
        spare = 0.75 * max(0.0, half - 8.0)  # a wide sleeve rests on the arm and hangs below it
        joint = arm_knots(pose.body, pose, 1)[0]
        sx, sy = joint[0] - spare * uy + max(0.0, shape.shoulder_out - 2) * 0.3, joint[1] + spare * ux
    else:  # no arm fills the sleeve: it falls from its own armhole
        sx, sy = tip[0] - (half - 2.2) * uy, tip[1] + half * ux + 4.0
    ex, ey = sx + 28 * ux, sy + 28 * uy
    long = shape.sleeve_cm
    knots: list[Knot] = [(side * (sx - _BEFORE * ux), sy - _BEFORE * uy)]
    if long <= 29:
        knots += [(side * (sx + ux * long * f), sy + uy * long * f) for f in (0.4, 1.0)]
    else:
        rest = long - 28
        fx, fy = np.sin(fore), np.cos(fore)
        knots += [(side * (sx + 14 * ux), sy + 14 * uy), (side * (ex - 3.2 * ux), ey - 3.2 * uy)]
        knots.append((side * (ex + 3.2 * fx), ey + 3.2 * fy))
        if rest > 8:
            knots.append((side * (ex + rest * 0.6 * fx), ey + rest * 0.6 * fy))
        knots.append((side * (ex + rest * fx), ey + rest * fy))
    rng = pose.rng(f"sleeve{side}")
    wave = [float(rng.normal(0, 0.028)) for _ in range(6)]
    loose = pose.folds * (1.0 if shape.sleeve_cm > 30 else 0.5)

    def widths(outer: bool) -> list[tuple[float, float]]:
        if shape.sleeve == "puff":
            return [
                (0, half),
                (0.18, half * 1.22),
                (0.55, half * 1.3),
                (0.85, half * 1.08),
                (0.95, end * 1.04),
                (1, end),
            ]
        if shape.sleeve == "flutter":
            return [(0, half), (0.4, half * 1.12), (1, end)]
        line = [(0.0, half), (0.1, half)]
        for k, share in enumerate((0.2, 0.4, 0.56, 0.72, 0.86)):
            plain = half + (end - half) * share ** (0.85 if outer else 1.1)
            line.append((share, plain * (1 + loose * wave[k] * (1 if outer else -1.2))))
        line.append((1.0, end))
        return line

    near, far = (widths(True), widths(False)) if side > 0 else (widths(False), widths(True))
    return make_tube(knots, near, far)


def _outline(tube_: Tube, side: int, tip: tuple[float, float], start: float, end: float, bulge: float) -> Floats:
    """The sleeve's outline: out of the shoulder seam in one line with the shoulder, then down the tube."""
    if start > 0:
        return tube_.outline(start=start, end=end, bulge=bulge)
    whole = tube_.outline(start=_JOIN, end=end, bulge=bulge)
    inner, outer = (
        tube_.at(_BEFORE * 0.4, -side * 4.0),
        tube_.at(
            _JOIN,
            side * float(tube_.half_width(np.array([_JOIN], np.float32))[0 if side > 0 else 1][0]),
        ),
    )
    x, y = side * tip[0], tip[1]
    ahead = np.array(tube_.at(_JOIN + 3.0, 0)) - np.array(tube_.at(_JOIN, 0))
    cap = path(
        [
            (x - side * 2.5, y - 0.9),
            (x, y),
            (x + 0.46 * (outer[0] - x), y + 0.26 * (outer[1] - y)),
            (x + 0.82 * (outer[0] - x), y + 0.62 * (outer[1] - y)),
            outer,
            (outer[0] + ahead[0], outer[1] + ahead[1]),
        ],
        closed=False,
    )[:-8]
    rim = whole if side > 0 else whole[::-1]
    return np.concatenate([np.array([inner], np.float32), cap, rim]).astype(np.float32)


def draw_sleeve(
    canvas: Canvas,
    fabric: Fabric,
    shape: TopShape,
    pose: Pose,
    side: int,
    tube_: Tube,
    tip: tuple[float, float],
    *,
    start: float = 0.0,
) -> None:
    """Lay one sleeve, from `start` cm along it (so that a forearm may come in front of the body)."""
    rng = pose.rng(f"sleevefolds{side}")
    length = tube_.length
    banded = shape.cuff in ("rib", "button") and shape.sleeve_cm > 12
    cuff_cm = {"rib": 5.0, "button": 6.0}.get(shape.cuff, 0.0) if banded else 0.0
    if shape.sleeve == "puff":
        cuff_cm, banded = 2.2, True
    outline = _outline(tube_, side, tip, start, length - cuff_cm * 0.6, 0.5 if shape.sleeve != "flutter" else 1.6)
    piece = tube_.own(canvas.cut(outline))
    if piece.empty:
        return
    upper, fore = pose.arms[0 if side > 0 else 1]
    bend = abs(upper - fore)
    strokes = _sleeve_strokes(shape, side, length, bend, rng)
    seed = int(rng.integers(2**31))

    def height(d: Floats, t: Floats) -> tuple[Floats, Floats]:
        near, far = tube_.half_width(t)
        noise = np.random.default_rng(seed)
        wx = d + np.float32(0.5) * swell(d, t, noise, 9.0, waves=4)
        wt = t + np.float32(0.9) * swell(d, t, noise, 11.0, waves=4)
        folds = stroke_height(wx, wt, strokes) * np.float32(1.35 * pose.folds)
        folds += crumple(d, t, noise, 8.0, pose.crumple * 1.2, stretch=0.7)
        if shape.sleeve == "puff":
            folds += np.float32(0.55) * gathers(d, t, 0.5, noise, width_cm=1.9, reach_cm=6.0)
            folds += np.float32(0.5) * gathers(d, length - t, cuff_cm, noise, width_cm=1.7, reach_cm=5.0)
        if shape.sleeve == "flutter":
            folds += (
                np.float32(0.8)
                * np.sin(d * np.float32(0.85) + np.float32(rng.uniform(0, 6)))
                * (t / np.float32(length))
            )
        if banded and shape.sleeve != "puff":
            folds += np.float32(0.35) * gathers(d, length - t, cuff_cm * 0.6, noise, width_cm=1.8, reach_cm=4.0)
        deep = np.float32(max(pose.depth, 0.16) * 0.85) * (near + far) * np.float32(0.5)
        return tube(d, -far, near, deep), folds

    form = relief(piece, height)
    u = np.float32(side) * piece.x + np.float32(side * 24)
    color = fabric.sample(
        u + np.float32(0.35) * form.lift,
        piece.y + np.float32(2) + np.float32(0.22) * form.lift,
        part="sleeve",
        shift=0.0 if fabric.design.label == "striped" else 7.0 + side,
    )
    if shape.ringer and shape.raglan:
        color = np.broadcast_to(fabric.ink(1), color.shape)
    if start == 0.0:
        canvas.cast(piece, blur_cm=1.2, strength=0.3, dy=0.4)
    canvas.lay(
        piece,
        color,
        form.slope_x,
        form.slope_y,
        occlusion=form.occlusion,
        gloss=fabric.gloss,
        bevel_cm=0.12 if start == 0.0 else 0.0,
    )
    _draw_cuff(canvas, fabric, shape, side, tube_, cuff_cm)


def _sleeve_strokes(shape: TopShape, side: int, length: float, bend: float, rng: np.random.Generator) -> list[Stroke]:
    """Folds in the sleeve's own coordinates: from the armpit outwards, about the elbow, twisted below it."""
    half = shape.sleeve_half
    inner = -side  # the side of d that faces the body
    strokes = [
        Stroke(
            (inner * half * 0.95, _BEFORE + float(rng.uniform(6, 10))),
            (inner * half * float(rng.uniform(-0.5, 0.1)), _BEFORE + min(length * 0.9, float(rng.uniform(12, 20)))),
            (0.9, 2.0),
            float(rng.uniform(0.35, 0.7)),
            bend=float(rng.normal(0, 0.8)),
        )
        for _ in range(3)
    ]
    if shape.sleeve_cm < 44:
        for _ in range(2):
            x = float(rng.uniform(-0.5, 0.6)) * half
            strokes.append(Stroke((x, 3), (x + float(rng.normal(0, 1.5)), length), (1.2, 2.0), 0.3, tail=0.15))
        return strokes
    elbow = 28.0 + _BEFORE
    for k in range(5 if bend > 0.3 else 3):
        y = elbow + float(rng.uniform(-7, 7)) if bend < 0.3 else elbow + (k - 2) * 2.3 + float(rng.normal(0, 0.5))
        strokes.append(
            Stroke(
                (inner * half * 0.9, y),
                (-inner * half * float(rng.uniform(0.0, 0.5)), y + float(rng.normal(-1.2, 2.2))),
                (0.75, 1.4),
                float(rng.uniform(0.4, 0.75)) * (0.7 + min(bend, 1.0)),
                bend=float(rng.normal(0, 0.7)),
                tail=0.6,
            )
        )
    for _ in range(4):
        y = float(rng.uniform(elbow + 7, length - 6))
        sign = float(rng.choice((-1, 1)))
        strokes.append(
            Stroke(
                (sign * half * 0.7, y),
                (-sign * half * 0.4, y + float(rng.uniform(2, 6))),
                (0.8, 1.3),
                float(rng.uniform(0.25, 0.5)),
                bend=float(rng.normal(0, 1.0)),
            )
        )
    for _ in range(2):
        y = float(rng.uniform(10, 18))
        strokes.append(
            Stroke((-inner * half * 0.5, y), (inner * half * 0.5, y + float(rng.uniform(3, 8))), (1.3, 2.0), 0.35)
        )
    return strokes


def _draw_cuff(canvas: Canvas, fabric: Fabric, shape: TopShape, side: int, tube_: Tube, cuff_cm: float) -> None:
    length = tube_.length
    if cuff_cm:
        cuff = make_tube(
            [tube_.at(length - cuff_cm), tube_.at(length - cuff_cm * 0.5), tube_.at(length)],
            [(0, shape.sleeve_end * 0.98), (1, shape.sleeve_end * (0.88 if shape.cuff == "rib" else 0.97))],
        )
        piece = cuff.cut(canvas, bulge=0.35)
        if piece.empty:
            return
        canvas.cast(piece, blur_cm=0.5, strength=0.35)
        form = relief(piece, lambda d, t: tube(d, -cuff.half_width(t)[1], cuff.half_width(t)[0], 3.2))
        if shape.cuff == "rib":
            period = max(0.55, 3.0 * piece.cm_per_pixel)
            color = (
                fabric.ink(shape.trim)
                * (1 + np.float32(0.14) * np.sin(piece.x * np.float32(2 * np.pi / period)))[..., None]
            )
        else:
            color = fabric.sample(piece.y, piece.x, shift=4.4)
        canvas.lay(piece, color, form.slope_x, form.slope_y, gloss=fabric.gloss, bevel_cm=0.4)
        if shape.cuff == "button":
            stitches(canvas, [cuff.ring(0.6), cuff.ring(cuff.length - 0.7)], fabric.ground)
            buttons(
                canvas, [cuff.at(cuff.length * 0.55, side * shape.sleeve_end * 0.35)], np.full(3, 0.72, np.float32), 0.5
            )
        return
    if shape.cuff == "turned":
        band = make_tube(
            [tube_.at(length - 4.2), tube_.at(length - 2), tube_.at(length + 0.3)],
            [(0, shape.sleeve_end * 1.02), (1, shape.sleeve_end * 1.07)],
        )
        patch(canvas, fabric, band.outline(bulge=0.5), shift=3.3, turn=np.pi / 2)
        return
    if shape.cuff == "hem":
        if shape.ringer:
            band = make_tube(
                [tube_.at(length - 2.2), tube_.at(length - 1), tube_.at(length)],
                [(0, shape.sleeve_end * 1.01), (1, shape.sleeve_end)],
            )
            patch(canvas, fabric, band.outline(bulge=0.5), color=fabric.ink(1), shadow=0.2)
        else:
            line = tube_.ring(length - 2.0, 0.5, 0.3)
            canvas.crease([line], width_cm=0.3, strength=0.16)
            stitches(canvas, [line, line + np.array([0, 0.5], np.float32)], fabric.ground, 0.5)

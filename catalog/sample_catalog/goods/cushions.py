"""Cushions: bulging cloth with pulled corners and an edge that is piped, fringed or ruffled."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, ellipse, path
from catalog.sample_catalog.drawing.details import thread
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import Stroke, crumple, relief, stroke_height, swell
from catalog.sample_catalog.drawing.tubes import make_tube
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import CushionShape


def _box_outline(shape: CushionShape, pose: Pose, grow: float = 0.0) -> Floats:
    """Four drawn-out corners, edges that curve in, a dent on top where a hand pressed it."""
    rng = pose.rng("cushion")
    w, h = shape.half_width + grow, shape.half_height + grow
    inn = 0.055 * min(w, h)
    corners = [
        (sx * w * (1 + float(rng.normal(0, 0.012))), sy * h * (1 + float(rng.normal(0, 0.012))))
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    knots: list[Knot] = []
    for place, (x, y) in enumerate(corners):
        nx, ny = corners[(place + 1) % 4]
        knots.append((x, y, CORNER))
        across = (-(ny - y), nx - x)
        length = float(np.hypot(*across))
        ux, uy = across[0] / length, across[1] / length
        for share, deep in ((0.16, 0.62), (0.5, 1.0 + float(rng.normal(0, 0.2))), (0.84, 0.62)):
            dent = (
                inn * deep
                + (shape.chop if place == 0 and share == 0.5 else 0.0)
                + (0.25 * shape.chop if place == 0 and share != 0.5 else 0)
            )
            knots.append((x + (nx - x) * share + ux * dent, y + (ny - y) * share + uy * dent))
    return path(knots)


def cushion_outline(shape: CushionShape, pose: Pose, grow: float = 0.0) -> Floats:
    """The cushion's cloth without its trim."""
    if shape.cut == "round":
        rng = pose.rng("cushion")
        angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
        wave = 1 + 0.012 * np.sin(angle * 3 + rng.uniform(0, 6)) + 0.008 * np.sin(angle * 7 + rng.uniform(0, 6))
        return np.stack(
            [(shape.half_width + grow) * wave * np.cos(angle), (shape.half_height + grow) * wave * np.sin(angle)],
            axis=1,
        ).astype(np.float32)
    if shape.cut == "bolster":
        w, h = shape.half_width + grow, shape.half_height + grow
        return path(
            [
                (-w, -h * 0.92),
                (-w * 0.5, -h * 1.01),
                (0, -h * 0.985),
                (w * 0.5, -h * 1.01),
                (w, -h * 0.92),
                (w * 1.045, 0),
                (w, h * 0.92),
                (w * 0.5, h * 1.01),
                (0, h),
                (-w * 0.5, h * 1.01),
                (-w, h * 0.92),
                (-w * 1.045, 0),
            ]
        )
    return _box_outline(shape, pose, grow)


def draw_cushion(canvas: Canvas, fabric: Fabric, shape: CushionShape, pose: Pose) -> None:
    """The whole cushion."""
    outline = cushion_outline(shape, pose)
    _trim_behind(canvas, fabric, shape, pose, outline)
    piece = canvas.cut(outline)
    if piece.empty:
        return
    w, h, rng = shape.half_width, shape.half_height, pose.rng("stuffing")
    strokes = _wrinkles(shape, rng)
    puff = shape.puff * (1.25 if shape.cut in ("square", "lumbar") else 1.0)
    lean_x, lean_y = float(rng.normal(0, 0.06)), float(rng.normal(0, 0.06))

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        u, v = np.clip(x / np.float32(w * 1.02), -1, 1), np.clip(y / np.float32(h * 1.02), -1, 1)
        if shape.cut == "round":
            dome = np.maximum(1.02 - u * u - v * v, 0.02) ** np.float32(0.5)
        elif shape.cut == "bolster":
            dome = np.maximum(1.02 - v * v, 0.02) ** np.float32(0.5) * np.maximum(1 - np.abs(u) ** np.float32(14), 0.3)
        else:
            dome = (
                np.maximum(1 - np.abs(u - lean_x * (1 - u * u)) ** np.float32(2.3), 0.002)
                * np.maximum(1 - np.abs(v - lean_y * (1 - v * v)) ** np.float32(2.3), 0.002)
            ) ** np.float32(0.72)
        form = np.float32(puff) * dome
        wx = x + np.float32(0.7) * swell(x, y, rng_a, 13.0, waves=4)
        folds = stroke_height(wx, y, strokes)
        folds += crumple(x, y, rng_a, 14.0, 0.25 + pose.crumple) + np.float32(0.22) * swell(x, y, rng_a, 17.0)
        if shape.chop:
            folds -= np.float32(0.55 * shape.chop) * np.exp(-np.square(x / 4.5) - np.square((y + h) / (0.55 * h)))
        if shape.cut == "round":
            turn = np.arctan2(y, x)
            radius = np.hypot(u, v)
            rays = np.sin(turn * np.float32(26) + np.float32(0.7) * np.sin(turn * np.float32(3.0)))
            folds += (
                rays
                * np.float32(0.28)
                * (np.exp(-np.square(radius / 0.33)) + np.exp(-np.square((1 - radius) / 0.2))).astype(np.float32)
            )
        if shape.tuft:
            folds -= np.float32(2.6) * np.exp(-(np.square(x) + np.square(y)) / np.float32(9.0))
        return form, folds.astype(np.float32)

    rng_a = pose.rng("stuffing2")
    form = relief(piece, height)
    color = fabric.sample(*_on_cloth(shape, piece.x, piece.y, form.lift))
    canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=form.occlusion, gloss=fabric.gloss, bevel_cm=0.25)
    if shape.cut == "bolster":
        for sign in (-1, 1):
            ring = path(
                [(sign * w * 0.97, -h * 0.93), (sign * (w * 0.985), 0), (sign * w * 0.97, h * 0.93)], closed=False
            )
            canvas.draw([ring], width_cm=0.9, color=fabric.ink(shape.trim))
            canvas.crease([ring - np.array([sign * 0.7, 0], np.float32)], width_cm=0.4, strength=0.4)
    if shape.tuft:
        button = canvas.cut(ellipse(0, 0, 1.25, 1.2))
        canvas.cast(button, blur_cm=0.6, strength=0.6)
        canvas.lay(button, fabric.ink(shape.trim), bevel_cm=0.6)
    _trim_front(canvas, fabric, shape, outline)


def _on_cloth(shape: CushionShape, x: Floats, y: Floats, lift: Floats) -> tuple[Floats, Floats]:
    """Places on the cloth: it runs on over the bulge, so the print narrows towards the rim."""
    w, h = shape.half_width, shape.half_height
    u, v = np.clip(x / np.float32(w), -1, 1), np.clip(y / np.float32(h), -1, 1)
    if shape.cut == "bolster":
        return x + np.float32(0.35) * lift, np.arcsin(v * np.float32(0.995)) * np.float32(h)
    curve_x, curve_y = np.float32(0.10 * w) * u * u * u, np.float32(0.10 * h) * v * v * v
    # Corners are pulled out, so straight threads bow towards the middle of each side.
    pull = np.float32(0.05)
    return (
        x * (1 + pull * (1 - v * v)) + curve_x + np.float32(0.35) * lift,
        y * (1 + pull * (1 - u * u)) + curve_y + np.float32(0.4) * lift + np.float32(h),
    )


def _wrinkles(shape: CushionShape, rng: np.random.Generator) -> list[Stroke]:
    w, h = shape.half_width, shape.half_height
    if shape.cut == "round":
        return []
    if shape.cut == "bolster":
        return [
            Stroke(
                (s * w, float(rng.uniform(-0.8, 0.8)) * h),
                (s * w * float(rng.uniform(0.5, 0.75)), float(rng.uniform(-0.6, 0.6)) * h),
                (0.8, 1.6),
                0.45,
            )
            for s in (-1, 1)
            for _ in range(5)
        ]
    strokes = []
    for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        for spread in (-0.5, -0.15, 0.2, 0.5):
            turn = np.pi / 4 + spread + float(rng.normal(0, 0.07))
            reach = float(rng.uniform(0.28, 0.6)) * min(w, h)
            x0, y0 = sx * w * 0.95, sy * h * 0.95
            strokes.append(
                Stroke(
                    (x0, y0),
                    (x0 - sx * reach * 1.3 * np.cos(turn), y0 - sy * reach * 1.3 * np.sin(turn)),
                    (0.6, 1.9),
                    float(rng.uniform(0.35, 0.8)),
                    tail=0.8,
                    bend=float(rng.normal(0, 0.5)),
                )
            )
    for _ in range(4):
        x = float(rng.uniform(-0.8, 0.8)) * w
        end = float(rng.choice((-1, 1)))
        strokes.append(Stroke((x, end * h * 0.97), (x * 0.8, end * h * 0.7), (0.7, 1.6), 0.3, tail=0.8))
    return strokes


def _along(outline: Floats, step_cm: float) -> tuple[Floats, Floats]:
    """Places at even steps round an outline and the outward directions there, both (n, 2)."""
    ring = np.concatenate([outline, outline[:1]])
    step = np.diff(ring, axis=0)
    along = np.concatenate([[0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    count = max(8, round(float(along[-1]) / step_cm))
    at = np.linspace(0, along[-1], count, endpoint=False)
    places = np.stack([np.interp(at, along, ring[:, k]) for k in (0, 1)], axis=1)
    ahead = np.roll(places, -1, axis=0) - np.roll(places, 1, axis=0)
    out = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1)
    return places.astype(np.float32), (out / np.maximum(np.hypot(out[:, 0], out[:, 1]), 1e-6)[:, None]).astype(
        np.float32
    )


def _trim_behind(canvas: Canvas, fabric: Fabric, shape: CushionShape, pose: Pose, outline: Floats) -> None:
    rng = pose.rng("trim")
    color = fabric.ink(shape.trim)
    if shape.edge == "fringe":
        places, out = _along(outline, 0.85)
        if shape.cut != "round":
            keep = np.abs(out[:, 0]) > 0.7  # fringe on two sides only
            places, out = places[keep], out[keep]
        threads = []
        for (x, y), (dx, dy) in zip(places, out, strict=True):
            long = float(rng.uniform(3.2, 4.2))
            sway = float(rng.normal(0, 0.35))
            a = np.array([-dy, dx]) * 0.34
            tip = np.array([x + dx * long - dy * sway, y + dy * long + dx * sway + 0.5])
            root = np.array([x - dx * 0.6, y - dy * 0.6])
            threads.append(np.array([root + a, root - a, tip - a * 0.7, tip + a * 0.7], np.float32))
        piece = canvas.cut(*threads)
        if not piece.empty:
            tone = 1 + np.float32(0.12) * np.sin(piece.x * np.float32(5)) * np.sin(piece.y * np.float32(5))
            canvas.lay(piece, color * tone[..., None], bevel_cm=0.25, bevel_width_cm=0.3)
    elif shape.edge == "ruffle":
        places, out = _along(outline, 0.9)
        wave = (3.4 + 0.5 * np.sin(np.arange(len(places)) * 1.9 + rng.uniform(0, 6)))[:, None]
        rim = places + out * wave
        piece = canvas.cut(rim.astype(np.float32))
        if not piece.empty:
            turn = np.arctan2(piece.y / np.float32(shape.half_height), piece.x / np.float32(shape.half_width))
            count = round(len(places) * 0.55)
            phase = turn * np.float32(count)
            slope = np.float32(0.75) * np.cos(phase)
            shade = np.float32(0.78) + np.float32(0.22) * np.sin(phase)
            cloth = (
                fabric.sample(piece.x, piece.y) if shape.trim == 0 else np.broadcast_to(color, (*piece.cover.shape, 3))
            )
            canvas.lay(piece, cloth, -slope * np.sin(turn), slope * np.cos(turn), occlusion=shade, bevel_cm=0.2)
    elif shape.edge == "flange":
        piece = canvas.cut(cushion_outline(shape, pose, 2.6))
        if not piece.empty:
            cloth = np.broadcast_to(color, (*piece.cover.shape, 3)) if shape.trim else fabric.sample(piece.x, piece.y)
            canvas.lay(piece, cloth, bevel_cm=0.35, bevel_width_cm=0.5)
    elif shape.edge == "pompoms":
        places, _ = _along(outline, 3.4)
        balls = [ellipse(float(x), float(y), 1.25, 1.25, 14) for x, y in places]
        piece = canvas.cut(*balls)
        if not piece.empty:
            fuzz = np.float32(0.25) * np.sin(piece.x * np.float32(7.1)) * np.sin(piece.y * np.float32(6.3))
            canvas.lay(piece, color, fuzz, fuzz, bevel_cm=1.3, bevel_width_cm=0.8)
    if shape.edge == "tassels":
        for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            x, y = sx * shape.half_width, sy * shape.half_height
            fall = make_tube(
                [(x, y), (x + sx * 1.6, y + 1.0 + 0.8 * sy), (x + sx * 2.4, y + 5.2 + 1.4 * sy)],
                [(0, 0.5), (0.22, 1.0), (0.3, 0.75), (1, 1.5)],
            )
            piece = fall.cut(canvas, bulge=0.3)
            if not piece.empty:
                strand = 1 + np.float32(0.16) * np.sin(piece.x * np.float32(8))
                canvas.lay(piece, color * strand[..., None], -piece.x * np.float32(0.4), bevel_cm=0.3)


def _trim_front(canvas: Canvas, fabric: Fabric, shape: CushionShape, outline: Floats) -> None:
    if shape.edge in ("piping", "flange", "ruffle", "tassels") and shape.cut != "bolster":
        color = fabric.ink(shape.trim) if shape.edge != "ruffle" else thread(fabric.ground)
        ring = np.concatenate([outline, outline[:1]])
        cord = canvas.strokes([ring], 0.85)
        rows, columns, cover = cord
        if cover.size:
            seen = canvas.color[rows, columns]
            seen += cover[..., None] * (color - seen)
            canvas.occlusion[rows, columns] *= 1 - np.float32(0.12) * cover
            canvas.product[rows, columns] = np.maximum(canvas.product[rows, columns], cover)
            canvas.solid[rows, columns] = np.maximum(canvas.solid[rows, columns], cover)

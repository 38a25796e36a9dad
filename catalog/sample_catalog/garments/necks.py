"""Necklines, collars and hoods: the top edge of whatever has a front and a back."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, mirrored, path
from catalog.sample_catalog.drawing.details import buttons, neck_label, patch, stitches
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import relief, swell, tube
from catalog.sample_catalog.drawing.tubes import make_tube
from catalog.sample_catalog.figures.body import shoulder_line
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import TopShape


def neck_side(shape: TopShape, pose: Pose) -> float:
    """y in cm where the neckline meets the shoulder."""
    return shoulder_line(pose.body, shape.neck_half) - 0.7


def neck_knots(shape: TopShape, pose: Pose, *, back: bool, inset: float = 0.0) -> list[Knot]:
    """The neckline's right half from the middle to the shoulder; `inset` cm draws it into the opening."""
    half, side = shape.neck_half - inset, neck_side(shape, pose)
    depth = (side + 1.8 if back else side + 3.4 + shape.neck_depth) - inset
    rise = depth - side
    if back:
        return [(0, depth), (half * 0.6, depth - 0.2 * rise), (half * 0.92, side + 0.3 * rise), (half, side, CORNER)]
    if shape.neck in ("crew", "collar", "band", "hood", "camp"):
        if shape.neck == "camp":
            return [(0, depth, CORNER), (half * 0.55, side + 0.42 * rise), (half, side, CORNER)]
        return [(0, depth), (half * 0.52, side + 0.8 * rise), (half * 0.9, side + 0.32 * rise), (half, side, CORNER)]
    if shape.neck == "v":
        return [(0, depth, CORNER), (half * 0.5, side + 0.46 * rise), (half, side, CORNER)]
    if shape.neck == "square":
        return [(0, depth), (half * 0.9, depth - 0.2, CORNER), (half * 0.97, side + 0.4 * rise), (half, side, CORNER)]
    if shape.neck == "sweetheart":
        return [
            (0, depth, CORNER),
            (half * 0.42, depth - 2.8),
            (half * 0.86, depth - 3.4),
            (half * 0.97, side + 0.4 * rise),
            (half, side, CORNER),
        ]
    if shape.neck == "boat":
        return [(0, depth), (half * 0.5, side + 0.85 * rise), (half, side, CORNER)]
    return [(0, depth), (half * 0.5, side + 0.9 * rise), (half * 0.9, side + 0.5 * rise), (half, side, CORNER)]


def whole_neckline(shape: TopShape, pose: Pose, *, back: bool, inset: float = 0.0) -> Floats:
    """The neckline from the photo's left shoulder to its right one, (n, 2)."""
    right = neck_knots(shape, pose, back=back, inset=inset)
    left = [(-k[0], k[1], True) if len(k) == 3 else (-k[0], k[1]) for k in right[:0:-1]]
    return path([*left, *right], closed=False)


def draw_inside(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose, *, label: bool) -> None:
    """What one sees of the back's inner side through the neckline."""
    front = whole_neckline(shape, pose, back=False)
    back = whole_neckline(shape, pose, back=True)
    lift = 2.4 if shape.neck in ("collar", "band", "camp") else 0.8
    rim = back.copy()
    rim[:, 1] -= lift * (1 - np.square(rim[:, 0] / (shape.neck_half + 0.1)))
    outline = np.concatenate([rim, front[::-1] + np.array([0, 2.0], np.float32)])
    piece = canvas.cut(outline)
    if piece.empty:
        return
    side = neck_side(shape, pose)
    deep = np.clip((piece.y - np.float32(side)) / np.float32(9.0), 0, 1)
    edge = np.abs(piece.x) / np.float32(shape.neck_half)
    shade = np.float32(0.72) - np.float32(0.42) * deep - np.float32(0.2) * edge * edge
    cloth = fabric.sample(piece.x, piece.y, shift=3.7)
    lining = cloth * np.float32(0.55) + fabric.ground * np.float32(0.45)  # the wrong side shows the print faintly
    canvas.lay(piece, lining, -piece.x * np.float32(0.06), 0.3, occlusion=np.maximum(shade, 0.12), bevel_cm=0.2)
    if shape.neck in ("crew", "v", "scoop", "boat"):
        band = make_tube(
            [(float(x), float(y)) for x, y in (rim + np.array([0, 0.9], np.float32))[::4]], [(0, 0.9), (1, 0.9)]
        )
        strip = band.cut(canvas)
        canvas.lay(strip, fabric.ink(shape.trim), 0.0, 0.1, occlusion=0.72, bevel_cm=0.3)
    if label:
        neck_label(canvas, 0.0, side + 2.4 + (0.2 if lift > 1 else 2.2))


def draw_neck_band(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose, *, width_cm: float = 1.9) -> None:
    """A ribbed or bound edge along the neckline."""
    line = whole_neckline(shape, pose, back=pose.back)
    keep = line[::3] if shape.neck not in ("v", "square", "sweetheart") else line
    corner = shape.neck in ("v", "square", "sweetheart") and not pose.back
    knots: list[Knot] = [(float(x), float(y), CORNER) if corner else (float(x), float(y)) for x, y in keep]
    band = make_tube(knots, [(0, width_cm / 2), (1, width_cm / 2)])
    piece = band.cut(canvas)
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=0.35, strength=0.35, dy=0.25)
    period = max(0.5, 3.0 * piece.cm_per_pixel)
    ribs = 1 + np.float32(0.10) * np.sin(piece.y * np.float32(2 * np.pi / period))
    cloth = (
        fabric.ink(shape.trim) * ribs[..., None]
        if fabric.design.label != "striped" or shape.trim
        else fabric.ground * ribs[..., None]
    )
    rows, columns = piece.rows, piece.columns
    canvas.lay(
        piece,
        cloth,
        canvas.slope_x[rows, columns] * np.float32(0.5),
        canvas.slope_y[rows, columns] * np.float32(0.5),
        bevel_cm=0.55,
        bevel_width_cm=0.45,
    )
    stitches(canvas, [line + np.array([0, width_cm / 2 + 0.35], np.float32)], fabric.ground, 0.5)


def draw_collar(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose, *, open_cm: float) -> None:
    """A shirt collar: the stand round the neck and two leaves; `open_cm` how far the top is unbuttoned."""
    side, half = neck_side(shape, pose), shape.neck_half
    depth = side + 3.4 + shape.neck_depth
    rng = pose.rng("collar")
    if pose.back:
        knots: list[Knot] = [
            (0, side - 2.8),
            (half * 0.7, side - 2.4),
            (half + 0.6, side - 0.4, CORNER),
            (half + 1.4, side + 2.6, CORNER),
            (half * 0.5, side + 3.7),
            (0, side + 3.9),
        ]
        outline = path(mirrored(knots))
        piece = canvas.cut(outline)
        canvas.cast(piece, blur_cm=0.8, strength=0.5, dy=0.5)
        form = relief(piece, lambda x, y: tube(x, -half - 2, half + 2, 5.0))
        canvas.lay(
            piece,
            fabric.sample(piece.y, piece.x, shift=1.3),
            form.slope_x,
            form.slope_y - 0.25,
            gloss=fabric.gloss,
            bevel_cm=0.35,
        )
        stitches(
            canvas,
            [
                path(
                    [
                        (-half - 0.9, side + 2.1),
                        (-half * 0.5, side + 3.1),
                        (0, side + 3.3),
                        (half * 0.5, side + 3.1),
                        (half + 0.9, side + 2.1),
                    ],
                    closed=False,
                )
            ],
            fabric.ground,
        )
        return
    if shape.neck == "band":
        for sign in (-1, 1):
            knots = [
                (sign * (half - 0.4), side - 0.9, CORNER),
                (sign * (half * 0.75), side + 2.6),
                (sign * 0.35, depth - 0.8, CORNER),
                (sign * 0.35, depth + 1.9, CORNER),
                (sign * (half * 0.8), side + 4.9),
                (sign * (half + 1.4), side + 0.8, CORNER),
            ]
            patch(canvas, fabric, path(knots), turn=sign * 0.5, shadow=0.3)
        return
    spread = float(rng.uniform(-0.6, 0.8)) + (1.8 if shape.neck == "camp" else 0.0)
    for sign in (-1, 1):
        gap = open_cm * 0.22
        inner = depth - (0.4 if open_cm < 1 else 0.0)
        point_x, point_y = gap + 3.9 + spread, depth + 4.6 - 0.35 * spread
        leaf: list[Knot] = [
            (sign * (half - 1.3), side - 2.9, CORNER),
            (sign * (half + 0.5), side - 1.6),
            (sign * (half + 2.2), side + 1.2),
            (sign * (half * 0.62 + 2.6 + 0.4 * spread), side + 0.62 * (depth - side) + 1.6),
            (sign * point_x, point_y, CORNER),
            (sign * (gap + 1.6), depth + 2.0),
            (sign * max(gap, 0.15), inner, CORNER),
            (sign * (half * 0.66), side + 0.5 * (depth - side) - 0.8),
        ]
        outline = path(leaf)
        piece = canvas.cut(outline)
        if piece.empty:
            continue
        canvas.cast(piece, blur_cm=0.7, strength=0.6, dx=0.1, dy=0.4)
        lean = np.float32(-sign * 0.32)
        canvas.lay(
            piece,
            fabric.sample(piece.x, piece.y, turn=sign * 0.7, shift=2.1),
            lean + np.float32(0.02) * piece.x,
            0.12 - 0.05 * (piece.y - np.float32(side)),
            gloss=fabric.gloss,
            bevel_cm=0.4,
        )
        rim = outline[2 * 7 : 7 * 7]
        middle = outline.mean(axis=0)
        stitches(canvas, [rim + (middle - rim) * np.float32(0.12)], fabric.ground)
    if open_cm < 1:
        buttons(canvas, [(0.0, depth + 0.9)], np.full(3, 0.75, np.float32), 0.5)


def draw_hood_behind(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose) -> None:
    """The part of a hood, thrown back, that stands up behind the neck, and its lining."""
    half, side = shape.neck_half, neck_side(shape, pose)
    rng = pose.rng("hood")
    up = float(rng.uniform(3.4, 5.0))
    knots: list[Knot] = [
        (0, side - up),
        (half * 0.8, side - up + 0.5),
        (half + 3.6, side - 1.2),
        (half + 5.4, side + 4),
        (half + 2, side + 9),
        (0, side + 9),
    ]
    piece = canvas.cut(path(mirrored(knots)))
    if piece.empty:
        return
    deep = np.clip((piece.y - np.float32(side - up)) / np.float32(7.5), 0, 1)
    lining = fabric.sample(piece.x, piece.y, shift=5.1) * np.float32(0.35) + fabric.ground * np.float32(0.65)
    shade = np.float32(0.9) - np.float32(0.62) * deep
    canvas.lay(piece, lining, -np.float32(0.05) * piece.x, 0.2, occlusion=shade, bevel_cm=0.9, bevel_width_cm=0.8)


def draw_hood_front(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose, *, cords: bool) -> None:
    """The hood's two rolls over the shoulders to the front, with eyelets and cords."""
    half, side = shape.neck_half, neck_side(shape, pose)
    depth = side + 3.4 + shape.neck_depth
    rng = pose.rng("hood")
    float(rng.uniform())
    for sign in (-1, 1):
        wide = float(rng.uniform(3.0, 3.9))
        roll = make_tube(
            [
                (sign * (half - 2.6), side - 3.4),
                (sign * (half + 0.6), side - 1.2),
                (sign * (half + 1.5), side + 3.4),
                (sign * half * 0.66, depth - 2.6),
                (sign * 0.3, depth + 2.2),
            ],
            [(0, 0.3), (0.16, 0.55 * wide), (0.42, wide), (0.65, wide * 0.84), (0.9, 1.7), (1, 0.9)],
        )
        piece = roll.cut(canvas, bulge=0.6)
        if piece.empty:
            continue
        canvas.cast(piece, blur_cm=1.1, strength=0.55, dy=0.7)
        part = pose.rng(f"roll{sign}")

        def height(d: Floats, t: Floats, part: np.random.Generator = part, roll=roll) -> tuple[Floats, Floats]:  # type: ignore[no-untyped-def]
            near, far = roll.half_width(t)
            folds = np.float32(0.22) * swell(d * 0.9, t, part, 5.0, stretch=0.6) * np.float32(pose.folds)
            return tube(d, -far, near, 0.75 * near), folds

        form = relief(piece, height)
        canvas.lay(
            piece,
            fabric.sample(piece.x, piece.y, turn=sign * 0.9, part="hood"),
            form.slope_x,
            form.slope_y,
            occlusion=form.occlusion,
            bevel_cm=0.25,
        )
        stitches(
            canvas,
            [
                np.array(
                    [roll.at(t, -sign * (0.75 * wide - 0.2 - 0.05 * t)) for t in np.linspace(3, roll.length - 1, 10)],
                    np.float32,
                )
            ],
            fabric.ground,
        )
    if cords:
        tint = (
            np.full(3, 0.82, np.float32)
            if rng.random() < 0.5
            else fabric.ink(1)
            if fabric.design.label != "plain"
            else fabric.ground * np.float32(0.8) + np.float32(0.06)
        )
        for sign in (-1, 1):
            x = sign * float(rng.uniform(2.1, 2.7))
            long = float(rng.uniform(13, 19))
            cord = make_tube(
                [
                    (x * 0.9, depth - 0.4),
                    (x + sign * float(rng.uniform(-0.2, 0.6)), depth + long * 0.5),
                    (x + sign * float(rng.uniform(-0.4, 0.8)), depth + long),
                ],
                [(0, 0.42), (0.9, 0.42), (0.91, 0.5), (1, 0.5)],
            )
            piece = cord.cut(canvas, bulge=0.2)
            canvas.cast(piece, blur_cm=0.4, strength=0.5, dx=0.25, dy=0.3)
            canvas.lay(piece, tint, piece.x * np.float32(-1.2) if not piece.empty else 0.0, bevel_cm=0.1)
            buttons(canvas, [(x * 0.9, depth - 0.4)], np.full(3, 0.3, np.float32), 0.42)

"""What goes with a garment in a photo: plain companion clothes, a mannequin's stand, a hanger."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, curve_at, ellipse, mirrored, path, smoothstep
from catalog.sample_catalog.drawing.fabric import linear
from catalog.sample_catalog.drawing.folds import relief, tube
from catalog.sample_catalog.drawing.tubes import make_tube
from catalog.sample_catalog.figures.body import Figure, chest_depth, shoulder_line, torso_outline
from catalog.sample_catalog.figures.limbs import arm_knots, flesh, leg_knots
from catalog.sample_catalog.figures.pose import Pose


def draw_mannequin(canvas: Canvas, figure: Figure, pose: Pose, *, bottom: float) -> None:
    """A dressmaker's torso: no head, no arms, a cap on the neck, a pole below."""
    body, color = pose.body, linear(figure.dummy)
    pole = make_tube([(0, bottom - 2), (0, bottom + 120)], [(0, 1.1), (1, 1.1)])
    flesh(canvas, pole, np.full(3, 0.3, np.float32), gloss=0.7)
    outline = torso_outline(body, bottom)
    keep = outline[outline[:, 1] > -8.5]
    piece = canvas.cut(keep)
    n = body.neck_half

    def height(x: Floats, y: Floats) -> Floats:
        half = curve_at(
            [
                (-9, n),
                (-6, n),
                (-1, 13.0),
                (6, body.shoulder_half),
                (body.bust_y, body.bust_half),
                (body.waist_y, body.waist_half),
                (body.hip_y, body.hip_half),
                (body.hip_y + 30, body.hip_half),
            ],
            y,
        )
        deep = curve_at(chest_depth(body), y)
        return tube(x, -half, half, deep)

    form = relief(piece, height)
    canvas.lay(piece, color, form.slope_x, form.slope_y, gloss=0.12, product=False)
    cap = canvas.cut(ellipse(0, -8.8, n + 0.1, 1.5))
    canvas.lay(
        cap,
        np.array([0.25, 0.17, 0.1], np.float32) if figure.dummy[0] > 100 else np.full(3, 0.4, np.float32),
        slope_y=0.5,
        product=False,
        gloss=0.4,
        bevel_cm=0.3,
    )


def draw_companion_bottom(canvas: Canvas, figure: Figure, pose: Pose) -> None:
    """Plain narrow trousers under a top, from the waist down out of the photo."""
    body, color = pose.body, linear(figure.companion)
    fork, waist = body.crotch_y + 1.5, body.waist_half + 1.0
    rows = [40.0, body.hip_y, fork, body.knee_y, body.ankle_y]
    for side in (-1, 1):
        bones = path(leg_knots(body, pose, side), closed=False)
        middle = np.interp(rows, bones[:, 1], np.abs(bones[:, 0]))
        outer = [waist, body.hip_half + 0.7, middle[2] + 9.6, middle[3] + 6.6, middle[4] + 5.4]
        inner = [-0.3, -0.3, 0.15, max(middle[3] - 6.2, 0.4), max(middle[4] - 5.2, 0.6)]
        knots: list[Knot] = [(side * inner[0], rows[0], CORNER), (side * outer[0], rows[0], CORNER)]
        knots += [(side * x, y) for x, y in zip(outer[1:4], rows[1:4], strict=True)]
        knots += [(side * outer[4], rows[4], CORNER), (side * inner[4], rows[4], CORNER), (side * inner[3], rows[3])]
        knots += [(side * inner[2], rows[2], CORNER), (side * inner[1], rows[1])]
        piece = canvas.cut(path(knots))

        def height(
            x: Floats, y: Floats, s: int = side, out: list[float] = outer, inn: list[float] = inner
        ) -> tuple[Floats, Floats]:
            far = curve_at(list(zip(rows, out, strict=True)), y)
            near = curve_at(list(zip(rows, inn, strict=True)), y)
            left, right = (-far, -near) if s < 0 else (near, far)
            low = smoothstep(fork - 9, fork + 14, y)
            hips = tube(x, -far, far, 10.5)
            whisker = np.exp(-np.square((np.abs(x) - 1.5 - 0.9 * (fork - y)) / 1.3)) * (y < fork) * (y > fork - 12)
            return hips * (1 - low) + tube(x, left, right, 0.45 * (far - near)) * low, np.float32(0.1) * whisker.astype(
                np.float32
            )

        form = relief(piece, height)
        canvas.cast(piece, blur_cm=1.0, strength=0.35)
        canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=form.occlusion, product=False)
    canvas.crease([path([(0.0, 44), (0, fork)], closed=False)], width_cm=0.4, strength=0.3)


def draw_companion_top(canvas: Canvas, figure: Figure, pose: Pose, *, hem_y: float) -> None:
    """A plain t-shirt tucked into what is worn below."""
    body, color = pose.body, linear(figure.companion)
    rng = pose.rng("companion")
    for side in (-1, 1):
        sleeve = make_tube(arm_knots(body, pose, side), [(0, 6.4 * body.arm), (0.3, 6.0 * body.arm), (1, 5.0)])
        x, y = sleeve.at(1.0)
        cap = ellipse(x, y, 6.2 * body.arm, 6.4 * body.arm)
        piece = sleeve.own(canvas.cut(sleeve.outline(end=19.0, bulge=0.6), cap))
        canvas.cast(piece, blur_cm=0.8, strength=0.35, dy=0.4)
        form = relief(piece, sleeve.rounded(0.85))
        canvas.lay(piece, color, form.slope_x, form.slope_y, product=False, bevel_cm=0.2)
    neck = 3.6 if not pose.back else -1.6
    half: list[Knot] = [
        (0, neck),
        (4.6, neck - 1.6),
        (7.4, shoulder_line(body, 7.4) - 0.6, CORNER),
        (body.shoulder_half, body.shoulder_y - 0.2),
        (body.shoulder_half - 0.6, body.shoulder_y + 10),
        (body.bust_half + 1.2, body.bust_y),
        (body.waist_half + 1.4, body.waist_y),
        (body.waist_half + 1.8, hem_y, CORNER),
        (0, hem_y + 1),
    ]
    piece = canvas.cut(path(mirrored(half)))
    puffs = [float(rng.uniform(-9, 9)) for _ in range(4)]
    rows = [0.0, 12.0, body.bust_y, body.waist_y, hem_y + 2]
    widths = [
        body.shoulder_half + 4,
        body.shoulder_half + 2,
        body.bust_half + 1.2,
        body.waist_half + 1.4,
        body.waist_half + 1.8,
    ]

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        half_width = curve_at(list(zip(rows, widths, strict=True)), y)
        folds = sum(np.exp(-np.square((x - p - 0.1 * (y - hem_y)) / 1.4)) for p in puffs) * np.clip((y - 26) / 14, 0, 1)
        return tube(x, -half_width, half_width, 10.0), np.float32(0.5) * folds.astype(np.float32)

    form = relief(piece, height)
    canvas.cast(piece, blur_cm=0.8, strength=0.3)
    canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=form.occlusion, product=False, bevel_cm=0.2)
    canvas.crease(
        [path([(-7, -1.2), (-4.6, neck - 0.6), (0, neck + 1), (4.6, neck - 0.6), (7, -1.2)], closed=False)],
        width_cm=0.4,
        strength=0.25,
    )


def draw_hanger(canvas: Canvas, pose: Pose, *, clips: bool, y: float) -> None:
    """A hanger: shoulders of wood, or a bar with two clips for what has a waist, and its hook."""
    rng = pose.rng("hanger")
    wood = linear(((196, 150, 102), (120, 80, 52), (240, 238, 234), (40, 40, 42))[int(rng.integers(4))])
    top = y - 7.0 if clips else -6.4
    hook = path(
        [(0, top), (0, top - 4.5), (1.6, top - 6.5), (2.6, top - 9), (0.4, top - 11.4), (-2.4, top - 9.4)], closed=False
    )
    steel = np.full(3, 0.45, np.float32)
    canvas.draw_solid([hook], width_cm=0.5, color=steel)
    if clips:
        bar = make_tube([(-14, top + 1.5), (0, top), (14, top + 1.5)], [(0, 0.5), (1, 0.5)])
        flesh(canvas, bar, steel, gloss=0.8)
        for side in (-1, 1):
            clip = canvas.cut(
                path(
                    [
                        (side * 10 - 1.1, top + 0.5, CORNER),
                        (side * 10 + 1.1, top + 0.5, CORNER),
                        (side * 10 + 1.1, y + 2.6, CORNER),
                        (side * 10 - 1.1, y + 2.6, CORNER),
                    ]
                )
            )
            canvas.lay(clip, np.full(3, 0.12, np.float32), product=False, bevel_cm=0.4, gloss=0.3)
        return
    half = pose.body.shoulder_half - 1.5
    arms = path(
        mirrored(
            [
                (0, top - 0.8),
                (5, top - 0.2),
                (half * 0.7, shoulder_line(pose.body, half * 0.7) - 0.3),
                (half, pose.body.shoulder_y - 0.6),
                (half - 0.6, pose.body.shoulder_y + 1.8),
                (half * 0.6, shoulder_line(pose.body, half * 0.6) + 2.6),
                (0, top + 3.6),
            ]
        )
    )
    piece = canvas.cut(arms)
    canvas.lay(piece, wood, product=False, gloss=0.25, bevel_cm=0.8, bevel_width_cm=0.6)

"""Who or what wears the clothes: a drawn model with its head out of the photo, a mannequin. Never part of a mask."""

from dataclasses import dataclass

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, curve_at, mirrored, path
from catalog.sample_catalog.drawing.fabric import linear
from catalog.sample_catalog.drawing.folds import relief, tube
from catalog.sample_catalog.figures.pose import Body, Pose
from catalog.sample_catalog.palettes import Rgb

SKINS: tuple[Rgb, ...] = (
    (245, 212, 190),
    (236, 194, 166),
    (222, 176, 142),
    (203, 152, 116),
    (172, 120, 86),
    (133, 88, 60),
    (98, 64, 46),
    (240, 202, 180),
)
_DUMMIES: tuple[Rgb, ...] = ((238, 234, 226), (206, 196, 182), (120, 116, 114), (228, 214, 194), (58, 57, 58))


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What stands inside the clothes and what it wears besides the product."""

    skin: Rgb
    dummy: Rgb
    hair: Rgb
    hair_style: int  # 0 none seen, 1 to the shoulders, 2 long
    companion: Rgb  # plain clothes worn with the product
    shoes: Rgb


def make_figure(rng: np.random.Generator, *, man: bool) -> Figure:
    """Somebody."""
    return Figure(
        skin=SKINS[int(rng.integers(len(SKINS)))],
        dummy=_DUMMIES[int(rng.integers(len(_DUMMIES)))],
        hair=((34, 26, 22), (70, 46, 30), (120, 82, 48), (186, 148, 96), (24, 22, 24), (130, 60, 36))[
            int(rng.integers(6))
        ],
        hair_style=0 if man else int(rng.choice((0, 1, 2), p=(0.5, 0.25, 0.25))),
        companion=((236, 236, 234), (40, 41, 46), (112, 116, 124), (66, 84, 116), (186, 178, 164))[
            int(rng.integers(5))
        ],
        shoes=((240, 240, 238), (38, 38, 40), (196, 170, 140), (150, 60, 50))[int(rng.integers(4))],
    )


def shoulder_line(body: Body, x: float) -> float:
    """y in cm of the body's shoulder at `x` cm from its middle."""
    places = (
        0.0,
        body.neck_half,
        body.neck_half + 3.0,
        0.7 * body.shoulder_half,
        body.shoulder_half,
        body.shoulder_half + 4,
    )
    return float(np.interp(abs(x), places, (-4.6, -4.2, -2.4, -0.6, body.shoulder_y, body.shoulder_y + 2.6)))


def torso_outline(body: Body, bottom: float) -> Floats:
    """Neck, shoulders, waist and hips down to `bottom` cm."""
    n = body.neck_half
    half: list[Knot] = [(0, -26, CORNER), (n, -26, CORNER), (n - 0.2, -10), (n + 0.9, -4.6)]
    half += [(x, shoulder_line(body, x) - 0.2) for x in (n + 3.4, 0.7 * body.shoulder_half)]
    half += [
        (body.shoulder_half - 1.0, body.shoulder_y + 1.5),
        (body.shoulder_half - 1.6, body.shoulder_y + 8),
        (body.bust_half, body.bust_y),
        (body.waist_half, body.waist_y),
        (body.hip_half, body.hip_y),
        (body.hip_half * 0.97, bottom, CORNER),
        (0, bottom, CORNER),
    ]
    return path(mirrored(half))


def chest_depth(body: Body) -> list[tuple[float, float]]:
    """(y, how deep the body is there), cm."""
    return [
        (-26, 4.5),
        (-6, 5),
        (0, 5.5),
        (14, 9),
        (24, 11),
        (body.waist_y, 9),
        (body.hip_y, 11),
        (body.hip_y + 30, 11.5),
    ]


def draw_torso(canvas: Canvas, pose: Pose, color: Floats, *, bottom: float, gloss: float = 0.06) -> None:
    """A torso with its neck; the neck's shade and the collar bones show in an open neckline."""
    body = pose.body
    piece = canvas.cut(torso_outline(body, bottom))
    rows = (
        (-26.0, body.neck_half),
        (-6.0, body.neck_half),
        (-1.0, 13.0),
        (6.0, body.shoulder_half),
        (body.bust_y, body.bust_half),
        (body.waist_y, body.waist_half),
        (body.hip_y, body.hip_half),
        (bottom + 10, body.hip_half),
    )

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        half = curve_at(rows, y)
        deep = curve_at(chest_depth(body), y)
        bones = np.exp(-np.square((y - 1.4 + 0.14 * np.abs(x)) / 0.9)) * np.exp(-np.square((np.abs(x) - 7) / 5.0))
        cleft = -np.exp(-np.square(x / 1.6) - np.square((y - 0.5) / 1.6))
        if pose.back:
            bones, cleft = np.zeros_like(x), -0.5 * np.exp(-np.square(x / 1.8)) * (y > -2)
        return tube(x, -half, half, deep), np.float32(0.45) * (bones + cleft).astype(np.float32)

    form = relief(piece, height)
    shade = np.ones_like(piece.cover)
    if not piece.empty:
        shade = 1 - np.float32(0.3) * np.exp(-np.square((piece.y + 11) / 5.5))  # the chin's shadow on the neck
    canvas.lay(piece, color, form.slope_x, form.slope_y, occlusion=shade * form.occlusion, gloss=gloss, product=False)


def draw_head(canvas: Canvas, figure: Figure, pose: Pose) -> None:
    """Chin and jaw, seen where the photo reaches that far; faceless."""
    if canvas.view.pixels(np.array([[0.0, -10.0]], np.float32))[0, 1] < 0:
        return
    body, skin = pose.body, linear(figure.skin)
    k = 0.92 + 0.08 * body.arm
    jaw = path(
        [
            (0, -8.8),
            (4.6 * k, -11),
            (6.9 * k, -16.5),
            (7.3 * k, -24),
            (6.8, -31),
            (0, -34),
            (-6.8, -31),
            (-7.3 * k, -24),
            (-6.9 * k, -16.5),
            (-4.6 * k, -11),
        ]
    )
    piece = canvas.cut(jaw)

    def height(x: Floats, y: Floats) -> Floats:
        round_ = np.maximum(1.02 - np.square(x / np.float32(7.5)) - np.square((y + 21) / 13.5), 0.02)
        return np.asarray(np.float32(9) * np.sqrt(round_))

    form = relief(piece, height)
    hair = linear(figure.hair)
    canvas.lay(piece, hair if pose.back else skin, form.slope_x, form.slope_y, gloss=0.06, product=False)
    parting = float(pose.rng("parting").uniform(-4, 4))
    cap = path(
        [
            (parting, -28.5),
            (6.4 * k, -25),
            (7.6 * k, -17, CORNER),
            (8.5 * k, -24),
            (7.2, -32.5),
            (0, -36),
            (-7.2, -32.5),
            (-8.5 * k, -24),
            (-7.6 * k, -17, CORNER),
            (-6.4 * k, -25),
        ]
    )
    piece = canvas.cut(cap)
    form = relief(piece, height)
    canvas.lay(piece, hair, form.slope_x, form.slope_y, gloss=0.2, product=False, bevel_cm=0.4)


def draw_hair(canvas: Canvas, figure: Figure, pose: Pose) -> None:
    """Hair that hangs behind the neck."""
    if figure.hair_style == 0 or pose.back or canvas.view.pixels(np.array([[0.0, 9.0]], np.float32))[0, 1] < 0:
        return
    low = 3.0 if figure.hair_style == 1 else 9.0
    rng = pose.rng("hair")
    knots: list[Knot] = [
        (0, -36),
        (8.6, -30),
        (9.8, -18),
        (9.6, -8),
        (10.6, low - 4),
        (8.6, low),
        (5, low - 3),
        (0, -6),
    ]
    piece = canvas.cut(path(mirrored(knots)))
    strands = rng.uniform(0.9, 1.6)

    def height(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        flow = x + np.float32(0.7) * np.sin(y * np.float32(0.22))
        locks = np.sin(flow * np.float32(strands * 2)) * np.float32(0.25) + np.sin(
            flow * np.float32(strands * 5.3)
        ) * np.float32(0.1)
        return np.float32(6) * np.sqrt(np.maximum(1.05 - np.square(x / 11), 0.04)).astype(np.float32), locks

    form = relief(piece, height)
    canvas.lay(
        piece, linear(figure.hair), form.slope_x, form.slope_y, occlusion=form.occlusion, gloss=0.25, product=False
    )

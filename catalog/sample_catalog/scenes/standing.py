"""Things that stand beside a product in a customer's photo; never part of a mask."""

from collections.abc import Callable

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, ellipse, mirrored, path, rounded_box
from catalog.sample_catalog.drawing.folds import relief, tube
from catalog.sample_catalog.scenes.things import pick, put, rod, turned


def _upright(canvas: Canvas, outline: Floats, color: Floats, *, gloss: float = 0.05, depth: float = 3.0) -> None:
    """Something round that stands: lit as a column."""
    piece = canvas.cut(outline)
    if piece.empty:
        return
    (x0, _), (x1, _) = outline.min(axis=0), outline.max(axis=0)
    form = relief(piece, lambda x, y: tube(x, x0, x1, depth))
    canvas.cast(piece, blur_cm=1.0, strength=0.35, dx=0.5)
    canvas.lay(piece, color, form.slope_x, form.slope_y, product=False, gloss=gloss)


def _bottle(canvas: Canvas, rng: np.random.Generator, x: float, y: float, k: float) -> None:
    shape = path(
        mirrored(
            [
                (0, -26 * k, CORNER),
                (1.3 * k, -26 * k, CORNER),
                (1.4 * k, -20 * k),
                (3.6 * k, -15 * k),
                (3.7 * k, -1 * k),
                (2.8 * k, 0.3),
                (0, 0.8),
            ]
        )
    ) + np.array([x, y], np.float32)
    _upright(canvas, shape, pick(rng) * np.float32(0.6) + np.float32(0.05), gloss=0.8, depth=3.4 * k)
    label = canvas.cut(rounded_box(x, y - 8 * k, 3.5 * k, 3.2 * k, 0.2))
    canvas.lay(label, np.full(3, 0.75, np.float32), product=False)


def _plant(canvas: Canvas, rng: np.random.Generator, x: float, y: float, k: float) -> None:
    green = np.square(np.array((66, 112, 62), np.float32) / 255)
    for _ in range(11):
        angle = -np.pi / 2 + float(rng.normal(0, 0.65))
        long = float(rng.uniform(9, 17)) * k
        leaf: list[Knot] = [(0, 0, CORNER), (long * 0.45, long * 0.13), (long, 0, CORNER), (long * 0.5, -long * 0.13)]
        piece = canvas.cut(turned(path(leaf), angle, x + float(rng.normal(0, 1)), y - 8 * k))
        canvas.lay(
            piece,
            green * np.float32(rng.uniform(0.6, 1.4)),
            float(rng.normal(0, 0.4)),
            float(rng.normal(0, 0.4)),
            product=False,
            bevel_cm=0.4,
        )
    pot = path(
        mirrored([(0, -9 * k), (5.2 * k, -9 * k, CORNER), (4.9 * k, -7.4 * k), (4.0 * k, -0.2, CORNER), (0, 0.6)])
    ) + np.array([x, y], np.float32)
    _upright(canvas, pot, np.square(np.array((188, 110, 78), np.float32) / 255), depth=4.4 * k)


def _stack(canvas: Canvas, rng: np.random.Generator, x: float, y: float, k: float) -> None:
    low = y
    for _ in range(int(rng.integers(2, 5))):
        tall, half = float(rng.uniform(1.8, 3.4)) * k, float(rng.uniform(8, 11)) * k
        shift = float(rng.normal(0, 0.8))
        put(canvas, rounded_box(x + shift, low - tall / 2, half, tall / 2, 0.2), pick(rng), lift=0.5)
        put(
            canvas,
            rounded_box(x + shift + half * 0.93, low - tall / 2, half * 0.07, tall * 0.36, 0.1),
            np.full(3, 0.75, np.float32),
            lift=0.1,
        )
        low -= tall


def _bowl(canvas: Canvas, rng: np.random.Generator, x: float, y: float, k: float) -> None:
    for _ in range(4):
        fruit = pick(rng)
        cx = x + float(rng.uniform(-4, 4)) * k
        ball = canvas.cut(ellipse(cx, y - 6.2 * k, 3.2 * k, 3.1 * k))
        canvas.lay(
            ball,
            fruit,
            (ball.x - cx) * np.float32(-0.35) if not ball.empty else 0.0,
            0.2,
            product=False,
            gloss=0.3,
            bevel_cm=0.8,
        )
    shape = path(
        mirrored([(0, -5.2 * k), (8.4 * k, -5.6 * k, CORNER), (7 * k, -2 * k), (3.4 * k, 0, CORNER), (0, 0.3)])
    ) + np.array([x, y], np.float32)
    _upright(canvas, shape, np.full(3, 0.7, np.float32), gloss=0.5, depth=5.5 * k)


def _lamp(canvas: Canvas, rng: np.random.Generator, x: float, y: float, k: float) -> None:
    rod(canvas, [(x, y - 26 * k), (x, y)], [(0, 0.6 * k), (1, 0.6 * k)], np.full(3, 0.25, np.float32), gloss=0.6)
    foot = canvas.cut(ellipse(x, y, 5 * k, 1.3 * k))
    canvas.lay(foot, np.full(3, 0.2, np.float32), product=False, gloss=0.4)
    shade_ = path(
        mirrored([(0, -38 * k, CORNER), (5.5 * k, -38 * k, CORNER), (9 * k, -24 * k, CORNER), (0, -23.4 * k)])
    ) + np.array([x, y], np.float32)
    _upright(canvas, shade_, np.square(np.array((236, 224, 198), np.float32) / 255), depth=7 * k)


def _frame(canvas: Canvas, rng: np.random.Generator, x: float, y: float, k: float) -> None:
    w, h = float(rng.uniform(7, 11)) * k, float(rng.uniform(9, 13)) * k
    put(canvas, rounded_box(x, y - h, w, h, 0.2), np.full(3, 0.03 if rng.random() < 0.5 else 0.6, np.float32), lift=1.0)
    picture = canvas.cut(rounded_box(x, y - h, w - 1.2 * k, h - 1.2 * k, 0.1))
    canvas.lay(picture, pick(rng), product=False)
    hill = canvas.cut(
        path(
            [
                (x - w + 1.2 * k, y - h, CORNER),
                (x - w * 0.3, y - 1.3 * h),
                (x + w * 0.3, y - 0.9 * h),
                (x + w - 1.2 * k, y - h * 1.1, CORNER),
                (x + w - 1.2 * k, y - 1.2 * k, CORNER),
                (x - w + 1.2 * k, y - 1.2 * k, CORNER),
            ]
        )
    )
    canvas.lay(hill, pick(rng), product=False)


STANDING: tuple[Callable[[Canvas, np.random.Generator, float, float, float], None], ...] = (
    _bottle,
    _plant,
    _stack,
    _bowl,
    _lamp,
    _frame,
)


def stand_about(
    canvas: Canvas,
    rng: np.random.Generator,
    count: int,
    *,
    left: float,
    right: float,
    foot: tuple[float, float],
    size: float,
) -> None:
    """Stand `count` things beside a product that takes `left` to `right` cm; `foot` is the range of y they stand on."""
    for _ in range(count):
        thing = STANDING[int(rng.integers(len(STANDING)))]
        side = float(rng.choice((-1, 1)))
        edge = right if side > 0 else -left
        thing(
            canvas,
            rng,
            side * (edge + float(rng.uniform(-0.2, 0.9)) * 12 * size),
            float(rng.uniform(*foot)),
            size * float(rng.uniform(0.8, 1.2)),
        )

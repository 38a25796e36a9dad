"""Things that lie about in a customer's photo; never part of a mask."""

from collections.abc import Callable

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import CORNER, Knot, ellipse, path, rounded_box
from catalog.sample_catalog.scenes.things import pick, put, rod, turned


def _phone(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    put(canvas, turned(rounded_box(0, 0, 3.7, 7.6, 0.9), turn, x, y), np.full(3, 0.02, np.float32), gloss=0.4)
    screen = canvas.cut(turned(rounded_box(0, 0, 3.3, 7.1, 0.5), turn, x, y))
    canvas.lay(screen, np.full(3, 0.012, np.float32) + pick(rng) * np.float32(0.1), product=False, gloss=0.9)


def _book(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    w, h = float(rng.uniform(6, 9)), float(rng.uniform(9, 13))
    pages = turned(rounded_box(0.5, 0.5, w, h, 0.3), turn, x, y)
    put(canvas, pages, np.full(3, 0.75, np.float32), lift=1.4)
    cover = pick(rng)
    put(canvas, turned(rounded_box(0, 0, w, h, 0.3), turn, x, y), cover, shadow=0.2)
    ink = np.full(3, 0.8, np.float32) if float(cover.mean()) < 0.35 else np.full(3, 0.05, np.float32)
    lines = [
        turned(
            np.array([[-w * 0.6, -h * 0.5 + 1.6 * k], [w * (0.6 - 0.25 * k), -h * 0.5 + 1.6 * k]], np.float32),
            turn,
            x,
            y,
        )
        for k in range(2)
    ]
    canvas.draw(lines, width_cm=0.9, color=ink, opacity=0.9, on_product=False)
    block = canvas.cut(turned(rounded_box(0, h * 0.3, w * 0.6, h * 0.25, 0.2), turn, x, y))
    canvas.lay(block, pick(rng), product=False)


def _pen(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    c, s = float(np.cos(turn)) * 7, float(np.sin(turn)) * 7
    rod(canvas, [(x - c, y - s), (x, y), (x + c, y + s)], [(0, 0.25), (0.08, 0.5), (1, 0.5)], pick(rng), gloss=0.5)


def _cable(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    knots, at, heading = [(x, y)], np.array([x, y]), turn
    for _ in range(7):
        heading += float(rng.normal(0, 0.9))
        at = at + 6.0 * np.array([np.cos(heading), np.sin(heading)])
        knots.append((float(at[0]), float(at[1])))
    rod(canvas, knots, [(0, 0.25), (1, 0.25)], np.full(3, 0.8 if rng.random() < 0.6 else 0.03, np.float32))


def _glasses(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    dark = np.full(3, 0.02, np.float32)
    for sign in (-1, 1):
        ring = turned(ellipse(sign * 3.2, 0, 2.5, 2.1), turn, x, y)
        lens = canvas.cut(ring)
        if not lens.empty:
            canvas.cast(lens, blur_cm=0.6, strength=0.3, dy=0.4)
            under = canvas.color[lens.rows, lens.columns] * np.float32(0.55)
            canvas.lay(lens, under, product=False, gloss=0.7)
        canvas.draw([np.concatenate([ring, ring[:1]])], width_cm=0.5, color=dark, on_product=False)
        canvas.draw(
            [turned(np.array([[sign * 5.6, -0.6], [sign * 6.2, 5.0], [sign * 5.0, 9.0]], np.float32), turn, x, y)],
            width_cm=0.45,
            color=dark,
            on_product=False,
        )
    canvas.draw(
        [turned(np.array([[-0.8, -0.6], [0, -0.9], [0.8, -0.6]], np.float32), turn, x, y)],
        width_cm=0.5,
        color=dark,
        on_product=False,
    )


def _remote(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    put(
        canvas,
        turned(rounded_box(0, 0, 2.3, 8.5, 1.2), turn, x, y),
        np.full(3, 0.03, np.float32),
        bevel=0.5,
        gloss=0.2,
    )
    keys = [turned(ellipse(0.95 * (k % 3 - 1), -5 + 1.5 * (k // 3), 0.4, 0.4, 8), turn, x, y) for k in range(15)]
    piece = canvas.cut(*keys)
    canvas.lay(piece, np.full(3, 0.35, np.float32), product=False)


def _paper(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    for k in range(int(rng.integers(1, 3))):
        lean = turn + 0.16 * k
        put(
            canvas,
            turned(rounded_box(0, 0, 10.5, 14.8, 0.1), lean, x + k, y),
            np.full(3, 0.82, np.float32),
            shadow=0.3,
            lift=0.4,
            bevel=0.05,
        )
    lines = [
        turned(np.array([[-8, -11 + 1.5 * k], [float(rng.uniform(2, 8)), -11 + 1.5 * k]], np.float32), lean, x + 0.5, y)
        for k in range(14)
    ]
    canvas.draw(lines, width_cm=0.35, color=np.full(3, 0.1, np.float32), opacity=0.55, on_product=False)


def _leaves(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    green = np.square(np.array(((58, 104, 56), (88, 128, 70), (40, 84, 66))[int(rng.integers(3))], np.float32) / 255)
    for k in range(int(rng.integers(5, 9))):
        angle = turn + (k - 3) * 0.42 + float(rng.normal(0, 0.1))
        long = float(rng.uniform(8, 15))
        leaf: list[Knot] = [(0, 0, CORNER), (long * 0.4, long * 0.17), (long, 0, CORNER), (long * 0.45, -long * 0.17)]
        piece = canvas.cut(turned(path(leaf), angle, x, y))
        if piece.empty:
            continue
        canvas.cast(piece, blur_cm=0.9, strength=0.45, dx=0.4, dy=0.8)
        canvas.lay(
            piece,
            green * np.float32(rng.uniform(0.7, 1.3)),
            float(rng.normal(0, 0.3)),
            float(rng.normal(0, 0.3)),
            product=False,
            bevel_cm=0.4,
            gloss=0.2,
        )
        canvas.draw(
            [turned(np.array([[0.5, 0], [long * 0.92, 0]], np.float32), angle, x, y)],
            width_cm=0.25,
            color=green * np.float32(1.6),
            opacity=0.7,
            on_product=False,
        )


def _slippers(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    color = pick(rng)
    sole = path(
        [
            (0, -13),
            (4.2, -10),
            (4.6, -3),
            (3.6, 5),
            (3.9, 11),
            (0, 13.5),
            (-3.7, 11),
            (-3.4, 5),
            (-4.4, -3),
            (-4.0, -10),
        ]
    )
    for sign in (-1, 1):
        shape = turned(sole + np.array([sign * 5.6, 0], np.float32), turn + sign * 0.08, x, y)
        put(canvas, shape, color * np.float32(0.6), lift=0.9, bevel=0.5)
        strap = path(
            [
                (-4.6 + sign * 5.6, -8, CORNER),
                (4.6 + sign * 5.6, -8, CORNER),
                (4.7 + sign * 5.6, 0.5, CORNER),
                (sign * 5.6, 1.8),
                (-4.7 + sign * 5.6, 0.5, CORNER),
            ]
        )
        put(canvas, turned(strap, turn + sign * 0.08, x, y), color, lift=0.6, bevel=0.8)


def _blocks(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    for k in range(3):
        side = float(rng.uniform(1.6, 2.4))
        put(
            canvas,
            turned(
                rounded_box(0, 0, side, side, 0.25),
                turn + k,
                x + 5 * np.cos(turn + 2.1 * k),
                y + 5 * np.sin(turn + 2.1 * k),
            ),
            pick(rng),
            lift=1.0,
            bevel=0.5,
        )


def _towel(canvas: Canvas, rng: np.random.Generator, x: float, y: float, turn: float) -> None:
    color = pick(rng) * np.float32(0.8) + np.float32(0.1)
    for k in range(3):
        put(
            canvas,
            turned(rounded_box(0, 2.2 * k, 13, 9 - 1.6 * k, 1.5), turn, x, y),
            color * np.float32(0.85 + 0.08 * k),
            lift=0.8,
            bevel=0.8,
        )


LYING: tuple[Callable[[Canvas, np.random.Generator, float, float, float], None], ...] = (
    _phone,
    _book,
    _pen,
    _cable,
    _glasses,
    _remote,
    _paper,
    _leaves,
    _slippers,
    _blocks,
    _towel,
)


def scatter(
    canvas: Canvas,
    rng: np.random.Generator,
    count: int,
    *,
    keep_clear: tuple[float, float, float, float],
    size: float = 1.0,
) -> None:
    """Lay `count` things on the ground round a box (left, right, top, bottom, cm), mostly at the photo's rim."""
    left, right, top, bottom = keep_clear
    for _ in range(count):
        thing = LYING[int(rng.integers(len(LYING)))]
        side = int(rng.integers(4))
        along = float(rng.uniform(-0.1, 1.1))
        gap = float(rng.uniform(-3.0, 9.0)) * size
        x = left + (right - left) * along if side < 2 else (left - gap if side == 2 else right + gap)
        y = top + (bottom - top) * along if side >= 2 else (top - gap if side == 0 else bottom + gap)
        thing(canvas, rng, x, y, float(rng.uniform(0, 2 * np.pi)))

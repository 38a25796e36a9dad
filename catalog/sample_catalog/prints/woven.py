"""Dots, stripes and checks: what a ruler can draw."""

import numpy as np

from catalog.sample_catalog.drawing.curves import Floats
from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.prints.design import PrintDesign
from catalog.sample_catalog.prints.field import Tile, scattered

Inks = tuple[Rgb, ...]


def _disc(tile: Tile, x: float, y: float, radius: float) -> Floats:
    """Cover of a disc at (x, y) cm, wrapped round the tile."""
    half = np.float32(tile.cm / 2)
    dx = np.abs(np.abs(tile.x - np.float32(x % tile.cm)) - half)
    dy = np.abs(np.abs(tile.y - np.float32(y % tile.cm)) - half)
    return tile.edge(np.float32(radius) - np.sqrt(np.square(half - dx) + np.square(half - dy)))


def dots(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Polka dots: on a grid, dropped, of two sizes, as rings, strewn or very small."""
    rng = np.random.default_rng(design.seed)
    half_drop = design.motif != "grid"
    count, repeat = tile.cells(design.repeat_cm, even=half_drop)
    radius = repeat * (0.16 + 0.22 * design.fill)
    colors = inks[1 : max(2, min(design.inks, 4))] if design.motif in ("scattered", "two_sizes") else inks[1:2]
    if design.motif == "scattered":
        for x, y in scattered(count, 0.75, rng):
            size = radius * rng.uniform(0.6, 1.25)
            _spot(tile, x * repeat, y * repeat, size, colors[int(rng.integers(len(colors)))])
        return
    # One cell is enough: dots repeat with it.
    x = (tile.x / np.float32(repeat)) % 1
    y = (tile.y / np.float32(repeat)) % 1
    column = np.floor(tile.x / np.float32(repeat)) % 2
    if half_drop:
        y = (y + np.float32(0.5) * column) % 1
    distance = np.hypot(x - np.float32(0.5), y - np.float32(0.5)) * np.float32(repeat)
    if design.motif == "two_sizes":
        small = tile.edge(np.float32(0.5 * radius) - distance)
        large = tile.edge(np.float32(1.15 * radius) - distance)
        tile.ink(np.where(column == 0, large, 0), colors[0])
        tile.ink(np.where(column == 1, small, 0), colors[-1])
    elif design.motif == "rings":
        tile.ink(tile.edge(np.float32(0.24 * radius) - np.abs(distance - np.float32(0.95 * radius))), colors[0])
    else:
        tile.ink(tile.edge(np.float32(radius) - distance), colors[0])


def _spot(tile: Tile, x: float, y: float, radius: float, rgb: Rgb) -> None:
    """One dot, drawn only where it lies."""
    reach = int(radius * tile.texels_per_cm) + 3
    column, row = int(x * tile.texels_per_cm), int(y * tile.texels_per_cm)
    offset = np.arange(-reach, reach + 1)
    dx = ((offset + column + 0.5) / tile.texels_per_cm - x).astype(np.float32)
    dy = ((offset + row + 0.5) / tile.texels_per_cm - y).astype(np.float32)
    cover = tile.edge(np.float32(radius) - np.hypot(dx[None, :], dy[:, None]))[..., None]
    place = np.ix_((offset + row) % tile.side, (offset + column) % tile.side)
    seen = tile.color[place]
    tile.color[place] = seen + cover * (np.array(rgb, np.float32) - seen)


def _bars(tile: Tile, place: Floats, period: float, bars: list[tuple[float, float, Rgb]]) -> None:
    """Bars (start, width, ink) as shares of a period, along `place` (cm)."""
    phase = (place / np.float32(period)) % 1
    for start, width, rgb in bars:
        off = np.abs((phase - np.float32(start + width / 2) + np.float32(0.5)) % 1 - np.float32(0.5))
        tile.ink(tile.edge((np.float32(width / 2) - off) * np.float32(period)), rgb)


def stripe_bars(design: PrintDesign, inks: Inks) -> list[tuple[float, float, Rgb]]:
    """The bars of a stripe's repeat as (start, width, ink), in shares of it."""
    rng = np.random.default_rng(design.seed)
    a, b, c = inks[1], inks[2 if design.inks > 2 else 1], inks[3 if design.inks > 3 else 1]
    if design.motif == "even":
        return [(0.0, 0.5, a)]
    if design.motif == "breton":
        return [(0.0, 0.22 + 0.12 * design.fill, a)]
    if design.motif == "pin":
        return [(0.0, 0.12, a)]
    if design.motif == "awning":
        return [(0.0, 0.42, a), (0.62, 0.08, b), (0.72, 0.08, b)]
    if design.motif == "triple":
        return [(0.08, 0.1, a), (0.24, 0.18, b), (0.48, 0.1, a)]
    edges = np.sort(rng.uniform(0, 0.86, 5))
    return [(float(start), float(rng.uniform(0.03, 0.13)), (a, b, c)[place % 3]) for place, start in enumerate(edges)]


def stripes(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Stripes across the cloth; turned by the design's angle when sampled."""
    wide = 2.2 if design.motif in ("barcode", "awning", "triple") else 1.0
    _, repeat = tile.cells(design.repeat_cm * wide)
    _bars(tile, tile.y, repeat, stripe_bars(design, inks))


def _blend(a: Rgb, b: Rgb, share: float = 0.5) -> Rgb:
    red, green, blue = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue


def _crossed(tile: Tile, period: float, bars: list[tuple[float, float, Rgb]]) -> None:
    """Woven both ways: each thread shows half of itself where it crosses another."""
    ground = tile.color.copy()
    _bars(tile, tile.y, period, bars)
    weft = tile.color.copy()
    tile.color[:] = ground
    _bars(tile, tile.x, period, bars)
    tile.color += weft
    tile.color *= np.float32(0.5)


def checks(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Gingham, buffalo, tartan, madras, windowpane, houndstooth."""
    rng = np.random.default_rng(design.seed)
    ground, a = inks[0], inks[1]
    b, c = inks[2 if design.inks > 2 else 1], inks[3 if design.inks > 3 else 0]
    if design.motif in ("gingham", "buffalo"):
        _, repeat = tile.cells(design.repeat_cm)
        _crossed(tile, repeat, [(0.0, 0.5, a)])
    elif design.motif == "windowpane":
        _, repeat = tile.cells(design.repeat_cm * 1.3)
        line = 0.05 + 0.05 * design.fill
        _crossed(tile, repeat, [(0.1, line, a), (0.1 + 2 * line, line, b)] if design.inks > 3 else [(0.1, line, a)])
        _bars(tile, tile.x, repeat, [(0.1, line * 0.8, _blend(ground, a, 0.8))])
        _bars(tile, tile.y, repeat, [(0.1, line * 0.8, _blend(ground, a, 0.8))])
    elif design.motif == "houndstooth":
        _, repeat = tile.cells(design.repeat_cm)
        x, y = (tile.x / np.float32(repeat)) % 1 * 4, (tile.y / np.float32(repeat)) % 1 * 4
        # Four dark and four light threads each way on a 2/2 twill, each thread a quarter of four steps.
        thread = np.floor((tile.x / np.float32(repeat)) % 1 * 8), np.floor((tile.y / np.float32(repeat)) % 1 * 8)
        over = ((thread[0] - thread[1]) % 4) < 2
        dark = np.where(over, thread[0] < 4, thread[1] < 4) & (x >= 0) & (y >= 0)
        tile.ink(dark.astype(np.float32), a)
    else:
        _, repeat = tile.cells(design.repeat_cm * 1.7)
        bars = [(0.0, 0.26, a), (0.36, 0.05, b), (0.54, 0.2, c), (0.64, 0.06, b), (0.9, 0.035, inks[-1])]
        if design.motif == "madras":
            starts = np.sort(rng.uniform(0, 0.8, 4))
            bars = [(float(s), float(rng.uniform(0.05, 0.24)), inks[1 + k % 4]) for k, s in enumerate(starts)]
        _crossed(tile, repeat, bars)

"""Triangles, zigzags, diamonds, hexagons, scales and loose shapes."""

import numpy as np

from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.prints.design import PrintDesign
from catalog.sample_catalog.prints.field import Tile, scattered

Inks = tuple[Rgb, ...]


def shapes(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Draw the design's geometric motif."""
    {
        "triangles": _triangles,
        "chevron": _chevron,
        "argyle": _argyle,
        "hexagons": _hexagons,
        "scales": _scales,
        "squares": _squares,
        "lattice": _lattice,
        "shapes": _loose,
    }[design.motif](tile, design, inks)


def _triangles(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    count, repeat = tile.cells(design.repeat_cm * 0.8, even=True)
    rng = np.random.default_rng(design.seed)
    x, y = tile.x / np.float32(repeat), tile.y / np.float32(repeat)
    row, v = np.floor(y).astype(int), y % 1
    shifted = x + np.float32(0.5) * (row % 2)
    u = shifted % 1
    inside = np.minimum(v, 1 - np.abs(u - np.float32(0.5)) * 2 - (1 - v)) if design.fill > 0.5 else None
    if inside is not None:
        tile.ink(tile.edge(inside * np.float32(repeat * 0.45)), inks[1])
        return
    which = rng.integers(1, max(2, min(design.inks, 4)), (count, count))
    cover = tile.edge(
        (np.minimum(v - np.float32(0.12), v - np.abs(u - np.float32(0.5)) * 2)) * np.float32(0.45 * repeat)
    )
    picked = which[row % count, np.floor(shifted).astype(int) % count]
    for ink in np.unique(which):
        tile.ink(cover * (picked == ink), inks[ink])


def _chevron(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    _, repeat = tile.cells(design.repeat_cm)
    _, width = tile.cells(design.repeat_cm * (0.7 + design.fill))
    fold = np.abs((tile.x / np.float32(width)) % 1 - np.float32(0.5)) * 2
    phase = (tile.y / np.float32(repeat) + fold * np.float32(0.55)) % 1
    bands = 2 if design.inks < 4 else 3
    for band in range(1, bands):
        off = np.abs((phase - np.float32(band / bands) + np.float32(0.5)) % 1 - np.float32(0.5))
        tile.ink(tile.edge((np.float32(0.5 / bands) - off) * np.float32(repeat * 0.8)), inks[band])


def _argyle(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    _, repeat = tile.cells(design.repeat_cm * 1.1, even=True)
    x, y = tile.x / np.float32(repeat), tile.y / np.float32(repeat)
    u, v = np.abs((x % 1) - np.float32(0.5)), np.abs((y % 1) - np.float32(0.5))
    cover = tile.edge((np.float32(0.5) - u - v) * np.float32(repeat * 0.7))
    cell = (np.floor(x) + np.floor(y)) % 2
    tile.ink(cover * (cell == 0), inks[1])
    tile.ink(cover * (cell == 1), inks[2 if design.inks > 2 else 0])
    line = np.minimum(np.abs((x + y) % 1 - np.float32(0.5)), np.abs((x - y) % 1 - np.float32(0.5)))
    dashed = (x * 4) % 1 < np.float32(0.6)
    tile.ink(tile.edge((np.float32(0.025) - line) * np.float32(repeat)) * dashed, inks[3 if design.inks > 3 else 1])


def _hexagons(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    count, repeat = tile.cells(design.repeat_cm * 0.9, even=True)
    rows = max(2, 2 * round(count / np.sqrt(3) * 1.0))
    x, y = tile.x / np.float32(repeat), tile.y * np.float32(rows / tile.cm)
    # Two interleaved lattices of centres; a hexagon is what lies nearer to its own.
    ax, ay = x % 1 - np.float32(0.5), (y % 2 - 1) * np.float32(0.866)
    bx, by = (x + np.float32(0.5)) % 1 - np.float32(0.5), ((y + 1) % 2 - 1) * np.float32(0.866)
    near_a = ax * ax + ay * ay < bx * bx + by * by
    hx, hy = np.abs(np.where(near_a, ax, bx)), np.abs(np.where(near_a, ay, by))
    rim = np.float32(0.5) - np.maximum(hx, hx * np.float32(0.5) + hy * np.float32(0.866))
    line = 0.05 + 0.1 * design.fill
    tile.ink(tile.edge((rim - np.float32(line)) * np.float32(repeat)), inks[1])
    if design.inks > 2:
        tile.ink(tile.edge((rim - np.float32(line + 0.16)) * np.float32(repeat)), inks[2])


def _scales(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Overlapping fans, row over row, each of concentric rings."""
    _, repeat = tile.cells(design.repeat_cm, even=True)
    rings = 3 if design.fill < 0.5 else 2
    best = np.full((tile.side, tile.side), 9, np.float32)
    x, y = tile.x / np.float32(repeat), tile.y / np.float32(repeat)
    for lift in (3, 2, 1, 0):  # the nearer row, half a repeat lower, covers the one behind
        row = np.floor(y * 2) + lift
        u = (x + np.float32(0.5) * (row % 2)) % 1 - np.float32(0.5)
        distance = np.hypot(u, row / 2 - y)
        best = np.where(distance < np.float32(0.5), distance, best)
    phase = best * np.float32(2 * rings)
    ring = np.abs(phase % 2 - 1) - np.float32(0.45)
    tile.ink(tile.edge(ring * np.float32(repeat / (2.2 * rings))), inks[1])
    if design.inks > 2:
        tile.ink(tile.edge((np.float32(0.12) - best) * np.float32(repeat)), inks[2])


def _squares(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    _, repeat = tile.cells(design.repeat_cm)
    u, v = (
        np.abs((tile.x / np.float32(repeat)) % 1 - np.float32(0.5)),
        np.abs((tile.y / np.float32(repeat)) % 1 - np.float32(0.5)),
    )
    rim = (np.float32(0.5) - np.maximum(u, v)) * np.float32(repeat)
    gap = 0.06 * repeat
    for step in range(1, 2 + min(design.inks, 3)):
        ink = inks[step % max(2, min(design.inks, 4))]
        tile.ink(tile.edge(rim - np.float32(gap + (step - 1) * repeat * 0.13)), ink)


def _lattice(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """A quatrefoil trellis."""
    _, repeat = tile.cells(design.repeat_cm)
    u, v = (tile.x / np.float32(repeat)) % 1 - np.float32(0.5), (tile.y / np.float32(repeat)) % 1 - np.float32(0.5)
    across = np.hypot(np.abs(u) - np.float32(0.24), v)
    down = np.hypot(u, np.abs(v) - np.float32(0.24))
    shape = np.float32(0.25) - np.minimum(across, down)
    line = np.float32(0.02 + 0.035 * design.fill)
    tile.ink(tile.edge((line - np.abs(shape)) * np.float32(repeat)), inks[1])
    if design.inks > 2:
        tile.ink(tile.edge((shape - np.float32(0.1)) * np.float32(repeat)), inks[2])


def _loose(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Small triangles, rings, crosses and bars strewn about."""
    rng = np.random.default_rng(design.seed)
    count, repeat = tile.cells(max(design.repeat_cm * 0.8, tile.cm / 11), even=True)
    for x, y in scattered(count, 0.4, rng):
        reach = int(0.46 * repeat * tile.texels_per_cm)
        column, row = int(x * repeat * tile.texels_per_cm), int(y * repeat * tile.texels_per_cm)
        offset = np.arange(-reach, reach + 1, dtype=np.float32) / np.float32(reach) * np.float32(0.46)
        turn = rng.uniform(0, 2 * np.pi)
        u = offset[None, :] * np.float32(np.cos(turn)) + offset[:, None] * np.float32(np.sin(turn))
        v = offset[:, None] * np.float32(np.cos(turn)) - offset[None, :] * np.float32(np.sin(turn))
        kind = int(rng.integers(4))
        if kind == 0:
            rim = np.minimum(np.float32(0.18) - v, v + np.float32(0.22) - 2 * np.abs(u))
        elif kind == 1:
            rim = np.float32(0.06) - np.abs(np.hypot(u, v) - np.float32(0.2))
        elif kind == 2:
            arm = np.minimum(np.maximum(np.abs(u), np.abs(v)), 9)
            rim = np.minimum(np.float32(0.26) - arm, np.float32(0.07) - np.minimum(np.abs(u), np.abs(v)))
        else:
            rim = np.minimum(np.float32(0.28) - np.abs(u), np.float32(0.09) - np.abs(v))
        cover = tile.edge(rim * np.float32(repeat))[..., None]
        place = np.ix_(
            (np.arange(-reach, reach + 1) + row) % tile.side, (np.arange(-reach, reach + 1) + column) % tile.side
        )
        ink = np.array(inks[int(rng.integers(1, max(2, min(design.inks, 5))))], np.float32)
        tile.color[place] += cover * (ink - tile.color[place])

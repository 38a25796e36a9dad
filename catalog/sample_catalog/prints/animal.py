"""Coats of animals, from noise that repeats."""

import numpy as np

from catalog.sample_catalog.drawing.curves import Floats, smoothstep
from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.prints.design import PrintDesign
from catalog.sample_catalog.prints.field import Tile, scattered, wrapped_noise

Inks = tuple[Rgb, ...]


def _nearest(places: Floats, warp_x: Floats, warp_y: Floats, side: int, cells: int) -> tuple[Floats, Floats]:
    """Distance to the nearest and the next of wrapped `places` (in cells), each (side, side), also in cells."""
    grid = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(cells / side)
    x, y = grid[None, :] + warp_x, grid[:, None] + warp_y
    first = np.full((side, side), 9, np.float32)
    second = first.copy()
    for px, py in places:
        dx, dy = np.abs(x - px) % cells, np.abs(y - py) % cells
        dx, dy = np.minimum(dx, cells - dx), np.minimum(dy, cells - dy)
        distance = dx * dx + dy * dy
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    return np.sqrt(first), np.sqrt(second)


def _coarse(tile: Tile, most: int = 128) -> int:
    """A side for smooth fields: they are enlarged before a threshold makes them crisp."""
    return min(tile.side, most)


def _fine(field: Floats, side: int) -> Floats:
    """A wrapped smooth field enlarged to the tile, bilinear over the border too."""
    small = field.shape[0]
    if small == side:
        return field
    place = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * np.float32(small / side) - np.float32(0.5)
    low = np.floor(place).astype(np.int32)
    share = (place - low).astype(np.float32)
    low, high = low % small, (low + 1) % small
    rows = field[low] * (1 - share)[:, None] + field[high] * share[:, None]
    return np.asarray(rows[:, low] * (1 - share) + rows[:, high] * share)


def coat(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Leopard, cheetah, zebra, tiger, giraffe or cow in two or three inks."""
    rng = np.random.default_rng(design.seed)
    dark = inks[1]
    side = _coarse(tile)
    if design.motif in ("zebra", "tiger"):
        waves = tile.cm / design.repeat_cm
        bend = wrapped_noise(side, max(1.0, waves * 0.35), rng)
        count = max(2, round(waves * 1.5))
        across = (np.arange(side, dtype=np.float32)[:, None] * np.float32(count / side)) + np.float32(0.42) * bend
        fork = wrapped_noise(side, max(1.5, waves * 0.9), rng, stretch=0.5)
        level = np.sin(across * np.float32(2 * np.pi)) + np.float32(0.75 if design.motif == "tiger" else 0.4) * fork
        level = _fine(level, tile.side)
        slope = np.float32(tile.cm / (2 * np.pi * count))
        tile.ink(tile.edge((level - np.float32(0.55 - 0.8 * design.fill)) * slope), dark)
        return
    if design.motif == "cow":
        blot = wrapped_noise(side, max(1.4, 0.7 * tile.cm / design.repeat_cm), rng)
        blot = _fine(blot + np.float32(0.25) * wrapped_noise(side, 3 * tile.cm / design.repeat_cm, rng), tile.side)
        tile.ink(tile.edge((blot - np.float32(0.5)) * np.float32(design.repeat_cm * 0.3)), dark)
        return
    spots = {"leopard": 1.2, "cheetah": 0.72, "giraffe": 1.25}[design.motif]
    count, repeat = tile.cells(max(design.repeat_cm * spots, tile.cm / 12), even=True)
    places = scattered(count, 0.4 if design.motif == "leopard" else 0.62, rng)
    warp = 0.10 if design.motif == "giraffe" else 0.12
    wobble_x, wobble_y = (
        wrapped_noise(side, count * 0.9, rng) * np.float32(warp),
        wrapped_noise(side, count * 0.9, rng) * np.float32(warp),
    )
    first, second = _nearest(places, wobble_x, wobble_y, side, count)
    if design.motif == "giraffe":  # the patches cover most of it, so they take the ground's color
        tile.ink(np.ones((1, 1), np.float32), dark)
        patch = (_fine(second - first, tile.side) - np.float32(0.16)) * np.float32(0.5 * repeat)
        tile.ink(tile.edge(patch), inks[0])
        return
    radius = np.float32(0.26 + 0.12 * design.fill)
    distance = _fine(first, tile.side)
    if design.motif == "cheetah":
        tile.ink(tile.edge((radius * np.float32(0.8) - distance) * np.float32(repeat)), dark)
        return
    rough = _fine(wrapped_noise(side, count * 1.25, rng), tile.side)
    middle = tuple(round(a + 0.42 * (b - a)) for a, b in zip(inks[0], dark, strict=True))
    tile.ink(tile.edge((radius * np.float32(0.86) - distance) * np.float32(repeat)), middle)  # type: ignore[arg-type]
    # A rosette: a ring about each spot, broken here and there, thicker in some places.
    ring = np.float32(0.075) + np.float32(0.03) * rough - np.abs(distance - radius)
    gaps = np.clip(rough * np.float32(5) + np.float32(3.4), 0, 1)
    tile.ink(tile.edge(ring * np.float32(repeat)) * gaps, dark)
    small = scattered(count, 0.5, rng) + np.float32(0.5)
    dots, _ = _nearest(small, wobble_x, wobble_y, side, count)
    free = smoothstep(0.12, 0.2, _fine(first, tile.side) - radius)
    tile.ink(tile.edge((np.float32(0.11) - _fine(dots, tile.side)) * np.float32(repeat)) * free, dark)

"""Drawing on a tile that repeats: coordinates, soft edges, noise that wraps round, stamps over the border."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from catalog.sample_catalog.drawing.curves import Floats


@dataclass
class Tile:
    """A square of cloth in the making; `color` (side, side, 3) float32 sRGB in [0, 255]."""

    color: Floats
    x: Floats  # (1, side) cm
    y: Floats  # (side, 1) cm
    side: int
    texels_per_cm: float

    @property
    def cm(self) -> float:
        """The tile's side."""
        return self.side / self.texels_per_cm

    def cells(self, repeat_cm: float, *, even: bool = False) -> tuple[int, float]:
        """How many repeats fit the tile (whole, even if asked), and the repeat that makes them fit."""
        count = max(1, round(self.cm / repeat_cm))
        if even:
            count = max(2, 2 * round(self.cm / repeat_cm / 2))
        return count, self.cm / count

    def edge(self, distance_cm: Floats) -> Floats:
        """Cover inside a shape from the signed distance to its rim (positive inside): about two texels soft."""
        return np.asarray(np.clip(distance_cm * np.float32(self.texels_per_cm / 1.8) + np.float32(0.5), 0, 1))

    def ink(self, cover: Floats, rgb: tuple[int, int, int]) -> None:
        """Print one ink where `cover` (broadcastable to (side, side)) says."""
        cover = np.broadcast_to(cover, (self.side, self.side))[..., None]
        self.color += cover * (np.array(rgb, np.float32) - self.color)


def blank(side: int, texels_per_cm: float, ground: tuple[int, int, int]) -> Tile:
    """A tile of one color."""
    place = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(texels_per_cm)
    color = np.empty((side, side, 3), np.float32)
    color[:] = ground
    return Tile(color, place[None, :], place[:, None], side, texels_per_cm)


def wrapped_noise(side: int, waves: float, rng: np.random.Generator, *, stretch: float = 1.0) -> Floats:
    """Smooth noise that repeats over the tile, unit spread, about `waves` humps across; `stretch` > 1: long in y."""
    count = int(np.ceil(waves * 2)) + 1
    ky, kx = np.mgrid[-count : count + 1, -count : count + 1].astype(np.float32)
    radius = np.hypot(kx, ky * np.float32(stretch))
    weight = np.exp(-np.square((radius - waves) / (0.35 * waves + 0.3)))
    weight[count, count] = 0
    spectrum = np.zeros((side, side), np.complex64)
    drawn = weight * np.exp(1j * rng.uniform(0, 2 * np.pi, weight.shape)).astype(np.complex64)
    rows, columns = np.arange(-count, count + 1) % side, np.arange(-count, count + 1) % side
    spectrum[np.ix_(rows, columns)] = drawn
    field = np.fft.ifft2(spectrum).real.astype(np.float32)
    return np.asarray(field / (field.std() + np.float32(1e-9)))


def stamp(tile: Image.Image, motif: Image.Image, x: float, y: float) -> None:
    """Paste an RGBA motif centred at texel (x, y), repeated over the borders."""
    side, wide, tall = tile.width, motif.width, motif.height
    left, top = round(x - wide / 2) % side, round(y - tall / 2) % side
    for shift_x in (0, -side) if left + wide > side else (0,):
        for shift_y in (0, -side) if top + tall > side else (0,):
            tile.paste(motif, (left + shift_x, top + shift_y), motif)


def scattered(count: int, jitter: float, rng: np.random.Generator, *, half_drop: bool = True) -> Floats:
    """Places of motifs on a (count x count) grid in [0, count), every second column dropped by a half, (n, 2)."""
    row, column = np.mgrid[0:count, 0:count].astype(np.float32)
    if half_drop and count % 2 == 0:
        row = row + np.float32(0.5) * (column % 2)
    places = np.stack([column.ravel(), row.ravel()], axis=1)
    return (places + rng.uniform(-0.5, 0.5, places.shape) * jitter).astype(np.float32)

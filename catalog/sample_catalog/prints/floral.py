"""Flowers: a few motifs drawn large, then strewn over the tile turned and sized anew."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from catalog.sample_catalog.drawing.curves import Floats, path
from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.prints.design import PrintDesign
from catalog.sample_catalog.prints.field import Tile, scattered, stamp

Inks = tuple[Rgb, ...]
_FINE = 3  # motifs are drawn this much larger and reduced


class _Motif:
    """A pen on a transparent square of unit half-width; colors and cover kept apart so that rims stay clean."""

    def __init__(self, side: int, base: Rgb) -> None:
        self.side = side * _FINE
        self.color = Image.new("RGB", (self.side, self.side), base)
        self.cover = Image.new("L", (self.side, self.side))
        self.color_pen, self.cover_pen = ImageDraw.Draw(self.color), ImageDraw.Draw(self.cover)

    def fill(self, points: Floats, ink: Rgb, opaque: bool = True) -> None:
        """A closed shape in unit coordinates."""
        drawn = ((points + 1) * (self.side / 2)).ravel().tolist()
        self.color_pen.polygon(drawn, fill=ink)
        if opaque:
            self.cover_pen.polygon(drawn, fill=255)

    def line(self, points: Floats, ink: Rgb, width: float) -> None:
        """An open line; the width is a share of the half-width."""
        drawn = ((points + 1) * (self.side / 2)).ravel().tolist()
        thick = max(1, round(width * self.side / 2))
        self.color_pen.line(drawn, fill=ink, width=thick, joint="curve")
        self.cover_pen.line(drawn, fill=255, width=thick, joint="curve")

    def image(self) -> Image.Image:
        """RGBA at its final size."""
        done = self.color.reduce(_FINE).convert("RGBA")
        done.putalpha(self.cover.reduce(_FINE))
        return done


def _turn(points: Floats, angle: float, x: float = 0.0, y: float = 0.0) -> Floats:
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray((points @ np.array([[c, s], [-s, c]]) + np.array([x, y])).astype(np.float32))


def _petal(length: float, width: float, blunt: float = 0.6, notch: float = 0.0, start: float = 0.08) -> Floats:
    """A petal from the flower's middle outwards along +x."""
    return path(
        [
            (start, 0.0),
            (start + 0.45 * (length - start), width * 0.42),
            (start + blunt * (length - start) + 0.12, width * 0.5),
            (length, width * 0.16),
            (length - notch, 0.0),
            (length, -width * 0.16),
            (start + blunt * (length - start) + 0.12, -width * 0.5),
            (start + 0.45 * (length - start), -width * 0.42),
        ]
    )


def _leaf(length: float, width: float) -> Floats:
    return path([(0, 0, True), (0.35 * length, width * 0.5), (length, 0, True), (0.4 * length, -width * 0.5)])


def _shade(rgb: Rgb, by: float) -> Rgb:
    """Towards black (negative) or white."""
    aim = 255 if by > 0 else 0
    red, green, blue = (round(channel + (aim - channel) * abs(by)) for channel in rgb)
    return red, green, blue


def _disc(radius: float, x: float = 0.0, y: float = 0.0) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1).astype(np.float32)


def _daisy(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    petals = int(rng.integers(8, 13))
    shape = _petal(0.95, 1.75 * np.pi / petals * 0.62, 0.75)
    start = rng.uniform(0, 6)
    for turn in range(petals):
        angle = start + 2 * np.pi * turn / petals + rng.normal(0, 0.05)
        pen.fill(
            _turn(shape * np.float32(rng.uniform(0.9, 1.04)), angle), _shade(bloom, float(rng.uniform(-0.12, 0.1)))
        )
    pen.fill(_disc(0.27), heart)
    pen.fill(_disc(0.14, -0.03, -0.03), _shade(heart, -0.2))


def _rose(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    for angle in rng.uniform(0, 2 * np.pi) + np.array([0.0, 2.2, 4.1]):
        pen.fill(_turn(_leaf(1.0, 0.46), float(angle)), leaf)
        pen.line(_turn(np.array([[0.3, 0], [0.9, 0]], np.float32), float(angle)), _shade(leaf, 0.25), 0.03)
    start = rng.uniform(0, 6)
    for ring, (radius, count) in enumerate(((0.72, 5), (0.54, 5), (0.36, 4), (0.2, 3))):
        for turn in range(count):
            angle = start + ring * 0.6 + 2 * np.pi * turn / count
            tone = _shade(bloom, float(rng.uniform(-0.05, 0.16)) - 0.13 * ring)
            pen.fill(_turn(_petal(radius, radius * 1.35, 0.55, 0.04, 0.0), angle), tone)
            arc = _petal(radius, radius * 1.35, 0.55, 0.04, 0.0)[18:40]
            pen.line(_turn(arc, angle), _shade(tone, -0.28), 0.025)
    pen.fill(_disc(0.07), _shade(heart, -0.1))


def _ditsy(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    start = rng.uniform(0, 6)
    for angle in (start + 1.1, start + 2.4):
        pen.fill(_turn(_leaf(0.98, 0.3), angle), leaf)
    for turn in range(5):
        pen.fill(_turn(_petal(0.66, 0.62, 0.7), start + 2 * np.pi * turn / 5), bloom)
    pen.fill(_disc(0.18), heart)


def _tropical(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    start = rng.uniform(0, 6)
    for angle in start + np.array([0.4, 1.5, 3.2, 4.7]):
        for fin in np.linspace(-1.1, 1.1, 7):
            pen.fill(
                _turn(_leaf(0.98 - 0.25 * abs(float(fin)), 0.15), float(angle) + float(fin) * 0.42),
                _shade(leaf, float(rng.uniform(-0.2, 0.15))),
            )
    for turn in range(5):
        angle = start + 2 * np.pi * turn / 5
        pen.fill(_turn(_petal(0.74, 0.74, 0.72, 0.06), angle), _shade(bloom, float(rng.uniform(-0.08, 0.1))))
        pen.fill(_turn(_petal(0.42, 0.24, 0.6), angle), _shade(bloom, -0.25))
    stamen = np.array([[0, 0], [0.3, 0.1], [0.56, 0.04]], np.float32)
    pen.line(_turn(stamen, start + 0.5), heart, 0.06)
    pen.fill(_disc(0.07, float(0.56 * np.cos(start + 0.55)), float(0.56 * np.sin(start + 0.55))), heart)


def _tulip(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    turn = float(rng.normal(0, 0.35))
    pen.line(_turn(path([(0, 0.0), (0.05, 0.5), (0, 0.98)], closed=False), turn), leaf, 0.06)
    for side in (1, -1):
        pen.fill(
            _turn(path([(0, 0.95, True), (0.36 * side, 0.45), (0.42 * side, 0.05, True), (0.14 * side, 0.5)]), turn),
            leaf,
        )
    for side, tone in ((1, -0.12), (-1, -0.05)):
        pen.fill(
            _turn(path([(0, 0.12, True), (0.4 * side, -0.1), (0.34 * side, -0.9, True), (0.06 * side, -0.55)]), turn),
            _shade(bloom, tone),
        )
    pen.fill(_turn(path([(0, 0.12), (0.26, -0.2), (0, -0.95, True), (-0.26, -0.2)]), turn), _shade(bloom, 0.12))
    pen.fill(_turn(path([(0, 0.05), (0.1, -0.2), (0, -0.5, True), (-0.1, -0.2)]), turn), heart)


def _sprig(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    turn = float(rng.uniform(0, 2 * np.pi))
    stem = path([(0, 0.95), (0.14, 0.3), (-0.06, -0.4), (0.02, -0.9)], closed=False)
    pen.line(_turn(stem, turn), leaf, 0.045)
    for place, knot in enumerate(stem[3:-2:3]):
        side = 1 if place % 2 else -1
        shape = _turn(_leaf(0.52, 0.22), -np.pi / 2 + side * 0.95, float(knot[0]), float(knot[1]))
        pen.fill(_turn(shape, turn), _shade(leaf, 0.15 if place % 2 else 0.0))
    for _ in range(4):
        knot = stem[int(rng.integers(4, len(stem)))]
        x, y = float(knot[0] + rng.choice((-0.3, 0.3))), float(knot[1])
        pen.fill(_turn(_disc(0.1, x, y), turn), bloom)
    pen.fill(_turn(_disc(0.14, 0.02, -0.84), turn), bloom)
    pen.fill(_turn(_disc(0.06, 0.02, -0.84), turn), heart)


def _blossom(pen: _Motif, bloom: Rgb, heart: Rgb, leaf: Rgb, rng: np.random.Generator) -> None:
    start = rng.uniform(0, 6)
    for turn in range(5):
        angle = start + 2 * np.pi * turn / 5
        pen.fill(_turn(_petal(0.94, 0.98, 0.78, 0.12), angle), _shade(bloom, -0.14))
        pen.fill(_turn(_petal(0.88, 0.86, 0.78, 0.12), angle), bloom)
    for turn in range(5):
        angle = start + 2 * np.pi * turn / 5
        pen.fill(_turn(_petal(0.46, 0.2, 0.6), angle), _shade(heart, 0.1))
        pen.line(_turn(np.array([[0.1, 0], [0.5, 0]], np.float32), angle + 0.63), heart, 0.035)
    pen.fill(_disc(0.13), heart)


_MOTIFS: dict[str, tuple[Callable[[_Motif, Rgb, Rgb, Rgb, np.random.Generator], None], float, int]] = {
    # motif -> how to draw it, its size as a share of the repeat, how many small leaves or buds between two of them
    "daisy": (_daisy, 0.78, 1),
    "rose": (_rose, 1.02, 0),
    "ditsy": (_ditsy, 0.8, 0),
    "tropical": (_tropical, 1.25, 0),
    "tulip": (_tulip, 1.0, 0),
    "sprig": (_sprig, 1.1, 0),
    "blossom": (_blossom, 0.8, 1),
}


def flowers(tile: Tile, design: PrintDesign, inks: Inks) -> None:
    """Strew the design's motif over the tile."""
    rng = np.random.default_rng(design.seed)
    draw, share, buds = _MOTIFS[design.motif]
    count, repeat = tile.cells(max(design.repeat_cm, tile.cm / 11), even=True)
    size = max(7, round(repeat * share * (0.75 + 0.5 * design.fill) * tile.texels_per_cm))
    leaf = inks[2] if design.inks > 2 else _shade(inks[1], -0.25)
    blooms = [inks[1]] if design.inks < 4 else [inks[1], inks[3]]
    heart = inks[4] if design.inks > 3 else (inks[3] if design.inks > 2 else inks[0])
    stamps = []
    for variant in range(6):
        pen = _Motif(max(7, round(size * (1.0, 0.85, 1.1, 0.7, 0.95, 0.8)[variant])), leaf)
        draw(pen, blooms[variant % len(blooms)], heart, leaf, rng)
        stamps.append(pen.image())
    small = []
    for _ in range(2):
        pen = _Motif(max(5, size // 2), leaf)
        angle = float(rng.uniform(0, 6))
        pen.fill(_turn(_leaf(0.95, 0.5), angle), leaf)
        pen.fill(_turn(_leaf(0.9, 0.45), angle + 2.3), _shade(leaf, 0.18))
        small.append(pen.image())
    image = Image.fromarray(tile.color.astype(np.uint8))
    texels = repeat * tile.texels_per_cm
    places = scattered(count, 0.25 + 0.35 * design.jitter, rng)
    if buds:
        for x, y in places:
            stamp(image, small[int(rng.integers(2))], (x + 0.5 + rng.normal(0, 0.06)) * texels, (y + 0.45) * texels)
    for x, y in places:
        stamp(image, stamps[int(rng.integers(6))], x * texels, y * texels)
    tile.color[:] = np.asarray(image, np.float32)

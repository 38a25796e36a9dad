"""Cloth that can be cut: gives the linear color at any place of a product's fabric. Folds and light come later."""

from dataclasses import dataclass, field

import numpy as np

from catalog.sample_catalog.drawing.curves import Floats
from catalog.sample_catalog.palettes import Rgb
from catalog.sample_catalog.prints.design import PrintDesign
from catalog.sample_catalog.prints.tile import SIDE, printed_cloth

_FAR = SIDE * 64  # added before the cut to whole texels, so that negative places wrap too


def linear(rgb: Rgb) -> Floats:
    """sRGB bytes to linear light, gamma 2, (3,) float32."""
    return np.square(np.array(rgb, np.float32) / 255)


@dataclass
class Fabric:
    """One variant's cloth; `u` runs across the garment and `v` down it, in cm from its middle and its top."""

    design: PrintDesign
    inks: tuple[Rgb, ...]
    weave: str
    texels_per_cm: float
    gloss: float = 0.0
    extent_cm: tuple[float, float] = (22.0, 60.0)  # half width and height that color blocks are laid out on
    _texels: Floats = field(init=False)

    def __post_init__(self) -> None:
        blocked = self.design.label == "color_block"
        inks: tuple[Rgb, ...] = ((230, 230, 230),) if blocked else self.inks
        tile = printed_cloth(self.design, inks, self.weave, self.texels_per_cm)
        scale = (230.0 if blocked else 255.0) ** 2
        self._texels = np.square(tile.reshape(-1, 3).astype(np.float32)) * np.float32(1 / scale)

    def ink(self, place: int) -> Floats:
        """The plain linear color of one ink, (3,)."""
        return linear(self.inks[min(place, len(self.inks) - 1)])

    @property
    def ground(self) -> Floats:
        """The color that trims and linings take."""
        return self.ink(0)

    def sample(self, u: Floats, v: Floats, *, part: str = "body", turn: float = 0.0, shift: float = 0.0) -> Floats:
        """Color at (u, v) cm, (h, w, 3) linear; `turn` radians and `shift` cm say how this part was cut."""
        angle = self.design.angle + turn
        c, s = np.float32(np.cos(angle) * self.texels_per_cm), np.float32(np.sin(angle) * self.texels_per_cm)
        moved = np.float32(shift * self.texels_per_cm + _FAR)
        column = (u * c + v * s + moved).astype(np.int32) & (SIDE - 1)
        row = (v * c - u * s + moved).astype(np.int32) & (SIDE - 1)
        row *= SIDE
        row += column
        color = np.take(self._texels, row, axis=0)
        if self.design.label == "color_block":
            color = color * self._blocks(u, v, part)
        return color

    def _blocks(self, u: Floats, v: Floats, part: str) -> Floats:
        """The block each place lies in, as linear color."""
        design, half, height = self.design, self.extent_cm[0], np.float32(self.extent_cm[1])
        rng = np.random.default_rng(design.seed)
        across: Floats = u * np.float32(1 / half)
        down: Floats = v * np.float32(1 / self.extent_cm[1])
        a, b, c = self.ink(0), self.ink(1), self.ink(2 if design.inks > 2 else 0)
        soft = np.float32(0.12)  # cm from one block to the next: a seam, not a fade

        def over(distance_cm: Floats) -> Floats:
            return np.asarray(np.clip(distance_cm / soft + np.float32(0.5), 0, 1)[..., None])

        color: Floats = np.broadcast_to(a, (*u.shape, 3))
        if design.motif == "sleeves" and part == "sleeve":
            return np.broadcast_to(b, (*u.shape, 3))
        if design.motif == "halves":
            return color + over(u) * (b - color)
        if design.motif == "quarters":
            crossed = over(u) * (1 - over((down - np.float32(0.5)) * height)) + (1 - over(u)) * over(
                (down - np.float32(0.5)) * height
            )
            return np.asarray(color + crossed * (b - color))
        if design.motif == "diagonal":
            lean = float(rng.choice((-0.6, 0.6)))
            first = (down - np.float32(0.38 + 0.1 * design.fill) + across * np.float32(lean * 0.35)) * height
            color = color + over(first) * (b - color)
            second = first - np.float32((0.16 + 0.15 * design.fill) * height)
            return color + over(second) * (c - color)
        # The ground, after which the shop names the color, keeps the largest share in each.
        if design.motif == "chest":
            top, wide = 0.24 + 0.12 * design.jitter, 0.14 + 0.14 * design.fill
            color = color + over((down - np.float32(top)) * height) * (b - color)
            color = color + over((down - np.float32(top + wide)) * height) * (c - color)
            return color + over((down - np.float32(top + wide + 0.07)) * height) * (a - color)
        if design.motif == "sleeves":
            return color + over((down - np.float32(0.66 + 0.12 * design.fill)) * height) * (c - color)
        first_edge = 0.32 + 0.16 * design.fill
        color = color + over((down - np.float32(first_edge)) * height) * (b - color)
        color = color + over((down - np.float32(first_edge + 0.27)) * height) * (c - color)
        return color

"""The shop's color words, their sRGB, and which go together. No pattern is drawn here."""

from dataclasses import dataclass

import numpy as np

Rgb = tuple[int, int, int]

# Words a shop would use, each with the sRGB of dyed cloth under white light.
COLORS: dict[str, Rgb] = {
    "white": (238, 237, 233),
    "cream": (235, 224, 200),
    "beige": (208, 187, 155),
    "camel": (181, 135, 86),
    "brown": (103, 68, 46),
    "rust": (176, 78, 40),
    "terracotta": (198, 108, 80),
    "orange": (230, 125, 45),
    "mustard": (211, 160, 44),
    "yellow": (243, 210, 80),
    "olive": (106, 107, 62),
    "sage": (158, 175, 148),
    "green": (52, 122, 78),
    "forest": (36, 70, 54),
    "mint": (176, 219, 200),
    "teal": (24, 112, 120),
    "turquoise": (62, 178, 184),
    "sky": (148, 192, 224),
    "blue": (48, 98, 176),
    "denim": (76, 104, 142),
    "navy": (38, 48, 86),
    "lilac": (190, 170, 214),
    "purple": (108, 62, 134),
    "plum": (88, 38, 66),
    "burgundy": (118, 28, 46),
    "red": (200, 38, 46),
    "coral": (240, 118, 100),
    "pink": (238, 166, 180),
    "fuchsia": (208, 48, 122),
    "blush": (232, 200, 190),
    "grey": (150, 152, 154),
    "charcoal": (68, 70, 76),
    "black": (42, 42, 46),
}

_LIGHT = ("white", "cream", "blush", "mint", "sky", "beige")
_DARK = ("navy", "black", "forest", "plum", "charcoal", "brown", "burgundy")

# For each lead color, the ones a print's other inks are taken from.
_FRIENDS: dict[str, tuple[str, ...]] = {
    "white": ("navy", "red", "blue", "black", "green", "coral", "mustard", "sage", "pink"),
    "cream": ("rust", "olive", "burgundy", "brown", "navy", "teal", "terracotta", "forest"),
    "beige": ("brown", "white", "black", "olive", "rust", "navy", "cream"),
    "camel": ("cream", "black", "navy", "white", "brown", "burgundy"),
    "brown": ("cream", "camel", "mustard", "sky", "blush", "orange"),
    "rust": ("cream", "navy", "blush", "mustard", "sage", "beige"),
    "terracotta": ("cream", "forest", "blush", "mustard", "white", "teal"),
    "orange": ("white", "navy", "pink", "yellow", "cream", "brown"),
    "mustard": ("white", "navy", "forest", "cream", "rust", "charcoal"),
    "yellow": ("white", "navy", "orange", "sky", "green", "grey"),
    "olive": ("cream", "black", "rust", "mustard", "white", "blush"),
    "sage": ("white", "forest", "cream", "blush", "terracotta", "lilac"),
    "green": ("white", "cream", "navy", "yellow", "pink", "mint"),
    "forest": ("cream", "mustard", "blush", "sage", "white", "red"),
    "mint": ("white", "teal", "coral", "navy", "pink", "green"),
    "teal": ("white", "cream", "mustard", "coral", "mint", "navy"),
    "turquoise": ("white", "navy", "coral", "yellow", "cream", "fuchsia"),
    "sky": ("white", "navy", "blue", "yellow", "coral", "cream"),
    "blue": ("white", "sky", "cream", "red", "yellow", "navy"),
    "denim": ("white", "cream", "navy", "sky", "rust", "beige"),
    "navy": ("white", "cream", "red", "pink", "sky", "mustard", "coral"),
    "lilac": ("white", "purple", "sage", "cream", "plum", "mint"),
    "purple": ("white", "lilac", "pink", "mustard", "cream", "mint"),
    "plum": ("blush", "cream", "pink", "mustard", "lilac", "sage"),
    "burgundy": ("cream", "blush", "pink", "navy", "camel", "white"),
    "red": ("white", "navy", "cream", "pink", "black", "sky"),
    "coral": ("white", "cream", "navy", "mint", "yellow", "teal"),
    "pink": ("white", "red", "fuchsia", "navy", "green", "cream"),
    "fuchsia": ("white", "pink", "orange", "navy", "cream", "lilac"),
    "blush": ("white", "burgundy", "sage", "terracotta", "grey", "navy"),
    "grey": ("white", "black", "navy", "pink", "yellow", "charcoal"),
    "charcoal": ("white", "grey", "mustard", "sky", "red", "beige"),
    "black": ("white", "cream", "red", "camel", "pink", "grey"),
}


@dataclass(frozen=True)
class Colorway:
    """One coloring of a product: the word the shop gives it and its inks, the ground first."""

    word: str
    inks: tuple[Rgb, ...]  # ground, then 4 more; a design uses as many as it has


def luminance(rgb: Rgb) -> float:
    """Rec. 709 relative luminance in [0, 1], gamma 2."""
    r, g, b = ((channel / 255) ** 2 for channel in rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _far(rgb: Rgb, others: list[Rgb], least: float) -> bool:
    """Whether a color is at least `least` (mean sRGB steps a channel) from every other one."""
    return all(sum(abs(a - b) for a, b in zip(rgb, other, strict=True)) / 3 >= least for other in others)


def _dyed(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """The same color from another dye bath: up to 7 steps off a channel."""
    moved = np.clip(np.array(rgb) + rng.normal(0, 3.5, 3) + rng.normal(0, 3.0), 14, 244)
    return int(moved[0]), int(moved[1]), int(moved[2])


def make_colorway(word: str, rng: np.random.Generator, *, light_ground: bool = False, stark: bool = False) -> Colorway:
    """Inks led by the color `word`; with `light_ground` the lead color is the first ink on a pale cloth.

    `stark` takes as first ink the one furthest from the ground in brightness, as coats of animals have it.
    """
    lead = COLORS[word]
    inks = [lead]
    names = list(_FRIENDS[word])
    rng.shuffle(names)
    if stark:
        names.sort(key=lambda name: -abs(luminance(COLORS[name]) - luminance(lead)))
    if light_ground and luminance(lead) < 0.5:
        inks = [COLORS[str(rng.choice(("white", "cream")))], lead]
    elif abs(luminance(COLORS[names[0]]) - luminance(lead)) < 0.12:
        names.insert(0, str(rng.choice(_LIGHT if luminance(lead) < 0.3 else _DARK)))  # a print must be seen
    for least in (38, 24, 8):
        for name in names:
            if len(inks) < 5 and COLORS[name] not in inks and _far(COLORS[name], inks, least):
                inks.append(COLORS[name])
    for name in ("white", "navy", "coral", "sage", "mustard"):
        if len(inks) < 5 and COLORS[name] not in inks:
            inks.append(COLORS[name])
    return Colorway(word, tuple(_dyed(ink, rng) for ink in inks))

"""What fixes a print: its family, its motif, sizes and arrangement. Drawing it is `tile`'s business."""

from dataclasses import dataclass

import numpy as np

# Label -> the motifs it may have. The labels are those of the feed's column `pattern`.
PRINTS: dict[str, tuple[str, ...]] = {
    "floral": ("daisy", "rose", "ditsy", "tropical", "tulip", "sprig", "blossom"),
    "polka_dot": ("grid", "half_drop", "two_sizes", "rings", "scattered", "pin"),
    "striped": ("even", "breton", "barcode", "pin", "awning", "triple"),
    "checked": ("gingham", "tartan", "windowpane", "houndstooth", "buffalo", "madras"),
    "plain": ("smooth", "heather", "slub", "rib", "twill", "waffle"),
    "animal": ("leopard", "cheetah", "zebra", "tiger", "giraffe", "cow"),
    "geometric": ("triangles", "chevron", "argyle", "hexagons", "scales", "squares", "lattice", "shapes"),
    "color_block": ("bands", "halves", "diagonal", "chest", "quarters", "sleeves"),
}


@dataclass(frozen=True, kw_only=True)
class PrintDesign:
    """One design; two products of a print differ by it, and a product's color variants share it."""

    label: str  # a key of PRINTS
    motif: str
    repeat_cm: float  # distance of neighbouring motifs, on a garment; small goods scale it down
    fill: float  # 0.25 .. 0.75: how much of the repeat the motif takes
    angle: float  # radians that the pattern is turned on the cloth
    jitter: float  # 0 .. 1: how far motifs stray from their grid
    inks: int  # how many colors, ground included
    light_ground: bool
    seed: int


_SIZES: dict[str, tuple[float, float]] = {
    "floral": (3.6, 9.5),
    "polka_dot": (1.6, 5.0),
    "striped": (1.6, 6.5),
    "checked": (2.2, 7.0),
    "plain": (1.0, 1.6),
    "animal": (3.2, 7.5),
    "geometric": (3.2, 8.0),
    "color_block": (16.0, 34.0),
}
_MOTIF_SCALE = {"ditsy": 0.55, "pin": 0.55, "tropical": 1.5, "buffalo": 1.4, "houndstooth": 0.75, "breton": 0.8}
# Motifs whose first ink covers about as much as the ground: on pale cloth the shop still names that ink.
_EVEN = ("even", "awning", "triple", "gingham", "buffalo", "houndstooth")


def make_design(label: str, rng: np.random.Generator) -> PrintDesign:
    """A design of the print `label` drawn from `rng`."""
    motif = str(rng.choice(PRINTS[label]))
    small, large = _SIZES[label]
    angle = 0.0
    if label == "striped":
        angle = float(rng.choice((0.0, np.pi / 2, np.pi / 4), p=(0.5, 0.38, 0.12)))
        if motif == "breton":
            angle = 0.0
        if motif == "pin":
            angle = np.pi / 2
    elif label == "checked" and motif in ("gingham", "madras"):
        angle = float(rng.choice((0.0, np.pi / 4), p=(0.8, 0.2)))
    elif label == "polka_dot":
        angle = float(rng.choice((0.0, 0.35)))
    elif label == "animal":
        angle = float(rng.uniform(-0.3, 0.3))
    return PrintDesign(
        label=label,
        motif=motif,
        repeat_cm=float(np.exp(rng.uniform(np.log(small), np.log(large)))) * _MOTIF_SCALE.get(motif, 1.0),
        fill=float(rng.uniform(0.3, 0.7)),
        angle=angle,
        jitter=float(rng.uniform(0, 1)),
        inks=int(rng.integers(2, 6)),
        light_ground=bool(rng.random() < 0.55) and motif in _EVEN,
        seed=int(rng.integers(2**31)),
    )

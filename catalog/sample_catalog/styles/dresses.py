"""Cuts of dresses and skirts."""

import numpy as np

from catalog.sample_catalog.shapes import (
    DressShape,
    SkirtShape,
    TopShape,
)
from catalog.sample_catalog.styles.numbers import between


def _bodice(**change: object) -> TopShape:
    base: dict[str, object] = {"hem": "none", "hem_y": 40.0, "hem_out": -0.4, "waisted": 0.95, "ease": 0.9}
    return TopShape(**{**base, **change})  # type: ignore[arg-type]


def wrap_dress(rng: np.random.Generator) -> DressShape:
    sleeve = str(rng.choice(("flutter", "set")))
    return DressShape(
        top=_bodice(
            neck="v",
            neck_depth=between(rng, 11, 15),
            sleeve=sleeve,
            sleeve_cm=between(rng, 18, 26) if sleeve == "flutter" else between(rng, 44, 54),
            sleeve_end=between(rng, 10, 12) if sleeve == "flutter" else 6.4,
        ),
        skirt=SkirtShape(
            waist_y=38.4,
            cut="wrap",
            hem_half=between(rng, 25, 30),
            hem_y=between(rng, 92, 108),
            folds=between(rng, 3.5, 6),
        ),
        wrap=True,
        belt="tie",
        trim=0,
    )


def fit_flare(rng: np.random.Generator) -> DressShape:
    return DressShape(
        top=_bodice(
            neck=str(rng.choice(("square", "scoop"))),
            neck_depth=between(rng, 7, 10),
            neck_half=9,
            sleeve="puff",
            sleeve_cm=between(rng, 16, 24),
            sleeve_end=6.4,
        ),
        skirt=SkirtShape(
            waist_y=38.4,
            cut="circle",
            hem_half=between(rng, 29, 36),
            hem_y=between(rng, 80, 94),
            folds=between(rng, 5.5, 8),
            fold_cm=between(rng, 1.7, 2.4),
        ),
        belt=str(rng.choice(("none", "sash"))),
    )


def maxi(rng: np.random.Generator) -> DressShape:
    return DressShape(
        top=_bodice(
            neck="sweetheart",
            neck_depth=between(rng, 10, 13),
            neck_half=between(rng, 9, 10.5),
            sleeve="none",
            shoulder_out=-5.6,
        ),
        skirt=SkirtShape(
            waist_y=38.4,
            cut="tiered",
            tiers=int(rng.integers(3, 5)),
            hem_half=between(rng, 28, 34),
            hem_y=between(rng, 118, 130),
            folds=between(rng, 5, 7),
        ),
    )


def shirt_dress(rng: np.random.Generator) -> DressShape:
    return DressShape(
        top=TopShape(
            neck="collar",
            neck_half=6.8,
            neck_depth=4,
            opening="buttons",
            sleeve_cm=between(rng, 22, 34),
            sleeve_end=8,
            hem="curved",
            hem_y=between(rng, 90, 102),
            hem_out=between(rng, 2, 5),
            waisted=between(rng, 0.6, 0.8),
            ease=between(rng, 1.8, 3),
            cuff="turned",
        ),
        belt=str(rng.choice(("belt", "tie"))),
        trim=0,
    )


def sheath(rng: np.random.Generator) -> DressShape:
    return DressShape(
        top=_bodice(
            neck=str(rng.choice(("boat", "scoop"))),
            neck_half=between(rng, 8.5, 11),
            neck_depth=between(rng, 2, 7),
            sleeve="none",
            shoulder_out=-2.4,
        ),
        skirt=SkirtShape(
            waist_y=38.4,
            cut="pencil",
            hem_half=between(rng, 15.5, 17.5),
            hem_y=between(rng, 90, 102),
            slit=bool(rng.random() < 0.6),
        ),
    )


def shift(rng: np.random.Generator) -> DressShape:
    return DressShape(
        top=TopShape(
            neck="crew",
            neck_half=8.2,
            neck_depth=between(rng, 3, 6),
            sleeve=str(rng.choice(("none", "set"))),
            sleeve_cm=between(rng, 12, 20),
            sleeve_end=8.4,
            shoulder_out=-0.6,
            hem_y=between(rng, 82, 92),
            hem_out=between(rng, 3, 6),
            waisted=between(rng, 0.0, 0.15),
            ease=between(rng, 1.8, 3),
        )
    )


def a_line(rng: np.random.Generator) -> SkirtShape:
    return SkirtShape(
        cut="a_line",
        hem_half=between(rng, 22, 27),
        hem_y=between(rng, 74, 84),
        folds=between(rng, 2.5, 4),
        fold_cm=between(rng, 0.7, 1.2),
        buttons=bool(rng.random() < 0.55),
    )


def pleated(rng: np.random.Generator) -> SkirtShape:
    return SkirtShape(
        cut="pleated", hem_half=between(rng, 23, 29), hem_y=between(rng, 80, 108), pleat_cm=between(rng, 2.4, 4.6)
    )


def pencil(rng: np.random.Generator) -> SkirtShape:
    return SkirtShape(
        cut="pencil", hem_half=between(rng, 14.8, 17.6), hem_y=between(rng, 88, 102), slit=bool(rng.random() < 0.7)
    )


def tiered_skirt(rng: np.random.Generator) -> SkirtShape:
    return SkirtShape(
        cut="tiered",
        tiers=int(rng.integers(3, 5)),
        hem_half=between(rng, 28, 36),
        hem_y=between(rng, 104, 124),
        folds=between(rng, 5, 7),
        band="elastic",
    )


def wrap_skirt(rng: np.random.Generator) -> SkirtShape:
    return SkirtShape(
        cut="wrap",
        hem_half=between(rng, 22, 27),
        hem_y=between(rng, 86, 106),
        folds=between(rng, 3, 5),
        fold_cm=between(rng, 1.1, 1.7),
    )


def circle_skirt(rng: np.random.Generator) -> SkirtShape:
    return SkirtShape(
        cut="circle",
        hem_half=between(rng, 31, 39),
        hem_y=between(rng, 76, 96),
        folds=between(rng, 6, 8.5),
        fold_cm=between(rng, 1.8, 2.6),
    )

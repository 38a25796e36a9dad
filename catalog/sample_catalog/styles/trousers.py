"""Cuts of pants and shorts."""

import numpy as np

from catalog.sample_catalog.shapes import (
    TrouserShape,
)
from catalog.sample_catalog.styles.numbers import between


def straight(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        thigh=between(rng, 10.4, 11.4),
        knee=between(rng, 8.4, 9.4),
        hem=between(rng, 7.8, 9),
        waist_y=between(rng, 39, 43),
        pockets=str(rng.choice(("slant", "patch"))),
    )


def skinny(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        thigh=between(rng, 9.2, 9.8),
        knee=between(rng, 6.0, 6.6),
        hem=between(rng, 4.4, 5.2),
        ease=0.3,
        hem_y=between(rng, 126, 132),
        waist_y=between(rng, 38, 42),
        pockets="patch",
        folds=0.8,
    )


def wide(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        thigh=between(rng, 11.6, 12.8),
        knee=between(rng, 12.5, 14.5),
        hem=between(rng, 14.5, 18),
        waist_y=between(rng, 35, 38),
        crease=bool(rng.random() < 0.6),
        hem_y=between(rng, 132, 137),
        band=str(rng.choice(("band", "paperbag"))),
    )


def jogger(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        thigh=between(rng, 11, 12),
        knee=between(rng, 8.8, 10),
        hem=between(rng, 5.2, 6.2),
        band="drawstring",
        cuff="rib",
        fly=False,
        hem_y=between(rng, 127, 131),
        waist_y=between(rng, 41, 45),
        side_stripe=bool(rng.random() < 0.35),
    )


def flared(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        thigh=between(rng, 9.4, 10.2),
        knee=between(rng, 7.0, 7.8),
        hem=between(rng, 11.5, 14),
        ease=0.4,
        waist_y=between(rng, 37, 41),
        pockets="patch",
        hem_y=between(rng, 133, 137),
        folds=0.8,
    )


def cargo(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        thigh=between(rng, 11.4, 12.4),
        knee=between(rng, 10, 11),
        hem=between(rng, 8.6, 10),
        pockets="cargo",
        waist_y=between(rng, 41, 45),
        hem_y=between(rng, 128, 134),
        folds=1.2,
    )


def bermuda(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        hem_y=between(rng, 92, 99),
        thigh=between(rng, 10.8, 11.6),
        hem=between(rng, 10, 11.2),
        waist_y=between(rng, 39, 43),
        crease=bool(rng.random() < 0.4),
    )


def denim_short(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        hem_y=between(rng, 79, 85),
        thigh=between(rng, 10.6, 11.4),
        hem=between(rng, 10.8, 11.8),
        waist_y=between(rng, 38, 42),
        pockets="patch",
        cuff=str(rng.choice(("rolled", "raw"))),
    )


def running(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        hem_y=between(rng, 76, 82),
        thigh=between(rng, 11.4, 12.2),
        hem=between(rng, 12.2, 13.4),
        waist_y=between(rng, 43, 46),
        band="elastic",
        split=True,
        fly=False,
        pockets="none",
        side_stripe=bool(rng.random() < 0.5),
    )


def paperbag_short(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        hem_y=between(rng, 80, 87),
        thigh=between(rng, 11.4, 12.2),
        hem=between(rng, 11.6, 12.8),
        waist_y=between(rng, 38, 40),
        band="paperbag",
        fly=False,
        ease=2.0,
    )


def sweat_short(rng: np.random.Generator) -> TrouserShape:
    return TrouserShape(
        hem_y=between(rng, 86, 93),
        thigh=between(rng, 11.4, 12.2),
        hem=between(rng, 10.8, 11.8),
        waist_y=between(rng, 42, 45),
        band="drawstring",
        fly=False,
    )

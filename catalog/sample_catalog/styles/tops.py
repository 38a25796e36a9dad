"""Cuts of t-shirts, shirts and hoodies."""

import numpy as np

from catalog.sample_catalog.shapes import (
    TopShape,
)
from catalog.sample_catalog.styles.numbers import between


def crew(rng: np.random.Generator) -> TopShape:
    return TopShape(
        ease=between(rng, 1.4, 3.0),
        waisted=between(rng, 0.15, 0.6),
        hem_y=between(rng, 55, 61),
        sleeve_cm=between(rng, 17, 22),
        sleeve_end=between(rng, 7.2, 8.6),
        neck_depth=between(rng, 5.5, 8.0),
        ringer=bool(rng.random() < 0.3),
        trim=int(rng.random() < 0.3),
    )


def vneck(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="v",
        neck_depth=between(rng, 9, 14),
        ease=between(rng, 0.4, 1.4),
        waisted=between(rng, 0.7, 1.0),
        hem_y=between(rng, 54, 60),
        sleeve_cm=between(rng, 12, 17),
        sleeve_half=8.0,
        sleeve_end=between(rng, 6.6, 7.4),
        hem_out=0.2,
    )


def boxy(rng: np.random.Generator) -> TopShape:
    return TopShape(
        ease=between(rng, 4.5, 7.0),
        shoulder_out=between(rng, 3.2, 5.5),
        waisted=0.0,
        hem_y=between(rng, 58, 66),
        sleeve_cm=between(rng, 20, 26),
        sleeve_half=between(rng, 9.8, 11),
        sleeve_end=between(rng, 9.4, 10.6),
        pockets=str(rng.choice(("none", "chest"))),
        neck_half=7.2,
        neck_depth=between(rng, 4.5, 6),
    )


def crop(rng: np.random.Generator) -> TopShape:
    return TopShape(
        ease=between(rng, 1.5, 4.0),
        waisted=between(rng, 0.0, 0.3),
        hem_y=between(rng, 38, 44),
        sleeve_cm=between(rng, 12, 17),
        sleeve_half=8.8,
        sleeve_end=between(rng, 8.0, 9.0),
        neck=str(rng.choice(("crew", "scoop"))),
        neck_half=8.6,
        neck_depth=between(rng, 5, 9),
    )


def breton(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="boat",
        neck_half=between(rng, 10, 12.5),
        neck_depth=between(rng, 0.5, 2),
        ease=between(rng, 1.2, 2.5),
        waisted=between(rng, 0.3, 0.6),
        hem_y=between(rng, 56, 60),
        sleeve_cm=between(rng, 48, 58),
        sleeve_half=8.2,
        sleeve_end=between(rng, 4.8, 5.6),
    )


def raglan(rng: np.random.Generator) -> TopShape:
    return TopShape(
        raglan=True,
        ringer=True,
        trim=1,
        ease=between(rng, 2, 3.5),
        waisted=between(rng, 0.1, 0.3),
        hem="curved",
        hem_y=between(rng, 60, 66),
        sleeve_cm=between(rng, 30, 40),
        sleeve_end=between(rng, 6.6, 7.4),
    )


def classic_shirt(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="collar",
        neck_half=6.9,
        neck_depth=between(rng, 3.2, 4.6),
        opening="buttons",
        hem="curved",
        hem_y=between(rng, 62, 68),
        ease=between(rng, 1.8, 3.2),
        waisted=between(rng, 0.2, 0.6),
        sleeve_cm=between(rng, 56, 60),
        sleeve_half=8.6,
        sleeve_end=5.6,
        cuff="button",
        pockets=str(rng.choice(("none", "chest"))),
    )


def camp_shirt(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="camp",
        neck_half=7.0,
        neck_depth=between(rng, 6.5, 9),
        opening="buttons",
        hem_y=between(rng, 58, 65),
        ease=between(rng, 4, 6.5),
        shoulder_out=between(rng, 2, 3.6),
        waisted=0.0,
        sleeve_cm=between(rng, 21, 26),
        sleeve_half=10,
        sleeve_end=between(rng, 9.0, 10.2),
        pockets="chest",
    )


def western(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="collar",
        neck_half=6.9,
        neck_depth=4,
        opening="buttons",
        hem="curved",
        hem_y=between(rng, 64, 70),
        ease=between(rng, 3, 5),
        shoulder_out=between(rng, 1, 2.4),
        waisted=between(rng, 0.0, 0.2),
        sleeve_cm=58,
        sleeve_half=9.2,
        sleeve_end=5.8,
        cuff="button",
        pockets="flaps",
    )


def tunic(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="band",
        neck_half=6.9,
        neck_depth=between(rng, 4, 5.5),
        opening="half_buttons",
        hem="curved",
        hem_y=between(rng, 72, 80),
        ease=between(rng, 3, 4.5),
        waisted=between(rng, 0.0, 0.2),
        hem_out=between(rng, 2, 4),
        sleeve_cm=between(rng, 44, 52),
        sleeve_half=9.0,
        sleeve_end=between(rng, 6.5, 7.6),
        cuff="turned",
    )


def puff_blouse(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="collar",
        neck_half=6.8,
        neck_depth=4,
        opening="buttons",
        hem="straight",
        hem_y=between(rng, 46, 52),
        ease=between(rng, 1.2, 2.2),
        waisted=between(rng, 0.5, 0.8),
        sleeve="puff",
        sleeve_cm=between(rng, 20, 27),
        sleeve_half=8.2,
        sleeve_end=6.4,
    )


def pullover_hoodie(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="hood",
        neck_half=8,
        neck_depth=between(rng, 4, 6),
        hem="rib",
        hem_y=between(rng, 57, 62),
        ease=between(rng, 4, 5.5),
        shoulder_out=between(rng, 1.5, 3),
        waisted=0.05,
        sleeve_cm=58,
        sleeve_half=9.8,
        sleeve_end=5.8,
        cuff="rib",
        pockets="kangaroo",
        trim=int(rng.random() < 0.25),
    )


def zip_hoodie(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="hood",
        neck_half=8,
        neck_depth=between(rng, 5, 8),
        opening="zip",
        hem="rib",
        hem_y=between(rng, 56, 61),
        ease=between(rng, 2.6, 4),
        shoulder_out=between(rng, 0.6, 1.6),
        waisted=between(rng, 0.1, 0.4),
        sleeve_cm=58,
        sleeve_half=9.2,
        sleeve_end=5.4,
        cuff="rib",
        pockets="welt",
    )


def crop_hoodie(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="hood",
        neck_half=8,
        neck_depth=5,
        hem="rib",
        hem_y=between(rng, 42, 47),
        ease=between(rng, 3.5, 5),
        shoulder_out=between(rng, 2, 3.5),
        waisted=0.0,
        sleeve_cm=58,
        sleeve_half=10,
        sleeve_end=5.8,
        cuff="rib",
    )


def long_hoodie(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="hood",
        neck_half=8.2,
        neck_depth=5,
        hem="straight",
        hem_y=between(rng, 74, 84),
        ease=between(rng, 5.5, 7),
        shoulder_out=between(rng, 3, 5),
        waisted=0.0,
        sleeve_cm=60,
        sleeve_half=10.5,
        sleeve_end=6.4,
        cuff="rib",
        pockets="kangaroo",
    )


def short_hoodie(rng: np.random.Generator) -> TopShape:
    return TopShape(
        neck="hood",
        neck_half=7.8,
        neck_depth=between(rng, 5, 7),
        hem="band",
        hem_y=between(rng, 57, 61),
        ease=between(rng, 2.5, 4),
        waisted=0.1,
        sleeve_cm=between(rng, 20, 26),
        sleeve_half=9.6,
        sleeve_end=8.8,
        pockets="kangaroo",
    )

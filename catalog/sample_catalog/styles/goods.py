"""Cuts of bags, cushions and mugs."""

import numpy as np

from catalog.sample_catalog.shapes import (
    BagShape,
    CushionShape,
    MugShape,
)
from catalog.sample_catalog.styles.numbers import between


def tote(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="tote",
        half_width=between(rng, 16, 21),
        height=between(rng, 29, 37),
        handle_cm=between(rng, 17, 26),
        handle_half=between(rng, 1.0, 1.5),
        leather=int(rng.integers(5)),
        pocket=bool(rng.random() < 0.3),
    )


def flap_bag(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="flap",
        half_width=between(rng, 11.5, 14.5),
        height=between(rng, 15, 19),
        handle_cm=between(rng, 20, 28),
        handle_half=1.0,
        soft=0.3,
        chain=bool(rng.random() < 0.5),
        leather=int(rng.integers(5)),
        brass=bool(rng.random() < 0.7),
        round_=between(rng, 2, 6),
    )


def hobo(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="hobo",
        half_width=between(rng, 18, 22),
        height=between(rng, 19, 25),
        handle_cm=between(rng, 9, 17),
        soft=1.2,
        leather=int(rng.integers(5)),
        brass=bool(rng.random() < 0.6),
    )


def bucket(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="bucket",
        half_width=between(rng, 11.5, 14),
        height=between(rng, 23, 28),
        handle_cm=between(rng, 16, 24),
        leather=int(rng.integers(5)),
    )


def duffel(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="duffel",
        half_width=between(rng, 20, 25),
        height=between(rng, 20, 26),
        handle_cm=between(rng, 11, 17),
        leather=int(rng.integers(5)),
        brass=bool(rng.random() < 0.5),
    )


def backpack(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="backpack",
        half_width=between(rng, 13, 15.5),
        height=between(rng, 35, 42),
        handle_half=1.6,
        handle_cm=8,
        leather=int(rng.integers(5)),
        brass=bool(rng.random() < 0.4),
    )


def box_bag(rng: np.random.Generator) -> BagShape:
    return BagShape(
        cut="box",
        half_width=between(rng, 12.5, 15.5),
        height=between(rng, 17, 21),
        handle_cm=between(rng, 7, 10),
        soft=0.15,
        leather=int(rng.integers(5)),
        brass=bool(rng.random() < 0.7),
    )


def square_cushion(rng: np.random.Generator) -> CushionShape:
    half = between(rng, 20, 25)
    return CushionShape(
        half_width=half,
        half_height=half,
        edge=str(rng.choice(("piping", "flange", "knife"))),
        chop=between(rng, 0, 3.5) * float(rng.random() < 0.5),
        trim=int(rng.integers(0, 2)),
    )


def fringed_cushion(rng: np.random.Generator) -> CushionShape:
    half = between(rng, 20, 24)
    return CushionShape(half_width=half, half_height=half, edge=str(rng.choice(("fringe", "pompoms"))), trim=1)


def lumbar(rng: np.random.Generator) -> CushionShape:
    return CushionShape(
        cut="lumbar",
        half_width=between(rng, 25, 30),
        half_height=between(rng, 14, 18),
        puff=7.5,
        edge=str(rng.choice(("tassels", "piping", "fringe"))),
        trim=1,
    )


def round_cushion(rng: np.random.Generator) -> CushionShape:
    half = between(rng, 18, 22)
    return CushionShape(
        cut="round",
        half_width=half,
        half_height=half * between(rng, 0.95, 1),
        puff=10,
        edge=str(rng.choice(("ruffle", "piping"))),
        tuft=True,
        trim=int(rng.integers(0, 2)),
    )


def bolster(rng: np.random.Generator) -> CushionShape:
    half = between(rng, 9, 11.5)
    return CushionShape(cut="bolster", half_width=between(rng, 24, 30), half_height=half, puff=half, edge="knife")


def straight_mug(rng: np.random.Generator) -> MugShape:
    r = between(rng, 3.9, 4.5)
    return MugShape(
        profile=((0.0, r), (between(rng, 9, 10.5), r)),
        handle=str(rng.choice(("loop", "square"))),
        inner=int(rng.integers(0, 2)),
        rim=str(rng.choice(("plain", "band"))),
        foot=float(rng.choice((0.0, 0.5))),
    )


def taper_mug(rng: np.random.Generator) -> MugShape:
    r = between(rng, 4.5, 5.0)
    return MugShape(
        profile=((0.0, r), (5.0, r * 0.9), (between(rng, 8.5, 9.5), r * 0.7)),
        handle=str(rng.choice(("square", "ear"))),
        rim="band",
        foot=0.4,
    )


def belly_mug(rng: np.random.Generator) -> MugShape:
    r = between(rng, 4.7, 5.3)
    return MugShape(
        profile=((0.0, r * 0.8), (3.0, r * 0.97), (5.6, r), (7.6, r * 0.88), (8.6, r * 0.68)),
        handle="ear",
        handle_cm=5.4,
        handle_out=2.5,
        foot=between(rng, 0.3, 0.7),
    )


def latte_mug(rng: np.random.Generator) -> MugShape:
    r = between(rng, 4.4, 4.9)
    tall = between(rng, 11.5, 13.5)
    return MugShape(
        profile=((0.0, r), (tall * 0.35, r * 0.9), (tall * 0.75, r * 0.72), (tall, r * 0.68)),
        handle="low",
        handle_cm=7.0,
        rim=str(rng.choice(("plain", "band"))),
    )


def wide_cup(rng: np.random.Generator) -> MugShape:
    r = between(rng, 5.6, 6.2)
    return MugShape(
        profile=((0.0, r), (2.5, r * 0.95), (5.0, r * 0.74), (6.8, r * 0.5)),
        handle="ear",
        handle_cm=4.2,
        handle_out=2.6,
        foot=0.3,
        rim="band",
    )


def enamel(rng: np.random.Generator) -> MugShape:
    r = between(rng, 4.2, 4.7)
    return MugShape(
        profile=((0.0, r), (between(rng, 7.6, 8.8), r)),
        rim="steel",
        handle="loop",
        handle_cm=5.2,
        handle_half=0.45,
        foot=0.0,
        inner=0,
        printed=(0.0, 1.0),
    )

"""How a product is shown: on whom or what, from which side, with which bend. Numbers only; nothing is drawn here."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Body:
    """Landmarks of a grown figure in cm: x from its middle, y down from the pit of the neck."""

    shoulder_half: float = 18.2
    shoulder_y: float = 2.4
    neck_half: float = 5.3
    bust_half: float = 15.8
    waist_half: float = 12.6
    hip_half: float = 17.2
    bust_y: float = 22.0
    waist_y: float = 39.0
    hip_y: float = 59.0
    crotch_y: float = 72.0
    knee_y: float = 100.0
    ankle_y: float = 135.0
    bust: float = 2.2  # cm that the chest stands out
    arm: float = 1.0  # thickness of limbs, 1 a slim woman's


WOMAN = Body()
MAN = Body(
    shoulder_half=21.2,
    shoulder_y=2.2,
    neck_half=6.5,
    bust_half=17.8,
    waist_half=15.6,
    hip_half=17.0,
    bust=0.8,
    arm=1.22,
    waist_y=41.0,
)

STAGES = ("model", "mannequin", "ghost", "flat", "hanger")


@dataclass(frozen=True, kw_only=True)
class Pose:
    """One way of showing a garment; angles in radians, outwards and from the vertical."""

    stage: str  # one of STAGES
    body: Body = WOMAN
    back: bool = False
    arms: tuple[tuple[float, float], tuple[float, float]] = ((0.2, 0.12), (0.2, 0.12))  # (upper, fore): right, left
    stance: float = 1.0  # how far the feet stand apart, 1 is natural
    step: float = 0.0  # -1 .. 1: which leg carries the weight, and how much
    yaw: float = 0.0  # -1 .. 1: the figure turned to a side
    depth: float = 1.0  # 1 a full body within, 0.2 laid flat
    folds: float = 1.0  # strength of folds
    crumple: float = 0.15  # strength of small creases, cm
    seed: int = 0

    def rng(self, part: str) -> np.random.Generator:
        """A stream of its own for each part, so that a part's folds don't depend on what was drawn before it."""
        return np.random.default_rng([self.seed, *part.encode()])


def photo_pose(rng: np.random.Generator, stage: str, *, back: bool = False, man: bool = False) -> Pose:
    """A pose for a shop's photo."""
    seed = int(rng.integers(2**31))
    body = MAN if man else WOMAN
    if stage == "flat":
        spread = float(rng.uniform(0.42, 0.75))
        arms = tuple((spread + float(rng.normal(0, 0.04)), spread - float(rng.uniform(0.0, 0.25))) for _ in range(2))
        return Pose(
            stage=stage,
            body=body,
            back=back,
            arms=(arms[0], arms[1]),
            depth=0.22,
            folds=0.8,
            crumple=float(rng.uniform(0.1, 0.22)),
            seed=seed,
            stance=float(rng.uniform(0.9, 1.3)),
        )
    if stage == "hanger":
        hang = float(rng.uniform(0.1, 0.2))
        arms = tuple((hang + float(rng.normal(0, 0.03)), hang * 0.6 + float(rng.normal(0, 0.04))) for _ in range(2))
        return Pose(
            stage=stage,
            body=body,
            back=back,
            arms=(arms[0], arms[1]),
            depth=0.45,
            folds=1.2,
            crumple=float(rng.uniform(0.1, 0.2)),
            seed=seed,
        )
    if stage in ("mannequin", "ghost"):
        hang = float(rng.uniform(0.16, 0.34))
        arms = tuple((hang + float(rng.normal(0, 0.02)), hang - float(rng.uniform(0.04, 0.14))) for _ in range(2))
        return Pose(
            stage=stage,
            body=body,
            back=back,
            arms=(arms[0], arms[1]),
            folds=float(rng.uniform(0.7, 1.0)),
            crumple=float(rng.uniform(0.1, 0.2)),
            yaw=float(rng.normal(0, 0.15)),
            seed=seed,
            stance=float(rng.uniform(0.9, 1.15)),
        )
    sides = []
    for _ in range(2):
        how = rng.random()
        if how < 0.66:
            upper = float(rng.uniform(0.14, 0.27))
            sides.append((upper, upper - float(rng.uniform(0.02, 0.24))))
        elif how < 0.86:
            sides.append((float(rng.uniform(0.55, 0.72)), float(rng.uniform(-0.78, -0.6))))
        else:
            sides.append((float(rng.uniform(0.26, 0.36)), float(rng.uniform(-0.42, -0.25))))
    return Pose(
        stage=stage,
        body=body,
        back=back,
        arms=(sides[0], sides[1]),
        folds=float(rng.uniform(0.85, 1.15)),
        crumple=float(rng.uniform(0.1, 0.24)),
        yaw=float(rng.normal(0, 0.3)),
        seed=seed,
        stance=float(rng.uniform(0.8, 1.5)),
        step=float(rng.uniform(-1, 1)),
    )

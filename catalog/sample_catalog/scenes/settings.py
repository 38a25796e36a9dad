"""Where and how a customer takes a photo: scene, pose, camera, light, before any color is known."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.sample_catalog.drawing.shading import Light
from catalog.sample_catalog.figures.pose import Pose, photo_pose
from catalog.sample_catalog.plan import ProductPlan
from catalog.sample_catalog.products import Extent, extent_of
from catalog.sample_catalog.shapes import BagShape, CushionShape, MugShape

Matrix = npt.NDArray[np.float64]


QUERY_SIZES = ((480, 640), (640, 480), (560, 560))  # width, height: most phones are held upright


QUERY_SHARES = (0.75, 0.125, 0.125)


_GROUNDS = ("planks", "parquet", "carpet", "rug", "tiles", "sheet", "sheet", "sheet", "table", "concrete", "marble")


_WALLS = ("plaster", "plaster", "brick", "panels", "planks")


_TOPS = ("table", "table", "marble", "planks", "concrete", "sheet")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where and how a photo is taken, before the product is known by its color."""

    scene: str  # lying, hanging, worn, standing
    ground: str
    wall: str
    pose: Pose
    matrix: Matrix  # cm -> pixels
    light: Light
    things: int


def query_size(rng: np.random.Generator) -> tuple[int, int]:
    """The size of a query photo: upright most of the time."""
    return QUERY_SIZES[int(rng.choice(len(QUERY_SIZES), p=QUERY_SHARES))]


def _scene(plan: ProductPlan, rng: np.random.Generator) -> str:
    shape = plan.shape
    if isinstance(shape, MugShape):
        return "standing"
    if isinstance(shape, CushionShape):
        return str(rng.choice(("lying", "standing"), p=(0.6, 0.4)))
    if isinstance(shape, BagShape):
        return str(rng.choice(("standing", "lying", "hanging"), p=(0.6, 0.25, 0.15)))
    return str(rng.choice(("lying", "hanging", "worn"), p=(0.58, 0.2, 0.22)))


def _tilted(extent: Extent, width: int, height: int, rng: np.random.Generator, scene: str) -> Matrix:
    """cm to pixels: fitted to the photo, turned, tilted, moved so that now and then a rim is cropped."""
    if scene == "lying":
        turn = float(np.clip(rng.normal(0, 0.24), -0.75, 0.75))
        tilt_x, tilt_y = float(rng.normal(0, 0.10)), float(rng.normal(0.05, 0.14))
    elif scene == "hanging":
        turn, tilt_x, tilt_y = float(rng.normal(0, 0.06)), float(rng.normal(0, 0.17)), float(rng.normal(0, 0.07))
    else:
        turn, tilt_x, tilt_y = float(rng.normal(0, 0.07)), float(rng.normal(0, 0.05)), float(rng.normal(0, 0.04))
    wide, tall = extent.right - extent.left, extent.bottom - extent.top
    c, s = np.cos(turn), np.sin(turn)
    seen_w, seen_h = abs(c) * wide + abs(s) * tall, abs(s) * wide + abs(c) * tall
    fill = float(rng.uniform(0.72, 0.97)) if rng.random() < 0.8 else float(rng.uniform(0.95, 1.2))
    scale = fill * min(width / seen_w, height / seen_h)
    middle = np.array(
        [[1, 0, -(extent.left + extent.right) / 2], [0, 1, -(extent.top + extent.bottom) / 2], [0, 0, 1.0]]
    )
    grown = np.array([[scale, 0, 0], [0, scale, 0], [0, 0, 1.0]])
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    reach = max(width, height)
    tilted = np.array([[1, 0, 0], [0, 1, 0], [tilt_x / reach, tilt_y / reach, 1.0]])
    free_x, free_y = max(0.0, width - scale * seen_w), max(0.0, height - scale * seen_h)
    x = width / 2 + float(rng.uniform(-0.45, 0.45)) * free_x + float(rng.normal(0, 0.015)) * width
    y = height / 2 + float(rng.uniform(-0.45, 0.45)) * free_y + float(rng.normal(0, 0.015)) * height
    if rng.random() < 0.14:  # cropped at a border
        x += float(rng.choice((-1, 1))) * float(rng.uniform(0.08, 0.22)) * width
    moved = np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])
    matrix = moved @ tilted @ turned @ grown @ middle
    if scene == "worn":  # faces stay out of the photo
        chin = matrix @ np.array([0, -12.0, 1.0])
        row = chin[1] / chin[2]
        if row > 0:
            matrix = np.array([[1, 0, 0], [0, 1, -row], [0, 0, 1.0]]) @ matrix
    return np.asarray(matrix)


def _light(rng: np.random.Generator) -> Light:
    turn = rng.uniform(0, 2 * np.pi)
    low = float(rng.uniform(0.35, 0.95))
    key = float(rng.uniform(0.55, 0.95))
    return Light(
        x=float(np.cos(turn)) * low,
        y=float(np.sin(turn)) * low - 0.2,
        z=float(rng.uniform(0.5, 0.9)),
        key=key,
        fill=1.06 - key + float(rng.uniform(-0.06, 0.06)),
        wrap=float(rng.uniform(0.0, 0.2)),
    )


def make_setting(plan: ProductPlan, rng: np.random.Generator, width: int, height: int) -> Setting:
    """Choose everything about the photo but the product's color."""
    scene = _scene(plan, rng)
    if scene == "worn":
        pose = photo_pose(rng, "model", back=bool(rng.random() < 0.1), man=plan.man)
    elif isinstance(plan.shape, MugShape | CushionShape | BagShape):
        pose = Pose(
            stage="flat",
            seed=int(rng.integers(2**31)),
            yaw=float(rng.normal(0, 0.8)),
            crumple=float(rng.uniform(0.1, 0.35)),
            folds=1.3,
        )
    else:
        pose = photo_pose(rng, "flat" if scene == "lying" else "hanger", back=bool(rng.random() < 0.08), man=plan.man)
        if scene == "lying":  # nobody irons for a phone photo
            pose = _rumpled(pose, rng)
    extent = extent_of(plan, pose)
    if scene == "hanging" and not isinstance(plan.shape, BagShape):
        extent = Extent(extent.left, extent.right, extent.top - 6, extent.bottom)
    ground, wall = str(rng.choice(_GROUNDS if scene == "lying" else _TOPS)), str(rng.choice(_WALLS))
    if scene == "standing" and isinstance(plan.shape, CushionShape):
        ground = wall = str(rng.choice(("carpet", "sheet")))  # a sofa
    return Setting(
        scene=scene,
        ground=ground,
        wall=wall,
        pose=pose,
        matrix=_tilted(extent, width, height, rng, scene),
        light=_light(rng),
        things=int(rng.integers(0, 5)),
    )


def _rumpled(pose: Pose, rng: np.random.Generator) -> Pose:
    arms = tuple((a + float(rng.normal(0, 0.12)), b + float(rng.normal(0, 0.35))) for a, b in pose.arms)
    return Pose(
        stage="flat",
        body=pose.body,
        back=pose.back,
        arms=(arms[0], arms[1]),
        stance=pose.stance * float(rng.uniform(0.9, 1.4)),
        depth=0.24,
        folds=float(rng.uniform(0.7, 1.3)),
        crumple=float(rng.uniform(0.2, 0.45)),
        seed=pose.seed,
    )

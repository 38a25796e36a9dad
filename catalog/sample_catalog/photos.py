"""Photos of a planned product: in the shop's studio, from a customer's phone, or cut out by itself."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.errors import LookbookError
from catalog.sample_catalog.drawing.canvas import Canvas, View
from catalog.sample_catalog.drawing.shading import shade
from catalog.sample_catalog.figures.body import make_figure
from catalog.sample_catalog.figures.pose import Pose, photo_pose
from catalog.sample_catalog.plan import ProductPlan
from catalog.sample_catalog.products import Extent, draw_product, extent_of, foot_of, make_fabric
from catalog.sample_catalog.scenes.camera import add_noise, develop
from catalog.sample_catalog.scenes.phone import photograph
from catalog.sample_catalog.scenes.studio import backdrop, make_studio, studio_shadow
from catalog.sample_catalog.shapes import BagShape, CushionShape, MugShape

CATALOG_SIZE = (384, 480)  # width, height in pixels


@dataclass(frozen=True)
class DrawnPhoto:
    """A photo and the exact mask of the product in it."""

    image_hwc: npt.NDArray[np.uint8]  # (H, W, 3) sRGB
    mask: npt.NDArray[np.bool_]  # (H, W), True where the product is seen
    jpeg_quality: int = 92


@dataclass(frozen=True)
class Cutout:
    """A product alone under studio light."""

    image_hwc: npt.NDArray[np.uint8]  # (H, W, 4) sRGB with straight alpha
    mask: npt.NDArray[np.bool_]


def _pose(plan: ProductPlan, rng: np.random.Generator, stage: str, *, back: bool) -> Pose:
    if stage == "still":
        return Pose(
            stage="flat",
            seed=int(rng.integers(2**31)),
            yaw=float(rng.normal(0, 0.5)),
            crumple=float(rng.uniform(0.05, 0.2)),
        )
    return photo_pose(rng, stage, back=back, man=plan.man)


def _framed(
    extent: Extent, width: int, height: int, margin: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """cm to pixels so that the extent fills the photo but for a margin."""
    wide, tall = extent.right - extent.left, extent.bottom - extent.top
    scale = min(width * (1 - 2 * margin) / wide, height * (1 - 2 * margin) / tall)
    x = width / 2 - scale * (extent.left + extent.right) / 2 + rng.normal(0, 0.008) * width
    y = height / 2 - scale * (extent.top + extent.bottom) / 2 + rng.normal(0, 0.008) * height
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1.0]])


def draw_catalog_photo(
    plan: ProductPlan, variant: int, photo_index: int, size: tuple[int, int] = CATALOG_SIZE
) -> DrawnPhoto:
    """The studio photo `photo_index` of a variant, `size` (width, height) pixels.

    Raises: LookbookError, no such variant or photo.
    """
    _check_variant(plan, variant)
    photos = plan.variants[variant].photos
    if not 0 <= photo_index < len(photos):
        raise LookbookError(
            f"{plan.product_id} variant {variant}: photo {photo_index}, but it has {len(photos)}: "
            f"give 0 to {len(photos) - 1}"
        )
    photo = photos[photo_index]
    rng = np.random.default_rng([photo.seed, plan.number])
    width, height = size
    pose = _pose(plan, rng, photo.stage, back=photo.back)
    still = photo.stage == "still"
    extent = extent_of(plan, pose)
    margin = float(rng.uniform(0.10, 0.17)) if still else float(rng.uniform(0.035, 0.07))
    matrix = _framed(extent, width, height, margin, rng)
    if pose.stage == "model":  # the photo's top edge crops the head
        scale = matrix[1, 1]
        matrix[1, 2] = min(matrix[1, 2], -scale * extent.top - 1)
        lowest = height - scale * extent.bottom
        matrix[1, 2] = max(matrix[1, 2], lowest) if lowest < -scale * extent.top else matrix[1, 2]
    if pose.stage == "flat" and isinstance(plan.shape, CushionShape) is False and not still:
        turn = float(rng.normal(0, 0.03))
        matrix = _turned(matrix, turn, width, height)
    view = View(width=width, height=height, to_pixels=matrix, sway_cm=1.6 * pose.step, sway_top=30.0, sway_span=45.0)
    canvas = Canvas(view)
    figure = make_figure(rng, man=plan.man)
    stands = still and not isinstance(plan.shape, CushionShape)
    foot_y = extent.bottom
    studio = make_studio(
        rng,
        floor=float(view.pixels(np.array([[0, foot_y]], np.float32))[0, 1]) / height - 0.12
        if stands
        else 0.9
        if pose.stage == "model"
        else 2.0,
    )
    draw_product(canvas, plan, make_fabric(plan, variant, width / CATALOG_SIZE[0]), pose, figure)
    foot = foot_of(plan, canvas.view) if still else None
    light = backdrop(studio, studio_shadow(canvas, studio, "still" if still else pose.stage, foot))
    rows, columns = _bounds(canvas.solid)
    solid = canvas.solid[rows, columns][..., None]
    window = light[rows, columns]
    window += solid * (shade(canvas, rows, columns, studio.light) - window)
    return DrawnPhoto(add_noise(develop(light), float(rng.uniform(0.6, 1.4)), rng), canvas.product >= 0.5)


def draw_cutout(plan: ProductPlan, variant: int, seed: int, size: tuple[int, int] = CATALOG_SIZE) -> Cutout:
    """The product alone, worn by nobody, cut out along its exact rim; a seed a pose and a light.

    Raises: LookbookError, no such variant or a negative seed.
    """
    _check_variant(plan, variant)
    _check_seed(plan, seed)
    rng = np.random.default_rng([seed, plan.number, 21])
    still = isinstance(plan.shape, BagShape | CushionShape | MugShape)
    pose = _pose(plan, rng, "still" if still else str(rng.choice(("ghost", "flat"))), back=bool(rng.random() < 0.1))
    width, height = size
    matrix = _framed(extent_of(plan, pose), width, height, float(rng.uniform(0.03, 0.1)), rng)
    canvas = Canvas(
        View(width=width, height=height, to_pixels=_turned(matrix, float(rng.normal(0, 0.1)), width, height))
    )
    draw_product(
        canvas, plan, make_fabric(plan, variant, width / CATALOG_SIZE[0]), pose, make_figure(rng, man=plan.man)
    )
    studio = make_studio(rng, floor=2.0)
    color = develop(shade(canvas, slice(0, height), slice(0, width), studio.light))
    alpha = (np.clip(canvas.product, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Cutout(np.dstack([color, alpha]), canvas.product >= 0.5)


def _turned(matrix: npt.NDArray[np.float64], turn: float, width: int, height: int) -> npt.NDArray[np.float64]:
    c, s = np.cos(turn), np.sin(turn)
    about = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
    back = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    return np.asarray(about @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ back @ matrix)


def _bounds(solid: npt.NDArray[np.float32]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _check_seed(plan: ProductPlan, seed: int) -> None:
    if seed < 0:
        raise LookbookError(f"{plan.product_id}: photo seed {seed}, but a seed is 0 or more: give another")


def _check_variant(plan: ProductPlan, variant: int) -> None:
    if not 0 <= variant < len(plan.variants):
        raise LookbookError(
            f"{plan.product_id}: variant {variant}, but it has {len(plan.variants)}: give 0 to {len(plan.variants) - 1}"
        )


def draw_query_photo(plan: ProductPlan, variant: int, seed: int, size: tuple[int, int] | None = None) -> DrawnPhoto:
    """A customer's phone photo of a variant, `size` (width, height) pixels or as phones have it; a seed a photo.

    All but the product's color follows from the seed, the product and the size: two variants drawn with one seed
    differ on the product and nowhere else.

    Raises: LookbookError, no such variant or a negative seed.
    """
    _check_variant(plan, variant)
    _check_seed(plan, seed)
    image, mask, quality = photograph(plan, variant, seed, size)
    return DrawnPhoto(image, mask, quality)

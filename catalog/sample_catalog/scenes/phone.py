"""A customer's photo of a product: on a bed or a floor, on a hanger, worn in a room, standing on a table."""

import numpy as np
import numpy.typing as npt

from catalog.sample_catalog.drawing.canvas import Canvas, View
from catalog.sample_catalog.drawing.shading import shade
from catalog.sample_catalog.figures.body import make_figure
from catalog.sample_catalog.plan import ProductPlan
from catalog.sample_catalog.products import draw_product, extent_of, foot_of, make_fabric
from catalog.sample_catalog.scenes.camera import expose, make_phone
from catalog.sample_catalog.scenes.lying import scatter
from catalog.sample_catalog.scenes.rooms import paint_scene
from catalog.sample_catalog.scenes.settings import Setting, make_setting, query_size
from catalog.sample_catalog.scenes.studio import foot_shadow, soft_shadow


def _ground_shadow(canvas: Canvas, setting: Setting, plan: ProductPlan) -> None:
    """The product's shadow on what is not the product."""
    tall = canvas.view.height
    away_x, away_y = -setting.light.x, -setting.light.y
    free = 1 - canvas.product
    if setting.scene in ("lying", "hanging"):
        deep = 1.0 if setting.scene == "lying" else 2.2
        near = soft_shadow(
            canvas.product,
            dx=away_x * 0.010 * tall * deep,
            dy=away_y * 0.010 * tall * deep + 2,
            radius=0.010 * tall * deep,
        )
        canvas.occlusion *= 1 - np.float32(0.55) * near * free
    elif setting.scene == "standing":
        foot = foot_of(plan, canvas.view)
        if foot is not None:
            away = float(np.clip(away_x, -1, 1))
            canvas.occlusion *= 1 - (1 - foot_shadow(tall, canvas.view.width, foot, away, 0.42)) * free


def photograph(
    plan: ProductPlan, variant: int, seed: int, size: tuple[int, int] | None
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_], int]:
    """A phone photo of a variant: (image, mask, JPEG quality). All but the color follows from `seed` alone."""
    rng = np.random.default_rng([seed, plan.number, 11])
    width, height = query_size(rng) if size is None else size
    setting = make_setting(plan, rng, width, height)
    phone = make_phone(rng)
    view = View(
        width=width,
        height=height,
        to_pixels=setting.matrix,
        sway_cm=float(rng.normal(0, 1.0)) if setting.scene != "standing" else 0.0,
        sway_top=20.0,
        sway_span=60.0,
    )
    canvas = Canvas(view)
    paint_scene(canvas, plan, setting, np.random.default_rng([seed, plan.number, 12]))
    figure = make_figure(np.random.default_rng([seed, plan.number, 13]), man=plan.man)
    draw_product(canvas, plan, make_fabric(plan, variant, 1.2), setting.pose, figure)
    _ground_shadow(canvas, setting, plan)
    over = np.random.default_rng([seed, plan.number, 14])
    if setting.scene == "lying" and over.random() < 0.12:  # something lies on a rim of the product
        extent = extent_of(plan, setting.pose)
        scatter(canvas, over, 1, keep_clear=(extent.left * 0.8, extent.right * 0.8, extent.top + 4, extent.bottom - 4))
    light = shade(canvas, slice(0, height), slice(0, width), setting.light)
    image = expose(light, phone, np.random.default_rng([seed, plan.number, 15]))
    return image, canvas.product >= 0.5, phone.jpeg_quality

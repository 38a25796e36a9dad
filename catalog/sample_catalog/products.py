"""Any product on any canvas: which maker draws it, what wears it, and how much room it takes."""

from dataclasses import dataclass

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas, View
from catalog.sample_catalog.drawing.curves import Floats
from catalog.sample_catalog.drawing.fabric import Fabric, linear
from catalog.sample_catalog.figures.body import Figure, draw_hair, draw_head, draw_torso
from catalog.sample_catalog.figures.limbs import draw_arm, draw_leg
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.figures.props import draw_companion_bottom, draw_companion_top, draw_hanger, draw_mannequin
from catalog.sample_catalog.garments.dresses import draw_dress, draw_dress_behind
from catalog.sample_catalog.garments.skirts import draw_skirt, draw_skirt_behind
from catalog.sample_catalog.garments.tops import arms_in_front, draw_forearms, draw_top, draw_top_behind
from catalog.sample_catalog.garments.trousers import draw_trousers, draw_trousers_behind
from catalog.sample_catalog.goods.bags import draw_bag
from catalog.sample_catalog.goods.cushions import draw_cushion
from catalog.sample_catalog.goods.mugs import draw_mug, mug_height, pitch
from catalog.sample_catalog.plan import ProductPlan
from catalog.sample_catalog.shapes import (
    BagShape,
    CushionShape,
    DressShape,
    MugShape,
    SkirtShape,
    TopShape,
    TrouserShape,
)

# Texels a cm: about two to a pixel of a 384 x 480 photo in which the product fills the frame.
_TEXELS = {
    "dress": 7.6,
    "t-shirt": 11.0,
    "shirt": 11.0,
    "hoodie": 11.0,
    "skirt": 10.0,
    "pants": 8.4,
    "shorts": 12.0,
    "bag": 15.0,
    "cushion": 14.0,
    "mug": 48.0,
}


@dataclass(frozen=True)
class Extent:
    """The room a product takes with what must be seen of its wearer, cm."""

    left: float
    right: float
    top: float
    bottom: float


def hem_of(plan: ProductPlan) -> float:
    """The lowest y of a garment."""
    shape = plan.shape
    if isinstance(shape, DressShape):
        return shape.skirt.hem_y if shape.skirt is not None else shape.top.hem_y
    if isinstance(shape, TopShape | SkirtShape | TrouserShape):
        return shape.hem_y
    return 0.0


def make_fabric(plan: ProductPlan, variant: int, scale: float = 1.0) -> Fabric:
    """The variant's cloth; `scale` > 1 for a photo larger than the usual one."""
    shape = plan.shape
    extent = (22.0, 60.0)
    if isinstance(shape, DressShape):
        extent = (22.0, hem_of(plan))
    elif isinstance(shape, TopShape):
        extent = (22.0, shape.hem_y)
    elif isinstance(shape, SkirtShape):
        extent = (20.0, shape.hem_y + shape.waist_y)  # blocks are laid from y = 0 on the body
    elif isinstance(shape, TrouserShape):
        extent = (20.0, shape.hem_y + 0.6 * shape.waist_y)
    elif isinstance(shape, BagShape):
        extent = (shape.half_width, shape.height)
    elif isinstance(shape, CushionShape):
        extent = (shape.half_width, 2 * shape.half_height)
    else:
        extent = (4.5, mug_height(shape))
    texels = _TEXELS[plan.category] * (2.0 if scale > 1.8 else 1.0)
    return Fabric(plan.design, plan.variants[variant].colorway.inks, plan.weave, texels, plan.gloss, extent)


def extent_of(plan: ProductPlan, pose: Pose) -> Extent:
    """What the photo must hold."""
    shape, body = plan.shape, pose.body
    if isinstance(shape, MugShape):
        radius = max(r for _, r in shape.profile)
        lean = pitch(pose)
        return Extent(
            -radius - shape.handle_out,
            radius + shape.handle_out,
            -radius * lean - 0.4,
            mug_height(shape) + radius * lean,
        )
    if isinstance(shape, CushionShape):
        trim = {"fringe": 4.0, "ruffle": 3.5, "pompoms": 1.4, "tassels": 3.0, "flange": 2.6}.get(shape.edge, 0.6)
        return Extent(
            -shape.half_width - trim,
            shape.half_width + trim,
            -shape.half_height - trim,
            shape.half_height + trim + (4 if shape.edge == "tassels" else 0),
        )
    if isinstance(shape, BagShape):
        rise = {"backpack": 6.5, "hobo": shape.handle_cm + 0.22 * shape.height}.get(shape.cut, shape.handle_cm)
        wide = shape.half_width + (4.0 if shape.cut == "backpack" else 2.0)
        return Extent(-wide, wide, -shape.height - rise - 1.5, 1.0)
    hem = hem_of(plan)
    worn = pose.stage == "model"
    reach = 0.0
    if isinstance(shape, TopShape | DressShape):
        top_shape = shape.top if isinstance(shape, DressShape) else shape
        side = body.shoulder_half + 6 + 0.4 * top_shape.ease
        for upper, fore in pose.arms:
            cloth = top_shape.sleeve_cm if top_shape.sleeve != "none" else 0.0
            arm = 60.0 if worn else cloth
            reach = max(reach, body.shoulder_half + min(arm, 29) * np.sin(upper) + max(arm - 29, 0) * np.sin(fore) + 5)
        wide = max(side, reach, getattr(getattr(shape, "skirt", None), "hem_half", 0.0) + 2)
        lowest = max(
            hem,
            8 + top_shape.sleeve_cm * (0.98 if top_shape.sleeve_cm > 30 else 0.4)
            if top_shape.sleeve != "none"
            else hem,
        )
        top = -15.0 if worn else (-10.5 if pose.stage == "mannequin" else -6.5)
        return Extent(-wide, wide, top, lowest + (6.0 if worn else 2.0))
    waist = shape.waist_y
    if isinstance(shape, SkirtShape):
        wide = max(shape.hem_half + 2, 22.0)
        return Extent(-wide, wide, waist - (8.0 if worn else 4.0), hem + (9.0 if worn else 3.5))
    low = hem + (18.0 if hem > 115 else 10.0) if worn else hem + 3.5
    wide = max(22.0, body.hip_half * 0.42 + 2.6 * pose.stance + shape.hem + 3, 2 * shape.hem + 3)
    return Extent(-wide, wide, waist - (8.0 if worn else 5.0), low)


def foot_of(plan: ProductPlan, view: View) -> Floats | None:
    """The two ends (x, y) in pixels of the line on which goods touch the ground, (2, 2); garments stand on none."""
    shape = plan.shape
    if isinstance(shape, BagShape):
        half = shape.half_width * 0.95
        ends = np.array([[-half, 0.1], [half, 0.1]], np.float32)
    elif isinstance(shape, MugShape):
        tall, radius = shape.profile[-1]
        ends = np.array([[-radius, tall + 0.2 * radius], [radius, tall + 0.2 * radius]], np.float32)
    elif isinstance(shape, CushionShape):
        half = shape.half_width * (0.35 if shape.cut == "round" else 0.9)
        ends = np.array([[-half, shape.half_height], [half, shape.half_height]], np.float32)
    else:
        return None
    return view.pixels(ends)


def draw_product(canvas: Canvas, plan: ProductPlan, fabric: Fabric, pose: Pose, figure: Figure) -> None:
    """The product with whoever wears it, from back to front."""
    shape = plan.shape
    if isinstance(shape, MugShape):
        draw_mug(canvas, fabric, shape, pose)
    elif isinstance(shape, CushionShape):
        draw_cushion(canvas, fabric, shape, pose)
    elif isinstance(shape, BagShape):
        draw_bag(canvas, fabric, shape, pose)
    elif isinstance(shape, TopShape):
        draw_top_behind(canvas, fabric, shape, pose)
        _wearer(canvas, plan, pose, figure, upper=True, lower=False)
        draw_top(canvas, fabric, shape, pose)
        _arms_before(canvas, fabric, shape, pose, figure)
    elif isinstance(shape, DressShape):
        draw_dress_behind(canvas, fabric, shape, pose)
        _wearer(canvas, plan, pose, figure, upper=True, lower=True)
        draw_dress(canvas, fabric, shape, pose)
        _arms_before(canvas, fabric, shape.top, pose, figure)
    elif isinstance(shape, SkirtShape):
        draw_skirt_behind(canvas, fabric, shape, pose)
        _wearer(canvas, plan, pose, figure, upper=False, lower=True)
        draw_skirt(canvas, fabric, shape, pose)
    else:
        draw_trousers_behind(canvas, fabric, shape, pose)
        _wearer(canvas, plan, pose, figure, upper=False, lower=True)
        draw_trousers(canvas, fabric, shape, pose)


def _bare_from(shape: TopShape) -> float:
    """How many cm of arm a sleeve hides."""
    return max(0.0, shape.sleeve_cm - 22.0) if shape.sleeve != "none" else 0.0


def _arms_before(canvas: Canvas, fabric: Fabric, shape: TopShape, pose: Pose, figure: Figure) -> None:
    """Forearms that cross the body, hand first so that the cuff lies on it."""
    for side in arms_in_front(shape, pose):
        draw_arm(canvas, figure, pose, side, start=max(_bare_from(shape), 32.0))
    draw_forearms(canvas, fabric, shape, pose)


def _wearer(canvas: Canvas, plan: ProductPlan, pose: Pose, figure: Figure, *, upper: bool, lower: bool) -> None:
    """Who is inside, as far as it is seen: `upper` the product is worn above, `lower` below the waist."""
    skin, hem = linear(figure.skin), hem_of(plan)
    shape = plan.shape.top if isinstance(plan.shape, DressShape) else plan.shape
    bare = _bare_from(shape) if isinstance(shape, TopShape) else 0.0
    if pose.stage == "model":
        draw_hair(canvas, figure, pose)
        if lower:
            for side in (-1, 1):
                draw_leg(canvas, pose, side, skin, foot=linear(figure.shoes), from_y=hem - 9.0)
        elif hem < 90:
            draw_companion_bottom(canvas, figure, pose)
        draw_torso(canvas, pose, skin, bottom=60.0 if hem < 56 or not upper else 26.0)
        draw_head(canvas, figure, pose)
        for side in (-1, 1):
            draw_arm(canvas, figure, pose, side, start=bare)
        if not upper:
            draw_companion_top(canvas, figure, pose, hem_y=hem_top(plan) + 5.0)
    elif pose.stage == "mannequin":
        if upper:
            draw_mannequin(canvas, figure, pose, bottom=68.0)
        else:
            for side in (-1, 1):
                draw_leg(canvas, pose, side, linear(figure.dummy), gloss=0.3, from_y=hem - 9.0)
            draw_torso(canvas, pose, linear(figure.dummy), bottom=70.0, gloss=0.2)
    elif pose.stage == "hanger":
        draw_hanger(canvas, pose, clips=not upper, y=0.0 if upper else hem_top(plan))


def hem_top(plan: ProductPlan) -> float:
    """The waist of what is worn below."""
    return plan.shape.waist_y if isinstance(plan.shape, SkirtShape | TrouserShape) else 0.0

"""Bags: which maker draws which cut."""

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.goods.firm_bags import draw_box, draw_duffel, draw_flap
from catalog.sample_catalog.goods.soft_bags import draw_backpack, draw_bucket, draw_hobo, draw_tote
from catalog.sample_catalog.shapes import BagShape


def draw_bag(canvas: Canvas, fabric: Fabric, shape: BagShape, pose: Pose) -> None:
    """The whole bag."""
    {
        "tote": draw_tote,
        "flap": draw_flap,
        "hobo": draw_hobo,
        "bucket": draw_bucket,
        "duffel": draw_duffel,
        "backpack": draw_backpack,
        "box": draw_box,
    }[shape.cut](canvas, fabric, shape, pose)

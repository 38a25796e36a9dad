"""What is round a product in a customer's photo: a bed, a floor, a wall, a room, a sofa."""

import numpy as np
from PIL import Image, ImageFilter

from catalog.sample_catalog.drawing.canvas import Canvas, enlarge
from catalog.sample_catalog.drawing.curves import Floats, rounded_box
from catalog.sample_catalog.drawing.folds import Stroke, crumple, stroke_height, swell
from catalog.sample_catalog.plan import ProductPlan
from catalog.sample_catalog.products import Extent, extent_of
from catalog.sample_catalog.scenes.lying import scatter
from catalog.sample_catalog.scenes.settings import Matrix, Setting
from catalog.sample_catalog.scenes.standing import stand_about
from catalog.sample_catalog.scenes.surfaces import TEXELS_PER_CM, VARIANTS, surface


def _plane(to_pixels: Matrix, kind: str, rng: np.random.Generator, *, level: bool) -> Matrix:
    """Photo pixels to texels of the plane of `to_pixels` (cm -> pixels); a level one keeps its lines upright."""
    turn = float(rng.normal(0, 0.01)) if level else float(rng.uniform(0, 2 * np.pi))
    if kind in ("tiles", "planks", "parquet") and not level:
        turn = float(rng.choice((0, np.pi / 2))) + float(rng.normal(0, 0.2))
    scale = TEXELS_PER_CM[kind] * float(rng.uniform(0.85, 1.2))
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    place = np.array([[c, -s, float(rng.uniform(0, 512))], [s, c, float(rng.uniform(0, 512))], [0, 0, 1.0]])
    return np.asarray(place @ np.linalg.inv(to_pixels))


def _tint(rng: np.random.Generator) -> Floats:
    return np.exp(rng.normal(0, 0.05, 3) + rng.normal(-0.05, 0.2)).astype(np.float32)


def _lay_ground(canvas: Canvas, setting: Setting, kind: str, rng: np.random.Generator) -> None:
    view = canvas.view
    level = setting.scene != "lying"
    seen = surface(
        kind, int(rng.integers(VARIANTS)), _plane(setting.matrix, kind, rng, level=level), view.width, view.height
    )
    canvas.color[:] = np.minimum(seen * _tint(rng), 0.92)
    canvas.solid[:] = 1
    if kind == "sheet":
        _bed_folds(canvas, rng)


def _bed_folds(canvas: Canvas, rng: np.random.Generator) -> None:
    """A sheet's or a blanket's soft folds."""
    step = 4
    x, y = canvas.x[::step, ::step], canvas.y[::step, ::step]
    left, right, top, bottom = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    strokes = []
    for _ in range(7):
        x0, y0 = float(rng.uniform(left, right)), float(rng.uniform(top, bottom))
        turn, long = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(0.25, 0.7)) * (right - left)
        strokes.append(
            Stroke(
                (x0, y0),
                (x0 + long * np.cos(turn), y0 + long * np.sin(turn)),
                (1.2, 3.2),
                float(rng.uniform(0.5, 1.4)),
                bend=float(rng.normal(0, 5)),
                tail=0.6,
            )
        )
    size = (right - left) / 70
    height = (
        stroke_height(x, y, strokes)
        + crumple(x, y, rng, 20 * size, 0.8 * size)
        + np.float32(0.6 * size) * swell(x, y, rng, 26 * size)
    )
    gap = np.float32(canvas.cm_per_pixel * step * 2)
    slope_x, slope_y = np.zeros_like(height), np.zeros_like(height)
    slope_x[:, 1:-1] = (height[:, 2:] - height[:, :-2]) / gap
    slope_y[1:-1] = (height[2:] - height[:-2]) / gap
    shape = canvas.solid.shape
    for layer, small in ((canvas.slope_x, slope_x), (canvas.slope_y, slope_y)):
        large = enlarge(small, shape, step, Image.Resampling.BILINEAR)
        layer[: large.shape[0], : large.shape[1]] = large


def _far_blur(canvas: Canvas, radius_px: float) -> None:
    """What lies behind, out of focus."""
    eight = Image.fromarray((np.sqrt(np.clip(canvas.color, 0, 1)) * 255).astype(np.uint8))
    soft = np.asarray(eight.filter(ImageFilter.BoxBlur(radius_px)).filter(ImageFilter.BoxBlur(radius_px)), np.float32)
    canvas.color[:] = np.square(soft * np.float32(1 / 255))
    canvas.slope_x[:], canvas.slope_y[:], canvas.gloss[:] = 0, 0, 0


def _level(to_pixels: Matrix, width: int, height: int) -> Matrix:
    """Photo pixels to those of a camera held level: the room is turned as the product is."""
    ends = to_pixels @ np.array([[-1, 1], [0, 0], [1.0, 1.0]])
    x, y = ends[0] / ends[2], ends[1] / ends[2]
    roll = float(np.arctan2(y[1] - y[0], x[1] - x[0]))
    c, s = np.cos(roll), np.sin(roll)
    there = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
    back = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1.0]])
    return np.asarray(there @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]]) @ back)


def _room(canvas: Canvas, setting: Setting, rng: np.random.Generator, stand_y: float, away: float) -> None:
    """A wall above a floor or a table top, or a sofa's back above its seat.

    They meet a share `away` of the photo's height above where `stand_y` cm of the product is seen.
    """
    width, height = canvas.view.width, canvas.view.height
    level = _level(setting.matrix, width, height)
    foot = level @ np.append(canvas.view.pixels(np.array([[0, stand_y]], np.float32))[0], 1.0)
    horizon = float(foot[1]) - away * height
    per_cm = 1 / canvas.cm_per_pixel
    sofa = setting.wall == setting.ground
    variant, tint = int(rng.integers(VARIANTS)), _tint(rng)
    upright = np.linalg.inv(level) @ np.array([[per_cm, 0, width / 2], [0, per_cm, horizon], [0, 0, 1.0]])
    wall = surface(setting.wall, variant, _plane(upright, setting.wall, rng, level=True), width, height)
    canvas.color[:] = wall * tint
    column, row = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    across = np.float32(level[0, 0]) * column + np.float32(level[0, 1]) * row + np.float32(level[0, 2])
    down = np.float32(level[1, 0]) * column + np.float32(level[1, 1]) * row + np.float32(level[1, 2] - horizon)
    first = int(np.argmax(down.max(axis=1) > 0)) if (down > 0).any() else height
    if first < height:
        # The ground runs away from the camera to a vanishing line above where it ends.
        eye, reach = horizon - 0.35 * height, 0.6 * height
        texels = TEXELS_PER_CM[setting.ground] / per_cm
        ground = [[texels, 0, -texels * width / 2], [0, 0, 0.55 * texels * height], [0, 1 / reach, -eye / reach]]
        below = level @ np.array([[1, 0, 0], [0, 1, first], [0, 0, 1.0]])
        kind = variant if sofa else int(rng.integers(VARIANTS))
        top = surface(setting.ground, kind, np.array(ground) @ below, width, height - first)
        near = down[first:]
        corner = (1 - np.float32(0.4) * np.exp(-np.abs(near) / np.float32(0.03 * height)))[..., None]
        under = np.clip(near + np.float32(0.5), 0, 1)[..., None]
        seen = canvas.color[first:]
        seen += under * (top * (tint * np.float32(1.12) if sofa else _tint(rng)) * corner - seen)
    canvas.solid[:] = 1
    if sofa:  # the back's cushions: a seam, and the dark where they meet the seat
        canvas.occlusion *= 1 - np.float32(0.35) * np.exp(-np.abs(down) / np.float32(0.035 * height))
        aside = across - np.float32(rng.uniform(0.2, 0.8) * width)
        back = down < 0
        canvas.occlusion *= 1 - np.float32(0.5) * np.exp(-np.square(aside / np.float32(0.008 * width))) * back
        round_ = np.clip(aside / np.float32(0.1 * width), -1, 1) * np.exp(-np.abs(aside) / np.float32(0.07 * width))
        canvas.slope_x -= np.float32(0.7) * round_ * back


def paint_scene(canvas: Canvas, plan: ProductPlan, setting: Setting, rng: np.random.Generator) -> None:
    """Everything but the product, before it is drawn."""
    view, pose = canvas.view, setting.pose
    extent = extent_of(plan, pose)
    if setting.scene == "lying":
        _lay_ground(canvas, setting, setting.ground, rng)
        scatter(canvas, rng, setting.things, keep_clear=(extent.left, extent.right, extent.top, extent.bottom))
    elif setting.scene == "hanging":
        _lay_ground(canvas, setting, setting.wall, rng)
        _wall_things(canvas, rng, extent, setting.things)
    elif setting.scene == "worn":
        _room(canvas, setting, rng, 95.0, 0.0)
        stand_about(canvas, rng, setting.things, left=extent.left, right=extent.right, foot=(60.0, 110.0), size=2.2)
        _far_blur(canvas, 0.006 * view.height * float(rng.uniform(0.2, 1.6)))
    else:
        size = (extent.right - extent.left) / 30
        _room(canvas, setting, rng, extent.bottom, float(rng.uniform(0.06, 0.2)))
        behind = extent.bottom - 0.12 * (extent.bottom - extent.top)
        stand_about(
            canvas,
            rng,
            setting.things,
            left=extent.left,
            right=extent.right,
            foot=(behind - 2 * size, behind),
            size=size,
        )
        _far_blur(canvas, 0.004 * view.height * float(rng.uniform(0.2, 2.0)))


def _wall_things(canvas: Canvas, rng: np.random.Generator, extent: Extent, things: int) -> None:
    """A door's frame, a picture, a neighbour on the rail."""
    if things >= 2:
        side = float(rng.choice((-1, 1)))
        x = side * (extent.right + float(rng.uniform(2, 10)))
        piece = canvas.cut(rounded_box(x + side * 20, 30, 20, 150, 0.3))
        canvas.cast(piece, blur_cm=1.5, strength=0.4, dx=0.6)
        canvas.lay(piece, np.square(_tint(rng)) * np.float32(0.5), product=False, bevel_cm=0.6)
        inner = canvas.cut(rounded_box(x + side * 21, 10, 15, 50, 0.3))
        canvas.lay(inner, np.square(_tint(rng)) * np.float32(0.42), product=False, bevel_cm=-0.5)
    if things >= 3:
        stand_about(canvas, rng, 1, left=extent.left, right=extent.right, foot=(20.0, 50.0), size=1.4)

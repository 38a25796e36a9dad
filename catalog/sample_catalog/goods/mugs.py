"""Mugs: glazed pots turned on a wheel, seen from a little above; the print runs round them."""

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas
from catalog.sample_catalog.drawing.curves import Floats, curve_at, ellipse, smoothstep
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import relief
from catalog.sample_catalog.drawing.tubes import Tube, make_tube
from catalog.sample_catalog.figures.pose import Pose
from catalog.sample_catalog.shapes import MugShape

_CLAY = np.array([0.55, 0.44, 0.33], np.float32)
_STEEL = np.array([0.05, 0.06, 0.09], np.float32)


def pitch(pose: Pose) -> float:
    """How round the rim looks: its ellipse's height over its width."""
    return float(pose.rng("pitch").uniform(0.17, 0.32))


def handle_turn(pose: Pose) -> float:
    """Where the handle points: 0 to the photo's right, pi/2 to the camera, pi to the left."""
    rng = pose.rng("handle")
    turn = float(rng.uniform(-0.75, 0.7))
    return turn if rng.random() < 0.7 else np.pi - turn


def mug_height(shape: MugShape) -> float:
    """From rim to foot, cm."""
    return shape.profile[-1][0]


def _radius(shape: MugShape, y: Floats) -> Floats:
    return curve_at(shape.profile, y)


def draw_mug(canvas: Canvas, fabric: Fabric, shape: MugShape, pose: Pose) -> None:
    """The whole mug."""
    turn = handle_turn(pose)
    if np.sin(turn) < 0.08:
        _handle(canvas, fabric, shape, pose, turn)
        _body(canvas, fabric, shape, pose, turn)
    else:
        _body(canvas, fabric, shape, pose, turn)
        _handle(canvas, fabric, shape, pose, turn)


def _body(canvas: Canvas, fabric: Fabric, shape: MugShape, pose: Pose, turn: float) -> None:
    lean, tall = pitch(pose), mug_height(shape)
    y = np.linspace(0, tall, 24, dtype=np.float32)
    radius = _radius(shape, y)
    low = np.linspace(np.pi, 0, 24)
    foot = np.stack([radius[-1] * np.cos(low), tall + lean * radius[-1] * np.sin(low)], axis=1)
    back = np.linspace(0, -np.pi, 24)
    rim = np.stack([radius[0] * np.cos(back), lean * radius[0] * np.sin(back)], axis=1)
    right = np.stack([radius, y], axis=1)
    outline = np.concatenate([np.stack([-radius, y], axis=1), foot, right[::-1], rim]).astype(np.float32)
    piece = canvas.cut(outline)
    if piece.empty:
        return
    # Where the eye's ray meets the wall: the front stands lower on the photo by the rim's tilt.
    s = np.clip(piece.x / _radius(shape, piece.y - np.float32(lean * 0.7) * radius[0]), -0.995, 0.995)
    on_wall = piece.y - np.float32(lean) * _radius(shape, piece.y) * np.sqrt(1 - s * s)
    wall = _radius(shape, on_wall)
    s = np.clip(piece.x / wall, -0.995, 0.995)
    around = np.arcsin(s)
    mean = float(radius.mean())
    u = (around + np.float32(0.5 * np.pi - turn)) * np.float32(mean)
    color = fabric.sample(u, on_wall)
    first, last = shape.printed[0] * tall, shape.printed[1] * tall
    if (first, last) != (0, tall):
        inside = smoothstep(first - 0.06, first + 0.06, on_wall) * smoothstep(last + 0.06, last - 0.06, on_wall)
        color = color * inside[..., None] + fabric.ground * (1 - inside[..., None])
    if shape.rim == "band":
        edge = smoothstep(0.75, 0.65, on_wall)[..., None]
        color = color * (1 - edge) + fabric.ink(shape.inner) * edge
    elif shape.rim == "steel":
        edge = smoothstep(0.34, 0.24, on_wall)[..., None]
        color = color * (1 - edge) + _STEEL * edge
    bare = smoothstep(tall - shape.foot - 0.05, tall - shape.foot + 0.05, on_wall)[..., None] if shape.foot else 0.0
    color = color * (1 - bare) + _CLAY * bare

    def height(px: Floats, py: Floats) -> Floats:
        width = _radius(shape, py)
        return np.asarray(np.sqrt(np.maximum(width * width - px * px, 0.02 * width * width)).astype(np.float32))

    form = relief(piece, height)
    down = np.gradient(radius, y)
    lean_in = np.interp(on_wall, y, down).astype(np.float32)
    shade = 1 - np.float32(0.25) * smoothstep(tall * 0.75, tall * 1.03, on_wall)  # the table's dark foot
    color = color + _window(around, on_wall / np.float32(tall), pose)[..., None]
    canvas.lay(piece, color, form.slope_x, form.slope_y + 0.4 * lean_in, occlusion=shade, gloss=0.55)
    _mouth(canvas, fabric, shape, float(radius[0]), lean)


def _window(around: Floats, down: Floats, pose: Pose) -> Floats:
    """A soft box mirrored in the glaze: two upright strips."""
    rng = pose.rng("window")
    at, wide = float(rng.uniform(-0.85, -0.5)), float(rng.uniform(0.07, 0.13))
    strip = smoothstep(wide + 0.06, wide, np.abs(around - np.float32(at)))
    other = np.float32(0.3) * smoothstep(0.1, 0.04, np.abs(around - np.float32(at + 1.55)))
    ends = smoothstep(0.05, 0.22, down) * smoothstep(0.97, 0.7, down)
    return np.asarray((strip + other) * ends * np.float32(rng.uniform(0.16, 0.3)))


def _mouth(canvas: Canvas, fabric: Fabric, shape: MugShape, radius: float, lean: float) -> None:
    """The rim and the inside."""
    rim = canvas.cut(ellipse(0, 0, radius, radius * lean, 60))
    lip = _STEEL if shape.rim == "steel" else fabric.ink(shape.inner) if shape.rim == "band" else fabric.ground
    canvas.lay(rim, lip, 0.0, 0.35, gloss=0.8, bevel_cm=0.1, bevel_width_cm=0.12)
    wall = 0.34
    inner = canvas.cut(ellipse(0, 0.04, radius - wall, (radius - wall) * lean, 60))
    if inner.empty:
        return
    s = inner.x / np.float32(radius)
    deep = np.clip((inner.y + np.float32(radius * lean)) / np.float32(2 * radius * lean), 0, 1)
    color = fabric.ink(shape.inner) if shape.inner else np.float32(0.85) * np.ones(3, np.float32)
    if shape.rim == "steel":
        color = np.full(3, 0.8, np.float32)
    shade = np.float32(0.82) - np.float32(0.6) * (1 - deep) * (1 - 0.4 * s) + np.float32(0.15) * s
    canvas.lay(
        inner,
        color,
        s * np.float32(0.9),
        -0.15,
        occlusion=np.clip(shade, 0.1, 1),
        gloss=0.35,
        bevel_cm=-0.1,
        bevel_width_cm=0.15,
    )


def _handle(canvas: Canvas, fabric: Fabric, shape: MugShape, pose: Pose, turn: float) -> None:
    tall, lean = mug_height(shape), pitch(pose)
    middle = tall * (0.52 if shape.handle != "low" else 0.62)
    top, low = middle - shape.handle_cm / 2, middle + shape.handle_cm / 2
    out = shape.handle_out
    r_top, r_low = (float(_radius(shape, np.array([place], np.float32))[0]) for place in (top, low))
    if shape.handle == "square":
        loop = [
            (r_top - 0.5, top),
            (r_top + out * 0.75, top),
            (r_top + out, top + 0.8),
            (0.5 * (r_top + r_low) + out, middle),
            (r_low + out, low - 0.8),
            (r_low + out * 0.75, low),
            (r_low - 0.5, low),
        ]
    elif shape.handle == "ear":
        loop = [
            (r_top - 0.5, top + 0.2),
            (r_top + out * 0.55, top - 0.1),
            (r_top + out, top + 0.22 * shape.handle_cm),
            (0.5 * (r_top + r_low) + out * 0.96, middle),
            (r_low + out * 0.62, low - 0.2 * shape.handle_cm),
            (r_low - 0.4, low + 0.1),
        ]
    else:
        loop = [
            (r_top - 0.5, top),
            (r_top + out * 0.55, top - 0.15),
            (r_top + out * 0.97, top + 0.26 * shape.handle_cm),
            (0.5 * (r_top + r_low) + out, middle),
            (r_low + out * 0.92, low - 0.26 * shape.handle_cm),
            (r_low + out * 0.5, low + 0.1),
            (r_low - 0.5, low),
        ]
    c, s = float(np.cos(turn)), float(np.sin(turn))
    knots = [(rho * c, y + lean * rho * s) for rho, y in loop]
    if s > 0.08:  # in front: both ends sit on the wall, rounded
        knots[0], knots[-1] = (r_top * 0.97 * c, top + lean * r_top * s), (r_low * 0.94 * c, low + lean * r_low * s)
    seen = shape.handle_half * (1 + 0.5 * abs(s))
    bow: Tube = make_tube(knots, [(0, seen * 1.25), (0.12, seen), (0.88, seen), (1, seen * 1.25)])
    ends = [ellipse(x, y, seen * 1.2, seen * 1.2, 20) for x, y in (knots[0], knots[-1])] if s > 0.08 else []
    piece = bow.own(canvas.cut(bow.outline(bulge=0.1), *ends))
    if piece.empty:
        return
    if s > 0.08:
        canvas.cast(piece, blur_cm=0.5, strength=0.5, dx=0.3, dy=0.15)

    form = relief(piece, bow.rounded())
    color = fabric.ink(shape.inner) if shape.inner and shape.rim == "band" else fabric.ground
    canvas.lay(piece, color, form.slope_x, form.slope_y, gloss=0.8)

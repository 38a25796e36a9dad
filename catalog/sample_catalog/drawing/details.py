"""Small parts sewn on: stitches, buttons, zips, pockets, ribs, labels."""

from collections.abc import Sequence

import numpy as np

from catalog.sample_catalog.drawing.canvas import Canvas, Piece
from catalog.sample_catalog.drawing.curves import CORNER, Floats, Knot, ellipse, path, rounded_box
from catalog.sample_catalog.drawing.fabric import Fabric
from catalog.sample_catalog.drawing.folds import Relief

METAL = np.array([0.42, 0.42, 0.44], np.float32)
BRASS = np.array([0.50, 0.38, 0.16], np.float32)


def thread(color: Floats) -> Floats:
    """Sewing thread for cloth of this linear color: a tone lighter, or darker on pale cloth."""
    return color * np.float32(0.62) if float(color.mean()) > 0.25 else color * np.float32(1.3) + np.float32(0.035)


def dashes(line: Floats, dash_cm: float = 0.55, gap_cm: float = 0.3) -> list[Floats]:
    """A line cut into stitches."""
    step = np.diff(line, axis=0)
    along = np.concatenate([[0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    starts = np.arange(0, along[-1] - dash_cm, dash_cm + gap_cm)
    at = np.stack([starts, starts + dash_cm], axis=1)
    return list(
        np.stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])], axis=2).astype(np.float32)
    )


_SEEN_CM = 0.24  # a pixel larger than this shows no single stitch, only their line


def _sewn(canvas: Canvas, lines: Sequence[Floats], color: Floats, opacity: float) -> None:
    if canvas.cm_per_pixel > _SEEN_CM:
        canvas.draw(lines, width_cm=0.18, color=thread(color), opacity=0.6 * opacity)
        return
    drawn = [dash for line in lines for dash in dashes(line)]
    if drawn:
        canvas.draw(drawn, width_cm=0.18, color=thread(color), opacity=opacity)


def seam(
    canvas: Canvas, lines: Sequence[Floats], color: Floats, *, stitched: bool = True, strength: float = 0.4
) -> None:
    """A sewn line: a groove, and beside it a row of stitches where one would see them."""
    if not lines:
        return
    canvas.crease(lines, width_cm=0.32, strength=strength)
    if stitched:
        _sewn(canvas, [line + np.float32(0.28) for line in lines], color, 0.75)


def stitches(canvas: Canvas, lines: Sequence[Floats], color: Floats, opacity: float = 0.7) -> None:
    """Rows of stitches without a groove: hems, pockets."""
    if lines:
        _sewn(canvas, lines, color, opacity)


def buttons(canvas: Canvas, places: Sequence[tuple[float, float]], color: Floats, radius_cm: float = 0.62) -> None:
    """Sewn buttons with a shade below each."""
    if not places:
        return
    piece = canvas.cut(*(ellipse(x, y, radius_cm, radius_cm, 14) for x, y in places))
    canvas.cast(piece, blur_cm=0.25, strength=0.7, dx=0.1, dy=0.2)
    canvas.lay(piece, color, gloss=0.5, bevel_cm=0.35, bevel_width_cm=0.2)
    holes = [np.array([[x - 0.16, y], [x + 0.16, y]], np.float32) for x, y in places]
    canvas.draw(holes, width_cm=0.2, color=color * np.float32(0.3), opacity=0.8)


def zipper(canvas: Canvas, line: Floats, tape: Floats, *, metal: Floats = METAL, pull: bool = True) -> None:
    """A zip along a line: tape, teeth, and its pull at the line's beginning."""
    canvas.draw([line], width_cm=1.5, color=tape, opacity=0.9)
    canvas.crease([line], width_cm=0.9, strength=0.35)
    canvas.draw(dashes(line, 0.32, 0.28), width_cm=0.75, color=metal, opacity=0.9)
    if pull:
        x, y = float(line[0, 0]), float(line[0, 1])
        piece = canvas.cut(rounded_box(x, y + 1.5, 0.42, 1.5, 0.3))
        canvas.cast(piece, blur_cm=0.3, strength=0.6, dy=0.2)
        canvas.lay(piece, metal, gloss=0.9, bevel_cm=0.25, bevel_width_cm=0.2)


def patch(
    canvas: Canvas,
    fabric: Fabric,
    outline: Floats,
    *,
    lift: Relief | None = None,
    shift: float = 0.0,
    turn: float = 0.0,
    color: Floats | None = None,
    shadow: float = 0.45,
    bevel_cm: float = 0.3,
) -> Piece:
    """A flat piece of the fabric sewn on top: pocket, flap, tab, collar leaf; the cloth beneath still shapes it."""
    piece = canvas.cut(outline)
    if piece.empty:
        return piece
    canvas.cast(piece, blur_cm=0.5, strength=shadow, dx=0.12, dy=0.3)
    rows, columns = piece.rows, piece.columns
    slope_x = canvas.slope_x[rows, columns].copy() * np.float32(0.85)
    slope_y = canvas.slope_y[rows, columns].copy() * np.float32(0.85)
    if lift is not None:
        slope_x, slope_y = lift.slope_x, lift.slope_y
    cloth = fabric.sample(piece.x, piece.y, shift=shift, turn=turn) if color is None else color
    canvas.lay(piece, cloth, slope_x, slope_y, gloss=fabric.gloss, bevel_cm=bevel_cm)
    return piece


def pocket_outline(x: float, y: float, half_width: float, height: float, *, point: float = 1.2) -> Floats:
    """A patch pocket hung from (x, y), its foot pointed by `point` cm."""
    knots: list[Knot] = [
        (x - half_width, y, CORNER),
        (x + half_width, y, CORNER),
        (x + half_width, y + height - point, CORNER),
        (x, y + height, CORNER),
        (x - half_width, y + height - point, CORNER),
    ]
    return path(knots)


def inset(outline: Floats, by_cm: float) -> Floats:
    """An outline drawn inwards about its middle; for stitches along a small part's rim."""
    middle = outline.mean(axis=0)
    arm = outline - middle
    length = np.maximum(np.hypot(arm[:, 0], arm[:, 1]), 1e-3)[:, None]
    moved = middle + arm * np.maximum(1 - by_cm / length, 0.2)
    return np.concatenate([moved, moved[:1]]).astype(np.float32)


def rib_band(
    canvas: Canvas, fabric: Fabric, outline: Floats, color: Floats, *, along: Floats | None = None, shadow: float = 0.3
) -> None:
    """A knitted band: fine ribs across it, rounded; `along` gives each pixel's place along the band (else x)."""
    piece = canvas.cut(outline)
    if piece.empty:
        return
    canvas.cast(piece, blur_cm=0.4, strength=shadow, dy=0.25)
    place = piece.x if along is None else along
    period = max(0.55, 3.2 * piece.cm_per_pixel)
    ribs = 1 + np.float32(0.13) * np.sin(place * np.float32(2 * np.pi / period))
    rows, columns = piece.rows, piece.columns
    canvas.lay(
        piece,
        color * ribs[..., None],
        canvas.slope_x[rows, columns].copy(),
        canvas.slope_y[rows, columns].copy(),
        bevel_cm=0.5,
        bevel_width_cm=0.6,
        gloss=fabric.gloss * 0.5,
    )


def neck_label(canvas: Canvas, x: float, y: float) -> None:
    """The woven label inside the back of a collar."""
    piece = canvas.cut(rounded_box(x, y, 1.9, 1.0, 0.15))
    canvas.lay(piece, np.full(3, 0.8, np.float32), occlusion=0.75)
    canvas.draw(
        [np.array([[x - 1.1, y], [x + 1.1, y]], np.float32)],
        width_cm=0.35,
        color=np.full(3, 0.12, np.float32),
        opacity=0.7,
    )

"""The drawing surface: where each pixel lies in cm, and the layers of what has been laid there so far.

Deferred: a piece leaves its color, slope, occlusion and gloss; `shading.shade` lights the whole once. What a piece
looks like (outline, folds, print) is its maker's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from catalog.sample_catalog.drawing.curves import Floats

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class View:
    """From the garment's cm (x right, y down) to the photo's pixels: a sideways sway, then a plane's perspective."""

    width: int
    height: int
    to_pixels: Matrix  # (3, 3) homography, cm -> pixels
    sway_cm: float = 0.0
    sway_top: float = 0.0  # y in cm where the sway begins
    sway_span: float = 60.0  # cm from its beginning to its full bend

    def sway(self, y: Floats) -> Floats:
        """How far a row of the garment moves to the right, in cm."""
        t = np.clip((y - np.float32(self.sway_top)) * np.float32(1 / self.sway_span), -0.3, 2.2)
        return np.asarray(np.float32(self.sway_cm) * np.sin(t * np.float32(np.pi / 2)).astype(np.float32))

    def pixels(self, points_cm: Floats) -> Floats:
        """(n, 2) points in cm to (n, 2) pixel coordinates."""
        m = self.to_pixels
        moved = points_cm.astype(np.float64)
        if self.sway_cm:
            moved[:, 0] += self.sway(points_cm[:, 1])
        placed = moved @ m[:2, :2].T + m[:2, 2]
        if m[2, 0] or m[2, 1]:
            placed /= (moved @ m[2, :2] + m[2, 2])[:, None]
        return placed.astype(np.float32)

    def centimetres(self) -> tuple[Floats, Floats]:
        """Each pixel centre's x and y in the garment's cm, two (H, W) float32."""
        inverse = np.linalg.inv(self.to_pixels).astype(np.float32)
        column = np.arange(self.width, dtype=np.float32)[None, :] + np.float32(0.5)
        row = np.arange(self.height, dtype=np.float32)[:, None] + np.float32(0.5)
        if inverse[2, 0] == 0 and inverse[2, 1] == 0:
            scale: Floats | np.float32 = np.float32(1 / inverse[2, 2])
        else:
            scale = 1 / (inverse[2, 0] * column + inverse[2, 1] * row + inverse[2, 2])
        x = (inverse[0, 0] * column + inverse[0, 1] * row + inverse[0, 2]) * scale
        y = (inverse[1, 0] * column + inverse[1, 1] * row + inverse[1, 2]) * scale
        if self.sway_cm:
            x = x - self.sway(y)
        return x, y

    @property
    def cm_per_pixel(self) -> float:
        """At the photo's middle."""
        middle = np.linalg.inv(self.to_pixels) @ np.array(
            [
                [self.width / 2, self.width / 2 + 1],
                [self.height / 2, self.height / 2],
                [1.0, 1.0],
            ]
        )
        x, y = middle[0] / middle[2], middle[1] / middle[2]
        return float(np.hypot(x[1] - x[0], y[1] - y[0]))


@dataclass
class Piece:
    """One outline cut out of the canvas: its window, how much of each pixel it covers, and where those lie."""

    rows: slice
    columns: slice
    cover: Floats  # (h, w) in [0, 1]
    x: Floats  # (h, w) cm
    y: Floats
    cm_per_pixel: float

    @property
    def empty(self) -> bool:
        """True where nothing of it is in the photo."""
        return self.cover.size == 0

    def clip(self, cover: Floats) -> None:
        """Keep only what `cover` (h, w) leaves."""
        self.cover = self.cover * cover


def enlarge(small: Floats, shape: tuple[int, int], step: int, resample: Image.Resampling) -> Floats:
    """A field sampled at every `step`-th pixel back to (h, w)."""
    tall, wide = small.shape
    large = Image.fromarray(small).resize((wide * step, tall * step), resample)
    return np.asarray(large)[: shape[0], : shape[1]]


def soften(image: Floats, radius_px: float) -> Floats:
    """A cheap blur of a [0, 1] field, in 8 bits: for shadows and bevels, not for heights."""
    eight = Image.fromarray((image * 255).astype(np.uint8))
    return np.asarray(eight.filter(ImageFilter.BoxBlur(radius_px)), np.float32) * np.float32(1 / 255)


@dataclass
class Canvas:
    """All layers of one photo at its own resolution; linear light, float32."""

    view: View
    x: Floats = field(init=False)
    y: Floats = field(init=False)
    color: Floats = field(init=False)  # (H, W, 3) linear light
    slope_x: Floats = field(init=False)  # dh/dx on screen, cm a cm
    slope_y: Floats = field(init=False)
    occlusion: Floats = field(init=False)  # 1 open, 0 hidden from all light
    gloss: Floats = field(init=False)  # 0 matt .. 1 glaze
    product: Floats = field(init=False)  # share of the pixel that shows the product
    solid: Floats = field(init=False)  # share that shows anything at all
    cm_per_pixel: float = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.view.height, self.view.width)
        self.x, self.y = self.view.centimetres()
        self.color = np.zeros((*shape, 3), np.float32)
        self.slope_x, self.slope_y = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.occlusion, self.gloss = np.ones(shape, np.float32), np.zeros(shape, np.float32)
        self.product, self.solid = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self.cm_per_pixel = self.view.cm_per_pixel

    def window(self, pixels: Floats, margin_px: float = 2) -> tuple[slice, slice]:
        """The rows and columns that hold these pixel points, inside the photo."""
        left, top = np.floor(pixels.min(axis=0) - margin_px).astype(int)
        right, bottom = np.ceil(pixels.max(axis=0) + margin_px).astype(int)
        rows = slice(min(max(top, 0), self.view.height), min(max(bottom, 0), self.view.height))
        columns = slice(min(max(left, 0), self.view.width), min(max(right, 0), self.view.width))
        return rows, columns

    def cut(self, *outlines: Floats, margin_cm: float = 0.0) -> Piece:
        """Cover the inside of closed outlines in cm, edges supersampled; the margin leaves room about them."""
        drawn = [self.view.pixels(outline) for outline in outlines]
        rows, columns = self.window(np.concatenate(drawn), 2 + margin_cm / self.cm_per_pixel)
        wide, tall = columns.stop - columns.start, rows.stop - rows.start
        if wide <= 0 or tall <= 0:
            nothing = np.zeros((0, 0), np.float32)
            return Piece(rows, columns, nothing, nothing, nothing, self.cm_per_pixel)
        fine = 4 if wide * tall < 30_000 else 3
        image = Image.new("L", (wide * fine, tall * fine))
        pen = ImageDraw.Draw(image)
        corner = np.array([columns.start, rows.start], np.float32)
        for points in drawn:
            pen.polygon(((points - corner) * fine - 0.5).ravel().tolist(), fill=255)
        cover = np.asarray(image.reduce(fine), np.float32) * np.float32(1 / 255)
        return Piece(rows, columns, cover, self.x[rows, columns], self.y[rows, columns], self.cm_per_pixel)

    def strokes(self, lines: Sequence[Floats], width_cm: float) -> tuple[slice, slice, Floats]:
        """Cover of open lines drawn with a round pen, and their window."""
        ends = np.cumsum([len(line) for line in lines])
        pixels = self.view.pixels(np.concatenate(lines))
        width_px = width_cm / self.cm_per_pixel
        rows, columns = self.window(pixels, 2 + width_px)
        wide, tall = columns.stop - columns.start, rows.stop - rows.start
        if wide <= 0 or tall <= 0:
            return rows, columns, np.zeros((0, 0), np.float32)
        fine = 3
        image = Image.new("L", (wide * fine, tall * fine))
        pen = ImageDraw.Draw(image)
        corner = np.array([columns.start, rows.start], np.float32)
        thin = max(1, round(width_px * fine))
        faint = min(1.0, width_px * fine / thin)  # a line thinner than a sub-pixel is fainter, not wider
        flat = ((pixels - corner) * fine).ravel().tolist()
        begin = 0
        for end in ends.tolist():
            pen.line(flat[2 * begin : 2 * end], fill=255, width=thin, joint="curve" if end - begin > 2 else None)
            begin = end
        return rows, columns, np.asarray(image.reduce(fine), np.float32) * np.float32(faint / 255)

    def lay(
        self,
        piece: Piece,
        color: Floats,
        slope_x: Floats | float = 0.0,
        slope_y: Floats | float = 0.0,
        *,
        occlusion: Floats | float = 1.0,
        gloss: float = 0.0,
        product: bool = True,
        bevel_cm: float = 0.0,
        bevel_width_cm: float = 0.35,
    ) -> None:
        """Put a piece on top: `color` (h, w, 3) or (3,) linear, slopes of its height; a bevel rounds its rim."""
        if piece.empty:
            return
        rows, columns, cover = piece.rows, piece.columns, piece.cover
        if bevel_cm:
            radius = max(0.7, bevel_width_cm / self.cm_per_pixel)
            rim = soften(cover, radius)
            scale = np.float32(bevel_cm / (2 * self.cm_per_pixel))
            across, down = np.zeros_like(rim), np.zeros_like(rim)
            across[:, 1:-1] = (rim[:, 2:] - rim[:, :-2]) * scale
            down[1:-1] = (rim[2:] - rim[:-2]) * scale
            slope_x, slope_y = slope_x + across, slope_y + down
        self.color[rows, columns] += cover[..., None] * (color - self.color[rows, columns])
        for layer, value in (
            (self.slope_x, slope_x),
            (self.slope_y, slope_y),
            (self.occlusion, occlusion),
            (self.gloss, gloss),
            (self.product, 1.0 if product else 0.0),
        ):
            seen = layer[rows, columns]
            seen += cover * (value - seen)
        solid = self.solid[rows, columns]
        np.maximum(solid, solid + cover * (1 - solid), out=solid)

    def cast(self, piece: Piece, *, blur_cm: float, strength: float, dx: float = 0.0, dy: float = 0.0) -> None:
        """Darken what lies beneath a piece about to be laid: the soft shadow of its outline, moved by (dx, dy) cm."""
        if piece.empty:
            return
        radius = max(0.6, blur_cm / self.cm_per_pixel)
        grow = int(np.ceil(2 * radius))
        shift_x, shift_y = round(dx / self.cm_per_pixel), round(dy / self.cm_per_pixel)
        tall, wide = piece.cover.shape
        step = 2 if radius > 3 else 1
        framed = np.zeros((tall + 2 * grow, wide + 2 * grow), np.float32)
        framed[grow : grow + tall, grow : grow + wide] = piece.cover
        small = framed[::step, ::step]
        dark = soften(soften(small, radius / step), radius / step)
        if step > 1:
            dark = enlarge(dark, framed.shape, step, Image.Resampling.BILINEAR)
        top, left = piece.rows.start - grow + shift_y, piece.columns.start - grow + shift_x
        y0, x0 = max(top, 0), max(left, 0)
        y1, x1 = min(top + framed.shape[0], self.view.height), min(left + framed.shape[1], self.view.width)
        if y1 <= y0 or x1 <= x0:
            return
        self.occlusion[y0:y1, x0:x1] *= 1 - np.float32(strength) * dark[y0 - top : y1 - top, x0 - left : x1 - left]

    def crease(self, lines: Sequence[Floats], *, width_cm: float, strength: float) -> None:
        """A seam's groove: dark lines pressed into what lies there."""
        rows, columns, cover = self.strokes(lines, width_cm)
        if cover.size:
            self.occlusion[rows, columns] *= 1 - np.float32(strength) * cover

    def draw(
        self,
        lines: Sequence[Floats],
        *,
        width_cm: float,
        color: Floats,
        opacity: float = 1.0,
        on_product: bool = True,
    ) -> None:
        """Thread, cord or ink on the product that lies there, or on anything; takes no height and changes no mask."""
        rows, columns, cover = self.strokes(lines, width_cm)
        if cover.size:
            if on_product:  # a seam that runs past the cloth's edge must not color what is beside it
                cover = cover * self.product[rows, columns]
            seen = self.color[rows, columns]
            seen += (np.float32(opacity) * cover)[..., None] * (color - seen)

    def draw_solid(self, lines: Sequence[Floats], *, width_cm: float, color: Floats, product: bool = False) -> None:
        """A wire or a cord where nothing lies yet: takes its place in the mask too."""
        rows, columns, cover = self.strokes(lines, width_cm)
        if cover.size:
            seen = self.color[rows, columns]
            seen += cover[..., None] * (color - seen)
            share = self.product[rows, columns]
            share += cover * ((1.0 if product else 0.0) - share)
            self.solid[rows, columns] = np.maximum(self.solid[rows, columns], cover)

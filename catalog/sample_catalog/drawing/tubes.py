"""Round things along a bent line: sleeves, legs, arms, straps. Gives their outline and their own coordinates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from catalog.sample_catalog.drawing.canvas import Canvas, Piece, enlarge
from catalog.sample_catalog.drawing.curves import Floats, Knot, curve_at, path
from catalog.sample_catalog.drawing.folds import tube

_WIDTHS = 128  # places at which a tube's width is kept: their slope is lit
_STEP = 4  # own coordinates change slowly: worked out on every fourth pixel


@dataclass(frozen=True)
class Tube:
    """A centre line in cm with a half width on either side; `t` runs along it, `d` across."""

    line: Floats  # (n, 2)
    along: Floats  # (n,) cm from the beginning
    normal: Floats  # (n, 2) unit, to the side of positive d
    places: Floats  # (m,) cm along it, finer, where the widths are known
    near: Floats  # (m,) half width on the positive side
    far: Floats  # (m,) on the negative side

    @property
    def length(self) -> float:
        """Of the centre line, cm."""
        return float(self.along[-1])

    def half_width(self, t: Floats) -> tuple[Floats, Floats]:
        """Half widths (positive side, negative side) at `t`."""
        flat = t.ravel()
        near = np.interp(flat, self.places, self.near).astype(np.float32).reshape(t.shape)
        far = np.interp(flat, self.places, self.far).astype(np.float32).reshape(t.shape)
        return near, far

    def at(self, t: float, d: float = 0.0) -> tuple[float, float]:
        """The place in cm of a point of the tube."""
        x = np.interp(t, self.along, self.line[:, 0] + self.normal[:, 0] * d)
        y = np.interp(t, self.along, self.line[:, 1] + self.normal[:, 1] * d)
        return float(x), float(y)

    def ring(self, t: float, bulge: float = 0.0, inset: float = 0.0) -> Floats:
        """A line across the tube at `t`, bent along it by `bulge` cm in the middle, (n, 2)."""
        near, far = self.half_width(np.array([t], np.float32))
        s = np.linspace(-1, 1, 13)
        d = np.where(s > 0, s * (near[0] - inset), s * (far[0] - inset))
        bent = t + bulge * (1 - s * s)
        ahead = self.line[-1] - self.line[-2]
        beyond = np.maximum(bent - self.length, 0)[:, None] * (ahead / np.hypot(*ahead))
        place = [
            np.interp(bent, self.along, self.line[:, k]) + np.interp(bent, self.along, self.normal[:, k]) * d
            for k in (0, 1)
        ]
        return np.asarray((np.stack(place, axis=1) + beyond).astype(np.float32))

    def outline(self, *, start: float = 0.0, end: float | None = None, bulge: float = 0.0) -> Floats:
        """The closed outline between two places along it, the far end bent outwards by `bulge` cm."""
        last = self.length if end is None else end
        t = np.linspace(start, last, 30)
        x, y = np.interp(t, self.along, self.line[:, 0]), np.interp(t, self.along, self.line[:, 1])
        nx, ny = np.interp(t, self.along, self.normal[:, 0]), np.interp(t, self.along, self.normal[:, 1])
        near, far = np.interp(t, self.places, self.near), np.interp(t, self.places, self.far)
        right = np.stack([x + nx * near, y + ny * near], axis=1)
        left = np.stack([x - nx * far, y - ny * far], axis=1)
        cap = self.ring(last, bulge)[1:-1][::-1]
        return np.concatenate([right, cap, left[::-1]]).astype(np.float32)

    def own(self, piece: Piece) -> Piece:
        """The same piece in the tube's coordinates: x is d, y is t."""
        if piece.empty:
            return piece
        # From the second pixel on, the middle of each step; a sliver one pixel wide has only a first.
        pick_rows, pick_columns = (slice(min(1, size - 1), None, _STEP) for size in piece.cover.shape)
        x, y = piece.x[pick_rows, pick_columns], piece.y[pick_rows, pick_columns]
        begin, span = self.line[:-1], np.diff(self.line, axis=0)
        length = np.diff(self.along)
        px, py = x.ravel()[:, None] - begin[None, :, 0], y.ravel()[:, None] - begin[None, :, 1]
        share = (px * span[:, 0] + py * span[:, 1]) / np.square(length)
        held = np.clip(share, 0, 1)
        gap = np.square(px - held * span[:, 0]) + np.square(py - held * span[:, 1])
        nearest = np.argmin(gap, axis=1)
        pick = (np.arange(nearest.size), nearest)
        low = np.where(nearest > 0, 0, -np.inf)  # only the first and last spans reach beyond their ends
        high = np.where(nearest < len(length) - 1, 1, np.inf)
        t = self.along[nearest] + np.clip(share[pick], low, high) * length[nearest]
        d = (px[pick] * span[nearest, 1] - py[pick] * span[nearest, 0]) / length[nearest]
        own_x, own_y = (_spread(field.astype(np.float32).reshape(x.shape), piece.cover.shape) for field in (d, t))
        return replace(piece, x=own_x, y=own_y)

    def rounded(self, depth: float = 1.0) -> Callable[[Floats, Floats], Floats]:
        """For `folds.relief`: the height of the round tube, `depth` times as high as it is wide, without folds."""

        def height(d: Floats, t: Floats) -> Floats:
            near, far = self.half_width(t)
            return tube(d, -far, near, np.float32(0.5 * depth) * (near + far))

        return height

    def cut(self, canvas: Canvas, *, start: float = 0.0, end: float | None = None, bulge: float = 0.0) -> Piece:
        """Its outline cut out of the canvas, in its own coordinates."""
        return self.own(canvas.cut(self.outline(start=start, end=end, bulge=bulge)))


def _spread(field: Floats, shape: tuple[int, int]) -> Floats:
    """Coarse samples to every pixel; the last ones are held to the border."""
    large = enlarge(field, shape, _STEP, Image.Resampling.BILINEAR)
    return np.pad(large, ((0, shape[0] - large.shape[0]), (0, shape[1] - large.shape[1])), "edge")


def make_tube(
    knots: Sequence[Knot], widths: Sequence[tuple[float, float]], far: Sequence[tuple[float, float]] | None = None
) -> Tube:
    """A tube through `knots`; `widths` are (share of its length, half width in cm), `far` for the negative side.

    For a line that runs down the photo the positive side of `d` is the photo's right.
    """
    line = path(knots, closed=False)
    step = np.diff(line, axis=0)
    along = np.concatenate([[0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))]).astype(np.float32)
    ahead = np.gradient(line, axis=0)
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-6)[:, None]
    normal = np.stack([ahead[:, 1], -ahead[:, 0]], axis=1).astype(np.float32)
    share = np.linspace(0, 1, _WIDTHS, dtype=np.float32)
    near = curve_at(widths, share)
    return Tube(line, along, normal, share * along[-1], near, near if far is None else curve_at(far, share))

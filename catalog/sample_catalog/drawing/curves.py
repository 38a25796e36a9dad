"""Smooth outlines and smooth numbers: splines through knots in cm. Knows nothing of garments or pixels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Knot = tuple[float, float] | tuple[float, float, bool]  # x, y in cm; True marks a corner
CORNER = True

_STEPS = 8  # points drawn a span; at 8 a 10 cm span bends by less than a pixel between two of them
_FINE_STEPS = 32  # for numbers whose slope is lit: coarser steps show as bands


def _hermite(steps: int) -> Floats:
    """Cubic Hermite basis: start, tangent leaving it, end, tangent arriving there; (steps, 4)."""
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)
    return np.stack([2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, -2 * t**3 + 3 * t**2, t**3 - t**2], axis=1)


_BASIS, _FINE_BASIS = _hermite(_STEPS), _hermite(_FINE_STEPS)
_FINE_T = np.linspace(0, 1, _FINE_STEPS, endpoint=False, dtype=np.float32)


def _shifted(rows: Floats, by: int) -> Floats:
    """Rows moved round by one place, either way; np.roll takes five times as long on a few rows."""
    moved = np.empty_like(rows)
    if by > 0:
        moved[1:], moved[0] = rows[:-1], rows[-1]
    else:
        moved[:-1], moved[-1] = rows[1:], rows[0]
    return moved


def path(knots: Sequence[Knot], *, closed: bool = True) -> Floats:
    """A smooth line through `knots` (cubic Hermite), (n, 2) float32; a closed one does not repeat its first point."""
    points = np.array([knot[:2] for knot in knots], np.float32)
    sharp = np.array([[len(knot) == 3 and bool(knot[2])] for knot in knots])
    if not closed:
        sharp[0] = sharp[-1] = True
    following = _shifted(points, -1)
    ahead = following - points
    length = np.maximum(np.sqrt(np.square(ahead).sum(axis=1, keepdims=True)), np.float32(1e-4))
    leaving = ahead / length
    arriving, before = _shifted(leaving, 1), _shifted(length, 1)
    smooth = (arriving * length + leaving * before) / (length + before)
    leave = np.where(sharp, leaving, smooth) * length
    arrive = _shifted(np.where(sharp, arriving, smooth), -1) * length
    spans = _BASIS @ np.stack([points, leave, following, arrive], axis=1)  # (n, steps, 2)
    if closed:
        return np.ascontiguousarray(spans.reshape(-1, 2))
    return np.concatenate([spans[:-1].reshape(-1, 2), points[-1:]])


def mirrored(right_half: Sequence[Knot]) -> list[Knot]:
    """A symmetric closed outline from its right half, top middle to bottom middle; knots on x = 0 are not doubled."""
    left: list[Knot] = []
    for knot in reversed(right_half):
        if abs(knot[0]) < 1e-6:
            continue
        left.append((-knot[0], knot[1], True) if len(knot) == 3 and knot[2] else (-knot[0], knot[1]))
    return [*right_half, *left]


def ellipse(x: float, y: float, radius_x: float, radius_y: float, count: int = 28) -> Floats:
    """An ellipse's outline, (count, 2) float32."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], axis=1)


def rounded_box(x: float, y: float, half_width: float, half_height: float, radius: float) -> Floats:
    """A box with round corners about its centre (x, y), (n, 2) float32."""
    quarter = np.linspace(0, np.pi / 2, 6, dtype=np.float32)
    corners = []
    for turn, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        angle = quarter + np.float32(turn * np.pi / 2)
        centre = (x + sx * (half_width - radius), y + sy * (half_height - radius))
        corners.append(np.stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)], axis=1))
    return np.concatenate(corners).astype(np.float32)


def curve_at(knots: Sequence[tuple[float, float]], where: Floats) -> Floats:
    """A smooth function through (place, value) knots in rising places, ends held; float32 in the shape of `where`.

    Source: Fritsch and Butland 1984, the harmonic-mean slopes of monotone cubic interpolation: no overshoot.
    """
    place, value = np.array(knots, np.float32).T
    width = np.diff(place)
    rise = np.diff(value) / width
    slope = np.zeros_like(value)
    slope[0], slope[-1] = rise[0], rise[-1]
    together = rise[:-1] * rise[1:]
    same = together > 0
    slope[1:-1][same] = 2 * together[same] / (rise[:-1] + rise[1:])[same]
    spans = _FINE_BASIS @ np.stack([value[:-1], slope[:-1] * width, value[1:], slope[1:] * width])  # (steps, n)
    at = place[:-1] + width * _FINE_T[:, None]
    line_at, line = np.append(at.T.ravel(), place[-1]), np.append(spans.T.ravel(), value[-1])
    return np.asarray(np.interp(where, line_at, line).astype(np.float32))


def smoothstep(low: float, high: float, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, an S between (or falling, where low > high)."""
    t = np.clip((value - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))

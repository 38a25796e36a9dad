"""The pictures of a training: its curves, and which class was taken for which. Pillow only."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from catalog.vision.contact_sheets import PAPER

PANEL_PX, HEIGHT_PX, LEFT_PX, TOP_PX, BOTTOM_PX = 380, 260, 46, 40, 30
INK, PALE = (32, 34, 38), (176, 180, 186)
COLORS = ((38, 84, 160), (206, 110, 40), (44, 140, 76), (150, 60, 140))
TICKS = 4

Series = tuple[str, Sequence[tuple[float, float]]]  # a name and its (x, y) points


def curves(panels: Sequence[tuple[str, Sequence[Series]]], x_title: str) -> np.ndarray:
    """Line charts side by side, each with a title and named series: (h, w, 3) uint8."""
    sheet = Image.new("RGB", (PANEL_PX * len(panels), HEIGHT_PX), PAPER)
    pen = ImageDraw.Draw(sheet)
    for place, (title, series) in enumerate(panels):
        _panel(pen, place * PANEL_PX, title, [one for one in series if one[1]], x_title)
    return np.asarray(sheet)


def _panel(pen: ImageDraw.ImageDraw, left: int, title: str, series: Sequence[Series], x_title: str) -> None:
    pen.text((left + LEFT_PX, 6), title, INK, ImageFont.load_default(14))
    points = [point for _, line in series for point in line]
    if not points:
        return
    lowest, highest = min(y for _, y in points), max(y for _, y in points)
    if highest - lowest < 1e-6:
        lowest, highest = (0.0, 1.0) if 0 <= lowest <= 1 else (lowest - 0.5, highest + 0.5)
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    width, height = PANEL_PX - LEFT_PX - 14, HEIGHT_PX - TOP_PX - BOTTOM_PX

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + LEFT_PX + width * (x - first) / max(last - first, 1),
            TOP_PX + height * (highest - y) / (highest - lowest),
        )

    _axes(pen, at, (first, last), (lowest, highest), x_title)
    offset = 0.0
    for (name, line), color in zip(series, COLORS, strict=False):
        drawn = [at(x, y) for x, y in line]
        if len(drawn) > 1:
            pen.line(drawn, fill=color, width=2)
        else:
            pen.ellipse((drawn[0][0] - 2, drawn[0][1] - 2, drawn[0][0] + 2, drawn[0][1] + 2), fill=color)
        pen.text((left + LEFT_PX + offset, 24), name, color, ImageFont.load_default(11))
        offset += ImageFont.load_default(11).getlength(name) + 12


def _axes(
    pen: ImageDraw.ImageDraw,
    at: Callable[[float, float], tuple[float, float]],
    across: tuple[float, float],
    up: tuple[float, float],
    x_title: str,
) -> None:
    small = ImageFont.load_default(10)
    for tick in range(TICKS + 1):
        value = up[0] + (up[1] - up[0]) * tick / TICKS
        start, end = at(across[0], value), at(across[1], value)
        pen.line([start, end], fill=PALE)
        pen.text((start[0] - 5, start[1]), f"{value:.2f}", INK, small, anchor="rm")
    for place in across:
        x, y = at(place, up[0])
        pen.text((x, y + 6), f"{place:.0f}", INK, small, anchor="mt")
    middle = (across[0] + across[1]) / 2
    pen.text((at(middle, up[0])[0], at(middle, up[0])[1] + 6), x_title, INK, small, anchor="mt")

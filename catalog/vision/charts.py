"""Small charts for the UI's pages: a table of shares as a picture, and searches with the parts of their scores."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from catalog.vision.contact_sheets import GAP_PX, PAPER

INK, PALE, FULL, RIGHT, WRONG = (32, 34, 38), (120, 124, 130), (38, 84, 160), (44, 140, 76), (206, 110, 40)
CELL_WIDTH_PX, CELL_HEIGHT_PX = 46, 26
LETTERS = 18  # of a name; the rest is cut
TILE_PX, CAPTION_PX, PANEL_PX, BAR_PX = 104, 16, 320, 130
BAR_ROW_PX = 22

NO_LETTER = "\uffff"  # what a font draws for it, a box, it draws for every letter that it has not

Pen = ImageDraw.ImageDraw
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def heat_map(asked: Sequence[str], answered: Sequence[str], shares: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """A table of shares in [0, 1], (len(asked), len(answered)), darker where there is more: (h, w, 3) uint8.

    Percents stand in the cells, what is right is framed, and behind each name stands the count that its row is of. A
    name that no font here can write stands there without its accents, else as its number: "#3" for the third.
    """
    written = {name: _written(name, number) for number, name in enumerate(dict.fromkeys([*asked, *answered]), 1)}
    names = [f"{written[name]} ({count})" for name, count in zip(asked, counts, strict=True)]
    left = 16 + max((_width(name) for name in names), default=0)
    top = 34 + max((_width(written[name]) for name in answered), default=0)
    size = left + len(answered) * CELL_WIDTH_PX + 12, top + len(asked) * CELL_HEIGHT_PX + 12
    sheet = Image.new("RGB", (max(size[0], 260), size[1]), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((8, 6), "asked: down; answered: across; % of the row", PALE, _font(12))
    for column, name in enumerate(answered):
        word = Image.new("RGB", (_width(written[name]) + 2, 18), PAPER)
        ImageDraw.Draw(word).text((0, 1), written[name], INK, _font(13, written[name]))
        turned = word.rotate(90, expand=True)
        place = left + column * CELL_WIDTH_PX + (CELL_WIDTH_PX - turned.width) // 2
        sheet.paste(turned, (place, top - 4 - turned.height))
    for row, name in enumerate(names):
        middle = top + row * CELL_HEIGHT_PX + CELL_HEIGHT_PX // 2
        pen.text((left - 6, middle), name, INK, _font(13, name), anchor="rm")
        for column, other in enumerate(answered):
            _cell(pen, (left + column * CELL_WIDTH_PX, top + row * CELL_HEIGHT_PX), float(shares[row, column]))
            if other == asked[row]:
                corner = (left + column * CELL_WIDTH_PX, top + row * CELL_HEIGHT_PX)
                pen.rectangle((*corner, corner[0] + CELL_WIDTH_PX - 2, corner[1] + CELL_HEIGHT_PX - 2), outline=RIGHT)
    return np.asarray(sheet)


@dataclass(frozen=True)
class Tile:
    """A picture with a word under it; what is right is framed."""

    picture: np.ndarray  # (h, w, 3) uint8
    caption: str
    right: bool = False


@dataclass(frozen=True)
class Part:
    """What one part of the score gave the first result, and what it gave the right one."""

    name: str
    first: float
    right: float


@dataclass(frozen=True)
class Search:
    """One search to be looked at."""

    tiles: Sequence[Tile]
    words: Sequence[str]  # lines beside the tiles
    parts: Sequence[Part]


def searches(shown: Sequence[Search]) -> np.ndarray:
    """Searches, a row each: their pictures, and bars of the parts of the first result's score and the right one's."""
    columns = max(len(search.tiles) for search in shown)
    left = columns * (TILE_PX + GAP_PX) + GAP_PX
    heights = [
        max(TILE_PX + CAPTION_PX, 18 * len(search.words) + BAR_ROW_PX * len(search.parts)) + 3 * GAP_PX
        for search in shown
    ]
    sheet = Image.new("RGB", (left + PANEL_PX, sum(heights) + 26), PAPER)
    pen = ImageDraw.Draw(sheet)
    _key(pen, left + 8)
    top = 24
    for search, height in zip(shown, heights, strict=True):
        for place, tile in enumerate(search.tiles):
            _tile(sheet, pen, GAP_PX + place * (TILE_PX + GAP_PX), top, tile)
        _panel(pen, left + 8, top, search)
        top += height
    return np.asarray(sheet)


def _key(pen: Pen, left: int) -> None:
    for offset, color, words in ((0, WRONG, "first result"), (120, RIGHT, "right product")):
        pen.rectangle((left + offset, 8, left + offset + 10, 18), fill=color)
        pen.text((left + offset + 16, 13), words, INK, _font(13), anchor="lm")


def _tile(sheet: Image.Image, pen: Pen, left: int, top: int, tile: Tile) -> None:
    picture = Image.fromarray(tile.picture)
    picture.thumbnail((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)
    corner = left + (TILE_PX - picture.width) // 2, top + (TILE_PX - picture.height) // 2
    sheet.paste(picture, corner)
    if tile.right:
        pen.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), outline=RIGHT, width=3)
    color = RIGHT if tile.right else PALE
    pen.text((left + TILE_PX // 2, top + TILE_PX + 2), tile.caption, color, _font(12, tile.caption), anchor="mt")


def _panel(pen: Pen, left: int, top: int, search: Search) -> None:
    for line, words in enumerate(search.words):
        pen.text((left, top + 18 * line), words, INK, _font(13, words))
    top += 18 * len(search.words) + 4
    longest = max((value for part in search.parts for value in (part.first, part.right)), default=0.0)
    scale = BAR_PX / max(longest, 1e-6)
    for part in search.parts:
        pen.text((left, top + 9), part.name, INK, _font(13), anchor="lm")
        for offset, value, color in ((0, part.first, WRONG), (9, part.right, RIGHT)):
            start = left + 80
            pen.rectangle((start, top + offset + 1, start + max(1, int(value * scale)), top + offset + 7), fill=color)
        numbers = f"{part.first:.2f} : {part.right:.2f}"
        pen.text((left + 90 + BAR_PX, top + 9), numbers, INK, _font(12), anchor="lm")
        top += BAR_ROW_PX


def _cell(pen: Pen, corner: tuple[int, int], share: float) -> None:
    left, top = corner
    color = tuple(round(255 + (full - 255) * share) for full in FULL)
    pen.rectangle((left, top, left + CELL_WIDTH_PX - 2, top + CELL_HEIGHT_PX - 2), fill=color)
    if share > 0:
        words = f"{100 * share:.0f}" if share >= 0.005 else "<1"
        middle = left + CELL_WIDTH_PX // 2 - 1, top + CELL_HEIGHT_PX // 2 - 1
        pen.text(middle, words, PAPER if share > 0.5 else INK, _font(13), anchor="mm")


def _cut(name: str) -> str:
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"


def _width(words: str) -> int:
    return int(_font(13, words).getlength(words)) + 1


def _written(name: str, number: int) -> str:
    cut = _cut(unicodedata.normalize("NFC", name))
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", cut) if not unicodedata.combining(letter))
    return next((words for words in (cut, bare) if _can_write(_font(13, words), words)), f"#{number}")


def _font(size: int, words: str = "") -> Font:
    """The first font that has every letter of `words`, else Pillow's own."""
    return next((font for font in _fonts(size) if _can_write(font, words)), _fonts(size)[0])


def _can_write(font: Font, words: str) -> bool:
    box = bytes(font.getmask(NO_LETTER))
    return all(bytes(font.getmask(letter)) != box for letter in words)


@cache
def _fonts(size: int) -> tuple[Font, ...]:
    """Pillow's own, of few letters, and DejaVu Sans where the machine has it."""
    own = ImageFont.load_default(size)
    try:
        return own, ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return (own,)

"""One picture of a search: the photo, what was cut out of it, and the results with their scores."""

import textwrap
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from query.results import Hit, SearchResult
from query.text_search import TextHit, TextResult

TILE_PX, GAP_PX, TEXT_PX = 208, 16, 92
LETTERS_A_LINE, LINES_A_TILE = 20, 8
COLUMNS = 6  # the first holds the query, the others the results
PAPER, INK, PALE = (250, 250, 248), (32, 34, 38), (120, 124, 130)
PARTS = (("semantic", (66, 105, 178)), ("texture", (206, 128, 48)), ("color", (88, 150, 92)))


def result_grid(result: SearchResult) -> np.ndarray:
    """Draw a search result: (height, width, 3) uint8."""
    sheet, pen = _sheet(len(result.hits), 2 if result.described else 1)
    if result.described:
        _tile(sheet, pen, 0, 0, Image.fromarray(result.described.photo_hwc))
        _words(pen, 0, 0, ["query", *_route_words(result)])
        _tile(sheet, pen, 1, 0, Image.fromarray(result.described.crop.image_hwc))
        _words(pen, 1, 0, ["cut out", ", ".join(result.described.mask.flags) or "mask without a flag"])
    for place, hit in enumerate(result.hits):
        _item(sheet, pen, place, hit)
        _bars(pen, *_place(place), hit)
    left = GAP_PX
    for name, color in PARTS:
        pen.rectangle((left, sheet.height - 26, left + 12, sheet.height - 14), fill=color)
        pen.text((left + 18, sheet.height - 28), name, INK, _font(13))
        left += 100
    return np.asarray(sheet)


def text_result_grid(result: TextResult) -> np.ndarray:
    """Draw what words found, the words in the query's place: (height, width, 3) uint8."""
    sheet, pen = _sheet(len(result.hits), 1)
    left, top = _corner(0, 0)
    pen.rectangle((left - 1, top - 1, left + TILE_PX, top + TILE_PX), fill=(255, 255, 255), outline=(222, 222, 218))
    for line, words in enumerate(textwrap.wrap(result.words, LETTERS_A_LINE, max_lines=LINES_A_TILE, placeholder=" …")):
        pen.text((left + 8, top + 8 + 24 * line), words, INK, _font(18))
    where = result.categories[0] if len(result.categories) == 1 else "all categories"
    _words(pen, 0, 0, ["words", f"searched in {where}"])
    for place, hit in enumerate(result.hits):
        _item(sheet, pen, place, hit)
        row, column = _place(place)
        left, top = _corner(row, column)
        pen.text((left, top + TILE_PX + 52), f"log-odds {hit.log_odds:.2f}, cosine {hit.cosine:.3f}", INK, _font(13))
    return np.asarray(sheet)


def _sheet(hits: int, least_rows: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    rows = max(least_rows, -(-hits // (COLUMNS - 1)))
    size = COLUMNS * (TILE_PX + GAP_PX) + GAP_PX, rows * (TILE_PX + TEXT_PX) + 2 * GAP_PX + 20
    sheet = Image.new("RGB", size, PAPER)
    return sheet, ImageDraw.Draw(sheet)


def _place(hit: int) -> tuple[int, int]:
    """Row and column of a result's tile; the first column is the query's."""
    row, column = divmod(hit, COLUMNS - 1)
    return row, column + 1


def _item(sheet: Image.Image, pen: ImageDraw.ImageDraw, place: int, hit: Hit | TextHit) -> None:
    row, column = _place(place)
    with Image.open(hit.thumb) as picture:
        _tile(sheet, pen, row, column, picture.convert("RGB"))
    _words(pen, row, column, [f"{hit.rank}. {_title(hit)}", _price(hit)])


def _corner(row: int, column: int) -> tuple[int, int]:
    return GAP_PX + column * (TILE_PX + GAP_PX), GAP_PX + row * (TILE_PX + TEXT_PX)


def _tile(sheet: Image.Image, pen: ImageDraw.ImageDraw, row: int, column: int, picture: Image.Image) -> None:
    left, top = _corner(row, column)
    picture.thumbnail((TILE_PX, TILE_PX), Image.Resampling.BICUBIC)
    pen.rectangle((left - 1, top - 1, left + TILE_PX, top + TILE_PX), fill=(255, 255, 255), outline=(222, 222, 218))
    sheet.paste(picture, (left + (TILE_PX - picture.width) // 2, top + (TILE_PX - picture.height) // 2))


def _words(pen: ImageDraw.ImageDraw, row: int, column: int, lines: Sequence[str]) -> None:
    left, top = _corner(row, column)
    for place, line in enumerate(lines[:2]):
        text, font = line, _font(15 if place == 0 else 13)
        while pen.textlength(text, font) > TILE_PX and len(text) > 2:
            text = text[:-2].rstrip() + "…"
        pen.text((left, top + TILE_PX + 6 + 20 * place), text, INK if place == 0 else PALE, font)


def _bars(pen: ImageDraw.ImageDraw, row: int, column: int, hit: Hit) -> None:
    """The three parts of the score, each a bar; the fused score beside them."""
    left, top = _corner(row, column)
    top += TILE_PX + 50
    for place, (part, color) in enumerate(PARTS):
        value = min(1.0, max(0.0, float(getattr(hit.scored, part))))
        y = top + 8 * place
        pen.rectangle((left, y, left + 140, y + 5), fill=(232, 232, 228))
        pen.rectangle((left, y, left + round(140 * value), y + 5), fill=color)
    pen.text((left + 150, top + 2), f"{hit.scored.score:.3f}", INK, _font(15))


def _route_words(result: SearchResult) -> list[str]:
    if result.route is None:
        return [f"searched in {', '.join(result.categories)}"]
    return [f"routed to {' or '.join(result.categories)}"]


def _title(hit: Hit | TextHit) -> str:
    return str(hit.item["title"] or hit.item["product_id"])


def _price(hit: Hit | TextHit) -> str:
    price = hit.item.get("price")
    money = f"{price:.2f} {hit.item.get('currency', '')}".strip() + " · " if price is not None else ""
    return f"{money}{hit.item['variant'] or hit.item['product_id']}"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

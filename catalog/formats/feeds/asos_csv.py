"""Format `asos_csv`: a row a product with an image list, as exports of ASOS's catalogue have it.

Columns: url, name, size, category, price, color, sku, description, images. What is missing reads "nan". `images` and
`description` are lists in Python's or JSON's notation. In real exports `category` repeats the name and there is no
brand: both are then taken from the description, "Coats & Jackets by New Look...".
"""

import ast
import json
import warnings
from collections.abc import Iterator, Mapping

from catalog.errors import FeedError
from catalog.formats.feeds.delimited import column_key, read_header, read_records
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice, listed, reject
from catalog.records import Reason, Rejection

_COLUMNS = ("url", "name", "size", "category", "price", "color", "sku", "description", "images", "brand")
_NEEDED = ("sku", "images")
_MISSING = ("", "nan", "none", "null")
_DETAILS = "Product Details"
_LONGEST_BRAND = 40  # characters; what is longer under "Brand" is a text about it


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each row as an item. Raises: FeedError, the file can't be read or has no sku or images column."""
    header = read_header(description.path, delimiter=description.delimiter, wanted=_COLUMNS)
    keys = [column_key(c) for c in header.columns]
    for column in (*_NEEDED, *description.where):
        if column not in keys and column not in header.columns:
            raise FeedError(f"{header.path}: no column {column!r}; the feed has {listed(header.columns)}")
    if header.text.remark:
        yield header.text.remark
    for record in read_records(header):
        if isinstance(record, Rejection):
            yield record
        elif choice.keeps(dict(zip(header.columns, record.cells, strict=True))):
            yield _item(dict(zip(keys, record.cells, strict=True)), f"{header.path.name} line {record.line}")


def _item(cells: Mapping[str, str], where: str) -> FeedItem | Rejection:
    def given(key: str) -> str:
        text = cells.get(key, "").strip()
        return "" if text.casefold() in _MISSING else text

    images = _images(given("images"))
    if images is None:
        detail = "`images` is no list of texts: write it as ['https://...', 'https://...'] or in JSON"
        return reject(where, Reason.BROKEN_ROW, detail, product_id=given("sku"))
    details = _details(given("description"))
    kind, _, behind = details.get(_DETAILS, "").partition(" by ")
    category = given("category")
    if category in ("", given("name")) and behind:
        category = kind.strip()
    return FeedItem(
        where=where,
        product_id=given("sku"),
        own_id=given("sku"),
        category=category,
        title=given("name"),
        price=given("price"),
        url=given("url"),
        brand=given("brand") or _brand(details.get("Brand", ""), given("name"), behind),
        color=given("color"),
        images=images,
    )


def _images(text: str) -> tuple[str, ...] | None:
    """The photos in a cell, a list or just one; None where it starts like a list and is none."""
    if not text.startswith(("[", "(")):
        return (text,) if text else ()
    value = _literal(text)
    if not isinstance(value, list | tuple) or not all(isinstance(v, str | None) for v in value):
        return None
    return tuple(v for v in value if v and v.strip().casefold() not in _MISSING)


def _details(text: str) -> dict[str, str]:
    """The description's parts by name, [{'Product Details': ...}, {'Brand': ...}]; none where it is plain text."""
    value = _literal(text) if text.startswith(("[", "{")) else None
    parts = value if isinstance(value, list) else [value]
    return {
        name: part[name]
        for part in parts
        if isinstance(part, dict)
        for name in part
        if isinstance(name, str) and isinstance(part[name], str)
    }


def _brand(given: str, name: str, behind: str) -> str:
    """A short text under "Brand"; else the words that start both the name and the text behind "by".

    The export glues lines together ("by New LookLow-key layering"), so only the name tells where the brand ends.
    """
    if given and len(given) <= _LONGEST_BRAND:
        return given.strip()
    brand = ""
    for word in name.split():
        longer = f"{brand} {word}".strip()
        if not behind.startswith(longer):
            break
        brand = longer
    return brand


def _literal(text: str) -> object:
    """The value that JSON or a Python literal gives, never run as code; None where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of "\d" in a description
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None

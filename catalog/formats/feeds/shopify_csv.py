"""Format `shopify_csv`: a shop's product export from Shopify's admin.

Source: help.shopify.com/en/manual/products/import-export/using-csv, with the header names of both generations
("Handle", "Image Src" and "URL handle", "Product image URL"). A product is a run of rows with one handle. Its first row
has title, type and status; each row may bring a variant, a photo of the product, or both, which need not belong
together.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from catalog.errors import FeedError
from catalog.formats.feeds.delimited import Record, column_key, read_header, read_records
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice, listed, reject
from catalog.records import Reason, Rejection

# Ours = what the two generations call it, by `column_key`.
_COLUMNS = {
    "handle": ("handle", "url_handle"),
    "title": ("title",),
    "vendor": ("vendor",),
    "type": ("type",),
    "category": ("product_category",),
    "published": ("published", "published_on_online_store"),
    "status": ("status",),
    "price": ("variant_price", "price"),
    "image": ("image_src", "product_image_url"),
    "position": ("image_position",),
    "variant_image": ("variant_image", "variant_image_url"),
    **{f"option{n}_name": (f"option{n}_name",) for n in (1, 2, 3)},
    **{f"option{n}_value": (f"option{n}_value",) for n in (1, 2, 3)},
}
_OPTIONS = (1, 2, 3)
_NO_VARIANT = ("title", "default title")  # how Shopify names the option and the value of a product without options
_COLOR = ("color", "colour", "farbe", "couleur", "colore", "kleur")
_ON_SALE = ("", "active")


class _Row(NamedTuple):
    line: int
    cells: dict[str, str]  # by our name
    whole: dict[str, str]  # by the header's own name, for [where]


class _Variant(NamedTuple):
    line: int
    name: str
    color: str
    price: str
    image: str


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each photo as an item, by product: first those of the product as a whole, by position, then those of variants.

    A variant has the photos that its own rows name as variant image; all others belong to the product, variant "".
    [where] looks at a product's first row. Drafts, archived and unpublished products are turned away, once each.
    Raises: FeedError, the file can't be read or has no handle or photo column.
    """
    header = read_header(
        description.path, delimiter=description.delimiter, wanted=[k for keys in _COLUMNS.values() for k in keys]
    )
    places = _places(header.path, header.columns)
    for column in description.where:
        if column not in header.columns:
            raise FeedError(f"{header.path}: no column {column!r}; the feed has {listed(header.columns)}")
    if header.text.remark:
        yield header.text.remark

    def row(record: Record) -> _Row:
        cells = {ours: record.cells[place] for ours, place in places.items()}
        return _Row(record.line, cells, dict(zip(header.columns, record.cells, strict=True)))

    broken: list[Rejection] = []

    def good_rows() -> Iterator[_Row]:
        for record in read_records(header):
            if isinstance(record, Rejection):
                broken.append(record)
            else:
                yield row(record)

    for handle, group in itertools.groupby(good_rows(), key=lambda r: r.cells["handle"].strip()):
        rows = list(group)
        yield from broken
        broken.clear()
        if choice.keeps(rows[0].whole):
            yield from _product_items(handle, rows, header.path.name)
    yield from broken


def _places(path: Path, columns: Sequence[str]) -> dict[str, int]:
    """Which column each of ours stands in."""
    keys = [column_key(c) for c in columns]
    places = {ours: keys.index(k) for ours, known in _COLUMNS.items() for k in known[::-1] if k in keys}
    if "handle" not in places or not {"image", "variant_image"} & places.keys():
        raise FeedError(
            f"{path}: a Shopify export has the columns 'Handle' and 'Image Src' (or 'URL handle' and 'Product image "
            f"URL'); this one has {listed(columns)}"
        )
    return places


def _product_items(handle: str, rows: Sequence[_Row], name: str) -> Iterator[FeedItem | Rejection]:
    first = {ours: _first(rows, ours) for ours in ("title", "vendor", "type", "category", "status", "published")}
    if first["status"].casefold() not in _ON_SALE or first["published"].casefold() == "false":
        state = first["status"].casefold() if first["status"].casefold() not in _ON_SALE else "unpublished"
        detail = f"the product is {state} in the shop: publish it to have it in the catalogue"
        yield reject(f"{name} line {rows[0].line}", Reason.NOT_PUBLISHED, detail, product_id=handle)
        return
    variants = list(_variants(rows))
    colors = {v.color for v in variants}
    whole = FeedItem(  # what holds for every photo of the product
        where=f"{name} line {rows[0].line}",
        product_id=handle,
        category=first["type"] or first["category"].rpartition(">")[2].strip(),
        category_path=first["type"] or first["category"],
        title=first["title"],
        price=next((v.price for v in variants if v.price), ""),
        brand=first["vendor"],
        color=colors.pop() if len(colors) == 1 else "",
    )
    photos = [(row.line, image) for row in sorted(rows, key=_position) if (image := row.cells.get("image", "").strip())]
    of_variants = {v.image for v in variants if v.name and v.image}
    items = [
        replace(whole, where=f"{name} line {line}", images=(image,))
        for line, image in photos
        if image not in of_variants
    ]
    of_product = {image for _, image in photos}
    items += [
        replace(
            whole,
            where=f"{name} line {v.line}",
            variant=v.name,
            price=v.price or whole.price,
            color=v.color,
            images=(v.image,),
        )
        for v in variants
        if v.image and (v.name or v.image not in of_product)
    ]
    yield from items or [whole]


def _variants(rows: Sequence[_Row]) -> Iterator[_Variant]:
    """The rows that bring a variant: with an option's value, or with a price. Option names stand in the first row."""
    names = [_first(rows, f"option{n}_name") for n in _OPTIONS]
    for row in rows:
        values = [row.cells.get(f"option{n}_value", "").strip() for n in _OPTIONS]
        price, image = row.cells.get("price", "").strip(), row.cells.get("variant_image", "").strip()
        if not any(values) and not price and not image:
            continue
        if names[0].casefold() in ("", _NO_VARIANT[0]) and values[0].casefold() in ("", _NO_VARIANT[1]):
            values = ["", *values[1:]]
        color = next((v for n, v in zip(names, values, strict=True) if n.casefold() in _COLOR), "")
        yield _Variant(row.line, " / ".join(v for v in values if v), color, price, image)


def _first(rows: Sequence[_Row], ours: str) -> str:
    return next((text for row in rows if (text := row.cells.get(ours, "").strip())), "")


def _position(row: _Row) -> int:
    """Shopify counts from 1; a photo without a position stands behind the others, in the file's order."""
    text = row.cells.get("position", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1_000_000_000

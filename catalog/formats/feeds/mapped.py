"""Rows whose columns the shop names itself (CSV, JSONL, Parquet) to feed items, by the description's [columns]."""

import math
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from catalog.errors import FeedError
from catalog.formats.feeds.description import OUR_COLUMNS, FeedDescription
from catalog.formats.feeds.items import MAX_FIELD_CHARS, FeedItem, listed, reject
from catalog.formats.feeds.toml_tables import did_you_mean
from catalog.records import Reason, Rejection

_REQUIRED = ("product_id", "category")


class UnreadableValueError(ValueError):
    """A value that is no text or number, or is far too long: it breaks its row and no other."""


def effective_columns(description: FeedDescription, present: Collection[str]) -> dict[str, str]:
    """Ours = theirs: [columns], or, where there is none, those columns of the feed that are named like ours.

    Raises: FeedError, a named column that the feed doesn't have, or none for what every row needs.
    """
    columns = dict(description.columns) or {ours: ours for ours in OUR_COLUMNS if ours in present}
    for column in (*columns.values(), *description.where):
        if column not in present:
            raise _no_such_column(description, column, present)
    missing = [ours for ours in _REQUIRED if ours not in columns]
    if "image" not in columns and "images" not in columns:
        missing.append("image")
    if missing:
        raise FeedError(
            f"{description.path}: no column is named {' or '.join(missing)}: say which of the feed's is meant, "
            f"in a feed description's [columns]; the feed has {listed(present)}"
        )
    return columns


def wanted_columns(description: FeedDescription) -> list[str]:
    """Every column of the feed that may be asked for, once each."""
    return list(dict.fromkeys((*(description.columns.values() or OUR_COLUMNS), *description.where)))


def mapped_item(
    row: Mapping[str, object], columns: Mapping[str, str], separator: str, where: str
) -> FeedItem | Rejection:
    """One row as an item; a value that can't be read makes it a Rejection."""
    try:
        texts = {ours: as_text(row.get(theirs)) for ours, theirs in columns.items() if ours not in ("images", "price")}
        images = [texts.get("image", "")]
        if "images" in columns:
            images.extend(_images(row.get(columns["images"]), separator))
        price = _price(row.get(columns["price"])) if "price" in columns else ""
    except UnreadableValueError as error:
        return reject(where, Reason.BROKEN_ROW, str(error))
    return FeedItem(
        where=where,
        product_id=texts["product_id"],
        variant=texts.get("variant", ""),
        category=texts["category"],
        title=texts.get("title", ""),
        price=price,
        currency=texts.get("currency", ""),
        url=texts.get("url", ""),
        brand=texts.get("brand", ""),
        availability=texts.get("availability", ""),
        color=texts.get("color", ""),
        pattern=texts.get("pattern", ""),
        images=tuple(i for i in images if i.strip()),
        image_sha256=texts.get("image_sha256", ""),
        mask=texts.get("mask", ""),
    )


def as_text(value: object) -> str:
    """A cell as the text that the shop meant: 123 and 123.0 (an id that pandas once held as a float) are "123".

    Raises: UnreadableValueError, a list, a table, bytes that are not UTF-8, or more than `MAX_FIELD_CHARS`.
    """
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableValueError(f"a text is not UTF-8 at its byte {error.start}") from error
    if isinstance(value, str):
        if len(value) > MAX_FIELD_CHARS:
            raise UnreadableValueError(f"a text of {len(value)} characters: at most {MAX_FIELD_CHARS} are read")
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else str(value)
    raise UnreadableValueError(f"a {type(value).__name__} stands where one text or number is wanted")


def _images(value: object, separator: str) -> Iterable[str]:
    if isinstance(value, list | tuple):
        return [as_text(v) for v in value]
    text = as_text(value)
    return text.split(separator) if separator else [text]


def _price(value: object) -> str | float:
    """Numbers stay numbers: their text could be taken for one with thousands."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return math.inf
    return as_text(value)


def _no_such_column(description: FeedDescription, column: str, present: Collection[str]) -> FeedError:
    return FeedError(
        f"{description.path}: no column {column!r}{did_you_mean(column, present)}; the feed has {listed(present)}"
    )

"""Format `jsonl`: a JSON object a line, its keys named by the feed description."""

import json
from collections.abc import Iterator
from decimal import Decimal

from catalog.formats.feeds.decoding import survey, text_lines
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice, reject
from catalog.formats.feeds.mapped import (
    UnreadableValueError,
    as_text,
    effective_columns,
    mapped_item,
    wanted_columns,
)
from catalog.records import Reason, Rejection

_KEYS_KEPT = 200  # for the error that names the feed's keys


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each line as an item; a key that a line lacks is "not given". A broken last line without an end was cut short.

    Raises: FeedError, the file can't be read, or, at its end, no line has a key that the description names.
    """
    path = description.path
    text = survey(path)
    if text.remark:
        yield text.remark
    wanted = wanted_columns(description)
    seen: dict[str, None] = {}
    some = False
    for number, line in text_lines(path, text.name):
        where = f"{path.name} line {number}"
        if line is not None and not line.strip():
            continue
        row = _object(line)
        if isinstance(row, str):
            cut = line is not None and not line.endswith(("\n", "\r"))
            yield reject(where, Reason.CUT_SHORT if cut else Reason.BROKEN_ROW, row)
            continue
        some = True
        if len(seen) < _KEYS_KEPT:
            seen.update(dict.fromkeys(row))
        seen.update({key: None for key in wanted if key in row})
        if not description.where or choice.keeps(_texts(row, description)):
            yield mapped_item(row, _columns(description), description.images_separator, where)
    if some:
        effective_columns(description, seen)


def _columns(description: FeedDescription) -> dict[str, str]:
    return dict(description.columns) or {ours: ours for ours in wanted_columns(description)}


def _object(line: str | None) -> dict[str, object] | str:
    """The line's object, or what is wrong with it."""
    if line is None:
        return "the line is longer than any feed's"
    try:
        row = json.loads(line, parse_float=Decimal)  # Decimal keeps 19.90 and an id such as 1.10 as they are written
    except json.JSONDecodeError as error:
        return f"no JSON: {error.msg} at character {error.colno}: write one object a line"
    except (ValueError, RecursionError, ArithmeticError) as error:
        return f"no JSON that can be read ({type(error).__name__}): write one object a line"
    return row if isinstance(row, dict) else "no JSON object: write one object, {...}, a line"


def _texts(row: dict[str, object], description: FeedDescription) -> dict[str, str]:
    texts = {}
    for column in description.where:
        try:
            texts[column] = as_text(row.get(column))
        except UnreadableValueError:
            texts[column] = ""
    return texts

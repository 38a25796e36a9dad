"""Format `parquet`: a Parquet table, its columns named by the feed description."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import FeedError
from catalog.formats.feeds.decoding import regular_file
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice, reject
from catalog.formats.feeds.mapped import UnreadableValueError, as_text, effective_columns, mapped_item
from catalog.records import Reason, Rejection

_BATCH_ROWS = 4096


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each row as an item, a batch of them in memory at a time.

    Raises: FeedError, no Parquet that can be read, a column that is not there or of a type that is no text or number.
    """
    path = description.path
    regular_file(path)
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            columns = effective_columns(description, schema.names)
            wanted = list(dict.fromkeys((*columns.values(), *description.where)))
            for theirs in wanted:
                _check_type(description, schema, theirs)
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=wanted):
                table = {name: _as_python(batch.column(name)) for name in wanted}
                for row in range(batch.num_rows):
                    number += 1
                    cells = {name: table[name][row] for name in wanted}
                    where = f"{path.name} row {number}"
                    try:
                        kept = choice.keeps({column: as_text(cells[column]) for column in description.where})
                    except UnreadableValueError as error:
                        yield reject(where, Reason.BROKEN_ROW, str(error))
                        continue
                    if kept:
                        yield mapped_item(cells, columns, description.images_separator, where)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FeedError(f"{path}: no Parquet that can be read: {' '.join(str(error).split())[:300]}") from error


def _check_type(description: FeedDescription, schema: Any, column: str) -> None:
    if schema.names.count(column) > 1:
        raise FeedError(f"{description.path}: column {column!r} stands more than once: rename all but one")
    kind = schema.field(column).type
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    if column == description.columns.get("images", "images") and _is_list(inner):
        inner = inner.value_type
    if not (_is_bytes(inner) or _is_number(inner) or pa.types.is_null(inner)):
        raise FeedError(f"{description.path}: column {column!r} is of type {kind}, but text or a number is wanted")


def _as_python(array: Any) -> list[Any]:
    """Python values; text as bytes, so that one text that is no UTF-8 breaks its own row and no other."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if _is_list(array.type) and _is_bytes(array.type.value_type):
        array = array.cast(pa.large_list(pa.large_binary()))
    elif _is_bytes(array.type):
        array = array.cast(pa.large_binary())
    values: list[Any] = array.to_pylist()
    return values


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_bytes(kind: Any) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def _is_number(kind: Any) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind))

"""Format `csv`: any table in text, its columns named by the feed description."""

from collections import Counter
from collections.abc import Iterator

from catalog.errors import FeedError
from catalog.formats.feeds.delimited import read_header, read_records
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice
from catalog.formats.feeds.mapped import effective_columns, mapped_item, wanted_columns
from catalog.records import Rejection

_DEFAULT_SEPARATOR = "|"


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each row as an item. Raises: FeedError, the file can't be read or lacks a column."""
    header = read_header(description.path, delimiter=description.delimiter, wanted=wanted_columns(description))
    columns = effective_columns(description, [c for c in header.columns if c])
    for column, count in Counter(header.columns).items():
        if count > 1 and column in (*columns.values(), *description.where):
            raise FeedError(f"{header.path}: column {column!r} stands {count} times in the header: rename all but one")
    if header.text.remark:
        yield header.text.remark
    separator = description.images_separator or _DEFAULT_SEPARATOR
    for record in read_records(header):
        if isinstance(record, Rejection):
            yield record
            continue
        row = dict(zip(header.columns, record.cells, strict=True))
        if choice.keeps(row):
            yield mapped_item(row, columns, separator, f"{header.path.name} line {record.line}")

"""Format `google_merchant_tsv`: Google's product feed as a text table, usually tab-delimited.

Source: additional_image_link takes several URLs a comma apart, a comma inside one is written %2C
(support.google.com/merchants/answer/6324370); headers may be "image_link", "image link" or "g:image_link".
"""

from collections.abc import Iterator

from catalog.errors import FeedError
from catalog.formats.feeds.delimited import column_key, read_header, read_records
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.google_merchant import ATTRIBUTES, merchant_item
from catalog.formats.feeds.items import FeedItem, RowChoice, listed
from catalog.records import Rejection

_NEEDED = ("id", "image_link")


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each row as an item. Raises: FeedError, the file can't be read or has no id or image_link column."""
    header = read_header(description.path, delimiter=description.delimiter, wanted=ATTRIBUTES)
    keys = [column_key(c) for c in header.columns]
    for column in (*_NEEDED, *description.where):
        if column not in keys and column not in header.columns:
            raise FeedError(f"{header.path}: no column {column!r}; the feed has {listed(header.columns)}")
    if header.text.remark:
        yield header.text.remark
    for record in read_records(header):
        if isinstance(record, Rejection):
            yield record
            continue
        if not choice.keeps(dict(zip(header.columns, record.cells, strict=True))):
            continue
        attributes: dict[str, list[str]] = {}
        for key, cell in zip(keys, record.cells, strict=True):  # an attribute's column may stand several times
            if key in ATTRIBUTES:
                attributes.setdefault(key, []).append(cell)
        more = [url for cell in attributes.get("additional_image_link", ()) for url in cell.split(",")]
        yield merchant_item(attributes, more, f"{header.path.name} line {record.line}")

"""Which format a feed is in, told from its name and header alone, for a feed that comes without a description."""

from pathlib import Path

from catalog.errors import FeedError
from catalog.formats.feeds.delimited import column_key, read_header

FORMATS = (
    "csv",
    "jsonl",
    "parquet",
    "folders",
    "google_merchant_xml",
    "google_merchant_tsv",
    "shopify_csv",
    "asos_csv",
)
_BY_EXTENSION = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xml": "google_merchant_xml",
    ".rss": "google_merchant_xml",
    ".atom": "google_merchant_xml",
}
_DELIMITED = (".csv", ".tsv", ".tab", ".txt")
# By `column_key`: a header that has one column of each group is of this format. Tried in this order.
_TELLING = (
    (
        "shopify_csv",
        (("handle", "url_handle"), ("image_src", "product_image_url", "variant_image", "variant_image_url")),
    ),
    ("google_merchant_tsv", (("id",), ("image_link",))),
    ("asos_csv", (("sku",), ("images",))),
)


def tell_format(path: Path) -> str:
    """One of `FORMATS`. Raises: FeedError, the file can't be read or its extension is none we know."""
    if path.is_dir():
        return "folders"
    extension = path.suffix.lower()
    if extension in _BY_EXTENSION:
        return _BY_EXTENSION[extension]
    if extension not in _DELIMITED:
        known = ", ".join((".toml", *_DELIMITED, *_BY_EXTENSION))
        raise FeedError(f"{path}: no feed format has the extension {extension!r}: known are {known}, and folders")
    wanted = [key for _, groups in _TELLING for group in groups for key in group]
    found = {column_key(c) for c in read_header(path, wanted=wanted).columns}
    for name, groups in _TELLING:
        if all(found.intersection(group) for group in groups):
            return name
    return "csv"

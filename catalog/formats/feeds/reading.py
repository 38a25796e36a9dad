"""Reading a feed: from its description to catalogue rows and named rejections, whatever its format."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.errors import FeedError
from catalog.formats.feeds import (
    asos_csv,
    folders,
    google_merchant_tsv,
    google_merchant_xml,
    mapped_csv,
    mapped_jsonl,
    mapped_parquet,
    shopify_csv,
)
from catalog.formats.feeds.assembly import Assembly
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice
from catalog.formats.feeds.photos import photo_locator
from catalog.records import CatalogRow, Outcome, Rejection

READERS: dict[str, Callable[[FeedDescription, RowChoice], Iterator[FeedItem | Rejection]]] = {
    "csv": mapped_csv.read_items,
    "jsonl": mapped_jsonl.read_items,
    "parquet": mapped_parquet.read_items,
    "folders": folders.read_items,
    "google_merchant_xml": google_merchant_xml.read_items,
    "google_merchant_tsv": google_merchant_tsv.read_items,
    "shopify_csv": shopify_csv.read_items,
    "asos_csv": asos_csv.read_items,
}


@dataclass(frozen=True)
class FeedContents:
    """What a feed gives, rows in the feed's order; each photo is in one of the two, or in both with outcome KEPT."""

    rows: tuple[CatalogRow, ...]
    rejected: tuple[Rejection, ...]


def read_feed(description: FeedDescription) -> FeedContents:
    """Read the feed, a row a photo. No photo is opened; one that is to be fetched has no `image_path` yet.

    Raises: FeedError, one line: the feed can't be read at all, or not one of its rows can be used.
    """
    assembly = Assembly(
        photo_locator(
            description.photos, tuple(description.photo_urls.items()), download=description.download is not None
        ),
        description.categories,
        description.currency,
    )
    choice = RowChoice(description.where)
    for found in READERS[description.format](description, choice):
        assembly.add(found)
    if not assembly.rows:
        raise FeedError(f"{description.path}: {_why_nothing(assembly, choice)}")
    return FeedContents(tuple(assembly.rows), tuple(assembly.rejected))


def _why_nothing(assembly: Assembly, choice: RowChoice) -> str:
    if assembly.entries == 0 and choice.passed_over:
        return f"none of {choice.passed_over} rows has {choice}: mend [where]"
    if assembly.entries == 0:
        return "the feed has no rows"
    turned_away = [r for r in assembly.rejected if r.outcome is Outcome.REJECTED]
    counts = ", ".join(f"{n} {reason}" for reason, n in Counter(r.reason.value for r in turned_away).most_common())
    first = turned_away[0]
    return f"0 of {assembly.entries} rows can be used: {counts}; first: {first.where}: {first.detail}"

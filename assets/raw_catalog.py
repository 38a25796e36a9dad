"""The shop's feed as one typed table: what every later stage starts from; and its labelled queries."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from assets import acceptance, reporting, web_photos
from assets.retrying import retried
from catalog.errors import ImageError, LookbookError
from catalog.formats import tables
from catalog.formats.feeds import category_refresh
from catalog.formats.feeds.content import content_digest
from catalog.formats.feeds.decoding import ends_in_line_end
from catalog.formats.feeds.description import DELIMITED_FORMATS, FeedDescription
from catalog.formats.feeds.reading import FeedContents, read_feed
from catalog.records import CatalogRow, Outcome, Reason, Rejection
from resources.baseline import Baseline
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.inference import each
from resources.photo_digests import PhotoDigests
from resources.progress import Progress

STAGE, QUERIES = "raw_catalog", "labelled_queries"
FEED_SHA256 = "feed_sha256"  # in the metadata: the content that was read, all of it, for who watches the feed


class ReadFeed(dg.Config):
    """How `raw_catalog` is read."""

    categories: list[str] = Field([], description="Only these anew, the rest of the catalogue as it stands. None: all.")
    accept_changes: bool = Field(False, description=acceptance.ACCEPT)


def raw_catalog_asset(*, drawn: bool) -> dg.AssetsDefinition:
    """The asset `raw_catalog`; where the feed is the drawn shop's, it reads after that was drawn."""

    @dg.asset(
        name=STAGE,
        deps=["sample_catalog"] if drawn else [],
        group_name="feed",
        kinds={"parquet"},
        owners=["team:catalog"],
    )
    @retried
    def raw_catalog(
        config: ReadFeed, feed: Feed, data_lake: DataLake, progress: Progress, baseline: Baseline
    ) -> dg.MaterializeResult:
        """The shop's feed as one typed table, a row a photo of a variant of a product.

        What can't be used is in the rejected table with its reason; a product keeps the shop's own id. Materialize it
        to read the feed again: what has not changed since costs nothing further on. `categories`, in the launchpad,
        reads only those anew; `accept_changes` takes a feed that has changed beyond the limits.
        """
        started = time.perf_counter()
        description = feed.describe()
        content = content_digest(description, Path(feed.home))  # before it is read: a change in between is seen as one
        contents = read_feed(description)
        line_end = description.format not in DELIMITED_FORMATS or ends_in_line_end(description.path)
        contents = acceptance.with_lost_line_end(baseline, feed.feed, contents, there=line_end)
        if not (config.accept_changes or config.categories):
            acceptance.refuse_another_feed(baseline, contents)
        found = _read_rows(STAGE, contents, description, feed, data_lake, progress, config.categories)
        rows, rejected = found.rows, found.rejected
        accepted = acceptance.accept(baseline, rows, rejected) if config.accept_changes else ""
        if not rows:
            first = next(row for row in rejected if row.outcome is Outcome.REJECTED)
            raise LookbookError(f"{description.path}: not one photo can be read; the first: {first.detail}")
        if not config.categories:
            baseline.note_line_end(feed.feed, there=line_end)
        return _result(
            STAGE,
            rows,
            rejected,
            data_lake,
            started,
            {
                "feed": dg.MetadataValue.path(str(description.path)),
                "format": description.format,
                "photos": len(rows),
                "products": len({row["product_id"] for row in rows}),
                "variants": len({(row["product_id"], row["variant"]) for row in rows}),
                "by_category": reporting.by_category(rows, itemgetter("category")),
                **({"accepted": accepted} if accepted else {}),
                **({"read_anew": ", ".join(config.categories)} if config.categories else {FEED_SHA256: content}),
                **found.metadata,
            },
        )

    return raw_catalog


def labelled_queries_asset(*, drawn: bool) -> dg.AssetsDefinition:
    """The asset `labelled_queries`; where the feed is the drawn shop's, it reads after that was drawn."""

    @dg.asset(
        name=QUERIES,
        deps=["sample_catalog"] if drawn else [],
        group_name="queries",
        kinds={"parquet"},
        owners=["team:search"],
    )
    @retried
    def labelled_queries(feed: Feed, data_lake: DataLake, progress: Progress) -> dg.MaterializeResult:
        """Query photos whose product is known, as the feed's [queries] names them: what the benchmark and gate ask.

        Empty where the feed names none; a photo that can't be used is in the rejected table with its reason.
        """
        started = time.perf_counter()
        queries = feed.describe().queries
        if queries is None:
            data_lake.write_rejected(QUERIES, [])
            return _result(QUERIES, [], [], data_lake, started, {"photos": 0})
        found = _read_rows(QUERIES, read_feed(queries), queries, feed, data_lake, progress)
        metadata = {"queries_feed": dg.MetadataValue.path(str(queries.path)), "photos": len(found.rows)}
        return _result(QUERIES, found.rows, found.rejected, data_lake, started, {**metadata, **found.metadata})

    return labelled_queries


@dataclass(frozen=True)
class _Read:
    """A feed's rows as its table has them, what was turned away, and what to tell of both."""

    rows: list[dict[str, Any]]
    rejected: list[Rejection]
    metadata: dict[str, Any]


def _read_rows(
    stage: str,
    contents: FeedContents,
    description: FeedDescription,
    feed: Feed,
    data_lake: DataLake,
    progress: Progress,
    categories: Sequence[str] = (),
) -> _Read:
    """Fetch the web photos of a feed, or of some of its categories, take every photo's digest; write what is rejected.

    Raises: FeedError for a category that is nowhere.
    """
    wanted: Sequence[CatalogRow] = contents.rows
    standing: list[dict[str, Any]] = []
    anew: set[str] = set()
    if categories:
        standing = tables.read(data_lake.table(stage), tables.RAW_CATALOG)
        anew = category_refresh.products_of(
            category_refresh.find_categories(categories, contents.rows, standing), contents.rows, standing
        )
        wanted = [row for row in contents.rows if row.product_id in anew]
    brought = web_photos.bring(wanted, description.download, data_lake.photo_store(stage), progress.bar(stage))
    known = data_lake.photo_digests(stage)
    found = _photo_digests(brought.rows, known)
    known.save(forget=not categories)
    rows, unreadable = [], []
    for row, digest in zip(brought.rows, found, strict=True):
        if isinstance(digest, ImageError):
            unreadable.append(web_photos.rejection(row, Reason(digest.reason), digest.detail))
        else:
            rows.append(_table_row(row, digest, feed))
    rejected = [replace(row, stage=stage) for row in [*contents.rejected, *brought.rejected, *unreadable]]
    if categories:
        rows = category_refresh.merged(rows, standing, anew, (row.product_id for row in contents.rows))
        untouched = {row["product_id"] for row in rows} - anew
        before = [Rejection(**row) for row in data_lake.read_rejected(stage)]
        rejected = [row for row in rejected if row.product_id not in untouched]
        rejected += [row for row in before if row.product_id in untouched]
    data_lake.write_rejected(stage, rejected)
    return _Read(rows, rejected, {**brought.metadata, "photos_read": known.read})


def _result(
    stage: str,
    rows: Sequence[Mapping[str, Any]],
    rejected: Sequence[Rejection],
    data_lake: DataLake,
    started: float,
    metadata: Mapping[str, Any],
) -> dg.MaterializeResult:
    """Write the stage's table, and say what is in it."""
    path = data_lake.table(stage)
    table = tables.write(path, tables.RAW_CATALOG, rows)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(tables.content_digest(table, leave_out=["image_path", "mask_path"])),
        metadata={
            **metadata,
            "rejected": sum(row.outcome is Outcome.REJECTED for row in rejected),
            "kept_with_remark": sum(row.outcome is Outcome.KEPT for row in rejected),
            **({"rejected_by_reason": reporting.reasons(rejected)} if rejected else {}),
            "seconds": round(time.perf_counter() - started, 2),
            **reporting.size(path),
        },
    )


def _photo_digests(rows: Sequence[CatalogRow], known: PhotoDigests) -> list[str | ImageError]:
    """Of every row, in order; only what has to be read is worth a thread."""
    found: list[str | ImageError] = [known.remembered(row.image_path) for row in rows]
    unread = [place for place, digest in enumerate(found) if not digest or rows[place].image_sha256]
    read = each(lambda place: _photo_digest(rows[place], known), unread)
    for place, digest in zip(unread, read, strict=True):
        found[place] = digest
    return found


def _photo_digest(row: CatalogRow, known: PhotoDigests) -> str:
    try:
        digest = known.of(row.image_path)
    except OSError as error:
        raise ImageError(Reason.IMAGE_NOT_FOUND, f"{row.image}: can't be read ({error.strerror})") from error
    if row.image_sha256 not in ("", digest):
        raise ImageError(
            Reason.OTHER_CONTENT, f"the feed's image_sha256 is {row.image_sha256}, the photo's is {digest}"
        )
    return digest


def _table_row(row: CatalogRow, image_sha256: str, feed: Feed) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in tables.RAW_CATALOG.names}
    values["image_path"] = feed.relative(row.image_path)
    values["mask_path"] = feed.relative(row.mask_path)
    return {**values, "image_sha256": image_sha256}

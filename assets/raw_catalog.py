"""The shop's feed as one typed table: what every later stage starts from. The drawn sample shop lives here too."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import dagster as dg

from assets import reporting, web_photos
from assets.retrying import retried
from catalog.errors import ImageError, LookbookError
from catalog.formats import atomic, digests, tables
from catalog.formats.feeds.content import content_digest
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.reading import read_feed
from catalog.records import CatalogRow, Outcome, Reason, Rejection
from catalog.sample_catalog.write import write_sample_catalog
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.inference import cores, each
from resources.photo_digests import PhotoDigests
from resources.progress import Progress

STAGE, QUERIES = "raw_catalog", "labelled_queries"
FEED_SHA256 = "feed_sha256"  # in the metadata: the content that was read, for who watches the feed
SAMPLE_SEED, SAMPLE_PRODUCTS, SAMPLE_QUERIES = 7, 700, 160
SAMPLE_FEED_TOML = """\
# The drawn sample shop, described like any other feed.
format = "csv"
path = "feed.csv"
photos = "."

[queries] # known products, as a phone would take them
path = "queries.csv"
"""


@dg.asset(group_name="feed", kinds={"python", "csv"}, owners=["team:catalog"])
def sample_catalog(data_lake: DataLake, progress: Progress) -> dg.MaterializeResult:
    """A shop, drawn: products, phone photos of some of them, exact masks and labels. Same seed, same bytes.

    Only a home without a feed of its own has this asset. `lookbook build --feed FILE` takes its place.
    """
    started = time.perf_counter()
    folder = data_lake.sample_catalog
    summary = write_sample_catalog(
        folder,
        seed=SAMPLE_SEED,
        products=SAMPLE_PRODUCTS,
        queries=SAMPLE_QUERIES,
        workers=cores(),
        progress=progress.bar("sample_catalog"),
    )
    atomic.write_text(folder / "feed.toml", SAMPLE_FEED_TOML)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(_folder_digest(folder)),
        metadata={**asdict(summary), "seed": SAMPLE_SEED, "seconds": round(time.perf_counter() - started, 1)},
    )


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
    def raw_catalog(feed: Feed, data_lake: DataLake, progress: Progress) -> dg.MaterializeResult:
        """The shop's feed as one typed table, a row a photo of a variant of a product.

        What can't be used is in the rejected table with its reason; a product keeps the shop's own id. Materialize it
        to read the feed again: what has not changed since costs nothing further on.
        """
        started = time.perf_counter()
        description = feed.describe()
        content = content_digest(description)  # before it is read: a change in between is seen as one
        rows, rejected, fetched = _read_rows(STAGE, description, feed, data_lake, progress)
        if not rows:
            first = next(row for row in rejected if row.outcome is Outcome.REJECTED)
            raise LookbookError(f"{description.path}: not one photo can be read; the first: {first.detail}")
        photos = Counter(row["category"] for row in rows)
        products = Counter(category for category, _ in {(row["category"], row["product_id"]) for row in rows})
        return _result(
            STAGE,
            rows,
            rejected,
            data_lake,
            started,
            {
                "feed": dg.MetadataValue.path(str(description.path)),
                FEED_SHA256: content,
                "format": description.format,
                "photos": len(rows),
                "products": len({row["product_id"] for row in rows}),
                "variants": len({(row["product_id"], row["variant"]) for row in rows}),
                "by_category": reporting.table(
                    [{"category": name, "products": products[name], "photos": photos[name]} for name in sorted(photos)]
                ),
                **fetched,
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
        rows, rejected, fetched = _read_rows(QUERIES, queries, feed, data_lake, progress)
        return _result(
            QUERIES,
            rows,
            rejected,
            data_lake,
            started,
            {"queries_feed": dg.MetadataValue.path(str(queries.path)), "photos": len(rows), **fetched},
        )

    return labelled_queries


def _read_rows(
    stage: str, description: FeedDescription, feed: Feed, data_lake: DataLake, progress: Progress
) -> tuple[list[dict[str, Any]], list[Rejection], dict[str, Any]]:
    """Read a feed, fetch its web photos, and take every photo's digest.

    Returns: the table's rows, the rejected ones, which are written, and metadata on what was fetched.
    """
    contents = read_feed(description)
    brought = web_photos.bring(contents.rows, description.download, data_lake.photo_store(stage), progress.bar(stage))
    rows, unreadable = [], []
    known = data_lake.photo_digests(stage)
    found = each(lambda row: _photo_digest(row, known), brought.rows)
    known.save()
    for row, digest in zip(brought.rows, found, strict=True):
        if isinstance(digest, ImageError):
            unreadable.append(web_photos.rejection(row, Reason(digest.reason), digest.detail))
        else:
            rows.append(_table_row(row, digest, feed))
    rejected = [replace(row, stage=stage) for row in [*contents.rejected, *brought.rejected, *unreadable]]
    data_lake.write_rejected(stage, rejected)
    return rows, rejected, {**brought.metadata, "photos_read": known.read}


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
    values = asdict(row)
    values["image_path"] = feed.relative(row.image_path)
    values["mask_path"] = feed.relative(row.mask_path)
    return {**values, "image_sha256": image_sha256}


def _folder_digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return digests.of_values([[file.relative_to(folder).as_posix(), digests.of_file(file)] for file in files])

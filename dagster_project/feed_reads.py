"""When the feed was read, as Dagster recorded it: what the sensor on the feed and the bundle's freshness go by."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from assets.raw_catalog import FEED_SHA256

RAW_CATALOG = dg.AssetKey("raw_catalog")
PAGE = 20


@dataclass(frozen=True)
class FeedRead:
    """One time that `raw_catalog` read the feed."""

    run_id: str
    at: float  # seconds since 1970
    digest: str  # of the feed's content; "" where only some categories of it were read


def last_read(instance: dg.DagsterInstance) -> FeedRead | None:
    """The last time that the feed was read, whole or not."""
    return next(_reads(instance, page=1), None)


def last_whole_read(instance: dg.DagsterInstance) -> FeedRead | None:
    """The last time that the feed was read with all its categories."""
    return next((read for read in _reads(instance, page=PAGE) if read.digest), None)


def _reads(instance: dg.DagsterInstance, page: int) -> Iterator[FeedRead]:
    """Newest first."""
    cursor, more = None, True
    while more:
        found = instance.fetch_materializations(RAW_CATALOG, limit=page, cursor=cursor)
        for record in found.records:
            told = record.asset_materialization
            digest = told.metadata.get(FEED_SHA256) if told else None
            yield FeedRead(record.run_id, record.timestamp, str(digest.value) if digest else "")
        cursor, more = found.cursor, found.has_more

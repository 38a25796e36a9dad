"""A feed's web photos as rows: each with the file that was fetched for it, or turned away by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalog.formats.feeds.download_rules import DownloadRules
from catalog.formats.feeds.photos import web_address
from catalog.records import CatalogRow, Outcome, Reason, Rejection
from resources.downloads import Fetched, fetch_photos, wanted_urls
from resources.photo_store import PhotoStore

STAGE = "raw_catalog"  # who reads the rows sets its own


@dataclass(frozen=True)
class Brought:
    """Rows whose photos are all on this machine, what was turned away or remarked, and metadata."""

    rows: Sequence[CatalogRow]
    rejected: Sequence[Rejection] = ()
    metadata: dict[str, Any] = field(default_factory=dict)


def bring(
    rows: Sequence[CatalogRow],
    rules: DownloadRules | None,
    store: PhotoStore,
    progress: Callable[[int, int], None],
) -> Brought:
    """Fetch the photos of rows that have none here. A photo that fails now but came before stays, with a remark."""
    waiting = [row for row in rows if not row.image_path]
    if rules is None or not waiting:
        return Brought(rows)
    pins = wanted_urls((web_address(row.image), row.image_sha256) for row in waiting)
    fetched = fetch_photos(pins, rules, store, progress)
    here, rejected = [], []
    for row in rows:
        if row.image_path:
            here.append(row)
            continue
        had = fetched.photos[web_address(row.image)]
        if had.path is not None:
            here.append(replace(row, image_path=str(had.path)))
        if had.failure is not None:
            outcome = Outcome.REJECTED if had.path is None else Outcome.KEPT
            kept = "" if had.path is None else "the photo that was fetched earlier is used: "
            rejected.append(rejection(row, Reason(had.failure.reason), kept + had.failure.detail, outcome))
    return Brought(here, rejected, _metadata(fetched))


def rejection(row: CatalogRow, reason: Reason, detail: str, outcome: Outcome = Outcome.REJECTED) -> Rejection:
    """A row of the rejected table for one photo of the feed."""
    return Rejection(
        stage=STAGE,
        reason=reason,
        outcome=outcome,
        detail=detail,
        where=f"photo {row.image_index} of {row.product_id!r}",
        product_id=row.product_id,
        variant=row.variant,
        image=row.image,
    )


def _metadata(fetched: Fetched) -> dict[str, Any]:
    return {
        "downloaded": fetched.downloaded,
        "not_modified": fetched.not_modified,
        "not_asked": fetched.not_asked,
        "kept_earlier": fetched.kept,
        "download_failed": fetched.failed,
        "downloaded_megabytes": round(fetched.downloaded_bytes / 1e6, 3),
        "download_seconds": round(fetched.seconds, 2),
        **({"download_note": fetched.note} if fetched.note else {}),
    }

"""What a refresh may not do without being asked: lose a large part of what is published, or become many times as large.

It is asked when the feed was read, before a photo is fetched, again of what came of that, and before a bundle is
published. Who means the change accepts it, once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from catalog.errors import BundleError, LookbookError
from catalog.evaluation import feed_drift
from catalog.evaluation.feed_drift import Listing
from catalog.features import row_memo
from catalog.formats import tables
from catalog.formats.feeds.items import reject
from catalog.formats.feeds.reading import FeedContents
from catalog.records import Outcome, Reason, Rejection
from resources.baseline import Baseline, Published, listed
from resources.data_lake import DataLake
from resources.settings import Limits

ACCEPT = "Go on, this once, though more has changed than the home's [limits] allow."
HOW_TO_GO_ON = (
    "nothing was built of it, and the published bundle stays. If the change is meant, accept it once: "
    "`lookbook build --stale --accept-changes` (in the UI: materialize raw_catalog from the launchpad with "
    "ops.raw_catalog.config.accept_changes: true); else mend the feed, and the next refresh goes on by itself"
)


def with_lost_line_end(baseline: Baseline, feed: str, contents: FeedContents, *, there: bool) -> FeedContents:
    """The contents, with a remark where the feed's text has lost the line end at its end: its last cell may be cut.

    Only the change tells: many a feed never ends in one.
    """
    if there or not baseline.had_line_end(feed) or cut_short(contents.rejected):
        return contents
    last = contents.rows[-1]
    detail = (
        f"no line end after the last row ({last.product_id!r} is the last product), which it had when it was last "
        "read: the row's last cell may be cut"
    )
    remark = reject("the feed's end", Reason.CUT_SHORT, detail, outcome=Outcome.KEPT)
    return replace(contents, rejected=(*contents.rejected, remark))


def refuse_another_feed(baseline: Baseline, contents: FeedContents) -> None:
    """Stop at a feed that can hardly be the shop's: before its photos are read, or fetched, and a table is replaced.

    Raises: LookbookError with the numbers, the limit, and how to go on; BundleError, nothing published can be read.
    """
    published = baseline.last_good()
    if published is None:
        return
    now = feed_drift.listing((row.product_id, row.category, row.price, row.currency) for row in contents.rows)
    if told := refusal(baseline, published, now, cut_short(contents.rejected)):
        raise LookbookError(f"raw_catalog: {told}; {HOW_TO_GO_ON}")


def accept(baseline: Baseline, rows: Sequence[dict[str, Any]], rejected: Sequence[Rejection]) -> str:
    """Note that these rows of `raw_catalog` may follow what is published; returns what was accepted, "" for nothing."""
    published = _last_good_or_none(baseline)
    if published is None:
        return ""
    told = refusal(baseline, published, listed(rows), cut_short(rejected))
    if told:
        baseline.accept(published, listed(rows))
    return told


def refuse_a_lossy_bundle(baseline: Baseline, items: Sequence[dict[str, Any]], *, accept: bool) -> None:
    """Stop before a bundle of these items is published that lost too much on the way: photos that all failed, say.

    Raises: LookbookError with the numbers, the limit, and how to go on; BundleError, nothing published can be read.
    """
    published = None if accept else baseline.last_good()
    if published is not None and (told := refusal(baseline, published, listed(items))):
        raise LookbookError(
            f"android_bundle: {told}; nothing was published. `lookbook rejected` says what became of the photos: mend "
            "that and build again, or, if it is meant, `lookbook build --stale --accept-changes` (in the UI: "
            "materialize android_bundle from the launchpad with ops.android_bundle.config.accept_changes: true)"
        )


def refuse_unexplained_losses(baseline: Baseline, items: Sequence[dict[str, Any]], data_lake: DataLake) -> None:
    """Stop before a bundle is published without photos that are published, are still in the catalogue, and that no
    stage turned away: a table on the way was damaged, or exchanged for an older one.

    Raises: LookbookError that names the first of them.
    """
    published = _last_good_or_none(baseline)
    if published is None:
        return
    catalog = {tables.item_of(row) for row in tables.read(data_lake.table("raw_catalog"), tables.RAW_CATALOG)}
    gone = {tables.item_of(item) for item in published.items} & catalog - {tables.item_of(item) for item in items}
    if not gone:
        return
    rejected = [row for row in data_lake.read_rejected() if row["outcome"] == Outcome.REJECTED]
    turned_away = {(row["product_id"], row["variant"], row["where"]) for row in rejected}
    lost = sorted(item for item in gone if (*item[:2], row_memo.where(item)) not in turned_away)
    if lost:
        products = len({product_id for product_id, _, _ in lost})
        raise LookbookError(
            f"android_bundle: {len(lost)} photos of {products} products, {row_memo.where(lost[0])} the first, are "
            "published and still in the catalogue, but are lost in a stage's table, and no stage turned them away; "
            "nothing was published: `lookbook build` brings every table up to date"
        )


def refusal(baseline: Baseline, published: Published, now: Listing, cut: str = "") -> str:
    """What is too far from the published bundle, and from what was accepted to follow it; "" where nothing is.

    `cut` says where the feed was cut short, "" for a whole one.
    """
    limits = baseline.limits()
    told = f"the feed was cut short, or is still being written ({cut})" if cut else ""
    told = told or _too_far(published.listing, now, limits)
    accepted = baseline.accepted(published) if told else None
    return "" if accepted is not None and not _too_far(accepted, now, limits) else told


def cut_short(rejected: Iterable[Rejection]) -> str:
    """Where a feed was cut short, "" for a whole one."""
    return next((f"{row.where}: {row.detail}" for row in rejected if row.reason == Reason.CUT_SHORT), "")


def _last_good_or_none(baseline: Baseline) -> Published | None:
    """What is published; None where none of it can be read: who goes on then has accepted that."""
    try:
        return baseline.last_good()
    except BundleError:
        return None


def _too_far(before: Listing, now: Listing, limits: Limits) -> str:
    return feed_drift.why_refused(feed_drift.change(before, now), limits.most_dropped, limits.most_growth)

"""Asset checks on `raw_catalog`: is this the shop's feed, or half of one, or another's? Told before anything costs."""

from collections.abc import Iterator

import dagster as dg

from assets import acceptance, reporting
from catalog.errors import BundleError
from catalog.evaluation import feed_drift
from catalog.evaluation.feed_drift import Listing
from catalog.formats import tables
from catalog.records import Outcome, Reason, Rejection
from resources.baseline import Baseline, Published
from resources.data_lake import DataLake
from resources.settings import Limits

MOST_REJECTED = 0.5  # of all photos: beyond it the feed or its description is wrong, not some photos
NO_PHOTO = (
    Reason.MISSING_IMAGE,
    Reason.REMOTE_IMAGE,
    Reason.IMAGE_NOT_FOUND,
    Reason.IMAGE_OUTSIDE_ROOT,
    Reason.DOWNLOAD_FAILED,
    Reason.ADDRESS_REFUSED,
    Reason.OTHER_CONTENT,
)
ROWS, PRODUCTS, CATEGORIES, PRICES, PHOTOS = (
    "few_rows_rejected",
    "feed_keeps_its_products",
    "categories_are_steady",
    "prices_are_steady",
    "photos_are_there",
)


@dg.multi_asset_check(
    name="feed_checks",
    specs=[
        dg.AssetCheckSpec(ROWS, asset="raw_catalog", description="Not more than half of the feed was turned away."),
        dg.AssetCheckSpec(
            PRODUCTS,
            asset="raw_catalog",
            blocking=True,
            description="The feed is whole; against the published bundle not too many products are gone, and it has "
            "not grown beyond all measure: the refresh stops here otherwise.",
        ),
        dg.AssetCheckSpec(
            CATEGORIES,
            asset="raw_catalog",
            description="No category has far more or fewer products than in the published bundle.",
        ),
        dg.AssetCheckSpec(
            PRICES,
            asset="raw_catalog",
            description="Few prices are a multiple, or a fraction, of the published ones: a wrong currency or decimal.",
        ),
        dg.AssetCheckSpec(
            PHOTOS, asset="raw_catalog", description="Few of the photos that the feed names are missing."
        ),
    ],
)
def feed_checks(data_lake: DataLake, baseline: Baseline) -> Iterator[dg.AssetCheckResult]:
    """What the feed gives, against itself and against the published bundle."""
    limits = baseline.limits()
    said = [Rejection(**row) for row in data_lake.read_rejected("raw_catalog")]
    columns = ["product_id", "category", "price", "currency"]
    table = tables.read_table(data_lake.table("raw_catalog"), tables.RAW_CATALOG).select(columns)
    now = feed_drift.listing(zip(*[column.to_pylist() for column in table.columns], strict=True))
    rejected = [row for row in said if row.outcome == Outcome.REJECTED]
    share = len(rejected) / (len(rejected) + table.num_rows)
    yield _warn(ROWS, share <= MOST_REJECTED, rejected=len(rejected), kept=table.num_rows, share=round(share, 4))
    missing = sum(row.reason in NO_PHOTO for row in rejected)
    share = missing / (missing + table.num_rows)
    yield _warn(
        PHOTOS,
        share <= limits.most_missing_photos,
        missing=missing,
        share=round(share, 4),
        at_most=limits.most_missing_photos,
    )
    try:
        published = baseline.last_good()
    except BundleError as error:  # raw_catalog stopped at it, unless it was accepted; android_bundle asks again
        yield from _nothing_to_compare_with(f"the published catalogue is damaged: {error}")
        return
    if published is None:
        yield from _nothing_to_compare_with("nothing is published yet")
        return
    yield _products(baseline, published, now, acceptance.cut_short(said))
    yield _categories(published.listing, now, limits)
    yield _prices(published.listing, now, limits)


def _products(baseline: Baseline, published: Published, now: Listing, cut: str) -> dg.AssetCheckResult:
    limits, change = baseline.limits(), feed_drift.change(published.listing, now)
    told = acceptance.refusal(baseline, published, now, cut)
    return dg.AssetCheckResult(
        check_name=PRODUCTS,
        passed=not told,
        description=f"raw_catalog: {told}; {acceptance.HOW_TO_GO_ON}" if told else None,
        metadata={
            "published": published.version,
            "products": change.products_now,
            "products_published": change.products_before,
            "dropped": change.dropped,
            "added": change.added,
            "dropped_share": round(change.dropped_share, 4),
            "most_dropped": limits.most_dropped,
            "photos": change.photos_now,
            "photos_published": change.photos_before,
            "growth": round(change.growth, 3),
            "most_growth": limits.most_growth,
        },
    )


def _categories(before: Listing, now: Listing, limits: Limits) -> dg.AssetCheckResult:
    changes = feed_drift.category_changes(before, now)
    far = feed_drift.jumped(changes, limits.most_category_change)
    by_category = reporting.table(
        [{"category": c.category, "published": c.before, "now": c.now, "change": round(c.share, 4)} for c in changes]
    )
    told = ", ".join(f"{c.category} from {c.before} to {c.now}" for c in far)
    return _warn(
        CATEGORIES,
        not far,
        told,
        categories_far_off=len(far),
        at_most=limits.most_category_change,
        by_category=by_category,
    )


def _prices(before: Listing, now: Listing, limits: Limits) -> dg.AssetCheckResult:
    found = feed_drift.price_changes(before, now, limits.price_factor)
    passed = found.jumped_share <= limits.most_price_jumps
    told = f"{found.jumped} of {found.compared} prices jumped, typically to {found.typical_jump:g} times what they were"
    return _warn(
        PRICES,
        passed,
        "" if passed else told,
        compared=found.compared,
        changed=found.changed,
        jumped=found.jumped,
        jumped_share=round(found.jumped_share, 4),
        at_most=limits.most_price_jumps,
        typical_jump=round(found.typical_jump, 4),
        lost=found.lost,
        other_currency=found.other_currency,
    )


def _nothing_to_compare_with(why: str) -> Iterator[dg.AssetCheckResult]:
    for name in (PRODUCTS, CATEGORIES, PRICES):
        yield dg.AssetCheckResult(check_name=name, passed=True, description=f"nothing to compare with: {why}")


def _warn(name: str, passed: bool, told: str = "", **metadata: object) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=told or None,
        metadata=metadata,
    )

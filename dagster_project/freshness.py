"""Whether the published bundle says what the feed said lately; a schedule that is off, or a feed that is gone, shows.

An asset's age alone can't tell: where nothing changed, the bundle is rightly old. It is fresh as of the last time that
the feed was read and nothing between it and the bundle was left to build.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from dagster_project.failure_report import WEBHOOK_VARIABLE, post, ui_url
from dagster_project.feed_reads import last_whole_read
from dagster_project.staleness import next_to_build
from resources.settings import Settings

BUNDLE = dg.AssetKey("android_bundle")
CHECK = "bundle_is_fresh"
LOOK_EVERY_S = 60
TELL_EVERY_S = 6 * 3600  # the check is recorded when it changes, and this often

Definitions = Callable[[], dg.Definitions]


def feed_policy(settings: Settings) -> dg.FreshnessPolicy:
    """How often the feed is to be read: Dagster shows it on `raw_catalog`, which every refresh materialises."""
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=max(settings.refresh.fresh_hours, 1 / 60)))


def fresh_as_of(instance: dg.DagsterInstance, definitions: dg.Definitions, asked_in: str = "") -> float | None:
    """When the feed was read that the bundle holds (seconds since 1970); None while something is left to build.

    `asked_in` is the id of the run that asks, whose other checks may be still to come.
    """
    graph = definitions.resolve_asset_graph()
    above = graph.get_ancestor_asset_keys(BUNDLE) | {BUNDLE}
    if above & set(next_to_build(definitions, instance, asked_in)):
        return None
    read = last_whole_read(instance)
    return read.at if read else None


def result(settings: Settings, as_of: float | None, now: float) -> dg.AssetCheckResult:
    """The check, as of the time that the bundle was last known to be up to date."""
    if as_of is None:
        told = "something that it is made from is stale, or was never built"
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description=told)
    hours = settings.refresh.fresh_hours
    return dg.AssetCheckResult(
        passed=now - as_of <= hours * 3600,
        description=f"it holds what the feed said at {_when(as_of)}; that may be {hours:g} hours ago",
        metadata={"as_of": dg.MetadataValue.timestamp(as_of)},
    )


def not_built_yet(settings: Settings, since: float, now: float) -> dg.AssetCheckResult:
    """The check of a home that was not seen up to date since it is watched: it has as long as any other."""
    hours = settings.refresh.fresh_hours
    return dg.AssetCheckResult(
        passed=now - since <= hours * 3600,
        description=f"it was not up to date since {_when(since)}; that may last {hours:g} hours",
    )


def freshness_check(settings: Settings, definitions: Definitions) -> dg.AssetChecksDefinition:
    """The check on the bundle's page; runs with the bundle, and `freshness_sensor` records it in between."""

    @dg.asset_check(asset=BUNDLE, name=CHECK)
    def bundle_is_fresh(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        """The bundle holds what the feed said not too long ago: lookbook.toml's [refresh] fresh_hours."""
        return result(settings, fresh_as_of(context.instance, definitions(), context.run.run_id), time.time())

    return bundle_is_fresh


def freshness_sensor(settings: Settings, definitions: Definitions) -> dg.SensorDefinition:
    """Records the check when it changes, and tells the webhook when it fails; on where the home refreshes itself."""
    on = settings.refresh.cron is not None or settings.refresh.watch_feed

    @dg.sensor(
        name="watch_freshness",
        minimum_interval_seconds=LOOK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED,
        description="Records whether the published bundle says what the feed said lately.",
    )
    def watch_freshness(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        before = json.loads(context.cursor) if context.cursor else {}
        now = time.time()
        as_of = fresh_as_of(context.instance, definitions()) or before.get("as_of")
        since = before.get("since", now)
        checked = result(settings, as_of, now) if as_of else not_built_yet(settings, since, now)
        changed = checked.passed != before.get("passed")
        shown = not changed and not _says_otherwise(context.instance, checked.passed)
        if shown and now - before["told"] < TELL_EVERY_S:
            return dg.SensorResult(skip_reason=checked.description, cursor=json.dumps({**before, "as_of": as_of}))
        if changed and not checked.passed:
            _tell(context, checked.description or "", settings)
        return dg.SensorResult(
            asset_events=[_evaluation(checked)],
            cursor=json.dumps({"as_of": as_of, "since": since, "passed": checked.passed, "told": now}),
        )

    return watch_freshness


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _says_otherwise(instance: dg.DagsterInstance, passed: bool) -> bool:
    """Whether the asset's page shows another verdict: that of a run which built the bundle past something stale."""
    key = dg.AssetCheckKey(BUNDLE, CHECK)
    shown = instance.event_log_storage.get_latest_asset_check_execution_by_key([key]).get(key)
    other = AssetCheckExecutionRecordStatus.FAILED if passed else AssetCheckExecutionRecordStatus.SUCCEEDED
    return shown is not None and shown.status is other


def _evaluation(checked: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=BUNDLE,
        check_name=CHECK,
        passed=checked.passed,
        metadata=checked.metadata,
        description=checked.description,
    )


def _tell(context: dg.SensorEvaluationContext, line: str, settings: Settings) -> None:
    text = f"Lookbook: the bundle is not fresh: {line}"
    context.log.error(text)
    link = f"{ui_url(settings)}/assets/{BUNDLE.to_user_string()}?view=checks"
    url = os.environ.get(WEBHOOK_VARIABLE, "")
    report = {"event": "bundle_not_fresh", "error": line, "link": link, "text": f"{text} ({link})"}
    if url and (problem := post(url, report)):
        context.log.error(f"the webhook of {WEBHOOK_VARIABLE} was not told: {problem}")

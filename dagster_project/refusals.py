"""Blocking checks that did not pass: which assets they hold back, and what they said."""

from collections.abc import Collection

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)


def refused(definitions: dg.Definitions, instance: dg.DagsterInstance, asked_in: str = "") -> set[dg.AssetKey]:
    """Assets of which a blocking check failed when it was last run, or was to run in a run that ended before it.

    `asked_in` is the id of the run that asks: checks that are still to come in it hold nothing back.
    """
    last = _last_of_blocking(definitions, instance)
    return {key.asset_key for key, run in last.items() if not _passes(run, asked_in)}


def said_since(
    definitions: dg.Definitions, instance: dg.DagsterInstance, assets: Collection[dg.AssetKey], since: float
) -> str:
    """What the blocking checks of some assets said that failed after a time (Unix, seconds); "" where none said why."""
    told = []
    for key, run in _last_of_blocking(definitions, instance).items():
        failed = run.status is AssetCheckExecutionRecordStatus.FAILED and key.asset_key in assets
        if failed and run.event and run.event.dagster_event and run.event.timestamp >= since:
            told.append(run.event.dagster_event.asset_check_evaluation_data.description)
    return "; ".join(filter(None, told))


def _passes(run: AssetCheckExecutionRecord, asked_in: str) -> bool:
    if run.status is AssetCheckExecutionRecordStatus.PLANNED:
        return run.run_id == asked_in
    return run.status is AssetCheckExecutionRecordStatus.SUCCEEDED


def _last_of_blocking(
    definitions: dg.Definitions, instance: dg.DagsterInstance
) -> dict[dg.AssetCheckKey, AssetCheckExecutionRecord]:
    graph = definitions.resolve_asset_graph()
    blocking = [key for key in graph.asset_check_keys if graph.get_check_spec(key).blocking]
    return dict(instance.event_log_storage.get_latest_asset_check_execution_by_key(blocking))

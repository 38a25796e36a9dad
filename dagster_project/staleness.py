"""Which assets are stale, as Dagster itself sees it: never built, other code, or other data upstream."""

import dagster as dg
from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

# Dagster has no public call for what its UI shows as "unsynced". These names were looked up in 1.13.27, and
# pyproject.toml holds Dagster to that minor version; tests/integration/test_staleness.py would notice a change.


def next_to_build(definitions: dg.Definitions, instance: dg.DagsterInstance) -> list[dg.AssetKey]:
    """What to run next of all that is missing or stale, upstream ones first; [] when everything is up to date.

    An asset whose blocking check failed counts as stale until the check passes: nothing may be built past it.

    While something was never built, that is all of it, in one run. Else it is the assets that nothing stale lies
    above: what lies below them may turn out to be up to date after all, when their data come out the same.
    """
    graph = definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
    keys = [key for key in graph.toposorted_asset_keys if graph.get(key).is_materializable]
    status = {key: resolver.get_status(key) for key in keys}
    refused = _refused(graph, instance)
    stale = [key for key in keys if status[key] is not StaleStatus.FRESH or key in refused]
    if any(status[key] is StaleStatus.MISSING for key in stale):
        return stale
    return [key for key in stale if not graph.get_ancestor_asset_keys(key) & set(stale)]


def _refused(graph: BaseAssetGraph, instance: dg.DagsterInstance) -> set[dg.AssetKey]:
    """Assets of which a blocking check failed when it was last run."""
    blocking = [key for key in graph.asset_check_keys if graph.get_check_spec(key).blocking]
    last = instance.event_log_storage.get_latest_asset_check_execution_by_key(blocking)
    return {key.asset_key for key, run in last.items() if run.status is AssetCheckExecutionRecordStatus.FAILED}

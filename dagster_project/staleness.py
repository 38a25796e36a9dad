"""Which assets are stale, as Dagster itself sees it: never built, other code, or other data upstream."""

from collections.abc import Sequence

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.event_log.base import AssetRecord

from assets.bins import COLORS_BIN, EMBEDDINGS_BIN, TEXTURE_BIN
from dagster_project.refusals import refused
from resources.bundles import Bundles
from resources.data_lake import DataLake

# Dagster has no public call for what its UI shows as "unsynced". These names were looked up in 1.13.27, and
# pyproject.toml holds Dagster to that minor version; tests/integration/test_staleness.py would notice a change.

TABLES = (
    "raw_catalog", "labelled_queries", "product_images", "sam2_masks", "product_crops", "semantic_embeddings",
    "texture_features", "color_signatures", "category_prototypes", "photo_duplicates",
)  # fmt: skip


def next_to_build(definitions: dg.Definitions, instance: dg.DagsterInstance, asked_in: str = "") -> list[dg.AssetKey]:
    """What to run next of all that is missing or stale, upstream ones first; [] when everything is up to date.

    An asset whose blocking check failed counts as stale until the check passes: nothing may be built past it. A check
    that is still to come in the run `asked_in`, an id, has not failed.

    While something was never built, that is all of it, in one run. Else it is the assets that nothing stale lies
    above: what lies below them may turn out to be up to date after all, when their data come out the same. What nothing
    is built from comes last: a bundle must not wait for a report, nor fail with it.
    """
    graph = definitions.resolve_asset_graph()
    keys = [key for key in graph.toposorted_asset_keys if graph.get(key).is_materializable]
    context = LoadingContextForTest(instance)
    AssetRecord.prepare(context, keys)  # all at once: one query each would take most of a refresh with nothing to do
    resolver = CachingStaleStatusResolver(instance, graph, context)
    status = {key: resolver.get_status(key) for key in keys}
    held_back = refused(definitions, instance, asked_in) | _gone(definitions, keys)
    stale = [key for key in keys if status[key] is not StaleStatus.FRESH or key in held_back]
    if any(status[key] is StaleStatus.MISSING for key in stale):
        return stale
    ready = [key for key in stale if not graph.get_ancestor_asset_keys(key) & set(stale)]
    return [key for key in ready if graph.get(key).child_keys] or ready


def _gone(definitions: dg.Definitions, keys: Sequence[dg.AssetKey]) -> set[dg.AssetKey]:
    """Assets of which the lake or the bundles have nothing any more."""
    lake, bundles = (definitions.resources or {}).get("data_lake"), (definitions.resources or {}).get("bundles")
    if not isinstance(lake, DataLake) or not isinstance(bundles, Bundles):
        return set()
    bins = {name.replace(".", "_"): name for name in (EMBEDDINGS_BIN, TEXTURE_BIN, COLORS_BIN)}
    files = {"benchmark": lake.benchmark, "android_bundle": bundles.current / "manifest.json"}
    files |= {asset: lake.bin(name) for asset, name in bins.items()}
    files |= {name: lake.table(name) for name in TABLES}
    return {key for key in keys if (file := files.get(key.to_user_string())) and not file.exists()}

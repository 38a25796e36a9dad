"""Building what is stale, in rounds: what `lookbook build --stale`, the schedule and the sensor on the feed all do."""

from collections.abc import Callable, Sequence

import dagster as dg

from catalog.errors import LookbookError
from dagster_project.staleness import next_to_build

READ_CATALOG = [dg.AssetKey("raw_catalog")]
ALWAYS_READ = [*READ_CATALOG, dg.AssetKey("labelled_queries")]


def build_stale(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    materialize: Callable[[list[dg.AssetKey]], None],
    read: Sequence[dg.AssetKey] = ALWAYS_READ,
) -> set[dg.AssetKey]:
    """Read the feed again (what of it `read` names), then run what is stale until nothing is; returns what was run.

    Raises: LookbookError when an asset is stale right after it was built; whatever `materialize` raises.
    """
    waiting = next_to_build(definitions, instance)
    if read_again := [key for key in read if key not in waiting]:
        materialize(read_again)
        waiting = next_to_build(definitions, instance)
    built = set(read_again)
    while waiting:
        materialize(waiting)
        built |= set(waiting)
        before, waiting = waiting, next_to_build(definitions, instance)
        if waiting == before:
            names = ", ".join(key.to_user_string() for key in waiting)
            raise LookbookError(f"still stale after they were built: {names}; please report this")
    return built

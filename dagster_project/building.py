"""`lookbook build`: runs the graph through Dagster in this process, and says what came of it."""

import os
import re
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from catalog.errors import LookbookError
from catalog.formats import tables
from catalog.formats.feeds.category_refresh import find_categories
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import read_feed
from dagster_project import disk_faults, failures
from dagster_project.definitions import build_definitions
from dagster_project.refreshing import PROFILE, STARTED_BY, profile_tag
from dagster_project.refusals import said_since
from dagster_project.stale_rounds import ALWAYS_READ, READ_CATALOG, build_stale
from dagster_project.staleness import next_to_build
from resources.build_lock import hold
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.home import Home, find_home, prepare
from resources.model_store import ModelStore
from resources.profile import load_profile
from resources.settings import SAMPLE_FEED, Settings, load_settings, lost_its_feed, save_settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the events are in the UI
ACCEPTING = ("raw_catalog", "android_bundle")  # what stops at a change beyond the limits, unless it is told not to
BARE_NAME = re.compile(r"((?:\d*\+)?)([\w/]+)((?:\+\d*)?)")  # as people write it; Dagster's own way is key:"name"


def run_build(
    named: Path | None,
    *,
    profile: str | None,
    feed: str | None,
    select: str | None,
    stale: bool,
    categories: Sequence[str] = (),
    accept_changes: bool = False,
) -> None:
    """Build a home; `profile` and `feed`, where given, become its own.

    `categories` reads only those of the feed anew, and builds what that makes stale. `accept_changes` goes on where the
    feed changed beyond the home's [limits], or photos were lost on the way; another feed than before may be another.
    Raises: LookbookError, one line, when something that a user can mend stops it.
    """
    home = find_home(named, os.environ)
    if feed is None and _was_built(home) and lost_its_feed(home.settings_file):
        raise LookbookError(
            f"{home.settings_file}: names no feed any more, and the drawn sample shop is not what was built here: name "
            f"the feed, `lookbook build --feed FILE`; for the sample shop, `--feed {SAMPLE_FEED}`"
        )
    if categories and not _was_built(home):
        raise LookbookError(
            f"{home.root}: was never built, so --category has nothing to refresh: `lookbook build` first"
        )
    settings = _chosen(home, profile, feed)
    another_feed = settings.feed != load_settings(home.settings_file).feed
    accept = ACCEPTING if accept_changes else ACCEPTING[:1] if another_feed else ()
    prepare(home, os.environ)
    with hold(home):
        if settings != load_settings(home.settings_file) or not home.settings_file.exists():
            save_settings(home.settings_file, settings)
        _say(f"home {home.root}: profile {settings.profile}, feed {settings.feed}")
        if select is None:
            _have_models(home, settings)
        definitions = build_definitions(home, show_progress=True)
        tags = {STARTED_BY: "command", PROFILE: profile_tag(settings)}
        with dg.DagsterInstance.get() as instance:

            def materialize(keys: list[dg.AssetKey]) -> None:
                _materialize(definitions, instance, keys, tags, accept=accept, categories=categories)

            if categories:
                _refreshable(definitions, instance, home, settings, categories)
                build_stale(definitions, instance, materialize, READ_CATALOG)
            elif stale:
                built = build_stale(definitions, instance, materialize)
                if built <= set(ALWAYS_READ):
                    _say("everything is up to date")
            else:
                graph = definitions.resolve_asset_graph()
                keys = graph.toposorted_asset_keys if select is None else _selected(select, definitions)
                materialize(list(keys))


def _was_built(home: Home) -> bool:
    catalog = DataLake(root=str(home.data_lake), home=str(home.root)).table("raw_catalog")
    return catalog.exists() or (home.bundles / "current").is_symlink()


def _refreshable(
    definitions: dg.Definitions, instance: dg.DagsterInstance, home: Home, settings: Settings, categories: Sequence[str]
) -> None:
    """A refresh of some categories goes on from a whole build: else it would compute what is not theirs.

    Raises: LookbookError naming what is stale; FeedError for a category that is nowhere.
    """
    if waiting := next_to_build(definitions, instance):
        told = f"{_names(waiting)} {'is' if len(waiting) == 1 else 'are'} missing or stale"
        raise LookbookError(f"--category refreshes what is up to date, but {told}: run `lookbook build --stale` first")
    lake = DataLake(root=str(home.data_lake), home=str(home.root))
    feed = Feed(feed=settings.feed, home=str(home.root), sample_folder=str(lake.sample_catalog))
    standing = tables.read(lake.table("raw_catalog"), tables.RAW_CATALOG)
    find_categories(categories, read_feed(feed.describe()).rows, standing)


def _have_models(home: Home, settings: Settings) -> None:
    """Stop before the first stage, not at the one that needs it. Raises: LookbookError naming all that is missing."""
    store = ModelStore(root=str(home.models))
    if missing := store.not_pulled(load_profile(settings.profile, home.root).model_names()):
        pull = store.pull_command("--profile", settings.profile)
        raise LookbookError(f"profile {settings.profile}: not pulled yet: {', '.join(missing)}; {pull}")


def _chosen(home: Home, profile: str | None, feed: str | None) -> Settings:
    """The home's profile and feed with those that are given in their place, checked."""
    for option, value in (("--profile", profile), ("--feed", feed)):
        if value is not None and not value.strip():
            raise LookbookError(f"{option} is empty; leave it out to keep the home's own")
    before = load_settings(home.settings_file)
    now = before
    if profile:
        profile = _as_kept(profile, home) if profile.endswith(".toml") else profile
        load_profile(profile, home.root)
        now = replace(now, profile=profile)
    if feed:
        if feed != SAMPLE_FEED:
            described = load_feed(Path(feed).absolute())
            feed = _as_kept(feed, home)
            if feed != before.feed:
                read_feed(described)  # a feed that gives nothing must not take a good one's place
        now = replace(now, feed=feed)
    load_profile(now.profile, home.root)
    return now


def _as_kept(path: str, home: Home) -> str:
    """A path as lookbook.toml keeps it; relative within the home, which may be moved with all it holds."""
    named = Path(path).expanduser().absolute()
    return str(named.relative_to(home.root) if named.is_relative_to(home.root) else named)


def _selected(select: str, definitions: dg.Definitions) -> list[dg.AssetKey]:
    graph = definitions.resolve_asset_graph()
    there = f"there are {_names(graph.toposorted_asset_keys)}"
    chosen: set[dg.AssetKey] = set()
    for part in select.split(","):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", dg.BetaWarning)  # Dagster's own, on "group:"
                found = dg.AssetSelection.from_string(_as_dagster_selects(part)).resolve(graph)
        except dg.DagsterInvalidSubsetError:
            found = set()
        except Exception as error:  # the parser's own errors share no public base
            raise LookbookError(
                f"--select {part!r}: not a selection as Dagster knows it, such as 'raw_catalog,sam2_masks+'; {there}"
            ) from error
        if not found:
            raise LookbookError(f"--select {part!r}: no such asset; {there}")
        chosen |= found
    return [key for key in graph.toposorted_asset_keys if key in chosen]


def _as_dagster_selects(part: str) -> str:
    """A bare name, such as 'sam2_masks+', in Dagster's own language; what is in that language already stays."""
    bare = BARE_NAME.fullmatch(part.strip())
    return f'{bare[1]}key:"{bare[2]}"{bare[3]}' if bare else part


def _materialize(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    keys: list[dg.AssetKey],
    tags: Mapping[str, str],
    *,
    accept: Sequence[str],
    categories: Sequence[str],
) -> None:
    started, started_at = time.perf_counter(), time.time()
    job = definitions.resolve_implicit_global_asset_job_def()
    try:
        config = {**QUIET, "ops": _ops(keys, accept, categories)}
        with disk_faults.said_once():
            result = job.execute_in_process(instance=instance, asset_selection=keys, run_config=config, tags=tags)
    except DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
    except Exception as error:
        if said := said_since(definitions, instance, keys, started_at):
            raise LookbookError(said) from error
        raise failures.mendable(error) from error
    for event in result.get_asset_materialization_events():
        _say(_told(event.materialization))
        if notice := event.materialization.metadata.get("notice"):
            _say(f"  {notice.value}")
    if any(_turned_away(event.materialization) for event in result.get_asset_materialization_events()):
        _say("some rows or photos were turned away: `lookbook rejected` says which, and why")
    _say(f"{len(keys)} {'asset' if len(keys) == 1 else 'assets'} in {time.perf_counter() - started:.1f} s")


def _ops(keys: list[dg.AssetKey], accept: Sequence[str], categories: Sequence[str]) -> dict[str, object]:
    """The launchpad's configuration of the steps that have one."""
    config: dict[str, dict[str, object]] = {name: {"accept_changes": True} for name in accept}
    if categories:
        config.setdefault("raw_catalog", {})["categories"] = list(categories)
    return {name: {"config": values} for name, values in config.items() if dg.AssetKey(name) in keys}


def _told(materialization: dg.AssetMaterialization) -> str:
    values = {key: entry.value for key, entry in materialization.metadata.items()}
    counts = ("computed", "reused", "removed", "failed", "rejected", "items", "products", "queries", "megabytes")
    counts = (*counts, "downloaded", "not_modified", "kept_earlier", "download_failed")
    words = [f"{values[name]} {name.replace('_', ' ')}" for name in counts if _worth_telling(values.get(name), name)]
    seconds = f"{values['seconds']:.1f} s" if "seconds" in values else ""
    return f"  {materialization.asset_key.to_user_string():22} {seconds:>8}  {', '.join(words)}"


def _turned_away(materialization: dg.AssetMaterialization) -> bool:
    values = [materialization.metadata.get(name) for name in ("rejected", "failed")]
    return any(value is not None and value.value for value in values)


def _worth_telling(value: Any, name: str) -> bool:
    return value is not None and (value != 0 or name == "computed")


def _names(keys: Any) -> str:
    return ", ".join(key.to_user_string() for key in keys)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201

"""The job `refresh`: reads the feed again and builds what is stale, in one run. The schedule and the sensors start it.

The run does what `lookbook build --stale` does, so a stage that failed last night is stale tonight, as is one whose
code changed while nobody watched. Each round is a run of its own inside it, tagged with the run that it belongs to.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.storage.tags import MAX_RETRIES_TAG

from assets.pools import HEAVY
from catalog.errors import FeedError, LookbookError
from catalog.formats.feeds.content import content_digest
from dagster_project import failures
from dagster_project.refusals import said_since
from dagster_project.stale_rounds import ALWAYS_READ, build_stale
from resources.build_lock import hold
from resources.feed import Feed
from resources.home import Home
from resources.settings import SAMPLE_FEED, Settings

REFRESH = "refresh"
STARTED_BY, PROFILE, FEED_SHA256 = "lookbook/started_by", "lookbook/profile", "lookbook/feed_sha256"
PART_OF = "lookbook/part_of_refresh"  # the run whose round a run is
WAIT_FOR_BUILD_S = 4 * 3600.0  # somebody's `lookbook build`; other runs of Dagster's wait in its queue
WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
UNFINISHED = [
    *WAITING,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}  # the rounds' events are in the UI


class Choices(NamedTuple):
    """What a home has chosen, as its lookbook.toml says now."""

    settings: Settings
    feed: Feed

    def tags(self, started_by: str) -> dict[str, str]:
        """What a run that was started by itself says of its origin; nothing of the machine."""
        tags = {STARTED_BY: started_by, PROFILE: profile_tag(self.settings)}
        if self.settings.feed != SAMPLE_FEED:
            with contextlib.suppress(FeedError):  # the run itself says what is wrong with the feed
                tags[FEED_SHA256] = content_digest(self.feed.describe(), Path(self.feed.home))
        return tags


def refresh_job(home: Home, settings: Settings, build_definitions: Callable[[], dg.Definitions]) -> dg.JobDefinition:
    """The job of one home; it reads the home's definitions anew, so that it refreshes what they say now."""

    @dg.op(pool=HEAVY, description="Reads the feed again, then builds what is missing or stale, and nothing else.")
    def build_what_is_stale(context: dg.OpExecutionContext) -> None:
        tags = _tags_of_rounds(context)
        definitions = build_definitions()
        job = definitions.resolve_implicit_global_asset_job_def()

        def materialize(keys: list[dg.AssetKey]) -> None:
            context.log.info(f"building {_names(keys)}")
            started = time.time()
            try:
                job.execute_in_process(instance=context.instance, asset_selection=keys, run_config=QUIET, tags=tags)
            except DagsterExecutionInterruptedError:
                raise
            except Exception as error:
                said = said_since(definitions, context.instance, keys, started)
                raise LookbookError(said or str(failures.mendable(error))) from error

        try:
            with _alone(context, home):
                built = build_stale(definitions, context.instance, materialize)
        except LookbookError as error:
            raise failures.of_part(context.instance, {PART_OF: context.run_id}, error) from error
        done = built - set(ALWAYS_READ)
        context.log.info(f"built {_names(sorted(done))}" if done else "everything is up to date")
        context.add_output_metadata({"built": _names(sorted(built))})

    @dg.job(
        name=REFRESH,
        tags={PROFILE: profile_tag(settings)},
        description="Reads the feed again, then builds what is missing or stale: what the schedule runs.",
    )
    def refresh() -> None:
        build_what_is_stale()

    return refresh


def profile_tag(settings: Settings) -> str:
    """The profile's name; of one that is a file, the file's."""
    return PurePath(settings.profile).name.removesuffix(".toml")


def waits(instance: dg.DagsterInstance) -> bool:
    """Whether a refresh is queued that has not begun: it will see all that has changed by now."""
    return instance.get_runs_count(dg.RunsFilter(job_name=REFRESH, statuses=WAITING)) > 0


def is_unfinished(instance: dg.DagsterInstance) -> bool:
    """Whether a refresh is queued or running."""
    return instance.get_runs_count(dg.RunsFilter(job_name=REFRESH, statuses=UNFINISHED)) > 0


@contextlib.contextmanager
def _alone(context: dg.OpExecutionContext, home: Home) -> Iterator[None]:
    """Hold the home; say so in the run's log where that takes waiting."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(hold(home))
        except LookbookError as error:
            context.log.info(f"{error}: this run waits")
            held.enter_context(hold(home, WAIT_FOR_BUILD_S))
        yield


def _tags_of_rounds(context: dg.OpExecutionContext) -> dict[str, str]:
    ours = {key: value for key, value in context.run.tags.items() if key.startswith("lookbook/")}
    return {**ours, PART_OF: context.run_id, MAX_RETRIES_TAG: "0"}  # a lost refresh is started again as a whole


def _names(keys: Iterable[dg.AssetKey]) -> str:
    return ", ".join(key.to_user_string() for key in keys)

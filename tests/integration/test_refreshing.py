"""The job `refresh` on small graphs that are real to Dagster: what it builds, what it leaves behind when it fails."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock

from catalog.errors import FeedError
from dagster_project import failures
from dagster_project.refreshing import PART_OF, STARTED_BY, refresh_job
from resources.build_lock import lock_file
from resources.home import Home
from resources.settings import Settings

RAW, QUERIES = "raw_catalog", "labelled_queries"


class Shop:
    """A home whose graph is raw_catalog -> masks -> bundle, and labelled_queries; tests break and mend its stages."""

    def __init__(self, home: Home, instance: dg.DagsterInstance) -> None:
        self.home, self.instance = home, instance
        self.feed, self.masks_code = "1", "1"
        self.broken: Exception | None = None
        self.check_passes = True

    def definitions(self) -> dg.Definitions:
        """As a code location has them."""

        def made(content: str) -> dg.MaterializeResult:
            return dg.MaterializeResult(data_version=dg.DataVersion(content))

        @dg.asset(name=RAW, code_version="1")
        def raw_catalog() -> dg.MaterializeResult:
            return made(self.feed)

        @dg.asset(name=QUERIES, code_version="1")
        def labelled_queries() -> dg.MaterializeResult:
            return made("none")

        @dg.asset(deps=[RAW], code_version=self.masks_code)
        def masks() -> dg.MaterializeResult:
            if self.broken:
                raise self.broken
            return made(self.feed.lower())  # a feed in capitals has the same masks

        @dg.asset(deps=["masks"], code_version="1")
        def bundle() -> dg.MaterializeResult:
            return made(self.feed)

        @dg.asset_check(asset="masks", blocking=True)
        def masks_cover_products() -> dg.AssetCheckResult:
            return dg.AssetCheckResult(passed=self.check_passes)

        return dg.Definitions(
            assets=[raw_catalog, labelled_queries, masks, bundle],
            asset_checks=[masks_cover_products],
            executor=dg.in_process_executor,
        )

    def refresh(self) -> dg.ExecuteInProcessResult:
        """Run the job as a schedule would."""
        job = refresh_job(self.home, Settings(), self.definitions)
        return job.execute_in_process(instance=self.instance, raise_on_error=False, tags={STARTED_BY: "schedule"})

    def built(self, refresh: dg.ExecuteInProcessResult) -> list[set[str]]:
        """What each round of a refresh materialised, in order."""
        runs = self.instance.get_runs(dg.RunsFilter(tags={PART_OF: refresh.run_id}))
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        return [
            {
                entry.dagster_event.asset_key.to_user_string()
                for entry in self.instance.all_logs(run.run_id, of_type=kind)
            }
            for run in reversed(runs)
        ]


@pytest.fixture
def shop(tmp_path: Path):
    (tmp_path / ".dagster").mkdir()
    with dg.DagsterInstance.ephemeral() as instance:
        yield Shop(Home(tmp_path), instance)


FIRST, READ = {RAW, QUERIES, "masks", "bundle"}, {RAW, QUERIES}


def test_a_refresh_builds_what_is_stale_and_no_more(shop):
    """Everything at first, then nothing, then what a changed feed changes; equal data stop it."""
    assert shop.built(shop.refresh()) == [FIRST]
    assert shop.built(shop.refresh()) == [READ]
    shop.feed = "a"
    assert shop.built(shop.refresh()) == [READ, {"masks"}, {"bundle"}]
    shop.feed = "A"
    assert shop.built(shop.refresh()) == [READ, {"masks"}]


def test_code_that_changed_while_nobody_watched_is_built(shop):
    shop.refresh()
    shop.masks_code = "2"
    assert shop.built(shop.refresh()) == [READ, {"masks"}]


def test_rounds_say_whose_they_are_and_are_not_retried_alone(shop):
    refresh = shop.refresh()
    (part,) = shop.instance.get_runs(dg.RunsFilter(tags={PART_OF: refresh.run_id}))
    assert part.tags[STARTED_BY] == "schedule"
    assert part.tags["lookbook/profile"] == "embedded"
    assert part.tags["dagster/max_retries"] == "0"


BREAKS: list[tuple[Callable[[Shop], None], str]] = [
    (lambda shop: setattr(shop, "broken", FeedError("feed.csv: half of it is gone")), "feed.csv: half of it is gone"),
    (lambda shop: setattr(shop, "broken", RuntimeError("a bug")), "a bug"),
    (lambda shop: setattr(shop, "check_passes", False), "a blocking check failed, the build stopped there: "),
]  # fmt: skip


@pytest.mark.parametrize(("breaking", "line"), BREAKS, ids=["mendable", "bug", "check"])
def test_a_failed_refresh_says_which_asset_and_why_and_the_next_tries_again(shop, breaking, line):
    """Though the feed has not changed in between: what failed is stale."""
    shop.refresh()
    shop.feed = "2"
    breaking(shop)
    failed = shop.refresh()
    assert not failed.success
    told = failures.recorded(shop.instance, failed.dagster_run)
    assert told.asset == "masks"
    assert line in told.line
    assert "\n" not in told.line
    shop.broken, shop.check_passes = None, True
    assert shop.built(shop.refresh()) == [READ, {"masks"}, {"bundle"}]


def test_a_stage_that_fails_in_a_run_of_its_own_is_told_alike(shop):
    """As from the UI's button."""
    shop.broken = FeedError("feed.csv: half of it is missing")
    job = shop.definitions().resolve_implicit_global_asset_job_def()
    run = job.execute_in_process(instance=shop.instance, raise_on_error=False).dagster_run
    assert failures.recorded(shop.instance, run) == failures.Failed("masks", "feed.csv: half of it is missing")


def test_a_run_that_ended_without_a_word_says_what_is_known(shop):
    run = dg.DagsterRun(job_name="refresh", run_id="lost", status=dg.DagsterRunStatus.FAILURE)
    shop.instance.add_run(run)
    told = failures.recorded(shop.instance, run, "its process\nis gone")
    assert told == failures.Failed("", "its process is gone")


def test_a_refresh_waits_for_a_build_and_says_so(shop, monkeypatch):
    """Here it gives up soon."""
    monkeypatch.setattr("dagster_project.refreshing.WAIT_FOR_BUILD_S", 0.2)
    other = FileLock(lock_file(shop.home))  # not the singleton: stands for another process
    with other:
        failed = shop.refresh()
    told = failures.recorded(shop.instance, failed.dagster_run)
    assert told.line == f"another build is running in {shop.home.root}: wait for it, or end it"
    said = [entry.user_message for entry in shop.instance.all_logs(failed.run_id) if not entry.is_dagster_event]
    assert any(line.endswith(": this run waits") for line in said)
    assert shop.refresh().success

"""When a home refreshes itself: what its schedule and its sensors ask for, held to real definitions and instances."""

import json
import os
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from catalog.formats.feeds.content import content_digest
from catalog.formats.feeds.description import load_feed
from dagster_project import freshness, refreshing
from dagster_project.definitions import build_definitions
from dagster_project.feed_reads import last_read, last_whole_read
from dagster_project.feed_sensor import feed_sensor
from dagster_project.freshness import freshness_sensor
from dagster_project.refreshing import FEED_SHA256, PROFILE, STARTED_BY, Choices
from dagster_project.schedules import nightly_refresh
from resources.feed import Feed
from resources.home import Home
from resources.settings import RefreshSettings, Settings, load_settings

FEED = "product_id,category,image\nA,dress,a.jpg\n"
REFRESH = '[refresh]\ncron = "15 3 * * *"\ntime_zone = "Europe/Berlin"\nwatch_feed = true\nautomation = true\n'


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def stored(tmp_path_factory):
    """An instance with files, which a schedule needs."""
    folder = str(tmp_path_factory.mktemp("dagster"))
    with dg.DagsterInstance.local_temp(folder, overrides={"telemetry": {"enabled": False}}) as instance:
        yield instance


@dataclass
class Shop:
    """A home with a feed of its own, nothing built."""

    home: Home

    def write_feed(self, text: str) -> str:
        """Write the feed; returns the digest of what it holds now."""
        (self.home.root / "feed.csv").write_text(text, "utf-8")
        return content_digest(load_feed(self.home.root / "feed.csv"), self.home.root)

    def choose(self, text: str) -> None:
        """Write lookbook.toml."""
        self.home.settings_file.write_text(f'feed = "feed.csv"\n{text}', "utf-8")

    def chosen(self) -> Choices:
        """As the code location reads it at every tick."""
        settings = load_settings(self.home.settings_file)
        return Choices(settings, Feed(feed=settings.feed, home=str(self.home.root), sample_folder=""))

    @property
    def job(self) -> dg.JobDefinition:
        """What the schedule and the sensor start."""
        return refreshing.refresh_job(self.home, self.chosen().settings, lambda: build_definitions(self.home))

    @property
    def repository(self) -> dg.RepositoryDefinition:
        """The home's definitions, loaded anew."""
        return build_definitions(self.home).get_repository_def()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(Home(tmp_path))
    shop.write_feed(FEED)
    shop.choose(REFRESH)
    return shop


# --- on and off ------------------------------------------------------------------------------------------------------


def switched_on(repository: dg.RepositoryDefinition) -> set[str]:
    schedules = {one.name for one in repository.schedule_defs if one.default_status.value == "RUNNING"}
    return schedules | {one.name for one in repository.sensor_defs if one.default_status.value == "RUNNING"}


def test_a_home_that_says_nothing_is_left_alone(shop):
    """Everything can be switched on in the UI; only failures are always told."""
    shop.choose("")
    assert switched_on(shop.repository) == {"report_failure"}


def test_a_home_is_refreshed_as_it_says(shop):
    repository = shop.repository
    assert switched_on(repository) == {
        "nightly_refresh", "feed_changed", "automation", "watch_freshness", "report_failure"
    }  # fmt: skip
    nightly = repository.get_schedule_def("nightly_refresh")
    assert (nightly.cron_schedule, nightly.execution_timezone) == ("15 3 * * *", "Europe/Berlin")
    assert nightly.job_name == "refresh"


# --- the schedule ----------------------------------------------------------------------------------------------------


def nightly(shop: Shop, instance: dg.DagsterInstance) -> dg.RunRequest | str:
    context = dg.build_schedule_context(instance, scheduled_execution_time=datetime(2026, 3, 1, 2, 15, tzinfo=UTC))
    data = nightly_refresh(shop.job, shop.chosen().settings, shop.chosen).evaluate_tick(context)
    return data.run_requests[0] if data.run_requests else data.skip_message


def test_the_nightly_run_says_what_started_it(shop, stored):
    request = nightly(shop, stored)
    digest = content_digest(load_feed(shop.home.root / "feed.csv"), shop.home.root)
    ours = {key: value for key, value in request.tags.items() if key.startswith("lookbook/")}
    assert ours == {STARTED_BY: "schedule", PROFILE: "embedded", FEED_SHA256: digest}


def test_a_feed_that_is_gone_does_not_hide_the_run(shop, stored):
    """The run fails and is reported; a schedule that does nothing would be silent."""
    (shop.home.root / "feed.csv").unlink()
    request = nightly(shop, stored)
    assert FEED_SHA256 not in request.tags
    assert request.tags[STARTED_BY] == "schedule"


def queued(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.NOT_STARTED) -> None:
    instance.add_run(dg.DagsterRun(job_name=refreshing.REFRESH, status=status))


def test_no_second_refresh_waits_behind_one_that_has_not_begun(shop, stored):
    queued(stored)
    assert "waits in the queue already" in str(nightly(shop, stored))


def test_one_that_has_begun_may_have_read_the_feed_before_it_changed(shop, stored):
    queued(stored, dg.DagsterRunStatus.STARTED)
    assert isinstance(nightly(shop, stored), dg.RunRequest)


# --- the sensor on the feed ------------------------------------------------------------------------------------------


class Watching:
    """The sensor on the feed, tick by tick, keeping its cursor as the daemon does."""

    def __init__(self, shop: Shop, instance: dg.DagsterInstance) -> None:
        self.sensor, self.instance = feed_sensor(shop.job, shop.chosen().settings, shop.chosen), instance
        self.cursor: str | None = None

    def tick(self) -> dg.RunRequest | str:
        """The run that is asked for, or why there is none."""
        data = self.sensor.evaluate_tick(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        self.cursor = data.cursor
        return data.run_requests[0] if data.run_requests else str(data.skip_message)

    def settle(self) -> dg.RunRequest | str:
        """Two looks: a change is read once it has held still."""
        first = self.tick()
        assert isinstance(first, str)
        return self.tick()


@pytest.fixture
def watching(shop, instance):
    return Watching(shop, instance)


def was_read(instance: dg.DagsterInstance, digest: str | None) -> None:
    """`raw_catalog` read this content; of None, only some categories."""

    @dg.asset(name="raw_catalog")
    def read() -> dg.MaterializeResult:
        return dg.MaterializeResult(metadata={"feed_sha256": digest} if digest else {"read_anew": "dress"})

    assert dg.materialize([read], instance=instance).success


def test_a_changed_feed_is_read_once_it_holds_still(shop, watching):
    assert "holds still" in watching.tick()
    digest = shop.write_feed(FEED + "B,dress,b.jpg\n")
    assert "holds still" in watching.tick()
    request = watching.tick()
    assert request.tags[FEED_SHA256] == digest
    assert request.tags[STARTED_BY] == "feed"
    assert request.run_key.startswith(digest[:16])
    assert watching.tick() == "a refresh of what the feed holds now was asked for"


def test_a_feed_that_still_grows_is_not_read(shop, watching):
    for row in range(5):
        shop.write_feed(FEED + "B,dress,b.jpg\n" * row)
        assert "holds still" in watching.tick()


def test_a_feed_that_was_read_is_no_change(shop, watching, instance):
    """Whoever read it: the schedule, a person, or a build before the sensor was switched on."""
    was_read(instance, shop.write_feed(FEED))
    assert watching.settle() == "the feed is as it was read last"
    os.utime(shop.home.root / "feed.csv", ns=(1, 1))
    assert watching.settle() == "the feed is as it was read last"


def test_what_only_some_categories_were_read_of_is_asked_for_once(shop, watching, instance):
    """After each such read, though the feed is as a refresh was asked for before."""
    shop.write_feed(FEED)
    first = watching.settle()
    was_read(instance, first.tags[FEED_SHA256])
    assert watching.tick() == "the feed is as it was read last"
    keys = {first.run_key}
    for _ in range(2):
        was_read(instance, None)
        request = watching.tick()
        assert request.tags[FEED_SHA256] == first.tags[FEED_SHA256]
        keys.add(request.run_key)
        assert watching.tick() == "a refresh of what the feed holds now was asked for"
    assert len(keys) == 3
    was_read(instance, first.tags[FEED_SHA256])
    assert watching.tick() == "the feed is as it was read last"


def test_content_that_comes_back_is_another_change(shop, watching, instance):
    """Each has a key of its own, or Dagster would take the second for one that it has run."""
    first = watching.settle()
    was_read(instance, shop.write_feed(FEED))
    was_read(instance, shop.write_feed(FEED + "B,dress,b.jpg\n"))
    watching.settle()
    shop.write_feed(FEED)
    again = watching.settle()
    assert again.run_key != first.run_key
    assert again.tags[FEED_SHA256] == first.tags[FEED_SHA256]


def test_a_failed_refresh_is_not_asked_for_again_and_again(watching):
    """The schedule tries it again; the sensor asks once a change."""
    assert isinstance(watching.settle(), dg.RunRequest)
    assert {watching.tick() for _ in range(3)} == {"a refresh of what the feed holds now was asked for"}


def test_a_change_waits_for_a_refresh_that_has_not_begun(watching, instance):
    """That one will read it; when it was cancelled instead, the change is asked for."""
    queued(instance)
    assert "waits in the queue already" in watching.settle()
    (record,) = instance.get_run_records()
    instance.report_run_canceled(record.dagster_run)
    assert isinstance(watching.tick(), dg.RunRequest)


def test_a_feed_that_is_gone_is_told_and_looked_for_again(shop, watching):
    before = watching.tick()
    shutil.move(shop.home.root / "feed.csv", shop.home.root / "away.csv")
    assert "feed.csv: no such feed" in watching.tick()
    shutil.move(shop.home.root / "away.csv", shop.home.root / "feed.csv")
    assert "holds still" in before
    assert isinstance(watching.settle(), dg.RunRequest)


def test_a_feed_that_is_chosen_while_dagster_runs_is_watched(shop, watching, instance):
    """Without a reload."""
    was_read(instance, shop.write_feed(FEED))
    assert watching.settle() == "the feed is as it was read last"
    (shop.home.root / "other.csv").write_text(FEED.replace("A", "B"), "utf-8")
    shop.home.settings_file.write_text(f'feed = "other.csv"\n{REFRESH}', "utf-8")
    assert isinstance(watching.settle(), dg.RunRequest)


# --- freshness -------------------------------------------------------------------------------------------------------


def test_the_feeds_age_is_dagsters_own_policy(shop):
    graph = shop.repository.asset_graph
    policy = graph.get(dg.AssetKey("raw_catalog")).freshness_policy
    assert policy.fail_window.to_timedelta().total_seconds() == 26 * 3600
    assert graph.get(dg.AssetKey("android_bundle")).freshness_policy is None  # where nothing changes it is rightly old


class Freshness:
    """The sensor on the bundle's freshness, tick by tick."""

    def __init__(self, home: Home, instance: dg.DagsterInstance) -> None:
        settings = Settings(refresh=RefreshSettings(cron="0 3 * * *", fresh_hours=2))
        self.sensor = freshness_sensor(settings, lambda: build_definitions(home))
        self.instance, self.cursor = instance, None

    def tick(self) -> tuple[bool, str] | str:
        """Whether the check passed, and what it says; or why it was not recorded."""
        data = self.sensor.evaluate_tick(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        self.cursor = data.cursor
        if not data.asset_events:
            return str(data.skip_message)
        (event,) = data.asset_events
        return event.passed, str(event.description)


def test_the_bundle_is_fresh_for_as_long_as_the_home_says(built_shop, monkeypatch):
    """Of a built home; then nothing reads the feed any more."""
    home = Home(built_shop.home)
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    with dg.DagsterInstance.get() as instance:
        watch = Freshness(home, instance)
        passed, told = watch.tick()
        assert passed
        assert told.startswith("it holds what the feed said at 20")
        assert told.endswith("; that may be 2 hours ago")
        assert watch.tick() == told  # recorded when it changes, not at every look
        later = json.loads(watch.cursor)["as_of"] + 2 * 3600 + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert watch.tick() == (False, told)


def test_what_a_run_recorded_of_a_stale_bundle_is_put_right(shop_copy, monkeypatch):
    """At the next look, though the sensor's own verdict is what it was."""
    home = Home(shop_copy.home)
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    with dg.DagsterInstance.get() as instance:
        watch = Freshness(home, instance)
        _, told = watch.tick()
        assert watch.tick() == told
        by_a_run = freshness.result(Settings(), None, time.time())
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(asset_key=freshness.BUNDLE, check_name=freshness.CHECK, passed=by_a_run.passed)
        )
        assert watch.tick() == (True, told)


def test_some_categories_read_again_make_a_bundle_no_fresher(instance):
    """The feed's age counts, all of it."""
    was_read(instance, "whole")
    whole = last_whole_read(instance)
    for _ in range(21):  # more than are looked at in one go
        was_read(instance, None)
    assert last_whole_read(instance) == whole
    assert last_read(instance).digest == ""
    assert last_read(instance).at > whole.at


def test_a_new_home_has_time_to_be_built(shop, instance, monkeypatch):
    watch = Freshness(shop.home, instance)
    passed, told = watch.tick()
    assert passed
    assert told.startswith("it was not up to date since 20")
    assert told.endswith("; that may last 2 hours")
    later = time.time() + 2 * 3600 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert watch.tick() == (False, told)

"""A refresh whenever the feed's content changes: once a change, and only once the feed holds still."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from catalog.errors import FeedError
from catalog.formats.feeds.content import content_digest, quick_signature
from dagster_project import refreshing
from dagster_project.feed_reads import last_read
from dagster_project.refreshing import Choices
from resources.feed import Feed
from resources.settings import SAMPLE_FEED, Settings


@dataclass(frozen=True)
class Seen:
    """What the sensor remembers from one tick to the next."""

    signature: str = ""
    digest: str = ""
    since: str = ""  # when this digest was first seen; with it, the same content coming back is another change
    requested: str = ""  # what a refresh was asked for: the digest, and the read of only some of it that it follows


def feed_sensor(job: dg.JobDefinition, settings: Settings, chosen: Callable[[], Choices]) -> dg.SensorDefinition:
    """The sensor; off unless the home says `watch_feed = true`."""
    refresh = settings.refresh
    on = refresh.watch_feed and settings.feed != SAMPLE_FEED

    @dg.sensor(
        job=job,
        name="feed_changed",
        minimum_interval_seconds=refresh.watch_every_s,
        default_status=dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED,
        description="Starts a refresh when the feed's content, or its description, is new and has held still.",
    )
    def feed_changed(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now_chosen = chosen()
        if now_chosen.settings.feed == SAMPLE_FEED:
            return dg.SensorResult(skip_reason="this home has the drawn sample shop, which does not change")
        before = Seen(**json.loads(context.cursor)) if context.cursor else Seen()
        try:
            now = _look(now_chosen.feed, before)
        except FeedError as error:
            return dg.SensorResult(skip_reason=str(error))
        read = last_read(context.instance)
        if read and read.digest == now.digest:
            return _skip("the feed is as it was read last", now)
        wanted = f"{now.digest} {read.run_id}" if read and not read.digest else now.digest
        if wanted == now.requested:
            return _skip("a refresh of what the feed holds now was asked for", now)
        if now.signature != before.signature:
            return _skip("the feed has changed; it is read once it holds still until the next look", now)
        if refreshing.waits(context.instance):
            return _skip("the feed has changed; a refresh that has not begun waits in the queue already", now)
        key = f"{now.digest[:16]} {now.since}{wanted.removeprefix(now.digest)}"
        request = dg.RunRequest(run_key=key, tags=now_chosen.tags("feed"))
        return dg.SensorResult(run_requests=[request], cursor=json.dumps(asdict(replace(now, requested=wanted))))

    return feed_changed


def _look(feed: Feed, before: Seen) -> Seen:
    """What the feed is now; its files are read only where a size or time says that they may have changed."""
    description = feed.describe()
    home = Path(feed.home)
    signature = quick_signature(description, home)
    digest = before.digest if signature == before.signature else content_digest(description, home)
    if digest == before.digest:
        return replace(before, signature=signature)
    return Seen(signature, digest, since=datetime.now(UTC).isoformat())


def _skip(reason: str, seen: Seen) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=reason, cursor=json.dumps(asdict(seen)))

"""The nightly refresh: when lookbook.toml's [refresh] says."""

from collections.abc import Callable

import dagster as dg

from dagster_project import refreshing
from dagster_project.refreshing import Choices
from resources.settings import Settings

EVERY_NIGHT = "30 2 * * *"


def nightly_refresh(job: dg.JobDefinition, settings: Settings, chosen: Callable[[], Choices]) -> dg.ScheduleDefinition:
    """The schedule; a home that names no `cron` has it switched off."""
    refresh = settings.refresh

    @dg.schedule(
        job=job,
        name="nightly_refresh",
        cron_schedule=refresh.cron or EVERY_NIGHT,
        execution_timezone=refresh.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if refresh.cron else dg.DefaultScheduleStatus.STOPPED,
        description="Reads the feed again and builds what is stale; lookbook.toml's [refresh] says when.",
    )
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if refreshing.waits(context.instance):
            return dg.SkipReason("a refresh that has not begun waits in the queue already")
        return dg.RunRequest(tags=chosen().tags("schedule"))

    return nightly

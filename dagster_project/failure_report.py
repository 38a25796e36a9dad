"""Says that a run failed: a line in the daemon's log, and a POST to the webhook that the environment names."""

import logging
import os
import re
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg
import httpx
from dagster._core.storage.tags import WILL_RETRY_TAG

from dagster_project import failures, refreshing
from resources.home import UI_VARIABLE
from resources.settings import Settings

WEBHOOK_VARIABLE = "LOOKBOOK_WEBHOOK_URL"
DEFAULT_UI = "http://127.0.0.1:3000"
TRIES, FIRST_PAUSE_S, TIMEOUT_S = 3, 1.0, 8.0  # in all less than Dagster gives a sensor, 60 s
USER_IN_URL = re.compile(r"(?<=://)[^\s/@]+@")
QUERY_IN_URL = re.compile(r"(://[^\s?#\"']*)[?#][^\s\"']*")
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs every request's URL, and a webhook's is a secret


def failure_sensor(settings: Settings) -> dg.SensorDefinition:
    """The sensor; always on. A run that Dagster starts again after it was lost is reported once it is lost for good."""

    @dg.run_failure_sensor(
        name="report_failure",
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=15,
        description=f"Tells of every failed run: in the daemon's log, and to {WEBHOOK_VARIABLE} where there is one.",
    )
    def report_failure(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.tags.get(WILL_RETRY_TAG) == "true":
            return dg.SkipReason(f"run {run.run_id} was lost, and is started again")
        failed = failures.recorded(context.instance, run, context.failure_event.message or "")
        report = report_of(run, failed, settings)
        context.log.error(report["text"])
        url = os.environ.get(WEBHOOK_VARIABLE, "")
        if url and (problem := post(url, report)):
            context.log.error(f"the webhook of {WEBHOOK_VARIABLE} was not told of run {run.run_id}: {problem}")
        return None

    return report_failure


def report_of(run: dg.DagsterRun, failed: failures.Failed, settings: Settings) -> dict[str, Any]:
    """What the webhook is sent. `text` is what chat services show of any JSON that is posted to them."""
    line = without_secrets(failed.line)
    link = f"{ui_url(settings)}/runs/{run.run_id}"
    told = line.removeprefix(f"{failed.asset}: ")
    at = f" at {failed.asset}" if failed.asset else ""
    return {
        "event": "run_failed",
        "job": run.job_name,
        "run_id": run.run_id,
        "asset": failed.asset or None,
        "error": line,
        "link": link,
        "tags": {key: value for key, value in run.tags.items() if key.startswith("lookbook/")},
        "text": f"Lookbook: {_called(run)} failed{at}: {told} ({link})",
    }


def ui_url(settings: Settings) -> str:
    """Where people open Dagster, no slash at its end: as lookbook.toml says, else where `lookbook dev` listens."""
    return (settings.refresh.ui_url or os.environ.get(UI_VARIABLE) or DEFAULT_UI).rstrip("/")


def without_secrets(line: str) -> str:
    """A line without what URLs may carry of passwords and tokens: user and query."""
    return QUERY_IN_URL.sub(r"\1?...", USER_IN_URL.sub("", line))


def post(url: str, report: Mapping[str, Any]) -> str:
    """POST JSON, with pauses between tries; returns "" or, without the URL, why it was not taken.

    Busy and failing servers and broken connections are tried again, a server that refuses is not.
    """
    problem = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
        try:
            answer = httpx.post(url, json=report, timeout=TIMEOUT_S)
        except httpx.TransportError as error:
            problem = type(error).__name__
            continue
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, ValueError):
            return "it is no URL"
        if answer.is_success:
            return ""
        problem = f"it answered {answer.status_code}"
        if answer.status_code < 500 and answer.status_code not in (408, 425, 429):
            return problem
    return problem


def _called(run: dg.DagsterRun) -> str:
    return "the refresh" if run.job_name == refreshing.REFRESH else f"run {run.run_id[:8]}"

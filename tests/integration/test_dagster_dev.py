"""A home left to itself under `lookbook dev`: its feed changes, a run is killed, the feed goes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

pytestmark = pytest.mark.endurance

REFRESH = """
[refresh]
cron = "0 0 29 2 *"
watch_feed = true
watch_every_s = 2
"""
RUNS = """query Runs($filter: RunsFilter) { runsOrError(filter: $filter) { ... on Runs { results {
    runId jobName status tags { key value } } } } }"""
EVENTS = """query Events($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
    __typename ... on MessageEvent { message } ... on MaterializationEvent { assetKey { path } } } } } }"""
LAUNCH = """mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } } }"""
STATES = """query States($at: RepositorySelector!) { repositoryOrError(repositorySelector: $at) { ... on Repository {
    schedules { name scheduleState { status } } sensors { name sensorState { status } } } } }"""
AT = {"repositoryLocationName": "lookbook", "repositoryName": "__repository__"}
PATIENCE_S = 150
T = TypeVar("T")


@dataclass
class Left:
    """A home that Dagster looks after, asked by GraphQL as its own UI asks."""

    home: Path
    url: str
    reports: list[dict[str, Any]] = field(default_factory=list)
    log: Path = Path()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer's data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"content-type": "application/json"})
        answer = json.load(urllib.request.urlopen(request, timeout=60))
        assert "errors" not in answer, answer
        return answer["data"]

    def runs(self, **having: Any) -> list[dict[str, Any]]:
        """Runs, newest first, their tags as a dict."""
        found = self.ask(RUNS, filter=having)["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def refreshes(self, *statuses: str) -> list[dict[str, Any]]:
        """Refreshes that are in one of some states."""
        return self.runs(pipelineName="refresh", statuses=list(statuses) or None)

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """What a run told."""
        return self.ask(EVENTS, run=run_id)["logsForRun"]["events"]

    def built(self, refresh: str) -> set[str]:
        """What the rounds of a refresh materialised."""
        rounds = self.runs(tags=[{"key": "lookbook/part_of_refresh", "value": refresh}])
        events = [event for run in rounds for event in self.events(run["runId"])]
        return {event["assetKey"]["path"][0] for event in events if event["__typename"] == "MaterializationEvent"}

    def launch(self) -> str:
        """Start a refresh as the UI's launchpad does; returns the run's id."""
        params = {"selector": {**AT, "jobName": "refresh"}, "mode": "default", "runConfigData": {}}
        return self.ask(LAUNCH, params=params)["launchPipelineExecution"]["run"]["runId"]

    def process_of(self, run_id: str) -> int | None:
        """The process that runs a run, once its step has begun."""
        told = self.events(run_id)
        if not any(event["__typename"] == "ExecutionStepStartEvent" for event in told):
            return None
        (line,) = [event["message"] for event in told if "Started process for run" in event.get("message", "")]
        return int(line.partition("(pid: ")[2].partition(")")[0])

    def wait(self, what: str, look: Callable[[], T]) -> T:
        """Look until there is something to see."""
        deadline = time.monotonic() + PATIENCE_S
        while not (seen := look()):
            told = self.log.read_text("utf-8", "replace")[-3000:]
            assert time.monotonic() < deadline, f"waited in vain for {what}\n{self.refreshes()}\n{told}"
            time.sleep(0.3)
        return seen

    def ends(self, run_id: str, wanted: str) -> None:
        """Wait for a run's end, which is to be of one kind."""

        def look() -> str:
            (run,) = self.runs(runIds=[run_id])
            return run["status"] if run["status"] in ("SUCCESS", "FAILURE", "CANCELED") else ""

        seen = self.wait(f"the end of {run_id}", look)
        assert seen == wanted, self.log.read_text("utf-8", "replace")[-6000:]


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook/very-secret", taken
        server.shutdown()


@pytest.fixture
def left(shop_copy, webhook, tmp_path) -> Iterator[Left]:
    """The built shop under `lookbook dev`, started in a folder whose .env names another Dagster home."""
    with (shop_copy.home / "lookbook.toml").open("a", encoding="utf-8") as file:
        file.write(REFRESH)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text(f"DAGSTER_HOME={elsewhere}\n", "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "dev.log"
    with log.open("wb") as written:
        dev = subprocess.Popen(
            [Path(sys.executable).with_name("lookbook"), "dev", "--home", shop_copy.home, "--port", str(port)],
            cwd=elsewhere,
            env={**os.environ, "LOOKBOOK_WEBHOOK_URL": webhook[0]},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
    left = Left(shop_copy.home, f"http://127.0.0.1:{port}", webhook[1], log)
    try:
        left.wait("the UI", lambda: answers(left, dev))
        yield left
    finally:
        os.killpg(dev.pid, signal.SIGINT)
        try:
            dev.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(dev.pid, signal.SIGKILL)


def heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it


def answers(left: Left, dev: "subprocess.Popen[bytes]") -> bool:
    assert dev.poll() is None, left.log.read_text("utf-8", "replace")
    try:
        return "schedules" in left.ask(STATES, at=AT)["repositoryOrError"]
    except OSError:
        return False


def test_a_home_that_is_left_to_itself(left):
    """In one go, since a start costs fifteen seconds: each part leaves the home as the next one needs it."""
    # Switched on as lookbook.toml says, and nothing to do yet: the feed is as it was built.
    found = left.ask(STATES, at=AT)["repositoryOrError"]
    states = {one["name"]: one["scheduleState"]["status"] for one in found["schedules"]}
    states |= {one["name"]: one["sensorState"]["status"] for one in found["sensors"]}
    assert states == {
        "nightly_refresh": "RUNNING", "feed_changed": "RUNNING", "watch_freshness": "RUNNING",
        "report_failure": "RUNNING", "automation": "STOPPED",
    }  # fmt: skip
    left.wait("a look at the feed", lambda: "the feed is as it was read last" in left.log.read_text("utf-8", "replace"))
    assert left.refreshes() == []

    # The feed changes: a refresh begins by itself, and another, asked for meanwhile, waits. The first is killed.
    feed = left.home / "shop" / "feed.csv"
    text = feed.read_text("utf-8")
    title = text.splitlines()[1].split(",")[2]
    feed.write_text(text.replace(title, "A title of today"), "utf-8")
    (first,) = left.wait("a refresh", left.refreshes)
    assert first["tags"]["lookbook/started_by"] == "feed"
    assert first["tags"]["lookbook/profile"] == "embedded"
    process = left.wait("its process", lambda: left.process_of(first["runId"]))
    second = left.launch()
    os.kill(process, signal.SIGKILL)
    left.ends(first["runId"], "FAILURE")

    # It is started again by itself, once; the one that waited has its turn; what the feed says is published.
    left.ends(second, "SUCCESS")
    (again,) = left.wait("its retry", lambda: [r for r in left.refreshes() if "dagster/retry_number" in r["tags"]])
    left.ends(again["runId"], "SUCCESS")
    built = left.built(first["runId"]) | left.built(second) | left.built(again["runId"])
    assert "android_bundle" in built
    assert "sam2_masks" not in built  # a title is in no picture
    shown = (left.home / "android_bundle" / "current" / "catalog.json").read_text("utf-8")
    assert "A title of today" in shown
    started = "STARTED", "STARTING"
    left.wait("no run that only counts as running", lambda: not left.runs(statuses=list(started)))
    assert len(left.refreshes()) == 3
    assert left.reports == []  # lost, and started again: nobody needs to act

    # The feed goes: the sensor waits for it; a refresh fails, and that is told, without the webhook's own URL.
    feed.rename(feed.with_name("away.csv"))
    failed = left.launch()
    left.ends(failed, "FAILURE")
    (report,) = left.wait("its report", lambda: left.reports)
    assert (report["event"], report["run_id"]) == ("run_failed", failed)
    assert report["asset"] in ("raw_catalog", "labelled_queries")
    assert "feed.csv does not exist" in report["error"]
    assert report["link"] == f"{left.url}/runs/{failed}"
    logged = left.log.read_text("utf-8", "replace")
    assert report["text"] in logged
    assert "very-secret" not in logged
    assert len(left.refreshes()) == 4

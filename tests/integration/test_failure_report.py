"""How a failed run is told: to a real server on loopback that takes it, fails, refuses, hangs or is not there."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import dagster as dg
import pytest

from catalog.errors import FeedError
from dagster_project import failure_report, failures
from dagster_project.failure_report import post, report_of, without_secrets
from resources.settings import RefreshSettings, Settings


@dataclass
class Receiver:
    """A webhook: gives its answers in turn, the last one for ever, and keeps what it was sent."""

    answers: list[int] = field(default_factory=lambda: [200])
    taken: list[dict] = field(default_factory=list)
    asked: int = 0
    hang: threading.Event | None = None
    url: str = ""


@pytest.fixture
def webhook() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.asked += 1
            if receiver.hang:
                receiver.hang.wait(10)
                return
            answer = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            if answer == 200:
                receiver.taken.append(json.loads(body))
            self.send_response(answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook/very-secret"
        yield receiver
        server.shutdown()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(failure_report, "FIRST_PAUSE_S", 0.01)


REPORT = {"event": "run_failed", "text": "Lookbook: the refresh failed"}


def test_it_is_sent_as_json(webhook):
    assert post(webhook.url, REPORT) == ""
    assert webhook.taken == [REPORT]


@pytest.mark.parametrize("answer", [500, 503, 429])
def test_a_busy_server_is_asked_again(webhook, answer):
    webhook.answers = [answer, answer, 200]
    assert post(webhook.url, REPORT) == ""
    assert webhook.asked == 3


@pytest.mark.parametrize(("answer", "times"), [(500, 3), (404, 1), (302, 1)])
def test_a_server_that_does_not_take_it_is_told_without_its_url(webhook, answer, times):
    """One that refuses is asked once; a redirect is not followed, it might lead anywhere."""
    webhook.answers = [answer]
    assert post(webhook.url, REPORT) == f"it answered {answer}"
    assert webhook.asked == times


def test_a_server_that_hangs_is_given_up(webhook, monkeypatch):
    monkeypatch.setattr(failure_report, "TIMEOUT_S", 0.1)
    webhook.hang = threading.Event()
    assert post(webhook.url, REPORT) == "ReadTimeout"
    webhook.hang.set()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://127.0.0.1:9/very-secret", "ConnectError"),
        ("very-secret", "UnsupportedProtocol"),
        ("http://very-secret:port/", "it is no URL"),
    ],
)
def test_a_wrong_url_is_told_without_it(url, problem):
    assert post(url, REPORT) == problem


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("https://ann:pass@shop.example/feed.xml: gone", "https://shop.example/feed.xml: gone"),
        ("GET https://shop.example/a.jpg?token=abc&w=3 failed", "GET https://shop.example/a.jpg?... failed"),
        ("'postgresql://u:p@db/lookbook': refused", "'postgresql://db/lookbook': refused"),
        ("feed.csv: what is this? no row", "feed.csv: what is this? no row"),
    ],
)
def test_what_urls_carry_of_secrets_is_not_passed_on(line, told):
    assert without_secrets(line) == told


# --- the sensor, on runs that failed ---------------------------------------------------------------------------------


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:
        yield instance


SETTINGS = Settings(refresh=RefreshSettings(ui_url="https://lookbook.example/"))
TAGS = {"lookbook/started_by": "schedule", "lookbook/profile": "embedded"}


def failed_run(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    @dg.asset
    def raw_catalog() -> None:
        raise FeedError("https://shop.example/feed.xml?key=very-secret: half of it is missing")

    job = dg.define_asset_job("refresh", [raw_catalog])
    definitions = dg.Definitions(assets=[raw_catalog], jobs=[job], executor=dg.in_process_executor)
    return definitions.resolve_job_def("refresh").execute_in_process(instance=instance, raise_on_error=False, tags=TAGS)


def sense(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, run: dg.DagsterRun) -> dg.SkipReason | None:
    (event,) = [event for event in result.all_events if event.event_type is dg.DagsterEventType.RUN_FAILURE]
    context = dg.build_run_status_sensor_context(
        sensor_name="report_failure", dagster_event=event, dagster_instance=instance, dagster_run=run
    ).for_run_failure()
    return failure_report.failure_sensor(SETTINGS)(context)


def test_a_failed_run_is_told_in_the_log_and_to_the_webhook(instance, webhook, monkeypatch, capfd):
    monkeypatch.setenv("LOOKBOOK_WEBHOOK_URL", webhook.url)
    result = failed_run(instance)
    capfd.readouterr()
    sense(instance, result, result.dagster_run)
    logged = "".join(capfd.readouterr())
    link = f"https://lookbook.example/runs/{result.run_id}"
    line = "https://shop.example/feed.xml?... half of it is missing"
    text = f"Lookbook: the refresh failed at raw_catalog: {line} ({link})"
    assert webhook.taken == [
        {
            "event": "run_failed", "job": "refresh", "run_id": result.run_id, "asset": "raw_catalog", "error": line,
            "link": link, "tags": TAGS, "text": text,
        }
    ]  # fmt: skip
    assert text in logged
    assert "very-secret" not in logged  # neither the feed's key nor the webhook's path


def test_a_webhook_that_does_not_take_it_is_told_in_the_log(instance, webhook, monkeypatch, capfd):
    monkeypatch.setenv("LOOKBOOK_WEBHOOK_URL", webhook.url)
    webhook.answers = [404]
    result = failed_run(instance)
    capfd.readouterr()
    sense(instance, result, result.dagster_run)
    logged = "".join(capfd.readouterr())
    assert f"the webhook of LOOKBOOK_WEBHOOK_URL was not told of run {result.run_id}: it answered 404" in logged
    assert "very-secret" not in logged


def test_without_a_webhook_the_log_is_told(instance, monkeypatch, capfd):
    monkeypatch.delenv("LOOKBOOK_WEBHOOK_URL", raising=False)
    result = failed_run(instance)
    sense(instance, result, result.dagster_run)
    assert "Lookbook: the refresh failed at raw_catalog" in "".join(capfd.readouterr())


def test_a_lost_run_that_is_started_again_is_not_told(instance, webhook, monkeypatch):
    monkeypatch.setenv("LOOKBOOK_WEBHOOK_URL", webhook.url)
    result = failed_run(instance)
    run = result.dagster_run.with_tags({**TAGS, "dagster/will_retry": "true"})
    assert "is started again" in sense(instance, result, run).skip_message
    assert webhook.asked == 0


def test_the_asset_is_named_once():
    """Though some messages begin with it."""
    run = dg.DagsterRun(job_name="refresh", run_id="0123456789")
    line = "raw_catalog: 7 of the 12 published products are gone"
    report = report_of(run, failures.Failed("raw_catalog", line), SETTINGS)
    assert report["text"] == (
        "Lookbook: the refresh failed at raw_catalog: 7 of the 12 published products are gone "
        "(https://lookbook.example/runs/0123456789)"
    )
    assert report["error"] == line


def test_links_lead_to_where_the_ui_listens(monkeypatch):
    """Unless lookbook.toml names another address: a proxy's."""
    run, failed = dg.DagsterRun(job_name="build", run_id="0123456789"), failures.Failed("", "gone")
    monkeypatch.setenv("LOOKBOOK_UI_URL", "http://127.0.0.1:3988")
    assert report_of(run, failed, Settings())["link"] == "http://127.0.0.1:3988/runs/0123456789"
    assert report_of(run, failed, SETTINGS)["link"] == "https://lookbook.example/runs/0123456789"


def test_a_run_of_another_job_is_named_by_its_id(monkeypatch):
    monkeypatch.delenv("LOOKBOOK_UI_URL", raising=False)
    run = dg.DagsterRun(job_name="build", run_id="0123456789")
    report = report_of(run, failures.Failed("", "its process is gone"), Settings())
    assert report["text"] == (
        "Lookbook: run 01234567 failed: its process is gone (http://127.0.0.1:3000/runs/0123456789)"
    )
    assert report["asset"] is None

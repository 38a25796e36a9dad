"""Which runs lost their process: held to real processes, alive, killed, and ids that the system gave away again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from dagster_project.run_launcher import WatchedRunLauncher, is_alive, last_process


@pytest.fixture
def instance(tmp_path):
    overrides = {
        "run_launcher": {"module": "dagster_project.run_launcher", "class": "WatchedRunLauncher"},
        "telemetry": {"enabled": False},
    }
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        yield instance


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def run_of(instance: dg.DagsterInstance, pid: int | None, host: str = "localhost") -> dg.DagsterRun:
    """A run that counts as started, and said that this process runs it."""
    run = dg.DagsterRun(
        job_name="build", status=dg.DagsterRunStatus.STARTED, tags={GRPC_INFO_TAG: f'{{"host": "{host}"}}'}
    )
    instance.add_run(run)
    if pid is not None:
        instance.report_engine_event("Executing steps in process", run, EngineEventData.in_process(pid))
    return run


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    assert launcher.supports_check_run_worker_health
    return launcher.check_run_worker_health(run).status


def test_a_killed_process_is_noticed(instance, sleeper):
    run = run_of(instance, sleeper.pid)
    assert status(instance, run) is WorkerStatus.RUNNING
    sleeper.kill()
    sleeper.wait()
    assert status(instance, run) is WorkerStatus.FAILED


def test_what_can_not_be_told_counts_as_running(instance, sleeper):
    """A run that has not said its process, or that another machine runs."""
    sleeper.kill()
    sleeper.wait()
    assert status(instance, run_of(instance, None)) is WorkerStatus.RUNNING
    assert status(instance, run_of(instance, sleeper.pid, host="builder.example")) is WorkerStatus.RUNNING


@pytest.mark.parametrize(("seconds", "wanted"), [(5, WorkerStatus.RUNNING), (60, WorkerStatus.FAILED)])
def test_a_run_that_was_killed_before_it_said_who_it_is(instance, seconds, wanted):
    """Its start is known and nothing else: it would hold the queue for ever."""
    run = run_of(instance, None)
    event = DagsterEvent(DagsterEventType.RUN_START.value, "build")
    instance.report_dagster_event(event, run.run_id, timestamp=time.time() - seconds)
    assert status(instance, run) is wanted


def test_a_run_that_was_resumed_counts_by_its_last_process(instance, sleeper):
    run = run_of(instance, 2**22 + 1)  # above Linux's largest process id
    instance.report_engine_event("Executing steps in process", run, EngineEventData.in_process(sleeper.pid))
    assert last_process(instance, run.run_id)[0] == sleeper.pid
    assert status(instance, run) is WorkerStatus.RUNNING


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the start of a process is known from /proc only")
def test_an_id_that_was_given_away_again_is_no_life_sign(sleeper):
    """The process that has the id now began after the run spoke."""
    assert is_alive(sleeper.pid, seen_at=time.time())
    assert not is_alive(sleeper.pid, seen_at=time.time() - 3600)


def test_a_run_in_this_process_says_so(instance):
    """As a command's do."""

    @dg.asset
    def photos() -> None:
        """Stands for any stage."""

    result = dg.materialize([photos], instance=instance)
    pid, seen_at = last_process(instance, result.run_id)
    assert pid == os.getpid()
    assert is_alive(pid, seen_at)

"""One build at a time in a home, whoever starts it: a command, or a run of Dagster's."""

import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from catalog.errors import LookbookError
from resources import build_lock
from resources.data_lake import DataLake
from resources.home import Home

HOLDING = """
import sys, time
from pathlib import Path
from resources.build_lock import hold
from resources.home import Home
with hold(Home(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / ".dagster").mkdir()
    return Home(tmp_path)


@contextmanager
def held_elsewhere(home: Home, seconds: float):
    """Another process holds the lock, for some seconds or until it is killed."""
    command = [sys.executable, "-c", HOLDING, str(home.root), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@dg.asset
def writes(data_lake: DataLake) -> None:
    """Stands for any stage."""


def run(home: Home) -> dg.ExecuteInProcessResult:
    lake = DataLake(root=str(home.data_lake), home=str(home.root), build_lock=str(build_lock.lock_file(home)))
    return dg.materialize([writes], resources={"data_lake": lake})


def test_a_run_waits_for_a_command(home):
    """And goes on as soon as that has ended."""
    with held_elsewhere(home, 1.0):
        started = time.monotonic()
        assert run(home).success
        assert 0.5 < time.monotonic() - started < 20


def test_a_run_that_waited_too_long_says_why(home, monkeypatch):
    monkeypatch.setattr(build_lock, "RUNS_WAIT_S", 0.2)
    with held_elsewhere(home, 60), pytest.raises(dg.DagsterUserCodeExecutionError) as raised:
        run(home)
    assert str(raised.value.user_exception) == f"another build is running in {home.root}: wait for it, or end it"


def test_a_command_does_not_wait(home):
    with (
        held_elsewhere(home, 60),
        pytest.raises(LookbookError, match="another build is running in"),
        build_lock.hold(home),
    ):
        pass


def test_a_killed_process_holds_nothing(home):
    with held_elsewhere(home, 60) as process:
        process.kill()
        process.wait()
        with build_lock.hold(home):
            assert run(home).success  # a command's own run is no other build

"""Starts runs as Dagster does by default, and tells its monitor which of them lost their process.

Dagster's own launcher can't tell: a run that a killed command or a power cut left behind would count as running for
ever, and hold the queue. Named in dagster.yaml; `run_monitoring` asks it about every run that counts as started.
"""

import json
import os
import time
from pathlib import Path

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG

HERE = ("localhost", "127.0.0.1", "::1", "")
SAYS_WITHIN_S = 30.0  # a run gives its process id with its first step, at once
ROUNDING_S = 5.0  # between two clocks: Dagster's and the kernel's
STARTED_AT_FIELD = 19  # of /proc/PID/stat after the name: the process's start, in clock ticks since the machine's


class WatchedRunLauncher(DefaultRunLauncher):
    """The default launcher, and whether a run's process is still there."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """So that Dagster's monitor asks."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """FAILED where the process that last said it runs this run is gone; RUNNING where that can't be told."""
        if not _is_here(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING, "on another machine")
        seen = last_process(self._instance, run.run_id)
        if seen is None and self._started_long_ago(run):
            return CheckRunHealthResult(WorkerStatus.FAILED, "its process ended before it said which it was")
        if seen is None or is_alive(*seen):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, f"process {seen[0]} is gone")

    def _started_long_ago(self, run: dg.DagsterRun) -> bool:
        record = self._instance.get_run_record_by_id(run.run_id)
        return record is not None and record.start_time is not None and record.start_time < time.time() - SAYS_WITHIN_S


def last_process(instance: dg.DagsterInstance, run_id: str) -> tuple[int, float] | None:
    """The process id that a run last gave, and when (seconds since 1970); None where it gave none."""
    seen = None
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None and str(pid.value).isdigit():
            seen = (int(str(pid.value)), entry.timestamp)
    return seen


def is_alive(pid: int, seen_at: float) -> bool:
    """Whether the process that had this id at that time still runs; an id that another process got since does not."""
    if os.name != "posix":  # elsewhere this very call would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # there, but somebody else's
        pass
    started = _started_at(pid)
    return started is None or started <= seen_at + ROUNDING_S


def _is_here(run: dg.DagsterRun) -> bool:
    server = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    return server.get("host", "") in HERE


def _started_at(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None where the system has no /proc, or it just ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = next(
            int(line.split()[1]) for line in Path("/proc/stat").read_text("utf-8").splitlines() if line[:6] == "btime "
        )
    except (OSError, StopIteration):
        return None
    ticks = int(stat.rpartition(")")[2].split()[STARTED_AT_FIELD])
    return boot + ticks / os.sysconf("SC_CLK_TCK")

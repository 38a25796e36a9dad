"""Runs a command and watches all of its processes: for the scripts beside it."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil


def watched(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """Run a command; returns its seconds and the largest resident size of any one of its processes, in MiB."""
    started, peak = time.monotonic(), 0
    process = subprocess.Popen(command, cwd=folder, env=environment)
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            for one in [parent, *parent.children(recursive=True)]:
                peak = max(peak, one.memory_info().rss)
        except psutil.NoSuchProcess:
            pass
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - started, peak / 2**20

"""Runs `lookbook` in forks of a process that has loaded Dagster: each a process of its own, none loads it anew.

Loading takes longer than most commands run. The process that is forked is multiprocessing's fork server: it has one
thread and opens no model, so that what comes of it is as good as new.
"""

import atexit
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["dagster_project.definitions", "dagster_project.evaluating", "query.search_command"])


def run(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], outputs: Path, limit_s: float
) -> "subprocess.CompletedProcess[str]":
    """One command, as `subprocess.run` gives it back; the folder `outputs` keeps what it printed.

    Raises: subprocess.TimeoutExpired, it was killed after `limit_s` seconds.
    """
    files = [outputs / name for name in ("stdout", "stderr")]
    process = FORKS.Process(target=_become, args=(arguments, cwd, environment, files))
    process.start()
    process.join(limit_s)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise subprocess.TimeoutExpired(arguments, limit_s)
    return subprocess.CompletedProcess(arguments, process.exitcode, *(file.read_text("utf-8") for file in files))


def _become(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], files: Sequence[Path]) -> None:
    """The command, in the process that was forked for it."""
    from dagster_project.cli import main

    for stream, file in zip((sys.stdout, sys.stderr), files, strict=True):
        with file.open("wb") as opened:
            os.dup2(opened.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = [str(Path(sys.executable).with_name("lookbook")), *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out

"""Runs `lookbook` commands in forks of a process that has loaded Dagster once: each a process, none loads it anew.

Loading takes longer than most commands run. Requests are JSON lines on standard input: arguments, folder, environment,
files for the two outputs, seconds at most; the answer to each is its exit code, a line on standard output. The server
has one thread and opens no model, so that what it forks is as good as new.
"""

import atexit
import gc
import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

KILLED_AFTER_LIMIT = 124
LOADED = ("dagster_project.definitions", "dagster_project.evaluating", "query.search_command")


def main() -> None:
    """Serve until standard input ends."""
    from dagster_project.cli import main as command

    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            _run(command, request)
        print(_code(child, request["timeout_s"]), flush=True)  # noqa: T201


def _run(command: Callable[[], object], request: dict[str, Any]) -> None:
    """Become the command; never returns."""
    os.setsid()  # as a process of its own, so that what it leaves running can be ended with it
    for place, file in ((0, os.devnull), (1, request["stdout"]), (2, request["stderr"])):
        opened = os.open(file, os.O_RDWR)
        os.dup2(opened, place)
        os.close(opened)
    sys.stdin = os.fdopen(0)
    sys.stdout, sys.stderr = (os.fdopen(place, "w", encoding="utf-8", buffering=1) for place in (1, 2))
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = [str(Path(sys.executable).with_name("lookbook")), *request["arguments"]]
    code: object = 0
    try:
        command()
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1 if code else 0)


def _code(child: int, timeout_s: float) -> int:
    """The exit code of a child, which is killed where it takes too long."""
    until = time.monotonic() + timeout_s
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return KILLED_AFTER_LIMIT
        time.sleep(0.005)


if __name__ == "__main__":
    main()

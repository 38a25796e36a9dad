"""A real `lookbook serve` in a process of its own, and the bundles and photos that it is tried with."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

START_S = 60.0
LISTENING = re.compile(r"listening on (http://\S+):(\d+)")


@dataclass
class Service:
    """A running service."""

    url: str
    port: int
    process: "subprocess.Popen[bytes]"
    log_file: Path

    @property
    def log(self) -> str:
        """All that it has said."""
        return self.log_file.read_text("utf-8")

    def get(self, path: str, **options: object) -> httpx.Response:
        """One GET; the path is sent as it is."""
        return httpx.get(self.url + path, timeout=30, **options)

    def search(self, photo: bytes, headers: dict[str, str] | None = None, **fields: object) -> httpx.Response:
        """Search with one photo."""
        return httpx.post(
            f"{self.url}/search", files={"file": ("photo.jpg", photo)}, data=fields, headers=headers, timeout=60
        )

    def wait_until(self, told: Callable[[], bool], within_s: float = 30.0) -> None:
        """Raises: AssertionError with the log, where it does not come true."""
        until = time.monotonic() + within_s
        while not told():
            assert time.monotonic() < until, self.log
            assert self.process.poll() is None, self.log
            time.sleep(0.05)

    def serves(self, version: str) -> bool:
        """Is this what it serves now?"""
        return self.get("/healthz").headers.get("X-Lookbook-Bundle") == version

    def metric(self, name: str) -> float:
        """One number of /metrics."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[-1])
        raise AssertionError(f"no {name}")


Serve = Callable[..., Service]


@pytest.fixture(scope="module")
def serve(tmp_path_factory) -> Iterator[Serve]:
    """Starts services, each on a free port; all end with the module, by the signal that a machine sends."""
    started: list[subprocess.Popen[bytes]] = []

    def start(bundle: Path, *options: object, ready: bool = True, **environment: str) -> Service:
        log_file = tmp_path_factory.mktemp("service") / "log"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("LOOKBOOK_")}
        command = [Path(sys.executable).with_name("lookbook"), "serve", "--bundle", bundle, "--port", "0", *options]
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                list(map(str, command)), stdout=log, stderr=log, env={**kept, "OMP_NUM_THREADS": "1", **environment}
            )
        started.append(process)
        service = Service("", 0, process, log_file)
        service.wait_until(lambda: LISTENING.search(service.log) is not None, START_S)
        found = LISTENING.search(service.log)
        service.url, service.port = f"{found[1]}:{found[2]}", int(found[2])
        service.wait_until(lambda: _status(service) in ((200,) if ready else (200, 503)), START_S)
        return service

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
    for process in started:
        process.wait(timeout=30)


def _status(service: Service) -> int:
    try:
        return service.get("/readyz").status_code
    except httpx.TransportError:
        return 0


@pytest.fixture(scope="module")
def current(built_shop) -> Path:
    """The built bundle; not to be changed."""
    return built_shop.home / "android_bundle" / "current"


@pytest.fixture(scope="module")
def service(serve, current) -> Service:
    """A service with nothing but defaults, on the built bundle."""
    return serve(current)


@pytest.fixture(scope="module")
def photos(built_shop) -> list[bytes]:
    """The shop's query photos."""
    return [path.read_bytes() for path in built_shop.queries]

"""The service against the engine alone: throughput, how evenly it answers, and its memory over many requests.

    python benchmarks/service.py --home HOME [--requests 5000] [--rounds 4] [--seconds 15] [--at-once N]

The processor's time a search is beside it: on a machine that others use, too, it says more than the throughput.
HOME is a home that was built from the sample shop; its query photos are asked. The engine's own number is that of as
many threads calling `Engine.search` in one process, the service's that of as many clients, each on one connection.
Rounds of the two alternate, so that a machine that slows down does so for both. Prints Markdown.
"""

import argparse
import itertools
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from query.serve_command import AT_ONCE

CLIENTS = 8
LEAST_SHARE, MOST_SPREAD, MOST_GROWTH = 0.95, 3.0, 0.05
BOUNDARY = b"a-boundary-that-no-photo-holds"
ENGINE_ROUND = """
import json, sys, time
from pathlib import Path
sys.path.insert(0, {benchmarks!r})
from service import CLIENTS, in_threads
from query.engine import Engine
engine = Engine(Path({bundle!r}), in_memory=True)
photos = [Path(name).read_bytes() for name in json.loads({photos!r})]
for photo in photos[:8]:
    engine.search(photo)
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(in_threads([engine.search] * CLIENTS, photos, float(line))), flush=True)
"""


def in_threads(asks: Sequence[Callable[[bytes], object]], photos: Sequence[bytes], seconds: float) -> list[float]:
    """Ask without a pause, a thread each, photo after photo; returns the seconds of every request."""
    taken: list[float] = []
    until = time.perf_counter() + seconds

    def ask_on(ask: Callable[[bytes], object], first: int) -> None:
        for photo in itertools.islice(itertools.cycle(photos), first, None):
            started = time.perf_counter()
            if started > until:
                return
            ask(photo)
            taken.append(time.perf_counter() - started)

    threads = [threading.Thread(target=ask_on, args=(ask, 3 * place)) for place, ask in enumerate(asks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


class Client:
    """One kept connection, as cheap as can be: what it costs is taken from the service on the same cores."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = socket.create_connection(("127.0.0.1", port))

    def ask(self, photo: bytes) -> bytes:
        """Search with a photo; returns the answer's body. Raises: SystemExit for any answer but 200."""
        body = (
            b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            + photo + b"\r\n--" + BOUNDARY + b"--\r\n"
        )  # fmt: skip
        head = (
            f"POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n\r\n"
        )
        self._connection.sendall(head.encode() + body)
        received = bytearray()
        while b"\r\n\r\n" not in received:
            received += self._connection.recv(65536)
        head_end = received.index(b"\r\n\r\n") + 4
        told = bytes(received[:head_end]).lower()
        if not told.startswith(b"http/1.1 200"):
            raise SystemExit(f"the service answered {told.splitlines()[0].decode()}")
        length = int(told.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(received) < head_end + length:
            received += self._connection.recv(65536)
        return bytes(received[head_end:])


def start_service(bundle: Path, at_once: int) -> tuple["subprocess.Popen[str]", int]:
    """A real `lookbook serve`; returns its process and port once it is ready."""
    command = [
        sys.executable,
        "-m",
        "query",
        "serve",
        "--bundle",
        str(bundle),
        "--port",
        "0",
        "--at-once",
        str(at_once),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    assert process.stderr is not None
    port = 0
    for line in process.stderr:
        if "listening on" in line:
            port = int(line.rpartition(":")[2])
        if "serving bundle" in line:
            break
    threading.Thread(target=lambda: [None for _ in process.stderr or ()], daemon=True).start()
    return process, port


@dataclass
class Taken:
    """What one of the two took: the seconds of every search, and of the processor for all of them."""

    searches: list[float] = field(default_factory=list)
    processor_s: float = 0.0

    def round(self, pid: int, run: Callable[[], list[float]]) -> None:
        """Add a round that a process does."""
        before = processor_s(pid)
        self.searches += run()
        self.processor_s += processor_s(pid) - before


def processor_s(pid: int) -> float:
    """The processor's seconds that a process has taken."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def compare(bundle: Path, photos: Sequence[Path], rounds: int, seconds: float, at_once: int) -> tuple[Taken, Taken]:
    """What the engine takes alone, and what the service does."""
    program = ENGINE_ROUND.format(
        benchmarks=str(Path(__file__).parent), bundle=str(bundle), photos=json.dumps(list(map(str, photos)))
    )
    engine = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    service, port = start_service(bundle, at_once)
    assert engine.stdin and engine.stdout
    contents = [path.read_bytes() for path in photos]
    clients = [Client(port) for _ in range(CLIENTS)]
    alone, served = Taken(), Taken()
    asks = [client.ask for client in clients]

    def by_engine() -> list[float]:
        engine.stdin.write(f"{seconds}\n")
        engine.stdin.flush()
        taken: list[float] = json.loads(engine.stdout.readline())
        return taken

    try:
        engine.stdout.readline()
        in_threads(asks, contents, 2)
        for _ in range(rounds):
            alone.round(engine.pid, by_engine)
            served.round(service.pid, lambda: in_threads(asks, contents, seconds))
    finally:
        engine.terminate()
        service.terminate()
        engine.wait()
        service.wait()
    return alone, served


def memory(bundle: Path, photos: Sequence[Path], requests: int, at_once: int) -> list[tuple[int, float]]:
    """The service's resident MiB after so many requests, ten times."""
    service, port = start_service(bundle, at_once)
    process = psutil.Process(service.pid)
    client = Client(port)
    contents = itertools.cycle([path.read_bytes() for path in photos])
    seen = []
    try:
        for place in range(1, requests + 1):
            client.ask(next(contents))
            if place % (requests // 10) == 0:
                seen.append((place, process.memory_info().rss / 2**20))
    finally:
        service.terminate()
        service.wait()
    return seen


def row(name: str, taken: Taken, span_s: float) -> str:
    """A line of the table."""
    count = len(taken.searches)
    median, p99 = statistics.median(taken.searches), statistics.quantiles(taken.searches, n=100)[98]
    return (
        f"| {name} | {count / span_s:.1f} | {1000 * taken.processor_s / count:.0f} | {1000 * median:.0f} | "
        f"{1000 * p99:.0f} | {p99 / median:.2f} | {count} |"
    )


def main() -> None:
    """Measure, print, and end with exit code 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path())
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help="the service's own option")
    asked = parser.parse_args()
    bundle = asked.home / "android_bundle" / "current"
    photos = sorted((asked.home / "data_lake" / "sample_catalog" / "queries").glob("*.jpg"))[:60]
    if not photos:
        raise SystemExit(f"{asked.home}: no query photos of the sample shop; run `lookbook build --home` there first")
    alone, served = compare(bundle, photos, asked.rounds, asked.seconds, asked.at_once)
    seen = memory(bundle, photos, asked.requests, asked.at_once)
    span_s = asked.rounds * asked.seconds
    share = len(served.searches) / len(alone.searches)
    median, p99 = statistics.median(served.searches), statistics.quantiles(served.searches, n=100)[98]
    growth = seen[-1][1] / seen[1][1] - 1
    print(
        f"{CLIENTS} clients, {psutil.cpu_count()} cores, {asked.rounds} rounds of {asked.seconds:g} s each, in turn.\n"
    )
    print("| | searches a second | processor ms a search | median ms | p99 ms | p99 / median | searches |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    print(row("engine, threads", alone, span_s))
    print(row("service, clients", served, span_s))
    print(f"\nOne client, one connection: resident MiB after {', '.join(f'{n}: {mib:.0f}' for n, mib in seen)}.\n")
    bars = [
        (f"service's share of the engine's throughput {share:.3f}, at least {LEAST_SHARE}", share >= LEAST_SHARE),
        (f"p99 / median {p99 / median:.2f}, under {MOST_SPREAD:g}", p99 / median < MOST_SPREAD),
        (f"memory {growth:+.1%} from the second tenth to the last, at most +{MOST_GROWTH:.0%}", growth <= MOST_GROWTH),
    ]
    for told, met in bars:
        print(f"- {'met' if met else '**missed**'}: {told}")
    raise SystemExit(0 if all(met for _, met in bars) else 1)


if __name__ == "__main__":
    main()

"""The `bench` commands: what a search costs on this machine. They load numpy and ONNX Runtime, never Dagster."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from catalog.errors import LookbookError
from query.command_line import Folder, bundle_options, fail, open_engine

if TYPE_CHECKING:
    from query.timing import QueryTimes


@click.group()
def bench() -> None:
    """Measure on this machine."""


@bench.command()
@bundle_options
@click.option("--photos", type=Folder(), help="Of photos to search with; default: the bundle's golden ones.")
@click.option("--rounds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Searches with each photo.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def query(
    bundle: Path | None,
    home: Path | None,
    keys: tuple[Path, ...],
    require_signature: bool,
    photos: Path | None,
    rounds: int,
    as_json: bool,
) -> None:
    """How long a search takes: median and 95th percentile of each stage and of the whole, and the memory."""
    from query.timing import query_photos, time_queries

    try:
        started = time.perf_counter()
        engine = open_engine(bundle, home, keys, required=require_signature)
        engine.warm_up()
        opened_ms = 1000 * (time.perf_counter() - started)
        times = time_queries(engine, query_photos(engine, photos), rounds)
    except LookbookError as error:
        fail(str(error))
        return
    peak = _peak_mib()
    if as_json:
        click.echo(json.dumps({**asdict(times), "opened_ms": opened_ms, "peak_mib": peak}, indent=1))
    else:
        _print(times, opened_ms, peak)


def _print(times: "QueryTimes", opened_ms: float, peak_mib: float | None) -> None:
    click.echo(f"opened in {opened_ms:.0f} ms, every file's sha256 checked; first search {times.first_ms:.0f} ms")
    click.echo(f"{times.photos} photos x {times.rounds}, {times.items} items\n")
    click.echo("| stage | median, ms | p95, ms |\n|---|---|---|")
    for stage, spread in times.stages.items():
        click.echo(f"| {stage} | {spread.median:.1f} | {spread.p95:.1f} |")
    click.echo(f"| **whole** | **{times.whole.median:.1f}** | **{times.whole.p95:.1f}** |")
    if peak_mib is not None:
        click.echo(f"\npeak memory of this process {peak_mib:.0f} MiB")


def _peak_mib() -> float | None:
    """The most memory that this process held; None on a system that doesn't tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes there, KiB elsewhere

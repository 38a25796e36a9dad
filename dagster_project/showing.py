"""`lookbook rejected` and `lookbook results`: what a build left behind, for a terminal or another program."""

import json
import os
from collections import Counter
from pathlib import Path

import click

from catalog.errors import LookbookError
from resources.data_lake import DataLake
from resources.home import find_home


def _lake(named: Path | None) -> DataLake:
    home = find_home(named, os.environ)
    return DataLake(root=str(home.data_lake), home=str(home.root))


def show_rejected(named: Path | None, *, as_json: bool) -> None:
    """Print every rejected row with its reason, and the count of each reason."""
    lake = _lake(named)
    if not Path(lake.root).is_dir():
        raise LookbookError(f"{lake.root}: not there yet; `lookbook build` makes it")
    rows = lake.read_rejected()
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for row in rows:
        what = " ".join(repr(row[name]) for name in ("product_id", "image") if row[name])
        click.echo(f"{row['outcome']:8} {row['reason']:20} {what} {row['where']}: {row['detail']}")
    counts = Counter((row["outcome"], row["reason"]) for row in rows)
    click.echo(f"{len(rows)} rows" + "".join(f"; {n} {why} {what}" for (what, why), n in sorted(counts.items())))


def show_results(named: Path | None, *, as_json: bool) -> None:
    """Print the last benchmark. Raises: LookbookError when there is none."""
    path = _lake(named).benchmark
    if not path.exists():
        raise LookbookError(f"{path}: not there yet; `lookbook build` makes it")
    text = path.read_text(encoding="utf-8")
    if as_json:
        click.echo(text, nl=False)
        return
    try:
        report = json.loads(text)
    except ValueError as error:
        raise LookbookError(f"{path}: damaged ({error}); delete it and materialize benchmark") from error
    gallery = report["gallery"]
    asked = f"{report['queries']} queries on {gallery['items']} photos of {gallery['products']} products"
    click.echo(f"{report['protocol']}; {asked}\n")
    if report["rejected_queries"]:
        click.echo(f"{report['rejected_queries']} more queries were turned away: `lookbook rejected` says why\n")
    if not report["measures"]:
        return
    names = list(report["measures"])
    measures = list(report["measures"][names[0]])
    click.echo("| score | " + " | ".join(measures) + " |")
    click.echo("|---" * (len(measures) + 1) + "|")
    for name in names:
        cells = [report["measures"][name].get(measure) for measure in measures]
        click.echo(f"| {name} | " + " | ".join("" if c is None else _interval(c) for c in cells) + " |")
    times = report["milliseconds"]
    click.echo("\n| stage | " + " | ".join(times) + " |")
    click.echo("|---" * (len(times) + 1) + "|")
    for share in ("median", "p95"):
        click.echo(f"| {share}, ms | " + " | ".join(f"{stage[share]:.1f}" for stage in times.values()) + " |")


def _interval(cell: dict[str, float]) -> str:
    return f"{cell['mean']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"

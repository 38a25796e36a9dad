"""`lookbook results`: the last benchmark of a home as Markdown tables, or as the JSON that it left."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from catalog.errors import LookbookError
from catalog.evaluation.significance import holm
from resources.data_lake import DataLake
from resources.home import find_home

Report = Mapping[str, Any]


def show_results(named: Path | None, *, as_json: bool) -> None:
    """Print the last benchmark. Raises: LookbookError when there is none, or it can't be read."""
    home = find_home(named, os.environ)
    path = DataLake(root=str(home.data_lake), home=str(home.root)).benchmark
    if not path.exists():
        raise LookbookError(f"{path}: not there yet; `lookbook build` makes it")
    text = path.read_text(encoding="utf-8")
    if as_json:
        click.echo(text, nl=False)
        return
    try:
        tables = _tables(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        told = f"damaged, or another version's ({type(error).__name__}: {error})"
        raise LookbookError(f"{path}: {told}; materialize benchmark: `lookbook build --select benchmark`") from error
    click.echo("\n\n".join(tables))


def _tables(report: Report) -> list[str]:
    """The report's paragraphs and tables, in order."""
    gallery = report["gallery"]
    asked = f"{report['queries']} queries on {gallery['items']} photos of {gallery['products']} products"
    told = [f"{report['protocol']}; {asked}"]
    if report["rejected_queries"]:
        leaks = report["queries_in_the_gallery"]
        why = f", {leaks} of them since their photo is in the gallery" if leaks else ""
        told.append(f"{report['rejected_queries']} queries were not measured{why}: `lookbook rejected` says why")
    if report["measures"]:
        told += [_measures(report["measures"]), _times(report["milliseconds"])]
        told += [_ablation(measure, rows) for measure, rows in report["ablation"].items()]
    if report["missed_by"]:
        counts = ", ".join(f"{cause} {count}" for cause, count in report["missed_by"].items())
        told.append(f"What kept the right product from the first place, in queries: {counts}")
    if before := report["against_the_bundle_before"]:
        told.append(_before(before))
    return told


def _measures(measures: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(next(iter(measures.values())))
    rows = [[score, *[_interval(cells[name]) if name in cells else "" for name in names]]
            for score, cells in measures.items()]  # fmt: skip
    counts = {name: max(cells[name]["queries"] for cells in measures.values() if name in cells) for name in names}
    return _table(["score", *(f"{name} (n = {count})" for name, count in counts.items())], rows)


def _times(times: Mapping[str, Mapping[str, float]]) -> str:
    rows = [[f"{share}, ms", *[f"{stage[share]:.1f}" for stage in times.values()]] for share in ("median", "p95")]
    return _table(["stage", *times], rows)


def _ablation(measure: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Every way of searching against the full score."""
    lines = []
    for row in rows:
        difference = row["difference"]
        changed = [_signed(difference), f"{row['p_holm']:.4f}"] if difference else ["", ""]
        lines.append([row["name"], _interval(row["estimate"]), *changed])
    return _table(["score", measure, "difference to the full score", "p (Holm)"], lines)


def _before(before: Mapping[str, Any]) -> str:
    adjusted = holm({measure: found["p"] for measure, found in before["differences"].items()})
    rows = [
        [measure, _signed(found), f"{found['p']:.4f}", f"{adjusted[measure]:.4f}", str(found["queries"])]
        for measure, found in before["differences"].items()
    ]
    headline = f"Against bundle {before['bundle_version']}, over the queries that both were asked:"
    return f"{headline}\n\n{_table(['measure', 'difference', 'p', 'p (Holm)', 'queries'], rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _interval(cell: Mapping[str, float]) -> str:
    return f"{cell['mean']:.3f} [{cell['low']:.3f}, {cell['high']:.3f}]"


def _signed(cell: Mapping[str, float]) -> str:
    return f"{cell['mean']:+.3f} [{cell['low']:+.3f}, {cell['high']:+.3f}]"

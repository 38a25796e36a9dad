"""`lookbook fit-weights`: the weights of semantic, texture and colour that a home's own labelled queries ask for."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dagster_project.command_line import home_option, one_line

if TYPE_CHECKING:
    from assets.fitted_weights import Fitted
    from catalog.evaluation.comparison import Row


@click.command("fit-weights")
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fit_weights(home: Path | None, as_json: bool) -> None:
    """Fit the weights of a profile on a built home's labelled queries, and say what they gain on products left out."""
    one_line(lambda: _fit(home, as_json=as_json))


def _fit(named: Path | None, *, as_json: bool) -> None:
    from assets import fitted_weights
    from dagster_project.definitions import build_definitions
    from resources.build_lock import hold
    from resources.home import find_home

    home = find_home(named, os.environ)
    resources = build_definitions(home, show_progress=not as_json).resources or {}
    with hold(home):  # a query that no benchmark has described yet is, and is remembered
        engine = resources["bundles"].open_current()
        found = fitted_weights.fit_weights(engine, resources["data_lake"], resources["feed"], resources["progress"])
    click.echo(json.dumps(asdict(found), indent=1) if as_json else _told(found))


def _told(found: "Fitted") -> str:
    used = f"{found.queries} queries, of which {found.used} have their product and another among the candidates"
    lines = [f"# {found.protocol}: {used}", *[f"# {line}" for line in _table(found.tables)], "[ranking]"]
    return "\n".join([*lines, *[f"{part}_weight = {value:.2f}" for part, value in found.weights.items()]])


def _table(tables: "Mapping[str, Sequence[Row]]") -> list[str]:
    """What each weighting reaches, measure by measure, as comments of the TOML that follows."""
    lines = []
    for measure, rows in tables.items():
        lines.append(f"{measure}:")
        for row in rows:
            mean, difference = row.estimate, row.difference
            changed = f"  {difference.mean:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]" if difference else ""
            p = f"  p = {row.p_holm:.4f}" if row.p_holm is not None else ""
            lines.append(f"  {row.name:38} {mean.mean:.3f} [{mean.low:.3f}, {mean.high:.3f}]{changed}{p}")
    return lines

"""`lookbook duplicates`: the photos that a catalogue repeats."""

import json
import os
from pathlib import Path
from typing import Any

import click

from dagster_project.command_line import home_option, one_line


@click.command()
@home_option
@click.option("--across", is_flag=True, help="Only pairs of two different products.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def duplicates(home: Path | None, across: bool, as_json: bool) -> None:
    """List photos that two items share: the same pixels, or nearly."""
    one_line(lambda: _show(home, across=across, as_json=as_json))


def _show(named: Path | None, *, across: bool, as_json: bool) -> None:
    from catalog.errors import LookbookError
    from catalog.formats import tables
    from resources.data_lake import DataLake
    from resources.home import find_home

    home = find_home(named, os.environ)
    table = DataLake(root=str(home.data_lake), home=str(home.root)).table("photo_duplicates")
    if not table.exists():
        raise LookbookError(f"{table}: not there yet; `lookbook build` makes it")
    rows = [row for row in tables.read(table, tables.PHOTO_DUPLICATES) if not (across and row["same_product"])]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    for row in rows:
        apart = "" if row["kind"] == "exact" else f"  ({row['bits']} of 64 bits, {row['levels']} of 255 levels apart)"
        click.echo(f"{row['kind']:5} {_item(row, '')} = {_item(row, 'other_')}{apart}")
    different = sum(not row["same_product"] for row in rows)
    exact = sum(row["kind"] == "exact" for row in rows)
    click.echo(f"{len(rows)} pairs: {exact} exact, {len(rows) - exact} near; {different} of two different products")


def _item(row: dict[str, Any], side: str) -> str:
    variant = f" {row[f'{side}variant']!r}" if row[f"{side}variant"] else ""
    return f"{row[f'{side}product_id']!r}{variant} photo {row[f'{side}image_index']}"

"""`lookbook rejected`: what a build turned away, for a terminal or another program."""

import json
import os
from collections import Counter
from pathlib import Path

import click

from catalog.errors import LookbookError
from resources.data_lake import DataLake
from resources.home import find_home


def show_rejected(named: Path | None, *, as_json: bool) -> None:
    """Print every rejected row with its reason, and the count of each reason."""
    home = find_home(named, os.environ)
    lake = DataLake(root=str(home.data_lake), home=str(home.root))
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

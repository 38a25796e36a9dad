"""`lookbook bundle list`: the versions that a home keeps, from their manifests and the history; no file is read."""

import json
import os
from pathlib import Path
from typing import Any

import click

from catalog.errors import BundleError
from catalog.formats import manifest, signatures
from catalog.formats.bundle_history import KEPT, ROLLED_BACK, History
from resources.bundle_store import BundleStore
from resources.home import find_home


def list_bundles(named: Path | None, *, as_json: bool) -> None:
    """Print a line a version, the newest first. Raises: BundleError, a damaged history."""
    home = find_home(named, os.environ)
    store = BundleStore(home.bundles, home.keys)
    history, current = store.history(), store.current_version()
    last = history.last_of()
    versions = sorted(store.versions(), key=lambda version: last.get(version, -1), reverse=True)
    rows = [_row(store, history, version, current) for version in versions]
    if as_json:
        click.echo(
            json.dumps({"held": history.held, "current": current, "versions": rows}, ensure_ascii=False, indent=1)
        )
        return
    if not rows:
        click.echo(f"{store.root}: no bundle yet; `lookbook build` makes one")
        return
    table = [("", "version", "built", "products", "photos", "profile", "MB", "signed by", "")]
    table += [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if history.held:
        click.echo("held: builds keep their bundles beside; `lookbook bundle release` ends it")


def _row(store: BundleStore, history: History, version: str, current: str | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "version": version,
        "current": version == current,
        "built": history.built_at(version),
        "note": _note(history, version, current),
    }
    try:
        found = manifest.read_description(store.folder(version))
    except BundleError as error:
        return {**row, "error": str(error)}
    return {
        **row,
        "products": found.values.get("n_products"),
        "photos": found["n_items"],
        "profile": found.values.get("profile"),
        "size_bytes": sum(file["size_bytes"] for file in found["files"].values()),
        "signed_by": _signer(store, found),
    }


def _note(history: History, version: str, current: str | None) -> str:
    """What is to be known of a version beside its numbers."""
    own = [event for event in history.events if event.version == version]
    last = own[-1] if own else None
    if version == current:
        if last is not None and last.what == ROLLED_BACK:
            return f"rolled back to, at {last.at}, from {last.replaced}"
        return ""
    left = [event for event in history.events if event.what == ROLLED_BACK and event.replaced == version]
    if left and (last is None or history.events.index(left[-1]) > history.last_of()[version]):
        return f"rolled back from, at {left[-1].at}"
    if last is None:
        return "never published"
    return "built while held, never published" if last.what == KEPT else ""


def _signer(store: BundleStore, found: manifest.Manifest) -> str | None:
    """Whose key of the home's signed it; None where nobody did, and what is wrong where it can't be taken."""
    try:
        signer = signatures.check_signature(found, store.trust())
    except BundleError as error:
        return "not trusted: " + str(error).partition(": ")[2]
    return signer.name if signer else None


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    mark = "*" if row["current"] else ""
    if "error" in row:
        return (mark, row["version"], row["built"] or "-", "-", "-", "-", "-", "-", f"damaged: {row['error']}")
    counts = (str(row["products"] if row["products"] is not None else "-"), str(row["photos"]))
    size = f"{row['size_bytes'] / 1e6:.1f}"
    signed = row["signed_by"] or "-"
    if signed.startswith("not trusted"):
        return (mark, row["version"], row["built"] or "-", *counts, row["profile"] or "-", size, "NOT TRUSTED", signed)
    return (mark, row["version"], row["built"] or "-", *counts, row["profile"] or "-", size, signed, row["note"])

"""`lookbook bundle diff`: what changed between two bundles, for a person or for another program."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from catalog.errors import LookbookError
from query.bundle import open_bundle
from query.difference import Changed, Difference, compare
from resources.bundle_store import BundleStore
from resources.home import find_home

SHOWN = 20  # products of a kind, unless all are asked for


def show_difference(
    named: Path | None,
    before: str | None,
    after: str | None,
    keys: Sequence[Path],
    *,
    show_all: bool,
    as_json: bool,
) -> None:
    """Compare two bundles, each held to its manifest. Raises: LookbookError, one is missing or damaged."""
    home = find_home(named, os.environ)
    store = BundleStore(home.bundles, home.keys)
    trust = store.trust(keys)
    if before is None and (previous := store.history().previous(store.versions())) is None:
        raise LookbookError(
            f"{store.root}: no version before the current one is kept; name two versions or folders to compare"
        )
    old = open_bundle(store.find(before or previous), trust)
    new = open_bundle(store.find(after), trust)
    found = compare(old, new)
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, indent=1))
    else:
        for line in lines(found, None if show_all else SHOWN):
            click.echo(line)


def lines(found: Difference, shown: int | None) -> list[str]:
    """A difference as text, `shown` products of a kind at most."""
    told = [f"{found.versions[0]} -> {found.versions[1]}"]
    told.append(
        f"products {found.products[0]} -> {found.products[1]}, photos {found.photos[0]} -> {found.photos[1]}: "
        f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed"
    )
    told += _some("+", [_product(entry) for entry in found.added], shown)
    told += _some("-", [_product(entry) for entry in found.removed], shown)
    told += _some("~", [_change(entry) for entry in found.changed], shown)
    for name, (old, new) in found.models.items():
        told.append(f"model {name}: {_model(old)} -> {_model(new)}")
    for name, (old, new) in found.numbers.items():
        told.append(f"{name}: {_value(old)} -> {_value(new)}")
    sizes = [
        f"{kind} {old / 1e6:.2f} -> {new / 1e6:.2f}" for kind, (old, new) in found.size_bytes.items() if old != new
    ]
    told.append(f"MB: {', '.join(sizes)}" if sizes else "no size changed")
    return told


def _some(sign: str, entries: Sequence[str], shown: int | None) -> list[str]:
    kept = entries if shown is None else entries[:shown]
    more = len(entries) - len(kept)
    return [f"  {sign} {entry}" for entry in kept] + ([f"  {sign} {more} more: --all lists them"] if more else [])


def _product(entry: Mapping[str, Any]) -> str:
    return f"{entry['product_id']}  {entry['title']}  ({entry['category']}, {entry['photos']} photos)"


def _change(entry: Changed) -> str:
    parts = [f"{name} {old or '-'} -> {new or '-'}" for name, (old, new) in entry.fields.items()]
    if entry.photos_added or entry.photos_removed:
        parts.append(f"photos +{entry.photos_added} -{entry.photos_removed}")
    if entry.vectors:
        parts.append(f"vectors: {', '.join(entry.vectors)}")
    return f"{entry.product_id}  {entry.title}: {'; '.join(parts)}"


def _model(model: Mapping[str, Any] | None) -> str:
    return f"{model['form']}, {model['size_bytes'] / 1e6:.2f} MB, {model['sha256'][:12]}" if model else "none"


def _value(value: Any) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)

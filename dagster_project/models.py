"""`lookbook models`: what there is, bringing it into a home, and holding it to what was recorded."""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import click

from catalog.errors import ModelError
from catalog.formats import model_lock, trained_models
from catalog.formats.model_lock import LockedModel
from catalog.model_descriptions import MODELS, ModelDescription, take_trained
from resources import hub, model_pull
from resources.home import Home, find_home
from resources.model_sources import Offer, find_folder, offer_of_path
from resources.model_store import ModelStore
from resources.profile import PROFILES, load_profile


@dataclass(frozen=True)
class Where:
    """From where models are brought: the rows' own sources, unless it says otherwise."""

    folder: Path | None = None
    mirror: str = ""
    offline: bool = False


def list_models(named: Path | None, profile: str | None) -> None:
    """Print a line a model: its row, whether it is there, and the profiles that ship which name it."""
    home = find_home(named, os.environ)
    store = _store(home)
    lock = model_lock.read(store.lock_file)
    shipped = {file.stem: load_profile(file.stem, home.root).model_names() for file in sorted(PROFILES.glob("*.toml"))}
    wanted = load_profile(profile, home.root).model_names() if profile else tuple(MODELS)
    heads = ("name", "role", "licence", "commercial use", "MB", "dim", "here", "profiles")
    table = [heads]
    for row in store.models(wanted).values():
        naming = ", ".join(name for name, models in shipped.items() if row.name in models)
        allowed = _commercial_use(row)
        size, dim = f"{row.size_bytes / 1e6:,.1f}", str(row.embedding_dim or "-")
        here = _state(store, row, lock)
        table.append((row.name, row.role.value, row.licence, allowed, size, dim, here, naming or "-"))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _commercial_use(row: ModelDescription) -> str:
    if row.source.startswith("trained:"):
        return "unknown"  # the terms of the photos that it learnt from apply
    return "allowed" if row.commercial_use else "FORBIDDEN"


def pull_models(
    named: Path | None, names: Sequence[str], *, profile: str | None, where: Where, accepted: Sequence[str]
) -> None:
    """Bring models into a home: those that are named, or all of a profile's.

    Raises: ModelError, one line; models that were finished before stay.
    """
    home = find_home(named, os.environ)
    store = _store(home)
    if where.mirror and not _is_address(where.mirror):
        raise ModelError("--mirror: is no address of a hub; one begins with https:// or http://")
    if profile:
        names = [*names, *load_profile(profile, home.root).model_names()]
    rows = [find_row(name) for name in dict.fromkeys(names)]
    with model_pull.alone(store):
        missing = [row for row in rows if not _is_here(store, row)]
        _show_licences(missing, accepted)
        plans = [model_pull.plan(store, row, _offer(store, row, where, alone=len(rows) == 1)) for row in missing]
        model_pull.check_space(store, plans)
        for plan in plans:
            _bring(store, plan)


def import_model(named: Path | None, name: str, path: Path, accepted: Sequence[str]) -> None:
    """Take a local file or folder for a model. Raises: ModelError, one line."""
    store, row = _store(find_home(named, os.environ)), find_row(name)
    if not row.is_pulled:
        whose = "the checkout" if row.source.startswith("embedded:") else "the home that trained it"
        raise ModelError(f"model {name}: belongs to {whose}, nothing is imported in its place")
    with model_pull.alone(store):
        _show_licences([row], accepted)
        plan = model_pull.plan(store, row, offer_of_path(path.expanduser().absolute(), row))
        model_pull.check_space(store, [plan])
        _bring(store, plan)


def verify_models(named: Path | None, names: Sequence[str]) -> bool:
    """Print a line a model: is every byte as recorded? Of those that are named, else of all that were pulled."""
    store = _store(find_home(named, os.environ))
    lock = model_lock.read(store.lock_file)
    chosen = [find_row(name).name for name in names] or [name for name in MODELS if name in lock]
    well = True
    for name in chosen:
        try:
            store.source(name)
        except ModelError as error:
            click.echo(f"{name}: FAILED: {error}")
            well = False
        else:
            click.echo(f"{name}: as recorded{_told_revision(lock.get(name))}")
    if forgotten := sorted(set(lock) - set(MODELS)):
        click.echo(f"recorded, but no longer in catalog/model_descriptions.py: {', '.join(forgotten)}")
    if not chosen:
        click.echo(f"{store.lock_file}: nothing was pulled yet")
    return well


def find_row(name: str) -> ModelDescription:
    """The row called `name`. Raises: ModelError, naming one like it."""
    if name not in MODELS:
        close = difflib.get_close_matches(name, MODELS, 1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ModelError(f"no model {name!r}: {hint}`lookbook models list` shows them all")
    return MODELS[name]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _store(home: Home) -> ModelStore:
    take_trained(trained_models.read_rows(home.trained))
    return ModelStore(root=str(home.models))


def _offer(store: ModelStore, row: ModelDescription, where: Where, *, alone: bool) -> Offer:
    if where.folder is not None:
        return offer_of_path(find_folder(where.folder.expanduser().absolute(), row, alone=alone), row)
    locked = store.locked(row.name)
    revision = row.revision or (locked.revision if locked else "")
    return hub.offer_of(row, revision, mirror=where.mirror, offline=where.offline)


def _is_here(store: ModelStore, row: ModelDescription) -> bool:
    """Is a model there to the byte? Says so, or what is wrong with what there is."""
    try:
        store.source(row.name)
    except ModelError as error:
        if not row.is_pulled:
            raise
        if store.checkpoint_folder(row.name).is_dir():
            click.echo(f"{row.name}: {error}")
        return False
    told = f"is there{_told_revision(store.locked(row.name))}, as recorded"
    own = "comes with the checkout" if row.source.startswith("embedded:") else "was trained here"
    click.echo(f"{row.name}: {told if row.is_pulled else own}")
    return True


def _show_licences(rows: Sequence[ModelDescription], accepted: Sequence[str]) -> None:
    """Tell what each model's licence asks, before anything of it is fetched.

    Raises: ModelError when one forbids commercial use and was not accepted by name.
    """
    for row in rows:
        size = f"{row.size_bytes / 1e6:,.1f} MB" if row.sha256 else f"about {row.size_bytes / 1e6:,.0f} MB"
        click.echo(f"{row.name}: {row.source.partition(':')[2]}, {size}; licence {row.licence}. {row.licence_terms}")
    forbidding = [row for row in rows if not row.commercial_use and row.name not in accepted]
    if forbidding:
        flags = " ".join(f"--accept-licence {row.name}" for row in forbidding)
        told = ", ".join(f"{row.name} ({row.licence})" for row in forbidding)
        raise ModelError(f"commercial use is forbidden by the licence of {told}; if that suits you, add {flags}")


def _bring(store: ModelStore, plan: model_pull.Plan) -> None:
    name, known = plan.row.name, plan.locked.files if plan.locked else {}
    click.echo(f"{name}: from {plan.offer.where}")
    found = model_pull.carry_out(store, plan, lambda line: click.echo(line, err=True))
    size, revision = f"{found.size_bytes / 1e6:,.1f} MB", _told_revision(found)
    if all(file in known for file in found.files) or plan.row.sha256:
        click.echo(f"{name}: {size}{revision}, as recorded before")
    else:
        click.echo(
            f"{name}: {size}{revision}, recorded at first use, nothing to compare with; held to it from now on "
            f"({store.lock_file})"
        )


def _state(store: ModelStore, row: ModelDescription, lock: dict[str, LockedModel]) -> str:
    """Whether a model is there, by its files' sizes; `verify` reads them."""
    if not row.is_pulled:
        return row.source.partition(":")[0]
    locked, folder = lock.get(row.name), store.checkpoint_folder(row.name)
    if locked is None or not folder.is_dir():
        return "not pulled"
    sizes = {name: file.size_bytes for name, file in locked.files.items()}
    there = {entry.name: entry.stat().st_size for entry in folder.iterdir()}
    return f"pulled{_told_revision(locked)}" if there == sizes and store.locked(row.name) else "damaged: verify it"


def _told_revision(locked: LockedModel | None) -> str:
    return f" ({locked.revision[:12]})" if locked and locked.revision else ""

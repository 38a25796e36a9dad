"""`lookbook gc`: what a home holds, and removing what nothing refers to any more."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dagster_project.command_line import home_option, one_line

if TYPE_CHECKING:
    from resources.garbage import Survey
    from resources.home import Home


@click.command()
@home_option
@click.option("--delete", is_flag=True, help="Remove what is unreferenced; without this it is only listed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every unreferenced file.")
def gc(home: Path | None, delete: bool, as_json: bool) -> None:
    """List what a home holds by kind, and what of it nothing refers to; remove that on demand."""
    one_line(lambda: _run(home, delete=delete, as_json=as_json))


def _run(named: Path | None, *, delete: bool, as_json: bool) -> None:
    from catalog.errors import LookbookError
    from resources import garbage
    from resources.build_lock import hold
    from resources.bundle_publishing import drop_superfluous
    from resources.bundle_store import BundleStore
    from resources.home import find_home
    from resources.profile import load_profile
    from resources.settings import load_settings

    home = find_home(named, os.environ)
    if not home.data_lake.is_dir():
        raise LookbookError(f"{home.data_lake}: not there; name a home that was built")
    profile = load_profile(load_settings(home.settings_file).profile, home.root)
    store = BundleStore(home.bundles, home.keys)
    keep = profile.bundle.versions_kept
    with hold(home):
        look = _survey_of(home, profile, store, keep)
        found = look()
        freed = found.freed_bytes()
        if delete:
            garbage.delete(found)
            drop_superfluous(store, keep)
            freed -= look().freed_bytes()
    if as_json:
        click.echo(json.dumps(_as_dict(found, freed, delete=delete), ensure_ascii=False, indent=1))
    else:
        _print(found, freed, delete=delete)
    if any(kind.problem for kind in found.kinds):
        raise SystemExit(1)


def _survey_of(home: "Home", profile: Any, store: Any, keep: int) -> "Callable[[], Survey]":
    from assets import versions
    from catalog.onnx_export import quantization
    from catalog.onnx_export.float_models import model_version
    from resources import garbage
    from resources.bundle_publishing import superfluous
    from resources.model_store import ModelStore

    models = ModelStore(root=str(home.models))
    named = set()
    for name, model in models.models(profile.model_names()).items():
        named.add(f"{name}-{model_version(model)[:12]}")
        for form in quantization.forms(model, try_four_bit=True):
            named.add(models.form(name, form, versions.model_form(model)).stem)

    def look() -> "Survey":
        old = [store.folder(name) for name in superfluous(store, store.history(), keep)]
        return garbage.survey(home, profile.bundle.thumb_size, named, old)

    return look


def _as_dict(found: "Survey", freed: int, *, delete: bool) -> dict[str, Any]:
    from resources.garbage import taken_bytes

    return {
        "deleted": delete,
        "freed_bytes" if delete else "would_free_bytes": freed,
        "kinds": [
            {
                "kind": kind.name,
                "kept_files": len(kind.kept),
                "kept_bytes": taken_bytes(kind.kept),
                "unreferenced_files": len(kind.garbage),
                "unreferenced_bytes": taken_bytes(kind.garbage),
                "unreferenced": sorted(file.path for file in kind.garbage),
                "problem": kind.problem,
            }
            for kind in found.kinds
        ],
    }


def _print(found: "Survey", freed: int, *, delete: bool) -> None:
    from resources.garbage import taken_bytes

    click.echo(f"{'':18} {'kept':>23}   {'unreferenced':>23}")
    for kind in found.kinds:
        sizes = "   ".join(
            f"{len(files):>9} files {taken_bytes(files) / 1e6:>8.1f} MB" for files in (kind.kept, kind.garbage)
        )
        click.echo(f"{kind.name:18} {sizes}")
    for kind in found.kinds:
        if kind.problem:
            click.echo(f"{kind.name}: all is kept, since what is in use can't be told: {kind.problem}")
    files = sum(len(kind.garbage) for kind in found.kinds)
    if delete:
        click.echo(f"removed {files} files, {freed / 1e6:.1f} MB freed")
    else:
        told = "; remove them with --delete" if files else ""
        click.echo(f"{files} files are unreferenced, removing them frees {freed / 1e6:.1f} MB{told}")

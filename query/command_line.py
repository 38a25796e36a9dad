"""What the commands of `query` share: which bundle is meant, how it is opened, and how a command fails."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from query.engine import Engine

BUNDLE_VARIABLE, HOME_VARIABLE = "LOOKBOOK_BUNDLE", "LOOKBOOK_HOME"
CURRENT_BUNDLE, KEYS = Path("android_bundle", "current"), "keys"


class Folder(click.ParamType[Path]):
    """A folder that is named: an empty name, as an unset shell variable gives, would mean the current one."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if isinstance(value, str) and not value.strip():
            self.fail("is empty; name a folder", param, ctx)
        return Path(value).expanduser()


def fail(message: str) -> None:
    """End with one line on standard error and exit code 1."""
    click.echo(f"lookbook: {message}", err=True)
    raise SystemExit(1)


def bundle_folder(bundle: Path | None, home: Path | None) -> Path:
    """The bundle that is named, else the one of the home named, else of LOOKBOOK_HOME, else of the checkout."""
    if bundle:
        return bundle
    if not home and os.environ.get(BUNDLE_VARIABLE):
        return Path(os.environ[BUNDLE_VARIABLE]).expanduser()
    return home_folder(home) / CURRENT_BUNDLE


def home_folder(home: Path | None) -> Path:
    checkout = Path(__file__).resolve().parents[1]
    return home or Path(os.environ.get(HOME_VARIABLE) or checkout).expanduser()


def open_engine(bundle: Path | None, home: Path | None, keys: Sequence[Path], *, required: bool) -> "Engine":
    """The engine on the bundle that is meant; a signed one is held to the home's keys and to those named."""
    from catalog.formats.signatures import Trust, trusted_keys
    from query.engine import Engine  # here, so that --help answers at once

    trust = Trust((*trusted_keys(home_folder(home) / KEYS), *keys), required)
    return Engine(bundle_folder(bundle, home), trust=trust)

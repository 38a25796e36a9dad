"""What the commands of `query` share: which bundle is meant, how it is opened, and how a command fails."""

import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from query.engine import Engine

BUNDLE_VARIABLE, HOME_VARIABLE = "LOOKBOOK_BUNDLE", "LOOKBOOK_HOME"
CURRENT_BUNDLE, KEYS = Path("android_bundle", "current"), "keys"
UNPRINTABLE = ("Cc", "Cs")  # of Unicode's categories: control characters, and halves of a character

Command = TypeVar("Command", bound=Callable[..., Any])


class Folder(click.ParamType[Path]):
    """A folder that is named: an empty name, as an unset shell variable gives, would mean the current one."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if isinstance(value, str) and not value.strip():
            self.fail("is empty; name a folder", param, ctx)
        return Path(value).expanduser()


def fail(message: str) -> None:
    """End with one line on standard error and exit code 1."""
    click.echo(f"lookbook: {printable(message)}", err=True)
    raise SystemExit(1)


def printable(text: object) -> str:
    """Text from a feed or a file's name, fit for a terminal: a control character may not move its cursor."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(letter) in UNPRINTABLE and letter not in "\n\t" else letter
        for letter in str(text)
    )


def bundle_options(command: Command) -> Command:
    """Which bundle a command opens, and whose signature it takes."""
    for option in (
        click.option("--require-signature", is_flag=True, help="Refuse a bundle that nobody signed."),
        click.option(
            "--key",
            "keys",
            multiple=True,
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A public key whose signed bundles are taken, beside the home's keys/*.pub.",
        ),
        click.option("--home", type=Folder(), help="The home whose bundle is searched."),
        click.option("--bundle", type=Folder(), help="The bundle's folder; default: the home's own."),
    ):
        command = option(command)
    return command


def bundle_folder(bundle: Path | None, home: Path | None) -> Path:
    """The bundle that is named, else the one of the home named, else of LOOKBOOK_HOME, else of the checkout."""
    if bundle:
        return bundle
    if not home and os.environ.get(BUNDLE_VARIABLE):
        return Path(os.environ[BUNDLE_VARIABLE]).expanduser()
    return home_folder(home) / CURRENT_BUNDLE


def home_folder(home: Path | None) -> Path:
    """The home that is named, else LOOKBOOK_HOME, else the checkout."""
    checkout = Path(__file__).resolve().parents[1]
    return home or Path(os.environ.get(HOME_VARIABLE) or checkout).expanduser()


def open_engine(bundle: Path | None, home: Path | None, keys: Sequence[Path], *, required: bool) -> "Engine":
    """The engine on the bundle that is meant; a signed one is held to the home's keys and to those named."""
    from catalog.formats.signatures import Trust, trusted_keys
    from query.engine import Engine  # here, so that --help answers at once

    trust = Trust((*trusted_keys(home_folder(home) / KEYS), *keys), required)
    return Engine(bundle_folder(bundle, home), trust=trust)

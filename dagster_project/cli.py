"""The `lookbook` command: what `query` offers and what builds, each imported only when it is called."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dagster_project import (
    bundle_commands,
    collect_commands,
    duplicates_commands,
    evaluate_commands,
    fit_commands,
    gc_commands,
    train_commands,
)
from dagster_project.command_line import home_option, one_line
from query import cli as query_cli
from query.serve_command import FETCH_PHOTO

if TYPE_CHECKING:
    from catalog.formats.manifest import Manifest
    from query.text_search import TextQuery


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def main(context: click.Context) -> None:
    """Lookbook: from a shop's product feed to a bundle that a phone searches."""
    context.obj = _embed_words  # what `search --text` asks
    context.meta[FETCH_PHOTO] = _fetch_photo


def _embed_words(text: str, manifest: "Manifest", spaces: Sequence[str], home: Path | None) -> "dict[str, TextQuery]":
    from dagster_project.words import embed_words

    return embed_words(text, manifest, spaces, home)


def _fetch_photo(url: str, max_bytes: int) -> bytes:
    from dagster_project.photo_fetching import fetch_photo

    return fetch_photo(url, max_bytes)


main.add_command(query_cli.search)
main.add_command(query_cli.bench)
main.add_command(query_cli.serve)
main.add_command(query_cli.completion)
main.add_command(gc_commands.gc)
main.add_command(duplicates_commands.duplicates)
main.add_command(bundle_commands.bundle)
main.add_command(collect_commands.collect)
main.add_command(fit_commands.fit_weights)
main.add_command(evaluate_commands.evaluate)
main.add_command(train_commands.train)


@main.command()
@home_option
@click.option("--profile", metavar="P", help="Build with this profile from now on: a name, or a .toml file.")
@click.option(
    "--feed", metavar="FILE", help="Read this feed from now on: a description, a file or a folder; or 'sample'."
)
@click.option(
    "--select", metavar="ASSETS", help="Only these assets, as Dagster selects: 'raw_catalog', 'int8_models+'."
)
@click.option("--stale", is_flag=True, help="Only what is missing or stale; the feed is always read again.")
@click.option(
    "--category", "categories", multiple=True, metavar="C", help="Only this category of the feed; may be repeated."
)
@click.option("--accept-changes", is_flag=True, help="Go on, this once, where the feed changed beyond [limits].")
def build(
    home: Path | None,
    profile: str | None,
    feed: str | None,
    select: str | None,
    stale: bool,
    categories: tuple[str, ...],
    accept_changes: bool,
) -> None:
    """Run the graph: from the feed to the bundle and its benchmark."""
    if select and stale:
        raise click.UsageError("--select and --stale exclude each other: --stale selects by itself")
    if categories and (select, profile, feed) != (None, None, None):
        raise click.UsageError("--category refreshes a home as it is: leave out --select, --profile and --feed")

    def run() -> None:
        from dagster_project.building import run_build

        run_build(
            home,
            profile=profile,
            feed=feed,
            select=select,
            stale=stale,
            categories=categories,
            accept_changes=accept_changes,
        )

    one_line(run)


@main.command()
@home_option
@click.option("--port", default=3000, show_default=True, help="Where the UI listens, on this machine only.")
@click.option("--training", is_flag=True, help="Show the assets of `lookbook train` as well.")
def dev(home: Path | None, port: int, training: bool) -> None:
    """Open Dagster's UI and daemon on a home."""
    from resources.home import CHECKOUT, UI_VARIABLE, find_home, prepare

    def run() -> None:
        chosen = find_home(home, os.environ)
        prepare(chosen, os.environ)
        os.chdir(chosen.dagster)  # Dagster reads the .env of where it starts, and the checkout's names the checkout
        os.environ[UI_VARIABLE] = f"http://127.0.0.1:{port}"
        workspaces = ["workspace.yaml", *(["workspace-training.yaml"] if training else [])]
        named = [part for name in workspaces for part in ("-w", str(CHECKOUT / name))]
        dagster = str(Path(sys.executable).with_name("dagster"))
        os.execv(dagster, [dagster, "dev", *named, "-h", "127.0.0.1", "-p", str(port)])

    one_line(run)


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def rejected(home: Path | None, as_json: bool) -> None:
    """List the feed's rows and photos that were turned away or kept with a remark, and why."""
    from dagster_project.showing import show_rejected

    one_line(lambda: show_rejected(home, as_json=as_json))


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def results(home: Path | None, as_json: bool) -> None:
    """Print the last benchmark as Markdown tables."""
    from dagster_project.benchmark_results import show_results

    one_line(lambda: show_results(home, as_json=as_json))


@main.command("train-embedded")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Photos and their manifest.csv.")
@click.option("--weights", type=click.Path(path_type=Path), required=True, help="Folder of the teachers' ONNX files.")
@click.option("--run", "run_dir", type=click.Path(path_type=Path), default="training_runs/embedded", show_default=True)
@click.option("--out", "out_dir", type=click.Path(path_type=Path), help="Default: the run's folder.")
@click.option("--only", metavar="NAMES", help="Train only these models, comma separated.")
@click.option(
    "--start-from", type=click.Path(path_type=Path), help="Folder of weights to go on from, such as models/embedded."
)
@click.option("--steps", type=click.IntRange(min=1), help="Of each training; by default as many as it needs.")
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Of photos, drawn products and steps: small to see that all runs.",
)
def train_embedded(
    data: Path,
    weights: Path,
    run_dir: Path,
    out_dir: Path | None,
    only: str | None,
    start_from: Path | None,
    steps: int | None,
    share: float,
) -> None:
    """Train the embedded models, from random weights or on from others. Hours on two cores; needs [pretrained]."""
    from dagster_project.training import run_training

    one_line(lambda: run_training(data, weights, run_dir, out_dir or run_dir, only, start_from, steps, share))


@main.group()
def models() -> None:
    """List, pull, verify and import models."""


accept_option = click.option(
    "--accept-licence",
    "accepted",
    multiple=True,
    metavar="NAME",
    help="Of this model, though it forbids commercial use.",
)


@models.command("list")
@home_option
@click.option("--profile", metavar="P", help="Only this profile's models.")
def list_models(home: Path | None, profile: str | None) -> None:
    """List all models: licence, size, and whether they are here."""

    def run() -> None:
        from dagster_project.models import list_models

        list_models(home, profile)

    one_line(run)


@models.command()
@click.argument("names", nargs=-1)
@home_option
@click.option("--profile", metavar="P", help="All models of this profile: a name, or a .toml file.")
@click.option("--from", "folder", type=query_cli.Folder(), metavar="FOLDER", help="Take them from a local folder.")
@click.option("--mirror", metavar="URL", default="", help="Another hub; it is not sent your HF_TOKEN.")
@click.option("--offline", is_flag=True, help="No network: only what is here, or in the hub's cache on this machine.")
@accept_option
def pull(
    names: tuple[str, ...],
    home: Path | None,
    profile: str | None,
    folder: Path | None,
    mirror: str,
    offline: bool,
    accepted: tuple[str, ...],
) -> None:
    """Bring models here, verified. A killed download is gone on with."""
    if not names and not profile:
        raise click.UsageError("name models, or a --profile")
    if folder and (mirror or offline):
        raise click.UsageError("--from excludes --mirror and --offline: a folder needs no network")

    def run() -> None:
        from dagster_project.models import Where, pull_models

        pull_models(home, names, profile=profile, where=Where(folder, mirror, offline), accepted=accepted)

    one_line(run)


@models.command()
@click.argument("names", nargs=-1)
@home_option
def verify(names: tuple[str, ...], home: Path | None) -> None:
    """Read every byte of what was pulled: is it as recorded?"""

    def run() -> None:
        from dagster_project.models import verify_models

        if not verify_models(home, names):
            raise SystemExit(1)

    one_line(run)


@models.command("import")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), metavar="FILE_OR_FOLDER")
@home_option
@accept_option
def import_model(name: str, path: Path, home: Path | None, accepted: tuple[str, ...]) -> None:
    """Take a local file or folder for a model, checked and recorded as if it were pulled."""

    def run() -> None:
        from dagster_project.models import import_model

        import_model(home, name, path, accepted)

    one_line(run)


if __name__ == "__main__":
    main()

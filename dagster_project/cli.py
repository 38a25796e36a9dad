"""The `lookbook` command: what `query` offers and what builds, each imported only when it is called."""

import os
import sys
from pathlib import Path

import click

from catalog.errors import LookbookError
from query import cli as query_cli

home_option = click.option(
    "--home",
    type=query_cli.Folder(),
    metavar="DIR",
    help="The shop's folder.  [default: LOOKBOOK_HOME, or the checkout]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Lookbook: from a shop's product feed to a bundle that a phone searches."""


main.add_command(query_cli.search)


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
def build(home: Path | None, profile: str | None, feed: str | None, select: str | None, stale: bool) -> None:
    """Run the graph: from the feed to the bundle and its benchmark."""
    if select and stale:
        raise click.UsageError("--select and --stale exclude each other: --stale selects by itself")

    def run() -> None:
        from dagster_project.building import run_build

        run_build(home, profile=profile, feed=feed, select=select, stale=stale)

    _one_line(run)


@main.command()
@home_option
@click.option("--port", default=3000, show_default=True, help="Where the UI listens, on this machine only.")
def dev(home: Path | None, port: int) -> None:
    """Open Dagster's UI and daemon on a home."""
    from resources.home import CHECKOUT, find_home, prepare

    def run() -> None:
        prepare(find_home(home, os.environ), os.environ)
        workspace = str(CHECKOUT / "workspace.yaml")
        dagster = str(Path(sys.executable).with_name("dagster"))
        os.execv(dagster, [dagster, "dev", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)])

    _one_line(run)


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def rejected(home: Path | None, as_json: bool) -> None:
    """List the feed's rows and photos that were turned away or kept with a remark, and why."""
    from dagster_project.showing import show_rejected

    _one_line(lambda: show_rejected(home, as_json=as_json))


@main.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON.")
def results(home: Path | None, as_json: bool) -> None:
    """Print the last benchmark as Markdown tables."""
    from dagster_project.showing import show_results

    _one_line(lambda: show_results(home, as_json=as_json))


@main.command("train-embedded")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="CC0 photos and their manifest.csv.")
@click.option("--weights", type=click.Path(path_type=Path), required=True, help="Folder of the teachers' ONNX files.")
@click.option("--run", "run_dir", type=click.Path(path_type=Path), default="training_runs/embedded", show_default=True)
@click.option("--out", "out_dir", type=click.Path(path_type=Path), help="Default: the run's folder.")
@click.option("--only", metavar="NAMES", help="Train only these models, comma separated.")
@click.option(
    "--share", type=click.FloatRange(0, 1, min_open=True), default=1.0, show_default=True, help="Of the steps."
)
def train_embedded(
    data: Path, weights: Path, run_dir: Path, out_dir: Path | None, only: str | None, share: float
) -> None:
    """Train the embedded models again, from random weights. Hours on two cores; needs the extra [pretrained]."""
    from dagster_project.training import run_training

    _one_line(lambda: run_training(data, weights, run_dir, out_dir or run_dir, only, share))


def _one_line(run: "object") -> None:
    """Run a command; an error that a user can mend is one line and exit code 1."""
    try:
        run()  # type: ignore[operator]
    except LookbookError as error:
        query_cli.fail(str(error))
    except OSError as error:
        query_cli.fail(f"{error.filename or 'a file'}: can't be read or written ({error.strerror or error})")
    except KeyboardInterrupt:
        query_cli.fail("interrupted; what was finished is kept, run it again to go on")

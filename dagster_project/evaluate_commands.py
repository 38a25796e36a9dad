"""`lookbook evaluate`: how well a profile, or a published bundle, does on photos whose answers are known."""

import math
from pathlib import Path

import click

from catalog.evaluation.protocols import NAMES, PAIRS
from dagster_project.command_line import home_option, one_line
from query import cli as query_cli


def _number(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """A range lets "nan" pass, since it compares with nothing."""
    if math.isnan(value):
        raise click.BadParameter("nan is no share", context, parameter)
    return value


file_type = click.Path(path_type=Path)


@click.command()
@click.argument("data_dir", type=query_cli.Folder())
@home_option
@click.option("--profile", metavar="P", help="Measure this profile: a name, or a .toml file.  [default: the home's]")
@click.option("--bundle", type=query_cli.Folder(), metavar="B", help="Measure the models of this published bundle.")
@click.option(
    "--protocol", "names", multiple=True, type=click.Choice(NAMES), help="Only this one; may be repeated.  [all]"
)
@click.option("--ablation", is_flag=True, help="Also measure with each part of the search left out or changed.")
@click.option("--pairs", type=file_type, metavar="FILE", help="Street and shop photos: CSV street,shop[,category].")
@click.option(
    "--sample-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    callback=_number,
    show_default=True,
    help="Of the pairs that is asked.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which pairs these are.")
@click.option(
    "--sample-products", type=click.IntRange(2), default=700, show_default=True, help="Of the drawn sample shop."
)
@click.option(
    "--against",
    type=file_type,
    metavar="FILE",
    help="Compare with what an earlier --json wrote.  [default: with the run before]",
)
@click.option("--json", "json_file", type=file_type, metavar="FILE", help="Write everything, every query's value too.")
@click.option(
    "--work",
    type=query_cli.Folder(),
    metavar="DIR",
    help="Where homes are built, and kept for the next time.  [default: evaluation/ in the home]",
)
def evaluate(
    data_dir: Path,
    home: Path | None,
    profile: str | None,
    bundle: Path | None,
    names: tuple[str, ...],
    ablation: bool,
    pairs: Path | None,
    sample_share: float,
    seed: int,
    sample_products: int,
    against: Path | None,
    json_file: Path | None,
    work: Path | None,
) -> None:
    """Measure the search on a folder of labelled photos with a manifest.csv: docs/evaluation.md has the protocols."""
    if profile and bundle:
        raise click.UsageError("--profile and --bundle exclude each other: a bundle has its own models")
    if pairs and names and PAIRS not in names:
        raise click.UsageError("--pairs is for the protocol pairs, which is not asked: add --protocol pairs")
    if PAIRS in names and not pairs:
        raise click.UsageError("--protocol pairs needs --pairs FILE")

    def run() -> None:
        from dagster_project.evaluating import Request, run_evaluation

        request = Request(
            data=data_dir,
            profile=profile,
            bundle=bundle,
            names=names,
            work=work,
            ablation=ablation,
            against=against,
            json_file=json_file,
            pairs=pairs,
            sample_share=sample_share,
            seed=seed,
            sample_products=sample_products,
        )
        run_evaluation(request, home)

    one_line(run)

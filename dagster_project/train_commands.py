"""`lookbook train`: a compact model of a folder of labelled photos."""

import math
from pathlib import Path

import click

from dagster_project.command_line import home_option, one_line
from query import cli as query_cli

MOST_MINUTES = 60 * 24 * 30
EPOCHS = (
    "Instead of minutes, however long they take: 7 tenths for the classifier, the rest halved between the two metric "
    "losses, at least one for each of the three; each ends early when validation gets no better."
)


def _number(given: float | None) -> float | None:
    if given is not None and math.isnan(given):
        raise click.BadParameter("nan is no number of minutes")
    return given


@click.command()
@click.argument("dataset", type=query_cli.Folder(), metavar="DATASET_DIR")
@home_option
@click.option("--name", default="compact", show_default=True, help="What a profile calls the model.")
@click.option(
    "--minutes",
    type=click.FloatRange(0, MOST_MINUTES, min_open=True),
    callback=lambda context, option, given: _number(given),
    help="Of training, beside cutting out and scoring.  [default: 34]",
)
@click.option("--epochs", type=click.IntRange(1), help=EPOCHS)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Of all random draws.")
@click.option("--resume", is_flag=True, help="Go on from where a training with the same options was ended.")
@click.option("--cut-out/--whole-photos", default=True, help="Cut products out first (the default), or don't.")
@click.option(
    "--teacher",
    metavar="MODEL",
    default="lookbook-semantic",
    show_default=True,
    help="A semantic encoder to learn from as well, or 'none'.",
)
def train(
    dataset: Path,
    home: Path | None,
    name: str,
    minutes: float | None,
    epochs: int | None,
    seed: int,
    resume: bool,
    cut_out: bool,
    teacher: str,
) -> None:
    """Train a compact classifier and encoder on train/, validation/ and test/ folders of class folders.

    At most 429,000 parameters, from random weights. It is scored on the test photos, exported to ONNX and int8, and
    from then on a profile may name it. Needs the extra [pretrained].
    """
    if minutes and epochs:
        raise click.UsageError("--minutes and --epochs exclude each other")

    def run() -> None:
        from dagster_project.compact_training import run_train
        from resources.training_run import MINUTES, MOST_EPOCHS

        run_train(
            home,
            dataset,
            name=name,
            minutes=0.0 if epochs else minutes or MINUTES,
            epochs=epochs or MOST_EPOCHS,
            seed=seed,
            cut_out=cut_out,
            teacher="" if teacher == "none" else teacher,
            resume=resume,
        )

    one_line(run)

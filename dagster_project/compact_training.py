"""`lookbook train`: runs the job `train_compact_model` in this process, and prints what the model is worth."""

import json
import os
from pathlib import Path

import click
import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from assets import compact_training as assets
from catalog.formats import trained_models
from catalog.model_descriptions import Role, find_model, take_trained
from catalog.training.compact.report import GALLERIES, untested_classes
from dagster_project import disk_faults, failures
from dagster_project.training_definitions import build_training_definitions, train_job
from resources.home import find_home, prepare
from resources.training_run import TrainingRun

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_train(
    named: Path | None,
    dataset: Path,
    *,
    name: str,
    minutes: float,
    epochs: int,
    seed: int,
    cut_out: bool,
    teacher: str,
    resume: bool,
) -> None:
    """Train and score one model. Raises: LookbookError, one line, when something that a user can mend stops it."""
    home = find_home(named, os.environ)
    trained_models.check_name(name)
    take_trained(trained_models.read_rows(home.trained))
    if teacher:
        find_model(teacher, Role.SEMANTIC)
    prepare(home, os.environ)
    run = TrainingRun(
        home=str(home.root),
        dataset=str(dataset.expanduser().absolute()),
        name=name,
        minutes=minutes,
        epochs=epochs,
        seed=seed,
        cut_out=cut_out,
        teacher=teacher,
        resume=resume,
    )
    definitions = build_training_definitions(home, run, show_progress=True)
    click.echo(f"home {home.root}: training {name} on {run.dataset}", err=True)
    with dg.DagsterInstance.get() as instance:
        try:
            with disk_faults.said_once():
                job = definitions.resolve_job_def(train_job.name)
                job.execute_in_process(instance=instance, run_config=QUIET)
        except DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
        except Exception as error:
            raise failures.mendable(error) from error
    _tell(run)


def _tell(run: TrainingRun) -> None:
    report = json.loads((run.model_folder / assets.REPORT).read_text(encoding="utf-8"))
    for why in ("bad", "repeated", "passed_over"):
        for one in report["dataset"][why]:
            click.echo(f"left out {one['file']}: {one['reason']}", err=True)
    if untested := untested_classes(report):
        click.echo(f"no test photo of {', '.join(untested)}: the scores say nothing of it", err=True)
    shipped = report["shipped"]
    click.echo(
        f"accuracy {report['accuracy']:.3f} (as it ships, {shipped['form']}: {shipped['accuracy']:.3f}), macro F1 "
        f"{report['macro']['f1']:.3f}, {report['parameters']:,} parameters"
    )
    for gallery, of in report["retrieval"].items():
        click.echo(
            f"top-1 {of['top_1']:.3f}, top-5 {of['top_5']:.3f}, MRR {of['mrr']:.3f}, mAP {of['map']:.3f}: "
            f"{GALLERIES[gallery]}"
        )
    click.echo(f"{run.model_folder / assets.CARD}")
    click.echo(f'a profile names it with: semantic = "{run.name}"', err=True)

"""The code location of trainings: apart from a home's graph, so that no build, refresh or automation ever trains."""

import os
from pathlib import Path

import dagster as dg

from assets import compact_training
from catalog.formats import digests
from catalog.training.compact import dataset
from resources.home import Home, find_home
from resources.model_store import ModelStore
from resources.progress import Progress
from resources.training_run import TrainingRun

ASSETS = (compact_training.training_dataset, compact_training.compact_model, compact_training.compact_model_report)

train_job = dg.define_asset_job(
    "train_compact_model",
    selection=dg.AssetSelection.groups(compact_training.GROUP),
    description="From a folder of labelled photos to a model that a profile can name.",
)


@dg.definitions
def training() -> dg.Definitions:
    """The trainings of the home that the environment names; what to train on is filled in at the launchpad."""
    home = find_home(None, os.environ)
    return build_training_definitions(home, TrainingRun.configure_at_launch(home=str(home.root)))


def build_training_definitions(
    home: Home, run: "TrainingRun | dg.ResourceDefinition", *, show_progress: bool = False
) -> dg.Definitions:
    """The three assets of a training and the job that materialises them."""
    assets = dg.map_asset_specs(lambda spec: spec.replace_attributes(code_version=_code_version()), ASSETS)
    return dg.Definitions(
        assets=assets,
        jobs=[train_job],
        executor=dg.in_process_executor,
        resources={
            "training_run": run,
            "model_store": ModelStore(root=str(home.models)),
            "progress": Progress(shown=show_progress),
        },
    )


def _code_version() -> str:
    """Of the whole package by its files: to import them all would load torch."""
    files = sorted(Path(dataset.__file__).parent.glob("*.py"))
    return digests.of_texts(*[file.read_text(encoding="utf-8") for file in files])[:16]

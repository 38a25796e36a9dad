"""A compact model of a folder of labelled photos: read and cut out, trained, then scored. Not part of any build."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
from PIL import Image

from assets import reporting
from catalog.checkpoint_files import EXTRA
from catalog.errors import LookbookError
from catalog.features.inference import PixelModel
from catalog.formats import atomic, digests, trained_models
from catalog.model_descriptions import MODELS, Role, find_model
from catalog.onnx_export.float_models import head_prototypes
from catalog.training.compact import dataset as datasets
from catalog.training.compact import pictures, report
from catalog.training.compact import samples as cut_outs
from catalog.training.compact.dataset import TEST, TRAIN, VALIDATION, Dataset, LeftOut, Photo
from catalog.training.compact.samples import Samples
from catalog.vision import charts
from resources.inference import cores
from resources.model_store import ModelStore
from resources.progress import Progress
from resources.training_run import SEGMENTER, TrainingRun

if TYPE_CHECKING:
    from catalog.training.compact.progress import Plan

GROUP = "training"
DATASET, SAMPLES, TRAINED = "dataset.json", "samples.npz", "training.json"
REPORT, CARD, CURVES, CONFUSION, SHIPPED = "report.json", "card.md", "curves.png", "confusion.png", "shipped.onnx"


@dg.asset(group_name=GROUP, kinds={"numpy"}, owners=["team:search"])
def training_dataset(training_run: TrainingRun, model_store: ModelStore, progress: Progress) -> dg.MaterializeResult:
    """The photos of a folder of train, validation and test classes, decoded, cut out and small, each in one split."""
    started = time.perf_counter()
    read = datasets.read_dataset(training_run.dataset_folder, progress.bar("reading"))
    made_of = _made_of(training_run, model_store, read)
    if training_run.resume:
        with _extra_wanted():
            from catalog.training.compact import checkpoints
        checkpoints.check_origin(training_run.folder, _origin(training_run, read, made_of))
    if _kept(training_run).get("made_of") != made_of or not training_run.file(SAMPLES).exists():
        segmenter = _opened(model_store, SEGMENTER) if training_run.cut_out else None
        teacher = _opened(model_store, training_run.teacher) if training_run.teacher else None
        shown = progress.bar("cutting out" if segmenter else "decoding")
        made = cut_outs.make_samples(read, segmenter, teacher, workers=cores(), report=shown)
        training_run.file(DATASET).unlink(missing_ok=True)  # until the samples that it tells of are there
        cut_outs.write_samples(training_run.file(SAMPLES), made)
    atomic.write_text(training_run.file(DATASET), json.dumps(_plain(read, made_of), indent=1) + "\n")
    samples = cut_outs.read_samples(training_run.file(SAMPLES), read)
    shown_rows = reporting.spread(range(len(samples.photos)))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digests.of_values(made_of)),
        metadata={
            "photos": len(samples.photos),
            "bad": len(samples.bad),
            "repeated": len(read.left_out),
            "left_out": reporting.table(
                [asdict(one) for one in [*samples.bad, *read.left_out, *read.passed_over][:100]]
            ),
            "by_class": reporting.table(
                [{"class": name, **{split: of[name] for split, of in read.counts().items()}} for name in read.classes]
            ),
            "preview": reporting.picture(list(cut_outs.on_white(samples.images[shown_rows])), "cut-outs"),
            "seconds": round(time.perf_counter() - started, 1),
        },
    )


@dg.asset(deps=[training_dataset], group_name=GROUP, kinds={"torch", "onnx"}, owners=["team:search"])
def compact_model(training_run: TrainingRun, progress: Progress) -> dg.MaterializeResult:
    """The network, trained from random weights, as ONNX with its row: from then on a profile may name it."""
    started, cpu = time.perf_counter(), time.process_time()
    with _extra_wanted():
        from catalog.training.compact import export, network, training
    read, samples = _read(training_run)
    made_of = _kept(training_run)["made_of"]
    plan, origin = _plan(training_run), _origin(training_run, read, made_of)
    shown = shown_epochs(progress)
    trainer = training.Trainer(samples, read.classes, plan, training_run.folder, origin, time.perf_counter, shown)
    trained = trainer.run(resume=training_run.resume)
    folder = training_run.model_folder
    row = export.write_network(folder, training_run.name, trained.network, read.classes)
    told = {
        "phase": trained.phase,
        "best": {phase: asdict(epoch) for phase, epoch in trained.best.items()},
        "plan": asdict(plan),
        "seed": plan.seed,
        "epochs": len(trained.history),
        "parameters": network.parameter_count(trained.network),
        "segmenter": SEGMENTER if made_of["cut_out"] else "",
        "teacher": made_of["teacher"],
        "history": [asdict(epoch) for epoch in trained.history],
    }
    atomic.write_text(training_run.file(TRAINED), json.dumps(told, indent=1) + "\n")
    curves = _curves(told["history"])
    _write_picture(folder / CURVES, curves)
    trained_models.write_learnt(folder, [photo.sha256 for photo in read.photos if photo.split != TEST])
    trained_models.write_row(folder, row)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(row.sha256),
        metadata={
            "model": row.name,
            "parameters": told["parameters"],
            "kept": trained.phase,
            "epochs": len(trained.history),
            "curves": reporting.picture([curves], "curves"),
            "seconds": round(time.perf_counter() - started, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "megabytes": round(row.size_bytes / 1e6, 3),
        },
    )


@dg.asset(deps=[compact_model], group_name=GROUP, kinds={"onnx"}, owners=["team:search"])
def compact_model_report(training_run: TrainingRun) -> dg.MaterializeResult:
    """What the exported model is worth on the test photos, in float32 and in the int8 form that the gate lets ship."""
    started = time.perf_counter()
    from catalog.training.compact import export

    read, samples = _read(training_run)
    folder = training_run.model_folder
    (row,) = [one for one in trained_models.read_rows(folder.parent) if one.name == training_run.name]
    told = json.loads(training_run.file(TRAINED).read_text(encoding="utf-8"))
    content, float_form = export.open_float(folder, row)
    of_class = head_prototypes((folder / trained_models.NETWORK).read_bytes())
    head = np.stack([of_class[name] for name in read.classes])
    images = cut_outs.on_white(samples.images)
    labels = np.array([read.classes.index(photo.label) for photo in samples.photos])
    validation = samples.rows(VALIDATION)

    def accuracy(vectors: np.ndarray) -> float:
        return float(((vectors @ head.T).argmax(1) == labels[validation]).mean())

    weighed = export.weigh(
        row,
        content,
        calibration=images[samples.rows(TRAIN)],
        images=images[validation],
        accuracy=accuracy,
        workers=cores(),
    )
    atomic.write_bytes(folder / SHIPPED, weighed.content)
    vectors = export.embed(float_form, images, cores())
    small = export.embed(PixelModel(weighed.content, row.output), images, cores())
    measured, shipped = (report.measure(samples, read.classes, of, head) for of in (vectors, small))
    whole = report.describe(
        name=row.name,
        dataset=read,
        bad=samples.bad,
        parameters=told.pop("parameters"),
        training=told,
        measured=measured,
        shipped=shipped,
        decisions=weighed.decisions,
    )
    atomic.write_text(folder / REPORT, json.dumps(whole, indent=1) + "\n")
    counts = measured.classes.confusion
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    confusion = charts.heat_map(read.classes, read.classes, shares, counts.sum(1).tolist())
    _write_picture(folder / CONFUSION, confusion)
    atomic.write_text(folder / CARD, report.card(whole))
    gallery, alone = whole["retrieval"]["train_gallery"], whole["retrieval"]["leave_one_out"]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digests.of_values(whole)),
        metadata={
            "card": dg.MetadataValue.md((folder / CARD).read_text(encoding="utf-8").replace("![", "[")),
            "accuracy": measured.classes.accuracy,
            "shipped_accuracy": shipped.classes.accuracy,
            "shipped_form": weighed.form,
            "top_1": gallery["top_1"],
            "top_5": gallery["top_5"],
            "leave_one_out_top_1": alone["top_1"],
            "leave_one_out_top_5": alone["top_5"],
            "test_photos": len(samples.rows(TEST)),
            "confusion": reporting.picture([confusion], "confusion"),
            "seconds": round(time.perf_counter() - started, 1),
        },
    )


def _opened(models: ModelStore, name: str) -> PixelModel:
    return PixelModel(models.float_model(name), MODELS[name].output)


def _made_of(run: TrainingRun, models: ModelStore, read: Dataset) -> dict[str, Any]:
    """What the samples are made of: they are made again when any of it changes."""
    named = [SEGMENTER] if run.cut_out else []
    if run.teacher:
        find_model(run.teacher, Role.SEMANTIC)
        named.append(run.teacher)
    return {
        "dataset": read.digest(),
        "files": digests.of_values([photo.file for photo in read.photos]),
        "models": {name: digests.of_file(models.float_model(name)) for name in named},
        "cut_out": run.cut_out,
        "teacher": run.teacher,
        "code": digests.of_code(cut_outs),
    }


def _plan(run: TrainingRun) -> "Plan":
    from catalog.training.compact.progress import Plan

    return Plan(epochs=run.epochs, minutes=run.minutes, seed=run.seed)


def _origin(run: TrainingRun, read: Dataset, made_of: Mapping[str, Any]) -> dict[str, Any]:
    """What a training can't be gone on with when it changes."""
    of_samples = {name: made_of[name] for name in ("dataset", "cut_out", "teacher", "models")}
    return {**asdict(_plan(run)), "classes": list(read.classes), **of_samples}


@contextmanager
def _extra_wanted() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise LookbookError(f"training needs {error.name}; {EXTRA}") from error


def _kept(run: TrainingRun) -> Mapping[str, Any]:
    try:
        kept: Mapping[str, Any] = json.loads(run.file(DATASET).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none yet, or damaged: it is made again
        return {}
    return kept


def _plain(read: Dataset, made_of: Mapping[str, Any]) -> dict[str, Any]:
    return {"made_of": made_of, "folder": str(read.folder), **{k: v for k, v in asdict(read).items() if k != "folder"}}


def _read(run: TrainingRun) -> tuple[Dataset, Samples]:
    """What `training_dataset` left. Raises: LookbookError when it left nothing that can be read."""
    kept = _kept(run)
    if not kept:
        raise LookbookError(f"{run.file(DATASET)}: not there or damaged; materialize `training_dataset` first")
    read = Dataset(
        Path(kept["folder"]),
        tuple(kept["classes"]),
        tuple(Photo(**photo) for photo in kept["photos"]),
        tuple(LeftOut(**one) for one in kept["left_out"]),
        tuple(LeftOut(**one) for one in kept["passed_over"]),
        kept["carved"],
    )
    return read, cut_outs.read_samples(run.file(SAMPLES), read)


def shown_epochs(progress: Progress) -> Callable[[str, int, int], None]:
    """A bar a phase, of the epochs that this process does; it begins with the phase and ends with it."""
    bars: dict[str, tuple[Callable[[int, int], None], int]] = {}

    def show(phase: str, done: int, of: int) -> None:
        if phase not in bars:
            bars[phase] = progress.bar(f"training {phase}", "epoch"), done
        bar, before = bars[phase]
        bar(done - before, max(0, of - before))

    return show


def _curves(history: list[Mapping[str, Any]]) -> np.ndarray:
    phases = list(dict.fromkeys(epoch["phase"] for epoch in history))

    def panel(value: str) -> list[pictures.Series]:
        return [
            (phase, [(place, epoch[value]) for place, epoch in enumerate(history, 1) if epoch["phase"] == phase])
            for phase in phases
        ]

    titles = {"loss": "training loss", "accuracy": "validation accuracy", "top_1": "validation top-1"}
    return pictures.curves([(title, panel(value)) for value, title in titles.items()], "epoch")


def _write_picture(path: Path, picture: np.ndarray) -> None:
    with atomic.write_beside(path) as beside:
        Image.fromarray(picture).save(beside, "PNG", optimize=True)

"""`lookbook train` for real but small: killed and gone on with, its report, and a shop built with what it trained."""

import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.errors import LookbookError
from catalog.features.inference import PixelModel
from catalog.formats import trained_models
from catalog.model_descriptions import MODELS
from catalog.onnx_export.float_models import float_model, head_prototypes
from dagster_project.compact_training import run_train
from dagster_project.definitions import build_definitions
from dagster_project.models import list_models
from dagster_project.training_definitions import build_training_definitions
from resources.home import Home
from resources.profile import PROFILES
from resources.training_run import TrainingRun

pytestmark = pytest.mark.endurance

OPTIONS = {"epochs": 8, "seed": 3}
COUNTS = {"train": 12, "validation": 4, "test": 6}


def draw(rng: np.random.Generator, kind: str) -> bytes:
    """A disc, a square or a cross of some colour, somewhere on a light ground."""
    rows, columns = np.mgrid[:80, :80] - rng.integers(34, 46, (2, 1, 1))
    shape = {
        "disc": np.hypot(rows, columns) < 24,
        "square": np.maximum(abs(rows), abs(columns)) < 22,
        "cross": (np.minimum(abs(rows), abs(columns)) < 7) & (np.maximum(abs(rows), abs(columns)) < 26),
    }[kind]
    photo = np.where(shape[..., None], rng.integers(0, 160, 3), rng.integers(225, 256, 3))
    encoded = io.BytesIO()
    Image.fromarray(photo.astype(np.uint8)).save(encoded, "PNG")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    folder, rng = tmp_path_factory.mktemp("shapes"), np.random.default_rng(5)
    for split, count in COUNTS.items():
        for kind in ("disc", "square", "cross"):
            (folder / split / kind).mkdir(parents=True)
            for place in range(count):
                (folder / split / kind / f"{place:02}.png").write_bytes(draw(rng, kind))
    (folder / "train" / "disc" / "notes.jpg").write_text("no photo")
    (folder / "train" / "cross" / "leak.png").write_bytes((folder / "test" / "cross" / "00.png").read_bytes())
    return folder


@pytest.fixture(scope="module")
def undisturbed(dataset, tmp_path_factory) -> Path:
    """A home in which a model was trained from the beginning to the end."""
    home, kept = tmp_path_factory.mktemp("undisturbed") / "home", dict(os.environ)
    options = {"name": "shapes", "minutes": 0.0, "cut_out": False, "teacher": "lookbook-semantic", "resume": False}
    try:
        run_train(home, dataset, **{**options, **OPTIONS})
    finally:
        os.environ.clear()
        os.environ.update(kept)
    return home


def test_a_killed_training_goes_on_to_the_same_bytes(dataset, undisturbed, lookbook, tmp_path):
    """SIGKILL once two epochs are saved; with --resume the model and the last checkpoint are the undisturbed run's."""
    home = tmp_path / "home"
    arguments = ["train", dataset, "--home", home, "--name", "shapes", "--whole-photos", "--resume"]
    arguments += [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]
    process = subprocess.Popen(
        [Path(sys.executable).with_name("lookbook"), *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    state, until = home / "training" / "shapes" / "state.json", time.monotonic() + 240
    while not (state.exists() and json.loads(state.read_text())["turn"] >= 2):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    turn = json.loads(state.read_text())["turn"]
    assert 2 <= turn < OPTIONS["epochs"]
    assert not (home / "models" / "trained" / "shapes" / trained_models.ROW).exists()
    done = lookbook(*arguments)
    assert "left out train/disc/notes.jpg: not_an_image" in done.stderr
    for file in ("models/trained/shapes/model.onnx", "models/trained/shapes/row.json", "training/shapes/state.json"):
        assert (home / file).read_bytes() == (undisturbed / file).read_bytes(), file
    (kept,) = (home / "training" / "shapes").glob("checkpoint-*.safetensors")
    assert kept.read_bytes() == (undisturbed / "training" / "shapes" / kept.name).read_bytes()


def test_what_would_be_gone_on_with_otherwise_is_refused_and_left(dataset, undisturbed, tmp_path, monkeypatch):
    """Another teacher than the checkpoint's: told by name, before the samples that it learns from are made again."""
    monkeypatch.setenv("LOOKBOOK_HOME", "")
    monkeypatch.setenv("DAGSTER_HOME", "")
    folder = tmp_path / "home" / "training" / "shapes"
    shutil.copytree(undisturbed / "training" / "shapes", folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(LookbookError, match=r"other options \(teacher, models\); give the same ones, or leave out"):
        run_train(
            tmp_path / "home", dataset, name="shapes", minutes=0.0, cut_out=False, teacher="", resume=True, **OPTIONS
        )
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_the_report_says_what_was_learnt_and_what_it_is_worth(dataset, undisturbed):
    """Counts as they were laid out; scores that are those of the exported file, asked here photo by photo."""
    folder = undisturbed / "models" / "trained" / "shapes"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["parameters"] <= 429_000
    assert {split: sum(of.values()) for split, of in report["dataset"]["photos"].items()} == {
        "train": 37,  # the text among them is only found to be none when it is opened
        "validation": 12,
        "test": 18,
    }
    assert [one["file"] for one in report["dataset"]["bad"]] == ["train/disc/notes.jpg"]
    assert [one["file"] for one in report["dataset"]["repeated"]] == ["train/cross/leak.png"]
    learnt = json.loads((folder / "learnt_photos.json").read_text(encoding="utf-8"))["sha256"]
    files = [file for split in ("train", "validation") for file in (dataset / split).glob("*/*.*")]
    wanted = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.name != "leak.png"}
    assert learnt == sorted(wanted)
    assert report["training"]["teacher"] == "lookbook-semantic"
    assert set(report["training"]["best"]) == {"classifier", "triplet", "supervised_contrast"}
    for gallery in ("train_gallery", "leave_one_out"):
        of = report["retrieval"][gallery]
        assert of["queries"] == 18
        assert 0 <= of["map"] <= of["mrr"] <= 1
        assert of["top_1"] <= of["mrr"] <= 1
    assert sum(map(sum, report["confusion"])) == 18
    assert report["accuracy"] == sum(report["confusion"][place][place] for place in range(3)) / 18
    assert report["gate"][-1]["passed"]
    card = (folder / "card.md").read_text(encoding="utf-8")
    assert "| photos | 37 train, 12 validation, 18 test |" in card
    assert "`train/disc/notes.jpg`: not_an_image" in card
    for name in ("curves.png", "confusion.png"):
        assert f"]({name})" in card
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 100


def test_the_exported_file_takes_pixels_and_knows_the_classes(dataset, undisturbed):
    """It answers a photo of any size, the same as its mirror image, and carries a vector for each class."""
    folder = undisturbed / "models" / "trained" / "shapes"
    (row,) = trained_models.read_rows(folder.parent)
    content = (folder / "model.onnx").read_bytes()
    assert sorted(head_prototypes(content)) == ["cross", "disc", "square"]
    model = PixelModel(float_model(content, row, "model.onnx"), row.output)
    photo = np.asarray(Image.open(dataset / "test" / "disc" / "00.png").resize((301, 211)))
    found = model.run(photo)
    assert found.shape == (128,)
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-4)
    assert float(found @ model.run(np.ascontiguousarray(photo[:, ::-1]))) == pytest.approx(1, abs=1e-3)


def test_a_profile_names_the_trained_model_and_a_shop_is_built_with_it(undisturbed, shop_copy, lookbook, capsys):
    """The row lies in the home, no line of code knows it; the bundle's vectors are the trained model's."""
    trained = shop_copy.home / "models" / "trained" / "shapes"
    trained.parent.mkdir(parents=True)
    trained.symlink_to(undisturbed / "models" / "trained" / "shapes")
    own = (PROFILES / "embedded.toml").read_text(encoding="utf-8")
    own = own.replace('semantic = "lookbook-semantic"', 'semantic = "shapes"').replace('"embedded"', '"own"')
    (shop_copy.home / "own.toml").write_text(own, encoding="utf-8")
    done = lookbook("build", "--home", shop_copy.home, "--profile", shop_copy.home / "own.toml", "--stale")
    assert "semantic_embeddings" in done.stderr
    manifest = json.loads((shop_copy.home / "android_bundle" / "current" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["embedding_dim"] == 128
    assert "shapes" in json.dumps(manifest["models"])
    list_models(shop_copy.home, None)
    listed = capsys.readouterr().out
    (line,) = [line for line in listed.splitlines() if line.startswith("shapes ")]
    assert "LicenseRef-own  unknown " in line
    assert " trained" in line


def test_no_build_sees_the_training_assets(tmp_path):
    """They are a code location of their own; another home's trained models are not in the table any more."""
    home = Home(tmp_path)
    shop = {key.to_user_string() for key in build_definitions(home).resolve_asset_graph().toposorted_asset_keys}
    training = build_training_definitions(home, TrainingRun(home=str(tmp_path)))
    keys = [key.to_user_string() for key in training.resolve_asset_graph().toposorted_asset_keys]
    assert keys == ["training_dataset", "compact_model", "compact_model_report"]
    assert not shop & set(keys)
    assert "shapes" not in MODELS


@pytest.mark.parametrize(
    ("folder", "options", "told"),
    [
        ("nowhere", {}, "nowhere: no such folder; name one that holds train/<class>/"),
        ("", {"name": "Über"}, "model name 'Über': use up to 63 lower-case letters"),
        ("", {"name": "u2netp"}, "model name 'u2netp': is a model of Lookbook's own"),
        ("", {"teacher": "lookbook-texture"}, "it is a texture model; the semantic models are: "),
    ],
)
def test_what_can_be_mended_is_told(dataset, tmp_path, monkeypatch, folder, options, told):
    monkeypatch.setenv("LOOKBOOK_HOME", "")  # both are set by a training, and are put back
    monkeypatch.setenv("DAGSTER_HOME", "")
    plain = {"name": "shapes", "minutes": 0.0, "cut_out": False, "teacher": "", "resume": False, **OPTIONS}
    with pytest.raises(LookbookError, match=re.escape(told)):
        run_train(tmp_path / "home", dataset / folder if folder else dataset, **{**plain, **options})

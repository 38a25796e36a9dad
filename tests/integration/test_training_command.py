"""`lookbook train-embedded`, for real but short: a thousandth of everything, from photos to ONNX files that run."""

import hashlib
import re

import numpy as np
import onnx
import pytest

from catalog.features.inference import PixelModel
from catalog.model_descriptions import MODELS
from catalog.onnx_export.float_models import head_prototypes
from catalog.onnx_export.pixel_input import with_pixel_input

pytestmark = pytest.mark.endurance


def test_a_short_training_gives_models_that_run(shared_data, shared_weights, lookbook, tmp_path):
    """Three files of the shapes that the table says, their digests printed, and what can be kept is used again."""
    arguments = ["--data", shared_data, "--weights", shared_weights, "--run", tmp_path / "run"]
    done = lookbook("train-embedded", *arguments, "--share", "0.001", "--steps", "3000")
    assert "training lookbook-texture: 100%" in done.stderr
    assert "3/3" in done.stderr
    image = np.random.default_rng(0).integers(0, 255, (90, 70, 3), np.uint8)
    for name, model in MODELS.items():
        if not model.source.startswith("embedded:"):
            continue
        content = (tmp_path / "run" / f"{name}.onnx").read_bytes()
        (printed,) = re.findall(rf'{name}: sha256="([0-9a-f]{{64}})"', done.stdout)
        assert printed == hashlib.sha256(content).hexdigest()
        wrapped = with_pixel_input(onnx.load_model_from_string(content), model).SerializeToString()
        output = PixelModel(wrapped, model.output).run(image, np.ones((90, 70), bool))
        assert output.shape == ((model.embedding_dim,) if model.embedding_dim else (256, 256))
    assert "dress" in head_prototypes((tmp_path / "run" / "lookbook-semantic.onnx").read_bytes())
    kept = sorted(entry.name for entry in (tmp_path / "run").iterdir())
    assert {"drawn", "saliency", "views-160.npy", "scenes-160.npy", "windows-192.npy"} <= set(kept)


def test_what_is_missing_is_told_in_one_line(lookbook, tmp_path):
    """No photos; no such model."""
    failed = lookbook("train-embedded", "--data", tmp_path, "--weights", tmp_path, ok=False)
    assert "manifest.csv: not there" in failed.stderr
    arguments = ["--data", tmp_path, "--weights", tmp_path, "--start-from", tmp_path]
    failed = lookbook("train-embedded", *arguments, ok=False)
    assert "lookbook-segmenter.onnx: not there; name a folder that holds the weights to start from" in failed.stderr
    failed = lookbook("train-embedded", "--data", tmp_path, "--weights", tmp_path, "--only", "u2net", ok=False)
    assert "no embedded model; there are lookbook-segmenter" in failed.stderr

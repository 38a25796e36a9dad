"""An encoder in torch over many crops: transformers' own answers, in order, with what can't be read in its place."""

import json
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from catalog.errors import ImageError, ModelError
from catalog.model_descriptions import MODELS, ModelDescription
from catalog.records import Reason
from catalog.torch_models import devices
from catalog.torch_models.batch_encoder import PREPARED_AHEAD, BatchEncoder

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")

SIGLIP = replace(MODELS["siglip2-base-patch16-224"], embedding_dim=32, input_side_px=48)
DINOV2 = replace(MODELS["dinov2-small"], embedding_dim=32, input_side_px=28, resize_side_px=32)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small SigLIP with random weights, in its hub's format."""
    folder = tmp_path_factory.mktemp("siglip")
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.manual_seed(0)
    config = transformers.SiglipConfig(
        text_config={**shape, "vocab_size": 50}, vision_config={**shape, "image_size": 48, "patch_size": 16}
    )
    transformers.SiglipModel(config).save_pretrained(folder)
    size = {"height": 48, "width": 48}
    write_preprocessing(folder, "SiglipImageProcessor", {"size": size, "resample": 2}, SIGLIP)
    return folder


@pytest.fixture(scope="module")
def dinov2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small DINOv2 with random weights, in its hub's format."""
    folder = tmp_path_factory.mktemp("dinov2")
    torch.manual_seed(0)
    config = transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, image_size=28, patch_size=14
    )
    transformers.Dinov2Model(config).save_pretrained(folder)
    values = {"size": {"shortest_edge": 32}, "crop_size": {"height": 28, "width": 28}, "do_center_crop": True}
    write_preprocessing(folder, "BitImageProcessor", {**values, "resample": 3}, DINOV2)
    return folder


def write_preprocessing(folder: Path, kind: str, values: dict[str, Any], row: ModelDescription) -> None:
    """preprocessor_config.json as the hub has it."""
    same = {"do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    whole = {"image_processor_type": kind, **same, "image_mean": row.mean, "image_std": row.std, **values}
    (folder / "preprocessor_config.json").write_text(json.dumps(whole))


def photos(shared_data: Path, count: int) -> list[np.ndarray]:
    """Real photos, upright and lying."""
    files = sorted((shared_data / "clothing").rglob("*.jpg"))[:: 1300 // count][:count]
    return [np.asarray(Image.open(file).convert("RGB")) for file in files]


def by_transformers(folder: Path, kind: str, images: list[np.ndarray]) -> np.ndarray:
    """(n, dim) unit vectors by transformers' own processor, without torchvision, and its model, in float32."""
    processor = transformers.AutoImageProcessor.from_pretrained(folder, use_fast=False)
    pixels = processor(images=[Image.fromarray(image) for image in images], return_tensors="pt")
    with torch.inference_mode():
        if kind == "siglip":
            model = transformers.SiglipVisionModel.from_pretrained(folder).eval()
            features = model(**pixels).pooler_output
        else:
            features = (
                transformers.Dinov2Model.from_pretrained(folder).eval()(**pixels).last_hidden_state[:, 1:].mean(1)
            )
    return np.asarray(torch.nn.functional.normalize(features, dim=-1))


def loads(images: list[np.ndarray], masks: bool) -> list[Callable[[], Any]]:
    """As a stage gives them; every mask is the whole photo."""
    return [
        partial(lambda image: (image, np.ones(image.shape[:2], bool) if masks else None), image) for image in images
    ]


@pytest.mark.parametrize("kind", ["siglip", "dinov2"])
def test_answers_as_transformers_does(kind: str, request: pytest.FixtureRequest, shared_data: Path) -> None:
    """In float32 cosine 0.9999 at least, on photos of several shapes, for more photos than a batch; in order."""
    folder, row = request.getfixturevalue(kind), {"siglip": SIGLIP, "dinov2": DINOV2}[kind]
    images = photos(shared_data, 19)
    wanted = by_transformers(folder, kind, images)
    for precision, least in (("float32", 0.9999), ("bfloat16", 0.999)):
        encoder = BatchEncoder(folder, row, precision, threads=2)
        found = np.stack(list(encoder.run(loads(images, row.takes_mask))))
        assert found.dtype == np.float32
        assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
        assert np.einsum("ij,ij->i", found, wanted).min() > least, precision


def test_what_can_not_be_read_is_told_in_its_place(siglip: Path) -> None:
    """The others go on."""

    def broken() -> Any:
        raise ImageError(Reason.MODEL_FAILED, "cut short")

    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (60, 50, 3), dtype=np.uint8) for _ in range(20)]
    alone = list(BatchEncoder(siglip, SIGLIP, "float32", threads=1).run(loads(images, masks=False)))
    given = loads(images, masks=False)
    given[9:9] = [broken]
    found = list(BatchEncoder(siglip, SIGLIP, "float32", threads=2).run(given))
    assert isinstance(found[9], ImageError)
    assert "cut short" in str(found[9])
    assert len(found) == 21
    assert np.allclose(np.stack(found[:9] + found[10:]), np.stack(alone), atol=1e-5)


def test_not_finite_is_no_embedding(siglip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of NaN never reaches the table: the photo is told to have failed."""
    encoder = BatchEncoder(siglip, SIGLIP, "float32", threads=1)
    weights = dict(encoder._network.named_parameters())["network.post_layernorm.weight"]
    weights.data[3] = float("nan")
    [found] = encoder.run(loads([np.zeros((50, 50, 3), np.uint8)], masks=False))
    assert isinstance(found, ImageError)
    assert "siglip2-base-patch16-224: not finite or all zeros on this photo" in str(found)


def test_reads_only_a_little_ahead(siglip: Path) -> None:
    """Memory does not grow with the catalogue: the hundredth photo is not decoded while the first is waited for."""
    read, lock = [], threading.Lock()
    image = np.zeros((50, 50, 3), np.uint8)

    def load(place: int) -> Any:
        with lock:
            read.append(place)
        return image, None

    results = BatchEncoder(siglip, SIGLIP, "float32", threads=2).run(partial(load, place) for place in range(200))
    next(results)
    assert len(read) <= 3 * PREPARED_AHEAD
    assert sum(1 for _ in results) == 199
    assert sorted(read) == list(range(200))


def test_without_the_extra(siglip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what is missing and what to run."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=r"siglip2-base-patch16-224 needs transformers.*not installed; .*pip install"):
        BatchEncoder(siglip, SIGLIP, "auto", threads=1)


def test_a_checkpoint_of_another_width(siglip: Path) -> None:
    """The config is held to the row."""
    with pytest.raises(ModelError, match=r"config\.json: hidden_size is 32, the row .* wants 768"):
        BatchEncoder(siglip, replace(SIGLIP, embedding_dim=768), "float32", threads=1)


def test_precision_is_this_machines_choice_only_where_it_is_asked_for() -> None:
    """ "auto" is one of the two; a named one stays."""
    assert devices.chosen_precision("float32") == "float32"
    assert devices.chosen_precision("bfloat16") == "bfloat16"
    assert devices.chosen_precision("auto") in ("float32", "bfloat16")


def test_batches_fit_free_memory() -> None:
    """A quarter of what is free, at least one, at most what was asked."""
    cpu = torch.device("cpu")
    assert devices.batch_size(cpu, 2**20, 8) == 8
    assert devices.batch_size(cpu, 2**50, 8) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_runs_on_a_gpu(siglip: Path) -> None:
    """In bfloat16, as on the CPU in float32 but for rounding."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (60, 50, 3), dtype=np.uint8) for _ in range(12)]
    on_gpu = BatchEncoder(siglip, SIGLIP, "auto", threads=2)
    assert on_gpu.precision == "bfloat16"
    found = np.stack(list(on_gpu.run(loads(images, masks=False))))
    wanted = by_transformers(siglip, "siglip", images)
    assert np.einsum("ij,ij->i", found, wanted).min() > 0.999

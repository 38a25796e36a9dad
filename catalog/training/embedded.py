"""Trains the three embedded models and writes them as ONNX. Import inside functions (torch)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from catalog.errors import ModelError
from catalog.formats import atomic, digests
from catalog.model_descriptions import MODELS, ModelDescription
from catalog.onnx_export.float_models import head_prototypes, with_head_prototypes
from catalog.onnx_export.torch_export import export
from catalog.training import loop, material, networks, photos, semantic, texture
from catalog.training.segmenter import train_segmenter

SEGMENTER, SEMANTIC, TEXTURE = "lookbook-segmenter", "lookbook-semantic", "lookbook-texture"
STEPS = {SEGMENTER: 5000, SEMANTIC: 6000, TEXTURE: 2000}
DRAWN_PRODUCTS = 2000
SEED = 0
PRINTS = ("animal", "checked", "color_block", "floral", "geometric", "plain", "polka_dot", "striped")

Report = Callable[[str, int, int, float | None], None]  # what, done, of how many, the running loss of a training


def train_embedded(
    data_dir: Path,
    weights_dir: Path,
    run_dir: Path,
    out_dir: Path,
    names: Sequence[str],
    *,
    start_dir: Path | None = None,
    steps: int | None = None,
    share: float = 1.0,
    workers: int = 1,
    report: Report = lambda what, done, total, loss: None,
) -> dict[str, ModelDescription]:
    """Train the models called `names` and write `<out_dir>/<name>.onnx`; returns their rows with the new digests.

    `data_dir` holds the photos, `weights_dir` the teachers; `run_dir` keeps what can be used again. The networks start
    from random weights, or from `<start_dir>/<name>.onnx` and then learn for half as long; or each for `steps`. `share`
    of the photos, drawn products and steps is used: 1 for a model that ships, less to see that the code runs.
    Raises: FormatError or ModelError when photos, teachers or weights to start from aren't there.
    """
    starts = {name: _start(start_dir / f"{name}.onnx") if start_dir else None for name in names}
    alone, _ = photos.cc0_photos(data_dir)
    worn = [*photos.shop_photos(data_dir), *photos.street_photos(data_dir)]
    step = max(1, round(1 / share))
    made = material.Material(
        run_dir,
        weights_dir,
        alone[::step],
        worn[::step],
        max(20, round(DRAWN_PRODUCTS * share)),
        lambda what, done, total: report(what, done, total, None),
    )
    made.make_saliency()
    made.draw(workers)
    rows = {}
    for name in names:
        model = MODELS[name]
        count = max(2, round((steps or STEPS[name] / (2 if starts[name] else 1)) * share))
        course = loop.Course(
            steps=count,
            seed=SEED,
            workers=max(1, workers - 1),
            start=starts[name],
            report=partial(_report_step, report, name, count),
        )
        network = _TRAINERS[name](made, model, course)
        content: bytes = network.SerializeToString(deterministic=True)
        atomic.write_bytes(out_dir / f"{name}.onnx", content)
        rows[name] = replace(model, sha256=digests.of_bytes(content), size_bytes=len(content))
    return rows


def _start(file: Path) -> onnx.ModelProto:
    if not file.is_file():
        raise ModelError(f"{file}: not there; name a folder that holds the weights to start from")
    return onnx.load(file)


def _report_step(report: Report, name: str, steps: int, step: int, loss: float) -> None:
    report(f"training {name}", step, steps, loss)


class _Saliency(nn.Module):
    """The segmenter with its logits as saliency, as it ships."""

    def __init__(self, segmenter: nn.Module) -> None:
        super().__init__()
        self.segmenter = segmenter

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.sigmoid(self.segmenter(pixels))


def _segmenter(made: material.Material, model: ModelDescription, course: loop.Course) -> onnx.ModelProto:
    alone, worn, drawn = made.masked_photos()
    network = train_segmenter(alone, worn, drawn, model, course)
    return export(_Saliency(network), model)


def _semantic(made: material.Material, model: ModelDescription, course: loop.Course) -> onnx.ModelProto:
    side, alone, worn = model.input_side_px, made.products(), made.worn_products()
    products = [*alone, *worn]
    categories = sorted({product.category for product in products} - {""})
    seen = (made.views(alone, "views", side, SEED), made.views(worn, "worn-views", side, SEED))
    around = (made.scenes(made.photos, "scenes", side, SEED), made.scenes(made.worn, "worn-scenes", side, SEED))
    views, scenes = (semantic.Views(*zip(*parts, strict=True)) for parts in (seen, around))
    known = head_prototypes(course.start.SerializeToString()) if course.start else None
    network = semantic.train_semantic(
        products,
        views,
        scenes,
        categories,
        model,
        course,
        known,
    )
    head = nn.functional.normalize(network.categories).detach().numpy().astype(np.float32)
    return with_head_prototypes(export(network, model), categories, head)


def _texture(made: material.Material, model: ModelDescription, course: loop.Course) -> onnx.ModelProto:
    side, alone, worn = texture.window_side_px(model), made.products(), made.worn_products()
    images, said = zip(
        made.windows(alone, "windows", side, SEED), made.windows(worn, "worn-windows", side, SEED), strict=True
    )
    windows = semantic.Views(images, texture.centred(said))
    network = texture.train_texture([*alone, *worn], windows, PRINTS, model, course)
    return export(networks.WholeAndQuarters(network), model)


_TRAINERS = {SEGMENTER: _segmenter, SEMANTIC: _semantic, TEXTURE: _texture}

"""From a trained network to a model row and its files: bare ONNX, float32 behind pixels, and as small as the gate lets.

Import inside functions: it imports torch.
"""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch.nn.functional as F

from catalog.errors import ModelError
from catalog.evaluation import gate
from catalog.evaluation.gate import Decision
from catalog.features.inference import PixelModel
from catalog.formats import atomic, digests, trained_models
from catalog.model_descriptions import ModelDescription, Quantization, Role
from catalog.onnx_export import quantization
from catalog.onnx_export.float_models import float_model, with_head_prototypes
from catalog.onnx_export.torch_export import export
from catalog.profiles import Int8Gate
from catalog.training.compact import views
from catalog.training.compact.network import EMBEDDING_DIM, SIDE_PX, CompactNetwork, Mirrored

CALIBRATION_PHOTOS = 96
TERMS = "Trained in this home: the terms of its photos, and of the model that taught it, apply."
OUTPUT = "semantic_embedding"


def describe(name: str) -> ModelDescription:
    """The row of a compact model, before its bytes are known."""
    return ModelDescription(
        name=name,
        role=Role.SEMANTIC,
        source=f"trained:{name}/{trained_models.NETWORK}",
        sha256="",
        size_bytes=0,
        licence="LicenseRef-own",
        licence_terms=TERMS,
        output=OUTPUT,
        input_side_px=SIDE_PX,
        mean=views.MEAN,
        std=views.STD,
        embedding_dim=EMBEDDING_DIM,
        pooling="mean",
        quantization=(Quantization.STATIC_QDQ, Quantization.WEIGHTS_ONLY),
    )


def write_network(folder: Path, name: str, network: CompactNetwork, classes: Sequence[str]) -> ModelDescription:
    """Write `model.onnx`, classes and their vectors in its metadata; returns the row with its digest."""
    row = describe(name)
    head = F.normalize(network.classes).detach().numpy().astype(np.float32)
    graph = with_head_prototypes(export(Mirrored(network), row), classes, head)
    content: bytes = graph.SerializeToString(deterministic=True)
    atomic.write_bytes(folder / trained_models.NETWORK, content)
    return replace(row, sha256=digests.of_bytes(content), size_bytes=len(content))


def open_float(folder: Path, row: ModelDescription) -> tuple[bytes, PixelModel]:
    """The float32 model behind pixel input: its bytes, and open. Raises: ModelError as `float_model`."""
    path = folder / trained_models.NETWORK
    content = float_model(path.read_bytes(), row, str(path))
    return content, PixelModel(content, row.output)


def embed(model: PixelModel, images: np.ndarray, workers: int) -> np.ndarray:
    """(n, side, side, 3) uint8 pictures -> (n, dim) float32 of length 1."""
    with ThreadPoolExecutor(workers) as pool:
        return np.stack(list(pool.map(model.run, images)))


@dataclass(frozen=True)
class Weighed:
    """The form that passed, and what was said of each that was tried."""

    content: bytes
    decisions: tuple[Decision, ...]

    @property
    def form(self) -> str:
        """Of the one that passed, the last that was tried."""
        return self.decisions[-1].form


def weigh(
    row: ModelDescription,
    float_content: bytes,
    *,
    calibration: np.ndarray,
    images: np.ndarray,
    accuracy: Callable[[np.ndarray], float],
    workers: int,
) -> Weighed:
    """Try the row's forms in order by the embedded profile's own gate, over (n, side, side, 3) `images`.

    `accuracy` of (n, dim) vectors of those images stands for success@1: a form may lose as little of it.
    """
    thresholds, decisions = Int8Gate(), []
    float_vectors = embed(PixelModel(float_content, row.output), images, workers)
    with tempfile.TemporaryDirectory() as folder:
        float_path = Path(folder, "float.onnx")
        float_path.write_bytes(float_content)
        for form in quantization.forms(row, try_four_bit=False):
            if form == quantization.FP32:
                break
            try:
                feeds = ({"image": image} for image in calibration[:CALIBRATION_PHOTOS])
                content = quantization.make_form(form, float_path, feeds)
                vectors = embed(PixelModel(content, row.output), images, workers)
            except ModelError as error:
                decisions.append(gate.refuse(form, str(error)))
                continue
            lost = accuracy(float_vectors) - accuracy(vectors)
            measured = gate.compare_encoders(float_vectors, vectors, np.arange(len(vectors)), lost)
            decision = gate.decide(form, measured, thresholds, size_bytes=len(content), latency_ratio=1.0)
            decisions.append(replace(decision, latency_ratio=None))
            if decision.passed:
                return Weighed(content, tuple(decisions))
    whole = Decision(
        form=quantization.FP32,
        passed=True,
        reasons=(),
        measured={},
        size_bytes=len(float_content),
        latency_ratio=1.0,
    )
    return Weighed(float_content, (*decisions, whole))

"""Open models, shared by the stages of a run, and photos put through them several at a time."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import dagster as dg
import numpy as np
from pydantic import PrivateAttr

from catalog.errors import ImageError, ModelError
from catalog.features.detection import Yolox
from catalog.features.inference import PixelModel
from catalog.features.product_masks import Detector, ProductFinder, PromptedSegmenter
from catalog.model_descriptions import MODELS, Architecture, Role
from catalog.profiles import Profile
from catalog.records import Reason
from catalog.torch_models import devices
from catalog.torch_models.batch_encoder import BatchEncoder
from catalog.torch_models.grounding_dino import GroundingDino
from catalog.torch_models.sam2 import Sam2, TransformersSam2
from catalog.torch_models.sam2_meta import MetaSam2
from resources.model_store import ModelStore


class Encoder(Protocol):
    """Describes crops: a network, or what needs none."""

    precision: str

    def run(self, loads: Iterable[Callable[[], tuple[np.ndarray, np.ndarray]]]) -> Iterator[np.ndarray | ImageError]:
        """One (dim,) float32 a load (which gives pixels and mask), in order, or why there is none."""
        ...


@dataclass(frozen=True)
class CropByCrop:
    """What describes one crop at a time, pixels and mask, on one thread: a thread a core."""

    describe: Callable[[np.ndarray, np.ndarray], np.ndarray]
    precision: str = "float32"

    def run(self, loads: Iterable[Callable[[], tuple[np.ndarray, np.ndarray]]]) -> Iterator[np.ndarray | ImageError]:
        """As `Encoder.run`."""
        yield from each(lambda load: self.describe(*load()), list(loads))


Input = TypeVar("Input")
Output = TypeVar("Output")


class Inference(dg.ConfigurableResource):
    """Sessions of a home's models, each opened once a run."""

    models: ModelStore
    _open: dict[Path, PixelModel] = PrivateAttr(default_factory=dict)
    _encoders: dict[str, Encoder] = PrivateAttr(default_factory=dict)
    _prompted: dict[tuple[str, str], PromptedSegmenter] = PrivateAttr(default_factory=dict)
    _detectors: dict[str, Detector] = PrivateAttr(default_factory=dict)

    def float_model(self, name: str) -> PixelModel:
        """The open float32 session of a model."""
        return self.session(self.models.float_model(name), name)

    def product_finder(self, profile: Profile) -> ProductFinder:
        """What cuts the catalogue's products out: the profile's segmenter, with its prompts where it wants them."""
        chosen = profile.segmentation
        if MODELS[chosen.catalog].role is not Role.PROMPTED_SEGMENTER:
            return ProductFinder(chosen.catalog, self.float_model(chosen.catalog))
        saliency = profile.saliency_segmenter
        return ProductFinder(
            saliency,
            self.float_model(saliency),
            self._sam2(chosen.catalog, chosen.backend, chosen.precision),
            self._detector(chosen.detector) if chosen.detector else None,
            prompt_free=chosen.prompt == "grid",
        )

    def _sam2(self, name: str, backend: str, precision: str) -> PromptedSegmenter:
        if (name, backend) not in self._prompted:
            source, row = self.models.source(name), self.models.model(name)
            network = MetaSam2(source, row) if backend == "meta" else TransformersSam2(source, row)
            self._prompted[name, backend] = Sam2(network, row, precision, threads=cores())
        return self._prompted[name, backend]

    def _detector(self, name: str) -> Detector:
        if name not in self._detectors:
            source, row = self.models.source(name), self.models.model(name)
            if row.architecture is Architecture.YOLOX:
                self._detectors[name] = Yolox(source, row)
            else:
                self._detectors[name] = GroundingDino(source, row, threads=cores())
        return self._detectors[name]

    def encoder(self, name: str, precision: str) -> Encoder:
        """The open encoder called `name`, for a whole catalogue; `precision` as a profile's encoders.precision.

        It runs in torch where that is faster and installed, else in ONNX Runtime.
        """
        if name not in self._encoders:
            self._encoders[name] = self._open_encoder(name, precision)
        return self._encoders[name]

    def _open_encoder(self, name: str, precision: str) -> Encoder:
        row = self.models.model(name)
        if row.architecture is not Architecture.ONNX and (devices.has_torch() or precision == "bfloat16"):
            chosen = devices.chosen_precision(precision)
            if chosen == "bfloat16" or devices.best_device().type == "cuda":
                return BatchEncoder(self.models.source(name), row, chosen, threads=cores())
        return CropByCrop(self.float_model(name).run)

    def session(self, path: Path, name: str) -> PixelModel:
        """The open session of a file that holds the model called `name`."""
        if path not in self._open:
            self._open[path] = PixelModel(path, MODELS[name].output)
        return self._open[path]


def each(
    compute: Callable[[Input], Output], inputs: Sequence[Input], workers: int | None = None
) -> list[Output | ImageError]:
    """`compute` of every input, in their order, a thread a core; an ImageError is a result, any other error is raised.

    A model that gives nothing finite on a photo fails that photo (`model_failed`), not the stage.
    """

    def guarded(value: Input) -> Output | ImageError:
        try:
            return compute(value)
        except ImageError as error:
            return error
        except ModelError as error:
            return ImageError(Reason.MODEL_FAILED, str(error))

    with ThreadPoolExecutor(workers or cores()) as pool:
        return list(pool.map(guarded, inputs))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

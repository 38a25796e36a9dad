"""Open models, shared by the stages of a run, and photos put through them several at a time."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import dagster as dg
from pydantic import PrivateAttr

from catalog.errors import ImageError, ModelError
from catalog.features.inference import PixelModel
from catalog.model_descriptions import MODELS
from catalog.records import Reason
from resources.model_store import ModelStore

Input = TypeVar("Input")
Output = TypeVar("Output")


class Inference(dg.ConfigurableResource):
    """Sessions of a home's models, each opened once a run."""

    models: ModelStore
    _open: dict[Path, PixelModel] = PrivateAttr(default_factory=dict)

    def float_model(self, name: str) -> PixelModel:
        """The open float32 session of a model."""
        return self.session(self.models.float_model(name), name)

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

"""An encoder in torch, over many crops: on a GPU in batches while threads prepare the next, on a CPU a photo a core.

On two cores one photo a core is fastest: nothing waits for the other core between two layers. (SigLIP in bfloat16,
seconds a photo in one run: 0.054 so, 0.064 in batches of 8 a core, 0.086 in batches of 8 over both.)
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from catalog.checkpoints import open_network
from catalog.errors import ImageError, ModelError
from catalog.model_descriptions import ModelDescription
from catalog.records import Reason
from catalog.torch_models import devices
from catalog.vision.preparing import prepare_image, prepare_mask

Item = tuple[np.ndarray, np.ndarray | None]  # (height, width, 3) uint8, and its (height, width) bool mask
Load = Callable[[], Item]  # reads one crop, when its turn comes; an ImageError that it raises is its result
Prepared = tuple[np.ndarray, np.ndarray | None]
Output = TypeVar("Output")

MOST_AT_ONCE = 128  # on a GPU
BYTES_A_PHOTO = 64 * 2**20  # a ViT-B's activations at 224 px, with room to spare
PREPARED_AHEAD = 2  # batches


class BatchEncoder:
    """One encoder's network, open on the best device there is."""

    def __init__(self, folder: Path, model: ModelDescription, precision: str, *, threads: int) -> None:
        """Open the verified checkpoint in `folder`; `precision` is "float32", "bfloat16" or "auto".

        Raises: ModelError when the checkpoint is not one that the row describes, or torch isn't installed.
        """
        network = open_network(folder, model)
        import torch

        self._model, self._threads = model, threads
        self._device = devices.best_device()
        self.precision = devices.chosen_precision(precision)
        self._dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[self.precision]
        self._network = network.to(self._device, self._dtype)
        self._on_gpu = self._device.type == "cuda"
        self._batch = devices.batch_size(self._device, BYTES_A_PHOTO, MOST_AT_ONCE if self._on_gpu else threads)

    def run(self, loads: Iterable[Load]) -> Iterator[np.ndarray | ImageError]:
        """One result a load, in order: (dim,) float32 of length 1, or why there is none.

        Nothing is decoded more than a few batches before its turn, so memory does not grow with the catalogue.
        """
        return self._in_batches(loads) if self._on_gpu else self._photo_by_photo(loads)

    def _photo_by_photo(self, loads: Iterable[Load]) -> Iterator[np.ndarray | ImageError]:
        """As many photos at once as memory is free for, at most one a core; each on one thread."""
        import torch

        def whole(load: Load) -> np.ndarray | ImageError:
            prepared = self._prepare(load)
            return prepared if isinstance(prepared, ImageError) else next(self._describe([prepared]))

        before = torch.get_num_threads()
        torch.set_num_threads(1)  # of threads that are started from here on
        try:
            with ThreadPoolExecutor(self._batch, initializer=torch.set_num_threads, initargs=(1,)) as pool:
                yield from _in_order(pool, whole, loads, PREPARED_AHEAD * self._batch)
        finally:
            torch.set_num_threads(before)

    def _in_batches(self, loads: Iterable[Load]) -> Iterator[np.ndarray | ImageError]:
        with ThreadPoolExecutor(self._threads) as pool:
            prepared = _in_order(pool, self._prepare, loads, PREPARED_AHEAD * self._batch)
            while batch := list(islice(prepared, self._batch)):
                described = self._describe([entry for entry in batch if not isinstance(entry, ImageError)])
                for entry in batch:
                    yield entry if isinstance(entry, ImageError) else next(described)

    def _prepare(self, load: Load) -> Prepared | ImageError:
        try:
            image, mask = load()
        except ImageError as error:
            return error
        if not self._model.takes_mask:
            return prepare_image(image, self._model), None
        if mask is None:
            raise ModelError(f"{self._model.name}: takes a mask beside the photo, none was given")
        return prepare_image(image, self._model), prepare_mask(mask, self._model)

    def _describe(self, batch: list[Prepared]) -> Iterator[np.ndarray | ImageError]:
        """Run one batch; half of it at a time where the device's memory is too small for it."""
        import torch

        if not batch:
            return
        inputs = [np.stack([image for image, _ in batch])]
        if self._model.takes_mask:
            inputs.append(np.stack([mask for _, mask in batch if mask is not None]))
        try:
            with torch.inference_mode():
                features = self._network(*(torch.from_numpy(each).to(self._device, self._dtype) for each in inputs))
                vectors = torch.nn.functional.normalize(features.float(), dim=-1, eps=1e-12).cpu().numpy()
        except torch.cuda.OutOfMemoryError:
            if len(batch) == 1:
                raise
            torch.cuda.empty_cache()
            self._batch = max(1, len(batch) // 2)
            yield from self._describe(batch[: self._batch])
            yield from self._describe(batch[self._batch :])
            return
        for vector in vectors:
            if not np.isfinite(vector).all() or not vector.any():
                yield ImageError(Reason.MODEL_FAILED, f"{self._model.name}: not finite or all zeros on this photo")
            else:
                yield vector


def _in_order(
    pool: ThreadPoolExecutor, work: Callable[[Load], Output], loads: Iterable[Load], ahead: int
) -> Iterator[Output]:
    """The results of `work`, in order, with at most `ahead` of them begun before their turn."""
    waiting = iter(loads)
    begun: deque[Future[Output]] = deque(pool.submit(work, load) for load in islice(waiting, ahead))
    while begun:
        result = begun.popleft().result()
        begun.extend(pool.submit(work, load) for load in islice(waiting, 1))
        yield result

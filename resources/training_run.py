"""One training of a compact model: what it learns from, how long, and the folders that it alone knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from catalog.errors import LookbookError
from catalog.formats import trained_models
from resources.home import Home

SEGMENTER, TEACHER = "lookbook-segmenter", "lookbook-semantic"
MOST_EPOCHS, MINUTES = 400, 34.0  # of a training that no epochs were named for


class TrainingRun(dg.ConfigurableResource):
    """What `lookbook train` was asked for; in the launchpad, what is filled in there."""

    home: str
    dataset: str = ""  # folder of train/, validation/ and test/ class folders
    name: str = "compact"  # of the model
    minutes: float = MINUTES  # of training, beside cutting out and scoring; 0: as many epochs as `epochs` says
    epochs: int = MOST_EPOCHS
    seed: int = 0
    cut_out: bool = True  # with the embedded segmenter; else whole photos
    teacher: str = TEACHER  # a semantic encoder whose embedding is learnt too; "" for none
    resume: bool = False

    @property
    def dataset_folder(self) -> Path:
        """Raises: LookbookError where none was named."""
        if not self.dataset:
            raise LookbookError("no dataset was named: `lookbook train DATASET_DIR`, or `dataset` in the launchpad")
        return Path(self.dataset).expanduser().absolute()

    @property
    def folder(self) -> Path:
        """What this training goes on from: samples, checkpoints, what was read."""
        trained_models.check_name(self.name)
        return Home(Path(self.home)).training / self.name

    @property
    def model_folder(self) -> Path:
        """Where the model and its card come to lie."""
        trained_models.check_name(self.name)
        return Home(Path(self.home)).trained / self.name

    def file(self, name: str) -> Path:
        """A file of this training."""
        return self.folder / name

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["TrainingRun"]:
        """Hold the training's folder. Raises: LookbookError when another process trains this model."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / "train.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            told = f"{self.folder}: {self.name!r} is being trained already: wait for it, or end it"
            raise LookbookError(told) from error
        try:
            yield self
        finally:
            lock.release()

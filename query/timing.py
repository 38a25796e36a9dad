"""How long searches take, stage by stage, over an open engine."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.errors import ImageError, LookbookError
from query.engine import Engine
from query.photos import find_photos


@dataclass(frozen=True)
class Spread:
    """Of one stage's milliseconds over all searches."""

    median: float
    p95: float


@dataclass(frozen=True)
class QueryTimes:
    """What searches took; stages that run side by side overlap, so they sum to more than the whole."""

    photos: int
    rounds: int
    items: int
    stages: Mapping[str, Spread]  # in order; of the searches that had the stage
    whole: Spread  # from the photo's bytes to the answer
    first_ms: float  # of the very first search after the models were opened


def query_photos(engine: Engine, folder: Path | None) -> list[bytes]:
    """The bytes of a folder's photos, or of the bundle's golden ones where none is named.

    Raises: LookbookError when there are none, or one can't be searched with.
    """
    manifest = engine.bundle.manifest
    if folder is None:
        found = [manifest.path(entry["photo"]) for entry in manifest["golden"]]
        where, mend = f"{manifest.folder}: has no golden photo", "name a folder of photos with --photos"
    else:
        found = [photo.path for photo in find_photos([folder])[0]]
        where, mend = f"{folder}: holds no picture", "name a folder that does"
    if not found:
        raise LookbookError(f"{where}; {mend}")
    try:
        return [path.read_bytes() for path in found]
    except OSError as error:
        raise LookbookError(f"{error.filename}: can't be read ({error.strerror})") from error


def time_queries(engine: Engine, photos: Sequence[bytes], rounds: int) -> QueryTimes:
    """Search with every photo `rounds` times, after each was searched with once.

    Raises: LookbookError that tells the place of a photo that can't be searched with.
    """
    started = time.perf_counter()
    for place, photo in enumerate(photos):
        try:
            engine.search(photo)
        except ImageError as error:
            raise LookbookError(f"photo {place + 1} of {len(photos)} can't be searched with: {error}") from error
        if place == 0:
            first_ms = 1000 * (time.perf_counter() - started)
    runs = [engine.search(photo) for _ in range(rounds) for photo in photos]
    stages: dict[str, list[float]] = {}
    for run in runs:
        for stage, taken in run.milliseconds.items():
            stages.setdefault(stage, []).append(taken)
    return QueryTimes(
        photos=len(photos),
        rounds=rounds,
        items=len(engine.bundle.items),
        stages={stage: _spread(values) for stage, values in stages.items()},
        whole=_spread([run.elapsed_ms for run in runs]),
        first_ms=first_ms,
    )


def _spread(values: Sequence[float]) -> Spread:
    return Spread(float(np.median(values)), float(np.quantile(values, 0.95)))

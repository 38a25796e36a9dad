"""What the bundle's models make of each query photo, remembered: models run only where photo or models are new.

The engine that ships describes them, one after the other on all cores, so that the times kept are those of a search.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from assets import reporting
from assets.query_photos import Query, read_photo
from catalog.errors import ImageError
from catalog.features import row_memo
from catalog.formats import digests, tables
from catalog.formats.manifest import Manifest
from catalog.vision import color, crops, decoding, masks, photo_hashes, plain_ground
from catalog.vision.masks import intersection_over_union
from query import engine as query_engine
from query.engine import Engine
from query.results import Described, QueryFeatures
from resources.data_lake import DataLake
from resources.progress import Progress

STAGE = "benchmark_queries"
MODULES = (query_engine, decoding, masks, plain_ground, crops, color, photo_hashes)  # that shape what is remembered


@dataclass(frozen=True)
class DescribedQuery:
    """A query photo as the models see it."""

    features: QueryFeatures
    mask_iou: float | None  # with the exact mask, where there is one
    mask_problem: str  # why the exact mask can't be read, or ""
    milliseconds: Mapping[str, float]  # by stage, when it was described
    photo_hash: int  # see catalog.vision.photo_hashes; `photo_cells`, (192,) uint8, likewise
    photo_cells: np.ndarray
    _photo_png: bytes
    _crop_png: bytes

    @property
    def pictures(self) -> list[np.ndarray]:
        """The photo and its cut-out, small."""
        return [np.asarray(Image.open(io.BytesIO(png)).convert("RGB")) for png in (self._photo_png, self._crop_png)]


def describe(
    engine: Engine, queries: Sequence[Query], data_lake: DataLake, progress: Progress
) -> list[DescribedQuery | ImageError]:
    """Each query, in order, or why it can't be put."""
    version = _version(engine.bundle.manifest)
    of_item = {query.item: query for query in queries}
    refresh = row_memo.refresh(
        data_lake.table(STAGE),
        tables.DESCRIBED_QUERIES,
        STAGE,
        [row_memo.Wanted(_source(query), row_memo.row_key(version, query.content, _mask_digest(query)))
         for query in of_item.values()],
        lambda batch: [_described(engine, of_item[tables.item_of(source)]) for source in batch],
        progress=progress.bar("benchmark", "photo"),
    )  # fmt: skip
    found: dict[row_memo.Item, DescribedQuery | ImageError] = dict(refresh.errors)
    found |= {tables.item_of(row): _read(row) for row in refresh.rows}
    return [found[query.item] for query in queries]


def _version(described: Manifest) -> str:
    """What shapes a bundle's view of a query photo: its models, the numbers that go with them, and the engine."""
    models = described["models"]
    used = [described["query"]["segmenter"], described["texture_space"]["model"]]
    used += sorted(space["model"] for space in described["spaces"].values())
    files = [described["files"][models[name]["file"]]["sha256"] for name in used]
    return digests.of_values(files, described["query"], digests.of_code(*MODULES))


def _source(query: Query) -> Mapping[str, Any]:
    return dict(zip(tables.ITEM_COLUMNS, query.item, strict=True))


def _mask_digest(query: Query) -> str:
    return digests.of_file(query.mask) if query.mask and query.mask.exists() else ""


def _described(engine: Engine, query: Query) -> row_memo.Row | ImageError:
    """The row of one query, embedded in every space of the bundle: a query may be routed anywhere."""
    try:
        engine.warm_up()
        found, milliseconds = engine.describe(read_photo(query.photo) if isinstance(query.photo, Path) else query.photo)
    except ImageError as error:
        return error
    mask_iou, mask_problem = _mask_iou(found, query.mask) if query.mask else (None, "")
    spaces = sorted(engine.bundle.manifest["spaces"])
    return {
        "spaces": spaces,
        "embeddings": np.concatenate([engine.embedding(found, space) for space in spaces]),
        "texture": found.texture,
        "color": found.color,
        "mask_iou": mask_iou,
        "mask_problem": mask_problem,
        "stages": list(milliseconds),
        "milliseconds": list(milliseconds.values()),
        "photo_png": _small_png(found.photo_hwc),
        "crop_png": _small_png(found.crop.image_hwc),
        "photo_hash": photo_hashes.photo_hash(found.photo_hwc),
        "photo_cells": photo_hashes.photo_cells(found.photo_hwc),
    }


def _read(row: Mapping[str, Any]) -> DescribedQuery:
    embeddings = np.split(np.array(row["embeddings"], np.float32), len(row["spaces"]))
    return DescribedQuery(
        QueryFeatures(
            texture=np.array(row["texture"], np.float32),
            color=np.array(row["color"], np.float32),
            embeddings=dict(zip(row["spaces"], embeddings, strict=True)),
        ),
        row["mask_iou"],
        row["mask_problem"],
        dict(zip(row["stages"], row["milliseconds"], strict=True)),
        row["photo_hash"],
        np.array(row["photo_cells"], np.uint8),
        row["photo_png"],
        row["crop_png"],
    )


def _mask_iou(described: Described, mask: Path) -> tuple[float | None, str]:
    """The found mask's IoU with the exact one, or why there is none."""
    found = described.mask.binary_mask
    try:
        with Image.open(mask) as exact:
            size = (found.shape[1], found.shape[0])
            wanted = np.asarray(exact.convert("L").resize(size, Image.Resampling.BILINEAR)) >= 128
    except OSError as error:  # Pillow's UnidentifiedImageError is one
        return None, f"its mask {mask.name} is no picture that can be read ({type(error).__name__})"
    return intersection_over_union(found, wanted), ""


def _small_png(image_hwc: np.ndarray) -> bytes:
    picture, encoded = Image.fromarray(image_hwc), io.BytesIO()
    picture.thumbnail((reporting.TILE_PX, reporting.TILE_PX), Image.Resampling.BICUBIC)
    picture.save(encoded, "PNG")
    return encoded.getvalue()

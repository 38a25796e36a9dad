"""The index's three .bin files as existing readers of such bundles know them; a list of items beside each."""

import json
import time
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting
from catalog.errors import FormatError, LookbookError
from catalog.formats import atomic, digests, matrices, noted_files, tables
from catalog.model_descriptions import MODELS
from catalog.vision.color import COLOR_SIGNATURE_DIM
from resources.data_lake import DataLake
from resources.profile import ActiveProfile

EMBEDDINGS_BIN, TEXTURE_BIN, COLORS_BIN = "embeddings.bin", "texture.bin", "color_signatures.bin"


@dg.asset(deps=["semantic_embeddings"], group_name="index", kinds={"numpy"}, owners=["team:search"])
def embeddings_bin(data_lake: DataLake, active_profile: ActiveProfile) -> dg.MaterializeResult:
    """embeddings.bin: headerless little-endian float32, a row an item, each row in its category's encoder's space."""
    dim = MODELS[active_profile.read().encoders.semantic].embedding_dim
    return _write_bin(data_lake, "semantic_embeddings", EMBEDDINGS_BIN, dim)


@dg.asset(deps=["texture_features"], group_name="index", kinds={"numpy"}, owners=["team:search"])
def texture_bin(data_lake: DataLake, active_profile: ActiveProfile) -> dg.MaterializeResult:
    """texture.bin: headerless little-endian float32, a row an item."""
    dim = MODELS[active_profile.read().encoders.texture].embedding_dim
    return _write_bin(data_lake, "texture_features", TEXTURE_BIN, dim)


@dg.asset(deps=["color_signatures"], group_name="index", kinds={"numpy"}, owners=["team:search"])
def color_signatures_bin(data_lake: DataLake) -> dg.MaterializeResult:
    """color_signatures.bin: headerless little-endian float32, 26 floats an item."""
    return _write_bin(data_lake, "color_signatures", COLORS_BIN, COLOR_SIGNATURE_DIM)


def read_bin(data_lake: DataLake, name: str, dim: int) -> tuple[list[dict[str, Any]], np.ndarray]:
    """The items of a .bin file and its rows, (items, dim) float32, in one order; every byte as it was written.

    Raises: LookbookError, it is not there; FormatError, it or its items are not what was written.
    """
    path, listed, asset = data_lake.bin(name), data_lake.bin_items(name), name.replace(".", "_")
    if not listed.exists():
        raise LookbookError(f"{listed}: not there yet; materialize {asset} first: `lookbook build`")
    mend = f"`lookbook build` makes it again, or `lookbook build --select {asset}` it alone"
    noted_files.check(path, listed, mend=mend)
    try:
        items: list[dict[str, Any]] = json.loads(listed.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError(f"{listed}: no JSON ({error}); {mend}") from error
    return items, matrices.read(path, dim, len(items))


def _write_bin(data_lake: DataLake, stage: str, name: str, dim: int) -> dg.MaterializeResult:
    started = time.perf_counter()
    table = tables.read_table(data_lake.table(stage), tables.vectors(dim))
    matrix = tables.matrix(table)
    items = table.select([*tables.ITEM_COLUMNS, "space"]).to_pylist()
    path = data_lake.bin(name)
    matrices.write(path, matrix)
    listed = json.dumps(items, ensure_ascii=False) + "\n"
    atomic.write_text(data_lake.bin_items(name), listed)
    noted_files.note(path, data_lake.bin_items(name))
    lengths = np.linalg.norm(matrix, axis=1)
    category_of = reporting.categories(data_lake)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digests.of_values(digests.of_array(matrix), digests.of_bytes(listed.encode()))),
        metadata={
            "rows": len(matrix),
            "dim": dim,
            "by_category": reporting.by_category(
                items, lambda item: category_of.get(tables.item_of(item), reporting.GONE)
            ),
            "shortest_row": round(float(lengths.min()), 6),
            "longest_row": round(float(lengths.max()), 6),
            "file": dg.MetadataValue.path(str(path)),
            "sha256": digests.of_file(path),
            "seconds": round(time.perf_counter() - started, 2),
            **reporting.size(path),
        },
    )

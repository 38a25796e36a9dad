"""The .bin files: headerless little-endian float32, row-major; row i is item i of catalog.json.

What the bytes cannot say (rows, columns, which encoder) stands in manifest.json. This layout is what existing
readers of such bundles use; it stays. A bundle may keep its vectors in float16 instead, half the size: its manifest
says so by a version of its own.
"""

from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import FormatError
from catalog.formats import atomic

FLOAT32, FLOAT16 = "float32", "float16"
DTYPES: dict[str, np.dtype[Any]] = {FLOAT32: np.dtype("<f4"), FLOAT16: np.dtype("<f2")}


def write(path: Path, matrix: np.ndarray, kept_as: str = FLOAT32) -> None:
    """Write a (rows, columns) float32 matrix, whole or not at all; `kept_as` names what its numbers are rounded to.

    Raises: FormatError for another shape or dtype, or a value that is not finite, or not when it is rounded.
    """
    if matrix.ndim != 2 or matrix.dtype != np.float32:
        raise FormatError(f"{path}: got {matrix.dtype} of shape {matrix.shape}, wanted float32 of (rows, columns)")
    rounded = matrix.astype(DTYPES[kept_as], copy=False)
    if not np.isfinite(rounded).all():
        row = int(np.flatnonzero(~np.isfinite(rounded).all(axis=1))[0])
        raise FormatError(f"{path}: row {row} holds a value that is not finite; its model failed on that photo")
    atomic.write_bytes(path, rounded.tobytes())


def read(path: Path, columns: int, rows: int | None = None, kept_as: str = FLOAT32) -> np.ndarray:
    """Read a matrix of `columns` columns (and `rows` rows, where known) as read-only float32.

    One that is `kept_as` float32 is mapped, another is in memory.
    Raises: FormatError, a file that is missing or whose size is not that of whole rows.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FormatError(f"{path}: can't be read ({error.strerror}); materialize the asset that makes it") from error
    row_bytes = columns * DTYPES[kept_as].itemsize
    wanted = size // row_bytes if rows is None else rows
    if size != wanted * row_bytes:
        raise FormatError(
            f"{path}: {size} bytes, but {wanted} x {columns} {kept_as} = {wanted * row_bytes}; "
            "it was cut short or exchanged: materialize the asset that makes it again"
        )
    if wanted == 0:
        return np.zeros((0, columns), np.float32)
    kept = np.memmap(path, DTYPES[kept_as], mode="r", shape=(wanted, columns))
    return kept if kept_as == FLOAT32 else as_read(kept)


def as_read(rounded: np.ndarray) -> np.ndarray:
    """The read-only float32 values of rounded ones: no cosine is computed in less."""
    values: np.ndarray = rounded.astype(DTYPES[FLOAT32])
    values.flags.writeable = False
    return values

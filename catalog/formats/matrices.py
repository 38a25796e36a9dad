"""The three .bin files: headerless little-endian float32, row-major; row i is item i of catalog.json.

What the bytes cannot say (rows, columns, which encoder) stands in manifest.json. This layout is what existing
readers of such bundles use; it stays.
"""

from pathlib import Path

import numpy as np

from catalog.errors import FormatError
from catalog.formats import atomic

DTYPE = np.dtype("<f4")


def write(path: Path, matrix: np.ndarray) -> None:
    """Write a (rows, columns) float32 matrix, whole or not at all.

    Raises: FormatError for another shape or dtype, or a value that is not finite.
    """
    if matrix.ndim != 2 or matrix.dtype != np.float32:
        raise FormatError(f"{path}: got {matrix.dtype} of shape {matrix.shape}, wanted float32 of (rows, columns)")
    if not np.isfinite(matrix).all():
        row = int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])
        raise FormatError(f"{path}: row {row} holds a value that is not finite; its model failed on that photo")
    atomic.write_bytes(path, matrix.astype(DTYPE, copy=False).tobytes())


def read(path: Path, columns: int, rows: int | None = None) -> np.ndarray:
    """Read a matrix of `columns` columns (and `rows` rows, where known) as read-only float32.

    Raises: FormatError, a file that is missing or whose size is not that of whole rows.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FormatError(f"{path}: can't be read ({error.strerror}); materialize the asset that makes it") from error
    row_bytes = columns * DTYPE.itemsize
    wanted = size // row_bytes if rows is None else rows
    if size != wanted * row_bytes:
        raise FormatError(
            f"{path}: {size} bytes, but {wanted} x {columns} float32 = {wanted * row_bytes}; "
            "it was cut short or exchanged: materialize the asset that makes it again"
        )
    if wanted == 0:
        return np.zeros((0, columns), np.float32)
    return np.memmap(path, DTYPE, mode="r", shape=(wanted, columns))

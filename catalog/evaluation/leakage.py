"""Is a query's photo in the gallery that it searches? Then finding it again tells nothing of the search."""

from dataclasses import dataclass

import numpy as np

from catalog.features.duplicates import MOST_BITS, MOST_LEVELS


@dataclass(frozen=True)
class Hashes:
    """What the gallery's photos look like, a row an item; see `catalog.vision.photo_hashes`."""

    hashes: np.ndarray  # (n,) uint64
    cells: np.ndarray  # (n, 192) uint8

    def like(self, photo_hash: int, cells: np.ndarray) -> np.ndarray:
        """The rows, in order, whose photo is this one: the same pixels, or as after another resize or compression.

        The limits are those by which a catalogue's own duplicates are told: docs/drift.md has how they were measured.
        """
        close = np.flatnonzero(np.bitwise_count(self.hashes ^ np.uint64(photo_hash)) <= MOST_BITS)
        apart = np.abs(self.cells[close].astype(np.int16) - cells.astype(np.int16)).max(axis=1, initial=0)
        return np.asarray(close[apart <= MOST_LEVELS])

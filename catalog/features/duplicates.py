"""Which photos of a catalogue are one photo: the very same pixels, or nearly, as after resizing or compressing."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Measured on real and drawn photos: see docs/drift.md. Compressing and resizing moves no cell by more than 12 levels of
# 255; the same photo with the product in another colour moves one by 15 or more.
MOST_BITS = 6  # of 64 that two hashes may differ in
MOST_LEVELS = 12  # of 255 that any cell's colour may differ by
MOST_CANDIDATES = 2_000_000  # pairs of alike hashes that are looked at; thousands of one placeholder make more

Pairs = np.ndarray  # (count, 2) int64: two rows each, the lower first, in order
EXACT, NEAR = "exact", "near"


@dataclass(frozen=True)
class Pair:
    """Two items that have one photo."""

    left: int  # row of the item
    right: int
    kind: str  # EXACT or NEAR
    bits: int  # that the hashes differ in
    levels: int  # that the colour of a cell differs by, at most


@dataclass(frozen=True)
class Duplicates:
    """All that a catalogue repeats."""

    pairs: list[Pair]
    complete: bool  # False where there were more alike hashes than are looked at


def find(products: Sequence[str], photos: Sequence[str], hashes: np.ndarray, cells: np.ndarray) -> Duplicates:
    """Find the items with one photo.

    Args: of each item its product and its photo (two items with one name have the same pixels), its hash, (n,) uint64,
        and its cells, (n, 192) uint8.
    Returns: each further item of a photo paired with the first one, then nearly equal photos, the nearest first; of
        two such photos one item each, of different products where there are any.
    """
    items_of: dict[str, list[int]] = {}
    for row, photo in enumerate(photos):
        items_of.setdefault(photo, []).append(row)
    groups = list(items_of.values())
    pairs = [Pair(group[0], other, EXACT, 0, 0) for group in groups for other in group[1:]]
    first = np.array([group[0] for group in groups], np.int64)
    alike, complete = alike_hashes(hashes[first], MOST_BITS)
    levels = _levels_apart(cells[first], alike)
    bits = np.bitwise_count(hashes[first][alike[:, 0]] ^ hashes[first][alike[:, 1]])
    near = np.flatnonzero(levels <= MOST_LEVELS)
    for place in near[np.lexsort((bits[near], levels[near]))]:
        left, right = (groups[int(row)] for row in alike[place])
        pairs.append(Pair(*_told_by(left, right, products), NEAR, int(bits[place]), int(levels[place])))
    return Duplicates(pairs, complete)


def alike_hashes(hashes: np.ndarray, most_bits: int, most: int = MOST_CANDIDATES) -> tuple[Pairs, bool]:
    """All pairs of (n,) uint64 hashes that differ in at most `most_bits`; False where there were over `most` of them.

    Of 64 bits in `most_bits` + 1 bands, one band at least is equal in two such hashes: only hashes with an equal band
    are compared, sorted by it. 20,000 hashes take some hundredths of a second.
    """
    found = [np.zeros((0, 2), np.int64)]
    count = 0
    edges = np.linspace(0, 64, most_bits + 2).astype(int).tolist()
    for low, high in itertools.pairwise(edges):
        band = (hashes >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(band, kind="stable")
        band, ordered = band[order], hashes[order]
        places, step = np.arange(len(hashes)), 0
        while len(places):
            step += 1
            places = places[places + step < len(hashes)]
            places = places[band[places] == band[places + step]]
            near = places[np.bitwise_count(ordered[places] ^ ordered[places + step]) <= most_bits]
            found.append(np.sort(np.stack([order[near], order[near + step]], axis=1), axis=1))
            count += len(near)
            if count > most * len(edges):  # a pair may be found by every band
                return _unique(found), False
    return _unique(found), True


def _unique(found: list[Pairs]) -> Pairs:
    return np.unique(np.concatenate(found), axis=0)


def _levels_apart(cells: np.ndarray, pairs: Pairs, block: int = 65_536) -> np.ndarray:
    """By how much the most different cell of each pair differs, in levels of 255; (pairs,) int16."""
    apart = np.zeros(len(pairs), np.int16)
    for start in range(0, len(pairs), block):
        left, right = (cells[pairs[start : start + block, side]].astype(np.int16) for side in (0, 1))
        apart[start : start + block] = np.abs(left - right).max(axis=1)
    return apart


def _told_by(left: Sequence[int], right: Sequence[int], products: Sequence[str]) -> tuple[int, int]:
    """One item of each photo, of different products where there are any."""
    other = next((row for row in right if products[row] != products[left[0]]), right[0])
    return next((row for row in left if products[row] != products[other]), left[0]), other

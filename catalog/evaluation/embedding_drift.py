"""Have a catalogue's embeddings gone elsewhere? Its products may have changed, or the model under them. Arrays only."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SAMPLED_PRODUCTS = 400  # of each side, one photo each: photos of one product are no independent draws
FEWEST_PRODUCTS = 20  # to tell anything of
PERMUTATIONS = 999  # the largest distance among as many is reached by chance one time in a thousand
LEAST_COSINE = 0.999  # between two vectors of one photo by one model; a quantised model or other hardware stays above


@dataclass(frozen=True)
class Drift:
    """How far two samples of one space are apart."""

    sampled_before: int
    sampled_now: int
    energy: float  # squared energy distance between the samples; 0 where they are equal
    by_chance: float  # what chance reaches one time in a thousand were both of one population
    centroid_cosine: float  # between the two means

    @property
    def ratio(self) -> float:
        """Of the energy to what chance reaches."""
        return self.energy / self.by_chance if self.by_chance > 0 else 0.0


def stable_sample(products: Sequence[str], most: int = SAMPLED_PRODUCTS) -> np.ndarray:
    """Rows of at most `most` products, the first row of each: of a changed catalogue mostly the same products again.

    Products are taken in the order of a checksum of their id, so that what changed little is sampled alike, and a
    night's usual changes move the sample as little as the catalogue.
    """
    first: dict[str, int] = {}
    for row, product in enumerate(products):
        first.setdefault(product, row)
    chosen = sorted(first, key=lambda product: (zlib.crc32(product.encode()), product))[:most]
    return np.array([first[product] for product in chosen], np.int64)


def drift(before: np.ndarray, now: np.ndarray, rng: np.random.Generator) -> Drift | None:
    """Compare two samples of vectors, (n, dim) and (m, dim) float32 of one space; None where one is too small.

    The energy distance is 0 in expectation only where both are of one distribution, however they differ: in mean, in
    spread or in parts. What chance makes of it is told by dealing all the vectors out anew. A tenth of a second.
    Source: Szekely and Rizzo, "Energy statistics", 2013.
    """
    if min(len(before), len(now)) < FEWEST_PRODUCTS:
        return None
    pooled = np.concatenate([before, now]).astype(np.float64)
    squares = np.einsum("ij,ij->i", pooled, pooled)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * pooled @ pooled.T, 0))
    np.fill_diagonal(distances, 0)
    weights = np.concatenate([np.full(len(before), 1 / len(before)), np.full(len(now), -1 / len(now))])
    dealt = rng.permuted(np.tile(weights, (PERMUTATIONS, 1)), axis=1)
    means = before.mean(axis=0, dtype=np.float64), now.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(means[0]) * np.linalg.norm(means[1]))
    return Drift(
        sampled_before=len(before),
        sampled_now=len(now),
        energy=max(0.0, float(-weights @ distances @ weights)),
        by_chance=float((-(dealt @ distances) * dealt).sum(axis=1).max()),
        centroid_cosine=float(means[0] @ means[1]) / length if length else 0.0,
    )


def moved(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Which of the pairs of vectors of one photo, (n, dim) unit rows each, are not one vector any more: (n,) bool."""
    return np.asarray(np.einsum("ij,ij->i", before, now) < LEAST_COSINE)

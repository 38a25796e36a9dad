"""Whether embeddings went elsewhere: held to SciPy's energy distance, and to what must and must not alarm."""

import numpy as np
import pytest
import scipy.stats

from catalog.evaluation.embedding_drift import FEWEST_PRODUCTS, SAMPLED_PRODUCTS, drift, moved, stable_sample


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def cloud(seed: int, count: int = 300, dim: int = 32, mean: float = 0.0) -> np.ndarray:
    """Unit vectors about a common direction."""
    rows = np.random.default_rng(seed).normal(size=(count, dim)) + 0.5
    rows[:, 0] += mean
    return unit(rows)


def test_the_energy_is_scipys() -> None:
    """SciPy has it in one dimension only, as the root of ours."""
    rng = np.random.default_rng(2)
    left, right = rng.normal(size=40).astype(np.float32), rng.normal(0.7, 2, size=55).astype(np.float32)
    found = drift(left[:, None], right[:, None], rng)
    assert found is not None
    assert found.energy == pytest.approx(scipy.stats.energy_distance(left, right) ** 2, rel=1e-5)


def test_the_energy_of_two_points_by_hand() -> None:
    """20 vectors in one place, 20 in another at a distance of 5: 2 * 5 - 0 - 0."""
    left, right = np.zeros((20, 2), np.float32), np.tile(np.array([3, 4], np.float32), (20, 1))
    found = drift(left, right, np.random.default_rng(0))
    assert found is not None
    assert found.energy == pytest.approx(10)
    assert found.ratio > 3


def test_the_same_has_not_drifted() -> None:
    """Nor has a sample of the same kind, of another size; a mean or a spread elsewhere has."""
    rng = np.random.default_rng(0)
    same = drift(cloud(1), cloud(1), rng)
    other = drift(cloud(1), cloud(2, 200), rng)
    shifted = drift(cloud(1), cloud(2, mean=1.5), rng)
    wider = drift(cloud(1), unit(cloud(2) + np.random.default_rng(3).normal(0, 0.2, (300, 32))), rng)
    assert same is not None
    assert other is not None
    assert shifted is not None
    assert wider is not None
    assert same.ratio == pytest.approx(0, abs=1e-6)
    assert same.centroid_cosine == pytest.approx(1)
    assert other.ratio < 1
    assert shifted.ratio > 1.5
    assert wider.ratio > 1.5


def test_chance_alarms_one_time_in_a_thousand() -> None:
    """By permutation: of 60 pairs of samples from one population none, or one at most, is beyond."""
    alarms = 0
    for seed in range(60):
        found = drift(cloud(2 * seed, 40), cloud(2 * seed + 1, 40), np.random.default_rng(seed))
        assert found is not None
        alarms += found.ratio > 1
    assert alarms <= 1


def test_few_products_tell_nothing() -> None:
    """Of either side."""
    assert drift(cloud(1, FEWEST_PRODUCTS - 1), cloud(1), np.random.default_rng(0)) is None
    assert drift(cloud(1), cloud(1, FEWEST_PRODUCTS - 1), np.random.default_rng(0)) is None


def test_a_sample_has_a_photo_a_product_and_stays_much_the_same() -> None:
    """Of a catalogue of which a fiftieth changed, most of the same products."""
    products = [f"p{place // 2}" for place in range(4000)]
    rows = stable_sample(products)
    assert len(rows) == SAMPLED_PRODUCTS
    assert all(row % 2 == 0 for row in rows)
    later = [f"new{place}" if place < 80 else product for place, product in enumerate(products)]
    again = stable_sample(later)
    assert len({products[row] for row in rows} & {later[row] for row in again}) > 0.9 * SAMPLED_PRODUCTS
    assert stable_sample(["b", "a", "b"]).tolist() in ([0, 1], [1, 0])


def test_a_vector_that_moved_is_seen() -> None:
    """A cosine of .9990 and above is the same: rounding, or another processor."""
    east = np.tile(np.array([[1.0, 0.0]], np.float32), (3, 1))
    angles = np.arccos([1.0, 0.9995, 0.998])
    turned = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert moved(east, turned).tolist() == [False, False, True]

"""Numbers that a style draws."""

import numpy as np


def between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))

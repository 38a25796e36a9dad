"""A router that is fitted: multinomial logistic regression on the catalogue's embeddings."""

from collections.abc import Sequence

import numpy as np

from catalog.features.prototypes import CategoryPrototype

LINEAR_HEAD = "linear head"
# Half of it times the weights' squares is added to the mean loss. Of 1e-1 to 1e-5, fitted on half the products and
# asked for the other half with the embedded encoder: best on the drawn shop, in the middle on Luma.
PENALTY = 1e-3
MOST_ITERATIONS = 2000


def fit_linear_head(
    embeddings: np.ndarray, categories: Sequence[str], products: Sequence[str]
) -> list[CategoryPrototype]:
    """A line a category, sorted by category; softmax of the lines is the probability of each.

    `embeddings` is (n, dim) L2-normalised, `categories` and `products` name each row's. Every category weighs the same,
    and in it every product, however many photos there are; the weights, not the biases, are drawn to 0 by `PENALTY`.
    Deterministic: the loss is convex and the search begins at 0.
    """
    from scipy.optimize import minimize

    names, category_of = np.unique(np.array(categories), return_inverse=True)
    weights = _row_weights(category_of, products)
    x = embeddings.astype(np.float64)
    one_hot = np.eye(len(names))[category_of]
    shape = (len(names), x.shape[1] + 1)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        lines = flat.reshape(shape)
        logits = x @ lines[:, :-1].T + lines[:, -1]
        logits -= logits.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        error = weights[:, None] * (np.exp(logits - log_sums) - one_hot)
        gradient = np.concatenate([error.T @ x + PENALTY * lines[:, :-1], error.sum(axis=0)[:, None]], axis=1)
        entropy = float(-(weights * (logits - log_sums)[np.arange(len(x)), category_of]).sum())
        return entropy + 0.5 * PENALTY * float(np.square(lines[:, :-1]).sum()), gradient.ravel()

    found = minimize(
        loss,
        np.zeros(shape[0] * shape[1]),
        method="L-BFGS-B",
        jac=True,
        options={"maxiter": MOST_ITERATIONS, "gtol": 1e-8, "ftol": 1e-14},
    )
    lines = found.x.reshape(shape)
    counts = [len({products[int(row)] for row in np.flatnonzero(category_of == place)}) for place in range(len(names))]
    return [
        CategoryPrototype(str(name), counts[place], LINEAR_HEAD, lines[place, :-1].astype(np.float32), float(line[-1]))
        for place, (name, line) in enumerate(zip(names, lines, strict=True))
    ]


def _row_weights(category_of: np.ndarray, products: Sequence[str]) -> np.ndarray:
    """A weight a row: all sum to 1, categories to the same, and products to the same within theirs."""
    _, product_of = np.unique(
        np.array([f"{place}\0{name}" for place, name in zip(category_of, products, strict=True)]), return_inverse=True
    )
    weights = 1.0 / np.bincount(product_of)[product_of]
    return np.asarray(weights / np.bincount(category_of, weights)[category_of] / (category_of.max() + 1))

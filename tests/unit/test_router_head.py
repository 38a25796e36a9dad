"""The fitted router: a regression that anyone can compute again."""

import numpy as np
import pytest
from scipy.special import log_softmax

from catalog.features import router_head
from catalog.features.router_head import LINEAR_HEAD, fit_linear_head
from catalog.features.routing import Router, l2_normalize, route


def photos(rng: np.random.Generator, counts: dict[str, int]) -> tuple[np.ndarray, list[str], list[str]]:
    """Unit vectors about a direction a category, two photos a product."""
    centres = rng.normal(size=(len(counts), 12))
    rows = [centres[place] + rng.normal(size=(2 * count, 12)) for place, count in enumerate(counts.values())]
    categories = [name for name, count in counts.items() for _ in range(2 * count)]
    products = [f"{name} {place // 2}" for name, count in counts.items() for place in range(2 * count)]
    return l2_normalize(np.concatenate(rows).astype(np.float32)), categories, products


def objective(lines: np.ndarray, embeddings: np.ndarray, categories: list[str], products: list[str]) -> float:
    """The loss as the docstring says it, category by category and product by product."""
    names = sorted(set(categories))
    total = 0.0
    for category in names:
        own = sorted({product for product, name in zip(products, categories, strict=True) if name == category})
        for product in own:
            rows = [row for row in range(len(products)) if (products[row], categories[row]) == (product, category)]
            for row in rows:
                logits = lines[:, :-1] @ embeddings[row].astype(np.float64) + lines[:, -1]
                total -= log_softmax(logits)[names.index(category)] / len(rows) / len(own) / len(names)
    return total + 0.5 * router_head.PENALTY * float((lines[:, :-1] ** 2).sum())


def test_nothing_near_it_is_better() -> None:
    """The loss is convex: where no small step lowers it, computed here by loops, it is at its least."""
    rng = np.random.default_rng(0)
    given = photos(rng, {"bag": 3, "dress": 9, "hat": 5})
    found = fit_linear_head(*given)
    lines = np.stack([np.append(line.vector, line.bias) for line in found]).astype(np.float64)
    least = objective(lines, *given)
    for size in (1e-3, 1e-2, 1e-1):
        for _ in range(20):
            step = rng.normal(size=lines.shape)
            assert objective(lines + size * step / np.linalg.norm(step), *given) >= least - 1e-9
    slopes = []
    for place in np.ndindex(lines.shape):
        step = np.zeros_like(lines)
        step[place] = 1e-5
        slopes.append((objective(lines + step, *given) - objective(lines - step, *given)) / 2e-5)
    assert np.abs(slopes).max() < 1e-5
    assert [line.category for line in found] == ["bag", "dress", "hat"]
    assert [line.products for line in found] == [3, 9, 5]
    assert {line.basis for line in found} == {LINEAR_HEAD}
    assert found[0].vector.dtype == np.float32


def test_the_same_every_time_and_in_any_order() -> None:
    """To the bit for the same rows; nearly so for the same rows in another order."""
    given = photos(np.random.default_rng(1), {"bag": 4, "dress": 4})
    first, again = fit_linear_head(*given), fit_linear_head(*given)
    assert all(np.array_equal(a.vector, b.vector) and a.bias == b.bias for a, b in zip(first, again, strict=True))
    order = np.random.default_rng(2).permutation(len(given[1]))
    shuffled = fit_linear_head(given[0][order], [given[1][row] for row in order], [given[2][row] for row in order])
    for a, b in zip(first, shuffled, strict=True):
        assert a.vector == pytest.approx(b.vector, abs=1e-3)


def test_routes_what_it_was_fitted_on() -> None:
    """A category of three products is not outvoted by one of forty."""
    embeddings, categories, products = photos(np.random.default_rng(3), {"bag": 3, "dress": 40})
    found = fit_linear_head(embeddings, categories, products)
    vectors, bias = np.stack([line.vector for line in found]), np.array([line.bias for line in found], np.float32)
    router = Router(("bag", "dress"), vectors, bias, "linear_head")
    routed = [route(embedding, router, 0.0).categories[0] for embedding in embeddings]
    for name in ("bag", "dress"):
        assert np.mean([got == name for got, own in zip(routed, categories, strict=True) if own == name]) > 0.8


def test_one_category_is_certain() -> None:
    """There is nothing to fit."""
    [line] = fit_linear_head(np.eye(3, dtype=np.float32), ["bag"] * 3, ["a", "b", "c"])
    assert (line.vector.tolist(), line.bias) == ([0, 0, 0], 0)

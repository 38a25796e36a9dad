"""An open engine with something else in its place: its models, its router, or the whole gallery."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from assets.category_prototypes import as_router
from catalog.features.inference import PixelModel
from catalog.features.prototypes import make_prototypes
from catalog.features.ranking import chance_cosine
from catalog.features.router_head import fit_linear_head
from catalog.features.routing import Router
from catalog.formats.manifest import Manifest
from query.engine import Engine
from query.results import QueryFeatures
from resources.model_store import ModelStore

WHOLE_SIDE_PX = 32  # of the map that says "all of it"


class WholePhoto(PixelModel):
    """A segmenter for which everything is the product: what searching without one is like."""

    def __init__(self) -> None:
        """There is nothing to open."""
        self.name = "whole photo"

    def run(self, image_hwc: np.ndarray, binary_mask: np.ndarray | None = None) -> np.ndarray:
        """(side, side) float32 ones, whatever the photo."""
        return np.ones((WHOLE_SIDE_PX, WHOLE_SIDE_PX), np.float32)


def float_forms(engine: Engine, store: ModelStore, threads: int) -> Engine:
    """The engine with the float form of every model that ships."""
    names = list(engine.bundle.manifest["models"])
    return _with(
        engine,
        _models={
            name: PixelModel(store.float_model(name), store.model(name).output, threads=threads) for name in names
        },
    )


def without_segmenter(engine: Engine) -> Engine:
    """The engine that takes the whole photo for the product."""
    segmenter = engine.bundle.manifest["query"]["segmenter"]
    return _with(engine, _models={**engine.bundle._models, segmenter: WholePhoto()})


def with_router(engine: Engine, router: Router) -> Engine:
    """The engine that routes by another router."""
    return _with(engine, router=router)


def with_gallery(engine: Engine, items: Sequence[Mapping[str, Any]], described: Sequence[QueryFeatures]) -> Engine:
    """The engine over another gallery, described by its own models: catalog.json's items, and what each looks like.

    The scales of the parts, and the router, are made of that gallery as a build makes them; words are not asked, so
    that a category with few products has no name to lean on. A category that the bundle knows keeps its encoder.
    """
    bundle = engine.bundle
    values = bundle.manifest.values
    router_space = values["router"]["space"]
    known = {item["category"]: item["space"] for item in bundle.items}
    listed = [{**item, "space": known.get(item["category"], router_space)} for item in items]
    products = [str(item["product_id"]) for item in listed]
    embeddings = np.stack([one.embeddings[item["space"]] for item, one in zip(listed, described, strict=True)])
    texture = np.stack([one.texture for one in described])
    spaces = {}
    for name, space in values["spaces"].items():
        rows = [place for place, item in enumerate(listed) if item["space"] == name]
        chance = _chance(embeddings[rows], [products[row] for row in rows]) if rows else space["chance_cosine"]
        spaces[name] = {**space, "rows": len(rows), "chance_cosine": chance}
    categories = [str(item["category"]) for item in listed]
    router = make_router(
        np.stack([one.embeddings[router_space] for one in described]), categories, products, bundle.router.method
    )
    manifest = {
        **values,
        "n_items": len(listed),
        "spaces": spaces,
        "texture_space": {**values["texture_space"], "chance_cosine": _chance(texture, products)},
        "router_categories": list(router.categories),
    }
    return _with(
        engine,
        manifest=Manifest(bundle.manifest.folder, manifest, bundle.manifest.content),
        items=tuple(listed),
        embeddings=embeddings,
        texture=texture,
        colors=np.stack([one.color for one in described]),
        router=router,
        _thumbs={row: item["photo"] for row, item in enumerate(listed)},
    )


def make_router(embeddings: np.ndarray, categories: Sequence[str], products: Sequence[str], method: str) -> Router:
    """A router of (n, dim) embeddings of photos whose categories are known, made as a build makes it without words."""
    if method == "linear_head":
        return as_router(fit_linear_head(embeddings, categories, products))
    return as_router(make_prototypes(embeddings, categories, products, {}, 1))


def _chance(vectors: np.ndarray, products: Sequence[str]) -> float:
    return round(chance_cosine(vectors, products, np.random.default_rng(0)), 6)


def _with(engine: Engine, **changes: Any) -> Engine:
    """The same engine with some of its bundle's fields changed."""
    changed = copy.copy(engine)
    changed.bundle = replace(engine.bundle, **changes)
    return changed

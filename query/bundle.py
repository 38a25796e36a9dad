"""A bundle, read and checked: what the engine searches. Nothing of a bundle is used before its digest was right."""

import difflib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import BundleError, LookbookError
from catalog.features.inference import PixelModel
from catalog.features.ranking import Weights
from catalog.features.routing import Router
from catalog.formats import matrices
from catalog.formats.manifest import Manifest, read_manifest

ITEM_KEYS = ("product_id", "variant", "title", "category", "thumb", "space")


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its matrices are memory-mapped, its models opened when first asked for."""

    manifest: Manifest
    items: tuple[dict[str, Any], ...]
    embeddings: np.ndarray  # (n_items, embedding_dim) float32, each row in its item's space
    texture: np.ndarray  # (n_items, texture_dim) float32
    colors: np.ndarray  # (n_items, 26) float32
    router: Router
    weights: Weights
    _models: dict[str, PixelModel]

    @cached_property
    def categories(self) -> np.ndarray:
        """The category of each row."""
        return np.array([item["category"] for item in self.items])

    @cached_property
    def products(self) -> np.ndarray:
        """The product of each row."""
        return np.array([item["product_id"] for item in self.items])

    @cached_property
    def spaces(self) -> np.ndarray:
        """The space of each row."""
        return np.array([item["space"] for item in self.items])

    def find_category(self, category: str) -> str:
        """The bundle's own spelling of a category, whatever its case.

        Raises: LookbookError that names the nearest one.
        """
        known = sorted(set(self.categories.tolist()))
        for name in known:
            if name.casefold() == category.casefold():
                return str(name)
        close = difflib.get_close_matches(category, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        raise LookbookError(f"no category {category!r} in this bundle; {hint}")

    def model(self, name: str, threads: int) -> PixelModel:
        """The open session of one of the bundle's models."""
        if name not in self._models:
            described = self.manifest["models"][name]
            path = self.manifest.path(described["file"])
            self._models[name] = PixelModel(path, described["output"], threads=threads)
        return self._models[name]

    def thumb(self, row: int) -> Path:
        """The picture of a row's item."""
        return self.manifest.path(self.items[row]["thumb"])


def open_bundle(folder: Path) -> Bundle:
    """Open and check the bundle in `folder`; a link to it is followed once, so a later publish changes nothing here.

    Raises: BundleError that names the file which is not what the manifest says.
    """
    manifest = read_manifest(folder.resolve())
    rows, dim = manifest["n_items"], manifest["embedding_dim"]
    ranking = manifest["ranking"]
    return Bundle(
        manifest=manifest,
        items=_items(manifest),
        embeddings=matrices.read(manifest.path("embeddings.bin"), dim, rows),
        texture=matrices.read(manifest.path("texture.bin"), manifest["texture_dim"], rows),
        colors=matrices.read(manifest.path("color_signatures.bin"), manifest["color_signature_dim"], rows),
        router=_router(manifest, dim),
        weights=Weights(
            semantic=ranking["semantic_weight"],
            texture=ranking["texture_weight"],
            color=ranking["color_weight"],
            color_gate=ranking["color_gate"],
        ),
        _models={},
    )


def _router(manifest: Manifest, dim: int) -> Router:
    categories = tuple(manifest["router_categories"])
    return Router(
        categories,
        matrices.read(manifest.path("prototypes.bin"), dim, len(categories)),
        np.array(manifest["router"].get("bias", [0.0] * len(categories)), np.float32),
        manifest["router_method"],
    )


def _items(manifest: Manifest) -> tuple[dict[str, Any], ...]:
    path = manifest.path("catalog.json")
    items = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(items, list) or len(items) != manifest["n_items"]:
        raise BundleError(f"{path}: not a list of {manifest['n_items']} items; build the bundle again")
    for row, item in enumerate(items):
        missing = [key for key in ITEM_KEYS if key not in item]
        if missing:
            raise BundleError(f"{path}: item {row} has no {', '.join(missing)}; build the bundle again")
    return tuple(items)

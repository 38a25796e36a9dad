"""A bundle, read and checked: what the engine searches. Nothing of a bundle is used before its digest was right."""

import difflib
import json
import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import BundleError, LookbookError
from catalog.features.inference import PixelModel
from catalog.features.ranking import Weights
from catalog.features.routing import Router
from catalog.formats import digests, matrices
from catalog.formats.bundle_lease import Lease
from catalog.formats.file_digests import DigestOf
from catalog.formats.manifest import Manifest, read_description, read_manifest
from catalog.formats.signatures import NOBODY, Signer, Trust, check_signature

TURNS = 10  # times that a link may be found moved on while its bundle is opened
ITEM_KEYS = ("product_id", "variant", "title", "category", "thumb", "space")


@dataclass(frozen=True)
class Bundle:
    """A checked bundle: its matrices are memory-mapped, its models opened when first asked for.

    While it is open, a publish or a rollback beside it does not drop its files: see `catalog.formats.bundle_lease`.
    """

    manifest: Manifest
    items: tuple[dict[str, Any], ...]
    embeddings: np.ndarray  # (n_items, embedding_dim) float32, each row in its item's space
    texture: np.ndarray  # (n_items, texture_dim) float32
    colors: np.ndarray  # (n_items, 26) float32
    router: Router
    weights: Weights
    signer: Signer | None  # who vouches for it, of those that are trusted
    _models: dict[str, PixelModel]
    _thumbs: dict[int, Path]
    _lease: Lease
    _opening: threading.Lock

    @cached_property
    def category_rows(self) -> dict[str, np.ndarray]:
        """The rows of each category, in order."""
        rows: dict[str, list[int]] = {}
        for row, item in enumerate(self.items):
            rows.setdefault(item["category"], []).append(row)
        return {category: np.array(places) for category, places in rows.items()}

    @cached_property
    def products(self) -> np.ndarray:
        """A number for the product of each row: rows of one product have the same."""
        return _numbered([item["product_id"] for item in self.items])

    @cached_property
    def variants(self) -> np.ndarray:
        """A number for the product and variant of each row."""
        return _numbered([(item["product_id"], item["variant"]) for item in self.items])

    @cached_property
    def space_names(self) -> tuple[str, ...]:
        """The spaces that rows are in; the place of each is its number in `spaces`."""
        return tuple(dict.fromkeys(item["space"] for item in self.items))

    @cached_property
    def spaces(self) -> np.ndarray:
        """The number of the space of each row."""
        return _numbered([item["space"] for item in self.items])

    @cached_property
    def brands(self) -> tuple[str, ...]:
        """The brands of the items, in order."""
        return tuple(sorted({str(item["brand"]) for item in self.items if item.get("brand")}))

    def spaces_of(self, rows: np.ndarray) -> list[str]:
        """The names of the spaces that some rows are in."""
        return [self.space_names[code] for code in np.unique(self.spaces[rows])]

    def rows_of_product(self, product_id: str) -> np.ndarray:
        """Where a product is; no rows when the bundle has none by this id."""
        return np.array([row for row, item in enumerate(self.items) if item["product_id"] == product_id], np.int64)

    def find_category(self, category: str) -> str:
        """The bundle's own spelling of a category, whatever its case.

        Raises: LookbookError that names the nearest one.
        """
        known = sorted(self.category_rows)
        for name in known:
            if name.casefold() == category.casefold():
                return str(name)
        close = difflib.get_close_matches(category, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
        raise LookbookError(f"no category {category!r} in this bundle; {hint}")

    def model(self, name: str, threads: int) -> PixelModel:
        """The open session of one of the bundle's models."""
        with self._opening:
            if name in self._models:
                return self._models[name]
            described = self.manifest["models"][name]
            path = self.manifest.path(described["file"])
            if not path.exists():
                raise BundleError(f"{path}: was removed while the bundle was open; open the bundle again")
            self._models[name] = PixelModel(path, described["output"], threads=threads)
        return self._models[name]

    def thumb(self, row: int) -> Path:
        """The picture of a row's item."""
        if row not in self._thumbs:
            self._thumbs[row] = self.manifest.path(self.items[row]["thumb"])
        return self._thumbs[row]


def _numbered(names: Sequence[Hashable]) -> np.ndarray:
    """A number for each name, equal for equal names, counted up from 0 as they first appear."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


def nearest_names(word: str, known: Sequence[str]) -> list[str]:
    """Up to three of `known` that are most like `word`, whatever their case."""
    by_lower = {name.casefold(): name for name in known}
    return [by_lower[lower] for lower in difflib.get_close_matches(word.casefold(), by_lower, 3)]


def open_bundle(
    folder: Path, trust: Trust = NOBODY, digest_of: DigestOf = digests.of_file, *, in_memory: bool = False
) -> Bundle:
    """Open and check the bundle in `folder`; a link to it is followed once, so a later publish changes nothing here.

    `trust` says whose signature is taken; a builder's `digest_of` spares reading again what it has just read;
    `in_memory` reads the matrices instead of mapping them.
    Raises: BundleError that names the file which is not what the manifest says, or a signature that is not trusted.
    """
    told: LookbookError = BundleError(f"{folder}: was moved on {TURNS} times while it was opened; try again")
    for _ in range(TURNS):
        found = folder.resolve()
        try:
            return _open(found, trust, digest_of, in_memory=in_memory)
        except _NotHeldError as error:  # it may be dropped and made again under the same name
            told = BundleError(str(error))
        except LookbookError:
            if folder.resolve() == found:
                raise
    raise told


def _open(folder: Path, trust: Trust, digest_of: DigestOf, *, in_memory: bool) -> Bundle:
    lease = _hold(folder)
    manifest = read_manifest(folder, digest_of)
    signer = check_signature(manifest, trust)
    rows, dim = manifest["n_items"], manifest["embedding_dim"]

    def matrix(name: str, columns: int) -> np.ndarray:
        kept_as = manifest["files"][name].get("dtype", matrices.FLOAT32)
        mapped = matrices.read(manifest.path(name), columns, rows, kept_as)
        return np.array(mapped) if in_memory else mapped

    ranking = manifest["ranking"]
    return Bundle(
        manifest=manifest,
        items=_items(manifest),
        embeddings=matrix("embeddings.bin", dim),
        texture=matrix("texture.bin", manifest["texture_dim"]),
        colors=matrix("color_signatures.bin", manifest["color_signature_dim"]),
        router=_router(manifest, dim),
        weights=Weights(
            semantic=ranking["semantic_weight"],
            texture=ranking["texture_weight"],
            color=ranking["color_weight"],
            color_gate=ranking["color_gate"],
        ),
        signer=signer,
        _models={},
        _thumbs={},
        _lease=lease,
        _opening=threading.Lock(),
    )


class _NotHeldError(BundleError):
    """There is no manifest to take hold of: the version was just dropped or replaced, or never was there."""


def _hold(folder: Path) -> Lease:
    try:
        return Lease(folder)
    except OSError as error:
        try:
            read_description(folder)  # has the words for a manifest that is missing or can't be read
        except BundleError as told:
            raise _NotHeldError(str(told)) from error
        raise _NotHeldError(f"{folder}: was replaced while it was opened; try again") from error


def _router(manifest: Manifest, dim: int) -> Router:
    categories = tuple(manifest["router_categories"])
    return Router(
        categories,
        np.array(matrices.read(manifest.path("prototypes.bin"), dim, len(categories))),  # a line a category: kept
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

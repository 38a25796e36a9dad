"""What one bundle has that another has not: products, what changed of them, models, numbers, sizes. Prints nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from query.bundle import Bundle

OF_A_PHOTO = ("product_id", "variant", "image_index", "thumb", "space")  # all else of an item is the product's
TOGETHER = {"price": "currency"}  # told as one
NUMBERS = ("profile", "router_method", "router", "ranking", "query", "thumb_size", "texture_space")
KINDS = {".bin": "index", ".onnx": "models", ".jpg": "thumbnails", ".png": "golden", ".json": "text"}

Photo = tuple[str, str]  # variant and thumbnail, whose name is the photo's digest


@dataclass(frozen=True)
class Changed:
    """One product that is in both, and how it differs."""

    product_id: str
    title: str
    fields: Mapping[str, tuple[str, str]]  # before and after, of what the feed says
    photos_added: int
    photos_removed: int
    vectors: tuple[str, ...]  # of photos in both: which of embedding, texture and color are others


@dataclass(frozen=True)
class Difference:
    """From one bundle to another; mappings of pairs hold what was before and what is after."""

    versions: tuple[str, str]
    products: tuple[int, int]
    photos: tuple[int, int]
    added: tuple[Mapping[str, Any], ...]  # product_id, title, category
    removed: tuple[Mapping[str, Any], ...]
    changed: tuple[Changed, ...]
    models: Mapping[str, tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]]  # form, sha256, size_bytes
    numbers: Mapping[str, tuple[Any, Any]]  # weights, thresholds, how a photo is prepared: by dotted name
    size_bytes: Mapping[str, tuple[int, int]]  # by kind of file


def compare(before: Bundle, after: Bundle) -> Difference:
    """Compare two open bundles, product by product and number by number."""
    old, new = _products(before), _products(after)
    pairs = {key: (old[key], new[key]) for key in new if key in old}
    vectors = _changed_vectors(before, after, pairs)
    changed = [_changed(before, after, key, *pairs[key], vectors.get(key, ())) for key in pairs]
    return Difference(
        versions=(before.manifest["bundle_version"], after.manifest["bundle_version"]),
        products=(len(old), len(new)),
        photos=(len(before.items), len(after.items)),
        added=tuple(_named(after, key, rows) for key, rows in new.items() if key not in old),
        removed=tuple(_named(before, key, rows) for key, rows in old.items() if key not in new),
        changed=tuple(found for found in changed if found is not None),
        models=_differing(_models(before), _models(after)),
        numbers=_differing(_numbers(before), _numbers(after)),
        size_bytes=_sizes(before, after),
    )


def _products(bundle: Bundle) -> dict[str, dict[Photo, int]]:
    """The row of each photo of each product."""
    products: dict[str, dict[Photo, int]] = {}
    for row, item in enumerate(bundle.items):
        products.setdefault(str(item["product_id"]), {}).setdefault((str(item["variant"]), str(item["thumb"])), row)
    return products


def _named(bundle: Bundle, product_id: str, rows: Mapping[Photo, int]) -> dict[str, Any]:
    item = bundle.items[next(iter(rows.values()))]
    return {"product_id": product_id, "title": item["title"], "category": item["category"], "photos": len(rows)}


def _changed(
    before: Bundle,
    after: Bundle,
    product_id: str,
    old: Mapping[Photo, int],
    new: Mapping[Photo, int],
    vectors: tuple[str, ...],
) -> Changed | None:
    fields = _differing(_fields(before, old), _fields(after, new))
    told = {name: (first or "", second or "") for name, (first, second) in fields.items()}
    added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    if not (told or added or removed or vectors):
        return None
    title = str(after.items[next(iter(new.values()))]["title"])
    return Changed(product_id, title, told, added, removed, vectors)


def _fields(bundle: Bundle, rows: Mapping[Photo, int]) -> dict[str, str]:
    """What the feed says of a product, as text; of variants that differ, each."""
    values: dict[str, dict[str, None]] = {}
    for row in rows.values():
        item = bundle.items[row]
        for name, value in item.items():
            if name not in OF_A_PHOTO and name not in TOGETHER.values():
                unit = item.get(TOGETHER.get(name, ""))
                values.setdefault(name, {})[_told(value) + (f" {unit}" if unit else "")] = None
    return {name: " | ".join(sorted(told)) for name, told in values.items()}


def _told(value: Any) -> str:
    return "" if value is None else str(value)


def _changed_vectors(
    before: Bundle, after: Bundle, pairs: Mapping[str, tuple[Mapping[Photo, int], Mapping[Photo, int]]]
) -> dict[str, tuple[str, ...]]:
    """Of each product in both: the kinds of vectors that differ on a photo in both."""
    same = [(key, old[photo], new[photo]) for key, (old, new) in pairs.items() for photo in old.keys() & new.keys()]
    found: dict[str, dict[str, None]] = {}
    first, second = (np.array([entry[place] for entry in same], np.int64) for place in (1, 2))
    kinds = {
        "embedding": (before.embeddings, after.embeddings),
        "texture": (before.texture, after.texture),
        "color": (before.colors, after.colors),
    }
    for kind, (old, new) in kinds.items():
        one_width = old.shape[1] == new.shape[1]
        differ = (old[first] != new[second]).any(axis=1) if one_width else np.ones(len(same), bool)
        for place in np.flatnonzero(differ):
            found.setdefault(same[place][0], {})[kind] = None
    return {key: tuple(kinds) for key, kinds in found.items()}


def _models(bundle: Bundle) -> dict[str, Mapping[str, Any]]:
    files = bundle.manifest["files"]
    return {
        name: {"form": model["form"], **{key: files[model["file"]][key] for key in ("sha256", "size_bytes")}}
        for name, model in bundle.manifest["models"].items()
    }


def _numbers(bundle: Bundle) -> dict[str, Any]:
    """The manifest's numbers that a search counts by, by dotted name."""
    wanted = {key: bundle.manifest[key] for key in NUMBERS if key in bundle.manifest.values}
    wanted["categories"] = list(bundle.manifest["router_categories"])
    return dict(_flat("", wanted))


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    else:
        yield name, value


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What differs by name; None on the side that lacks it."""
    names = [*old, *(name for name in new if name not in old)]
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def _sizes(before: Bundle, after: Bundle) -> dict[str, tuple[int, int]]:
    totals = {kind: (_size(before, ending), _size(after, ending)) for ending, kind in KINDS.items()}
    return {**totals, "all": (_size(before, ""), _size(after, ""))}


def _size(bundle: Bundle, ending: str) -> int:
    return sum(file["size_bytes"] for name, file in bundle.manifest["files"].items() if name.endswith(ending))

"""What a bundle holds: index, matrices, models, thumbnails, golden queries, and the manifest's description of them."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from assets import reporting
from assets.bins import COLORS_BIN, EMBEDDINGS_BIN, TEXTURE_BIN, read_bin
from catalog.errors import LookbookError
from catalog.features.ranking import chance_cosine
from catalog.features.router_head import LINEAR_HEAD
from catalog.formats import atomic, manifest, matrices, noted_files, tables
from catalog.model_descriptions import MODELS, ModelDescription, Role
from catalog.onnx_export import quantization
from catalog.profiles import Profile
from catalog.vision import crops, masks, plain_ground
from catalog.vision.color import COLOR_SIGNATURE_DIM
from query.engine import Engine
from query.golden import write_golden
from resources.bundle_building import Building
from resources.data_lake import DataLake
from resources.model_store import ModelStore

THUMB_QUALITY = 82
ITEM_FIELDS = ("title", "category", "price", "currency", "url", "brand", "availability", "color", "pattern")


def write_index(building: Building, data_lake: DataLake, profile: Profile) -> list[dict[str, Any]]:
    """Write catalog.json and the thumbnails of every item that all three features know; in the catalogue's order."""
    same_size = building.standing("thumb_size") == profile.bundle.thumb_size
    listed = {name: read_bin(data_lake, name, dim)[0] for name, dim in dims(profile).items()}
    known = [{tables.item_of(row) for row in listed[name]} for name in (TEXTURE_BIN, COLORS_BIN)]
    catalog = {tables.item_of(row): row for row in tables.read(data_lake.table("raw_catalog"), tables.RAW_CATALOG)}
    images = {tables.item_of(row): row for row in tables.read(data_lake.table("product_images"), tables.PRODUCT_IMAGES)}
    items = []
    placed: set[str] = set()  # two items may have the same photo
    for row in listed[EMBEDDINGS_BIN]:
        key = tables.item_of(row)
        if not all(key in others for others in [*known, catalog, images]):
            continue
        thumb = _thumb_name(images[key]["image_blob"])
        if thumb not in placed:
            placed.add(thumb)
            if not (same_size and building.link(thumb)):
                building.copy(thumb, _draw_thumb(data_lake, images[key]["image_blob"], profile.bundle.thumb_size))
        fields = {name: catalog[key][name] for name in ITEM_FIELDS}
        items.append(
            {**{name: row[name] for name in tables.ITEM_COLUMNS}, **fields, "space": row["space"], "thumb": thumb}
        )
    if not items:
        raise LookbookError("android_bundle: no item has all of embedding, texture and colour; see `lookbook rejected`")
    atomic.write_text(building.folder / "catalog.json", json.dumps(items, ensure_ascii=False, indent=0) + "\n")
    return items


def dims(profile: Profile) -> dict[str, int]:
    """The columns of the three .bin files."""
    return {
        EMBEDDINGS_BIN: MODELS[profile.encoders.semantic].embedding_dim,
        TEXTURE_BIN: MODELS[profile.encoders.texture].embedding_dim,
        COLORS_BIN: COLOR_SIGNATURE_DIM,
    }


def write_matrices(
    folder: Path, items: Sequence[Mapping[str, Any]], data_lake: DataLake, profile: Profile
) -> dict[str, tuple[int, int]]:
    """Write the three .bin files, rows in the items' order, and the router's prototypes; returns their shapes."""
    shapes = {}
    for name, dim in dims(profile).items():
        listed, matrix = read_bin(data_lake, name, dim)
        place_of = {tables.item_of(row): place for place, row in enumerate(listed)}
        rows = [place_of[tables.item_of(item)] for item in items]
        kept_as = profile.bundle.vectors if name in manifest.VECTORS else matrices.FLOAT32
        matrices.write(folder / name, matrix[rows], kept_as)
        shapes[name] = (len(rows), dim)
    dim = shapes[EMBEDDINGS_BIN][1]
    prototypes = tables.read_table(data_lake.table("category_prototypes"), tables.prototypes(dim))
    matrices.write(folder / "prototypes.bin", tables.matrix(prototypes))
    return {**shapes, "prototypes.bin": (prototypes.num_rows, dim)}


def describe(
    building: Building,
    items: Sequence[Mapping[str, Any]],
    shapes: Mapping[str, tuple[int, int]],
    data_lake: DataLake,
    model_store: ModelStore,
    profile: Profile,
) -> dict[str, Any]:
    """Put the models in and say what everything is: the manifest's values, golden queries still to come."""
    models = _write_models(building, model_store, profile)
    folder = building.folder
    dim = shapes[EMBEDDINGS_BIN][1]
    prototypes = tables.read(data_lake.table("category_prototypes"), tables.prototypes(dim))
    embeddings = matrices.read(folder / EMBEDDINGS_BIN, dim, kept_as=profile.bundle.vectors)
    texture = matrices.read(folder / TEXTURE_BIN, shapes[TEXTURE_BIN][1], kept_as=profile.bundle.vectors)
    products = [str(item["product_id"]) for item in items]
    spaces = {}
    # the router's too: every query is embedded there, even where all products are in other spaces
    for space in sorted({str(item["space"]) for item in items} | {profile.encoders.semantic}):
        rows = [place for place, item in enumerate(items) if item["space"] == space]
        chance = chance_cosine(embeddings[rows], [products[place] for place in rows], np.random.default_rng(0))
        spaces[space] = {"model": space, "dim": dim, "rows": len(rows), "chance_cosine": round(chance, 6)}
    return {
        "profile": profile.name,
        "n_items": len(items),
        "n_products": len(set(products)),
        "embedding_dim": dim,
        "texture_dim": shapes[TEXTURE_BIN][1],
        "color_signature_dim": COLOR_SIGNATURE_DIM,
        "router_categories": [row["category"] for row in prototypes],
        "router_method": "linear_head" if prototypes[0]["basis"] == LINEAR_HEAD else "prototypes",
        "thumb_size": profile.bundle.thumb_size,
        "router": _describe_router(prototypes, profile),
        "spaces": spaces,
        "texture_space": {
            "model": profile.encoders.texture,
            "dim": shapes[TEXTURE_BIN][1],
            "chance_cosine": round(chance_cosine(texture, products, np.random.default_rng(0)), 6),
        },
        "ranking": profile.ranking.model_dump(),
        "query": {
            "segmenter": profile.segmentation.query,
            "photos": profile.photos.model_dump(),
            "mask_threshold": masks.THRESHOLD,
            "mask_least_piece": masks.MIN_PIECE_SHARE,
            "mask_least_area": masks.MIN_AREA_FRACTION,
            "plain_ground": plain_ground.SETTINGS,
            "crop_side_px": profile.segmentation.crop_side_px,
            "crop_margin": crops.MARGIN,
            "crop_background": crops.BACKGROUND,
        },
        "models": models,
        "golden": [],
        "files": manifest.describe_files(folder, shapes, building.digests.of, profile.bundle.vectors),
    }


def _describe_router(prototypes: Sequence[Mapping[str, Any]], profile: Profile) -> dict[str, Any]:
    """What the manifest says of the router; no `bias` where all are 0, which older readers can read."""
    described = {"space": profile.encoders.semantic, "margin": profile.router.margin, "prototypes": "prototypes.bin"}
    bias = [row["bias"] for row in prototypes]
    return {**described, "bias": bias} if any(bias) or prototypes[0]["basis"] == LINEAR_HEAD else described


def _write_models(building: Building, model_store: ModelStore, profile: Profile) -> dict[str, dict[str, Any]]:
    """Put the models that a search runs into the bundle, each the file that the gate measured, and describe each."""
    gate = {entry["model"]: entry for entry in model_store.read_gate()}
    described = {}
    for name, model in model_store.models(profile.onnx_model_names()).items():
        if model.role is Role.SEGMENTER and name != profile.segmentation.query:
            continue  # the catalogue's own segmenter has no work on a phone
        file = f"models/{name}.onnx"
        if not building.link(file, gate[name]["sha256"]):
            building.copy(file, model_store.shipped_model(name), gate[name]["sha256"])
        inputs = [{"name": "image", "dtype": "uint8", "shape": ["height", "width", 3], "what": "sRGB, upright"}]
        if model.takes_mask:
            inputs.append(
                {"name": "mask", "dtype": "uint8", "shape": ["height", "width"], "what": "255 on the product"}
            )
        side = model.input_side_px
        described[name] = {
            "file": file,
            "role": model.role.value,
            "form": gate[name]["form"],
            "inputs": inputs,
            "output": model.output,
            "output_shape": [side, side] if model.role is Role.SEGMENTER else [model.embedding_dim],
            "preprocessing": {
                "where": "inside the graph",
                "resize": _resize_rule(model),
                "mean": list(model.mean),
                "std": list(model.std),
            },
            "opset": model.opset,
            "lowest_onnxruntime": quantization.lowest_onnxruntime(model, gate[name]["form"]),
            "source_sha256": model.sha256,
            "licence": model.licence,
            "licence_terms": model.licence_terms,
        }
    return described


def _resize_rule(model: ModelDescription) -> str:
    side = model.input_side_px
    size = f"to {side} x {side}"
    if model.resize == "shortest_edge":
        size = f"to {model.resize_side_px or side} px on the shorter edge, then the central {side} x {side}"
    kernel = "bicubic a = -0.5" if model.resample == "bicubic" else model.resample
    return f"{model.resize} {size}, {kernel}, antialiased, rounded to whole levels"


def write_golden_queries(
    building: Building, items: Sequence[Mapping[str, Any]], data_lake: DataLake, profile: Profile
) -> list[dict[str, str]]:
    """Search a few of the catalogue's own photos, of different categories, and write down what came of it."""
    images = {tables.item_of(row): row for row in tables.read(data_lake.table("product_images"), tables.PRODUCT_IMAGES)}
    first_of: dict[str, Mapping[str, Any]] = {}
    for item in items:
        first_of.setdefault(str(item["category"]), item)
    engine = Engine(building.folder, digest_of=building.digests.of)
    golden = []
    for place, item in enumerate(reporting.spread(list(first_of.values()), profile.bundle.golden_photos)):
        photo = data_lake.images.get(images[tables.item_of(item)]["image_blob"])
        golden.append(write_golden(building.folder, place, photo, engine.search(photo)))
    return golden


def _thumb_name(blob: str) -> str:
    """A photo's thumbnail in the bundle: named by the photo's own digest."""
    return f"thumbs/{blob.partition('.')[0][:24]}.jpg"


def _draw_thumb(data_lake: DataLake, blob: str, side_px: int) -> Path:
    """A photo's thumbnail in the lake, where it is drawn only once."""
    stem = data_lake.thumb(blob, side_px)
    if kept := noted_files.find_named(stem, ".jpg"):
        return kept
    thumb = Image.fromarray(data_lake.images.get(blob))
    thumb.thumbnail((side_px, side_px), Image.Resampling.BICUBIC)
    encoded = io.BytesIO()
    thumb.save(encoded, "JPEG", quality=THUMB_QUALITY, optimize=True)
    return noted_files.write_named(stem, ".jpg", encoded.getvalue())

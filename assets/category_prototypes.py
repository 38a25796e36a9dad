"""The router's lines, one a category of the catalogue, all in the profile's own encoder's space."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting, versions
from assets.features import EMBEDDINGS, vectors_of_crops
from catalog.errors import ImageError, LookbookError
from catalog.features import row_memo
from catalog.features.prototypes import (
    CategoryPrototype,
    TextLine,
    make_prototypes,
    prompts_mean,
    text_lines,
    text_prompts,
)
from catalog.features.router_head import LINEAR_HEAD, fit_linear_head
from catalog.features.routing import Router
from catalog.formats import digests, tables
from catalog.model_descriptions import MODELS, Architecture
from catalog.onnx_export.float_models import head_prototypes
from catalog.profiles import Profile
from catalog.torch_models.text_towers import TextTower, has_text_tower
from resources.data_lake import DataLake
from resources.inference import Inference
from resources.model_store import ModelStore
from resources.profile import ActiveProfile
from resources.progress import Progress

PROTOTYPES, ROUTER_EMBEDDINGS = "category_prototypes", "router_embeddings"


@dg.asset(
    deps=["semantic_embeddings", "raw_catalog", "product_crops"],
    group_name="features",
    kinds={"numpy", "parquet"},
    owners=["team:search"],
)
def category_prototypes(
    data_lake: DataLake,
    active_profile: ActiveProfile,
    inference: Inference,
    model_store: ModelStore,
    progress: Progress,
) -> dg.MaterializeResult:
    """One line a category, which a query is routed by: the mean of its products (visual), or a fitted head's.

    A category with few products leans on what the encoder knows by its name: a prototype of its own head (named), or
    its text tower's (text). Products that another encoder embeds are embedded here as well, some of each category.
    """
    started = time.perf_counter()
    profile = active_profile.read()
    name = profile.encoders.semantic
    catalog = tables.read(data_lake.table("raw_catalog"), tables.RAW_CATALOG)
    category_of = {tables.item_of(row): row["category"] for row in catalog}
    rows, embeddings = _own_embeddings(name, category_of, data_lake)
    more = _refresh_others(profile, category_of, data_lake, inference, model_store, progress)
    if more.rows:
        rows, embeddings = [*rows, *more.rows], np.concatenate([embeddings, tables.matrix(more.table)])
    if not rows:
        raise LookbookError(f"{PROTOTYPES}: not one product could be embedded by {name}; see `lookbook rejected`")
    categories = [category_of[tables.item_of(row)] for row in rows]
    products = [row["product_id"] for row in rows]
    if profile.router.method == "head":
        prototypes = fit_linear_head(embeddings, categories, products)
    else:
        named = _named_prototypes(profile, model_store, set(categories))
        text = _text_lines(profile, model_store, embeddings, categories, products)
        prototypes = make_prototypes(embeddings, categories, products, named, profile.router.min_products, text)
    path, schema = data_lake.table(PROTOTYPES), tables.prototypes(MODELS[name].embedding_dim)
    tables.write(path, schema, [{"space": name, **asdict(prototype)} for prototype in prototypes])
    return dg.MaterializeResult(
        data_version=dg.DataVersion(tables.content_digest(tables.read_table(path, schema))),
        metadata={
            "encoder": name,
            "categories": len(prototypes),
            "embedded_for_the_router_only": len(more.rows),
            "of_these_computed": more.computed,
            **_routed_right(prototypes, embeddings, categories),
            "seconds": round(time.perf_counter() - started, 2),
        },
    )


def _own_embeddings(
    name: str, category_of: Mapping[tuple[str, str, int], str], data_lake: DataLake
) -> tuple[list[row_memo.Row], np.ndarray]:
    """The items that the router's encoder embeds anyway, and their embeddings."""
    table = tables.read_table(data_lake.table(EMBEDDINGS), tables.vectors(MODELS[name].embedding_dim))
    rows = table.select([*tables.ITEM_COLUMNS, "space"]).to_pylist()
    kept = [
        place
        for place, row in enumerate(rows)
        if row["space"] == name and tables.item_of(row) in category_of  # else its product has just left
    ]
    return [rows[place] for place in kept], tables.matrix(table)[kept]


def _refresh_others(
    profile: Profile,
    category_of: Mapping[tuple[str, str, int], str],
    data_lake: DataLake,
    inference: Inference,
    model_store: ModelStore,
    progress: Progress,
) -> row_memo.Refresh:
    """Embed a sample of what another encoder embeds: a photo each of up to `products_sampled` products a category."""
    name, precision = profile.encoders.semantic, profile.encoders.precision
    crops = tables.read(data_lake.table("product_crops"), tables.PRODUCT_CROPS)
    of_others: dict[str, list[row_memo.Row]] = {}
    others = {category for category in set(category_of.values()) if profile.semantic_encoder(category) != name}
    for row in crops:
        category = category_of.get(tables.item_of(row), "")
        if category in others:
            of_others.setdefault(category, []).append(row)
    version = versions.embedding(model_store.model(name), precision)
    wanted = [
        row_memo.Wanted(row, row_memo.row_key(version, row["crop_blob"]))
        for _, rows in sorted(of_others.items())
        for row in sampled(rows, profile.router.products_sampled)
    ]

    def compute(batch: Sequence[Mapping[str, Any]]) -> list[row_memo.Row | ImageError]:
        # opened here: where every row stands, nothing is
        return vectors_of_crops(batch, lambda _: name, {name: inference.encoder(name, precision)}, data_lake)

    schema = tables.vectors(MODELS[name].embedding_dim)
    bar = progress.bar(ROUTER_EMBEDDINGS)
    path = data_lake.table(ROUTER_EMBEDDINGS)
    refresh = row_memo.refresh(path, schema, ROUTER_EMBEDDINGS, wanted, compute, progress=bar)
    data_lake.write_rejected(ROUTER_EMBEDDINGS, refresh.rejected)
    return refresh


def sampled(rows: Sequence[Mapping[str, Any]], count: int) -> list[Mapping[str, Any]]:
    """The first photo of up to `count` products: of those whose ids' digests come first, so that a product that comes
    or goes changes the sample by one at most."""
    first: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault(row["product_id"], row)
    return [first[product] for product in sorted(first, key=digests.of_values)[:count]]


def _named_prototypes(profile: Profile, models: ModelStore, categories: set[str]) -> dict[str, np.ndarray]:
    """The encoder's own prototypes, by the shop's words for the categories."""
    if MODELS[profile.encoders.semantic].architecture is not Architecture.ONNX:
        return {}
    known = head_prototypes(models.source(profile.encoders.semantic).read_bytes())
    return {name: known[profile.named(name)] for name in categories if profile.named(name) in known}


def _text_lines(
    profile: Profile, models: ModelStore, embeddings: np.ndarray, categories: Sequence[str], products: Sequence[str]
) -> dict[str, TextLine]:
    """What the text tower knows of the categories; it is opened only where one has few products."""
    name = profile.encoders.semantic
    counts = Counter(category for category, _ in set(zip(categories, products, strict=True)))
    if not has_text_tower(MODELS[name]) or min(counts.values()) >= profile.router.min_products:
        return {}
    prompts = {category: text_prompts(profile, category) for category in sorted(counts)}
    embedded = TextTower(models.source(name), models.model(name)).embed(
        [text for each in prompts.values() for text in each]
    )
    ends = np.cumsum([len(each) for each in prompts.values()])
    parts = np.split(embedded, ends[:-1])
    return text_lines(
        embeddings,
        categories,
        products,
        {category: prompts_mean(part) for category, part in zip(prompts, parts, strict=True)},
    )


def _routed_right(
    prototypes: Sequence[CategoryPrototype], embeddings: np.ndarray, categories: Sequence[str]
) -> dict[str, Any]:
    """How many of the photos that the router was made of it sends to their own category, by category."""
    router = as_router(prototypes)
    found = [router.categories[row] for row in np.argmax(embeddings @ router.vectors.T + router.bias, axis=1)]
    right = Counter(name for name, other in zip(categories, found, strict=True) if name == other)
    photos = Counter(categories)
    table = [
        {
            "category": prototype.category,
            "basis": prototype.basis,
            "products": prototype.products,
            "own_photos_routed_right": round(right[prototype.category] / photos[prototype.category], 3),
        }
        for prototype in prototypes
    ]
    return {
        "own_photos_routed_right": round(sum(right.values()) / len(categories), 4),
        "by_category": reporting.table(table),
    }


def as_router(prototypes: Sequence[CategoryPrototype]) -> Router:
    """The router that a bundle will hold."""
    return Router(
        tuple(prototype.category for prototype in prototypes),
        np.stack([prototype.vector for prototype in prototypes]),
        np.array([prototype.bias for prototype in prototypes], np.float32),
        "linear_head" if prototypes[0].basis == LINEAR_HEAD else "prototypes",
    )

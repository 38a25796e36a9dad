"""What is computed of every crop: semantic embeddings, texture features, colour signatures."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting, versions
from assets.memoised_stage import MemoisedStage
from assets.pools import HEAVY
from catalog.errors import ImageError
from catalog.features import row_memo
from catalog.formats import tables
from catalog.formats.blobs import BlobStore
from catalog.model_descriptions import MODELS
from catalog.vision import color, crops
from resources.data_lake import DataLake
from resources.inference import CropByCrop, Encoder, Inference
from resources.model_store import ModelStore
from resources.profile import ActiveProfile
from resources.progress import Progress

EMBEDDINGS, TEXTURE, COLORS = "semantic_embeddings", "texture_features", "color_signatures"


@dg.asset(
    deps=["product_crops", "raw_catalog"],
    group_name="features",
    kinds={"onnx", "parquet"},
    owners=["team:search"],
    pool=HEAVY,
)
def semantic_embeddings(
    data_lake: DataLake,
    active_profile: ActiveProfile,
    inference: Inference,
    model_store: ModelStore,
    progress: Progress,
) -> dg.MaterializeResult:
    """L2-normalised embeddings, one a crop, each by the semantic encoder of its category; `space` says which."""
    profile = active_profile.read()
    catalog = tables.read(data_lake.table("raw_catalog"), tables.RAW_CATALOG)
    of_category = {name: profile.semantic_encoder(name) for name in {row["category"] for row in catalog}}
    encoder_of = {tables.item_of(row): of_category[row["category"]] for row in catalog}
    names = {profile.encoders.semantic, *encoder_of.values()}
    precision = profile.encoders.precision
    opened = {name: inference.encoder(name, precision) for name in names}
    version_of = {name: versions.embedding(model_store.model(name), precision) for name in names}
    return _describe_crops(
        EMBEDDINGS,
        MODELS[profile.encoders.semantic].embedding_dim,
        # a crop whose product has just left the catalogue is still here until product_crops was refreshed
        lambda source: encoder_of.get(tables.item_of(source), profile.encoders.semantic),
        version_of,
        opened,
        data_lake,
        progress,
    )


@dg.asset(deps=["product_crops"], group_name="features", kinds={"onnx", "parquet"}, owners=["team:search"], pool=HEAVY)
def texture_features(
    data_lake: DataLake,
    active_profile: ActiveProfile,
    inference: Inference,
    model_store: ModelStore,
    progress: Progress,
) -> dg.MaterializeResult:
    """L2-normalised texture vectors, one a crop, pooled over the product's own pixels: what tells floral from dots."""
    profile = active_profile.read()
    name, precision = profile.encoders.texture, profile.encoders.precision
    return _describe_crops(
        TEXTURE,
        MODELS[name].embedding_dim,
        lambda source: name,
        {name: versions.texture_features(profile, model_store.models([name]))},
        {name: inference.encoder(name, precision)},
        data_lake,
        progress,
    )


@dg.asset(deps=["product_crops"], group_name="features", kinds={"numpy", "parquet"}, owners=["team:search"])
def color_signatures(data_lake: DataLake, progress: Progress) -> dg.MaterializeResult:
    """26 floats a crop over the product's own pixels: 18 hue, 4 saturation and 4 value bins; each group sums to 1."""
    return _describe_crops(
        COLORS,
        color.COLOR_SIGNATURE_DIM,
        lambda source: "hsv",
        {"hsv": versions.color_signatures()},
        {"hsv": CropByCrop(color.color_signature)},
        data_lake,
        progress,
    )


def _describe_crops(
    stage: str,
    dim: int,
    space_of: Callable[[Mapping[str, Any]], str],
    version_of: Mapping[str, str],
    encoders: Mapping[str, Encoder],
    data_lake: DataLake,
    progress: Progress,
) -> dg.MaterializeResult:
    """One vector a crop, by the encoder of its space: the three feature stages differ only in those."""
    memoised = MemoisedStage(stage, tables.vectors(dim), data_lake, progress)
    rows = tables.read(data_lake.table("product_crops"), tables.PRODUCT_CROPS)
    wanted = [row_memo.Wanted(row, row_memo.row_key(version_of[space_of(row)], row["crop_blob"])) for row in rows]

    def compute(batch: Sequence[Mapping[str, Any]]) -> list[row_memo.Row | ImageError]:
        return vectors_of_crops(batch, space_of, encoders, data_lake)

    refresh = memoised.refresh(wanted, compute)
    spaces = Counter(refresh.table.column("space").to_pylist())
    metadata = {
        "dim": dim,
        "spaces": reporting.table(
            [{"space": s, "items": n, "precision": encoders[s].precision} for s, n in sorted(spaces.items())]
        ),
    }
    return memoised.result(refresh, metadata)


def vectors_of_crops(
    batch: Sequence[Mapping[str, Any]],
    space_of: Callable[[Mapping[str, Any]], str],
    encoders: Mapping[str, Encoder],
    data_lake: DataLake,
) -> list[row_memo.Row | ImageError]:
    """The `space` and `vector` of each row of product_crops, in order; each space's encoder sees its crops together."""
    store = data_lake.crops
    spaces = [space_of(row) for row in batch]
    found: dict[int, row_memo.Row | ImageError] = {}
    for space in dict.fromkeys(spaces):
        places = [place for place, other in enumerate(spaces) if other == space]
        loads = [partial(_load_crop, store, batch[place]["crop_blob"]) for place in places]
        for place, vector in zip(places, encoders[space].run(loads), strict=True):
            found[place] = vector if isinstance(vector, ImageError) else {"space": space, "vector": vector}
    return [found[place] for place in range(len(batch))]


def _load_crop(store: BlobStore, blob: str) -> tuple[np.ndarray, np.ndarray]:
    return crops.from_rgba(store.get(blob))

"""Asset checks on `embeddings_bin`: do the new embeddings say what the published ones say? They warn, no more."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting
from assets.bins import EMBEDDINGS_BIN, read_bin
from catalog.errors import BundleError, FormatError
from catalog.evaluation import embedding_drift
from catalog.formats import tables
from catalog.model_descriptions import MODELS
from resources.baseline import Baseline, Published
from resources.data_lake import DataLake
from resources.profile import ActiveProfile
from resources.settings import Limits

STEADY, MOVED = "embeddings_are_steady", "same_photo_same_vector"


@dg.multi_asset_check(
    name="embedding_checks",
    specs=[
        dg.AssetCheckSpec(
            STEADY,
            asset="embeddings_bin",
            description="In every space the embeddings are spread as the published ones are: products that look quite "
            "different, or another model, would move them.",
        ),
        dg.AssetCheckSpec(
            MOVED,
            asset="embeddings_bin",
            description="A photo that is the same has the vector that it has in the published bundle: else its mask, "
            "its crop or the model changed.",
        ),
    ],
)
def embedding_checks(
    data_lake: DataLake, active_profile: ActiveProfile, baseline: Baseline
) -> Iterator[dg.AssetCheckResult]:
    """The embeddings against those of the published bundle, space by space."""
    dim = MODELS[active_profile.read().encoders.semantic].embedding_dim
    items, rows = read_bin(data_lake, EMBEDDINGS_BIN, dim)
    try:
        published = baseline.published()
        before = None if published is None else published.matrix(EMBEDDINGS_BIN)
    except (BundleError, FormatError) as error:  # a build must be able to replace it
        yield from _nothing_to_compare_with(f"the published bundle is damaged: {error}")
        return
    if published is None or before is None:
        yield from _nothing_to_compare_with("nothing is published yet")
    elif before.shape[1] != dim:
        yield from _nothing_to_compare_with(f"the published vectors have {before.shape[1]} dimensions, these {dim}")
    else:
        limits = baseline.limits()
        yield _spread(published, before, items, rows, limits)
        yield _moved(published, before, items, rows, _photos(data_lake), limits)


def _spread(
    published: Published, before: np.ndarray, items: Sequence[Mapping[str, Any]], rows: np.ndarray, limits: Limits
) -> dg.AssetCheckResult:
    measured = []
    for space in sorted({item["space"] for item in published.items} & {item["space"] for item in items}):
        samples = [_sample(of, vectors, space) for of, vectors in ((published.items, before), (items, rows))]
        found = embedding_drift.drift(*samples, np.random.default_rng(0))
        if found is not None:
            measured.append(
                {
                    "space": space,
                    "drift": round(found.ratio, 4),
                    "centroid_cosine": round(found.centroid_cosine, 5),
                    "energy": round(found.energy, 6),
                    "energy_by_chance": round(found.by_chance, 6),
                    "products_sampled": found.sampled_now,
                }
            )
    most = max((of["drift"] for of in measured), default=0.0)
    far = [
        f"{of['space']} {of['drift']:g} times what chance reaches"
        for of in measured
        if of["drift"] > limits.most_embedding_drift
    ]
    return dg.AssetCheckResult(
        check_name=STEADY,
        passed=not far,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"spread otherwise than what is published: {', '.join(far)}" if far else None,
        metadata={
            "drift": most,
            "at_most": limits.most_embedding_drift,
            "published": published.version,
            **({"by_space": reporting.table(measured)} if measured else {}),
        },
    )


def _sample(items: Sequence[Mapping[str, Any]], vectors: np.ndarray, space: str) -> np.ndarray:
    places = [place for place, item in enumerate(items) if item["space"] == space]
    chosen = embedding_drift.stable_sample([items[place]["product_id"] for place in places])
    return vectors[np.array(places)[chosen]]


def _moved(
    published: Published,
    before: np.ndarray,
    items: Sequence[Mapping[str, Any]],
    rows: np.ndarray,
    photo_of: Mapping[tuple[str, str, int], str],
    limits: Limits,
) -> dg.AssetCheckResult:
    """Of the items that are in both with the same photo in the same space."""
    place_of = {tables.item_of(item): place for place, item in enumerate(published.items)}
    pairs = []
    for place, item in enumerate(items):
        key = tables.item_of(item)
        old = place_of.get(key)
        if old is None or published.items[old]["space"] != item["space"]:
            continue
        if photo_of.get(key, "").startswith(PurePosixPath(published.items[old]["thumb"]).stem):
            pairs.append((old, place))
    moved = np.zeros(0, bool)
    if pairs:
        left, right = np.array(pairs).T
        moved = embedding_drift.moved(before[left], rows[right])
    count, share = int(moved.sum()), float(moved.mean()) if len(moved) else 0.0
    passed = share <= limits.most_moved_vectors
    return dg.AssetCheckResult(
        check_name=MOVED,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else f"{count} of {len(pairs)} photos that are the same have another vector",
        metadata={
            "same_photos": len(pairs),
            "moved": count,
            "share": round(share, 5),
            "at_most": limits.most_moved_vectors,
            "published": published.version,
        },
    )


def _photos(data_lake: DataLake) -> dict[tuple[str, str, int], str]:
    """The photo of each item; its first letters name the thumbnail in a bundle."""
    table = tables.read_table(data_lake.table("product_images"), tables.PRODUCT_IMAGES)
    columns = [table.column(name).to_pylist() for name in (*tables.ITEM_COLUMNS, "image_blob")]
    return {(product, variant, index): blob for product, variant, index, blob in zip(*columns, strict=True)}


def _nothing_to_compare_with(why: str) -> Iterator[dg.AssetCheckResult]:
    for name in (STEADY, MOVED):
        yield dg.AssetCheckResult(check_name=name, passed=True, description=f"nothing to compare with: {why}")

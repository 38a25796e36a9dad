"""The phone's bundle, checked by the engine before it is published."""

import json
import time
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
from PIL import Image
from pydantic import Field

from assets import acceptance, bundle_contents, reporting
from assets.bundle_rows import check_rows
from catalog.formats import manifest
from resources.baseline import Baseline
from resources.bundle_publishing import Publication
from resources.bundles import Bundles
from resources.data_lake import DataLake
from resources.garbage import megabytes_by_kind
from resources.model_store import ModelStore
from resources.profile import ActiveProfile


class Publishing(dg.Config):
    """How `android_bundle` is published."""

    accept_changes: bool = Field(False, description=acceptance.ACCEPT)


@dg.asset(
    deps=[
        "raw_catalog",
        "product_images",
        "embeddings_bin",
        "texture_bin",
        "color_signatures_bin",
        "category_prototypes",
        "int8_models",
    ],
    group_name="bundle",
    kinds={"android"},
    owners=["team:search"],
)
def android_bundle(
    config: Publishing,
    data_lake: DataLake,
    active_profile: ActiveProfile,
    model_store: ModelStore,
    bundles: Bundles,
    baseline: Baseline,
) -> dg.MaterializeResult:
    """All a phone needs to search this catalogue without a network; `current` is the one that is published.

    It is built beside, opened by the engine that ships, held to its own golden queries, to every file's sha256 and to
    the lake's own rows, signed where the home has a key, and only then published by one rename.
    """
    started = time.perf_counter()
    profile = active_profile.read()
    with bundles.building() as building:
        items = bundle_contents.write_index(building, data_lake, profile)
        acceptance.refuse_a_lossy_bundle(baseline, items, accept=config.accept_changes)
        acceptance.refuse_unexplained_losses(baseline, items, data_lake)
        shapes = bundle_contents.write_matrices(building.folder, items, data_lake, profile)
        values = bundle_contents.describe(building, items, shapes, data_lake, model_store, profile)
        manifest.write_manifest(building.folder, values)
        golden = bundle_contents.write_golden_queries(building, items, data_lake, profile)
        files = manifest.describe_files(building.folder, shapes, bundles.digest_of, profile.bundle.vectors)
        version = manifest.write_manifest(building.folder, {**values, "golden": golden, "files": files})
        key_id = bundles.store.sign(building.folder)
        check_rows(bundles.verify(building).bundle, data_lake, profile)
        published = bundles.publish(building, version, profile.bundle.versions_kept)
    if published.current:
        baseline.published_anew()
    kinds = {"index": ".bin", "models": ".onnx", "thumbnails": ".jpg", "golden": ".png", "text": ".json"}
    sizes = {
        kind: [file["size_bytes"] for name, file in files.items() if name.endswith(suffix)]
        for kind, suffix in kinds.items()
    }
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata={
            "bundle": dg.MetadataValue.path(str(bundles.current)),
            "bundle_version": version,
            "published": published.current,
            "took_the_place_of": published.before or "none",
            **({"notice": notice} if (notice := _notice(published)) else {}),
            "signed_by_key": key_id or "not signed",
            "items": len(items),
            "products": len({item["product_id"] for item in items}),
            "by_category": reporting.by_category(items, itemgetter("category")),
            "contents": reporting.table(
                [{"what": kind, "files": len(of), "megabytes": round(sum(of) / 1e6, 2)} for kind, of in sizes.items()]
            ),
            "files_linked": building.linked,  # the same as in the version before: no byte was copied
            "files_copied": building.copied,
            "golden_queries": len(golden),
            "golden_results": reporting.picture(
                _golden_pictures(published.folder, items), "golden queries and their results"
            ),
            **{f"{name}_megabytes": size for name, size in megabytes_by_kind(Path(data_lake.root)).items()},
            "seconds": round(time.perf_counter() - started, 1),
            "megabytes": round(sum(file["size_bytes"] for file in files.values()) / 1e6, 3),
        },
    )


def _notice(published: Publication) -> str:
    """What whoever rolled back should hear of; "" where nobody did."""
    if not published.current:
        return (
            f"held: {published.version} is kept beside, {published.before} stays current; `lookbook bundle release` "
            "publishes it"
        )
    if published.left_rollback:
        return f"{published.version} is current; it took the place of {published.before}, which was rolled back to"
    return ""


def _golden_pictures(folder: Path, items: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
    """Each golden photo and its first seven results, a row a query."""
    pictures = []
    for where in sorted((folder / "golden").iterdir()):
        expected = json.loads((where / "expected.json").read_text(encoding="utf-8"))
        files = [where / "photo.png", *[folder / items[hit["row"]]["thumb"] for hit in expected["results"]]]
        pictures += reporting.whole_row([_picture(file) for file in files])
    return pictures


def _picture(file: Path) -> np.ndarray:
    with Image.open(file) as opened:
        return np.asarray(opened.convert("RGB"))

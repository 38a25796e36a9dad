"""Asset checks: what must be so before the next stage runs. A blocking check that fails stops the run there."""

import dagster as dg
import numpy as np

from assets.bins import COLORS_BIN, EMBEDDINGS_BIN, TEXTURE_BIN, read_bin
from assets.bundle_rows import rows_that_differ
from catalog.errors import LookbookError
from catalog.features.product_masks import SALIENCY_FALLBACK
from catalog.formats import digests, tables
from catalog.model_descriptions import MODELS
from catalog.vision.color import COLOR_SIGNATURE_DIM, HUE_BINS, SATURATION_BINS
from catalog.vision.masks import FULL_FRAME
from query.golden import check_golden
from resources.bundles import Bundles
from resources.data_lake import DataLake
from resources.model_store import ModelStore
from resources.profile import ActiveProfile

MOST_WITHOUT_MASK = 0.3  # of all photos, whose whole frame had to be taken
MOST_FALLEN_BACK = 0.5  # of all photos, whose mask is the saliency segmenter's though another was asked
LENGTH_TOLERANCE = 1e-3


@dg.asset_check(asset="sam2_masks", blocking=True)
def masks_cover_products(data_lake: DataLake) -> dg.AssetCheckResult:
    """Every mask has an area, and few products had to be taken with their whole frame."""
    rows = tables.read(data_lake.table("sam2_masks"), tables.SAM2_MASKS)
    empty = sum(not row["area_fraction"] > 0 for row in rows)
    whole = sum(FULL_FRAME in row["flags"] for row in rows) / len(rows)
    return dg.AssetCheckResult(
        passed=empty == 0 and whole <= MOST_WITHOUT_MASK,
        metadata={"empty_masks": empty, "share_with_the_whole_frame": round(whole, 4), "at_most": MOST_WITHOUT_MASK},
    )


@dg.asset_check(asset="sam2_masks")
def few_masks_fell_back(data_lake: DataLake) -> dg.AssetCheckResult:
    """Where a segmenter is prompted, its own masks were good on most photos; else it may be a broken checkpoint."""
    rows = tables.read(data_lake.table("sam2_masks"), tables.SAM2_MASKS)
    share = sum(SALIENCY_FALLBACK in row["flags"] for row in rows) / len(rows)
    return dg.AssetCheckResult(
        passed=share <= MOST_FALLEN_BACK,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"share_of_fallbacks": round(share, 4), "at_most": MOST_FALLEN_BACK},
    )


@dg.asset_check(asset="embeddings_bin", blocking=True)
def embeddings_have_unit_length(data_lake: DataLake, active_profile: ActiveProfile) -> dg.AssetCheckResult:
    """No row of zeros, no row of another length than 1, as many rows as items."""
    return _unit_rows(data_lake, EMBEDDINGS_BIN, MODELS[active_profile.read().encoders.semantic].embedding_dim)


@dg.asset_check(asset="texture_bin", blocking=True)
def textures_have_unit_length(data_lake: DataLake, active_profile: ActiveProfile) -> dg.AssetCheckResult:
    """No row of zeros, no row of another length than 1, as many rows as items."""
    return _unit_rows(data_lake, TEXTURE_BIN, MODELS[active_profile.read().encoders.texture].embedding_dim)


@dg.asset_check(asset="color_signatures_bin", blocking=True)
def color_histograms_sum_to_one(data_lake: DataLake) -> dg.AssetCheckResult:
    """Hue, saturation and value of every row each sum to 1; as many rows as items."""
    _, rows = read_bin(data_lake, COLORS_BIN, COLOR_SIGNATURE_DIM)
    groups = np.add.reduceat(rows, [0, HUE_BINS, HUE_BINS + SATURATION_BINS], axis=1)
    wrong = np.flatnonzero(np.abs(groups - 1).max(axis=1) > LENGTH_TOLERANCE)
    return dg.AssetCheckResult(passed=not len(wrong), metadata={"rows": len(rows), "rows_that_do_not": len(wrong)})


@dg.asset_check(asset="int8_models", blocking=True)
def shipped_models_passed_the_gate(model_store: ModelStore) -> dg.AssetCheckResult:
    """Every model that ships passed the gate in the form it ships in, and is the file that was measured."""
    shipped = model_store.read_gate()
    wrong = []
    for entry in shipped:
        last = entry["tried"][-1]
        if not last["passed"] or digests.of_file(model_store.shipped_model(entry["model"])) != entry["sha256"]:
            wrong.append(entry["model"])
    forms = {entry["model"]: entry["form"] for entry in shipped}
    return dg.AssetCheckResult(passed=not wrong, metadata={"forms": forms, "wrong": ", ".join(wrong) or "none"})


@dg.asset_check(asset="android_bundle", blocking=True)
def bundle_is_whole(bundles: Bundles) -> dg.AssetCheckResult:
    """Every file of the published bundle has its manifest's sha256, its signature is trusted, it answers its golden
    queries: asked now, unless the same run asked before it published that very version.
    """
    try:
        engine = bundles.open_current()
        version = engine.bundle.manifest["bundle_version"]
        answered = bundles.has_answered(version)
        golden = len(engine.bundle.manifest["golden"]) if answered else check_golden(engine)
    except LookbookError as error:
        return dg.AssetCheckResult(passed=False, metadata={"error": str(error)})
    return dg.AssetCheckResult(
        passed=True,
        metadata={
            "bundle_version": version,
            "files": len(engine.bundle.manifest["files"]),
            "golden_queries": golden,
            "asked": "before it was published, in this run" if answered else "now",
            "signed_by": engine.bundle.signer.name if engine.bundle.signer else "not signed",
        },
    )


@dg.asset_check(asset="android_bundle", blocking=True)
def bundle_rows_are_its_items(
    data_lake: DataLake, bundles: Bundles, active_profile: ActiveProfile
) -> dg.AssetCheckResult:
    """Row i of every .bin of the published bundle is the lake's own row of item i of catalog.json.

    A build asks before it publishes. After a rollback the lake is the newer one: differing rows are then told, and are
    no fault that a build should mend, since that would undo the rollback.
    """
    bundle = bundles.open_current().bundle
    behind = bundles.store.behind()
    wrong = rows_that_differ(bundle, data_lake, active_profile.read())
    return dg.AssetCheckResult(
        passed=behind is not None or not any(wrong.values()),
        metadata={"items": len(bundle.items), **wrong, **({"current_is": behind} if behind else {})},
    )


def _unit_rows(data_lake: DataLake, name: str, dim: int) -> dg.AssetCheckResult:
    _, rows = read_bin(data_lake, name, dim)
    lengths = np.linalg.norm(rows, axis=1)
    zeros = int(np.count_nonzero(lengths == 0))
    wrong = int(np.count_nonzero(np.abs(lengths - 1) > LENGTH_TOLERANCE))
    return dg.AssetCheckResult(
        passed=wrong == 0, metadata={"rows": len(rows), "rows_of_zeros": zeros, "rows_of_another_length": wrong}
    )

"""Embeddings against those of the published bundle, by the real asset on a built home."""

import dagster as dg
import numpy as np
import pytest

from dagster_project.definitions import build_definitions
from resources.home import Home


@pytest.fixture
def checked(shop_copy):
    """Writes embeddings.bin of a built home again, in this process; returns what the checks said, by name."""

    def run():
        job = build_definitions(Home(shop_copy.home)).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("embeddings_bin")])
        return {entry.check_name: entry for entry in result.get_asset_check_evaluations()}

    return run


@pytest.fixture
def bundle(shop_copy):
    return (shop_copy.home / "android_bundle" / "current").resolve()


def test_the_same_embeddings_have_neither_drifted_nor_moved(checked, bundle):
    """Every photo is compared with itself."""
    said = checked()
    moved, steady = said["same_photo_same_vector"], said["embeddings_are_steady"]
    assert moved.passed
    assert (moved.metadata["same_photos"].value, moved.metadata["moved"].value) == (58, 0)
    assert moved.metadata["published"].value == bundle.name
    assert steady.passed
    assert steady.metadata["drift"].value == pytest.approx(0, abs=1e-3)


def test_another_model_under_the_same_photos_warns(checked, bundle):
    """Two thirds of the published vectors turned away: told by the rows, and by the spread of all."""
    file = bundle / "embeddings.bin"
    rows = np.fromfile(file, "<f4").reshape(58, -1)
    turned = rows.copy()
    turned[:40] = -rows[:40]
    file.write_bytes(turned.tobytes())
    said = checked()
    moved, steady = said["same_photo_same_vector"], said["embeddings_are_steady"]
    assert not moved.passed
    assert moved.severity is dg.AssetCheckSeverity.WARN
    assert moved.metadata["moved"].value == 40
    assert moved.description == "40 of 58 photos that are the same have another vector"
    assert not steady.passed
    assert "lookbook-semantic " in steady.description
    assert "times what chance reaches" in steady.description


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda bundle: (bundle.parents[1] / "current").unlink(), "nothing is published yet"),
        (lambda bundle: (bundle / "catalog.json").write_text("[{", "utf-8"), "the published bundle is damaged: "),
        (lambda bundle: (bundle / "catalog.json").unlink(), "the published bundle is damaged: "),
        (lambda bundle: (bundle / "embeddings.bin").unlink(), "the published bundle is damaged: "),
        (lambda bundle: (bundle / "embeddings.bin").write_bytes(b"abc"), "the published bundle is damaged: "),
    ],
    ids=["none", "catalog cut", "catalog gone", "vectors gone", "vectors cut"],
)
def test_without_a_bundle_to_compare_with_it_says_so(checked, bundle, damage, told):
    """And lets the build go on, which makes one."""
    damage(bundle)
    said = checked()
    for name in ("same_photo_same_vector", "embeddings_are_steady"):
        assert said[name].passed
        assert said[name].description.startswith(f"nothing to compare with: {told}")

"""`vectors = "float16"` in a profile's [bundle]: half the bytes, the same results, from the build to the search."""

import json
import shutil
from pathlib import Path

import numpy as np

from catalog.formats import manifest
from query.engine import Engine
from resources.baseline import Baseline
from resources.profile import PROFILES


def test_a_bundle_in_float16_finds_the_same(shop_copy, lookbook, tmp_path):
    """Built, held to the lake and to its golden queries, verified, searched; nine of ten results are as before."""
    current = shop_copy.home / "android_bundle" / "current"
    before = Path(shutil.copytree(current, tmp_path / "float32"))
    embedded = (PROFILES / "embedded.toml").read_text("utf-8")
    assert embedded.count("[bundle]\n") == 1
    (shop_copy.home / "half.toml").write_text(
        embedded.replace("[bundle]\n", '[bundle]\nvectors = "float16"\n'), "utf-8"
    )
    lookbook("build", "--home", shop_copy.home, "--profile", shop_copy.home / "half.toml", "--select", "android_bundle")
    values = json.loads((current / "manifest.json").read_text("utf-8"))
    assert values["format_version"] == 3
    for name in ("embeddings.bin", "texture.bin", "color_signatures.bin", "prototypes.bin"):
        halved = name in manifest.VECTORS
        assert values["files"][name]["dtype"] == ("float16" if halved else "float32")
        assert (current / name).stat().st_size * (2 if halved else 1) == (before / name).stat().st_size
    assert "golden" in lookbook("bundle", "verify", "--home", shop_copy.home).stdout
    assert lookbook("bundle", "diff", "--home", shop_copy.home).returncode == 0

    whole, half = Engine(before), Engine(current)
    published = Baseline(home=str(shop_copy.home)).published()
    assert np.array_equal(published.matrix("embeddings.bin"), half.bundle.embeddings)
    shared, ten = 0, 0
    for photo in shop_copy.queries:
        described, _ = whole.describe(photo)
        wanted, got = whole.search(described), half.search(described)
        assert wanted.categories == got.categories
        scores = {hit.item["product_id"]: hit.scored.score for hit in wanted.hits}
        found = {hit.item["product_id"]: hit.scored.score for hit in got.hits}
        shared, ten = shared + len(scores.keys() & found.keys()), ten + len(scores)
        assert all(abs(scores[product] - score) < 0.001 for product, score in found.items() if product in scores)
    assert shared >= 0.9 * ten

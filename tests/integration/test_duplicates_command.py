"""Photos that a catalogue repeats: found by the asset, told by its check, listed by the command."""

import csv
import json

import dagster as dg
import pytest
from PIL import Image

from dagster_project.definitions import build_definitions
from resources.home import Home

STAGES = ("raw_catalog", "product_images", "photo_duplicates")


@pytest.fixture
def repeating(shop_copy):
    """A shop that lists its first product's photo for a second product too, and a smaller copy of it for a third."""
    shop = shop_copy.home / "shop"
    with (shop / "feed.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with Image.open(shop / rows[0]["image"]) as photo:
        photo.resize((photo.width * 2 // 3, photo.height * 2 // 3)).save(shop / "smaller.jpg", quality=70)
    copies = [{**rows[0], "product_id": "exact copy"}, {**rows[0], "product_id": "near copy", "image": "smaller.jpg"}]
    with (shop / "feed.csv").open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, rows[0].keys()).writerows(copies)
    return shop_copy.home, rows[0]["product_id"]


def run(home, instance):
    """The photos and their report, in this process."""
    job = build_definitions(Home(home)).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(name) for name in STAGES])


def test_pairs_are_found_told_and_listed(repeating, lookbook):
    """One exact pair and one near one, both of two products; a second run hashes no photo again."""
    home, first = repeating
    before = [json.loads(line) for line in lookbook("duplicates", "--home", home, "--json").stdout.splitlines()]
    assert [pair for pair in before if not pair["same_product"]] == []
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(home, instance)
        (said,) = result.asset_materializations_for_node("photo_duplicates")
        counts = {name: value.value for name, value in said.metadata.items()}
        assert (counts["computed"], counts["pairs_across_products"], counts["products_across"]) == (1, 2, 3)
        assert "data:image/jpeg;base64," in counts["pairs_side_by_side"]
        checks = {entry.check_name: entry for entry in result.get_asset_check_evaluations()}
        shared = checks["few_products_share_photos"]
        assert not shared.passed  # 3 of 42 products, most_duplicates is .05
        assert shared.severity is dg.AssetCheckSeverity.WARN
        assert shared.metadata["share"].value == pytest.approx(3 / 42, abs=1e-4)
        (said,) = run(home, instance).asset_materializations_for_node("photo_duplicates")
        assert said.metadata["computed"].value == 0
    listed = lookbook("duplicates", "--home", home, "--across").stdout.splitlines()
    assert listed[0].startswith(f"exact '{first}' ")
    assert " = 'exact copy' " in listed[0]
    assert listed[1].startswith("near ")
    assert "'near copy'" in listed[1]
    assert listed[-1] == "2 pairs: 1 exact, 1 near; 2 of two different products"


def test_without_a_build_it_says_so(lookbook, tmp_path):
    """One line."""
    failed = lookbook("duplicates", "--home", tmp_path, ok=False)
    assert failed.stderr.endswith("photo_duplicates.parquet: not there yet; `lookbook build` makes it\n")

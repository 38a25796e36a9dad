"""The whole graph through the real command: what it leaves behind, and that a second build has nothing to do."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.formats import tables

STAGES = ("raw_catalog", "product_images", "sam2_masks", "product_crops")
FEATURES = ("semantic_embeddings", "texture_features", "color_signatures")


def read_feed(home: Path) -> list[dict[str, str]]:
    with (home / "shop" / "feed.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_photo_of_the_feed_is_an_item_of_every_stage(built_shop):
    """No row is lost between the feed and the index."""
    rows = len(read_feed(built_shop.home))
    lake = built_shop.home / "data_lake"
    for stage in (*STAGES, *FEATURES):
        assert tables.pq.ParquetFile(lake / f"{stage}.parquet").metadata.num_rows == rows, stage
    items = json.loads((built_shop.home / "android_bundle" / "current" / "catalog.json").read_text("utf-8"))
    assert [item["product_id"] for item in items] == [row["product_id"] for row in read_feed(built_shop.home)]


def test_catalog_table_is_typed_and_says_what_the_feed_says(built_shop):
    """Prices are numbers, ids are text, and each value is the feed's."""
    table = tables.read(built_shop.home / "data_lake" / "raw_catalog.parquet", tables.RAW_CATALOG)
    for read, given in zip(table, read_feed(built_shop.home), strict=True):
        assert read["price"] == pytest.approx(float(given["price"]))
        assert [read[name] for name in ("product_id", "variant", "title", "category", "currency", "url")] == [
            given[name] for name in ("product_id", "variant", "title", "category", "currency", "url")
        ]


def test_bins_are_headerless_float32_of_the_documented_shape(built_shop):
    """Size is rows x columns x 4; embeddings and textures have length 1; colour groups sum to 1."""
    bundle = built_shop.home / "android_bundle" / "current"
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    rows = manifest["n_items"]
    for name, columns in (
        ("embeddings.bin", manifest["embedding_dim"]),
        ("texture.bin", manifest["texture_dim"]),
        ("color_signatures.bin", 26),
    ):
        assert (bundle / name).stat().st_size == rows * columns * 4
        matrix = np.fromfile(bundle / name, "<f4").reshape(rows, columns)
        if name == "color_signatures.bin":
            for group in (slice(0, 18), slice(18, 22), slice(22, 26)):
                np.testing.assert_allclose(matrix[:, group].sum(axis=1), 1, atol=1e-4)
        else:
            np.testing.assert_allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-4)


def test_masks_find_the_drawn_products(built_shop):
    """Against the drawn shop's exact masks: the mean IoU is far above what a box would reach."""
    lake = built_shop.home / "data_lake"
    exact = {(r["product_id"], r["variant"]): [] for r in read_feed(built_shop.home)}
    for row in read_feed(built_shop.home):
        exact[row["product_id"], row["variant"]].append(row["mask"])
    overlaps = []
    for row in tables.read(lake / "sam2_masks.parquet", tables.SAM2_MASKS):
        name = row["mask_blob"]
        with Image.open(lake / "masks" / name[:2] / name) as found:
            mask = np.asarray(found.convert("L")) >= 128
        with Image.open(
            built_shop.home / "shop" / exact[row["product_id"], row["variant"]][row["image_index"]]
        ) as wanted:
            product = np.asarray(wanted.convert("L")) >= 128
        overlaps.append(np.count_nonzero(mask & product) / np.count_nonzero(mask | product))
    assert np.mean(overlaps) > 0.85


def test_second_build_has_nothing_to_do(shop_copy, lookbook):
    """`build --stale` reads the feed again, finds everything up to date, says so, and changes no byte of the index;
    also in a home that was moved with its feed."""
    bundle = shop_copy.home / "android_bundle" / "current"
    before = (bundle / "manifest.json").read_bytes()
    done = lookbook("build", "--home", shop_copy.home, "--stale", whole=True)
    assert "everything is up to date" in done.stderr
    assert (bundle / "manifest.json").read_bytes() == before


def test_a_new_price_reaches_the_bundle_and_computes_no_feature(shop_copy, lookbook):
    """Only text changed: every picture and vector is reused."""
    feed = shop_copy.home / "shop" / "feed.csv"
    rows = read_feed(shop_copy.home)
    for row in rows:
        if row["product_id"] == rows[0]["product_id"]:
            row["price"] = "1234.50"
    with feed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    done = lookbook("build", "--home", shop_copy.home, "--feed", shop_copy.feed, "--stale")
    assert " 0 computed" in line_of(done.stderr, "product_images")
    assert "sam2_masks" not in done.stderr  # product_images came out the same: the wave stopped there
    items = json.loads((shop_copy.home / "android_bundle" / "current" / "catalog.json").read_text("utf-8"))
    assert {item["price"] for item in items if item["product_id"] == rows[0]["product_id"]} == {1234.5}


def test_a_removed_product_leaves_and_a_replaced_photo_is_computed_alone(shop_copy, lookbook):
    """One product fewer and one photo under its old name with other pixels: exactly one row is computed a stage."""
    rows = read_feed(shop_copy.home)
    gone, changed = rows[-1]["product_id"], rows[0]
    with Image.open(shop_copy.home / "shop" / changed["image"]) as photo:
        photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(shop_copy.home / "shop" / changed["image"])
    kept = [row for row in rows if row["product_id"] != gone]
    with (shop_copy.home / "shop" / "feed.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    done = lookbook("build", "--home", shop_copy.home, "--feed", shop_copy.feed, "--stale")
    for stage in ("product_images", "sam2_masks", "product_crops", *FEATURES):
        line = line_of(done.stderr, stage)
        assert " 1 computed" in line, line
        assert f"{len(rows) - len(kept)} removed" in line, line
    items = json.loads((shop_copy.home / "android_bundle" / "current" / "catalog.json").read_text("utf-8"))
    assert gone not in {item["product_id"] for item in items}


def test_two_homes_never_touch(built_shop, lookbook, tmp_path):
    """A build in one home leaves every byte of another as it was."""
    before = snapshot(built_shop.home)
    other = tmp_path / "other"
    feed = built_shop.feed
    lookbook("build", "--home", other, "--feed", feed, "--select", "raw_catalog")
    assert (other / "data_lake" / "raw_catalog.parquet").is_file()
    assert snapshot(built_shop.home) == before


def test_benchmark_reports_every_measure_with_an_interval(built_shop, lookbook):
    """The labelled queries of the drawn shop: success, routing, prints and masks, each mean within its interval."""
    report = json.loads(lookbook("results", "--home", built_shop.home, "--json").stdout)
    measures = report["measures"]["full score"]
    for name in ("success@1", "success@10", "variant success@1", "routed@1", "print precision@10", "mask IoU"):
        assert 0 <= measures[name]["low"] <= measures[name]["mean"] <= measures[name]["high"] <= 1, name
    assert report["queries"] == len(built_shop.queries)
    assert measures["success@10"]["mean"] >= 0.5  # 40 products: chance is 0.25
    assert "| full score |" in lookbook("results", "--home", built_shop.home).stdout


def test_selected_assets_only(shop_copy, lookbook):
    """`--select` runs what it names and nothing else; a name that isn't there is one clear line."""
    done = lookbook("build", "--home", shop_copy.home, "--feed", shop_copy.feed, "--select", "texture_features+")
    assert "texture_bin" in done.stderr
    assert "product_images" not in done.stderr
    assert "android_bundle" in done.stderr  # `+` is everything that comes after
    done = lookbook("build", "--home", shop_copy.home, "--select", "raw_catalog, texture_bin")
    assert "2 assets in" in done.stderr
    failed = lookbook("build", "--home", shop_copy.home, "--select", "texture", ok=False)
    assert failed.stderr.count("lookbook: ") == 1
    assert "--select 'texture': no such asset; there are " in failed.stderr
    failed = lookbook("build", "--home", shop_copy.home, "--select", "raw_catalog,nosuch", ok=False)
    assert "--select 'nosuch': no such asset" in failed.stderr
    failed = lookbook("build", "--home", shop_copy.home, "--select", "texture (", ok=False)
    assert "--select 'texture (': not a selection as Dagster knows it" in failed.stderr


def line_of(output: str, asset: str) -> str:
    """The line that the build prints of an asset."""
    return next(line for line in output.splitlines() if line.strip().startswith(f"{asset} ") and "item" in line)


def snapshot(home: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file under a home."""
    return {
        str(file.relative_to(home)): (file.stat().st_size, file.stat().st_mtime_ns)
        for file in home.rglob("*")
        if file.is_file()
    }

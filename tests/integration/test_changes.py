"""What a change makes stale, and what a refresh then builds: a table of changes against sets of assets.

Each line starts from a copy of one home of ten drawn products that is up to date. `at once` is what Dagster's UI shows
as unsynced before anything ran (a changed feed is first seen when it is read); `built` is what `lookbook build --stale`
materialises, beside the two assets that read the feed. docs/results.md has the same table.
"""

import csv
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import onnx
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from PIL import Image

from assets import versions
from catalog.errors import LookbookError
from catalog.formats import digests
from catalog.model_descriptions import MODELS
from dagster_project.building import run_build
from dagster_project.definitions import build_definitions
from dagster_project.feed_reads import last_read, last_whole_read
from resources import model_store
from resources.home import Home
from resources.profile import PROFILES
from tests.conftest import draw_shop

READ = {"raw_catalog", "labelled_queries"}
PICTURES = {"product_images", "sam2_masks", "product_crops", "photo_duplicates"}
FEATURES = {"semantic_embeddings", "texture_features", "color_signatures"}
BINS = {"embeddings_bin", "texture_bin", "color_signatures_bin"}
BUNDLE = {"android_bundle", "benchmark"}
ROWS = PICTURES | FEATURES | BINS | {"category_prototypes", "int8_models"}
TOLD = {"product_images", "semantic_embeddings", "category_prototypes"}  # they read raw_catalog: no row is computed


class Shop(NamedTuple):
    """A home with its shop's files."""

    home: Path

    @property
    def feed(self) -> Path:
        return self.home / "shop" / "feed.csv"

    def rows(self) -> list[dict[str, str]]:
        with self.feed.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def write(self, rows: list[dict[str, str]], file: Path | None = None) -> None:
        with (file or self.feed).open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)

    def set(self, column: str, value: str) -> None:
        """Of the first product, every row."""
        rows = self.rows()
        self.write([{**row, column: value} if row["product_id"] == rows[0]["product_id"] else row for row in rows])

    def profile(self, old: str, new: str) -> None:
        path = self.home / "profile.toml"
        text = path.read_text("utf-8")
        assert text.count(old) == 1, old
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def up_to_date(tmp_path_factory) -> Path:
    """The home that every line starts from."""
    home = tmp_path_factory.mktemp("changes") / "home"
    draw_shop(home / "shop", products=10, queries=4)
    shutil.copy(PROFILES / "embedded.toml", home / "profile.toml")
    build(home, profile=str(home / "profile.toml"), feed=str(home / "shop" / "feed.toml"), stale=False)
    return home


@pytest.fixture
def shop(up_to_date, tmp_path) -> Shop:
    """A copy in the same place under another name would be another feed: the home is moved away and back instead."""
    kept = tmp_path / "kept"
    shutil.copytree(up_to_date, kept, symlinks=True)
    yield Shop(up_to_date)
    shutil.rmtree(up_to_date)
    shutil.copytree(kept, up_to_date, symlinks=True)


def build(home: Path, *, profile=None, feed=None, stale=True, **more) -> None:
    """As the command does, in this process."""
    kept = dict(os.environ)
    try:
        run_build(home, profile=profile, feed=feed, select=None, stale=stale, **more)
    finally:
        os.environ.clear()
        os.environ.update(kept)


def instance_of(home: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(home / ".dagster"))


def unsynced(home: Path) -> set[str]:
    """What the UI shows as unsynced or never materialised."""
    definitions = build_definitions(Home(home))
    graph = definitions.resolve_asset_graph()
    with instance_of(home) as instance:
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return {
            key.to_user_string()
            for key in graph.toposorted_asset_keys
            if resolver.get_status(key) is not StaleStatus.FRESH
        }


def materialised(home: Path) -> dict[str, list[dg.AssetMaterialization]]:
    """Every materialisation on record, newest first."""
    keys = build_definitions(Home(home)).resolve_asset_graph().toposorted_asset_keys
    with instance_of(home) as instance:
        return {
            key.to_user_string(): [
                record.asset_materialization for record in instance.fetch_materializations(key, limit=50).records
            ]
            for key in keys
        }


def refreshed(home: Path, **more) -> dict[str, dict[str, object]]:
    """Refresh, and give the metadata of what was materialised, each once."""
    before = materialised(home)
    build(home, **more)
    built = {}
    for name, records in materialised(home).items():
        new = records[: len(records) - len(before[name])]
        assert len(new) <= 1, f"{name} was built {len(new)} times"
        if new:
            built[name] = {key: plain(value.value) for key, value in new[0].metadata.items()}
    return built


def plain(value: object) -> object:
    """A table's rows as dicts; any other value as it is."""
    records = getattr(value, "records", None)
    return value if records is None else [record.data for record in records]


def computed(built: dict[str, dict[str, object]]) -> dict[str, object]:
    return {name: values["computed"] for name, values in built.items() if values.get("computed")}


def replace_photo(shop: Shop) -> None:
    path = shop.feed.parent / shop.rows()[0]["image"]
    with Image.open(path) as photo:
        flipped = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    flipped.save(path)


def remove_product(shop: Shop) -> None:
    rows = shop.rows()
    shop.write([row for row in rows if row["product_id"] != rows[-1]["product_id"]])


def add_product(shop: Shop) -> None:
    """Known pictures under a new id: the only rows that cost nothing though they are new."""
    rows = shop.rows()
    shop.write([*rows, {**rows[0], "product_id": "new", "variant": ""}])


def move_product(shop: Shop) -> None:
    rows = shop.rows()
    other = next(row["category"] for row in rows if row["category"] != rows[0]["category"])
    shop.set("category", other)


def drop_query(shop: Shop) -> None:
    file = shop.feed.with_name("queries.csv")
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    shop.write(rows[1:], file)


def weigh_otherwise(shop: Shop) -> None:
    shop.profile("texture_weight = 0.25\ncolor_weight = 0.40", "texture_weight = 0.35\ncolor_weight = 0.30")


class Change(NamedTuple):
    """A line of the table."""

    edit: Callable[[Shop], None]
    at_once: set[str]
    built: set[str]
    computed: frozenset[str] | set[str] = frozenset()  # where rows are computed


CHANGES = {
    "nothing": Change(lambda shop: None, set(), set()),
    "a title": Change(lambda shop: shop.set("title", "Other"), set(), TOLD | BUNDLE),
    "a price": Change(lambda shop: shop.set("price", "12.34"), set(), TOLD | BUNDLE),
    "a photo replaced under its name": Change(replace_photo, set(), ROWS | BUNDLE, PICTURES | FEATURES),
    "a product removed": Change(remove_product, set(), ROWS | BUNDLE),
    "a product added, its photos known": Change(add_product, set(), ROWS | BUNDLE),
    "a product moved to another category": Change(move_product, set(), TOLD | BUNDLE),
    "a labelled query dropped": Change(drop_query, set(), {"int8_models", "benchmark"}),
    "fusion weights": Change(weigh_otherwise, {"android_bundle"}, BUNDLE),
    "the router's margin": Change(
        lambda shop: shop.profile("margin = 0.10", "margin = 0.08"), {"android_bundle"}, BUNDLE
    ),
    "the router's least products": Change(
        lambda shop: shop.profile("min_products = 5", "min_products = 6"),
        {"category_prototypes", "android_bundle"}, {"category_prototypes"} | BUNDLE,
    ),
    "thumbnails' size": Change(
        lambda shop: shop.profile("thumb_size = 192", "thumb_size = 160"), {"android_bundle"}, BUNDLE
    ),
    "the gate's threshold": Change(
        lambda shop: shop.profile("min_cosine_mean = 0.98", "min_cosine_mean = 0.97"), {"int8_models"}, {"int8_models"}
    ),
    "a category's words": Change(
        lambda shop: shop.profile('aliases = ["hats", ', 'aliases = ["hatz", "hats", '),
        {"category_prototypes"}, {"category_prototypes"},
    ),
    "the crop's side": Change(
        lambda shop: shop.profile("crop_side_px = 512", "crop_side_px = 256"), {"product_crops", "android_bundle"},
        {"product_crops"} | FEATURES | BINS | {"category_prototypes", "int8_models"} | BUNDLE,
        {"product_crops"} | FEATURES,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_stale_what_stands_on_it_and_nothing_else(shop, name):
    change = CHANGES[name]
    change.edit(shop)
    assert unsynced(shop.home) == change.at_once
    built = refreshed(shop.home)
    assert set(built) - READ == change.built
    assert {stage for stage in computed(built) if stage != "photo_duplicates"} == change.computed - {"photo_duplicates"}
    assert unsynced(shop.home) == set()


@pytest.mark.parametrize("stage", ["product_crops", "color_signatures", "texture_features"])
def test_other_code_with_the_same_result_stops_there(shop, stage, monkeypatch):
    """The stage alone is unsynced and built, every row anew; nothing that stands on it is."""
    derived = getattr(versions, stage)
    monkeypatch.setattr(versions, stage, lambda *arguments: derived(*arguments)[::-1])
    assert unsynced(shop.home) == {stage}
    built = refreshed(shop.home)
    assert set(built) - READ == {stage}
    assert built[stage]["reused"] == 0
    assert unsynced(shop.home) == set()


def test_another_model_recomputes_what_stands_on_it(shop, tmp_path, monkeypatch):
    """The texture encoder in another file, of the same weights: its features and forms are made anew, no others."""
    shutil.copytree(model_store.EMBEDDED, tmp_path / "embedded")
    path = tmp_path / "embedded" / "lookbook-texture.onnx"
    network = onnx.load(path)
    network.doc_string = "another"
    onnx.save(network, path)
    row = replace(MODELS["lookbook-texture"], sha256=digests.of_file(path), size_bytes=path.stat().st_size)
    monkeypatch.setitem(MODELS, "lookbook-texture", row)
    monkeypatch.setattr(model_store, "EMBEDDED", tmp_path / "embedded")
    assert unsynced(shop.home) == {"fp32_models", "texture_features", "int8_models"}
    built = refreshed(shop.home)
    assert set(built) - READ == {"fp32_models", "texture_features", "int8_models"} | BUNDLE
    assert computed(built) == {"texture_features": built["texture_features"]["items"]}


def test_a_file_that_is_gone_is_made_again(shop):
    """Dagster's record says that its asset is fresh; a refresh looks at what is there."""
    lake = shop.home / "data_lake"
    before = (lake / "sam2_masks.parquet").read_bytes()
    (lake / "sam2_masks.parquet").unlink()
    (lake / "bins" / "texture.bin").unlink()
    built = refreshed(shop.home)
    assert set(built) - READ == {"sam2_masks", "texture_bin"}
    assert (lake / "sam2_masks.parquet").read_bytes() == before
    assert set(refreshed(shop.home)) == READ


def test_each_kind_of_change_costs_its_own_rows(shop):
    """Replaced, removed, added at once: counts of every stage, by category too."""
    replace_photo(shop)
    rows = shop.rows()
    last = rows[-1]["product_id"]
    gone = sum(row["product_id"] == last for row in rows)
    shop.write([*[row for row in rows if row["product_id"] != last], {**rows[1], "product_id": "new", "variant": ""}])
    built = refreshed(shop.home)
    for stage in ("product_images", "sam2_masks", "product_crops", *FEATURES):
        told = built[stage]
        assert (told["computed"], told["removed"], told["failed"]) == (1, gone, 0), stage
        assert told["reused"] == told["items"] - 1, stage
        assert told["seconds_saved"] > 0
        by_category = {record["category"]: record for record in told["by_category"]}
        assert by_category[rows[0]["category"]]["computed"] == 1
        assert sum(record["computed"] for record in by_category.values()) == 1
        assert sum(record["photos"] for record in by_category.values()) == told["items"]
        assert by_category["(left the catalogue)"]["removed"] == gone
    for asset in ("embeddings_bin", "android_bundle", "benchmark"):
        assert {record["category"] for record in built[asset]["by_category"]} <= set(categories_of(shop)), asset


def test_a_category_is_refreshed_alone(shop):
    """Its new title and photo come in, another category's do not until it is asked for as well."""
    rows = shop.rows()
    first, other = rows[0], next(row for row in rows if row["category"] != rows[0]["category"])
    changed = {first["product_id"], other["product_id"]}
    shop.write([{**row, "title": "New"} if row["product_id"] in changed else row for row in rows])
    for row in (first, other):
        path = shop.feed.parent / row["image"]
        with Image.open(path) as photo:
            photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    built = refreshed(shop.home, stale=False, categories=[first["category"].upper()])
    assert "labelled_queries" not in built
    assert computed(built) == dict.fromkeys(
        ["product_images", "sam2_masks", "product_crops", *FEATURES, "photo_duplicates"], 1
    )
    assert titles(shop)[first["product_id"]] == {"New"}
    assert titles(shop)[other["product_id"]] != {"New"}
    refreshed(shop.home, stale=False, categories=[other["category"]])
    assert titles(shop)[other["product_id"]] == {"New"}
    assert set(refreshed(shop.home)) == READ  # and both together are the whole feed


def test_a_product_that_changes_category_is_neither_lost_nor_doubled(shop):
    """Refreshing where it was, or where it is now, moves it."""
    rows = shop.rows()
    before, after = rows[0]["category"], next(row["category"] for row in rows if row["category"] != rows[0]["category"])
    count = len(titles(shop))
    shop.set("category", after)
    refreshed(shop.home, stale=False, categories=[before])
    assert categories(shop)[rows[0]["product_id"]] == {after}
    shop.set("category", before)
    refreshed(shop.home, stale=False, categories=[before])
    assert categories(shop)[rows[0]["product_id"]] == {before}
    assert len(titles(shop)) == count


def test_the_feed_counts_as_read_once_all_of_it_was(shop):
    """What only one category was read of leaves the others for the next refresh to see."""
    build(shop.home, stale=False, categories=[shop.rows()[0]["category"]])
    with instance_of(shop.home) as instance:
        assert last_read(instance).digest == ""
    build(shop.home)
    with instance_of(shop.home) as instance:
        assert last_read(instance) == last_whole_read(instance)


def test_a_bundle_is_fresh_as_soon_as_it_is_built(shop):
    """By the first build, all in one run, and by a refresh."""
    first = last_said_of_freshness(shop.home)
    assert (first.passed, first.run.tags) == (True, {"lookbook/started_by": "command", "lookbook/profile": "profile"})
    shop.set("title", "New")
    assert "android_bundle" in refreshed(shop.home)
    second = last_said_of_freshness(shop.home)
    assert second.passed
    assert second.run.run_id != first.run.run_id


class Said(NamedTuple):
    """What the check `bundle_is_fresh` said, and in which run."""

    passed: bool
    run: dg.DagsterRun


def last_said_of_freshness(home: Path) -> Said:
    key = dg.AssetCheckKey(dg.AssetKey("android_bundle"), "bundle_is_fresh")
    with instance_of(home) as instance:
        (last,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        return Said(last.status.value == "SUCCEEDED", instance.get_run_by_id(last.run_id))


def test_a_category_is_refused_where_it_can_not_be_refreshed_alone(shop):
    """One that is nowhere, and a home that is not up to date."""
    with pytest.raises(LookbookError, match=r"no category 'nosuch' in the feed or the catalogue; "):
        build(shop.home, stale=False, categories=["nosuch"])
    shop.profile("margin = 0.10", "margin = 0.06")
    told = r"refreshes what is up to date, but android_bundle is missing or stale: run `lookbook build --stale` first"
    with pytest.raises(LookbookError, match=told):
        build(shop.home, stale=False, categories=[shop.rows()[0]["category"]])


def categories_of(shop: Shop) -> list[str]:
    return [row["category"] for row in shop.rows()]


def titles(shop: Shop) -> dict[str, set[str]]:
    return of_products(shop, "title")


def categories(shop: Shop) -> dict[str, set[str]]:
    return of_products(shop, "category")


def of_products(shop: Shop, column: str) -> dict[str, set[str]]:
    """What the published bundle says of each product."""
    import json

    found: dict[str, set[str]] = {}
    for item in json.loads((shop.home / "android_bundle" / "current" / "catalog.json").read_text("utf-8")):
        found.setdefault(item["product_id"], set()).add(item[column])
    return found

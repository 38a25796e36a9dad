"""The benchmark of a home from day to day: queries that leak, another bundle, fitted weights, no queries at all."""

import csv
import json
import re
import shutil
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from PIL import Image

from assets.query_photos import left_out_queries
from catalog.evaluation.leakage import Hashes
from catalog.profiles import parse_profile
from dagster_project.building import run_build
from dagster_project.cli import main
from query.engine import Engine

PROFILES = Path(__file__).resolve().parents[2] / "resources" / "profiles"
WEIGHT = re.compile(r"^(\w+)_weight = .*$", re.MULTILINE)  # a profile's line


@pytest.fixture(scope="module")
def changed_shop(built_shop, tmp_path_factory):
    """The built shop after only the semantic part counts, and two of its query photos leak: to the byte, and nearly."""
    home = tmp_path_factory.mktemp("changed") / "home"
    shutil.copytree(built_shop.home, home, symlinks=True)
    shop = home / "shop"
    with (shop / "feed.csv").open(encoding="utf-8", newline="") as file:
        sold = list(csv.DictReader(file))
    shutil.copy(shop / sold[0]["image"], shop / "the_very_file.jpg")
    with Image.open(shop / sold[5]["image"]) as photo:
        photo.resize((photo.width * 3 // 4, photo.height * 3 // 4)).save(shop / "nearly.jpg", quality=70)
    with (shop / "queries.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        asked, names = list(reader), reader.fieldnames
    asked[0]["image"], asked[1]["image"] = "the_very_file.jpg", "nearly.jpg"
    with (shop / "queries.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(asked)
    text = (PROFILES / "embedded.toml").read_text("utf-8")
    text = WEIGHT.sub(lambda line: f"{line[1]}_weight = {1.0 if line[1] == 'semantic' else 0.0}", text)
    (home / "mine.toml").write_text(text, encoding="utf-8")
    run_build(
        home,
        profile=str(home / "mine.toml"),
        feed=str(shop / "feed.toml"),
        select="labelled_queries,android_bundle,benchmark",
        stale=False,
    )
    return home


def report_of(home: Path) -> dict:
    return json.loads((home / "data_lake" / "benchmark.json").read_text("utf-8"))


def test_query_photos_of_the_gallery_are_not_measured(changed_shop, built_shop, lookbook):
    """Told in the rejected table with what they are, in the results, and by a check that fails but stops nothing."""
    told = [json.loads(line) for line in lookbook("rejected", "--home", changed_shop, "--json").stdout.splitlines()]
    leaks = {row["image"]: row for row in told if row["reason"] == "query_in_gallery"}
    assert leaks.keys() == {"the_very_file.jpg", "nearly.jpg"}
    assert "it is the very file of photo 0 of " in leaks["the_very_file.jpg"]["detail"]
    assert "it is but for its size or compression photo " in leaks["nearly.jpg"]["detail"]
    assert "name another photo, or take it out of the catalogue" in leaks["nearly.jpg"]["detail"]
    report = report_of(changed_shop)
    assert report["queries_in_the_gallery"] == 2
    assert report["queries"] == len(built_shop.queries) - 2  # and two that were not measured: they add up
    assert report["measures"]["full score"]["success@1"]["queries"] == len(built_shop.queries) - 2
    assert "2 of them since their photo is in the gallery" in lookbook("results", "--home", changed_shop).stdout
    assert checked(changed_shop) is False
    assert checked(built_shop.home) is True


def checked(home: Path) -> bool:
    """What the last check for leaks said."""
    with dg.DagsterInstance.from_config(str(home / ".dagster")) as instance:
        key = dg.AssetCheckKey(dg.AssetKey("benchmark"), "no_query_is_in_the_gallery")
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        evaluation = record.event.dagster_event.asset_check_evaluation_data
        assert evaluation.severity == dg.AssetCheckSeverity.ERROR
        return evaluation.passed


def test_the_bundle_is_compared_with_the_one_before(changed_shop, built_shop, lookbook):
    """By the ten photos that both were asked; the difference is worked out here from the two homes' tables."""
    found = report_of(changed_shop)["against_the_bundle_before"]
    assert found["bundle_version"] == report_of(built_shop.home)["bundle_version"]
    before, now = (first_places(home) for home in (built_shop.home, changed_shop))
    common = before.keys() & now.keys()
    assert len(common) == len(built_shop.queries) - 2
    rank = found["differences"]["reciprocal rank@10"]
    assert rank["queries"] == len(common)
    assert rank["mean"] == pytest.approx(np.mean([now[photo] - before[photo] for photo in common]))
    assert rank["low"] <= rank["mean"] <= rank["high"]
    assert 0 < rank["p"] <= 1
    printed = lookbook("results", "--home", changed_shop).stdout
    assert f"| score | success@1 (n = {len(common)}) | " in printed
    assert "| measure | difference | p | p (Holm) | queries |" in printed
    assert f"Against bundle {found['bundle_version']}, over the queries that both were asked:" in printed
    assert report_of(built_shop.home)["against_the_bundle_before"] is None


def first_places(home: Path) -> dict[str, float]:
    """The reciprocal rank of every query photo by the full score."""
    rows = pq.read_table(home / "data_lake" / "benchmark_values.parquet").to_pylist()
    return {
        row["photo"]: row["values"][row["measures"].index("reciprocal rank@10")]
        for row in rows
        if row["score"] == "full score"
    }


def test_measured_again_nothing_changes(changed_shop):
    """The same bundle: the same tables, the same comparison, and the same data version, which no time shapes."""
    lake = changed_shop / "data_lake"
    names = ("benchmark_values.parquet", "benchmark_values_before.parquet", "gallery_hashes.parquet")
    before = [(lake / name).read_bytes() for name in names]
    compared = report_of(changed_shop)["against_the_bundle_before"]
    versions = [data_version(changed_shop)]
    run_build(changed_shop, profile=None, feed=None, select="benchmark", stale=False)
    assert [(lake / name).read_bytes() for name in names] == before
    assert report_of(changed_shop)["against_the_bundle_before"] == compared
    assert data_version(changed_shop) == versions[0]


def data_version(home: Path) -> str:
    with dg.DagsterInstance.from_config(str(home / ".dagster")) as instance:
        record = instance.get_latest_data_version_record(dg.AssetKey("benchmark"))
        return record.event_log_entry.dagster_event.materialization.tags["dagster/data_version"]


def test_the_ablation_and_the_costs_add_up(built_shop):
    """Every way over the same queries; all misses have a cost; the route's are those that it led astray."""
    report = report_of(built_shop.home)
    rows = {row["name"]: row for row in report["ablation"]["success@1"]}
    assert rows.keys() == report["measures"].keys()
    assert {"semantic only", "without texture", "full score, no route", "full score, perfect route"} <= rows.keys()
    full = rows.pop("full score")
    assert full["difference"] is None
    for name, row in rows.items():
        means = row["estimate"]["mean"], report["measures"][name]["success@1"]["mean"]
        assert means[0] == means[1] == pytest.approx(full["estimate"]["mean"] + row["difference"]["mean"]), name
        assert row["difference"]["p"] <= row["p_holm"] <= 1, name
    queries = len(built_shop.queries)
    assert sum(report["missed_by"].values()) == round(queries * (1 - full["estimate"]["mean"]))
    routed = report["measures"]["full score"]["routed"]["mean"]
    assert report["missed_by"].get("route", 0) == round(queries * (1 - routed))


def test_the_page_shows_confusions_and_the_worst_queries(built_shop):
    """As tables and as pictures, each of tens of KB, and every measure as a number of its own."""
    with dg.DagsterInstance.from_config(str(built_shop.home / ".dagster")) as instance:
        shown = instance.get_latest_materialization_event(dg.AssetKey("benchmark")).asset_materialization.metadata
    for name in ("confusion_of_prints", "confusion_of_routes"):
        shares = [sum(value for key, value in row.data.items() if key.startswith("as ")) for row in shown[name].records]
        assert shares == pytest.approx([1.0] * len(shares), abs=0.01)
        assert 2_000 < len(shown[f"{name}_picture"].value) < 90_000
    assert 10_000 < len(shown["missed"].value) < 200_000
    assert 0 <= shown["success_at_1"].value <= 1


def test_fitted_weights_are_a_profiles_lines(built_shop, lookbook, tmp_path):
    """What is printed is TOML that a profile takes, weights that sum to 1; and what they do for products left out."""
    printed = lookbook("fit-weights", "--home", built_shop.home).stdout
    text = (PROFILES / "embedded.toml").read_text("utf-8")
    fitted = {line[1]: line[0] for line in WEIGHT.finditer(printed)}
    assert list(fitted) == [line[1] for line in WEIGHT.finditer(text)]  # every weight of a profile, in its order
    ranking = parse_profile(WEIGHT.sub(lambda line: fitted[line[1]], text), "fitted.toml").ranking
    assert sum(getattr(ranking, f"{part}_weight") for part in fitted) == pytest.approx(1)
    told = r"# labelled query photos: 12 queries, of which \d+ have their product and another among the candidates\n"
    assert re.match(told, printed)
    assert "#   fitted, each product left out in turn" in printed
    failed = CliRunner().invoke(main, ["fit-weights", "--home", str(tmp_path)])
    assert failed.exit_code == 1
    assert failed.stderr.startswith("lookbook: ")
    assert "Traceback" not in failed.stderr


def test_a_thumbnail_is_not_found_by_another_photo_that_is_nearly_it(built_shop):
    """Without labelled queries: rows that look the same are left out too, and who has no other photo is not asked."""
    engine = Engine(built_shop.home / "android_bundle" / "current")
    count = len(engine.bundle.items)
    apart = Hashes(np.arange(count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15), np.zeros((count, 192), np.uint8))
    asked = left_out_queries(engine, apart)
    several = asked[0]
    rows = engine.bundle.rows_of_product(several.product_id)
    assert several.leave_out == (rows[0],)
    stranger = next(row for row in range(count) if row not in rows)
    apart.hashes[stranger] = apart.hashes[rows[0]]
    assert left_out_queries(engine, apart)[0].leave_out == tuple(sorted((rows[0], stranger)))
    apart.hashes[rows] = apart.hashes[rows[0]]
    assert several.product_id not in {query.product_id for query in left_out_queries(engine, apart)}


def test_a_home_without_labelled_queries_asks_its_own_thumbnails(changed_shop, lookbook):
    """And says so; no check for leaks fails, since their own rows are left out."""
    shop = changed_shop / "shop"
    text = (shop / "feed.toml").read_text("utf-8").split("[queries]")[0]
    (shop / "unasked.toml").write_text(text, encoding="utf-8")
    run_build(
        changed_shop,
        profile=None,
        feed=str(shop / "unasked.toml"),
        select="raw_catalog,labelled_queries,benchmark",
        stale=False,
    )
    report = report_of(changed_shop)
    assert report["protocol"] == "the catalogue's own thumbnails, each with its own rows left out"
    assert report["queries_in_the_gallery"] == 0
    assert report["against_the_bundle_before"] is None
    assert checked(changed_shop) is True


@pytest.mark.parametrize(
    "left", ["{", "[]", '{"protocol": "of an earlier version", "gallery": {"items": 1, "products": 1}}']
)
def test_a_report_that_cannot_be_read_says_what_makes_it_again(tmp_path, left):
    """Cut short, something else, or without what this version has in it."""
    (tmp_path / "data_lake").mkdir()
    (tmp_path / "data_lake" / "benchmark.json").write_text(left, encoding="utf-8")
    failed = CliRunner().invoke(main, ["results", "--home", str(tmp_path)])
    assert failed.exit_code == 1
    assert "benchmark.json: damaged, or another version's (" in failed.stderr
    assert "materialize benchmark: `lookbook build --select benchmark`" in failed.stderr

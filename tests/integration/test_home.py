"""A home in daily use: interrupted builds, labelled queries that change, wrong names and places."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image

from resources.settings import lost_its_feed

QUERIES_CSV = """\
product_id,category,image,mask
{product},dress,{photo},not_a_picture.txt
{product},dress,gone.jpg,
nobody-sells-this,dress,{photo},
"""


@pytest.fixture
def asked_shop(shop_copy):
    """The built shop under a feed of its own, with three labelled queries of which one can be put."""
    shop = shop_copy.home / "shop"
    with (shop / "queries.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    (shop / "not_a_picture.txt").write_text("no picture", encoding="utf-8")
    (shop / "queries.csv").write_text(QUERIES_CSV.format(product=row["product_id"], photo=row["image"]), "utf-8")
    return shop_copy


def test_changed_queries_are_measured_and_what_is_wrong_with_them_is_told(asked_shop, lookbook):
    """`--stale` notices them; a missing photo, an unknown product and a mask that is none each have their reason."""
    home = asked_shop.home
    done = lookbook("build", "--home", home, "--feed", asked_shop.feed, "--stale")
    assert "benchmark" in done.stderr
    assert "semantic_embeddings" not in done.stderr
    told = [json.loads(line) for line in lookbook("rejected", "--home", home, "--json").stdout.splitlines()]
    assert {(row["stage"], row["reason"], row["outcome"]) for row in told} >= {
        ("labelled_queries", "image_not_found", "rejected"),
        ("benchmark", "unknown_product", "rejected"),
        ("benchmark", "not_an_image", "kept"),
    }
    report = json.loads(lookbook("results", "--home", home, "--json").stdout)
    assert (report["queries"], report["rejected_queries"]) == (1, 1)
    assert "1 queries were not measured: `lookbook rejected` says why" in lookbook("results", "--home", home).stdout
    lines = lookbook("rejected", "--home", home).stdout
    assert "gone.jpg" in lines
    assert "nobody-sells-this" in lines


def test_an_interrupted_build_says_one_line_and_goes_on_where_it_was(built_shop, lookbook, tmp_path):
    """Ctrl-C reaches the whole process group, as a terminal sends it; the next build ends as if nothing had been."""
    home = tmp_path / "home"
    command = [Path(sys.executable).with_name("lookbook"), "build", "--home", home, "--feed", built_shop.feed]
    with (tmp_path / "said.txt").open("w+", encoding="utf-8") as said:
        build = subprocess.Popen(command, stderr=said, stdout=said, start_new_session=True, preexec_fn=_heed_interrupts)
        deadline = time.monotonic() + 120
        while not (home / "data_lake" / "product_images.parquet").exists():
            assert time.monotonic() < deadline
            assert build.poll() is None
            time.sleep(0.1)
        os.killpg(build.pid, signal.SIGINT)
        assert build.wait(60) == 1
        said.seek(0)
        text = said.read()
    assert "lookbook: interrupted; what was finished is kept" in text
    assert "Traceback" not in text
    done = lookbook("build", "--home", home, "--stale")
    assert "raw_catalog" in done.stderr
    manifest = Path("android_bundle", "current", "manifest.json")
    assert (home / manifest).read_bytes() == (built_shop.home / manifest).read_bytes()


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it


def test_a_feed_that_gives_nothing_does_not_take_a_good_ones_place(shop_copy, lookbook, tmp_path):
    """The home keeps the feed that it had."""
    lookbook("build", "--home", shop_copy.home, "--feed", shop_copy.feed, "--select", "raw_catalog")
    before = (shop_copy.home / "lookbook.toml").read_text("utf-8")
    bad = tmp_path / "bad.csv"
    bad.write_text("id,picture\n1,a.jpg\n", encoding="utf-8")
    failed = lookbook("build", "--home", shop_copy.home, "--feed", bad, ok=False)
    assert "no column is named product_id" in failed.stderr
    assert (shop_copy.home / "lookbook.toml").read_text("utf-8") == before


def test_a_profile_file_is_found_from_where_one_stands(shop_copy, lookbook, tmp_path):
    """As a feed is; the home keeps where it lies."""
    shipped = Path(__file__).resolve().parents[2] / "resources" / "profiles" / "embedded.toml"
    (tmp_path / "mine.toml").write_text(shipped.read_text("utf-8"), encoding="utf-8")
    lookbook("build", "--home", shop_copy.home, "--profile", "mine.toml", "--select", "raw_catalog", cwd=tmp_path)
    assert str(tmp_path / "mine.toml") in (shop_copy.home / "lookbook.toml").read_text("utf-8")


@pytest.mark.parametrize("command", ["build", "search", "rejected", "results"])
def test_an_empty_home_is_refused(lookbook, command, tmp_path):
    """An unset shell variable must not build in the current folder."""
    more = ["photo.jpg"] if command == "search" else []
    failed = lookbook(command, *more, "--home", "", ok=False, cwd=tmp_path)
    assert "is empty; name a folder" in failed.stderr
    assert not list(tmp_path.iterdir())


def test_a_home_that_can_not_be_written_is_one_line(lookbook):
    """Said of the folder, with the system's own reason."""
    if not Path("/proc/self").exists():
        pytest.skip("no /proc: nowhere that even root can't write")
    failed = lookbook("build", "--home", "/proc/nowhere", ok=False)
    assert "/proc/nowhere" in failed.stderr
    assert "can't be read or written" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_two_builds_of_one_home_do_not_meet(shop_copy, lookbook):
    """The second says so and touches nothing, its own feed neither; once the first has ended it may go on."""
    kept = (shop_copy.home / "lookbook.toml").read_text("utf-8")
    with FileLock(shop_copy.home / ".dagster" / "build.lock"):
        failed = lookbook("build", "--home", shop_copy.home, "--feed", shop_copy.home / "shop" / "feed.csv", ok=False)
        assert (shop_copy.home / "lookbook.toml").read_text("utf-8") == kept
        assert f"another build is running in {shop_copy.home}" in failed.stderr
    lookbook("build", "--home", shop_copy.home, "--select", "raw_catalog")


def test_nothing_is_built_past_a_check_that_blocks(lookbook, built_shop, tmp_path):
    """Two products among four blank photos: the masks are refused, at once, and by `--stale` again."""
    (tmp_path / "dress").mkdir()
    for place, photo in enumerate(sorted((built_shop.home / "shop" / "photos").glob("*.jpg"))[:2]):
        shutil.copy(photo, tmp_path / "dress" / f"{place}.jpg")
    for place in range(4):
        Image.new("RGB", (300, 300 + place), "white").save(tmp_path / "dress" / f"blank{place}.png")
    home = tmp_path / "home"
    for _ in range(2):
        failed = lookbook("build", "--home", home, "--feed", tmp_path / "dress" / "..", "--stale", ok=False)
        assert "a blocking check failed" in failed.stderr
        assert "masks_cover_products" in failed.stderr
        assert not (home / "android_bundle" / "current").exists()
    assert lookbook("rejected", "--home", home).stdout.count("no_product_found") >= 4


def test_a_home_that_was_never_built_has_nothing_to_show(lookbook, tmp_path):
    """A typo is told, not taken for an empty table."""
    for command in ("rejected", "results"):
        failed = lookbook(command, "--home", tmp_path / "typo", ok=False)
        assert "not there yet; `lookbook build` makes it" in failed.stderr


def test_a_home_whose_settings_were_emptied_does_not_become_the_sample_shop(built_shop, lookbook, tmp_path):
    """It says so before it does anything; an empty file in a new home is the sample shop, as ever."""
    home = tmp_path / "home"
    (home / "android_bundle").mkdir(parents=True)
    (home / "android_bundle" / "current").symlink_to(built_shop.home / "android_bundle" / "current")
    (home / "lookbook.toml").write_text("# mine\n[limits]\nmost_growth = 9\n", encoding="utf-8")
    failed = lookbook("build", "--home", home, "--stale", ok=False)
    assert failed.stderr.startswith(f"lookbook: {home / 'lookbook.toml'}: names no feed any more")
    assert "`lookbook build --feed FILE`; for the sample shop, `--feed sample`" in failed.stderr
    assert {entry.name for entry in home.iterdir()} == {"android_bundle", "lookbook.toml"}
    assert not lost_its_feed(built_shop.home / "lookbook.toml")


def test_categories_of_a_home_that_was_never_built(lookbook, tmp_path):
    """One line, and no home is made of a mistyped name."""
    failed = lookbook("build", "--home", tmp_path / "typo", "--category", "dress", ok=False)
    told = "was never built, so --category has nothing to refresh: `lookbook build` first"
    assert failed.stderr == f"lookbook: {tmp_path / 'typo'}: {told}\n"
    failed = lookbook("bundle", "rollback", "--home", tmp_path / "typo", ok=False)
    assert failed.stderr.endswith("android_bundle: no bundle yet; `lookbook build` makes one\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--feed", "--profile"])
def test_an_empty_choice_is_refused(lookbook, option, tmp_path):
    """An unset shell variable must not build the feed of before."""
    failed = lookbook("build", "--home", tmp_path / "home", option, "", ok=False)
    assert failed.stderr == f"lookbook: {option} is empty; leave it out to keep the home's own\n"
    assert not list(tmp_path.iterdir())


def test_the_command_runs_as_a_module_too():
    """As `python -m dagster_project.cli`."""
    done = subprocess.run(
        [sys.executable, "-m", "dagster_project.cli", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "build" in done.stdout
    assert "bundle" in done.stdout

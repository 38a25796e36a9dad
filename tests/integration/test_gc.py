"""`lookbook gc`: only what nothing refers to goes, honestly counted, and nothing is computed again afterwards."""

import csv
import json
import os
import shutil
import time

import pytest
from click.testing import CliRunner

from catalog.formats import tables
from dagster_project.cli import main
from resources.build_lock import hold
from resources.garbage import FINISHED_WORK_S, LEFT_OVER_S, File, Kind, Survey, taken_bytes
from resources.home import Home
from resources.photo_store import PhotoStore


@pytest.fixture(scope="module")
def shrunk(built_shop, lookbook, tmp_path_factory):
    """A home whose feed lost three products after it was built: (home, what was of those products alone)."""
    home = tmp_path_factory.mktemp("gc") / "home"
    shutil.copytree(built_shop.home, home, symlinks=True)
    before = blobs(home)
    feed = home / "shop" / "feed.csv"
    with feed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    gone = list(dict.fromkeys(row["product_id"] for row in rows))[:3]
    with feed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(row for row in rows if row["product_id"] not in gone)
    lookbook("build", "--home", home, "--stale")
    return home, {kind: before[kind] - left for kind, left in blobs(home).items()}


@pytest.fixture
def home(shrunk, tmp_path):
    """A copy of it."""
    copy = tmp_path / "home"
    shutil.copytree(shrunk[0], copy, symlinks=True)
    return copy


def blobs(home):
    """What the tables refer to, by kind."""
    lake = home / "data_lake"
    images = {row["image_blob"] for row in tables.read(lake / "product_images.parquet", tables.PRODUCT_IMAGES)}
    masks = {row["mask_blob"] for row in tables.read(lake / "sam2_masks.parquet", tables.SAM2_MASKS)}
    crops = {row["crop_blob"] for row in tables.read(lake / "product_crops.parquet", tables.PRODUCT_CROPS)}
    return {"images": images, "masks": masks, "crops": crops}


def gc(home, *more):
    """The command in this process: its exit code, and what it printed as JSON, by kind."""
    done = CliRunner().invoke(main, ["gc", "--home", str(home), "--json", *more])
    said = json.loads(done.stdout)
    return done.exit_code, said, {kind["kind"]: kind for kind in said["kinds"]}


def names(kind):
    return {os.path.basename(path) for path in kind["unreferenced"]}  # noqa: PTH119


def test_what_left_the_catalogue_goes_and_nothing_is_computed_again(shrunk, home, lookbook):
    """Photos, masks, crops and thumbnails of three products; listed first, removed when asked, then there is none."""
    gone = shrunk[1]
    code, said, kinds = gc(home)
    assert code == 0
    assert not said["deleted"]
    for kind, lost in gone.items():
        assert lost
        assert names(kinds[kind]) == lost
    assert {name.partition("-")[0] for name in names(kinds["thumbnails"])} == {
        name.partition(".")[0] for name in gone["images"]
    }
    assert not any(kinds[kind]["unreferenced"] for kind in ("bundles", "smaller models", "float models"))
    files = [path for kind in kinds.values() for path in kind["unreferenced"]]
    assert all(os.path.exists(path) for path in files)  # noqa: PTH110
    told = lookbook("gc", "--home", home, "--delete").stdout
    assert told.splitlines()[-1].startswith(f"removed {len(files)} files, ")
    assert not any(os.path.exists(path) for path in files)  # noqa: PTH110
    assert all(any(folder.iterdir()) for folder in (home / "data_lake" / "images").iterdir())
    assert gc(home)[1]["would_free_bytes"] == 0
    done = lookbook("build", "--home", home, "--select", "product_images,sam2_masks,product_crops,android_bundle")
    assert done.stderr.count(" 0 computed") == 3


def test_a_build_leaves_no_garbage(shop_copy):
    """Of no kind; what is kept is all that there is."""
    code, said, kinds = gc(shop_copy.home)
    assert code == 0
    assert [path for kind in kinds.values() for path in kind["unreferenced"]] == []
    assert said["would_free_bytes"] == 0
    folders = [shop_copy.home / name for name in ("data_lake", "models", "android_bundle/versions")]
    found = [file for folder in folders for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    assert sum(kind["kept_files"] for kind in kinds.values()) == len(found)


def test_killed_processes_leave_garbage_once_it_is_old(home):
    """A temporary file for a day, a killed build's finished batches for a week, a half-built bundle not at all."""
    lake = home / "data_lake"
    parts = lake / "sam2_masks.parts"
    parts.mkdir()
    shutil.copy(lake / "sam2_masks.parquet", parts / "0.parquet")
    young, old = lake / "bins" / ".a.1.part", home / "models" / "int8" / ".b.2.part"
    for file in (young, old):
        file.write_bytes(b"half")
    building = home / "android_bundle" / ".building" / "thumbs"
    building.mkdir(parents=True)
    (building / "x.jpg").write_bytes(b"thumb")
    now = time.time()
    os.utime(old, (now, now - LEFT_OVER_S - 60))
    _, _, kinds = gc(home)
    assert names(kinds["tables and others"]) == {old.name}
    assert names(kinds["bundles"]) == {"x.jpg"}
    os.utime(parts / "0.parquet", (now, now - FINISHED_WORK_S - 60))
    code, _, kinds = gc(home, "--delete")
    assert code == 0
    assert names(kinds["tables and others"]) == {old.name, "0.parquet"}
    assert young.exists()
    assert not parts.exists()
    assert not building.parent.exists()
    assert (home / "android_bundle" / "current" / "manifest.json").exists()


def test_what_a_damaged_table_refers_to_stays(home):
    """Its kind is kept whole, and said; the others are cleaned; the exit code tells."""
    (home / "data_lake" / "sam2_masks.parquet").write_bytes(b"PAR1 torn")
    code, _, kinds = gc(home, "--delete")
    assert code == 1
    for kind in ("images", "masks", "thumbnails"):
        assert "sam2_masks.parquet: damaged" in kinds[kind]["problem"]
        assert kinds[kind]["unreferenced"] == []
    assert kinds["crops"]["unreferenced_files"] > 0
    told = CliRunner().invoke(main, ["gc", "--home", str(home)])
    assert "masks: all is kept, since what is in use can't be told: " in told.stdout


def test_batches_of_a_killed_build_hold_their_blobs(home):
    """A crop that only a finished batch names is no garbage."""
    lake = home / "data_lake"
    rows = tables.read(lake / "product_crops.parquet", tables.PRODUCT_CROPS)
    kept = next(path for path in (lake / "crops").rglob("*.png") if path.name not in blobs(home)["crops"])
    row = {**rows[0], "crop_blob": kept.name, "product_id": "being built"}
    tables.write(lake / "product_crops.parts" / "0.parquet", tables.PRODUCT_CROPS, [row])
    assert kept.name not in names(gc(home)[2]["crops"])


def test_downloads_that_no_url_and_no_table_names_go(home):
    """A photo from the network stays while its URL is remembered, also by a build that was killed."""
    folder = home / "data_lake" / "downloads"
    for name in ("aa" * 32, "bb" * 32, "cc" * 32):
        (folder / name[:2]).mkdir(parents=True)
        (folder / name[:2] / f"{name}.jpg").write_bytes(b"photo")
    now = tables.pa.scalar(0, tables.pa.timestamp("ms", tz="UTC")).as_py()
    state = {"url": "https://a/b.jpg", "sha256": "aa" * 32, "etag": "", "last_modified": "", "status": "downloaded"}
    tables.write(folder / "raw_catalog.parquet", tables.DOWNLOADS, [{**state, "checked_at": now, "wanted_at": now}])
    killed = {**state, "url": "https://a/c.jpg", "sha256": "cc" * 32, "checked_at": now, "wanted_at": now}
    PhotoStore(folder, folder / "raw_catalog.parquet").remember(killed)
    _, _, kinds = gc(home, "--delete")
    assert names(kinds["downloads"]) == {"bb" * 32 + ".jpg"}
    assert (folder / "raw_catalog.journal").exists()
    assert (folder / "raw_catalog.parquet").exists()
    assert (folder / "aa").exists()
    assert not (folder / "bb").exists()


def test_it_waits_for_no_build_and_disturbs_none(home, tmp_path, lookbook):
    """While another process builds it says so, and where there is no home as well."""
    with hold(Home(home)):
        failed = lookbook("gc", "--home", home, ok=False)
    assert "another build is running in" in failed.stderr
    missing = CliRunner().invoke(main, ["gc", "--home", str(tmp_path / "none")])
    assert missing.exit_code == 1
    assert "not there; name a home that was built" in missing.stderr


def test_hard_links_are_counted_honestly():
    """Two names of one file take its size once, and free it only when both go."""
    one, other = File("a", 100, (1, 7), 2, 0.0), File("b", 100, (1, 7), 2, 0.0)
    alone = File("c", 10, (1, 8), 1, 0.0)
    assert taken_bytes([one, other, alone]) == 110
    assert Survey([Kind("thumbnails", garbage=[one, alone])]).freed_bytes() == 10
    assert Survey([Kind("thumbnails", garbage=[one]), Kind("bundles", garbage=[other])]).freed_bytes() == 100

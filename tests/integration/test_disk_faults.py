"""Disks that are full, read-only or damaged: a clear line or the right bytes, never a silently wrong bundle.

The command runs in a child of its own, forked so that each of many does not load Dagster anew. What a build must come
to is what it comes to on a disk that is well: of the same home, after the same change. docs/results.md has the table.
"""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from catalog.errors import LookbookError
from catalog.formats import tables
from dagster_project.building import run_build
from dagster_project.cli import main
from dagster_project.definitions import build_definitions
from resources import model_store
from resources.build_lock import hold
from resources.home import Home, prepare

pytestmark = pytest.mark.endurance

MADE_AGAIN = "`lookbook build` makes it again"


class Said(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        """Its last line on standard error."""
        return self.err.strip().splitlines()[-1]


def start(home: Path, *arguments: str) -> tuple[int, Path]:
    """Start the command in a child; returns its process id, and the stem of the files that it speaks to."""
    spoken = home.parent / f"said-{time.monotonic_ns()}"
    child = os.fork()
    if child:
        return child, spoken
    code = 70  # of a traceback
    try:
        sys.stdout, sys.stderr = (spoken.with_suffix(name).open("w", encoding="utf-8") for name in (".out", ".err"))
        for stream, file in ((1, sys.stdout), (2, sys.stderr)):
            os.dup2(file.fileno(), stream)
        main([*arguments, "--home", str(home)], prog_name="lookbook")
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def end(child: int, spoken: Path) -> Said:
    """Wait for a child to end."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Said(code, *(spoken.with_suffix(suffix).read_text("utf-8") for suffix in (".out", ".err")))


def run(home: Path, *arguments: str, ok: bool = True) -> Said:
    """Run the command in a child, to its end."""
    said = end(*start(home, *arguments))
    assert (said.code == 0) is ok, said
    return said


def bundle(home: Path) -> dict[str, bytes]:
    """Every file of the published bundle."""
    current = (home / "android_bundle" / "current").resolve()
    return {str(file.relative_to(current)): file.read_bytes() for file in current.rglob("*") if file.is_file()}


def change(home: Path, column: str, value: str) -> None:
    """In the feed, of the first product."""
    feed = home / "shop" / "feed.csv"
    with feed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with feed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, column: value} if row["product_id"] == rows[0]["product_id"] else row for row in rows)


def retitle(home: Path) -> None:
    change(home, "title", "Another title")


def build(home: Path, *, stale: bool = False, select: str | None = None) -> None:
    """As the command does, in this process, where a process of its own is not the point."""
    kept = dict(os.environ)
    try:
        run_build(home, profile=None, feed=None, select=select, stale=stale)
    finally:
        os.environ.clear()
        os.environ.update(kept)


@pytest.fixture(scope="module")
def retitled_home(built_shop, tmp_path_factory) -> Path:
    """The shop with another title, from a disk that is well; not to be changed."""
    home = tmp_path_factory.mktemp("well") / "home"
    shutil.copytree(built_shop.home, home, symlinks=True)
    retitle(home)
    build(home, stale=True)
    return home


@pytest.fixture(scope="module")
def retitled(retitled_home) -> dict[str, bytes]:
    """Its bundle."""
    return bundle(retitled_home)


@pytest.fixture
def mounts() -> Iterator[Callable[..., None]]:
    """Mounts what it is given as mount(8) takes it; all is unmounted at the end."""
    places: list[Path] = []

    def mount(*arguments: object, at: Path) -> None:
        done = subprocess.run(["mount", *map(str, arguments), at], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"nothing can be mounted here, which takes root: {done.stderr.strip()}")
        places.append(at)

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", "--lazy", place], check=False)


def on_a_small_disk(folder: Path, mounts: Callable[..., None]) -> None:
    """Move a folder, with all that is in it, to a disk of its own that is just as large."""
    aside = folder.with_name(f"{folder.name}.aside")
    folder.rename(aside)
    folder.mkdir()
    mounts("-t", "tmpfs", "-o", "size=200m", "tmpfs", at=folder)
    shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(aside)
    resize(folder, room=0)


def resize(folder: Path, room: int) -> None:
    """Let `room` bytes be free on a folder's disk."""
    size = shutil.disk_usage(folder).used + room
    subprocess.run(["mount", "-o", f"remount,size={size}", folder], check=True)


def left_over(home: Path) -> list[Path]:
    """What a write that failed may have left."""
    return [path for path in home.rglob("*") if path.name.endswith(".part") or path.name == ".building"]


def test_a_full_disk_is_one_line_and_the_build_goes_on_once_there_is_room(shop_copy, mounts, retitled):
    """Where Dagster's records lie, where the lake does, where the bundle does: each full in turn."""
    home, before = shop_copy.home, bundle(shop_copy.home)
    retitle(home)
    for folder in (".dagster", "data_lake", "android_bundle"):
        on_a_small_disk(home / folder, mounts)
    resize(home / "android_bundle", room=2**16)  # the items fit, the models' links and the vectors do not
    for folder, named in (
        (".dagster", f"{home}/.dagster: Dagster's records can't be written"),
        ("data_lake", f"{home}/data_lake/"),
        ("android_bundle", f"{home}/android_bundle"),
    ):
        said = run(home, "build", "--stale", ok=False)
        assert said.code == 1
        (line,) = [line for line in said.err.splitlines() if line.startswith("lookbook: ")]
        assert named in line
        assert "the disk is full; make room" in line
        assert "Traceback" not in said.err
        assert "SQL" not in said.err
        assert bundle(home) == before
        assert left_over(home) == []
        resize(home / folder, room=2**26)
    run(home, "build", "--stale")
    assert bundle(home) == retitled
    run(home, "build")
    assert bundle(home) == retitled


def test_a_disk_that_is_full_from_the_start(built_shop, mounts, tmp_path):
    """Not even Dagster's databases can be made; what was half made of them does not stand in the way later."""
    home = tmp_path / "home"
    home.mkdir()
    mounts("-t", "tmpfs", "-o", "size=300k", "tmpfs", at=home)
    asked = ("build", "--feed", str(built_shop.feed), "--select", "raw_catalog")
    said = run(home, *asked, ok=False)
    assert "the disk is full; make room" in said.last
    assert "Traceback" not in said.err
    resize(home, room=2**24)
    run(home, *asked)
    assert tables.read(home / "data_lake" / "raw_catalog.parquet", tables.RAW_CATALOG)


def test_a_read_only_home_is_one_line_and_is_searched_all_the_same(shop_copy, mounts):
    """The whole home, its lake alone, its bundles alone: the file that could not be written is named."""
    home, before = shop_copy.home, bundle(shop_copy.home)
    retitle(home)
    feed = (home / "data_lake" / "raw_catalog.parquet").read_bytes()
    for folder in (home, home / "data_lake", home / "android_bundle"):
        mounts("--bind", folder, at=folder)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        said = run(home, "build", "--stale", ok=False)
        assert said.code == 1
        (line,) = [line for line in said.err.splitlines() if line.startswith("lookbook: ")]
        assert line.startswith(f"lookbook: {folder}/")
        assert "can't be read or written (Read-only file system)" in line
        assert "Traceback" not in said.err
        assert json.loads(run(home, "search", str(shop_copy.queries[0]), "--json").out)["results"]
        assert bundle(home) == before
        if folder != home / "android_bundle":
            assert (home / "data_lake" / "raw_catalog.parquet").read_bytes() == feed
        subprocess.run(["umount", "--lazy", folder], check=True)
    assert left_over(home) == []


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flip(file: Path) -> None:
    """One bit, in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def other_columns(file: Path) -> None:
    table = pq.read_table(file)
    pq.write_table(table.rename_columns(["other", *table.column_names[1:]]), file)


def older(file: Path) -> None:
    """A whole table, but of nine tenths of the rows."""
    table = pq.read_table(file)
    pq.write_table(table.slice(0, table.num_rows * 9 // 10), file)


def garbage(file: Path) -> None:
    file.write_text('{"x": 1}', "utf-8")


def test_a_plain_build_makes_whatever_was_damaged_again(shop_copy, built_shop):
    """Every table in a way of its own, vectors, items, notes, models, thumbnails, what is only told: the same bytes."""
    home = shop_copy.home
    lake, models = home / "data_lake", home / "models"
    parquet = sorted(file for file in lake.rglob("*.parquet") if file.stat().st_size)
    for place, file in enumerate(parquet):
        (cut, flip, empty, other_columns)[place % 4](file)
    for file in sorted((lake / "bins").iterdir()):
        flip(file)
    garbage(models / "int8" / "gate.json")
    for file in [*(lake / "row_costs").iterdir(), *(models / "int8" / "latencies").glob("*texture*")]:
        garbage(file)
    for file in [*(models / "fp32").iterdir(), *(models / "int8").glob("*.onnx"), *(lake / "thumbs").rglob("*.jpg")]:
        cut(file)
    flip(next((models / "int8" / "forms").glob("*texture*.onnx")))
    flip(home / "android_bundle" / "current" / "texture.bin")
    cut(next((home / "android_bundle" / "current" / "thumbs").iterdir()))  # so the lake's, cut as well, is wanted
    build(home)
    assert bundle(home) == bundle(built_shop.home)
    for file in parquet:
        pq.read_table(file)
    for folder in ("bins", "rejected"):
        wanted = files_below(built_shop.home / "data_lake" / folder)
        assert files_below(lake / folder) == wanted, folder
    assert files_below(models / "fp32") == files_below(built_shop.home / "models" / "fp32")


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_refresh_on_a_damaged_table_stops_and_a_plain_build_mends_it(shop_copy, retitled):
    """Cut: it can't be read. An older one, whole in itself: two of three that lost photos are told, not left out."""
    home, before = shop_copy.home, bundle(shop_copy.home)
    crops = home / "data_lake" / "product_crops.parquet"
    whole = crops.read_bytes()
    retitle(home)
    cut(crops)
    with pytest.raises(LookbookError, match=rf"product_crops\.parquet: damaged \(.*\); {MADE_AGAIN}"):
        build(home, stale=True)
    crops.write_bytes(whole)
    older(crops)
    lost = r"\d photos of \d products, photo \d of '.*' the first, are published and still in the catalogue, but are"
    with pytest.raises(LookbookError, match=f"{lost} lost in a stage's table.*: `lookbook build` brings every table"):
        build(home, stale=True)
    assert bundle(home) == before
    build(home)  # as both lines said
    assert bundle(home) == retitled


def test_a_bundle_is_made_of_nothing_damaged(shop_copy, retitled):
    """The bundle alone is built: with something damaged that goes into it, it is not published, and that is told."""
    home, before = shop_copy.home, bundle(shop_copy.home)
    retitle(home)
    build(home, select="raw_catalog")
    for file, damage, told in (
        ("data_lake/bins/texture.bin", flip, "texture.bin: its sha256 is "),
        ("data_lake/bins/embeddings.bin", cut, "embeddings.bin: its sha256 is "),
        ("data_lake/bins/color_signatures.bin.items.json", garbage, "signatures.bin.items.json: its sha256 is "),
        ("data_lake/category_prototypes.parquet", flip, "category_prototypes.parquet: damaged"),
        ("data_lake/product_images.parquet", other_columns, "product_images.parquet: columns ['other', "),
        ("models/int8/gate.json", garbage, "gate.json: its sha256 is "),
    ):
        whole = (home / file).read_bytes()
        damage(home / file)
        with pytest.raises(LookbookError, match=rf"{re.escape(told)}.*{MADE_AGAIN}"):
            build(home, select="android_bundle")
        (home / file).write_bytes(whole)
        assert bundle(home) == before
        assert left_over(home) == []
    cut(home / "android_bundle" / "history.json")
    with pytest.raises(LookbookError, match=r"history\.json: can't be read \(.*\); delete history\.json"):
        build(home, select="android_bundle")
    assert bundle(home) == before
    (home / "android_bundle" / "history.json").unlink()
    build(home, select="android_bundle")
    assert bundle(home) == retitled


def test_a_damaged_picture_is_told_where_it_is_read_and_made_again_once_deleted(shop_copy, built_shop):
    """A photo exchanged for its mirror image, a mask cut short, a crop with another bit; empty ones are made anew."""
    home = shop_copy.home
    lake = home / "data_lake"
    folders = ("images", "masks", "crops")
    listed = [sorted((lake / folder).rglob("*.*g")) for folder in folders]
    photo, mask, crop = (files[0] for files in listed)
    for files in listed:
        empty(files[-1])
    with Image.open(photo) as picture:
        mirrored = ImageOps.mirror(picture)
    mirrored.save(photo, "JPEG" if photo.suffix == ".jpg" else "PNG")
    cut(mask)
    flip(crop)
    (lake / "product_crops.parquet").unlink()  # so that photos and masks are read
    told = rf"({photo.name}|{mask.name}): .*[;:] delete it and run `lookbook build`: `\w+` makes it again"
    pictures = "product_images,sam2_masks,product_crops"
    for _ in range(2):
        with pytest.raises(LookbookError, match=told) as raised:
            build(home, select=pictures)
        Path(str(raised.value).partition(": ")[0]).unlink()
    build(home, select=pictures)
    (lake / "texture_features.parquet").unlink()  # so that crops are
    told = rf"{crop.name}: .*[;:] delete it and run `lookbook build`: `product_crops` makes it again"
    with pytest.raises(LookbookError, match=told):
        build(home, select="texture_features")
    crop.unlink()
    build(home)
    assert bundle(home) == bundle(built_shop.home)
    for folder in folders:
        assert files_below(lake / folder) == files_below(built_shop.home / "data_lake" / folder)


def test_nothing_else_writes_a_home_while_dagster_runs_in_it(retitled_home, tmp_path, retitled):
    """A run of Dagster's own is stopped in its midst: a build and a clean-up are refused, a rollback is whole."""
    home = tmp_path / "home"
    shutil.copytree(retitled_home, home, symlinks=True)
    child = started_by_dagster(home)
    try:
        wait_until_held(home)
        os.kill(child, signal.SIGSTOP)
        for refused in (("build",), ("build", "--stale"), ("gc", "--delete")):
            said = run(home, *refused, ok=False)
            assert said.err == f"lookbook: another build is running in {home}: wait for it, or end it\n"
        run(home, "bundle", "rollback")
        assert bundle(home) != retitled
        run(home, "bundle", "verify")
    finally:
        os.kill(child, signal.SIGCONT)
        status = os.waitpid(child, 0)[1]
    assert status == 0
    assert bundle(home) == retitled  # the run published again what it had made: its notice says so
    run(home, "gc", "--delete")
    run(home, "bundle", "verify")


def started_by_dagster(home: Path) -> int:
    """A child that materialises the bundle as `dagster job execute` does: nothing of the command holds the home."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        with (home.parent / "dagster.log").open("wb") as log:
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
        prepare(Home(home), os.environ)
        job = build_definitions(Home(home)).resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.get() as instance:
            keys = [dg.AssetKey(name) for name in ("embeddings_bin", "android_bundle")]
            status = 0 if job.execute_in_process(instance=instance, asset_selection=keys).success else 2
    finally:
        os._exit(status)


def wait_until_held(home: Path) -> None:
    """Until another process holds the home's lock."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with hold(Home(home)):
                time.sleep(0.005)
        except LookbookError:
            return
        time.sleep(0.02)
    raise TimeoutError("the run did not take the home's lock")


def test_a_damaged_model_of_the_checkout_stops_a_build_that_needs_it(shop_copy, built_shop, tmp_path, monkeypatch):
    """Told with how to mend it; a home that has made its float models needs none of those files."""
    embedded = tmp_path / "embedded"
    shutil.copytree(model_store.EMBEDDED, embedded)
    monkeypatch.setattr(model_store, "EMBEDDED", embedded)
    for file in embedded.glob("*.onnx"):
        cut(file)
    build(shop_copy.home, select="fp32_models")
    for file in (shop_copy.home / "models" / "fp32").glob("*.onnx"):
        cut(file)
    told = r"\.onnx: sha256 \w{64}, its row in .* says \w{64}; it was cut short or exchanged: restore it with git"
    with pytest.raises(LookbookError, match=told):
        build(shop_copy.home, select="fp32_models")
    shutil.copytree(built_shop.home / "models" / "fp32", tmp_path / "wanted")
    monkeypatch.undo()
    build(shop_copy.home, select="fp32_models")
    assert files_below(shop_copy.home / "models" / "fp32") == files_below(tmp_path / "wanted")

"""SIGKILL at twenty random moments of a build, then one more run: the same bytes, no finished row computed twice."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from catalog.features import row_memo
from dagster_project.building import run_build

pytestmark = pytest.mark.endurance

KILLS, SEED = 20, 4
BATCH_ROWS = 16  # of 58 photos: several batches a stage
STAGES = (
    "product_images",
    "sam2_masks",
    "product_crops",
    "semantic_embeddings",
    "texture_features",
    "color_signatures",
)
# What tells of time, and what only spares reading a file again: different in every build.
MEASURED = ("row_costs", "photo_digests", "benchmark.json", "benchmark_queries.parquet")


def test_twenty_kills_lose_nothing_and_change_nothing(built_shop, tmp_path, monkeypatch):
    """Whole builds in processes of their own, each killed a twentieth of the build's files further on than the one
    before, more or less, however fast the machine; the undisturbed build is `built_shop`'s."""
    monkeypatch.setattr(row_memo, "BATCH_ROWS", BATCH_ROWS)
    home = tmp_path / "home"
    shutil.copytree(built_shop.home / "shop", home / "shop", copy_function=shutil.copy2)
    chance = random.Random(SEED)
    finished: dict[str, set[str]] = {stage: set() for stage in STAGES}
    parts_seen: set[tuple[str, int, int]] = set()
    stages_reached = set()
    at_first, at_last = files_of(home), files_of(built_shop.home)
    for kill in range(KILLS):
        started = time.time()
        due = at_first + (at_last - at_first) * (kill + chance.random()) / KILLS
        child, wanted = build(home), max(files_of(home) + 1, due)
        while files_of(home) < wanted and not ended(child):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        for stage in STAGES:
            computed = computed_since(home, stage, started)
            rows, new_parts = finished_rows(home, stage, parts_seen)
            assert not new_parts & finished[stage], f"{stage}: finished rows were computed again"
            assert computed <= len(rows - finished[stage]), f"{stage}: finished rows were computed again"
            assert finished[stage] <= rows, f"{stage}: finished rows were lost"
            stages_reached |= {stage} if rows - finished[stage] else set()
            finished[stage] = rows
    assert stages_reached == set(STAGES)  # the kills were spread over the build
    assert os.waitpid(build(home), 0)[1] == 0
    assert same_bytes(home, built_shop.home) == []


def files_of(home: Path) -> int:
    """How many files a home has, but for Dagster's own."""
    return sum(len(files) for folder, _, files in os.walk(home) if ".dagster" not in folder)


def ended(child: int) -> bool:
    """Whether a child has ended; it is left for `waitpid` to fetch."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def build(home: Path) -> int:
    """Start a build in a child, forked so that each of twenty does not load Dagster anew; returns its process id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        run_build(home, profile=None, feed=str(home / "shop" / "feed.toml"), select=None, stale=False)
        status = 0
    finally:
        os._exit(status)


def finished_rows(home: Path, stage: str, parts_seen: set[tuple[str, int, int]]) -> tuple[set[str], set[str]]:
    """Keys of all rows that a stage has committed, and of those in batches not seen before."""
    table = home / "data_lake" / f"{stage}.parquet"
    rows, new = (keys(table) if table.exists() else set()), set()
    for part in table.with_suffix(".parts").glob("[!.]*.parquet"):
        found = part.stat()
        name = (part.name, found.st_ino, found.st_mtime_ns)
        rows |= keys(part)
        if name not in parts_seen and not table.exists():
            new |= keys(part)
        parts_seen.add(name)
    return rows, new


def keys(path: Path) -> set[str]:
    listed = pq.read_table(path, columns=["key"]).column("key").to_pylist()
    return set(listed)


def computed_since(home: Path, stage: str, started: float) -> int:
    """Rows that a stage says it computed, if it ended since."""
    if not (home / ".dagster" / "history" / "runs").exists():
        return 0
    with dg.DagsterInstance.from_config(str(home / ".dagster")) as instance:
        last = instance.fetch_materializations(dg.AssetKey(stage), limit=1).records
        if not last or last[0].timestamp < started:
            return 0
        return int(last[0].asset_materialization.metadata["computed"].value)


def same_bytes(home: Path, other: Path) -> list[str]:
    """What differs between two homes: tables, pictures, vectors, models, the published bundle."""
    found = [listing(folder) for folder in (home, other)]
    return sorted(name for name in found[0].keys() | found[1].keys() if found[0].get(name) != found[1].get(name))


def listing(home: Path) -> dict[str, bytes]:
    folders = (home / "data_lake", home / "models" / "fp32", home / "android_bundle" / "current")
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return {
        str(file.relative_to(home)): file.read_bytes()
        for file in files
        if not any(part in MEASURED for part in file.relative_to(home).parts) and not file.name.endswith(".part")
    }

"""`lookbook bench query`: what a search costs, stage by stage."""

import json
import shutil

import pytest

STAGES = {"decode", "segment", "crop", "color", "embed", "texture", "route", "candidates", "rerank"}


def test_golden_photos_are_timed(built_shop, lookbook):
    """Every stage has a median and a 95th percentile; the whole is no less than any stage; memory is told."""
    told = json.loads(lookbook("bench", "query", "--home", built_shop.home, "--rounds", 2, "--json").stdout)
    manifest = json.loads((built_shop.home / "android_bundle" / "current" / "manifest.json").read_text("utf-8"))
    assert (told["photos"], told["rounds"], told["items"]) == (len(manifest["golden"]), 2, manifest["n_items"])
    assert set(told["stages"]) == STAGES
    for spread in [*told["stages"].values(), told["whole"]]:
        assert 0 < spread["median"] <= spread["p95"]
    assert max(spread["median"] for spread in told["stages"].values()) <= told["whole"]["median"]
    assert told["peak_mib"] > 50
    assert told["first_ms"] > 0


def test_photos_of_ones_own_as_a_table(built_shop, lookbook, tmp_path):
    """A folder is named; a row a stage, and the whole."""
    for photo in built_shop.queries[:2]:
        shutil.copy(photo, tmp_path)
    done = lookbook("bench", "query", "--home", built_shop.home, "--photos", tmp_path, "--rounds", 1)
    assert "2 photos x 1" in done.stdout
    rows = [line.split("|")[1].strip(" *") for line in done.stdout.splitlines() if line.startswith("|")]
    assert set(rows[2:]) == {*STAGES, "whole"}
    assert "peak memory" in done.stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "holds no picture; name a folder that does"), (b"no", "photo 1 of 1 can't be searched with: not_an_image")],
)
def test_what_can_not_be_timed_is_told(built_shop, lookbook, tmp_path, content, told):
    """An empty folder; a photo that is none."""
    if content:
        (tmp_path / "a.jpg").write_bytes(content)
    done = lookbook("bench", "query", "--home", built_shop.home, "--photos", tmp_path, ok=False)
    assert told in done.stderr
    assert done.stderr.count("\n") == 1

"""Searching a real bundle through the command line and the engine."""

import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from catalog.errors import ImageError, LookbookError
from query.engine import Engine


@pytest.fixture(scope="module")
def engine(built_shop):
    """An open engine on the built shop's bundle."""
    return Engine(built_shop.home / "android_bundle" / "current", threads=1)


def test_a_catalogue_photo_finds_itself(engine, built_shop):
    """Searched with its own photo, a product comes first with a score near 1."""
    hits = 0
    items = engine.bundle.items
    photos = sorted((built_shop.home / "shop" / "photos").glob("*.jpg"))[::5]
    for photo in photos:
        result = engine.search(photo.read_bytes(), category=None)
        hits += photo.name.startswith(result.hits[0].item["product_id"].lower())
    assert hits >= 0.9 * len(photos)
    assert len(items) >= 40


def test_the_ranking_is_the_documented_sum(engine, built_shop):
    """Scores recomputed here from the bundle's own files, in float64, for one query photo."""
    result = engine.search(built_shop.queries[0].read_bytes())
    found = result.described
    manifest = json.loads((engine.bundle.manifest.folder / "manifest.json").read_text("utf-8"))
    folder, rows = engine.bundle.manifest.folder, manifest["n_items"]
    embeddings = np.fromfile(folder / "embeddings.bin", "<f4").reshape(rows, -1).astype(np.float64)
    texture = np.fromfile(folder / "texture.bin", "<f4").reshape(rows, -1).astype(np.float64)
    colors = np.fromfile(folder / "color_signatures.bin", "<f4").reshape(rows, 26).astype(np.float64)
    (space,) = manifest["spaces"].values()
    chance, texture_chance = space["chance_cosine"], manifest["texture_space"]["chance_cosine"]
    items = json.loads((folder / "catalog.json").read_text("utf-8"))
    allowed = [row for row in range(rows) if items[row]["category"] in result.categories]
    weights = manifest["ranking"]
    (embedding,) = found.embeddings.values()

    def score(row: int) -> float:
        semantic = (embeddings[row] @ embedding - chance) / (1 - chance)
        textured = (texture[row] @ found.texture - texture_chance) / (1 - texture_chance)
        colored = np.minimum(colors[row], found.color).sum() / 3
        return (
            weights["semantic_weight"] * semantic
            + weights["texture_weight"] * textured
            + weights["color_weight"] * colored
        )

    for hit in result.hits:
        assert hit.scored.row in allowed
        assert hit.scored.score == pytest.approx(score(hit.scored.row), abs=1e-4)
    scores = [hit.scored.score for hit in result.hits if hit.scored.passed_color_gate]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.item["product_id"] for hit in result.hits}) == len(result.hits)


def test_json_has_every_part_and_every_stage(built_shop, lookbook):
    """What another program reads."""
    done = lookbook("search", built_shop.queries[1], "--home", built_shop.home, "--json", "--top-k", 3)
    told = json.loads(done.stdout)
    assert [hit["rank"] for hit in told["results"]] == [1, 2, 3]
    assert set(told["results"][0]["parts"]) >= {"semantic", "texture", "color", "passed_color_gate"}
    assert {"decode", "segment", "crop", "route", "embed", "texture", "color", "candidates", "rerank"} == set(
        told["milliseconds"]
    )
    assert told["categories"]
    assert set(told["categories"]) <= set(told["route"]["cosines"])


def test_table_and_picture(built_shop, lookbook, tmp_path):
    """The table names ten results and each stage's time; the picture shows them."""
    grid = tmp_path / "made" / "grid.png"
    done = lookbook(
        "search", built_shop.queries[0], "--home", built_shop.home, "--category", "mug", "--save-grid", grid
    )
    assert "searched in mug" in done.stdout
    assert "rerank" in done.stdout
    with Image.open(grid) as picture:
        assert picture.width > 1000
        assert len(picture.convert("RGB").resize((64, 32)).getcolors(64 * 32)) > 100


def test_more_like_a_product_never_gives_itself(engine):
    """By product id: its own category, itself left out."""
    item = engine.bundle.items[3]
    result = engine.similar(item["product_id"], k=5)
    assert item["product_id"] not in {hit.item["product_id"] for hit in result.hits}
    assert {hit.item["category"] for hit in result.hits} == {item["category"]}


def test_from_several_threads_the_answers_are_the_same(engine, built_shop):
    """Four threads, the same photos, the same answers as one after another."""
    photos = [query.read_bytes() for query in built_shop.queries[:4]]

    def answers(photo: bytes) -> list[tuple[str, float]]:
        return [(hit.item["product_id"], hit.scored.score) for hit in engine.search(photo).hits]

    wanted = [answers(photo) for photo in photos]
    got: dict[int, list[tuple[str, float]]] = {}
    threads = [threading.Thread(target=lambda n=n: got.update({n: answers(photos[n])})) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[n] for n in range(4)] == wanted


def test_errors_say_what_to_do(engine, built_shop, lookbook, tmp_path):
    """An unreadable photo, an unknown category, an unknown product, no photo at all."""
    with pytest.raises(ImageError, match="not_an_image"):
        engine.search(b"hello")
    with pytest.raises(LookbookError, match=r"no category 'mugs' in this bundle; did you mean 'mug'\?"):
        engine.search(built_shop.queries[0].read_bytes(), category="mugs")
    with pytest.raises(LookbookError, match="no product 'LB-NO-0001'"):
        engine.similar("LB-NO-0001")
    missing = lookbook("search", tmp_path / "no.jpg", "--home", built_shop.home, ok=False)
    assert "no.jpg: image_not_found: can't be read" in missing.stderr
    assert "name photos, one" in lookbook("search", "--home", built_shop.home, ok=False).stderr
    nothing = lookbook("search", built_shop.queries[0], "--home", tmp_path, ok=False)
    assert "build a bundle first" in nothing.stderr


def test_a_bundle_is_all_it_takes(built_shop, tmp_path):
    """A bundle moved alone to another folder is searched by `python -m query`, with no home and no Dagster."""
    shutil.copytree(built_shop.home / "android_bundle" / "current", tmp_path / "phone")
    code = "import sys; sys.modules['dagster'] = None; from query.cli import main; main()"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            "search",
            str(built_shop.queries[0]),
            "--bundle",
            str(tmp_path / "phone"),
            "--json",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["results"]

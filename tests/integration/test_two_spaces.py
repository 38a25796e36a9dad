"""A shop in two encoders' spaces, built and searched: every category is routed to, and words find products in both.

The encoders are small SigLIPs with random weights in their hub's format; segmenter and texture encoder are our own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from assets import category_prototypes as stage
from catalog.errors import LookbookError
from catalog.features.routing import l2_normalize
from catalog.formats import digests, matrices, model_lock, tables
from catalog.model_descriptions import MODELS
from dagster_project.building import run_build
from dagster_project.cli import main
from query.engine import Engine
from query.golden import check_golden
from query.text_search import TextQuery
from tests.conftest import draw_shop
from tests.unit.test_text_towers import DIM, write_siglip2

torch = pytest.importorskip("torch", reason="the extra [pretrained] is not installed")
transformers = pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")

ROUTER, FASHION = "small-siglip", "small-fashion-siglip"
SEED = 8  # whose random weights find products of one category alike, as any trained encoder does, and words of none
CLOTHES = ("dress", "shirt", "hoodie")
PROFILE = """
name = "two-spaces"
description = "two small encoders"
[segmentation]
catalog = "lookbook-segmenter"
query = "lookbook-segmenter"
[encoders]
precision = "float32" # random weights tell photos apart by less than bfloat16 rounds away
semantic = "small-siglip"
texture = "lookbook-texture"
[router]
products_sampled = 2
[categories.dress]
prompts = ["a dress", "a gown"]
semantic = "small-fashion-siglip"
[categories.shirt]
semantic = "small-fashion-siglip"
[categories.hoodie]
semantic = "small-fashion-siglip"
"""


@dataclass(frozen=True)
class Shop:
    """A home in two spaces, built."""

    home: Path
    towers: dict[str, Any]  # transformers' own models

    @property
    def bundle(self) -> Path:
        """The published one."""
        return self.home / "android_bundle" / "current"

    def manifest(self) -> dict[str, Any]:
        """Of that bundle."""
        values: dict[str, Any] = json.loads((self.bundle / "manifest.json").read_text("utf-8"))
        return values

    def table(self, name: str, schema: Any) -> list[dict[str, Any]]:
        """Rows of the lake."""
        return tables.read(self.home / "data_lake" / f"{name}.parquet", schema)

    def build(self, select: str | None = None) -> None:
        """As `lookbook build` does, in this process: the two rows of the table are this test's own."""
        run_build(self.home, profile=None, feed=None, select=select, stale=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Twelve drawn products; fashion in one space, the rest in the other."""
    home = tmp_path_factory.mktemp("two_spaces")
    feed = draw_shop(home / "shop", products=12, queries=1)
    (home / "two.toml").write_text(PROFILE, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for variable in ("LOOKBOOK_HOME", "DAGSTER_HOME"):
            patch.setenv(variable, os.environ.get(variable, ""))  # run_build sets them for the process
        towers, locked = {}, {}
        for seed, name in enumerate((ROUTER, FASHION), start=SEED):
            row = replace(
                MODELS["siglip2-base-patch16-224"],
                name=name,
                source=f"hub:test/{name}",
                embedding_dim=DIM,
                input_side_px=32,
                text_length=16,
                quantization=(),
            )
            patch.setitem(MODELS, name, row)  # type: ignore[arg-type]
            folder = home / "models" / "checkpoints" / name
            folder.mkdir(parents=True)
            towers[name] = write_siglip2(folder, seed)
            (folder / "tokenizer_config.json").unlink()
            (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing(row)))
            files = {
                file.name: model_lock.LockedFile(sha256=digests.of_file(file), size_bytes=file.stat().st_size)
                for file in folder.iterdir()
            }
            locked[name] = model_lock.LockedModel(source=row.source, files=files)
        model_lock.write(home / "models" / "lock.toml", locked)
        run_build(home, profile=str(home / "two.toml"), feed=str(feed), select="+android_bundle", stale=False)
        yield Shop(home, towers)


def preprocessing(row: Any) -> dict[str, Any]:
    """preprocessor_config.json as the hub has it."""
    size = {"height": 32, "width": 32}
    values = {"do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "resample": 2}
    return {**values, "size": size, "image_mean": list(row.mean), "image_std": list(row.std)}


@pytest.fixture
def engine(shop: Shop) -> Engine:
    """An open one."""
    return Engine(shop.bundle, threads=1)


def test_every_category_has_a_line_in_the_routers_space(shop: Shop) -> None:
    """Also those that the other encoder embeds: two products of each, a photo each, and no more."""
    found = shop.table("category_prototypes", tables.prototypes(DIM))
    catalog = shop.table("raw_catalog", tables.RAW_CATALOG)
    assert [row["category"] for row in found] == sorted({row["category"] for row in catalog})
    assert {row["space"] for row in found} == {ROUTER}
    sampled = shop.table("router_embeddings", tables.vectors(DIM))
    category_of = {row["product_id"]: row["category"] for row in catalog}
    products = {name: len({p for p, c in category_of.items() if c == name}) for name in CLOTHES}
    taken = [row["product_id"] for row in sampled]
    assert len(taken) == len(set(taken))
    for name in CLOTHES:
        assert sum(category_of[product] == name for product in taken) == min(2, products[name])
    assert {category_of[product] for product in taken} == set(CLOTHES)
    own = {row["category"]: row for row in found}
    for name in CLOTHES:
        vectors = np.array([row["vector"] for row in sampled if category_of[row["product_id"]] == name], np.float32)
        assert own[name]["vector"] == pytest.approx(l2_normalize(vectors.sum(axis=0)[None])[0].tolist(), abs=1e-6)
        assert own[name]["basis"] == "visual", "random words tell nothing"


def test_what_was_embedded_for_the_router_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made again, nothing is embedded, and the encoder is not even opened."""
    before = (shop.home / "data_lake" / "router_embeddings.parquet").read_bytes()

    def never(*_: object) -> Any:
        raise AssertionError("no row is new")

    monkeypatch.setattr(stage, "vectors_of_crops", never)
    shop.build("category_prototypes")
    assert (shop.home / "data_lake" / "router_embeddings.parquet").read_bytes() == before


def test_a_photo_goes_to_either_space(shop: Shop, engine: Engine) -> None:
    """Routed in the one, compared in each category's own; the bundle has no bias, as before."""
    manifest = shop.manifest()
    assert (manifest["format_version"], manifest["router"]["space"]) == (1, ROUTER)
    assert set(manifest["spaces"]) == {ROUTER, FASHION}
    photo = next((shop.home / "shop" / "queries").glob("*.jpg")).read_bytes()
    for category in ("dress", "mug"):
        hits = engine.search(photo, category=category).hits
        assert {hit.item["space"] for hit in hits} == {FASHION if category in CLOTHES else ROUTER}
    assert engine.search(photo).route is not None


def words_in_all(shop: Shop, text: str) -> dict[str, TextQuery]:
    """The words in both spaces, by transformers alone."""
    found = {}
    for name, model in shop.towers.items():
        folder = shop.home / "models" / "checkpoints" / name
        tokenizer = transformers.Siglip2Tokenizer(tokenizer_file=str(folder / "tokenizer.json"), padding_side="right")
        ids = tokenizer(text.lower(), padding="max_length", max_length=16, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            features = model.get_text_features(input_ids=ids.input_ids).pooler_output
            vector = torch.nn.functional.normalize(features, dim=-1)[0].numpy()
        found[name] = TextQuery(vector, float(model.logit_scale.detach().exp()), float(model.logit_bias.detach()))
    return found


def brute_force(shop: Shop, queries: dict[str, TextQuery], categories: Sequence[str]) -> list[tuple[str, float]]:
    """Product and log-odds, best first, from the bundle's files in float64."""
    items = json.loads((shop.bundle / "catalog.json").read_text("utf-8"))
    rows = matrices.read(shop.bundle / "embeddings.bin", DIM, len(items)).astype(np.float64)
    best: dict[str, float] = {}
    for item, row in zip(items, rows, strict=True):
        if item["category"] in categories:
            query = queries[item["space"]]
            logit = query.logit_scale * float(row @ query.embedding.astype(np.float64)) + query.logit_bias
            best[item["product_id"]] = max(logit, best.get(item["product_id"], -np.inf))
    return sorted(best.items(), key=lambda entry: -entry[1])


@pytest.mark.parametrize("category", [None, "Dress", "mug"])
def test_words_find_what_brute_force_finds(shop: Shop, engine: Engine, category: str | None) -> None:
    """Over both spaces or one category's, a result a product, best first."""
    queries = words_in_all(shop, "a red dress")
    every = sorted({item["category"] for item in engine.bundle.items})
    categories = [category.lower()] if category else every
    found = engine.search_text("a red dress", queries, k=8, category=category)
    wanted = brute_force(shop, queries, categories)[:8]
    assert [hit.log_odds for hit in found.hits] == pytest.approx([logit for _, logit in wanted], abs=1e-3)
    assert len({hit.item["product_id"] for hit in found.hits}) == len(found.hits) == len(wanted)
    assert list(found.categories) == categories
    assert [hit.rank for hit in found.hits] == list(range(1, len(wanted) + 1))
    for hit in found.hits:
        assert hit.item == engine.bundle.items[hit.row]
        query = queries[hit.item["space"]]
        assert hit.log_odds == pytest.approx(query.logit_scale * hit.cosine + query.logit_bias, abs=1e-4)


def test_words_must_be_in_every_space_that_is_searched(shop: Shop, engine: Engine) -> None:
    """One of the two is enough where all of a category is in it."""
    queries = {ROUTER: words_in_all(shop, "mug")[ROUTER]}
    with pytest.raises(LookbookError, match="the words are not embedded in 'small-fashion-siglip', where some"):
        engine.search_text("mug", queries)
    assert engine.search_text("mug", queries, category="mug").hits
    with pytest.raises(LookbookError, match="no category 'mugs' in this bundle; did you mean 'mug'"):
        engine.search_text("mug", queries, category="mugs")


def command(*arguments: object) -> Result:
    """`lookbook ...` in this process, for the test's own rows."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_command_reads_words(shop: Shop, tmp_path: Path) -> None:
    """The home's own towers, as transformers has them; JSON, table and picture."""
    done = command("search", "--home", shop.home, "--text", "A Red Dress", "--json", "-k", 5)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    wanted = brute_force(shop, words_in_all(shop, "A Red Dress"), told["categories"])[:5]
    assert [hit["score"] for hit in told["results"]] == pytest.approx([logit for _, logit in wanted], abs=1e-3)
    assert told["words"] == "A Red Dress"
    assert list(told["milliseconds"]) == ["words", "candidates"]
    grid = tmp_path / "grid.png"
    arguments = ["search", "--home", shop.home, "--text", "[red] " * 80, "--category", "mug", "--save-grid", grid]
    done = command(*arguments)
    assert done.exit_code == 0, done.output
    assert "in mug" in done.stdout
    assert "log-odds" in done.stdout
    with Image.open(grid) as picture:
        assert len(picture.convert("RGB").resize((64, 32)).getcolors(64 * 32)) > 50


def test_a_bundle_of_another_checkpoint_is_refused(shop: Shop, tmp_path: Path) -> None:
    """Words of one checkpoint mean nothing to another's photos; nor can a home read them that has none."""
    done = command("search", "--home", tmp_path, "--bundle", shop.bundle, "--text", "mug", "--category", "mug")
    assert done.exit_code == 1
    assert "model small-siglip: not pulled" in done.stderr
    assert "lookbook models pull small-siglip" in done.stderr
    folder = tmp_path / "models" / "checkpoints" / ROUTER
    folder.mkdir(parents=True)
    write_siglip2(folder, seed=9)
    (folder / "tokenizer_config.json").unlink()
    (folder / "preprocessor_config.json").write_text("{}")
    files = {
        file.name: model_lock.LockedFile(sha256=digests.of_file(file), size_bytes=file.stat().st_size)
        for file in folder.iterdir()
    }
    locked = {ROUTER: model_lock.LockedModel(source=f"hub:test/{ROUTER}", files=files)}
    model_lock.write(tmp_path / "models" / "lock.toml", locked)
    done = command("search", "--home", tmp_path, "--bundle", shop.bundle, "--text", "mug", "--category", "mug")
    assert done.exit_code == 1
    assert "was made with small-siglip of sha256 " in done.stderr
    assert "name the home that built the bundle" in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_thing_is_searched_for(shop: Shop) -> None:
    """A photo, a product or words; not two of them, and not nothing."""
    for arguments in (["--text", "red", "--product-id", "X"], ["photo.jpg", "--text", "red"], []):
        done = command("search", "--home", shop.home, *arguments)
        assert done.exit_code == 2
        assert "name photos, one --product-id or one --text" in done.stderr
    done = command("search", "--home", shop.home, "--text", " ")
    assert (done.exit_code, "--text is empty" in done.stderr) == (2, True)


def test_without_the_rest_of_lookbook(shop: Shop) -> None:
    """`python -m query` has no tower: one line says what it takes."""
    arguments = [sys.executable, "-m", "query", "search", "--bundle", str(shop.bundle), "--text", "mug"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "--text needs the full command: lookbook search" in done.stderr


class Trained:
    """Stands in for a tower that learnt something, which random weights did not: words lie beside their photos."""

    asked: ClassVar[list[str]] = []
    photos: ClassVar[dict[str, np.ndarray]] = {}  # by a word of the prompt

    def __init__(self, *_: object) -> None:
        """It needs no checkpoint."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """A direction of its own for all words, and a little of the photos'."""
        self.asked.extend(texts)
        mean = np.mean(list(self.photos.values()), axis=0)
        apart = np.roll(mean, 7) - mean * float(np.roll(mean, 7) @ mean) / float(mean @ mean)
        own = l2_normalize(np.array([self.photos[text.split()[-1]] - mean for text in texts], np.float32))
        return l2_normalize(l2_normalize(apart[None]) + 0.5 * own)


def test_words_that_tell_something_ship_with_a_bias(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """All categories have few products and lean on their words; the bundle is version 2, and answers its golden."""
    before = {row["category"]: row for row in shop.table("category_prototypes", tables.prototypes(DIM))}
    photos = {name.split()[-1]: np.array(row["vector"], np.float32) for name, row in before.items()}
    monkeypatch.setattr(Trained, "asked", [])
    monkeypatch.setattr(Trained, "photos", {**photos, "gown": photos["dress"]})
    monkeypatch.setattr(stage, "TextTower", Trained)
    shop.build("category_prototypes")
    found = {row["category"]: row for row in shop.table("category_prototypes", tables.prototypes(DIM))}
    assert {"a dress", "a gown", "a photo of mug"} <= set(Trained.asked)
    few = {name for name, row in found.items() if row["products"] < 5}
    assert few >= {*CLOTHES, "mug"}, "of those that the other encoder embeds two are sampled"
    for name, row in found.items():
        assert row["basis"] == ("visual and text" if name in few else "visual")
        assert (row["bias"] != 0) == (name in few)
    shop.build("android_bundle")
    manifest = shop.manifest()
    assert (manifest["format_version"], manifest["router_method"]) == (2, "prototypes")
    assert manifest["router"]["bias"] == pytest.approx([row["bias"] for _, row in sorted(found.items())])
    engine = Engine(shop.bundle, threads=1)
    assert check_golden(engine) == 3
    [space] = {row["space"] for row in found.values()}
    query = engine.search(next((shop.home / "shop" / "queries").glob("*.jpg")).read_bytes())
    embedding = query.described.embeddings[space].astype(np.float64)
    wanted = {name: float(np.array(row["vector"]) @ embedding) + row["bias"] for name, row in found.items()}
    assert dict(query.route.scores) == pytest.approx(wanted, abs=1e-5)


def test_a_fitted_head_ships(shop: Shop) -> None:
    """The other way to route: probabilities, told as such by JSON, table, golden and manifest."""
    (shop.home / "two.toml").write_text(PROFILE.replace("[router]", '[router]\nmethod = "head"\nmargin = 0.2'), "utf-8")
    shop.build("category_prototypes")
    shop.build("android_bundle")
    manifest = shop.manifest()
    assert (manifest["format_version"], manifest["router_method"]) == (2, "linear_head")
    assert len(manifest["router"]["bias"]) == len(manifest["router_categories"])
    assert check_golden(Engine(shop.bundle, threads=1)) == 3
    golden = json.loads((shop.bundle / manifest["golden"][0]["expected"]).read_text("utf-8"))
    assert sum(golden["route_probabilities"].values()) == pytest.approx(1)
    photo = next((shop.home / "shop" / "queries").glob("*.jpg"))
    told = json.loads(command("search", photo, "--home", shop.home, "--json").stdout)
    assert sum(told["route"]["probabilities"].values()) == pytest.approx(1)
    assert "probabilities of the likeliest" in command("search", photo, "--home", shop.home).stdout

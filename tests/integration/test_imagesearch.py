"""The whole graph with the real models, all but SigLIP 2 and the text towers at full size: from hub format to a search.

Weights are random but for U2NetP's: this shows loading, export, formats, sizes and that all fits. Quality needs
the real checkpoints, which no machine of the project can reach.
"""

import csv
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from catalog.formats import matrices, tables
from query.engine import Engine
from tests.conftest import CHECKOUT, Lookbook

pytest.importorskip("transformers", reason="the extra [pretrained] is not installed")

pytestmark = pytest.mark.endurance

MODELS = ("sam2.1-hiera-tiny", "siglip2-base-patch16-224", "marqo-fashionsiglip", "dinov2-small")
FEED = """\
format = "csv"
path = "feed.csv"
photos = "{photos}"
"""
# The sizes that the on-device system this began from had, in MB.
LARGEST_MB = {"siglip2-base-patch16-224": 96, "marqo-fashionsiglip": 96, "dinov2-small": 23, "u2netp": 4.6}


@dataclass(frozen=True)
class Built:
    """A home built with `imagesearch`, and what the build printed."""

    home: Path
    output: str

    @property
    def manifest(self) -> dict:
        return json.loads((self.home / "android_bundle" / "current" / "manifest.json").read_text("utf-8"))

    @property
    def gate(self) -> dict[str, dict]:
        report = json.loads((self.home / "models" / "int8" / "gate.json").read_text("utf-8"))
        return {entry["model"]: entry for entry in report}


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, shared_weights: Path, lookbook: Lookbook
) -> Built:
    """Four real photos: fashion, which FashionSigLIP embeds, and things, which SigLIP 2 does."""
    folder = tmp_path_factory.mktemp("imagesearch")
    script = [sys.executable, CHECKOUT / "benchmarks" / "random_checkpoints.py", "--out", folder / "hub"]
    subprocess.run([*script, "--only", ",".join(MODELS), "--small"], check=True, capture_output=True)
    with (shared_data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "luma" and row["role"] == "gallery"]
    kinds = ("jackets", "bags", "watches")
    chosen = [
        row for kind in kinds for row in [row for row in rows if row["category"] == kind][: 1 + (kind == "watches")]
    ]
    home = folder / "home"
    (home / "shop").mkdir(parents=True)
    (home / "shop" / "feed.toml").write_text(FEED.format(photos=shared_data), encoding="utf-8")
    with (home / "shop" / "feed.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["product_id", "variant", "category", "title", "image"])
        writer.writerows(
            [row["product_id"], row["variant_id"], row["category"], row["title"], row["path"]] for row in chosen
        )
    lookbook("models", "import", "u2netp", shared_weights / "u2netp_320_fp32.onnx", "--home", home)
    lookbook("models", "pull", "--profile", "imagesearch", "--from", folder / "hub", "--home", home)
    done = lookbook("build", "--home", home, "--profile", "imagesearch", "--feed", home / "shop" / "feed.toml")
    return Built(home, done.stdout + done.stderr)


def test_each_category_is_in_its_encoders_space(built: Built) -> None:
    """Fashion in FashionSigLIP's, the rest in SigLIP 2's, all 768 wide; textures 384."""
    items = json.loads((built.home / "android_bundle" / "current" / "catalog.json").read_text("utf-8"))
    space_of = {item["category"]: item["space"] for item in items}
    assert space_of == {
        **dict.fromkeys(["jackets", "bags"], "marqo-fashionsiglip"),
        "watches": "siglip2-base-patch16-224",
    }
    bundle = built.home / "android_bundle" / "current"
    embeddings = matrices.read(bundle / "embeddings.bin", 768, len(items))
    textures = matrices.read(bundle / "texture.bin", 384, len(items))
    for rows in (embeddings, textures):
        assert np.abs(np.linalg.norm(rows, axis=1) - 1).max() < 1e-3
    assert (built.manifest["embedding_dim"], built.manifest["texture_dim"]) == (768, 384)


def test_every_category_can_be_routed_to(built: Built) -> None:
    """Those that another encoder embeds as well: the router has a direction for each."""
    assert sorted(built.manifest["router_categories"]) == ["bags", "jackets", "watches"]


def test_sam2_was_asked_and_every_row_says_who_cut(built: Built) -> None:
    """With random weights its masks are rubbish: rows fall back to the saliency mask, and say so."""
    rows = tables.read(built.home / "data_lake" / "sam2_masks.parquet", tables.SAM2_MASKS)
    assert len(rows) == 4
    assert {row["prompted_by"] for row in rows} == {"saliency"}
    for row in rows:
        fell_back = row["model"] == "u2netp"
        assert ("saliency_fallback" in row["flags"]) == fell_back
        assert (row["predicted_iou"] is None) == fell_back


def test_what_ships_is_small_and_says_what_it_is(built: Built) -> None:
    """The smaller forms reach the sizes of the on-device system; what ships is what the gate let pass."""
    for name, entry in built.gate.items():
        smallest = min(tried["size_bytes"] for tried in entry["tried"])
        assert smallest <= LARGEST_MB[name] * 1e6, entry["tried"]
        described = built.manifest["models"][name]
        assert described["form"] == entry["form"]
        assert described["licence"] == "Apache-2.0"
    assert set(built.manifest["models"]) == set(LARGEST_MB), "SAM 2 has no work on a phone"


def test_models_take_pixels(built: Built) -> None:
    """Each file of the bundle opens in plain ONNX Runtime and takes uint8 of any size."""
    bundle = built.home / "android_bundle" / "current"
    image = np.random.default_rng(0).integers(0, 256, (120, 90, 3), dtype=np.uint8)
    for name, described in built.manifest["models"].items():
        session = ort.InferenceSession(bundle / described["file"], providers=["CPUExecutionProvider"])
        feeds = {"image": image, "mask": np.full(image.shape[:2], 255, np.uint8)}
        wanted = [entry["name"] for entry in described["inputs"]]
        [output] = session.run([described["output"]], {key: feeds[key] for key in wanted})
        assert list(output.shape) == described["output_shape"], name
        assert np.isfinite(output).all()


def test_the_engine_searches_it(built: Built, shared_data: Path) -> None:
    """A photo of the catalogue comes back first in its own category, with every part of its score."""
    engine = Engine(built.home / "android_bundle" / "current")
    item = next(item for item in engine.bundle.items if item["category"] == "watches")
    with (built.home / "shop" / "feed.csv").open(encoding="utf-8", newline="") as file:
        photo = next(row["image"] for row in csv.DictReader(file) if row["product_id"] == item["product_id"])
    result = engine.search((shared_data / photo).read_bytes(), category="watches")
    assert result.hits[0].item["product_id"] == item["product_id"]
    routed = engine.search((shared_data / photo).read_bytes())
    assert routed.hits
    assert set(routed.milliseconds) >= {"segment", "embed", "texture", "color", "route", "rerank"}


def test_text_finds_products_without_torch_in_the_engine(built: Built, lookbook: Lookbook) -> None:
    """`lookbook search --text` goes through the text towers of the home's checkpoints."""
    done = lookbook("search", "--home", built.home, "--text", "a black watch", "--json")
    found = json.loads(done.stdout)
    assert found["results"]
    assert all(-1 <= hit["parts"]["semantic_cosine"] <= 1 for hit in found["results"])


def test_a_second_build_reuses_every_row(built: Built, lookbook: Lookbook) -> None:
    """Nothing changed: nothing is cut out or embedded again."""
    stages = ("sam2_masks", "semantic_embeddings", "texture_features")
    done = lookbook("build", "--home", built.home, "--select", ",".join(stages))
    for stage in stages:
        [line] = [line for line in done.stderr.splitlines() if line.split()[:1] == [stage] and "items" in line]
        assert "0 computed, 4 reused" in line


def test_a_damaged_float_model_is_made_again(built: Built, lookbook: Lookbook) -> None:
    """What was cut short on disk is never taken for a model."""
    [file] = (built.home / "models" / "fp32").glob("u2netp-*.onnx")
    whole = file.read_bytes()
    file.write_bytes(whole[:100_000])
    lookbook("build", "--home", built.home, "--select", "fp32_models")
    assert file.read_bytes() == whole


def test_a_home_without_models_is_told_all_at_once(tmp_path: Path, lookbook: Lookbook) -> None:
    """Before the first stage: every model, and the command for this very home."""
    done = lookbook("build", "--home", tmp_path / "new", "--profile", "imagesearch", ok=False)
    assert "not pulled yet: sam2.1-hiera-tiny, u2netp, dinov2-small, siglip2-base-patch16-224" in done.stderr
    assert f"run: lookbook models pull --profile imagesearch --home {tmp_path / 'new'}" in done.stderr
    assert "product_images" not in done.stderr


def test_a_damaged_checkpoint_stops_the_build(built: Built, lookbook: Lookbook) -> None:
    """Last, since it breaks the home: SAM 2's file is cut short, and the build says which and what to do."""
    file = built.home / "models" / "checkpoints" / "sam2.1-hiera-tiny" / "model.safetensors"
    content = file.read_bytes()
    file.unlink()  # it may be a link to the source
    file.write_bytes(content[:-1000])
    done = lookbook("build", "--home", built.home, "--select", "sam2_masks", ok=False)
    assert "model.safetensors" in done.stderr
    assert "lookbook models pull sam2.1-hiera-tiny" in done.stderr

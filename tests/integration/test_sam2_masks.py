"""The asset `sam2_masks` with a promptable segmenter: its rows, its metadata, and what it computes again.

No SAM 2 with real weights can run here. In its place stands one that answers by the photo's own colours; all else is
real: saliency, prompts, checks, tables. tests/integration/test_imagesearch.py runs SAM 2 itself, on random weights.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import numpy as np
import pytest
from PIL import Image, ImageDraw

from catalog.formats import tables
from catalog.vision.boxes import Detection
from catalog.vision.mask_candidates import Candidate
from catalog.vision.prompts import Prompt
from dagster_project.definitions import build_definitions
from resources.home import Home
from resources.inference import Inference
from resources.settings import Settings, save_settings

PROFILE = """
name = "mine"
description = "SAM 2, prompted"
[segmentation]
catalog = "sam2.1-hiera-tiny"
query = "lookbook-segmenter"
{more}
[encoders]
semantic = "lookbook-semantic"
texture = "lookbook-texture"
[categories.mug]
aliases = ["cup"]
"""
FEED = 'format = "csv"\npath = "feed.csv"\nphotos = "."\n'
SIDE = 256


@dataclass
class ByColor:
    """Answers with all that has the colour under the prompt's first point; sure of it, but for grey things."""

    name: str = "sam2.1-hiera-tiny"
    encoded: int = 0
    sure: bool = True

    def encode(self, image_hwc: np.ndarray) -> tuple[np.ndarray, int, int]:
        self.encoded += 1
        small = np.asarray(Image.fromarray(image_hwc).resize((SIDE, SIDE), Image.Resampling.NEAREST))
        return small.astype(int), image_hwc.shape[1], image_hwc.shape[0]

    def candidates(self, photo, prompts: Sequence[Prompt], *, multimask: bool) -> list[Candidate]:
        image, width, height = photo
        found = []
        for prompt in prompts:
            x, y = prompt.points[0] if prompt.points else ((prompt.box[0] + prompt.box[2]) / 2, 0.5 * height)
            color = image[int(y * SIDE / height), int(x * SIDE / width)]
            logits = np.where(np.abs(image - color).max(axis=2) < 30, 10, -10).astype(np.float32)
            found += [Candidate(logits, 0.9 if self.sure and np.ptp(color) > 20 else 0.3)] * (3 if multimask else 1)
        return found


@dataclass
class Reader:
    """A detector that reads words: it boxes the middle of the photo, and keeps what it was asked."""

    asked: list[tuple[str, ...]] = field(default_factory=list)

    def detect(self, image_hwc: np.ndarray, words: Sequence[str]) -> list[Detection]:
        self.asked.append(tuple(words))
        height, width = image_hwc.shape[:2]
        return [Detection((0.25 * width, 0.2 * height, 0.75 * width, 0.8 * height), 0.8)]


@dataclass
class Shop:
    """A home with three photos: a red thing, a blue one and a grey one, each on white."""

    home: Home
    segmenter: ByColor
    detector: Reader
    instance: dg.DagsterInstance
    checked: dict[str, bool] = field(default_factory=dict)

    def choose(self, more: str = "", categories: Sequence[str] = ("mug", "mug", "Lamps > Desk_Lamps")) -> None:
        """Write profile and feed."""
        self.home.root.joinpath("mine.toml").write_text(PROFILE.format(more=more), "utf-8")
        with self.home.root.joinpath("feed.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["product_id", "category", "title", "image"])
            for name, category in zip(("red", "blue", "grey"), categories, strict=True):
                rows.writerow([name, category, name, f"{name}.png"])

    def build(self) -> tuple[list[dict], dict]:
        """Run the graph up to the masks; their rows, and what the asset says of itself."""
        definitions = build_definitions(self.home)
        keys = [dg.AssetKey(name) for name in ("raw_catalog", "product_images", "sam2_masks")]
        job = definitions.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=self.instance, asset_selection=keys)
        self.checked = {entry.check_name: entry.passed for entry in result.get_asset_check_evaluations()}
        (said,) = result.asset_materializations_for_node("sam2_masks")
        metadata = {name: value.value for name, value in said.metadata.items()}
        return tables.read(self.home.data_lake / "sam2_masks.parquet", tables.SAM2_MASKS), metadata


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name, color in (("red", "#c8141e"), ("blue", "#1428b4"), ("grey", "#5a5a5a")):
        image = Image.new("RGB", (400, 300), "white")
        ImageDraw.Draw(image).rounded_rectangle((100, 60, 300, 240), 20, fill=color)
        image.save(tmp_path / f"{name}.png")
    (tmp_path / "feed.toml").write_text(FEED, "utf-8")
    save_settings(tmp_path / "lookbook.toml", Settings("mine.toml", "feed.toml"))
    segmenter, detector = ByColor(), Reader()
    monkeypatch.setattr(Inference, "_sam2", lambda self, name, backend, precision: segmenter)
    monkeypatch.setattr(Inference, "_detector", lambda self, name: detector)
    found = Shop(Home(tmp_path), segmenter, detector, dg.DagsterInstance.ephemeral())
    found.choose()
    return found


def test_rows_say_who_made_a_mask_and_what_for(shop: Shop) -> None:
    """Two by the segmenter, and the grey one, which it is not sure of, by the saliency mask."""
    rows, metadata = shop.build()
    assert [row["product_id"] for row in rows] == ["red", "blue", "grey"]
    red, _, grey = rows
    assert (red["model"], red["prompted_by"], red["predicted_iou"], red["stability"]) == (
        "sam2.1-hiera-tiny",
        "saliency",
        0.9,
        1.0,
    )
    assert red["saliency_iou"] > 0.7
    assert red["area_fraction"] == pytest.approx(200 * 180 / (400 * 300), abs=0.02)
    left, top, right, bottom = red["prompt_box"]
    assert 60 < left < 110 < 290 < right < 340
    assert 20 < top < 70 < 230 < bottom < 280
    assert all(100 < x < 300 and 60 < y < 240 for x, y in red["prompt_points"])
    assert (grey["model"], grey["flags"][-1]) == ("lookbook-segmenter", "saliency_fallback")
    assert (grey["predicted_iou"], grey["stability"], grey["saliency_iou"]) == (None, None, None)
    assert grey["prompt_box"]
    assert (metadata["segmented_by"], metadata["masks_by_prompts"], metadata["saliency_fallbacks"]) == (
        "sam2.1-hiera-tiny",
        2,
        1,
    )
    assert (metadata["mean_predicted_iou"], metadata["mean_stability"]) == (0.9, 1)
    assert shop.checked["few_masks_fell_back"]


def test_a_segmenter_that_is_never_sure_is_told_of(shop: Shop) -> None:
    """A checkpoint may be broken: the build goes on with saliency masks, and a check warns."""
    shop.segmenter.sure = False
    rows, metadata = shop.build()
    assert {row["model"] for row in rows} == {"lookbook-segmenter"}
    assert metadata["saliency_fallbacks"] == 3
    assert "mean_predicted_iou" not in metadata
    assert [name for name, passed in shop.checked.items() if not passed] == ["few_masks_fell_back"]
    assert {"few_rows_rejected", "masks_cover_products"} <= shop.checked.keys()


def test_only_what_changed_is_asked_again(shop: Shop) -> None:
    """Nothing a second time; with a grid instead of prompts, everything."""
    assert shop.build()[1]["computed"] == 3
    assert shop.segmenter.encoded == 3
    assert shop.build()[1]["computed"] == 0
    shop.choose('prompt = "grid"')
    rows, metadata = shop.build()
    assert metadata["computed"] == 3
    assert [row["prompted_by"] for row in rows] == ["grid"] * 3
    assert [row["prompt_box"] for row in rows] == [[]] * 3
    assert rows[0]["model"] == "sam2.1-hiera-tiny"


def test_another_category_is_another_question(shop: Shop) -> None:
    """To a detector that reads words: only the product whose words changed is asked again."""
    shop.choose('detector = "grounding-dino-tiny"')
    rows, _ = shop.build()
    assert sorted(shop.detector.asked) == [("desk lamps",), ("mug", "cup"), ("mug", "cup")]
    assert rows[0]["prompted_by"] == "detector"
    assert rows[0]["prompt_box"] == [100, 60, 300, 240]
    shop.detector.asked.clear()
    shop.choose('detector = "grounding-dino-tiny"', ("mug", "cup", "vase"))
    assert shop.build()[1]["computed"] == 1  # a cup is a mug
    assert shop.detector.asked == [("vase",)]


def test_other_words_are_nothing_to_a_detector_that_reads_none(shop: Shop) -> None:
    """YOLOX's classes are fixed, so categories are no part of a mask's key."""
    shop.choose('detector = "yolox-nano"')
    shop.build()
    shop.choose('detector = "yolox-nano"', ("vase", "vase", "vase"))
    assert shop.build()[1]["computed"] == 0

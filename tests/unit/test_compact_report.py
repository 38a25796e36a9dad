"""The card of a trained model, as people read it."""

from pathlib import Path

import numpy as np
import pytest

from catalog.evaluation.gate import Decision
from catalog.training.compact import report
from catalog.training.compact.dataset import Dataset, LeftOut, Photo
from catalog.training.compact.samples import Samples

PHOTOS = [("train/bags|purses/0.png", "train"), ("train/hat/0.png", "train"), ("test/bags|purses/1.png", "test")]


@pytest.fixture
def card() -> str:
    """Of two classes, one of which test has not; one file that is no photo of a class."""
    photos = tuple(Photo(file, file.split("/")[1], split, file) for file, split in PHOTOS)
    dataset = Dataset(
        Path("/photos/spring"), ("bags|purses", "hat"), photos, (), (LeftOut("train/x", "a link to nothing"),)
    )
    samples = Samples(photos, np.zeros((3, 1, 1, 5), np.uint8), np.zeros((3, 0), np.float32), ())
    measured = report.measure(samples, dataset.classes, np.eye(2, dtype=np.float32)[[0, 1, 0]], np.eye(2))
    best = {"classifier": {"epoch": 0, "of": 1, "accuracy": 1.0, "top_1": 1.0}}
    whole = report.describe(
        name="ours",
        dataset=dataset,
        bad=(),
        parameters=7,
        training={"teacher": "", "segmenter": "", "phase": "classifier", "seed": 0, "epochs": 1, "best": best},
        measured=measured,
        shipped=measured,
        decisions=[Decision(form="fp32", passed=True, reasons=(), measured={}, size_bytes=9, latency_ratio=1.0)],
    )
    return report.card(whole)


def test_the_card_names_the_folder_and_what_was_no_photo_in_it(card):
    assert "| dataset | /photos/spring |" in card
    assert "| left out | 0 that can't be read, 0 repeated, 1 no photos of a class |" in card
    assert "- `train/x`: a link to nothing" in card


def test_a_bar_in_a_class_ends_no_cell_and_a_class_without_test_photos_has_no_scores(card):
    assert "| 1 | bags\\|purses | 1.000 | 1.000 | 1.000 | 1 |" in card
    assert "| 2 | hat | – | – | – | 0 |" in card
    assert "No test photo: hat; the means are over the others." in card

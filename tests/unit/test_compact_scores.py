"""The measures of a trained model, against cases worked by hand."""

import numpy as np
import pytest

from catalog.training.compact import pictures, scores


def test_classes_are_scored_as_by_hand():
    """Truth aaabbc, answers aabbba.

    a: 2 right of 3 asked and 3 given, P = R = F1 = 2/3. b: 2 of 2 asked, 3 given:
    P 2/3, R 1, F1 4/5. c: nothing given: all 0.
    """
    found = scores.classification(np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 0]), ("a", "b", "c"))
    assert found.accuracy == pytest.approx(4 / 6)
    assert [(one.precision, one.recall, one.f1, one.photos) for one in found.classes] == [
        (pytest.approx(2 / 3), pytest.approx(2 / 3), pytest.approx(2 / 3), 3),
        (pytest.approx(2 / 3), 1.0, pytest.approx(0.8), 2),
        (0.0, 0.0, 0.0, 1),
    ]
    assert found.precision == pytest.approx(4 / 9)
    assert found.recall == pytest.approx(5 / 9)
    assert found.f1 == pytest.approx((2 / 3 + 0.8) / 3)
    assert found.confusion.tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]


def at(*degrees: float) -> np.ndarray:
    angle = np.deg2rad(np.array(degrees))
    return np.stack([np.cos(angle), np.sin(angle)], 1).astype(np.float32)


def test_a_gallery_is_searched_as_by_hand():
    """Query at 0, class 0: the gallery's classes come 1, 0, 0 by distance: first right place 2, AP (1/2 + 2/3) / 2.

    Query at 90, class 1, whose only photo comes last of three: RR = AP = 1/3. A class that is not there scores 0.
    """
    gallery, classes = at(5, 10, 40), np.array([1, 0, 0])
    found = scores.retrieval(at(0, 90, 0), np.array([0, 1, 2]), gallery, classes)
    assert found == {
        "top_1": 0.0,
        "top_5": pytest.approx(2 / 3),
        "mrr": pytest.approx((1 / 2 + 1 / 3 + 0) / 3),
        "map": pytest.approx(((1 / 2 + 2 / 3) / 2 + 1 / 3 + 0) / 3),
        "queries": 3,
    }


def test_a_photo_is_left_out_of_its_own_results():
    """0 and 10 degrees are a pair, 50 stands alone: its own place would have been a hit."""
    vectors, labels = at(0, 10, 50), np.array([0, 0, 1])
    found = scores.retrieval(vectors, labels, vectors, labels, same=True)
    assert found["top_1"] == pytest.approx(2 / 3)
    assert found["map"] == pytest.approx(2 / 3)


def test_curves_are_drawn_where_the_numbers_are():
    """A line that rises from the lower left to the upper right; nothing but paper in an empty panel's middle."""
    picture = pictures.curves([("up", [("a", [(1, 0.0), (9, 1.0)])]), ("none", [("b", [])])], "epoch")
    assert picture.shape == (260, 760, 3)
    blue = (picture == np.array(pictures.COLORS[0])).all(-1)
    blue[:40] = False  # the series' name
    rows, columns = np.nonzero(blue)
    assert rows[columns.argmin()] > 200
    assert rows[columns.argmax()] < 60
    assert (picture[60:, 400:] == picture[130, 600]).all()


def test_a_share_that_never_changes_is_drawn_between_0_and_1():
    """A third, 190 pixels high from 230 up: at 230 - 63."""
    picture = pictures.curves([("accuracy", [("a", [(1, 1 / 3), (9, 1 / 3)])])], "epoch")
    blue = (picture[40:] == np.array(pictures.COLORS[0])).all(-1)
    assert set(np.flatnonzero(blue.any(1)) + 40) <= {165, 166, 167, 168}

"""Counts of what is taken for what, and which classes are put together."""

import numpy as np

from catalog.evaluation.confusion import confusion


def test_counts_by_hand() -> None:
    """Two floral queries of three results each, one plain of two."""
    pairs = [("floral", "floral")] * 4 + [("floral", "plain")] * 2 + [("plain", "plain"), ("plain", "")]
    found = confusion(pairs)
    assert found.asked == ("floral", "plain")
    assert found.answered == ("floral", "plain", "(no label)")
    assert found.counts.tolist() == [[4, 2, 0], [0, 1, 1]]
    assert np.allclose(found.shares, [[4 / 6, 2 / 6, 0], [0, 0.5, 0.5]])


def test_rare_classes_are_put_together() -> None:
    """The two that are asked most keep their names; an answer that nobody asks for is among the others."""
    pairs = [("a", "a")] * 5 + [("c", "b")] * 4 + [("b", "b")] * 3 + [("d", "a")] + [("a", "never asked")]
    found = confusion(pairs, most=2)
    assert found.asked == ("a", "c", "(others)")
    assert found.answered == ("a", "c", "(others)")
    assert found.counts.tolist() == [[5, 0, 1], [0, 0, 4], [1, 0, 3]]


def test_what_has_no_label_is_no_class_of_its_own_beyond_the_most() -> None:
    """A query without a label, once there are more classes than are shown, is one of the others."""
    found = confusion([("a", "a"), ("a", ""), ("", "a")], most=1)
    assert (found.asked, found.answered) == (("a", "(others)"), ("a", "(no label)"))
    assert found.counts.tolist() == [[1, 1], [1, 0]]


def test_nothing() -> None:
    """No query: no row."""
    found = confusion([])
    assert (found.asked, found.answered, found.shares.shape) == ((), (), (0, 0))

"""The ways in which a benchmark's queries are put: convex weights, each once, and answers from elsewhere beside."""

import pytest

from assets.trials import Trials, weightings
from catalog.errors import LookbookError
from catalog.evaluation.retrieval import Answer
from catalog.features.ranking import Weights


def of_three(semantic: float, texture: float, color: float, color_gate: float) -> Weights:
    return Weights(semantic=semantic, texture=texture, color=color, color_gate=color_gate)


def test_each_part_alone_added_and_left_out() -> None:
    """0.3 / 0.2 / 0.5: what is left is brought back to 1, by hand; the gate goes with the colour."""
    found = weightings(of_three(0.3, 0.2, 0.5, 0.2))
    assert found == {
        "full score": of_three(0.3, 0.2, 0.5, 0.2),
        "semantic only": of_three(1.0, 0.0, 0.0, 0.0),
        "without semantic": of_three(0.0, 0.2 / 0.7, 0.5 / 0.7, 0.2),
        "without texture": of_three(0.3 / 0.8, 0.0, 0.5 / 0.8, 0.2),
        "without color": of_three(0.3 / 0.5, 0.2 / 0.5, 0.0, 0.0),
        "without color gate": of_three(0.3, 0.2, 0.5, 0.0),
        "weights 0.50 / 0.30 / 0.20": of_three(0.5, 0.3, 0.2, 0.2),
    }


def test_no_way_twice() -> None:
    """A profile of the design's weights without a gate has neither row; one of meaning alone has only that."""
    assert "weights 0.50 / 0.30 / 0.20" not in weightings(of_three(0.5, 0.3, 0.2, 0.2))
    assert "without color gate" not in weightings(of_three(0.5, 0.3, 0.2, 0.0))
    assert list(weightings(of_three(1.0, 0.0, 0.0, 0.0))) == ["full score", "weights 0.50 / 0.30 / 0.20"]


def test_answers_from_elsewhere_must_be_to_the_same_queries() -> None:
    """Else differences would be taken between queries that are not the same."""
    trials = Trials()
    trials.add_way("float models", [])
    assert trials.answers == {"float models": []}
    with pytest.raises(LookbookError, match="has answers called 'float models' already; give them another name"):
        trials.add_way("float models", [])
    other = Answer(product_id="p", variant="", category="c", pattern="", products=(), variants=(), patterns=(),
                   best_category="c", searched=("c",))  # fmt: skip
    with pytest.raises(LookbookError, match="'whole photo' are not to the 0 queries that were put, in order"):
        trials.add_way("whole photo", [other])

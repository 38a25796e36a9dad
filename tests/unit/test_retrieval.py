"""The table of measures of labelled searches: what is in it, over which queries, and in which order."""

import pytest

from catalog.evaluation.retrieval import Answer, score, values


def answer(product: str, products: list[str], **changes: object) -> Answer:
    """A query of a red dress, and the products that were found for it."""
    values = {
        "variant": "red",
        "category": "dress",
        "pattern": "",
        "variants": tuple((found, "red") for found in products),
        "patterns": (),
        "best_category": "dress",
        "searched": ("dress",),
    }
    return Answer(product_id=product, products=tuple(products), **{**values, **changes})  # type: ignore[arg-type]


FILLED = [f"f{number}" for number in range(20)]


def test_every_measure_by_hand() -> None:
    """Four queries of four products: found at ranks 1, 3, 8 and never."""
    answers = [
        answer("a", ["a", *FILLED], pattern="floral", patterns=("floral",) * 4 + ("plain",) * 6, mask_iou=0.9),
        answer("b", ["x", "y", "b"], variants=(("b", "blue"), ("x", "red"), ("b", "red")), mask_iou=0.5),
        answer("c", [*FILLED[:7], "c"], best_category="bag", searched=("bag", "dress"), pattern="plain"),
        answer("d", FILLED, best_category="mug", searched=("mug",)),
    ]
    table = score(answers)
    assert {name: found.mean for name, found in table.items()} == pytest.approx(
        {
            "success@1": 1 / 4,
            "success@5": 2 / 4,
            "success@10": 3 / 4,
            "reciprocal rank@10": (1 + 1 / 3 + 1 / 8) / 4,
            "variant success@1": 1 / 4,
            "variant success@5": 2 / 4,
            "variant success@10": 3 / 4,
            "routed@1": 2 / 4,
            "routed": 3 / 4,
            "print precision@10": (0.4 + 0.0) / 2,
            "mask IoU": 0.7,
        }
    )
    assert {name: found.queries for name, found in table.items() if found.queries != 4} == {
        "print precision@10": 2,
        "mask IoU": 2,
    }


def test_the_order_is_fixed() -> None:
    """As docs/results.md prints it."""
    names = list(score([answer("a", ["a"], pattern="p", mask_iou=1.0)]))
    assert names == [
        "success@1", "success@5", "success@10", "reciprocal rank@10",
        "variant success@1", "variant success@5", "variant success@10",
        "routed@1", "routed", "print precision@10", "mask IoU",
    ]  # fmt: skip


def test_only_what_the_labels_allow() -> None:
    """No variants, no prints, no masks: no rows for them. An empty mask is a 0, not a missing one."""
    assert list(score([answer("a", ["a"], variant="")])) == [
        "success@1", "success@5", "success@10", "reciprocal rank@10", "routed@1", "routed",
    ]  # fmt: skip
    assert score([answer("a", ["a"], mask_iou=0.0)])["mask IoU"].mean == 0
    assert score([]) == {}


def test_the_very_variant_is_wanted() -> None:
    """The right style in blue is a success of style, not of variant; another product's red is neither."""
    table = score([answer("a", ["a"], variants=(("a", "blue"), ("b", "red")))])
    assert table["success@1"].mean == 1
    assert table["variant success@10"].mean == 0


def test_a_query_without_a_variant_is_not_asked_for_one() -> None:
    """Nor counted: of two queries one names a variant, which is not found."""
    found = score(
        [answer("a", ["a"], variant="", variants=(("a", ""),)), answer("b", ["b"], variants=(("b", "blue"),))]
    )
    assert (found["variant success@1"].mean, found["variant success@1"].queries) == (0, 1)


def test_intervals_draw_whole_products() -> None:
    """Ten queries of one product, all found, beside one of another, lost: two products are drawn, not eleven queries.

    Of the four equally likely draws one has only the lost one: the interval reaches down to 0.
    """
    answers = [answer("a", ["a"])] * 10 + [answer("b", [])]
    found = score(answers)["success@1"]
    assert found.mean == pytest.approx(10 / 11)
    assert (found.low, found.high) == (0, 1)


def test_a_value_a_query() -> None:
    """In the order of the answers; None where the label does not ask, so that two ways are compared query by query."""
    found = values([answer("a", ["x", "a"], pattern="p", patterns=("p",)), answer("b", ["b"])])
    assert found["success@1"] == [0, 1]
    assert found["reciprocal rank@10"] == [0.5, 1]
    assert found["print precision@10"] == [0.1, None]
    assert "mask IoU" not in found

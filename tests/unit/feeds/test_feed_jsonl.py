"""JSON lines: types, lists, and lines that are no JSON. Bytes by hand."""

import json
from collections.abc import Callable

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.reading import FeedContents

Read = Callable[..., FeedContents]


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("a.jpg", "b.jpg", "c.jpg")


def test_reads_text_numbers_and_lists(read: Read) -> None:
    """Numbers as they are written, true as true, null as not given."""
    lines = [
        '{"product_id": "00123", "category": "tops", "title": null, "price": 19.90, "images": ["a.jpg", "b.jpg"]}',
        '{"product_id": 123, "variant": 1.10, "category": "tops", "price": 1.299, "image": "a.jpg", "brand": true}',
        '{"product_id": 12345678901234567890, "category": "t", "price": "1.299,00 €", "images": ["a.jpg", "b.jpg"]}',
    ]
    contents = read("f.jsonl", "\n".join(lines), 'currency = "EUR"\n')
    assert [(r.product_id, r.variant, r.price, r.image, r.image_index) for r in contents.rows] == [
        ("00123", "", 19.9, "a.jpg", 0),
        ("00123", "", 19.9, "b.jpg", 1),
        ("123", "1.10", 1.299, "a.jpg", 0),
        ("12345678901234567890", "", 1299.0, "a.jpg", 0),
        ("12345678901234567890", "", 1299.0, "b.jpg", 1),
    ]
    assert contents.rows[2].brand == "true"
    assert contents.rejected == ()


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"product_id": "2", "category": "tops", "image": "a.jp',
        "[1, 2]",
        '"text"',
        "[" * 100_000,
        '{"product_id": ' + "9" * 5000 + "}",
        '{"product_id": {"a": 1}, "category": "tops", "image": "a.jpg"}',
        '{"product_id": ["2"], "category": "tops", "image": "a.jpg"}',
        '{"product_id": "2", "category": "tops", "images": [["a.jpg"]]}',
        '{"product_id": "2", "category": "tops", "title": "' + "x" * 200_000 + '", "image": "a.jpg"}',
        "\x00",
    ],
)
def test_a_broken_line_costs_only_itself(read: Read, line: str, told: Callable[..., object]) -> None:
    """And says so with its number."""
    good = '{"product_id": "1", "category": "tops", "image": "a.jpg"}'
    contents = read("f.jsonl", f"{good}\n\n{line}\n{good.replace('1', '3')}\n")
    assert [r.product_id for r in contents.rows] == ["1", "3"]
    assert told(contents) == [("f.jsonl line 3", "broken_row", "rejected", "")]


def test_a_last_line_without_its_end_was_cut(read: Read, told: Callable[..., object]) -> None:
    """If it is broken; a whole one without a line end is common."""
    whole = '{"product_id": "1", "category": "tops", "image": "a.jpg"}'
    assert told(read("f.jsonl", f"{whole}\n{whole[:30]}")) == [("f.jsonl line 2", "cut_short", "rejected", "")]
    assert told(read("f.jsonl", f"{whole}\n{whole[:30]}\n")) == [("f.jsonl line 2", "broken_row", "rejected", "")]
    assert told(read("f.jsonl", whole)) == []


def test_what_is_no_number(read: Read, told: Callable[..., object]) -> None:
    """Python's json writes NaN and Infinity: no id, and no price."""
    lines = [
        '{"product_id": NaN, "category": "tops", "image": "a.jpg"}',
        '{"product_id": "1", "category": "tops", "image": "a.jpg", "price": NaN}',
        '{"product_id": "2", "category": "tops", "image": "a.jpg", "price": Infinity}',
        '{"product_id": "3", "category": "tops", "image": "a.jpg", "price": 1e400}',
        '{"product_id": "4", "category": "tops", "image": "a.jpg", "price": -0.01}',
    ]
    contents = read("f.jsonl", "\n".join(lines))
    assert [(r.product_id, r.price) for r in contents.rows] == [("1", None), ("2", None), ("3", None), ("4", None)]
    assert [r.reason for r in contents.rejected] == ["missing_id"] + ["unreadable_price"] * 4


def test_half_characters(read: Read) -> None:
    """JSON can escape them, no file can hold them: an id is turned away, a title mended."""
    lines = [
        r'{"product_id": "1\ud800", "category": "tops", "image": "a.jpg"}',
        r'{"product_id": "2", "category": "tops", "title": "x\udc00y", "image": "a.jpg"}',
        r'{"product_id": "3", "category": "tops", "image": "\ud800.jpg"}',
        r'{"product_id": "4", "category": "tops", "title": "\ud83d\udc57", "image": "a.jpg"}',
    ]
    contents = read("f.jsonl", "\n".join(lines))
    assert [(r.product_id, r.title) for r in contents.rows] == [("2", "x\ufffdy"), ("4", "👗")]
    assert [(r.reason, r.product_id, r.image) for r in contents.rejected] == [
        ("unusable_id", r"1\ud800", "a.jpg"),
        ("image_not_found", "3", r"\ud800.jpg"),
    ]
    json.dumps([r.detail for r in contents.rejected], ensure_ascii=False).encode("utf-8")


def test_where_and_separator(read: Read) -> None:
    """Numbers and truth values are chosen by their text."""
    lines = [
        '{"product_id": "1", "category": "tops", "images": "a.jpg;b.jpg", "live": true, "shop": 7}',
        '{"product_id": "2", "category": "tops", "images": "a.jpg", "live": false, "shop": 7}',
        '{"product_id": "3", "category": "tops", "images": "a.jpg", "live": true}',
        '{"product_id": "4", "category": "tops", "images": "a.jpg", "live": [true], "shop": 7}',
    ]
    description = (
        '[columns]\nproduct_id = "product_id"\ncategory = "category"\nimages = "images"\nimages_separator = ";"\n'
        "[where]\nlive = true\nshop = 7\n"
    )
    contents = read("f.jsonl", "\n".join(lines), description)
    assert [(r.product_id, r.image) for r in contents.rows] == [("1", "a.jpg"), ("1", "b.jpg")]


def test_a_key_that_no_line_has(read: Read) -> None:
    """Is a mistake in the description, not in every row."""
    line = '{"sku": "1", "category": "tops", "image": "a.jpg"}'
    with pytest.raises(FeedError, match=r"no column is named product_id: .*the feed has 'sku', 'category', 'image'$"):
        read("f.jsonl", line)
    with pytest.raises(FeedError, match=r"no column 'skuu', did you mean 'sku'\?"):
        read("f.jsonl", line, '[columns]\nproduct_id = "skuu"\ncategory = "category"\nimage = "image"\n')


def test_an_empty_file_and_one_without_json(read: Read) -> None:
    """Each in one line."""
    with pytest.raises(FeedError, match="the feed has no rows"):
        read("f.jsonl", "\n\n")
    with pytest.raises(FeedError, match=r"0 of 2 rows can be used: 2 broken_row; first: f.jsonl line 1: no JSON"):
        read("f.jsonl", "<html>\n</html>\n")


def test_a_bom_and_windows_1252(read: Read) -> None:
    """As in any text feed."""
    line = '{"product_id": "1", "category": "tops", "title": "Käse", "image": "a.jpg"}'
    assert read("f.jsonl", line.encode("utf-8-sig")).rows[0].title == "Käse"
    contents = read("f.jsonl", line.encode("cp1252"))
    assert contents.rows[0].title == "Käse"
    assert contents.rejected[0].outcome == "kept"

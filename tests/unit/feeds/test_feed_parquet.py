"""Parquet tables as warehouses and pandas write them. Real files written by pyarrow, expected rows by hand."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import FeedContents, read_feed


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("a.jpg", "b.jpg")


@pytest.fixture
def read_table(tmp_path: Path) -> Callable[..., FeedContents]:
    """Writes the columns as a Parquet feed and reads it."""

    def write_and_read(description: str = "", **columns: Any) -> FeedContents:
        pq.write_table(pa.table(columns), tmp_path / "f.parquet")
        if not description:
            return read_feed(load_feed(tmp_path / "f.parquet"))
        (tmp_path / "feed.toml").write_text(f'path = "f.parquet"\n{description}')
        return read_feed(load_feed(tmp_path / "feed.toml"))

    return write_and_read


@pytest.mark.parametrize(
    ("ids", "wanted"),
    [
        (pa.array(["00123", " x "]), ["00123", "x"]),
        (pa.array([123, 2**62], pa.int64()), ["123", str(2**62)]),
        (pa.array([123.0, 1.5], pa.float64()), ["123", "1.5"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([b"a", b"b"], pa.binary()), ["a", "b"]),
        (pa.array([Decimal("1.10"), Decimal("2.00")]), ["1.10", "2.00"]),
        (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
    ],
)
def test_ids_of_every_type_become_text(read_table: Callable[..., FeedContents], ids: Any, wanted: list[str]) -> None:
    """pandas holds whole numbers as floats where some are missing: 123.0 is 123."""
    contents = read_table(product_id=ids, category=["tops", "tops"], image=["a.jpg", "b.jpg"])
    assert [r.product_id for r in contents.rows] == wanted


def test_missing_values_and_lists(read_table: Callable[..., FeedContents], told: Callable[..., object]) -> None:
    """Null and NaN are "not given"; a null photo is none; a NaN price is told."""
    contents = read_table(
        product_id=pa.array([1.0, None, float("nan"), 4.0]),
        category=["tops", "tops", "tops", None],
        price=pa.array([float("nan"), 1.0, 1.0, 1.0]),
        images=pa.array([["a.jpg", None, "b.jpg"], ["a.jpg"], ["a.jpg"], ["a.jpg"]]),
    )
    assert [(r.product_id, r.image, r.image_index, r.price) for r in contents.rows] == [
        ("1", "a.jpg", 0, None),
        ("1", "b.jpg", 1, None),
    ]
    assert told(contents) == [
        ("f.parquet row 1", "unreadable_price", "kept", "1"),
        ("f.parquet row 2", "missing_id", "rejected", ""),
        ("f.parquet row 3", "missing_id", "rejected", ""),
        ("f.parquet row 4", "missing_category", "rejected", "4"),
    ]


def test_text_that_is_not_utf8_breaks_its_own_row(read_table: Callable[..., FeedContents]) -> None:
    """Arrow doesn't check it; other rows of the batch are read."""
    bad = pa.array([b"x\xff", b"fine"], pa.binary()).view(pa.string())
    contents = read_table(product_id=["1", "2"], category=["tops", "tops"], title=bad, image=["a.jpg", "b.jpg"])
    assert [(r.product_id, r.title) for r in contents.rows] == [("2", "fine")]
    assert [(r.where, r.reason) for r in contents.rejected] == [("f.parquet row 1", "broken_row")]


def test_mapped_columns_and_where(read_table: Callable[..., FeedContents]) -> None:
    """Only the columns that are named are read, so those of other types don't matter."""
    contents = read_table(
        '[columns]\nproduct_id = "sku"\ncategory = "kind"\nimage = "photo"\nprice = "eur"\n[where]\nlive = true\n',
        sku=[1, 2],
        kind=["tops", "tops"],
        photo=["a.jpg", "b.jpg"],
        eur=pa.array([Decimal("9.90"), Decimal("8.00")]),
        live=[True, False],
        stamps=pa.array([[1], [2]]),
    )
    assert [(r.product_id, r.price) for r in contents.rows] == [("1", 9.9)]


def test_a_column_of_no_use(read_table: Callable[..., FeedContents]) -> None:
    """Says its type; one that is not there says what is."""
    with pytest.raises(FeedError, match=r"column 'title' is of type list<.*int64>, but text or a number is wanted"):
        read_table(product_id=["1"], category=["tops"], title=pa.array([[1]]), image=["a.jpg"])
    with pytest.raises(FeedError, match=r"no column is named category: .*the feed has 'product_id', 'image'$"):
        read_table(product_id=["1"], image=["a.jpg"])
    with pytest.raises(FeedError, match="the feed has no rows"):
        read_table(
            product_id=pa.array([], pa.string()), category=pa.array([], pa.string()), image=pa.array([], pa.string())
        )


def test_a_file_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    """Parquet keeps its table of contents at the end: cut, it can't be read, and says so."""
    pq.write_table(pa.table({"product_id": ["1"], "category": ["tops"], "image": ["a.jpg"]}), tmp_path / "w.parquet")
    whole = (tmp_path / "w.parquet").read_bytes()
    for size in range(0, len(whole), 7):
        (tmp_path / "f.parquet").write_bytes(whole[:size])
        with pytest.raises(FeedError, match="no Parquet that can be read"):
            read_feed(load_feed(tmp_path / "f.parquet"))

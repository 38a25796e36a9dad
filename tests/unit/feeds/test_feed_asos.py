"""ASOS-style CSV. Rows in the manner of public exports, expected values by hand."""

import csv
import io
from collections.abc import Callable

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.reading import FeedContents

Read = Callable[..., FeedContents]
HEADER = ["url", "name", "size", "category", "price", "color", "sku", "description", "images"]
COPY = 'currency = "GBP"\n[photo_urls]\n"https://images.asos-media.com/products/" = "."\n'
DETAILS = (
    "[{'Product Details': 'Coats & Jackets by New LookLow-key layeringNotch collarProduct Code: 126704571'}, "
    "{'Brand': 'Since setting up shop in the 60s, New Look has become a high-street classic known for more.'}, "
    "{'Size & Fit': \"Model's height: 170 cm/5\\'7 \"}]"
)


def row(**values: str) -> list[str]:
    """A whole row with some values of its own."""
    common = {
        "url": "https://x/1", "name": "New Look trench coat in camel", "size": "UK 4,UK 6 - Out of stock",
        "category": "New Look trench coat in camel", "price": "49.99", "color": "Neutral", "sku": "126704571",
        "description": DETAILS, "images": "['https://images.asos-media.com/products/a.jpg?$n_480w$', "
        "'https://images.asos-media.com/products/b.jpg']",
    }  # fmt: skip
    return [{**common, **values}[name] for name in HEADER]


def feed(*rows: list[str], header: list[str] = HEADER) -> str:
    """The rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    return text.getvalue()


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("a.jpg", "b.jpg")


def test_category_and_brand_come_from_the_description(read: Read) -> None:
    """Where the category column repeats the name; the brand is what name and details start with."""
    contents = read("f.csv", feed(row()), COPY)
    assert [(r.product_id, r.image_index, r.image_path.rpartition("/")[2]) for r in contents.rows] == [
        ("126704571", 0, "a.jpg"),
        ("126704571", 1, "b.jpg"),
    ]
    first = contents.rows[0]
    assert (first.category, first.brand, first.title) == (
        "Coats & Jackets",
        "New Look",
        "New Look trench coat in camel",
    )
    assert (first.price, first.currency, first.color, first.url) == (49.99, "GBP", "Neutral", "https://x/1")


def test_what_is_given_goes_first(read: Read) -> None:
    """A category, a short brand in the description, a brand column."""
    short = "[{'Product Details': 'Coats by New LookX'}, {'Brand': 'Look & Co'}]"
    contents = read("f.csv", feed(row(category="Trench", description=short)), COPY)
    assert (contents.rows[0].category, contents.rows[0].brand) == ("Trench", "Look & Co")
    contents = read("f.csv", feed([*row(description=short), "Own"], header=[*HEADER, "brand"]), COPY)
    assert contents.rows[0].brand == "Own"
    contents = read("f.csv", feed(row(category="Trench", description="plain text by nobody")), COPY)
    assert contents.rows[0].brand == ""


@pytest.mark.parametrize(
    ("cell", "photos_found"),
    [
        ('["https://images.asos-media.com/products/a.jpg"]', 1),
        ("('https://images.asos-media.com/products/a.jpg',)", 1),
        ("https://images.asos-media.com/products/a.jpg", 1),
        ("['https://images.asos-media.com/products/a.jpg', None, 'nan', '']", 1),
        ("['https://images.asos-media.com/products/a.jpg\\d', 'https://images.asos-media.com/products/b.jpg']", 1),
    ],
)
def test_image_lists_in_every_notation(read: Read, cell: str, photos_found: int) -> None:
    """Python's, JSON's, a bare URL, holes in the list."""
    assert len(read("f.csv", feed(row(images=cell)), COPY).rows) == photos_found


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"sku": "nan"}, "missing_id"),
        ({"sku": ""}, "missing_id"),
        ({"category": "nan", "description": "nan"}, "missing_category"),
        ({"images": "nan"}, "missing_image"),
        ({"images": "[]"}, "missing_image"),
        ({"images": "['https://images.asos-media.com/products/a.jpg'"}, "broken_row"),
        ({"images": "[1, 2]"}, "broken_row"),
        ({"images": "__import__('os').system('true')"}, "image_not_found"),
        ({"images": "[__import__('os').system('true')]"}, "broken_row"),
        ({"images": "[" * 20_000}, "broken_row"),
        ({"images": "[" + "-" * 20_000 + "1]"}, "broken_row"),
        ({"images": "[" + "1+" * 20_000 + "1]"}, "broken_row"),
        ({"images": "['https://other.example/a.jpg']"}, "remote_image"),
        ({"sku": "1"}, "duplicate_id"),
    ],
)
def test_rows_of_no_use(read: Read, values: dict[str, str], reason: str) -> None:
    """One named reason each; nothing in a cell is ever run."""
    contents = read("f.csv", feed(row(sku="1"), row(**{"sku": "2", **values})), COPY)
    assert {r.product_id for r in contents.rows} == {"1"}
    assert [r.reason for r in contents.rejected] == [reason]


def test_missing_price_and_text(read: Read) -> None:
    """ "nan" is how these exports write nothing."""
    first = read("f.csv", feed(row(price="nan", color="nan", url="NaN")), COPY)
    assert (first.rows[0].price, first.rows[0].color, first.rows[0].url) == (None, "", "")
    assert first.rejected == ()


def test_a_file_without_its_columns(read: Read) -> None:
    """Says which, and what there is."""
    with pytest.raises(FeedError, match="no column 'images'; the feed has 'sku', 'name'"):
        read("f.csv", "sku,name\n1,x\n", 'format = "asos_csv"\n')

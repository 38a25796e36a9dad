"""Shopify exports of both generations. Rows in the manner of Shopify's own template, expected photos by hand."""

import csv
import io
from collections.abc import Callable

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds.reading import FeedContents

Read = Callable[..., FeedContents]
COPY = 'currency = "USD"\n[photo_urls]\n"https://cdn.shopify.com/s/files/1/" = "."\n'
OLD = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,"
    "Option2 Value,Variant SKU,Variant Price,Image Src,Image Position,Image Alt Text,Variant Image,Status"
)
NEW = (
    "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Option1 name,"
    "Option1 value,Option2 name,Option2 value,Price,Product image URL,Image position,Variant image URL"
)


def export(header: str, *rows: dict[str, str]) -> str:
    """A CSV in which each row gives some columns; photos are written short."""
    text = io.StringIO(newline="")
    names = header.split(",")
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    for row in rows:
        assert row.keys() <= set(names)
        writer.writerow(
            {k: f"https://cdn.shopify.com/s/files/1/{v}?v=17" if v.endswith("jpg") else v for k, v in row.items()}
        )
    return text.getvalue()


def placed(contents: FeedContents) -> list[tuple[str, str, int, str]]:
    """Each row as product, variant, index, photo."""
    return [(r.product_id, r.variant, r.image_index, r.image_path.rpartition("/")[2]) for r in contents.rows]


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("front.jpg", "back.jpg", "red.jpg", "blue.jpg", "cup.jpg")


def test_a_product_without_options(read: Read) -> None:
    """Its only variant is called "Default Title" and has no name here; photos are in the order of their positions."""
    first = {
        "Handle": "cup", "Title": "Cup", "Vendor": "Pots", "Type": "Cups", "Published": "TRUE", "Status": "active",
        "Option1 Name": "Title", "Option1 Value": "Default Title", "Variant Price": "12.50", "Image Src": "back.jpg",
        "Image Position": "2", "Product Category": "Home > Kitchen", "Body (HTML)": "<p>a\nb</p>",
    }  # fmt: skip
    contents = read(
        "f.csv",
        export(
            OLD,
            first,
            {"Handle": "cup", "Image Src": "cup.jpg", "Image Position": "10"},
            {"Handle": "cup", "Image Src": "front.jpg", "Image Position": "1"},
        ),
        COPY,
    )
    assert placed(contents) == [("cup", "", 0, "front.jpg"), ("cup", "", 1, "back.jpg"), ("cup", "", 2, "cup.jpg")]
    row = contents.rows[1]
    assert (row.title, row.brand, row.category, row.price, row.currency) == ("Cup", "Pots", "Cups", 12.5, "USD")
    assert contents.rejected == ()


@pytest.mark.parametrize("header", [OLD, NEW])
def test_variants_have_their_own_photos(read: Read, header: str) -> None:
    """What a variant's rows name as variant image is the variant's; the product's other photos are no variant's.

    Sizes that share a photo each have it; a variant without a photo of its own is found by the product's.
    """
    old_to_new = {
        "Handle": "URL handle", "Variant Price": "Price", "Image Src": "Product image URL", "Variant Image":
        "Variant image URL", "Image Position": "Image position", "Option1 Name": "Option1 name", "Option1 Value":
        "Option1 value", "Option2 Name": "Option2 name", "Option2 Value": "Option2 value", "Published":
        "Published on online store", "Product Category": "Product category",
    }  # fmt: skip
    rows: list[dict[str, str]] = [
        {"Handle": "tee", "Title": "Tee", "Product Category": "Apparel > Shirts", "Status": "Active",
         "Published": "true", "Option1 Name": "Color", "Option1 Value": "Red", "Option2 Name": "Size",
         "Option2 Value": "S", "Variant Price": "20", "Image Src": "front.jpg", "Image Position": "1",
         "Variant Image": "red.jpg"},
        {"Handle": "tee", "Option1 Value": "Red", "Option2 Value": "M", "Variant Price": "21", "Image Src": "red.jpg",
         "Image Position": "2", "Variant Image": "red.jpg"},
        {"Handle": "tee", "Option1 Value": "Blue", "Option2 Value": "S", "Variant Price": "22", "Image Src": "blue.jpg",
         "Image Position": "3", "Variant Image": "blue.jpg"},
        {"Handle": "tee", "Option1 Value": "Green", "Option2 Value": "S", "Variant Price": "23"},
        {"Handle": "tee", "Image Src": "back.jpg", "Image Position": "4"},
    ]  # fmt: skip
    if header == NEW:
        rows = [{old_to_new.get(k, k): v for k, v in row.items()} for row in rows]
    contents = read("f.csv", export(header, *rows), COPY)
    assert placed(contents) == [
        ("tee", "", 0, "front.jpg"),
        ("tee", "", 1, "back.jpg"),
        ("tee", "Red / S", 0, "red.jpg"),
        ("tee", "Red / M", 0, "red.jpg"),
        ("tee", "Blue / S", 0, "blue.jpg"),
    ]
    assert [(r.color, r.price) for r in contents.rows] == [("", 20), ("", 20), ("Red", 20), ("Red", 21), ("Blue", 22)]
    assert {r.category for r in contents.rows} == {"Shirts"}
    assert contents.rejected == ()


def test_only_what_is_on_sale(read: Read, told: Callable[..., object]) -> None:
    """Drafts, archived and unpublished products are told once each; an empty status is an old export's."""
    common = {"Type": "Cups", "Image Src": "cup.jpg"}
    contents = read(
        "f.csv",
        export(
            OLD,
            {"Handle": "a", "Title": "A", "Status": "draft", **common},
            {"Handle": "a", "Image Src": "back.jpg"},
            {"Handle": "b", "Title": "B", "Status": "Archived", **common},
            {"Handle": "c", "Title": "C", "Published": "FALSE", "Status": "active", **common},
            {"Handle": "d", "Title": "D", **common},
        ),
        COPY,
    )
    assert placed(contents) == [("d", "", 0, "cup.jpg")]
    assert told(contents) == [
        ("f.csv line 2", "not_published", "rejected", "a"),
        ("f.csv line 4", "not_published", "rejected", "b"),
        ("f.csv line 5", "not_published", "rejected", "c"),
    ]
    assert contents.rejected[1].detail.startswith("the product is archived")


def test_products_that_lack_something(read: Read, told: Callable[..., object]) -> None:
    """A photo, a handle, a type; a photo that is not copied here; broken rows between."""
    content = export(
        OLD,
        {"Handle": "a", "Title": "A", "Type": "Cups"},
        {"Title": "B", "Type": "Cups", "Image Src": "cup.jpg"},
        {"Handle": "c", "Title": "C", "Image Src": "cup.jpg"},
        {"Handle": "d", "Title": "D", "Type": "Cups", "Image Src": "none.jpg"},
        {"Handle": "e", "Title": "E", "Type": "Cups", "Image Src": "cup.jpg"},
    )
    contents = read("f.csv", content + "too,few\r\n", COPY)
    assert placed(contents) == [("e", "", 0, "cup.jpg")]
    assert sorted(told(contents)) == [
        ("f.csv line 2", "missing_image", "rejected", "a"),
        ("f.csv line 3", "missing_id", "rejected", ""),
        ("f.csv line 4", "missing_category", "rejected", "c"),
        ("f.csv line 5", "image_not_found", "rejected", "d"),
        ("f.csv line 7", "broken_row", "rejected", ""),
    ]


def test_where_looks_at_the_products_first_row(read: Read) -> None:
    """Continuation rows leave most columns empty."""
    content = export(
        OLD,
        {"Handle": "a", "Title": "A", "Type": "Cups", "Vendor": "X", "Image Src": "cup.jpg"},
        {"Handle": "a", "Image Src": "back.jpg"},
        {"Handle": "b", "Title": "B", "Type": "Cups", "Vendor": "Y", "Image Src": "cup.jpg"},
        {"Handle": "b", "Image Src": "back.jpg"},
    )
    contents = read("f.csv", content, f'[where]\nVendor = "X"\n{COPY}'.replace('currency = "USD"\n', ""))
    assert placed(contents) == [("a", "", 0, "cup.jpg"), ("a", "", 1, "back.jpg")]


def test_a_handle_that_comes_back_later(read: Read) -> None:
    """Its photos are further photos of the product."""
    content = export(
        OLD,
        {"Handle": "a", "Title": "A", "Type": "Cups", "Image Src": "cup.jpg"},
        {"Handle": "b", "Title": "B", "Type": "Cups", "Image Src": "front.jpg"},
        {"Handle": "a", "Image Src": "back.jpg"},
    )
    contents = read("f.csv", content, COPY)
    assert placed(contents) == [("a", "", 0, "cup.jpg"), ("b", "", 0, "front.jpg"), ("a", "", 1, "back.jpg")]


def test_a_file_that_is_no_export(read: Read) -> None:
    """Says which columns it wants, and has."""
    with pytest.raises(
        FeedError, match=r"a Shopify export has the columns 'Handle' and 'Image Src'.*this one has 'Handle', 'Title'"
    ):
        read("f.csv", "Handle,Title\na,A\n", 'format = "shopify_csv"\n')
    with pytest.raises(FeedError, match="no column 'Vendr'"):
        read("f.csv", export(OLD, {"Handle": "a"}), 'format = "shopify_csv"\n[where]\nVendr = "x"\n')

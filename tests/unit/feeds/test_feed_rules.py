"""The rules on ids, variants, duplicates, categories and prices, which hold for every format. Rows by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.formats.feeds.reading import FeedContents

Read = Callable[..., FeedContents]
HEAD = "product_id,variant,category,title,price,url,image\n"


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("a.jpg", "b.jpg", "c.jpg", "d.jpg")


def placed(contents: FeedContents) -> list[tuple[str, str, int, str]]:
    """Each row as product, variant, index, photo."""
    return [(r.product_id, r.variant, r.image_index, r.image) for r in contents.rows]


def test_further_rows_bring_further_photos(read: Read) -> None:
    """Counted by variant, in the feed's order; what a further row leaves out is as in the first."""
    contents = read(
        "f.csv",
        HEAD
        + "1,red,tops,Tee,9.99,https://x/1,a.jpg\n"
        + "1,blue,tops,Tee,9.99,https://x/1,b.jpg\n"
        + "1,red,,,,,c.jpg\n"
        + "1,red,tops,Tee,9.99,https://x/1,d.jpg\n",
    )
    assert placed(contents) == [
        ("1", "red", 0, "a.jpg"),
        ("1", "blue", 0, "b.jpg"),
        ("1", "red", 1, "c.jpg"),
        ("1", "red", 2, "d.jpg"),
    ]
    assert (contents.rows[2].category, contents.rows[2].title, contents.rows[2].price) == ("tops", "Tee", 9.99)
    assert contents.rows[2].url == "https://x/1"
    assert contents.rejected == ()


def test_repeats_and_contradictions_are_duplicates(read: Read, told: Callable[..., object]) -> None:
    """The first row stands; of the same photo under two paths too."""
    contents = read(
        "f.csv",
        HEAD
        + "1,,tops,Tee,9.99,https://x/1,a.jpg\n"
        + "1,,tops,Tee,9.99,https://x/1,a.jpg\n"
        + "1,,tops,Tee,9.99,https://x/1,./a.jpg\n"
        + "1,,tops,Other,9.99,https://x/1,b.jpg\n"
        + "1,,tops,Tee,8.99,https://x/1,b.jpg\n"
        + "1,,tops,Tee,9.99,https://x/2,b.jpg\n"
        + "1,red,tops,Other,8.99,https://x/2,b.jpg\n",
    )
    assert placed(contents) == [("1", "", 0, "a.jpg"), ("1", "red", 0, "b.jpg")]
    assert told(contents) == [(f"f.csv line {n}", "duplicate_id", "rejected", "1") for n in (3, 4, 5, 6, 7)]
    assert "another title" in contents.rejected[2].detail
    assert "f.csv line 2" in contents.rejected[2].detail
    assert "another price" in contents.rejected[3].detail
    assert "another url" in contents.rejected[4].detail


def test_a_product_has_one_category(read: Read, told: Callable[..., object]) -> None:
    """In all its variants; two shop's words for one of ours are no conflict."""
    contents = read(
        "f.csv",
        HEAD + "1,red,Blusen,,,,a.jpg\n1,blue,Tops,,,,b.jpg\n1,green,Hosen,,,,c.jpg\n2,,,,,,d.jpg\n2,,Hosen,,,,d.jpg\n",
        '[categories]\nBlusen = "tops"\nTops = "tops"\n',
    )
    assert [(r.product_id, r.variant, r.category) for r in contents.rows] == [
        ("1", "red", "tops"),
        ("1", "blue", "tops"),
        ("2", "", "Hosen"),
    ]
    assert told(contents) == [
        ("f.csv line 4", "conflicting_category", "rejected", "1"),
        ("f.csv line 5", "missing_category", "rejected", "2"),
    ]


def test_a_row_without_a_good_photo_says_nothing_about_its_product(read: Read, told: Callable[..., object]) -> None:
    """So that a later good row is not measured against it."""
    contents = read("f.csv", HEAD + "1,,tops,Old,1,,none.jpg\n1,,hats,New,2,,a.jpg\n2,,tops,,,,\n3,,tops,,,,../x.jpg\n")
    assert placed(contents) == [("1", "", 0, "a.jpg")]
    assert contents.rows[0].category == "hats"
    assert told(contents) == [
        ("f.csv line 2", "image_not_found", "rejected", "1"),
        ("f.csv line 4", "missing_image", "rejected", "2"),
        ("f.csv line 5", "image_outside_root", "rejected", "3"),
    ]
    assert contents.rejected[0].image == "none.jpg"


@pytest.mark.parametrize(
    "product_id",
    ["a/b", "../../etc/passwd", "..", "a..b", "a b", "👗", "👩‍🦰", "ä", "C:\\x", "<script>", "x" * 255 + "!", "a#b"],
)
def test_unusual_ids_are_kept_with_one_remark(read: Read, product_id: str) -> None:
    """Byte for byte, and the remark comes once a product."""
    contents = read("f.csv", HEAD + f"{product_id},1,tops,,,,a.jpg\n{product_id},2,tops,,,,b.jpg\n")
    assert {r.product_id for r in contents.rows} == {product_id}
    assert [(r.reason, r.outcome, r.product_id) for r in contents.rejected] == [("unusual_id", "kept", product_id)]


@pytest.mark.parametrize("product_id", ["1", "00123", "AB-12_3", "luma-gear:mb01", "1.5", "-"])
def test_usual_ids_need_no_remark(read: Read, product_id: str) -> None:
    """Letters, digits and . _ - :"""
    assert read("f.csv", HEAD + f"{product_id},,tops,,,,a.jpg\n").rejected == ()


@pytest.mark.parametrize(
    ("product_id", "variant", "reason"),
    [
        ("", "", "missing_id"),
        ("  \u00a0 ", "", "missing_id"),
        ("a\0b", "", "unusable_id"),
        ("a\x1bb", "", "unusable_id"),
        ('"a\nb"', "", "unusable_id"),
        ("a\x85b", "", "unusable_id"),
        ("x" * 257, "", "unusable_id"),
        ("1", "a\x07b", "unusable_id"),
        ("1", "x" * 257, "unusable_id"),
    ],
)
def test_unusable_ids_are_turned_away(read: Read, product_id: str, variant: str, reason: str) -> None:
    """What is shown of them is printable and bounded."""
    contents = read("f.csv", HEAD + f"good,,tops,,,,a.jpg\n{product_id},{variant},tops,,,,a.jpg\n")
    assert [r.product_id for r in contents.rows] == ["good"]
    assert [r.reason for r in contents.rejected] == [reason]
    assert contents.rejected[0].product_id.isprintable()
    assert len(contents.rejected[0].product_id) <= 256


def test_spaces_around_an_id_are_not_part_of_it(read: Read) -> None:
    """Those within are."""
    contents = read("f.csv", HEAD + "\u00a0 1 2 \t,,tops,,,,a.jpg\n1 2,,tops,,,,b.jpg\n")
    assert placed(contents) == [("1 2", "", 0, "a.jpg"), ("1 2", "", 1, "b.jpg")]


def test_prices_that_cannot_be_read_leave_the_row(read: Read, told: Callable[..., object]) -> None:
    """Without a price, and with a remark."""
    contents = read(
        "f.csv", HEAD + "1,,tops,,soon,,a.jpg\n2,,tops,,,,a.jpg\n3,,tops,,-1,,a.jpg\n4,,tops,,NaN,,none.jpg\n"
    )
    assert [(r.product_id, r.price, r.currency) for r in contents.rows] == [
        ("1", None, ""),
        ("2", None, ""),
        ("3", None, ""),
    ]
    assert told(contents) == [
        ("f.csv line 2", "unreadable_price", "kept", "1"),
        ("f.csv line 4", "unreadable_price", "kept", "3"),
        ("f.csv line 5", "image_not_found", "rejected", "4"),
    ]


def test_text_is_made_fit_for_any_file(read: Read) -> None:
    """Control characters and runs of white space become one space; ids of the row stay as they are."""
    contents = read("f.csv", HEAD + '1,,"to\tps","a\r\n b\x00c\x1b[31m",1,https://x/\x07,a.jpg\n')
    row = contents.rows[0]
    assert (row.category, row.title, row.url) == ("to ps", "a b c [31m", "https://x/")


def test_a_mask_that_is_not_there_is_left_out(read: Read, told: Callable[..., object]) -> None:
    """It is a label, and the photo is good without."""
    contents = read("f.csv", "product_id,category,image,mask\n1,tops,a.jpg,none.png\n2,tops,b.jpg,../../m.png\n")
    assert [r.mask_path for r in contents.rows] == ["", ""]
    assert told(contents) == [
        ("f.csv line 2", "image_not_found", "kept", "1"),
        ("f.csv line 3", "image_outside_root", "kept", "2"),
    ]


def test_photos_on_the_network_wait_for_the_download(read: Read, told: Callable[..., object], tmp_path: Path) -> None:
    """Those with a copy here are read."""
    content = HEAD + "1,,tops,,,,https://cdn.example/p/a.jpg?w=9\n2,,tops,,,,https://other.example/a.jpg\n"
    contents = read("f.csv", content, '[photo_urls]\n"https://cdn.example/p" = "."\n')
    assert contents.rows[0].image == "https://cdn.example/p/a.jpg?w=9"
    assert contents.rows[0].image_path == str(tmp_path / "a.jpg")
    assert told(contents) == [("f.csv line 3", "remote_image", "rejected", "2")]


def test_photos_that_are_to_be_fetched_have_no_path_yet(read: Read, told: Callable[..., object]) -> None:
    """One URL twice in a product is a duplicate; a mask is not fetched; a login is neither used nor shown."""
    rows = (
        "1,,tops,,,,https://cdn.example/a.jpg#x\n1,,tops,,,,https://cdn.example/a.jpg\n2,,tops,,,,a.jpg\n"
        "3,,tops,,,,https://me:secret@cdn.example/a.jpg\n"
    )
    contents = read("f.csv", HEAD + rows, "[download]\n")
    assert [(r.product_id, bool(r.image_path)) for r in contents.rows] == [("1", False), ("2", True)]
    assert told(contents) == [
        ("f.csv line 3", "duplicate_id", "rejected", "1"),
        ("f.csv line 5", "address_refused", "rejected", "3"),
    ]
    assert contents.rejected[1].image == "https://***@cdn.example/a.jpg"
    masked = read("m.csv", "product_id,category,image,mask\n1,tops,a.jpg,https://cdn.example/m.png\n", "[download]\n")
    assert told(masked) == [("m.csv line 2", "remote_image", "kept", "1")]


def test_a_pin_is_of_the_first_photo(read: Read, told: Callable[..., object]) -> None:
    """As the mask is; upper case is taken, too; what is no SHA-256 pins nothing, and names no path."""
    content = (
        f"product_id,category,images,image_sha256\n1,tops,a.jpg|b.jpg,{'AB' * 32}\n2,tops,a.jpg,ABC\n"
        "3,tops,a.jpg,../../../etc/passwd\n"
    )
    columns = '[columns]\nproduct_id="product_id"\ncategory="category"\nimages="images"\nimages_separator="|"\n'
    contents = read("f.csv", content, columns + 'image_sha256="image_sha256"\n')
    assert [r.image_sha256 for r in contents.rows] == ["ab" * 32, ""]
    assert told(contents) == [(f"f.csv line {2 + row}", "other_content", "rejected", str(1 + row)) for row in (1, 2)]


def test_every_rejection_is_of_the_stage(read: Read) -> None:
    """The asset that says so."""
    contents = read("f.csv", HEAD + "1,,tops,,,,a.jpg\n,,tops,,,,a.jpg\n")
    assert [r.stage for r in contents.rejected] == ["raw_catalog"]

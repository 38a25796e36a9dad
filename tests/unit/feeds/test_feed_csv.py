"""CSV in all its spellings, and rows that are broken. Bytes as exports write them, expected rows by hand."""

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import FeedError
from catalog.formats.feeds import delimited
from catalog.formats.feeds.delimited import Record, read_header, read_records
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import FeedContents, read_feed
from catalog.records import CatalogRow

Read = Callable[..., FeedContents]
HEAD = "product_id,category,title,price,image\n"
MAPPED = """
format = "csv"
currency = "EUR"
[columns]
product_id = "Art-Nr"
variant = "Farbcode"
category = "Gruppe"
title = "Name"
price = "Preis"
currency = "Währung"
url = "Link"
brand = "Marke"
availability = "Lager"
color = "Farbe"
pattern = "Muster"
image = "Foto"
images = "Weitere"
mask = "Maske"
[categories]
"Kleider" = "dresses"
"""


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("a.jpg", "b.jpg", "c.jpg", "m.png")


def test_every_column_arrives(read: Read, tmp_path: Path) -> None:
    """A German export: semicolons, decimal commas, umlauts, three photos in two columns, a mask."""
    content = (
        "Art-Nr;Farbcode;Gruppe;Name;Preis;Währung;Link;Marke;Lager;Farbe;Muster;Foto;Weitere;Maske;Rest\r\n"
        "00123;rot;Kleider;Schönes Kleid;1.234,50 €;;https://shop.example/1;Ähm;ja;Rot;Blumen;a.jpg;b.jpg|c.jpg;m.png;x\r\n"
    )
    contents = read("products.csv", content, MAPPED)
    first = CatalogRow(
        product_id="00123",
        variant="rot",
        image_index=0,
        image="a.jpg",
        image_path=str(tmp_path / "a.jpg"),
        category="dresses",
        title="Schönes Kleid",
        price=1234.5,
        currency="EUR",
        url="https://shop.example/1",
        brand="Ähm",
        availability="ja",
        color="Rot",
        pattern="Blumen",
        mask_path=str(tmp_path / "m.png"),
    )
    assert contents.rows[0] == first
    assert [(r.image, r.image_index, r.mask_path) for r in contents.rows[1:]] == [("b.jpg", 1, ""), ("c.jpg", 2, "")]
    assert contents.rejected == ()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_header(read: Read, delimiter: str) -> None:
    """Also where the rows hold the others."""
    rows = [["product_id", "category", "title", "image"], ["1", "tops", '"a,b;c|d\te"', "a.jpg"]]
    contents = read("products.csv", "\n".join(delimiter.join(r) for r in rows))
    assert contents.rows[0].title == "a,b;c|d e"


def test_the_delimiter_may_be_given(read: Read) -> None:
    """Any one character."""
    contents = read("f.csv", "product_id~category~image\n1~tops~a.jpg\n", 'delimiter = "~"\n')
    assert contents.rows[0].product_id == "1"


def test_excels_hint_line_is_understood(read: Read) -> None:
    """`sep=;` comes before the header; lines are still counted from the file's start."""
    contents = read("f.csv", "sep=;\r\nproduct_id;category;image\r\n1;tops;a.jpg\r\n2;tops;none.jpg\r\n")
    assert contents.rejected[0].where == "f.csv line 4"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(read: Read, encoding: str) -> None:
    """UTF-8 and UTF-16 are read in silence, Windows-1252 with a remark."""
    contents = read("f.csv", (HEAD + "1,tops,Größe für Käufer,,a.jpg\n").encode(encoding))
    assert contents.rows[0].title == "Größe für Käufer"
    assert contents.rows[0].product_id == "1"
    assert [(r.where, r.reason, r.outcome) for r in contents.rejected] == (
        [("f.csv line 2", "broken_row", "kept")] if encoding == "cp1252" else []
    )


def test_utf16_without_regard_to_byte_order(read: Read) -> None:
    """The BOM tells."""
    for bom, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert read("f.csv", bom + (HEAD + "1,tops,ü,,a.jpg\n").encode(encoding)).rows[0].title == "ü"


def test_a_broken_byte_costs_its_character_only(read: Read) -> None:
    """Two good lines with accents against one bad: the file is UTF-8."""
    content = (HEAD + "1,tops,Käse,,a.jpg\n2,tops,Tüte,,b.jpg\n").encode() + b"3,tops,D\xffrf,,c.jpg\n"
    contents = read("f.csv", content)
    assert [r.title for r in contents.rows] == ["Käse", "Tüte", "D\ufffdrf"]
    assert [(r.where, r.outcome) for r in contents.rejected] == [("f.csv line 4", "kept")]
    assert "1 of 3 lines with accents are not UTF-8" in contents.rejected[0].detail


def test_a_broken_byte_in_an_id_turns_the_row_away(read: Read, told: Callable[..., object]) -> None:
    """Two such ids could be taken for one."""
    content = (HEAD + "ä,tops,ö,,a.jpg\nü,tops,,,b.jpg\n").encode() + b"x\xff,tops,,,c.jpg\n"
    contents = read("f.csv", content)
    assert [r.product_id for r in contents.rows] == ["ä", "ü"]
    assert contents.rejected[-1].reason == "unusable_id"


def test_broken_utf16_is_told(read: Read) -> None:
    """An odd byte at the end: cut in the middle of a character."""
    contents = read("f.csv", (HEAD + "1,tops,x,,a.jpg\n").encode("utf-16") + b"\x41")
    assert contents.rejected[0].detail.startswith("some bytes are not UTF-16")


def test_only_a_broken_last_row_without_its_end_was_cut(read: Read, told: Callable[..., object]) -> None:
    """Not a whole row without a line end, and not a stray quote that opens a cell to the file's end."""
    head, row = "product_id,category,title,image\n", "1,tops,good,a.jpg"
    assert told(read("f.csv", head + row)) == []
    reasons = {
        f"{row}\n2,tops": [("f.csv line 3", "cut_short", "rejected", "")],
        f"{row}\n2,tops\n": [("f.csv line 3", "broken_row", "rejected", "")],
        f'{row}\n2,tops,"a "stray quote,b.jpg\n3,tops,good,c.jpg': [("f.csv line 3", "broken_row", "rejected", "")],
    }
    for rows, expected in reasons.items():
        assert told(read("f.csv", head + rows)) == expected


def test_broken_rows_cost_only_themselves(read: Read, told: Callable[..., object]) -> None:
    """Too few fields, too many, a stray quote that would swallow the rest, text behind a quote, a huge field."""
    content = (
        HEAD
        + "1,tops,good,,a.jpg\n"
        + "2,tops\n"
        + "3,tops,x,1,a.jpg,too,many\n"
        + '4,tops,"never closed,1,a.jpg\n'
        + "5,tops,good,,a.jpg\n"
        + '6,tops,"12" long",1,a.jpg\n'
        + f"7,tops,{'x' * 140_000},1,a.jpg\n"
        + "8,tops,good,,a.jpg,,\n"
        + ",,,,\n"
        + "\n"
        + '9,tops,"two\nlines",,a.jpg\n'
        + "10,tops,x,1,none.jpg\n"
        + '11,tops,"cut in mid-ro'
    )
    contents = read("f.csv", content)
    assert [(r.product_id, r.title) for r in contents.rows] == [
        ("1", "good"),
        ("5", "good"),
        ("8", "good"),
        ("9", "two lines"),
    ]
    assert told(contents) == [
        ("f.csv line 3", "broken_row", "rejected", ""),
        ("f.csv line 4", "broken_row", "rejected", ""),
        ("f.csv line 5", "broken_row", "rejected", ""),
        ("f.csv line 7", "broken_row", "rejected", ""),
        ("f.csv line 8", "broken_row", "rejected", ""),
        ("f.csv line 14", "image_not_found", "rejected", "10"),
        ("f.csv line 15", "cut_short", "rejected", ""),
    ]
    assert contents.rejected[0].detail == "2 fields, the header has 5: mend the row's quotes and delimiters (',')"


def test_a_line_without_end_is_never_held(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times the limit, in the middle of the feed."""
    monkeypatch.setattr("catalog.formats.feeds.decoding.MAX_LINE_CHARS", 1000)
    contents = read("f.csv", HEAD + "1,tops,,,a.jpg\n" + "x" * 5000 + "\n3,tops,,,b.jpg\n")
    assert [r.product_id for r in contents.rows] == ["1", "3"]
    assert [(r.where, r.reason) for r in contents.rejected] == [("f.csv line 3", "broken_row")]


def test_embedded_nul_bytes(read: Read) -> None:
    """In a title they become a space, in an id they turn the row away."""
    contents = read("f.csv", HEAD + "1,tops,a\0b,,a.jpg\n2\0,tops,,,b.jpg\n")
    assert contents.rows[0].title == "a b"
    assert (contents.rejected[0].reason, contents.rejected[0].product_id) == ("unusable_id", r"2\x00")


def test_a_quote_in_a_tab_delimited_cell_is_only_a_quote(read: Read) -> None:
    """A tab can't stand in a cell, so nothing is ambiguous."""
    contents = read(
        "f.tsv", 'product_id\tcategory\ttitle\timage\n1\ttops\t"Vintage" tee\ta.jpg\n2\ttops\t5" heel\tb.jpg\n'
    )
    assert [r.title for r in contents.rows] == ['"Vintage" tee', '5" heel']


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends(read: Read, ends: str) -> None:
    """Of any machine, and none behind the last row."""
    contents = read("f.csv", ends.join(["product_id,category,image", "1,tops,a.jpg", "2,tops,none.jpg"]))
    assert contents.rows[0].product_id == "1"
    assert contents.rejected[0].where == "f.csv line 3"


def test_ids_stay_text(read: Read) -> None:
    """Leading zeros, long numbers, exponents and "nan" are the shop's own."""
    ids = ["00123", "1e5", "12345678901234567890", "1.0", "nan", "TRUE"]
    contents = read("f.csv", HEAD + "".join(f"{i},tops,,,a.jpg\n" for i in ids))
    assert [r.product_id for r in contents.rows] == ids


def test_where_keeps_named_values_only(read: Read) -> None:
    """Rows of other values are no concern of the rejected table."""
    rows = ["1,t,a.jpg,web,new", "2,t,a.jpg,app,new", "3,t,a.jpg,web,old", "4,t,a.jpg, web ,x"]
    content = "\n".join(["product_id,category,image,shop,state", *rows])
    contents = read("f.csv", content, '[where]\nshop = "web"\nstate = ["new", "x"]\n')
    assert [r.product_id for r in contents.rows] == ["1", "4"]
    assert contents.rejected == ()


@pytest.mark.parametrize(
    ("content", "description", "message"),
    [
        ("", "", "the feed is empty"),
        ("\n\n", "", "no column names in its first line"),
        (HEAD, "", "f.csv: the feed has no rows$"),
        (
            "sku,category,image\n1,t,a.jpg\n",
            "",
            r"no column is named product_id: .*the feed has 'sku', 'category', 'image'$",
        ),
        ("product_id,title\n1,t\n", "", "no column is named category or image"),
        (
            HEAD,
            '[columns]\nproduct_id = "prodct_id"\ncategory = "category"\nimage = "image"\n',
            "no column 'prodct_id', did you mean 'product_id'\\?; the feed has 'product_id', 'category', 'title'",
        ),
        (HEAD, '[where]\nrole = "x"\n', "no column 'role'"),
        ("product_id,category,image,image\n1,t,a.jpg,b.jpg\n", "", "column 'image' stands 2 times in the header"),
        ("product_id,category,image\n1,t,a.jpg\n", '[where]\ncategory = "x"\n', "none of 1 rows has category = 'x'"),
        (
            HEAD + "1,tops,,,none.jpg\n2,,,,a.jpg\n3,tops,,,no.jpg\n",
            "",
            "0 of 3 rows can be used: 2 image_not_found, 1 missing_category; first: f.csv line 2: no such photo",
        ),
    ],
)
def test_a_feed_of_no_use_is_one_clear_line(read: Read, content: str, description: str, message: str) -> None:
    """With what is wrong and what there is instead."""
    with pytest.raises(FeedError, match=message) as caught:
        read("f.csv", content, description)
    assert "\n" not in str(caught.value)


def test_too_many_columns_are_not_all_listed(read: Read) -> None:
    """The error stays one line that can be read."""
    with pytest.raises(FeedError, match=r"and 160 more$"):
        read("f.csv", ",".join(f"c{i}" for i in range(200)) + "\n")


def test_columns_of_random_bytes_are_cut_in_the_error(read: Read) -> None:
    """A feed that is no text at all: what is shown of its "columns" fits a screen."""
    noise = bytes(random.Random(1).choices([b for b in range(256) if b not in b'\r\n"\0'], k=4000))
    with pytest.raises(FeedError) as caught:
        read("f.csv", noise + b"\n1,2,3\n")
    assert "no column is named product_id" in str(caught.value)
    assert len(str(caught.value).partition("the feed has ")[2]) < 500
    with pytest.raises(FeedError, match=r"has 'x{39}…', 'b'$"):
        read("f.csv", f"{'x' * 50},b\n")


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(cells, min_size=3, max_size=3), max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read(tmp_path: Path, rows: list[list[str]], delimiter: str) -> None:
    """Cell for cell, whatever is in them; the line is that of the row's start."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["one", "two", "three"])
    lines = []
    for row in rows:
        lines.append(len(io.StringIO(text.getvalue(), newline="").readlines()) + 1)
        writer.writerow(row)
    path = tmp_path / "table.csv"
    path.write_bytes(text.getvalue().encode("utf-8"))
    wanted = [Record(line, row) for line, row in zip(lines, rows, strict=True) if any(row)]
    assert list(read_records(read_header(path))) == wanted


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20), min_size=1))
def test_ids_come_through_unchanged(tmp_path: Path, ids: list[str]) -> None:
    """Every id without control characters is kept as it stands, but for the margin around it."""
    kept = [i.strip(" \u00a0\ufeff") for i in ids]
    kept = [i for i in dict.fromkeys(kept) if i and "\ufffd" not in i]
    if not kept:
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["product_id", "category", "image"])
    writer.writerows([i, "tops", "a.jpg"] for i in ids)
    (tmp_path / "ids.csv").write_bytes(text.getvalue().encode("utf-8"))
    assert [r.product_id for r in read_feed(load_feed(tmp_path / "ids.csv")).rows] == kept


def test_a_table_cut_at_any_byte_keeps_the_rows_before(tmp_path: Path) -> None:
    """The rows that end before the cut are all there, and nothing that the whole table doesn't have but a last row."""
    content = b'id,name\n1,"a ""b"""\n2,"c\nd"\n3,e\n'
    ends = {1: 19, 2: 27, 3: 31}  # where each row's text ends, by hand
    path = tmp_path / "cut.csv"
    for size in range(len(b"id,name\n"), len(content) + 1):
        path.write_bytes(content[:size])
        found = [r.cells[0] for r in read_records(read_header(path)) if isinstance(r, delimited.Record)]
        wanted = [str(row) for row, end in ends.items() if end <= size]
        assert found[: len(wanted)] == wanted
        assert len(found) <= len(wanted) + 1

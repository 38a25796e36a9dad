"""Google Merchant feeds, XML and text. Bytes in the manner of Google's own examples, expected rows by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.errors import FeedError
from catalog.formats.feeds import xml_items
from catalog.formats.feeds.description import load_feed
from catalog.formats.feeds.reading import FeedContents, read_feed

Read = Callable[..., FeedContents]
COPY = '[photo_urls]\n"https://cdn.example/" = "."\n'
HEAD = (
    '<?xml version="1.0"?>\n<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0">\n'
    "<channel>\n<title>Shop</title>\n"
)
END = "</channel>\n</rss>\n"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>'
    '<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>&c;</g:id></item></channel></rss>'
)


def item(product_id: str, inner: str = "", image: str = "a.jpg") -> str:
    """An item with what every product needs."""
    return (
        f"<item><g:id>{product_id}</g:id><g:product_type>Tops</g:product_type>"
        f"<g:image_link>https://cdn.example/{image}</g:image_link>{inner}</item>\n"
    )


@pytest.fixture(autouse=True)
def _photos(photos: Callable[..., None]) -> None:
    photos("a.jpg", "b.jpg", "c.jpg", "d,e.jpg")


def test_rss(read: Read, tmp_path: Path) -> None:
    """Two variants of a product: g:id is the variant, item_group_id the product; g:shipping's price isn't the price."""
    content = (
        HEAD
        + """<item>
  <title>RSS's own &amp; plain</title><link>https://shop.example/1</link>
  <g:id>1-red</g:id><g:item_group_id>1</g:item_group_id>
  <g:title><![CDATA[Tee <red> & fine]]></g:title>
  <g:shipping><g:country>US</g:country><g:price>99.00 USD</g:price></g:shipping>
  <g:price> 15.00 USD </g:price>
  <g:product_type>Home &gt; Women &gt; Tees</g:product_type><g:product_type>Sale</g:product_type>
  <g:google_product_category>2271</g:google_product_category>
  <g:image_link>https://cdn.example/a.jpg?v=2</g:image_link>
  <g:additional_image_link>https://cdn.example/b.jpg</g:additional_image_link>
  <g:additional_image_link>https://cdn.example/d%2Ce.jpg</g:additional_image_link>
  <g:brand>Brand</g:brand><g:color>red/white</g:color><g:pattern>striped</g:pattern>
  <g:availability>in_stock</g:availability>
</item>
<item><g:id>1-blue</g:id><g:item_group_id>1</g:item_group_id><g:title>Tee blue</g:title>
  <g:product_type>Home &gt; Women &gt; Tees</g:product_type>
  <g:image_link>https://cdn.example/c.jpg</g:image_link></item>
"""
        + END
    )
    contents = read("f.xml", content, COPY)
    first = contents.rows[0]
    assert (first.product_id, first.variant, first.category) == ("1", "1-red", "Tees")
    assert (first.title, first.url) == ("Tee <red> & fine", "https://shop.example/1")
    assert (first.price, first.currency, first.brand, first.availability) == (15.0, "USD", "Brand", "in_stock")
    assert (first.color, first.pattern) == ("red/white", "striped")
    assert [(r.variant, r.image_index, Path(r.image_path).name) for r in contents.rows] == [
        ("1-red", 0, "a.jpg"),
        ("1-red", 1, "b.jpg"),
        ("1-red", 2, "d,e.jpg"),
        ("1-blue", 0, "c.jpg"),
    ]
    assert contents.rejected == ()


@pytest.mark.parametrize("namespace", ["http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"])
def test_atom(read: Read, namespace: str) -> None:
    """The product's id is g:id, not the entry's; the link is an attribute."""
    content = f"""<feed xmlns="{namespace}" xmlns:g="http://base.google.com/ns/1.0">
<id>tag:shop</id><entry><id>tag:entry</id><title>Bowl</title><link rel="alternate" href="https://x/1"/>
<g:id>DB_1</g:id><g:google_product_category>Animals &gt; Bowls</g:google_product_category>
<g:image_link>https://cdn.example/a.jpg</g:image_link><g:price>9,99 EUR</g:price></entry></feed>"""
    row = read("f.xml", content, COPY).rows[0]
    assert (row.product_id, row.variant, row.title, row.url) == ("DB_1", "", "Bowl", "https://x/1")
    assert (row.category, row.price, row.currency) == ("Bowls", 9.99, "EUR")


def test_other_prefixes_and_undeclared_ones(read: Read) -> None:
    """Some shops name the namespace otherwise, some forget it."""
    for prefix, declared in (("g", ""), ("gm", ' xmlns:gm="http://base.google.com/ns/1.0"')):
        content = f"<rss{declared}><channel>{item('1').replace('g:', f'{prefix}:')}</channel></rss>"
        assert read("f.xml", content, COPY).rows[0].product_id == "1"


def test_the_category_may_be_named_by_path_last_name_or_number(read: Read) -> None:
    """In [categories]; of several product types the first is meant."""
    kinds = ["A &gt; B &gt; Maxi", "Blouses", "X &gt; Tees, Y &gt; Sale", "Plain"]
    items = "".join(
        f"<item><g:id>{n}</g:id><g:product_type>{kind}</g:product_type>"
        f"<g:image_link>https://cdn.example/a.jpg</g:image_link></item>"
        for n, kind in enumerate(kinds)
    )
    items += (
        "<item><g:id>9</g:id><g:product_type> </g:product_type><g:google_product_category>2271"
        "</g:google_product_category><g:image_link>https://cdn.example/a.jpg</g:image_link></item>"
    )
    mapping = '[categories]\n"A > B > Maxi" = "dresses"\nBlouses = "tops"\n"2271" = "gowns"\n'
    contents = read("f.xml", HEAD + items + END, mapping + COPY)
    assert [r.category for r in contents.rows] == ["dresses", "tops", "Tees", "Plain", "gowns"]


def test_broken_items_cost_only_themselves(read: Read, told: Callable[..., object]) -> None:
    """A bare ampersand, an unknown entity, crossed tags, an item never closed, no id, no category, an id again."""
    content = (
        HEAD
        + item("1")
        + item("2", "<g:title>Salt & Pepper</g:title>")
        + item("3", "<g:title>a&nbsp;b</g:title>")
        + item("4", "<g:title>x</g:brand>")
        + "<item><g:id>5</g:id>\n"
        + item("6", "<!-- </item> <item> --><g:title><![CDATA[ </item> <item> ]]></g:title>", "b.jpg")
        + item("")
        + "<item><g:id>8</g:id><g:image_link>https://cdn.example/a.jpg</g:image_link></item>\n"
        + item("1", "<g:item_group_id>other</g:item_group_id>", "b.jpg")
        + "<item/>\n"
        + item("11", "<g:title>control \x0b</g:title>")
        + item("12", "", "none.jpg")
        + END
    )
    contents = read("f.xml", content, COPY)
    assert [(r.product_id, r.title) for r in contents.rows] == [("1", ""), ("6", "</item> <item>")]
    assert told(contents) == [
        ("f.xml item 2, line 6", "broken_row", "rejected", ""),
        ("f.xml item 3, line 7", "broken_row", "rejected", ""),
        ("f.xml item 4, line 8", "broken_row", "rejected", ""),
        ("f.xml item 5, line 9", "broken_row", "rejected", ""),
        ("f.xml item 7, line 11", "missing_id", "rejected", ""),
        ("f.xml item 8, line 12", "missing_category", "rejected", "8"),
        ("f.xml item 9, line 13", "duplicate_id", "rejected", "other"),
        ("f.xml item 10, line 14", "missing_id", "rejected", ""),
        ("f.xml item 11, line 15", "broken_row", "rejected", ""),
        ("f.xml item 12, line 16", "image_not_found", "rejected", "12"),
    ]
    assert contents.rejected[0].detail == "no XML at line 6: not well-formed (invalid token)"


def test_a_feed_cut_in_an_item_keeps_those_before(read: Read) -> None:
    """And says that it was cut."""
    whole = HEAD + item("1") + item("2") + END
    cut = whole.index("<g:id>2")
    contents = read("f.xml", whole[:cut], COPY)
    assert [r.product_id for r in contents.rows] == ["1"]
    assert [(r.reason, r.outcome) for r in contents.rejected] == [("broken_row", "rejected"), ("cut_short", "kept")]
    contents = read("f.xml", whole[: whole.index("</channel>")], COPY)
    assert [r.product_id for r in contents.rows] == ["1", "2"]
    assert "ends without </rss>" in contents.rejected[0].detail


@pytest.mark.parametrize(
    "bomb",
    [
        LAUGHS,
        LAUGHS.replace("<item><g:id>&c;</g:id></item>", item("1")),
        '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><id>&x;</id></item></channel></rss>',
        '<!DOCTYPE r [<!ENTITY % p SYSTEM "http://x/"> %p;]><rss><channel>' + item("1") + "</channel></rss>",
        '<!DOCTYPE r [<!ENTITY a "<item>"> ]><rss><channel>' + item("1") + "</channel></rss>",
    ],
)
def test_entities_are_refused(read: Read, bomb: str) -> None:
    """A bomb of them, and a file that one reads in."""
    with pytest.raises(FeedError, match="the feed declares entities and is refused"):
        read("f.xml", bomb, COPY)


def test_an_entity_in_an_item_is_never_expanded(read: Read) -> None:
    """Wherever it is declared."""
    content = HEAD + item("1") + '<!DOCTYPE x [<!ENTITY a "ha">]>' + item("2", "<g:title>&a;</g:title>") + END
    assert [r.product_id for r in read("f.xml", content, COPY).rows] == ["1"]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "windows-1252"),
        ("latin-1", "ISO-8859-1"),
    ],
)
def test_encodings(read: Read, encoding: str, declared: str) -> None:
    """As declared, or by the BOM."""
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    content = declaration + HEAD.partition("?>\n")[2] + item("1", "<g:title>Größe</g:title>") + END
    contents = read("f.xml", content.encode(encoding), COPY)
    assert contents.rows[0].title == "Größe"
    assert contents.rejected == ()


def test_a_broken_byte_is_mended_and_told(read: Read) -> None:
    """The item is kept."""
    content = (HEAD + item("1", "<g:title>äö</g:title>") + item("2", "<g:title>T?st</g:title>") + END).encode()
    contents = read("f.xml", content.replace(b"T?st", b"T\xffst"), COPY)
    assert [r.title for r in contents.rows] == ["äö", "T\ufffdst"]
    assert [r.outcome for r in contents.rejected] == ["kept"]


@pytest.mark.parametrize("encoding", ["klingon", "zip", "rot13", "undefined", "idna"])
def test_an_encoding_of_no_use(read: Read, encoding: str) -> None:
    """Codecs that are none for text too."""
    content = f'<?xml version="1.0" encoding="{encoding}"?>' + HEAD.partition("?>\n")[2] + item("1") + "ü" + END
    with pytest.raises(FeedError, match=f"{encoding}"):
        read("f.xml", content, COPY)


def test_no_item_at_all(read: Read) -> None:
    """An empty file, another XML, no XML."""
    for content in ("", "<products><product/></products>", "id,title\n1,x\n", HEAD + END):
        with pytest.raises(FeedError, match=r"no <item> .RSS. or <entry> .Atom. in it"):
            read("f.xml", content, COPY)


def test_where_chooses_by_attribute(read: Read) -> None:
    """Any attribute, used otherwise or not."""
    content = HEAD + item("1", "<g:condition>new</g:condition>") + item("2", "<g:condition>used</g:condition>") + END
    assert [r.product_id for r in read("f.xml", content, f'[where]\ncondition = "new"\n{COPY}').rows] == ["1"]
    with pytest.raises(FeedError, match="none of 2 rows has condition = 'old'"):
        read("f.xml", content, f'[where]\ncondition = "old"\n{COPY}')


@pytest.mark.parametrize("chunk", [1, 7, 64, 65_536])
def test_items_are_found_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """However the file is read, the pieces are the same."""
    monkeypatch.setattr(xml_items, "_CHUNK_CHARS", chunk)
    text = (
        HEAD
        + item("1")
        + "<!-- <item> -->\n"
        + "<item><![CDATA[</item>]]></item>"
        + "<item><x>"
        + item("2")
        + "<item/>"
        + END
    )
    (tmp_path / "f.xml").write_text(text)
    with (tmp_path / "f.xml").open() as file:
        pieces = list(xml_items.split_items(file))
    assert [(p.kind, p.line) for p in pieces] == [
        ("head", 1), ("item", 5), ("item", 7), ("broken", 7), ("item", 7), ("item", 8), ("tail", 8),
    ]  # fmt: skip
    assert pieces[2].text == "<item><![CDATA[</item>]]></item>"
    assert pieces[-1].text == END


def test_an_endless_item_is_bounded(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over, and those behind it are found."""
    monkeypatch.setattr(xml_items, "MAX_ITEM_CHARS", 5000)
    monkeypatch.setattr(xml_items, "_CHUNK_CHARS", 1000)
    content = (
        HEAD + item("1") + item("2", "x" * 9000) + item("3", f"<![CDATA[{'y' * 9000}") + item("4", "", "b.jpg") + END
    )
    contents = read("f.xml", content, COPY)
    assert [r.product_id for r in contents.rows] == ["1", "4"]
    assert [r.reason for r in contents.rejected] == ["broken_row", "broken_row"]


@pytest.mark.parametrize("chunk", [16, 65_536])
def test_a_comment_without_end_hides_nothing_but_its_item(
    read: Read, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """What stands in a comment that does end stays hidden, though the item is looked through twice."""
    monkeypatch.setattr(xml_items, "_CHUNK_CHARS", chunk)
    content = HEAD + "<item><!-- " + item("hidden") + " --><!-- never closed" + item("1") + item("2", "", "b.jpg") + END
    contents = read("f.xml", content, COPY)
    assert [r.product_id for r in contents.rows] == ["1", "2"]
    assert [r.where for r in contents.rejected] == ["f.xml item 1, line 5"]


def test_text_feed(read: Read) -> None:
    """Tabs, header spelt with spaces, additional images a comma apart, a stray quote."""
    content = (
        "id\ttitle\tlink\timage link\tadditional image link\tprice\tproduct_type\titem_group_id\tcolor\n"
        '1-r\tThe "Tee"\thttps://x/1\thttps://cdn.example/a.jpg\t'
        "https://cdn.example/b.jpg, https://cdn.example/d%2Ce.jpg\t15.00 USD\tWomen > Tees\t1\tred\n"
        '2\t"Vintage" tee\thttps://x/2\thttps://cdn.example/c.jpg\t\t1,299.00 USD\tTees\t\t\n'
        "2\tagain\thttps://x/3\thttps://cdn.example/a.jpg\t\t\tTees\t\t\n"
        "3\tno photo\thttps://x/3\t\t\t\tTees\t\t\n"
        "4\tcut sho"
    )
    contents = read("f.tsv", content, COPY)
    assert [(r.product_id, r.variant, r.image_index, r.title, r.category, r.price) for r in contents.rows] == [
        ("1", "1-r", 0, 'The "Tee"', "Tees", 15.0),
        ("1", "1-r", 1, 'The "Tee"', "Tees", 15.0),
        ("1", "1-r", 2, 'The "Tee"', "Tees", 15.0),
        ("2", "", 0, '"Vintage" tee', "Tees", 1299.0),
    ]
    assert [(r.where, r.reason) for r in contents.rejected] == [
        ("f.tsv line 4", "duplicate_id"),
        ("f.tsv line 5", "missing_image"),
        ("f.tsv line 6", "cut_short"),
    ]


def test_text_feed_with_repeated_columns(read: Read) -> None:
    """An attribute that repeats may have a column each time."""
    content = (
        "id,image_link,additional_image_link,additional_image_link,product_type,condition\n"
        "1,https://cdn.example/a.jpg,https://cdn.example/b.jpg,https://cdn.example/c.jpg,Tees,new\n"
        "2,https://cdn.example/a.jpg,,,Tees,used\n"
    )
    contents = read("f.csv", content, f'[where]\ncondition = "new"\n{COPY}')
    assert [Path(r.image_path).name for r in contents.rows] == ["a.jpg", "b.jpg", "c.jpg"]


def test_text_feed_without_its_columns(tmp_path: Path) -> None:
    """Says what it has instead."""
    (tmp_path / "f.tsv").write_text("sku\ttitle\n1\tx\n")
    (tmp_path / "feed.toml").write_text('format = "google_merchant_tsv"\npath = "f.tsv"\n')
    with pytest.raises(FeedError, match="no column 'id'; the feed has 'sku', 'title'"):
        read_feed(load_feed(tmp_path / "feed.toml"))

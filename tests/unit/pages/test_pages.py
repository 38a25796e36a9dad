"""Product pages by hand, as shops write them: JSON-LD in all its shapes, OpenGraph, and what is no product."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.formats.pages.html import parse_page
from catalog.formats.pages.json_ld import nodes
from catalog.formats.pages.product import PageProduct, id_of_url
from catalog.formats.pages.reading import read_products
from catalog.formats.pages.sitemaps import parse_sitemap

URL = "https://shop.example/mugs/blue-mug?ref=1"
MUG = {
    "@context": "https://schema.org/",
    "@type": "Product",
    "sku": "M-1",
    "name": "Blue mug",
    "category": "Home > Kitchen > Mugs",
    "brand": {"@type": "Brand", "name": "Potter"},
    "color": "blue",
    "image": ["/img/a.jpg", "https://cdn.example/b.jpg", "/img/a.jpg"],
    "offers": {
        "@type": "Offer",
        "price": 12.5,
        "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
        "url": "/mugs/blue-mug",
    },
}
AGGREGATE = {"availability": "InStock", "url": "/mugs/blue-mug"}
EXPECTED = PageProduct(
    product_id="M-1",
    title="Blue mug",
    category="Mugs",
    price="12.5",
    currency="EUR",
    url="https://shop.example/mugs/blue-mug",
    brand="Potter",
    availability="in stock",
    color="blue",
    images=("https://shop.example/img/a.jpg", "https://cdn.example/b.jpg"),
)


def with_json_ld(*values: object, head: str = "") -> bytes:
    """A page with these in JSON-LD scripts; text goes in as it stands."""
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    scripts = "".join(f'<script type="application/ld+json">{text}</script>' for text in texts)
    return f"<html><head>{head}{scripts}</head><body><p>hello</p></body></html>".encode()


def read(content: bytes, content_type: str = "text/html; charset=utf-8") -> list[PageProduct]:
    """The page's products."""
    return read_products(parse_page(content, URL, content_type))


@pytest.mark.parametrize(
    "values",
    [
        [MUG],
        [[{"@type": "WebSite"}, MUG]],
        [{"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, MUG]}],
        [{"@type": "WebPage", "mainEntity": MUG}],
        [{**MUG, "@type": ["Thing", "http://schema.org/Product"]}],
        ["{ broken", MUG],
        ["<!-- " + json.dumps(MUG) + " -->"],
        ["//<![CDATA[\n" + json.dumps(MUG) + "\n//]]>"],
        [json.dumps(MUG)[:-1] + ",}"],
        [json.dumps(MUG) + ";"],
        [json.dumps({"@type": "WebSite"}) + json.dumps(MUG)],
        [json.dumps(MUG).replace("Blue mug", "Blue\tmug")],
        [json.dumps(MUG).replace('"', "&quot;")],
        [{**MUG, "offers": [{"@type": "Offer"}, MUG["offers"]]}],
        [{**MUG, "offers": {"@type": "AggregateOffer", "lowPrice": "12.5", "priceCurrency": "EUR", **AGGREGATE}}],
        [{**MUG, "offers": {**MUG["offers"], "price": None, "priceSpecification": [{"price": "12.5"}]}}],
        [
            {
                **MUG,
                "image": [{"@type": "ImageObject", "url": "/img/a.jpg"}, {"contentUrl": "https://cdn.example/b.jpg"}],
            }
        ],
        [
            {
                "@graph": [
                    {**MUG, "image": [{"@id": "#i"}, "https://cdn.example/b.jpg"]},
                    {"@id": "#i", "url": "/img/a.jpg"},
                ]
            }
        ],
        [{**MUG, "name": [{"@value": "Blue mug", "@language": "en"}], "brand": "Potter"}],
        [{**MUG, "isRelatedTo": {**MUG, "sku": "M-2"}}],
        [MUG, {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": {**MUG, "sku": "M-3"}}]}],
    ],
)
def test_one_product_in_many_shapes(values: list[object]) -> None:
    """All of them say the same mug."""
    assert read(with_json_ld(*values)) == [EXPECTED]


def test_a_group_gives_its_variants() -> None:
    """Each with what the group says for all; the group's id is the product's."""
    group = {
        "@type": "ProductGroup",
        "productGroupID": "G",
        "name": "Mug",
        "brand": "Potter",
        "category": "Mugs",
        "image": "/group.jpg",
        "hasVariant": [
            {"@type": "Product", "sku": "G-r", "color": "red", "image": "/red.jpg", "offers": {"price": "1"}},
            {"@type": "Product", "color": "blue", "size": "L", "offers": {"price": "2", "priceCurrency": "EUR"}},
        ],
    }  # fmt: skip
    red, blue = read(with_json_ld(group))
    assert (red.product_id, red.variant, red.title, red.price) == ("G", "G-r", "Mug", "1")
    assert red.images == ("https://shop.example/red.jpg",)
    assert (blue.product_id, blue.variant, blue.brand, blue.color) == ("G", "blue / L", "Potter", "blue")
    assert blue.images == ("https://shop.example/group.jpg",)


@pytest.mark.parametrize("by_reference", [True, False])
def test_variants_may_stand_beside_their_group(by_reference: bool) -> None:
    """Named by the group, or naming it; none is told twice."""
    variant = {**MUG, "@id": "#v"}
    group = {"@type": "ProductGroup", "@id": "#g", "productGroupID": "G", "name": "Mug"}
    if by_reference:
        group["hasVariant"] = [{"@id": "#v"}]
    else:
        variant["isVariantOf"] = {"@id": "#g"}
    [found] = read(with_json_ld({"@graph": [group, variant]}))
    assert (found.product_id, found.variant, found.title) == ("G", "M-1", "Blue mug")


def test_open_graph_where_there_is_no_json_ld() -> None:
    """A product by its type or its price; the id is the path where none is given."""
    head = """
      <meta property="og:type" content="product"><meta property="og:title" content="Blue mug &amp; more">
      <meta property="og:image" content="/img/a.jpg"><meta property="og:image" content="/img/b.jpg">
      <meta property="product:price:amount" content="12,50"><meta property="product:price:currency" content="EUR">
      <meta property="product:availability" content="instock"><meta name="product:brand" content="Potter">
      <link rel="canonical" href="/mugs/blue-mug">"""
    assert read(with_json_ld(head=head)) == [
        PageProduct(
            product_id="mugs/blue-mug",
            title="Blue mug & more",
            price="12,50",
            currency="EUR",
            url="https://shop.example/mugs/blue-mug",
            brand="Potter",
            availability="in stock",
            images=("https://shop.example/img/a.jpg", "https://shop.example/img/b.jpg"),
        )
    ]


def test_open_graph_fills_what_json_ld_leaves_out() -> None:
    """And contradicts nothing."""
    head = '<meta property="og:title" content="Other"><meta property="og:image" content="/og.jpg">'
    [found] = read(with_json_ld({"@type": "Product", "sku": "1", "name": "Mug"}, head=head))
    assert (found.title, found.images) == ("Mug", ("https://shop.example/og.jpg",))


def test_lazy_images_are_read_where_they_wait() -> None:
    """`data-src` before the blank `src`."""
    body = b'<meta property="og:type" content="product"><img itemprop="image" src="/blank.gif" data-src="/real.jpg">'
    assert read(body)[0].images == ("https://shop.example/real.jpg",)


@pytest.mark.parametrize(
    ("steps", "category"),
    [
        ([("Home", "/"), ("Mugs", "/mugs"), ("Blue mug", "/mugs/blue-mug")], "Mugs"),
        ([("Home", "/"), ("Mugs", "/mugs"), ("Buy it", None)], "Mugs"),
        ([("Mugs", "/mugs"), ("Blue mug", None)], "Mugs"),
        ([("Home", "/"), ("Blue mug", None)], ""),
        ([], ""),
    ],
)
def test_breadcrumbs_name_the_category(steps: list[tuple[str, str | None]], category: str) -> None:
    """The last step that is neither the front page nor the product."""
    items = [
        {"@type": "ListItem", "position": place, "name": name, **({"item": url} if url else {})}
        for place, (name, url) in enumerate(steps, 1)
    ]
    crumbs = {"@type": "BreadcrumbList", "itemListElement": items[::-1]}
    bare = {key: value for key, value in MUG.items() if key != "category"}
    [found] = read(with_json_ld(bare, crumbs, head='<link rel="canonical" href="/mugs/blue-mug">'))
    assert found.category == category


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"\0\0\0",
        b"<html>",
        b"no markup",
        b"\xff\xfe\x00",
        with_json_ld({"@type": "Article"}),
        b"<!-- only -->",
    ],
)
def test_what_is_no_product(content: bytes) -> None:
    """Gives none, and no error."""
    assert read(content) == []


@pytest.mark.parametrize(
    ("encoding", "content_type", "head"),
    [
        ("utf-8", "text/html", ""),
        ("utf-8", "text/html; charset=utf-8", ""),
        ("windows-1252", "text/html; charset=ISO-8859-1", ""),
        ("windows-1252", "text/html", '<meta charset="windows-1252">'),
        ("utf-8", "text/html; charset=no-such", ""),
    ],
)
def test_encodings(encoding: str, content_type: str, head: str) -> None:
    """By the header, by the bytes, by the page's own word."""
    mug = {**MUG, "name": "Blaue Tässe"}
    content = f"{head}<script type='application/ld+json'>{json.dumps(mug, ensure_ascii=False)}</script>"
    assert read(content.encode(encoding), content_type)[0].title == "Blaue Tässe"


@pytest.mark.parametrize(
    ("url", "product_id"),
    [
        ("https://shop.example/mugs/blue%20mug/", "mugs/blue mug"),
        ("https://shop.example/item?id=5&utm_source=x&gclid=1", "item?id=5"),
        ("https://shop.example/?p=7", "p=7"),
    ],
)
def test_an_id_of_the_url(url: str, product_id: str) -> None:
    """Where the page gives none: what tells pages apart, without what tells visitors apart."""
    assert id_of_url(url) == product_id


def test_links_are_whole_and_without_fragments() -> None:
    """By <base> where there is one; each once; mail and scripts are none."""
    body = (
        b'<base href="/deep/"><a href="a#x">1</a><a href="a">2</a><a href="mailto:x@y">3</a><a href="//cdn.example/b">'
    )
    assert parse_page(body, URL).links == ["https://shop.example/deep/a", "https://cdn.example/b"]


def test_a_deep_nest_ends() -> None:
    """JSON nested beyond Python's recursion gives nothing."""
    assert nodes(["[" * 100_000, '{"@graph":' * 900 + "[]" + "}" * 900])


KEYS = ["@type", "@graph", "@id", "name", "image", "offers", "price", "hasVariant", "itemListElement", "brand", "url"]
VALUES = st.recursive(
    st.none() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_any_json_is_read_or_passed(value: object) -> None:
    """Whatever stands where a product's properties should."""
    for found in read(with_json_ld({"@type": "Product", "x": value, **(value if isinstance(value, dict) else {})})):
        assert all(isinstance(text, str | tuple) for text in asdict(found).values())


def test_sitemaps() -> None:
    """Of pages, of sitemaps, with an image extension's own <loc>, cut short, gzip; and what is none."""
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
    pages = (
        f"<urlset {space}><url><loc> https://shop.example/a </loc><image:image><image:loc>https://shop.example/a.jpg"
        "</image:loc></image:image></url><url><loc>https://shop.example/b?x=1&amp;y=2</loc></url>"
    )
    found = parse_sitemap(f'<?xml version="1.0"?>{pages}</urlset>'.encode(), URL)
    assert found is not None
    assert found.pages == ("https://shop.example/a", "https://shop.example/b?x=1&y=2")
    assert parse_sitemap(pages.encode(), URL) == found
    index = parse_sitemap(f"<sitemapindex {space}><sitemap><loc>/s.xml</loc></sitemap></sitemapindex>".encode(), URL)
    assert index is not None
    assert (index.sitemaps, index.pages) == (("https://shop.example/s.xml",), ())
    assert parse_sitemap(b"<html></html>", URL) is None
    assert parse_sitemap(b"\x1f\x8b broken", URL) is None

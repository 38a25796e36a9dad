"""Products out of schema.org nodes: Product, ProductGroup with its variants, offers, images, breadcrumbs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from catalog.formats.feeds.items import clean
from catalog.formats.pages.html import Page, absolute
from catalog.formats.pages.json_ld import Node, is_a, listed, text_of
from catalog.formats.pages.product import PageProduct, availability_words, id_of_url, last_category

_PRODUCT_TYPES = ("Product", "IndividualProduct", "SomeProducts", "ProductModel")
_IDS = ("sku", "productID", "mpn", "gtin13", "gtin", "gtin14", "gtin12", "gtin8")


def schema_org_products(found: Sequence[Node], page: Page) -> list[PageProduct]:
    """Every variant that the page's nodes describe. A variant that stands beside its group is told once."""
    by_id = {text_of(node.get("@id")): node for node in found if len(node) > 1 and "@id" in node}
    whole = [_dereferenced(node, by_id) for node in found]
    groups = [node for node in whole if is_a(node, "ProductGroup")]
    singles = [node for node in whole if is_a(node, *_PRODUCT_TYPES) and not is_a(node, "ProductGroup")]
    products: list[PageProduct] = []
    for group in groups:
        own = _dicts(group.get("hasVariant")) + [node for node in singles if _is_variant_of(node, group)]
        variants = {text_of(node.get("@id")) or str(place): node for place, node in enumerate(own)}
        products.extend(_variants(group, [_dereferenced(node, by_id) for node in variants.values()], page))
        singles = [node for node in singles if text_of(node.get("@id")) not in variants]
    return [*products, *(_product(node, page) for node in singles)]


def category_of_breadcrumbs(found: Sequence[Node], title: str, page: Page) -> str:
    """The last step of the page's breadcrumbs that is neither the product itself nor the shop's front page; or ""."""
    for node in found:
        crumbs = node if is_a(node, "BreadcrumbList") else node.get("breadcrumb")
        if isinstance(crumbs, dict) and is_a(crumbs, "BreadcrumbList"):
            steps = [_crumb(item, page) for item in sorted(_dicts(crumbs.get("itemListElement")), key=_position)]
            own = (page.url, page.canonical)
            if steps and not steps[-1][1]:
                steps.pop()  # the page itself needs no link
            named = [
                name for name, url in steps if name and name != title and url not in own and not _is_front(name, url)
            ]
            return named[-1] if named else ""
    return ""


def _variants(group: Node, variants: Sequence[Node], page: Page) -> Iterator[PageProduct]:
    """A group's variants, each with what the group says for all; the group itself where it has none."""
    shared = _product(group, page)
    product_id = clean(text_of(group.get("productGroupID"))) or shared.product_id
    if not variants:
        yield replace(shared, product_id=product_id)
    for node in variants:
        own = _product(node, page)
        words = " / ".join(filter(None, (own.color, clean(text_of(node.get("size"))))))
        yield PageProduct(
            product_id=product_id,
            variant=_id(node) or words,
            title=own.title or shared.title,
            category=own.category or shared.category,
            price=own.price or shared.price,
            currency=own.currency if own.price else shared.currency,
            url=own.url,
            brand=own.brand or shared.brand,
            availability=own.availability or shared.availability,
            color=own.color or shared.color,
            images=own.images or shared.images,
        )


def _product(node: Node, page: Page) -> PageProduct:
    offer = _offer(node.get("offers"))
    price, currency = _price(offer)
    url = absolute(page.url, text_of(node.get("url")) or text_of(offer.get("url"))) or page.canonical or page.url
    return PageProduct(
        product_id=_id(node) or id_of_url(url),
        title=clean(text_of(node.get("name"))),
        category=last_category(text_of(node.get("category"))),
        price=price,
        currency=currency,
        url=url,
        brand=clean(text_of(node.get("brand")) or text_of(node.get("manufacturer"))),
        availability=availability_words(text_of(offer.get("availability"))),
        color=clean(text_of(node.get("color"))),
        images=_images(node.get("image"), page.url),
    )


def _id(node: Node) -> str:
    return next((found for key in _IDS if (found := clean(text_of(node.get(key))))), "")


def _images(value: object, base: str) -> tuple[str, ...]:
    """Image URLs of texts, lists and ImageObjects, each once."""
    urls = []
    for one in listed(value):
        if isinstance(one, dict):
            one = text_of(one.get("contentUrl")) or text_of(one.get("url"))
        if isinstance(one, str) and one.strip() and (url := absolute(base, one)):
            urls.append(url)
    return tuple(dict.fromkeys(urls))


def _offer(offers: object) -> Node:
    """The first offer that has a price, those inside an AggregateOffer last; else the first; else an empty one."""
    outer = _dicts(offers)
    found = [*outer, *(inner for offer in outer for inner in _dicts(offer.get("offers")))]
    return next((offer for offer in found if _price(offer)[0]), found[0] if found else {})


def _price(offer: Node) -> tuple[str, str]:
    specification: Mapping[str, Any] = next(iter(_dicts(offer.get("priceSpecification"))), {})
    said = [text_of(one) for one in (offer.get("price"), offer.get("lowPrice"), specification.get("price"))]
    currency = text_of(offer.get("priceCurrency")) or text_of(specification.get("priceCurrency"))
    return clean(next(filter(None, said), "")), clean(currency)


def _is_variant_of(node: Node, group: Node) -> bool:
    named = {text_of(one.get("@id")) for one in _dicts(node.get("isVariantOf"))} - {""}
    return text_of(group.get("@id")) in named


def _dereferenced(node: Node, by_id: Mapping[str, Node]) -> Node:
    """A node whose values that only name another node of the page are that node."""

    def whole(value: Any) -> Any:
        if isinstance(value, list):
            return [whole(one) for one in value]
        if isinstance(value, dict) and set(value) <= {"@id", "@type"}:
            return by_id.get(text_of(value.get("@id")), value)
        return value

    return {key: whole(value) for key, value in node.items()} if len(node) > 1 else by_id.get(text_of(node), node)


def _crumb(item: Node, page: Page) -> tuple[str, str]:
    thing = item.get("item")
    inner: Mapping[str, Any] = thing if isinstance(thing, dict) else {}
    url = thing if isinstance(thing, str) else text_of(inner.get("@id")) or text_of(inner.get("url"))
    return clean(text_of(item.get("name")) or text_of(inner.get("name"))), absolute(page.url, url) if url else ""


def _is_front(name: str, url: str) -> bool:
    return urlsplit(url).path in ("", "/") if url else name.casefold() == "home"


def _position(item: Node) -> float:
    try:
        return float(text_of(item.get("position")))
    except ValueError:
        return 0.0


def _dicts(value: object) -> list[dict[str, Any]]:
    return [one for one in listed(value) if isinstance(one, dict)]

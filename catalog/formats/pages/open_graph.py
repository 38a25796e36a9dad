"""A product out of a page's OpenGraph and product meta tags, or what they add to one."""

from dataclasses import replace

from catalog.formats.pages.html import Page, absolute
from catalog.formats.pages.product import PageProduct, availability_words, id_of_url, last_category

_PRODUCT_TYPES = ("product", "og:product", "product.item", "product.group")
_PRICE = ("product:price:amount", "og:price:amount", "price")
_CURRENCY = ("product:price:currency", "og:price:currency", "pricecurrency")
_ID = ("product:retailer_item_id", "product:sku", "sku")


def open_graph_product(page: Page) -> PageProduct | None:
    """The product of a page whose metadata say that it is one, else None."""
    if page.first("og:type").casefold() not in _PRODUCT_TYPES and not page.first(*_PRICE[:2], _ID[0]):
        return None
    url = absolute(page.url, page.first("og:url")) or page.canonical or page.url
    return filled(PageProduct(product_id=page.first(*_ID) or id_of_url(url), url=url), page)


def filled(product: PageProduct, page: Page) -> PageProduct:
    """The product with what it leaves out, where the page's metadata say it."""
    named = next(
        (page.meta[name] for name in ("og:image:secure_url", "og:image", "og:image:url") if name in page.meta), []
    )
    images = dict.fromkeys(url for image in [*named, *page.images] if (url := absolute(page.url, image)))
    return replace(
        product,
        title=product.title or page.first("og:title", "twitter:title") or page.title,
        category=product.category or last_category(page.first("product:category", "og:category")),
        price=product.price or page.first(*_PRICE),
        currency=product.currency or page.first(*_CURRENCY),
        brand=product.brand or page.first("product:brand", "og:brand"),
        availability=product.availability or availability_words(page.first("product:availability", "og:availability")),
        color=product.color or page.first("product:color"),
        images=product.images or tuple(images),
    )

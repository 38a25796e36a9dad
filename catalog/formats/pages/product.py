"""The record that pages are read into, and the words that both ways of reading share."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from catalog.formats.feeds.items import clean

_TRACKERS = ("utm_", "gclid", "fbclid", "msclkid", "ref", "srsltid")
_AVAILABILITY = {  # schema.org's words -> those of the usual product feeds
    "instock": "in stock",
    "instoreonly": "in stock",
    "limitedavailability": "in stock",
    "onlineonly": "in stock",
    "outofstock": "out of stock",
    "oos": "out of stock",
    "soldout": "out of stock",
    "discontinued": "out of stock",
    "preorder": "preorder",
    "presale": "preorder",
    "backorder": "backorder",
}


@dataclass(frozen=True, kw_only=True)
class PageProduct:
    """One variant of one product, in the columns of our own feeds; "" is "not said"."""

    product_id: str
    variant: str = ""
    title: str = ""
    category: str = ""
    price: str = ""
    currency: str = ""
    url: str = ""
    brand: str = ""
    availability: str = ""
    color: str = ""
    images: tuple[str, ...] = ()


def availability_words(said: str) -> str:
    """`https://schema.org/InStock` as "in stock"; another word as it stands."""
    word = said.rstrip("/").rpartition("/")[2]
    return _AVAILABILITY.get(word.replace(" ", "").replace("_", "").casefold(), clean(word))


def last_category(path: str) -> str:
    """`Home > Women > Dresses` as "Dresses"."""
    return clean(path.split(">")[-1])


def id_of_url(url: str) -> str:
    """An id for a product that has none: its page's path and query, which stay while the page does; no trackers."""
    parts = urlsplit(url)
    query = [f"{key}={value}" for key, value in parse_qsl(parts.query) if not key.casefold().startswith(_TRACKERS)]
    return clean("?".join(filter(None, (unquote(parts.path).strip("/"), "&".join(query)))))

"""An HTML page, parsed once: its metadata, embedded JSON and links. What they mean is for others to say."""

import codecs
import re
from dataclasses import dataclass, field
from urllib.parse import urljoin

from lxml import etree

from catalog.formats.feeds.items import clean

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_LAZY_SOURCES = ("data-src", "data-original", "data-lazy-src", "src")  # the first is the photo where src is a blank


@dataclass
class Page:
    """What a page holds that may say something of a product. URLs are absolute."""

    url: str
    canonical: str = ""
    title: str = ""
    meta: dict[str, list[str]] = field(default_factory=dict)  # by property, name or itemprop, lower-case
    json_ld: list[str] = field(default_factory=list)  # texts, as they stand
    links: list[str] = field(default_factory=list)  # of <a>, in the page's order, each once, without fragments
    images: list[str] = field(default_factory=list)  # of <img itemprop="image">

    def first(self, *names: str) -> str:
        """The first value among these metadata, "" where there is none."""
        return next((value for name in names for value in self.meta.get(name, ()) if value), "")


def parse_page(content: bytes, url: str, content_type: str = "") -> Page:
    """Parse a page as browsers would; whatever the bytes are, something comes of them."""
    page = Page(url)
    parser = etree.HTMLParser(encoding=_encoding(content, content_type), no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(content, parser) if content.strip() else None
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        return page
    base = urljoin(url, next((href for tag in root.iter("base") if (href := tag.get("href"))), ""))
    for tag in root.iter("meta", "link", "script", "a", "img", "title"):
        _take(page, tag, base)
    return page


def absolute(base: str, reference: str) -> str:
    """A reference as a whole http or https URL without its fragment, "" where it is none, or empty."""
    try:
        whole = urljoin(base, reference.strip()).partition("#")[0] if reference.strip() else ""
    except ValueError:
        return ""
    return whole if whole.startswith(("http://", "https://")) else ""


def _take(page: Page, tag: "etree._Element", base: str) -> None:
    if tag.tag == "meta":
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or ""
        if value := clean(tag.get("content") or ""):
            page.meta.setdefault(name.casefold(), []).append(value)
    elif tag.tag == "link":
        if "canonical" in (tag.get("rel") or "").casefold().split():
            page.canonical = page.canonical or absolute(base, tag.get("href") or "")
    elif tag.tag == "script":
        if (tag.get("type") or "").partition(";")[0].strip().casefold() == "application/ld+json":
            page.json_ld.append("".join(map(str, tag.itertext(None))))
    elif tag.tag == "a":
        link = absolute(base, tag.get("href") or "")
        if link and link not in page.links:
            page.links.append(link)
    elif tag.tag == "img":
        if tag.get("itemprop") == "image":
            source = next((found for name in _LAZY_SOURCES if (found := tag.get(name))), "")
            if (image := absolute(base, source)) and image not in page.images:
                page.images.append(image)
    elif not page.title:
        page.title = clean("".join(map(str, tag.itertext(None))))


def _encoding(content: bytes, content_type: str) -> str | None:
    """The header's word, else UTF-8 where the bytes are; None leaves it to the page's own <meta charset>."""
    if named := _CHARSET.search(content_type):
        try:
            return codecs.lookup(named[1]).name
        except LookupError:
            pass
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"

"""Sitemaps (sitemaps.org 0.9), XML or plain text, gzip or not: the pages and further sitemaps that they name."""

import zlib
from dataclasses import dataclass

from lxml import etree

from catalog.formats.pages.html import absolute

MAX_BYTES = 50 * 2**20  # unpacked, as the protocol has it
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Sitemap:
    """What a sitemap names, in its order."""

    pages: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()


def parse_sitemap(content: bytes, url: str) -> Sitemap | None:
    """The sitemap, None where the bytes are something else. One that was cut short gives what stands before the cut."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = zlib.decompressobj(_GZIP).decompress(content, MAX_BYTES)
        except zlib.error:
            return None
    if b"<urlset" not in content[:4096] and b"<sitemapindex" not in content[:4096]:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, load_dtd=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None:
        return None
    found = [absolute(url, tag.text or "") for tag in root.iter("{*}loc") if _parent_name(tag) in ("url", "sitemap")]
    whole = tuple(dict.fromkeys(filter(None, found)))
    return Sitemap(sitemaps=whole) if etree.QName(root).localname == "sitemapindex" else Sitemap(pages=whole)


def _parent_name(tag: "etree._Element") -> str:
    parent = tag.getparent()
    return "" if parent is None else etree.QName(parent).localname

"""Format `google_merchant_xml`: Google's product feed as RSS 2.0 or Atom.

Source: attributes are elements in the namespace http://base.google.com/ns/1.0; title and link may be RSS's or Atom's
own (support.google.com/merchants/answer/160589 and /14991618); additional_image_link is repeated.
"""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, fromstring

from catalog.errors import FeedError
from catalog.formats.feeds.decoding import TextEncoding, open_text, regular_file, survey
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.google_merchant import merchant_item
from catalog.formats.feeds.items import FeedItem, RowChoice, reject
from catalog.formats.feeds.xml_items import Piece, split_items
from catalog.records import Outcome, Reason, Rejection

_GOOGLE = "http://base.google.com/ns/1.0"
# In the order in which an attribute is looked for: g:title goes before title, g:id before Atom's own id.
_NAMESPACES = (_GOOGLE, "https://base.google.com/ns/1.0", "", "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#")
_DECLARED_ENCODING = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_NAMESPACE = re.compile(r"""\s(xmlns(?::[\w.-]+)?)\s*=\s*("[^"<&]*"|'[^'<&]*')""")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each item or entry as an item.

    Raises: FeedError, the file can't be read, declares an entity, or has neither an item nor an entry.
    """
    path = description.path
    text = _encoding(description)
    if text.remark:
        yield text.remark
    wrapper = root = ""
    count = 0
    with open_text(path, text.name) as file:
        try:
            for piece in split_items(file):
                if piece.kind == "head":
                    wrapper, root = _read_head(description, piece.text)
                elif piece.kind == "tail":
                    if count == 0:
                        raise _no_item(description)
                    if f"</{root}" not in piece.text:
                        detail = f"the file ends without </{root}>: it was cut short, and items behind this are missing"
                        yield reject(path.name, Reason.CUT_SHORT, detail, outcome=Outcome.KEPT)
                else:
                    count += 1
                    item = _read_item(piece, wrapper, f"{path.name} item {count}, line {piece.line}", choice)
                    if item is not None:
                        yield item
        except (UnicodeError, OSError) as error:
            raise FeedError(f"{path}: the feed can't be read as {text.name}: {error}") from error
    if count == 0:
        raise _no_item(description)


def _encoding(description: FeedDescription) -> TextEncoding:
    """A BOM goes before the declaration, that before the guess."""
    regular_file(description.path)
    try:
        with description.path.open("rb") as file:
            start = file.read(1024)
    except OSError as error:
        raise FeedError(f"{description.path}: the feed can't be read: {error.strerror}") from error
    declared = _DECLARED_ENCODING.search(start)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name in ("utf-8", "utf8", "utf-16", "utf16") or start.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return survey(description.path)
    return TextEncoding(name)


def _read_head(description: FeedDescription, head: str) -> tuple[str, str]:
    """The opening of a document that an item can be parsed in, and the root element's name."""
    try:
        DefusedXMLParser().feed(head)
        refused = "<!ENTITY" in head
    except DefusedXmlException:
        refused = True
    except ParseError:  # an "&" in the shop's own name, say: nothing in the head is used but its namespaces
        refused = "<!ENTITY" in head
    if refused:
        raise FeedError(
            f"{description.path}: the feed declares entities and is refused: they can be made to fill the memory or to "
            "read other files; export it without <!DOCTYPE ...>"
        )
    declared = dict(reversed(_NAMESPACE.findall(head)))
    declared.setdefault("xmlns:g", f'"{_GOOGLE}"')
    root = _ROOT.search(head)
    return f"<x {' '.join(f'{name}={value}' for name, value in declared.items())}>", root[1] if root else ""


def _read_item(piece: Piece, wrapper: str, where: str, choice: RowChoice) -> FeedItem | Rejection | None:
    if piece.kind == "broken":
        detail = "the item has no end: another begins, it is far too long, or the file was cut short here"
        return reject(where, Reason.BROKEN_ROW, detail)
    try:
        element = fromstring(f"{wrapper}{piece.text}</x>")[0]
    except ParseError as error:
        line = piece.line + error.position[0] - 1
        return reject(where, Reason.BROKEN_ROW, f"no XML at line {line}: {str(error).partition(':')[0]}")
    except (DefusedXmlException, RecursionError, ValueError, IndexError) as error:
        return reject(where, Reason.BROKEN_ROW, f"no XML that can be read: {error}")
    attributes = _attributes(element)
    if not choice.keeps({name: values[0] for name, values in attributes.items()}):
        return None
    more = [
        url
        for text in attributes.get("additional_image_link", ())
        for url in re.split(r",(?=\s*https?://)", text)  # some shops write them as in a text feed
    ]
    return merchant_item(attributes, more, where)


def _attributes(item: Element) -> dict[str, list[str]]:
    """Each attribute's values. Only the item's own children: g:shipping has a g:price too."""
    found: dict[str, dict[int, list[str]]] = {}
    for child in item:
        namespace, _, name = child.tag.rpartition("}")
        namespace = namespace.removeprefix("{")
        if namespace not in _NAMESPACES:
            continue
        text = "".join(child.itertext()).strip() or child.get("href", "")  # Atom's link has its URL in href
        found.setdefault(name, {}).setdefault(_NAMESPACES.index(namespace), []).append(text)
    return {name: by_namespace[min(by_namespace)] for name, by_namespace in found.items()}


def _no_item(description: FeedDescription) -> FeedError:
    return FeedError(f"{description.path}: no <item> (RSS) or <entry> (Atom) in it: is it a Google Merchant XML feed?")

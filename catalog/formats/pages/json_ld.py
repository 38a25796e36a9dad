"""schema.org nodes out of a page's JSON-LD, as shops really write it: broken here and there, nested in every way."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]

_WRAPPING = re.compile(r"^\s*(?://)?\s*(?:<!--|<!\[CDATA\[)|(?://)?\s*(?:-->|\]\]>)\s*$")
_SPARE_COMMA = re.compile(r",(\s*[}\]])")
_MAX_NODES = 20_000  # of one page; a page is a few hundred KB


def nodes(texts: Sequence[str]) -> list[Node]:
    """Every node that stands for itself on the page: top ones, those of lists, of @graph and of mainEntity.

    Products that are only mentioned, as related or as parts of a list, are none of them. A text that can't be read
    gives none, and does not disturb the others.
    """
    found: list[Node] = []
    waiting: list[Any] = [value for text in texts for value in _values(text)]
    while waiting and len(found) < _MAX_NODES:
        value = waiting.pop(0)
        if isinstance(value, list):
            waiting = [*value, *waiting]
        elif isinstance(value, dict):
            found.append(value)
            waiting = [value[key] for key in ("@graph", "mainEntity") if key in value] + waiting
    return found


def is_a(node: object, *types: str) -> bool:
    """Whether a node's @type is one of these, however it is prefixed."""
    return isinstance(node, dict) and any(
        isinstance(name, str) and re.split(r"[/#:]", name)[-1] in types for name in listed(node.get("@type"))
    )


def listed(value: object) -> list[Any]:
    """A property's values: none, one or several."""
    return [] if value is None else value if isinstance(value, list) else [value]


def text_of(value: object) -> str:
    """The first value as text: itself, a language's @value, a thing's name, or its @id's or URL's own words."""
    for one in listed(value):
        if isinstance(one, dict):
            one = next((one[key] for key in ("@value", "name", "value", "url", "@id") if one.get(key)), None)
        if isinstance(one, str) and one.strip():
            return html.unescape(one.strip())
        if isinstance(one, int | float) and not isinstance(one, bool):
            return str(one)
    return ""


def _values(text: str) -> Iterator[Any]:
    """The JSON values that stand in a text one after the other."""
    for candidate in (text, _mended(text), _mended(html.unescape(text))):
        try:
            yield from list(_decoded(candidate))
            return
        except (ValueError, RecursionError):
            continue


def _decoded(text: str) -> Iterator[Any]:
    decoder, place = json.JSONDecoder(strict=False), 0
    while True:
        while place < len(text) and text[place] in " \t\r\n;\ufeff":
            place += 1
        if place == len(text):
            return
        value, place = decoder.raw_decode(text, place)
        yield value


def _mended(text: str) -> str:
    bare = text.strip()
    while (without := _WRAPPING.sub("", bare).strip()) != bare:
        bare = without
    return _SPARE_COMMA.sub(r"\1", bare)

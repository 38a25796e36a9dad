"""An XML feed as a stream of its items, each a text of its own, so that a broken one can't spoil the next.

Belongs here: finding `<item>` (RSS) and `<entry>` (Atom) in text that may be broken or cut. An XML parser stops for
good at the first fault; cut apart first, only the item with the fault is lost. Parsing an item is the format's task.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TextIO

MAX_ITEM_CHARS = 262_144
_CHUNK_CHARS = 65_536
_TAG_CHARS = 4096  # of the longest opening tag that is looked for

_TOKEN = re.compile(
    r"(?P<hidden><!--|<!\[CDATA\[)"
    r"|<(?P<open>(?:[\w.-]+:)?(?:item|entry))(?=[\s/>])[^<>]*>"
    r"|</(?P<close>(?:[\w.-]+:)?(?:item|entry))\s*>"
)
_ENDS = {"<!--": "-->", "<![CDATA[": "]]>"}


class Piece(NamedTuple):
    """A part of the feed: all before the first item, an item, an item that has no end, or all behind the last one."""

    kind: Literal["head", "item", "broken", "tail"]
    text: str
    line: int  # where it starts, from 1


class _Buffer:
    """What has been read and not yet been given out."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.text = ""
        self.line = 1
        self.ended = False
        self._dropped = 0
        self._in_vain: dict[str, tuple[int, int]] = {}  # mark = the stretch of the file that has none

    def read_more(self) -> None:
        chunk = self._file.read(_CHUNK_CHARS)
        self.ended = not chunk
        self.text += chunk

    def drop(self, count: int) -> str:
        """The first `count` characters, which leave the buffer."""
        gone = self.text[:count]
        self.line += gone.count("\n")
        self.text = self.text[count:]
        self._dropped += count
        return gone

    def find(self, mark: str, start: int) -> int:
        """As `str.find`; what was searched in vain is not searched again, for a feed full of comments without end."""
        place = self._dropped + start
        first, behind = self._in_vain.get(mark, (0, -1))
        known = first <= place <= behind
        found = self.text.find(mark, max(start, behind - len(mark) + 1 - self._dropped) if known else start)
        if found < 0:
            self._in_vain[mark] = (first if known else place, self._dropped + len(self.text))
        return found


def split_items(file: TextIO) -> Iterator[Piece]:
    """The pieces of a feed in order: one head, the items, one tail.

    An item that never closes, or is over `MAX_ITEM_CHARS`, is "broken" and the search goes on behind its opening tag.
    What stands between two items is passed over.
    """
    buffer = _Buffer(file)
    kind: Literal["head", "tail"] = "head"
    while (opening := _find_opening(buffer)) is not None:
        before = buffer.drop(opening.start())
        if kind == "head":
            yield Piece("head", before, 1)
            kind = "tail"
        line, tag_chars = buffer.line, opening.end() - opening.start()
        end = tag_chars if opening[0].endswith("/>") else _find_end(buffer, tag_chars, opening["open"])
        if end is None:
            yield Piece("broken", buffer.drop(tag_chars), line)
        else:
            yield Piece("item", buffer.drop(end), line)
    yield Piece(kind, buffer.text, buffer.line)


def _find_opening(buffer: _Buffer) -> "re.Match[str] | None":
    """The next opening tag, outside comments and CDATA. A long stretch without one is passed over, a part at a time."""
    position = 0
    while True:
        found = _TOKEN.search(buffer.text, position)
        if found is None:
            position = _unfinished(buffer.text, position)
        elif found["open"]:
            return found
        elif found["close"]:
            position = found.end()
            continue
        elif (end := buffer.find(_ENDS[found["hidden"]], found.end())) >= 0:
            position = end
            continue
        elif buffer.ended or len(buffer.text) - found.start() > MAX_ITEM_CHARS:
            position = found.end()  # it never closes: what looks like an item in it is one
            continue
        else:
            position = found.start()
        if buffer.ended:
            return None
        if position > MAX_ITEM_CHARS:
            buffer.drop(position)
            position = 0
        buffer.read_more()


def _find_end(buffer: _Buffer, start: int, name: str) -> int | None:
    """Where the item ends that opens the buffer; None where another opens first, it is too long, or the feed ends."""
    position = start
    while position <= MAX_ITEM_CHARS:
        found = _TOKEN.search(buffer.text, position)
        if found is None:
            position = _unfinished(buffer.text, position)
        elif found["open"]:
            return None
        elif found["close"]:
            return found.end() if found["close"] == name else None
        elif (end := buffer.find(_ENDS[found["hidden"]], found.end())) >= 0:
            position = end
            continue
        else:
            position = found.start()
            if len(buffer.text) - position > MAX_ITEM_CHARS:
                return None
        if buffer.ended:
            return None
        buffer.read_more()
    return None


def _unfinished(text: str, position: int) -> int:
    """Where a tag that the next chunk may complete begins; the text's end where all are complete."""
    last = text.rfind("<", max(position, len(text) - _TAG_CHARS))
    return last if last >= 0 and ">" not in text[last:] else len(text)

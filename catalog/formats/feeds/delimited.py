"""Tables in text with a delimiter (CSV, TSV): one record after the other, none of which can spoil the next.

Belongs here: bytes to records. What the columns mean is told by the format that reads them.
"""

import collections
import csv
import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import FeedError
from catalog.formats.feeds.decoding import TextEncoding, survey, text_lines
from catalog.formats.feeds.items import reject, shown
from catalog.records import Reason, Rejection

DELIMITERS = (",", ";", "\t", "|")
_HEADER_LINES = 50  # that a header with line ends in its names may take


@dataclass(frozen=True)
class Header:
    """What the first record of a table says, and how it has to be read."""

    path: Path
    text: TextEncoding
    delimiter: str
    columns: tuple[str, ...]  # without surrounding spaces
    lines: int  # that come before the first row


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its first line's number, from 1, and as many cells as the header has columns."""

    line: int
    cells: list[str]


class _OverlongLineError(Exception):
    pass


class _Lines:
    """The lines of a file as the csv module wants them, which remembers those of the record in hand."""

    def __init__(self, numbered: Iterator[tuple[int, str | None]]) -> None:
        self._numbered = numbered
        self._returned: collections.deque[tuple[int, str | None]] = collections.deque()
        self.taken: list[tuple[int, str | None]] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        one = self._returned.popleft() if self._returned else next(self._numbered)
        self.taken.append(one)
        if one[1] is None:
            raise _OverlongLineError
        return one[1]

    def give_back_all_but_first(self) -> None:
        self._returned.extendleft(reversed(self.taken[1:]))


def column_key(name: str) -> str:
    """A column's name as it is compared where spelling varies: "Image Src", "image_src" and "g:image src" are one."""
    return name.strip().casefold().removeprefix("g:").replace(" ", "_")


def read_header(path: Path, *, delimiter: str = "", wanted: Collection[str] = ()) -> Header:
    """Read the first record.

    Args: the delimiter, "" to tell it from the header: the one that gives most of the `wanted` columns (compared by
        `column_key`), then most columns.
    Raises: FeedError, the file can't be read, is empty, or names no column.
    """
    text = survey(path)
    start = list(itertools.islice(text_lines(path, text.name), _HEADER_LINES))
    if not start:
        raise FeedError(f"{path}: the feed is empty: it must start with a line of column names")
    skipped = 0
    if hint := re.fullmatch(r"sep=([,;\t|])[\r\n]*", start[0][1] or ""):  # Excel's own first line
        delimiter, skipped = delimiter or hint[1], 1
    while skipped < len(start) and not (start[skipped][1] or "-").strip():
        skipped += 1
    keys = {column_key(w) for w in wanted}
    best: tuple[int, int] = (-1, -1)
    header: Header | None = None
    for candidate in [delimiter] if delimiter else DELIMITERS:
        lines = _Lines(iter(start[skipped:]))
        try:
            names = tuple(name.strip().strip("\ufeff\u00a0") for name in next(csv.reader(lines, delimiter=candidate)))
        except (csv.Error, StopIteration, _OverlongLineError):
            continue
        rank = (len(keys.intersection(map(column_key, names))), len(names))
        if rank > best:
            best, header = rank, Header(path, text, candidate, names, skipped + len(lines.taken))
    if header is None or not any(header.columns):
        raise FeedError(f"{path}: no column names in its first line: a table starts with a line of column names")
    return header


def read_records(header: Header) -> Iterator[Record | Rejection]:
    """Each row below the header; a broken one is a Rejection, and reading goes on at the next line.

    Empty rows are passed over. Of a row with more cells than the header the spare ones must be empty. A broken row
    that ends without a line end is the last of a file that was cut short.
    Raises: FeedError, the file can't be read.
    """
    path, width, tab = header.path, len(header.columns), header.delimiter == "\t"
    lines = _Lines(itertools.islice(text_lines(path, header.text.name), header.lines, None))
    reader = csv.reader(lines, delimiter=header.delimiter, strict=True)
    while True:
        lines.taken.clear()
        cells: list[str] = []
        try:
            cells = next(reader)
            problem = "" if len(cells) == width or not any(cells[width:]) else "too many"
        except StopIteration:
            return
        except csv.Error as error:
            problem = str(error)
        except _OverlongLineError:
            problem = "the line is longer than any feed's"
        if not problem and not any(cells):
            continue
        line, first = lines.taken[0]
        if problem not in ("", "too many"):
            lines.give_back_all_but_first()
            if tab and first is not None:  # a tab can't stand in a cell, so a stray quote there is only a quote
                literal = first.rstrip("\r\n").split("\t")
                cells, problem = (literal, "") if len(literal) == width else (cells, problem)
        elif len(cells) < width or problem:
            problem = f"{len(cells)} fields, the header has {width}"
        if problem:
            detail = f"{shown(problem)}: mend the row's quotes and delimiters ({header.delimiter!r})"
            cut = first is not None and len(lines.taken) == 1 and not first.endswith(("\n", "\r"))
            yield reject(f"{path.name} line {line}", Reason.CUT_SHORT if cut else Reason.BROKEN_ROW, detail)
        else:
            yield Record(line, cells[:width])

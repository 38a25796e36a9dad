"""Feed files as lines of text, whatever wrote them: UTF-8 with or without BOM, UTF-16 with BOM, Windows-1252.

The rule: a BOM decides. Without one the file is UTF-8; where most of the lines with accents are no UTF-8 it is
Windows-1252. A byte that doesn't fit becomes U+FFFD and costs at most its own row. Both are told in one remark a feed.
"""

import codecs
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from catalog.errors import FeedError
from catalog.formats.feeds.items import reject
from catalog.records import Outcome, Reason, Rejection

MAX_LINE_CHARS = 1_000_000  # a longer line is no feed's; it is passed over piece by piece, never held


@dataclass(frozen=True)
class TextEncoding:
    """How a file's bytes become text; `remark` tells the user what was guessed or mended."""

    name: str
    remark: Rejection | None = None


def regular_file(path: Path) -> os.stat_result:
    """The file's status. Raises: FeedError, nothing there, or no regular file (a folder, a device, a pipe)."""
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise FeedError(f"{path}: the feed can't be read: {_why(error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise FeedError(f"{path}: the feed must be a regular file, not a folder or a device")
    return status


def survey(path: Path) -> TextEncoding:
    """Read the file once and tell its encoding. Raises: FeedError, the file can't be read."""
    regular_file(path)
    good = bad = first_bad = 0
    try:
        with path.open("rb") as file:
            start = file.read(3)
            if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return _survey_utf16(path)
            file.seek(0)
            number = 0
            while line := file.readline(MAX_LINE_CHARS):
                number += line.endswith(b"\n")
                if line.isascii():
                    continue
                try:
                    line.decode("utf-8")
                    good += 1
                except UnicodeDecodeError:
                    bad += 1
                    first_bad = first_bad or number
    except OSError as error:
        raise FeedError(f"{path}: the feed can't be read: {_why(error)}") from error
    utf8 = "utf-8-sig" if start == codecs.BOM_UTF8 else "utf-8"
    if bad == 0:
        return TextEncoding(utf8)
    if good >= bad or start == codecs.BOM_UTF8:
        name, done = utf8, "the bytes that don't fit became U+FFFD"
    else:
        name, done = "cp1252", "the whole file was read as Windows-1252"
    detail = f"{bad} of {good + bad} lines with accents are not UTF-8: {done}; save the feed as UTF-8"
    where = f"{path.name} line {max(first_bad, 1)}"
    return TextEncoding(name, reject(where, Reason.BROKEN_ROW, detail, outcome=Outcome.KEPT))


def _survey_utf16(path: Path) -> TextEncoding:
    try:
        with path.open(encoding="utf-16", newline="") as file:
            while file.read(MAX_LINE_CHARS):
                pass
    except UnicodeError:
        detail = "some bytes are not UTF-16 and became U+FFFD; save the feed as UTF-8"
        return TextEncoding("utf-16", reject(path.name, Reason.BROKEN_ROW, detail, outcome=Outcome.KEPT))
    return TextEncoding("utf-16")


def open_text(path: Path, encoding: str) -> TextIO:
    """The file as text, line ends as they stand. Raises: FeedError, it can't be opened or no such encoding."""
    try:
        return path.open(encoding=encoding, errors="replace", newline="")
    except LookupError as error:
        raise FeedError(f"{path}: the encoding {encoding!r} is not known: save the feed as UTF-8") from error
    except OSError as error:
        raise FeedError(f"{path}: the feed can't be read: {_why(error)}") from error


def text_lines(path: Path, encoding: str) -> Iterator[tuple[int, str | None]]:
    """Each line with its number from 1 and its line end; None stands for a line over `MAX_LINE_CHARS`."""
    with open_text(path, encoding) as file:
        number = 0
        try:
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                if len(line) < MAX_LINE_CHARS or line.endswith(("\n", "\r")):
                    yield number, line
                    continue
                while line and not line.endswith(("\n", "\r")):
                    line = file.readline(MAX_LINE_CHARS)
                yield number, None
        except (OSError, UnicodeError) as error:
            raise FeedError(f"{path}: the feed can't be read: {_why(error)}") from error


def ends_in_line_end(path: Path) -> bool:
    """Whether the file's last character ends a line, in any of its encodings. Raises: FeedError, it can't be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, regular_file(path).st_size - 2))
            return file.read().rstrip(b"\0").endswith((b"\n", b"\r"))  # UTF-16 has a zero byte beside it
    except OSError as error:
        raise FeedError(f"{path}: the feed can't be read: {_why(error)}") from error


def _why(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())

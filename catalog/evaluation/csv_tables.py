"""Rows of a CSV file that a person wrote, each with where it stands, for the errors of whoever reads them."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from catalog.errors import FormatError


def read_rows(path: Path, needed: Sequence[str], wanted: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Each row as ("FILE line N", cells by column); a byte order mark is taken off.

    `wanted` tells the reader of an error what file is asked for. Raises: FormatError, no such file, not UTF-8, a column
    of `needed` missing, a row that is no CSV, or no row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FormatError(f"{path}: not there; {wanted}") from error
    except OSError as error:
        raise FormatError(f"{path}: can't be read ({error.strerror}); {wanted}") from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not UTF-8 at its byte {error.start}; save it as UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    empty = True
    try:
        missing = [column for column in needed if column not in (reader.fieldnames or ())]
        if missing:
            raise FormatError(f"{path}: no column {', '.join(missing)}; it needs {', '.join(needed)}")
        for row in reader:
            empty = False
            yield f"{path} line {reader.line_num}", row
    except csv.Error as error:
        raise FormatError(f"{path} line {reader.line_num}: no CSV ({error}); mend the row") from error
    if empty:
        raise FormatError(f"{path}: holds no row; {wanted}")

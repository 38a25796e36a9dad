"""Checked reading of TOML: every value has the type that is wanted, every key is one we know, every error is one line.

Belongs here: TOML in general. What the keys of a feed description mean is in `description`.
"""

import difflib
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from catalog.errors import FeedError

_TYPE_NAMES = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def load_toml(path: Path) -> dict[str, Any]:
    """The file's top table. Raises: FeedError, the file can't be read, is not UTF-8 or is not TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows editors write a BOM, which TOML itself doesn't allow
        return tomllib.loads(text)
    except OSError as error:
        raise FeedError(f"{path}: the feed description can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FeedError(f"{path}: byte {error.start} is not UTF-8: save the feed description as UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise FeedError(f"{path}: broken TOML: {' '.join(str(error).split())}") from error


class Table:
    """One table of the file, and how its errors name it."""

    def __init__(self, values: Mapping[str, Any], path: Path, name: str = "") -> None:
        self.values = values
        self.path = path
        self.name = name

    def error(self, key: str, problem: str) -> FeedError:
        """A FeedError that says which key of which table of which file has the problem."""
        place = f"[{self.name}] {key}" if self.name else key
        return FeedError(" ".join(f"{self.path}: {place}: {problem}".splitlines()))

    def allow(self, keys: Collection[str]) -> None:
        """Raises: FeedError, a key that is none of `keys`; the nearest is suggested."""
        for key in self.values:
            if key not in keys:
                raise self.error(key, f"no such key{did_you_mean(key, keys)}; known here: {', '.join(sorted(keys))}")

    def text(self, key: str) -> str | None:
        """The text of `key`, None where it is not given. Raises: FeedError, another type, or empty."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self.error(key, f"must be text in quotes, not {type_name(value)} ({value!r})")
        if not value.strip():
            raise self.error(key, "must not be empty: give a value or leave the key out")
        return value

    def table(self, key: str) -> "Table | None":
        """The table `key`, None where it is not given. Raises: FeedError, it is no table."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.error(key, f"must be a table, [{self._full(key)}], not {type_name(value)}")
        return Table(value, self.path, self._full(key))

    def texts(self) -> dict[str, str]:
        """All keys, each with its text. Raises: FeedError, another type, or empty."""
        return {key: self.text(key) or "" for key in self.values}

    def _full(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def type_name(value: object) -> str:
    """The TOML type of `value`, in words."""
    return _TYPE_NAMES.get(type(value), "a date or time")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A suggestion to put behind an error, or ""."""
    lower = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(word.casefold(), lower, n=1, cutoff=0.6)
    return f", did you mean {lower[near[0]]!r}?" if near else ""

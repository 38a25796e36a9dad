"""What the `search` command's options take: numbers in one word, photos, and what the shell completes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from query.command_line import bundle_folder
from query.completion import escaped


class Numbers(click.ParamType[tuple[float, ...]]):
    """Finite numbers with commas between them, one for each of `names`."""

    name = "numbers"

    def __init__(self, *names: str) -> None:
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return value
        wanted = f"takes {len(self._names)} numbers, {','.join(self._names)}, with commas between them"
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r}: {wanted}", param, ctx)
        if len(numbers) != len(self._names) or not all(abs(number) < float("inf") for number in numbers):
            self.fail(f"{value!r}: {wanted}", param, ctx)
        return numbers


class Fractions(Numbers):
    """A box: left, top, right and bottom as fractions of the upright photo."""

    name = "box"

    def __init__(self) -> None:
        super().__init__("left", "top", "right", "bottom")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        box = super().convert(value, param, ctx)
        left, top, right, bottom = box
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            self.fail(f"{value!r}: left, top, right, bottom are fractions from 0 to 1, in this order", param, ctx)
        return box


class Shares(Numbers):
    """Weights of the parts of a score, brought to a sum of 1."""

    name = "weights"

    def __init__(self) -> None:
        super().__init__("semantic", "texture", "color")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        weights = super().convert(value, param, ctx)
        whole = sum(weights)
        if min(weights) < 0 or not 0 < whole < float("inf"):
            self.fail(f"{value!r}: no weight may be under 0, and one must be over it", param, ctx)
        return tuple(weight / whole for weight in weights)


class PhotoPath(click.Path):
    """A photo, a folder, or `-`; an empty name, as an unset shell variable gives, would mean the current folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and not value.strip():
            self.fail("is empty; name a photo", param, ctx)
        return super().convert(value, param, ctx)


def complete_category(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """The bundle's categories that begin so."""
    return _complete(context, "category", begun)


def complete_brand(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """The bundle's brands that begin so."""
    return _complete(context, "brand", begun)


def _complete(context: click.Context, key: str, begun: str) -> list[CompletionItem[str]]:
    values = sorted({str(item[key]) for item in _items(context) if item.get(key)})
    return [CompletionItem(escaped(value)) for value in values if value.casefold().startswith(begun.casefold())]


def _items(context: click.Context) -> Sequence[dict[str, Any]]:
    """The catalogue of the bundle that is meant, unchecked: only its words are offered, nothing is searched."""
    folder = bundle_folder(context.params.get("bundle"), context.params.get("home"))
    try:
        items = json.loads((folder / "catalog.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []  # a shell that completes has no place for an error: the command itself tells it
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []

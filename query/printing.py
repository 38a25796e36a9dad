"""What a search prints, photo by photo: tables, JSON, or a line of JSON each."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import click

from catalog.errors import ImageError
from catalog.vision.boxes import Box
from query.command_line import printable
from query.explain import Explanation
from query.plain_values import as_dict, text_as_dict
from query.results import SearchResult
from query.text_search import TextResult


@dataclass(frozen=True)
class Answer:
    """A search's result and what was asked for beside it."""

    result: SearchResult | TextResult
    photo: str | None = None  # None for words or a product
    picture: Path | None = None  # of the results, where one was saved
    explanation: Explanation | None = None
    things: tuple[Box, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        found = as_dict(self.result) if isinstance(self.result, SearchResult) else text_as_dict(self.result)
        return {
            "photo": self.photo,
            **found,
            **({"things": [list(box) for box in self.things]} if self.things is not None else {}),
            **({"explanation": asdict(self.explanation)} if self.explanation else {}),
            **({"picture": str(self.picture)} if self.picture else {}),
        }


class Printer(Protocol):
    """Prints answers as they come."""

    def answer(self, answer: Answer) -> None:
        """Print one."""

    def problem(self, photo: str, error: ImageError) -> None:
        """Tell of a photo that couldn't be searched with."""

    def end(self) -> None:
        """Print what comes after the last."""


class Tables:
    """Tables for a person; problems go to standard error."""

    def __init__(self, photos: int, *, several: bool) -> None:
        """`photos` will come, each with a heading where there may be `several`."""
        self._photos, self._several, self._place = photos, several, 0

    def answer(self, answer: Answer) -> None:
        """Print one."""
        from query.report import print_heading, print_result, print_text_result, print_things

        self._place += 1
        if self._several:
            print_heading(str(answer.photo), self._place, self._photos)
        if isinstance(answer.result, TextResult):
            print_text_result(answer.result, answer.picture)
        else:
            print_result(answer.result, answer.picture)
        if answer.things is not None:
            print_things(answer.things)
        if answer.explanation:
            from query.explain_report import print_explanation

            print_explanation(answer.explanation)

    def problem(self, photo: str, error: ImageError) -> None:
        """Tell of a photo that couldn't be searched with."""
        self._place += 1
        _tell(photo, error)

    def end(self) -> None:
        """Nothing comes after the last table."""


class Json:
    """One JSON value: an answer, or a list where there may be several photos, in which a problem is an entry too."""

    def __init__(self, *, several: bool) -> None:
        self._several, self._between = several, "[\n"

    def answer(self, answer: Answer) -> None:
        """Print one."""
        self._print(answer.as_dict())

    def problem(self, photo: str, error: ImageError) -> None:
        """Tell of a photo that couldn't be searched with."""
        if self._several:
            self._print(_problem(photo, error))
        else:
            _tell(photo, error)

    def end(self) -> None:
        """Close the list."""
        if self._several:
            click.echo("[]" if self._between == "[\n" else "\n]")

    def _print(self, values: Mapping[str, Any]) -> None:
        text = json.dumps(values, ensure_ascii=False, indent=1)
        if not self._several:
            click.echo(text)
            return
        click.echo(f"{self._between}{text}", nl=False)
        self._between = ",\n"


class JsonLines:
    """One compact line a photo, a problem's too: printed and flushed as soon as it is known."""

    def answer(self, answer: Answer) -> None:
        """Print one."""
        click.echo(_line(answer.as_dict()))

    def problem(self, photo: str, error: ImageError) -> None:
        """Tell of a photo that couldn't be searched with."""
        click.echo(_line(_problem(photo, error)))

    def end(self) -> None:
        """Nothing comes after the last line."""


def _problem(photo: str, error: ImageError) -> dict[str, Any]:
    return {"photo": photo, "error": str(error), "reason": error.reason}


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))


def _tell(photo: str, error: ImageError) -> None:
    click.echo(f"lookbook: {printable(f'{photo}: {error}')}", err=True)

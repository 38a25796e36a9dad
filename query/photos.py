"""Which photos a command's arguments mean, and their bytes. How a photo is decoded and searched is not decided here."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from catalog.errors import ImageError
from catalog.records import Reason
from catalog.vision.decoding import FORMAT_EXTENSIONS
from query.command_line import printable

STANDARD_INPUT = Path("-")
PICTURE_EXTENSIONS = frozenset().union(*FORMAT_EXTENSIONS.values())


@dataclass(frozen=True)
class QueryPhoto:
    """A photo that is asked about: a file, or what standard input gives."""

    path: Path
    picture: Path  # where its picture of results belongs, among those of other photos

    @property
    def name(self) -> str:
        """What it is called in answers; bytes that are no UTF-8 are shown as such."""
        return os.fsencode(self.path).decode("utf-8", "replace")

    def read(self, max_bytes: int) -> bytes:
        """Its bytes; of what holds more than `max_bytes` one more, for the decoder to turn away.

        Raises: ImageError when it can't be read.
        """
        try:
            if self.path == STANDARD_INPUT:
                return sys.stdin.buffer.read(max_bytes + 1)
            with self.path.open("rb") as file:
                return file.read(max_bytes + 1)
        except OSError as error:
            raise ImageError(Reason.IMAGE_NOT_FOUND, f"can't be read ({error.strerror})") from error


def are_several(arguments: Sequence[Path]) -> bool:
    """May these arguments mean more than one photo? It is what was named that counts, not what is there."""
    return len(arguments) > 1 or any(path.is_dir() for path in arguments)


def find_photos(arguments: Sequence[Path]) -> tuple[list[QueryPhoto], list[Path]]:
    """The photos that are meant, folders walked in order of their names; and the files of folders that are no pictures.

    A file that was named is a photo whatever it is called; in a folder its name tells. Hidden files and folders and
    links to folders are passed by.
    """
    found, others = [], []
    for argument in arguments:
        if not argument.is_dir():
            found.append((argument, Path("standard-input" if argument == STANDARD_INPUT else argument.name)))
            continue
        for path in _files(argument):
            if path.suffix.lower() in PICTURE_EXTENSIONS:
                found.append((path, path.relative_to(argument)))
            else:
                others.append(path)
    taken: set[Path] = set()
    return [QueryPhoto(path, _picture(inside, taken)) for path, inside in found], others


def _picture(inside: Path, taken: set[Path]) -> Path:
    """A name that no photo before has, and that a terminal may show: two folders may hold photos of one name."""
    inside = Path(*(" ".join(printable(part).split()) for part in inside.parts))
    numbers = (inside.with_name(f"{inside.name}{f'-{number}' if number > 1 else ''}.png") for number in count(1))
    name = next(name for name in numbers if name not in taken)
    taken.add(name)
    return name


def _files(folder: Path) -> list[Path]:
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(path for path in found if path.is_file())

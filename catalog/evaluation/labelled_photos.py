"""Photos whose answers are known: the rows of a data folder's manifest.csv. What is asked of them is in `protocols`."""

import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from catalog.errors import FormatError
from catalog.evaluation import csv_tables

MANIFEST = "manifest.csv"
NEEDED = ("path", "source", "category", "role")  # columns; of the others, one that is missing is empty


@dataclass(frozen=True, kw_only=True)
class Photo:
    """One photo and all that its label says; "" where it says nothing."""

    name: str  # its path as the manifest has it: what it is called in every report
    file: Path
    source: str = ""
    tasks: tuple[str, ...] = ()
    split: str = ""
    role: str = ""
    category: str = ""
    product_id: str = ""  # never "": a photo without one is a product of its own
    variant: str = ""
    color: str = ""
    pattern: str = ""
    sender_id: str = ""
    mask: Path | None = None  # of labels or exact, as its source has it
    notes: str = ""
    repeats: bool = False  # an earlier row names the same file: the photo was counted there


def read_manifest(folder: Path) -> list[Photo]:
    """The rows of `folder`/manifest.csv, in their order. Whether the photos are there is not looked at.

    Raises: FormatError, no such file, no table with the columns that are needed, or a row whose path is missing
        or leaves the folder.
    """
    path = folder / MANIFEST
    photos: list[Photo] = []
    names: set[str] = set()
    wanted = f"name the folder that holds the photos and their {MANIFEST}, a row a photo"
    for where, row in csv_tables.read_rows(path, NEEDED, wanted):
        photo = _photo(folder, row, where)
        photos.append(replace(photo, repeats=photo.name in names))
        names.add(photo.name)
    return photos


def _photo(folder: Path, row: dict[str, str | None], where: str) -> Photo:
    def cell(column: str) -> str:
        return one_spelling((row.get(column) or "").strip())

    name, mask = (inside((row.get(column) or "").strip(), where) for column in ("path", "mask_path"))
    if not name:
        raise FormatError(f"{where}: has no path; every row names a photo")
    return Photo(
        name=name,
        file=folder / name,
        source=cell("source"),
        tasks=tuple(task.strip() for task in cell("task").split(";")),
        split=cell("split"),
        role=cell("role").lower(),
        category=cell("category"),
        product_id=cell("product_id") or one_spelling(name),
        variant=cell("variant_id"),
        color=cell("colour"),
        pattern=cell("pattern"),
        sender_id=cell("sender_id"),
        mask=folder / mask if mask else None,
        notes=cell("notes"),
    )


def one_spelling(text: str) -> str:
    """A label in one of the two ways in which Unicode writes an accent (NFC): both are the same label."""
    return unicodedata.normalize("NFC", text)


def inside(path: str, where: str, whose: str = "the manifest's") -> str:
    """A path below a folder, "./a.jpg" as "a.jpg"; "" for none. Raises: FormatError, it leads out of the folder."""
    if "\0" in path or PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
        raise FormatError(f"{where}: {path!r} leaves {whose} folder; name a path below it")
    return PurePosixPath(path).as_posix() if path else ""

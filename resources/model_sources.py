"""What a source has of a model, and folders as a source. Hubs and web addresses: `resources.hub`."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class OfferedFile:
    """One file as its source tells of it before it is fetched."""

    size_bytes: int | None  # None where the source doesn't tell
    sha256: str  # "" where the source doesn't tell
    fetch: Callable[[Path], None]  # writes the whole file, or raises; what it leaves at the path it can go on with


@dataclass(frozen=True)
class Offer:
    """All files that a source has of a model."""

    where: str  # as told to the user; no secret in it
    revision: str  # the commit that the files are of; "" where the source doesn't tell
    state: str  # what a part fetched earlier must have been part of; "" for a source that can't be gone on with
    files: Mapping[str, OfferedFile]


def repository(row: ModelDescription) -> str:
    """The hub repository of a row, "owner/name"; "" for a row of another source."""
    kind, _, rest = row.source.partition(":")
    return rest if kind == "hub" else ""


def file_names(row: ModelDescription) -> tuple[str, ...]:
    """The files of a row, as `ModelDescription.files` has them; of a web address the one that it names."""
    return row.files or (PurePosixPath(row.source).name,)


def find_folder(folder: Path, row: ModelDescription, *, alone: bool) -> Path:
    """Where in `folder` a model's files lie: under the model's name, its repository's, or, `alone`, right there.

    A lone file of a web address may be right there in any case, or, `alone`, be what is named.

    Raises: ModelError that names the places looked at.
    """
    repo = repository(row)
    names = [row.name, *([repo.rpartition("/")[2], repo] if repo else [])]
    names = list(dict.fromkeys(names))
    places = [place for name in names if (place := folder / name).is_dir()]
    single = folder / file_names(row)[0]
    if places:
        return places[0]
    if single.is_file() and (alone or not repo):
        return folder if repo else single
    if alone and folder.exists():
        return folder
    raise ModelError(
        f"{folder}: model {row.name} is not there, neither in {' nor in '.join(f'{name}/' for name in names)}; "
        f"put its files there ({', '.join(file_names(row))}), or: lookbook models import {row.name} FILE_OR_FOLDER"
    )


def offer_of_path(path: Path, row: ModelDescription) -> Offer:
    """A local file or folder as the source of a model; a lone file is taken whatever it is called.

    Raises: ModelError when there is nothing, or a file where the row wants a folder.
    """
    if path.is_file():
        if repository(row):
            names = ", ".join(file_names(row))
            raise ModelError(f"{path}: is a file, but model {row.name} is a folder of {names}; name the folder")
        found = {file_names(row)[0]: path}
    elif path.is_dir():
        found = {entry.name: entry for entry in sorted(path.iterdir()) if entry.is_file()}
        onnx = [name for name in found if name.endswith(".onnx")]
        if not repository(row) and file_names(row)[0] not in found and len(onnx) == 1:
            found = {file_names(row)[0]: found[onnx[0]]}
    else:
        raise ModelError(f"{path}: there is no such file or folder")
    files = {name: OfferedFile(entry.stat().st_size, "", partial(_copy, entry)) for name, entry in found.items()}
    return Offer(str(path), _revision_of(path), "", files)


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _revision_of(folder: Path) -> str:
    """The commit of a folder that the hub's own tools made: in its cache, or by `hf download --local-dir`."""
    if folder.parent.name == "snapshots" and COMMIT.fullmatch(folder.name):
        return folder.name
    told = set()
    for file in (folder / ".cache" / "huggingface" / "download").glob("*.metadata"):
        first = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
        told.add(first if COMMIT.fullmatch(first) else "")
    return told.pop() if len(told) == 1 else ""

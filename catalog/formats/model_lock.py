"""models/lock.toml: what was found at the first pull of each model, and is held to ever after.

Layout, version 1 (TOML):

    version = 1
    [models.<name>]
    source = "hub:<repository>"      as the row said
    revision = "<commit>"            of a hub repository; absent for one file, and for a folder that doesn't say
    resample = "bilinear"            what the checkpoint's own preprocessing says; absent where it says none
    [models.<name>.files."<file>"]
    sha256 = "<64 hex digits>"
    size_bytes = 123
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import ModelError
from catalog.formats import atomic, digests

VERSION = 1

FileName = Annotated[str, Field(pattern=r"^\w[\w.+-]*$")]  # never a path that leads out of the checkpoint's folder


class LockedFile(BaseModel):
    """One file of a checkpoint, to the byte."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(ge=0)]


class LockedModel(BaseModel):
    """A model as it was first pulled."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    source: str
    revision: str = ""
    resample: str = ""
    files: Annotated[dict[FileName, LockedFile], Field(min_length=1)]

    @property
    def sha256(self) -> str:
        """One digest for the whole checkpoint: a lone file's own, else that of all names and digests."""
        if len(self.files) == 1:
            return next(iter(self.files.values())).sha256
        return digests.of_values({name: file.sha256 for name, file in sorted(self.files.items())})

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in self.files.values())


class _Lock(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    version: Literal[1]
    models: dict[str, LockedModel] = {}


def read(path: Path) -> dict[str, LockedModel]:
    """What was recorded, by model; {} where nothing was pulled yet.

    Raises: ModelError when the file is damaged: what it trusts must not be guessed.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        version = tables.get("version")
        if isinstance(version, int) and version > VERSION:
            raise ModelError(f"{path}: version {version}, this Lookbook knows {VERSION}; use the one that wrote it")
        return _Lock.model_validate(tables).models
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{path}: not a lock of models as Lookbook writes it ({_first_problem(error)}); restore it, or delete it, "
            "pull again and trust anew"
        ) from error


def write(path: Path, models: Mapping[str, LockedModel]) -> None:
    """Write all of them, by name, whole or not at all; same models, same bytes."""
    document = tomlkit.document()
    document.add(tomlkit.comment("What each model was when it was first pulled; every later use is held to it."))
    document.add("version", tomlkit.item(VERSION))
    document.add(
        "models", tomlkit.item({name: models[name].model_dump(exclude_defaults=True) for name in sorted(models)})
    )
    atomic.write_text(path, tomlkit.dumps(document))


def _first_problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    problem = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"

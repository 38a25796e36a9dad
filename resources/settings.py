"""A home's own choices, kept in its lookbook.toml: profile, feed, when it is refreshed, what a refresh may change."""

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import BaseModel, ConfigDict, ValidationError
from tomlkit.exceptions import TOMLKitError

from catalog.errors import ProfileError
from catalog.formats import atomic
from catalog.profiles import first_problem

SAMPLE_FEED = "sample"


class RefreshSettings(BaseModel):
    """[refresh]: when the home is refreshed by itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(BaseModel):
    """[limits]: how much a refresh may change before it stops, or warns."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Settings:
    """What a home has chosen; the defaults build the drawn sample shop with the embedded models."""

    profile: str = "embedded"  # a name under resources/profiles/, or a path to a .toml
    feed: str = SAMPLE_FEED  # "sample", or a path to a feed description, file or folder
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    limits: Limits = field(default_factory=Limits)


CHOICES = ("profile", "feed")
TABLES: dict[str, type[BaseModel]] = {"refresh": RefreshSettings, "limits": Limits}


def load_settings(path: Path) -> Settings:
    """Read a home's lookbook.toml; without one, the defaults. Relative paths are relative to the file.

    Raises: ProfileError, broken TOML, an unknown key or a value that can't be.
    """
    if not path.exists():
        return Settings()
    try:
        values = tomlkit.parse(path.read_text(encoding="utf-8-sig")).unwrap()
    except OSError as error:
        raise ProfileError(f"{path}: can't be read ({error.strerror})") from error
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ProfileError(f"{path}: not TOML: {error}") from error
    return Settings(**{key: _checked(path, key, value) for key, value in values.items()})


def _checked(path: Path, key: str, value: Any) -> Any:
    if key in TABLES:
        try:
            return TABLES[key].model_validate(value)
        except ValidationError as error:
            raise ProfileError(f"{path}: [{key}] {first_problem(error, TABLES[key])}") from error
    if key not in CHOICES:
        known = [*CHOICES, *TABLES]
        close = difflib.get_close_matches(key, known, 1)
        raise ProfileError(f"{path}: unknown key {key!r}; known: {', '.join(close or known)}")
    if not isinstance(value, str) or not value.strip():
        raise ProfileError(f'{path}: {key} must be text, such as {key} = "{getattr(Settings, key)}"')
    return value


def save_settings(path: Path, settings: Settings) -> None:
    """Write a home's profile and feed, leaving its tables and comments as they are."""
    document = tomlkit.parse(path.read_text(encoding="utf-8-sig")) if path.exists() else tomlkit.document()
    for key in CHOICES:
        document[key] = getattr(settings, key)
    atomic.write_text(path, tomlkit.dumps(document))

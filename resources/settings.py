"""A home's own choices, kept in its lookbook.toml: which profile it builds with and which feed it reads."""

import difflib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from catalog.errors import ProfileError
from catalog.formats import atomic

SAMPLE_FEED = "sample"


@dataclass(frozen=True)
class Settings:
    """What a home has chosen; the defaults build the drawn sample shop with the embedded models."""

    profile: str = "embedded"  # a name under resources/profiles/, or a path to a .toml
    feed: str = SAMPLE_FEED  # "sample", or a path to a feed description, file or folder


def load_settings(path: Path) -> Settings:
    """Read a home's lookbook.toml; without one, the defaults. Relative paths are relative to the file.

    Raises: ProfileError, broken TOML, an unknown key or a value that is not text.
    """
    if not path.exists():
        return Settings()
    try:
        values = tomlkit.parse(path.read_text(encoding="utf-8-sig")).unwrap()
    except OSError as error:
        raise ProfileError(f"{path}: can't be read ({error.strerror})") from error
    except (TOMLKitError, ValueError, RecursionError) as error:
        raise ProfileError(f"{path}: not TOML: {error}") from error
    known = [field.name for field in fields(Settings)]
    for key, value in values.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            raise ProfileError(f"{path}: unknown key {key!r}; known: {', '.join(close or known)}")
        if not isinstance(value, str) or not value.strip():
            raise ProfileError(f'{path}: {key} must be text, such as {key} = "{getattr(Settings, key)}"')
    return Settings(**values)


def save_settings(path: Path, settings: Settings) -> None:
    """Write a home's choices, leaving the file's comments as they are."""
    document = tomlkit.parse(path.read_text(encoding="utf-8-sig")) if path.exists() else tomlkit.document()
    for key, value in asdict(settings).items():
        document[key] = value
    atomic.write_text(path, tomlkit.dumps(document))

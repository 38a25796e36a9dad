"""A home's own choices, kept in its lookbook.toml: profile, feed, when it is refreshed, what a refresh may change."""

import difflib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from tomlkit.exceptions import TOMLKitError

from catalog.errors import ProfileError
from catalog.formats import atomic
from catalog.profiles import Share, first_problem

SAMPLE_FEED = "sample"
Factor = Annotated[float, Field(gt=1)]


class RefreshSettings(BaseModel):
    """[refresh]: when the home is refreshed by itself. docs/operations.md has the keys for the shop's engineer."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    cron: str | None = None  # when the schedule runs; None: it is there, switched off
    time_zone: str = "UTC"  # of `cron`, an IANA name
    watch_feed: bool = False  # refresh when the feed's content changes
    watch_every_s: int = Field(default=30, ge=1, le=86_400)  # a change is read once it was the same for as long
    automation: bool = False  # carry on what somebody materialised or changed, without waiting for the schedule
    fresh_hours: float = Field(default=26.0, gt=0)  # how old the feed in the bundle may be before that is a failure
    ui_url: str | None = None  # where people open Dagster; reports link there. None: where `lookbook dev` listens

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str | None) -> str | None:
        if value is None:
            return value
        # here: what only reads settings loads no Dagster
        from dagster._vendored.croniter import croniter
        from dagster._vendored.croniter.croniter import CroniterBadDateError

        if len(value.split()) != 5 or not croniter.is_valid(value):
            raise ValueError('must be five cron fields, such as "30 2 * * *" for half past two every night')
        try:
            croniter(value).get_next()
        except CroniterBadDateError as error:
            raise ValueError("names a day that never comes, so nothing would ever run") from error
        return value

    @field_validator("time_zone")
    @classmethod
    def _is_time_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError('must be an IANA time zone, such as "Europe/Berlin"') from error
        return value

    @field_validator("ui_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        with suppress(ValueError):  # as of "http://["
            parts = urlsplit(value)
            if parts.scheme in ("http", "https") and parts.hostname:
                return value
        raise ValueError('must be an http or https address, such as "https://lookbook.example"')


class StorageSettings(BaseModel):
    """[storage]: where Dagster keeps runs and events."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    postgres: bool = False  # in the database that LOOKBOOK_POSTGRES_URL names; else SQLite in the home


class Limits(BaseModel):
    """[limits]: how much a refresh may change, against the published bundle, before it stops, or warns."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    # Beyond these the refresh stops, and nothing is published.
    most_dropped: Share = 0.3  # of the published products
    most_growth: Factor = 5.0  # times as many products, or photos
    # Beyond these a check warns.
    most_category_change: Share = 0.5  # of a category's products, as published or as they are now, whichever is more
    price_factor: Factor = 2.0  # a price has jumped when it is this many times what it was, or less than 1 / this
    most_price_jumps: Share = 0.05  # of the products that are priced in both
    most_missing_photos: Share = 0.1  # of the photos that the feed names
    most_duplicates: Share = 0.05  # of the products: those with a photo that another product has too, or nearly
    most_moved_vectors: Share = 0.001  # of the photos that stayed the same
    most_embedding_drift: Annotated[float, Field(gt=0)] = 1.0  # 1 is what chance reaches one time in a thousand


@dataclass(frozen=True)
class Settings:
    """What a home has chosen; the defaults build the drawn sample shop with the embedded models."""

    profile: str = "embedded"  # a name under resources/profiles/, or a path to a .toml
    feed: str = SAMPLE_FEED  # "sample", or a path to a feed description, file or folder
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    limits: Limits = field(default_factory=Limits)
    storage: StorageSettings = field(default_factory=StorageSettings)


CHOICES = ("profile", "feed")
TABLES: dict[str, type[BaseModel]] = {"refresh": RefreshSettings, "limits": Limits, "storage": StorageSettings}


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


def lost_its_feed(path: Path) -> bool:
    """Is there a lookbook.toml that names no feed, though every build writes it there? Raises: as `load_settings`."""
    load_settings(path)
    return path.exists() and "feed" not in tomlkit.parse(path.read_text(encoding="utf-8-sig"))


def _checked(path: Path, key: str, value: Any) -> Any:
    if key in TABLES:
        if not isinstance(value, dict):
            raise ProfileError(f"{path}: {key} must be a table, [{key}]")
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

"""history.json beside a home's bundles: which version was made current when, and by what. Written whole, by rename.

JSON, UTF-8:

    format           "lookbook-bundle-history"
    format_version   1
    held             true: builds keep their bundle beside, `current` stays as it is
    events           oldest first: {"at": UTC, "what": one of WHAT, "version": ..., "replaced": the one before, or null}

The link `current` is what counts; this says how it came there. A process that is killed between the two leaves an event
out, which `History.seen` puts in again.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalog.errors import BundleError
from catalog.formats import atomic

NAME, FORMAT, FORMAT_VERSION = "history.json", "lookbook-bundle-history", 1
PUBLISHED, KEPT, ROLLED_BACK, RELEASED = "published", "kept", "rolled_back", "released"
WHAT = (PUBLISHED, KEPT, ROLLED_BACK, RELEASED)  # KEPT: built while held, so it did not become current
MOST_EVENTS = 500  # the oldest are forgotten
AT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Event:
    """One thing that happened to a version."""

    at: str  # UTC, as AT
    what: str
    version: str
    replaced: str | None = None


@dataclass(frozen=True)
class History:
    """All that is on record, oldest first."""

    events: tuple[Event, ...] = ()
    held: bool = False

    def with_event(self, at: datetime, what: str, version: str, replaced: str | None = None) -> "History":
        """This history and one thing more."""
        event = Event(at.astimezone(UTC).strftime(AT), what, version, replaced)
        return replace(self, events=(*self.events, event))

    def seen(self, current: str | None, since: datetime) -> "History":
        """This history, and that `current` became so at `since`, where it does not tell."""
        line = self.line()
        if current is None or (line and line[-1] == current):
            return self
        return self.with_event(since, PUBLISHED, current, line[-1] if line else None)

    def line(self) -> list[str]:
        """The versions that led to the current one, which is last. What was rolled back from is not among them."""
        line: list[str] = []
        for event in self.events:
            if event.what == KEPT:
                continue
            if event.version in line:
                del line[line.index(event.version) + 1 :]
            else:
                line.append(event.version)
        return line

    def previous(self, there: Collection[str]) -> str | None:
        """The version before the current one, of those that are still there."""
        before = [version for version in self.line()[:-1] if version in there]
        return before[-1] if before else None

    def waiting(self, there: Collection[str]) -> str | None:
        """The newest version that a hold kept from becoming current; None once that was rolled to by its name."""
        if not self.held:
            return None
        tried = set()
        for event in reversed(self.events):
            if event.what == ROLLED_BACK:
                tried.add(event.version)
            elif event.what != KEPT:
                return None
            elif event.version in there:
                return None if event.version in tried else event.version
        return None

    def last_of(self) -> dict[str, int]:
        """The place of each version's last event: which of two was built or made current later."""
        return {event.version: place for place, event in enumerate(self.events)}

    def built_at(self, version: str) -> str | None:
        """When a build first published a version, or kept it; None where that is not on record."""
        return next((event.at for event in self.events if event.version == version), None)


def read(folder: Path) -> History:
    """Read the history beside the bundles in `folder`; an empty one where there is none.

    Raises: BundleError, a file that is not what this module writes.
    """
    path = folder / NAME
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return History()
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(f"{path}: can't be read ({error}); {_mend(path)}") from error
    if not isinstance(values, dict) or (values.get("format"), values.get("format_version")) != (FORMAT, FORMAT_VERSION):
        raise BundleError(f"{path}: not a bundle history of version {FORMAT_VERSION}; {_mend(path)}")
    held, events = values.get("held"), values.get("events")
    if not isinstance(held, bool) or not isinstance(events, list) or not all(map(_is_event, events)):
        raise BundleError(f"{path}: `held` or an event is missing or damaged; {_mend(path)}")
    return History(tuple(Event(**event) for event in events), held)


def write(folder: Path, history: History) -> None:
    """Put a history in place of the one that stands, its oldest events forgotten."""
    values = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "held": history.held,
        "events": [asdict(event) for event in history.events[-MOST_EVENTS:]],
    }
    atomic.write_text(folder / NAME, json.dumps(values, indent=1) + "\n")


def _is_event(values: Any) -> bool:
    if not isinstance(values, Mapping) or set(values) != {"at", "what", "version", "replaced"}:
        return False
    if not isinstance(values["replaced"], str | None) or values["what"] not in WHAT:
        return False
    return isinstance(values["at"], str) and isinstance(values["version"], str)


def _mend(path: Path) -> str:
    return f"delete {path.name}: no bundle is lost, only the record of when each was published and whether one is held"

"""What makes a version current: publishing a build, rolling back, releasing a hold. Each is one rename of one link.

Whoever opens `current` follows it once and sees the version before or the one after, never a mix. A process killed at
any point leaves a link to a whole version; what else it left is cleared away, or put right, by the next publish.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from catalog.errors import LookbookError
from catalog.formats import atomic, bundle_history, bundle_lease, digests, manifest
from catalog.formats.bundle_history import KEPT, PUBLISHED, RELEASED, ROLLED_BACK, History
from catalog.formats.signatures import Trust
from query.verification import verify
from resources.bundle_building import Building
from resources.bundle_store import BundleStore

DROPPED, NEXT_LINK = ".dropped-", ".current.part"
LOCK_WAIT_S = 60.0  # the lock is held for renames only, and while old versions are removed


@dataclass(frozen=True)
class Publication:
    """What came of a publish, a rollback or a release."""

    folder: Path  # of the version
    version: str
    before: str | None  # the version that was current
    current: bool  # is it current now? not where the home is held
    left_rollback: bool = False  # did it take the place of a version that had been rolled back to?


def publish(store: BundleStore, building: Building, version: str, keep: int) -> Publication:
    """Make a finished, verified bundle the current one, and drop all but the last `keep` versions.

    While the home is held it is kept beside instead. A version that is there already has the same content: its files
    that are missing or damaged are put right one by one, each by a rename.
    Raises: BundleError, a damaged history: before anything was changed.
    """
    building.flush()
    with _locked(store):
        history = store.history()
        before = store.current_version()
        _clear_away(store)
        _place(building, store.folder(version))
        kept = history.held and version != before and store.current.exists()  # without a current one: nothing to hold
        left_rollback = False
        if kept:
            history = history.with_event(datetime.now(UTC), KEPT, version)
        elif version != before:
            left_rollback = bool(history.events) and history.events[-1].what == ROLLED_BACK
            _point(store, version)
            history = replace(history, held=False).with_event(datetime.now(UTC), PUBLISHED, version, before)
        bundle_history.write(store.root, history)
        _prune(store, history, keep, version)
    return Publication(store.folder(version), version, before, current=not kept, left_rollback=left_rollback)


def roll_back(store: BundleStore, trust: Trust, named: str | None = None, *, hold: bool = False) -> Publication:
    """Make the version before the current one, or the named one, current again, after verifying every byte of it.

    With `hold`, builds keep their bundles beside until `release`.
    Raises: LookbookError, no such version; BundleError, it is damaged or is not signed as it must be.
    """
    before, history = store.current_version(), store.history()
    version = _target(store, history, named)
    engine = verify(store.folder(version), trust)  # it holds the version, so that no build drops it meanwhile
    with _locked(store):
        if store.current_version() != before:
            raise LookbookError(
                f"{store.root}: {store.current_version()} became current in the meantime; see `lookbook bundle list`, "
                "and roll back again if you still want to"
            )
        history = store.history()
        if version != before:
            _point(store, version)
            history = history.with_event(datetime.now(UTC), ROLLED_BACK, version, before)
        bundle_history.write(store.root, replace(history, held=history.held or hold))
    del engine
    return Publication(store.folder(version), version, before, current=True)


def release(store: BundleStore, trust: Trust) -> Publication | None:
    """End a hold: make the newest bundle that was kept beside current, after verifying it; None where none was.

    Raises: LookbookError, nothing is held; BundleError, the kept bundle is damaged: the hold stays.
    """
    history = store.history()
    if not history.held:
        raise LookbookError(f"{store.root}: nothing is held; builds publish by themselves")
    before, version = store.current_version(), history.waiting(store.versions())
    engine = verify(store.folder(version), trust) if version is not None else None
    with _locked(store):
        history = replace(store.history(), held=False)
        if version is not None:
            _point(store, version)
            history = history.with_event(datetime.now(UTC), RELEASED, version, before)
        bundle_history.write(store.root, history)
    del engine
    return None if version is None else Publication(store.folder(version), version, before, current=True)


def _target(store: BundleStore, history: History, named: str | None) -> str:
    if named is not None:
        folder = store.find(named)
        if folder.parent != store.folder(folder.name).parent:
            raise LookbookError(f"{named}: no version of {store.root}; there are {', '.join(store.versions())}")
        return folder.name
    if not store.versions():
        raise LookbookError(f"{store.root}: no bundle yet; `lookbook build` makes one")
    version = history.previous(store.versions())
    if version is None:
        raise LookbookError(
            f"{store.root}: no version before the current one is on record; name one of "
            f"{', '.join(store.versions())} (versions_kept in the profile's [bundle] says how many are kept)"
        )
    return version


@contextmanager
def _locked(store: BundleStore) -> Iterator[None]:
    store.root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(store.root / ".publish.lock", timeout=LOCK_WAIT_S):
            yield
    except Timeout as error:
        raise LookbookError(
            f"{store.root}: another process has been publishing or rolling back for {LOCK_WAIT_S:.0f} s; wait for it"
        ) from error


def _place(building: Building, target: Path) -> None:
    """Move a built bundle to its version's folder, or put right what is wrong with the one that is there."""
    target.parent.mkdir(exist_ok=True)
    if not target.exists():
        building.folder.rename(target)
        return
    named = [*manifest.read_description(building.folder)["files"], manifest.NAME, manifest.SIGNATURE]
    for name in named:
        made, standing = building.folder / name, target / name
        if not made.exists():
            continue  # manifest.sig, of a bundle that is not signed
        if not (standing.is_file() and digests.of_file(standing) == building.digests.of(made)):
            standing.parent.mkdir(parents=True, exist_ok=True)
            made.replace(standing)


def _point(store: BundleStore, version: str) -> None:
    """The one rename."""
    link = store.root / NEXT_LINK
    link.unlink(missing_ok=True)
    link.symlink_to(Path("versions", version), target_is_directory=True)
    link.replace(store.current)
    atomic.flush(store.root)


def superfluous(store: BundleStore, history: History, keep: int, built: str | None = None) -> list[str]:
    """The versions that were current, or kept, the longest ago: all but `keep`, the current one, the one that a
    rollback would take (unless only one is to be kept), the one that a release would take, and the one just built.
    """
    there = store.versions()
    last = history.last_of()
    newest = sorted(there, key=lambda name: (last.get(name, -1), store.folder(name).stat().st_mtime), reverse=True)
    previous = history.previous(there) if keep > 1 else None
    always = {store.current_version(), built, history.waiting(there), previous}
    room = max(0, keep - sum(name in always for name in newest))
    return [name for name in newest if name not in always][room:]


def drop_superfluous(store: BundleStore, keep: int) -> None:
    """Drop what a reader had open when a newer version was published, and what killed processes left."""
    with _locked(store):
        _prune(store, store.history(), keep)
        shutil.rmtree(store.building, ignore_errors=True)


def _prune(store: BundleStore, history: History, keep: int, built: str | None = None) -> None:
    """Drop the superfluous versions, but for those that a reader has open."""
    for name in superfluous(store, history, keep, built):
        with bundle_lease.alone(store.folder(name)) as free:
            if free:  # renamed first: nobody may find half a version under its name
                store.folder(name).rename(store.root / f"{DROPPED}{name}")
    _clear_away(store)


def _clear_away(store: BundleStore) -> None:
    """Remove what dropped versions, and processes that were killed, left beside the versions."""
    for folder in store.root.glob(f"{DROPPED}*"):
        shutil.rmtree(folder)
    for file in (store.root / NEXT_LINK, *store.root.glob(f".{bundle_history.NAME}.*.part")):
        file.unlink(missing_ok=True)

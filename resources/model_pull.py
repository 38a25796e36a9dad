"""Bring a model's files into a home: fetched aside, held to lock and row, then put in place whole, or not at all."""

import errno
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from catalog.errors import ModelError
from catalog.formats import digests, model_lock
from catalog.formats.model_lock import LockedFile, LockedModel
from catalog.model_descriptions import ModelDescription
from resources.checkpoint_checks import check_checkpoint
from resources.model_sources import Offer, OfferedFile, file_names
from resources.model_store import ModelStore

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".h5", ".msgpack")
WEIGHTS = (".safetensors", ".onnx")
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What will be fetched of one model, and what it will be held to."""

    row: ModelDescription
    offer: Offer
    files: Mapping[str, OfferedFile]
    locked: LockedModel | None  # None at a first pull

    @property
    def size_bytes(self) -> int:
        """Of all files, as far as their source tells; the row's own figure where it doesn't."""
        sizes = [file.size_bytes for file in self.files.values()]
        return self.row.size_bytes if None in sizes else sum(size or 0 for size in sizes)


@contextmanager
def alone(store: ModelStore) -> Iterator[None]:
    """Hold the lock of a home's models, which the system takes back from a killed process.

    Raises: ModelError when another command holds it.
    """
    root = Path(store.root)
    root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(root / ".pull.lock", timeout=0):
            yield
    except Timeout as error:
        raise ModelError(
            f"{root}: another `lookbook models` is bringing models here: wait for it, or end it"
        ) from error


def plan(store: ModelStore, row: ModelDescription, offer: Offer) -> Plan:
    """Choose the files that a row names out of those its source has.

    Raises: ModelError when one is not there, or only as a pickle, or when the source is of another commit than the
    recorded one.
    """
    locked = store.locked(row.name)
    if locked and locked.revision and offer.revision not in ("", locked.revision):
        raise ModelError(
            f"{offer.where}: is of commit {offer.revision}, model {row.name} was first pulled at {locked.revision}; "
            f"bring that one, or {_trust_anew(store, row.name)}"
        )
    chosen = [_choose(wanted, row, offer, locked) for wanted in file_names(row)]
    return Plan(row, offer, {name: offer.files[name] for name in chosen}, locked)


def check_space(store: ModelStore, plans: Sequence[Plan]) -> None:
    """Raises: ModelError when the disk has not the room that all of them want together."""
    root = Path(store.root)
    missing = sum(max(plan.size_bytes - _there(store, plan), 0) for plan in plans)
    free = shutil.disk_usage(root).free
    if free < missing:
        names = ", ".join(plan.row.name for plan in plans)
        raise ModelError(
            f"{root}: no room for {names}: {_told_size(missing)} are to come, {_told_size(free)} are free; make room, "
            "or name another --home"
        )


def carry_out(store: ModelStore, plan: Plan, say: Say) -> LockedModel:
    """Fetch a model's files, hold them to the lock, to their source's own listing and to their row, put them in place.

    What was fetched before a kill is gone on with. Files that fail are removed, so that another try starts anew; what
    was in place stays.
    Raises: ModelError with what is wrong, where, and how to mend it.
    """
    name = plan.row.name
    folder = _part_folder(store, plan)
    for other in folder.parent.glob("*"):
        if other != folder or not plan.offer.state:
            shutil.rmtree(other)
    heads = tuple(file for file in plan.files if not file.endswith(WEIGHTS))
    _fetch(plan, heads, folder, say)
    with _removed_if_refused(plan, folder):
        check_checkpoint(folder, heads, plan.row)  # before gigabytes are fetched
    _fetch(plan, tuple(file for file in plan.files if file not in heads), folder, say)
    with _removed_if_refused(plan, folder):
        found = _examined(store, plan, folder)
    _put_in_place(folder, store.checkpoint_folder(name))
    lock = model_lock.read(store.lock_file)
    if lock.get(name) != found:
        model_lock.write(store.lock_file, {**lock, name: found})
    return found


def _fetch(plan: Plan, names: Sequence[str], folder: Path, say: Say) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            size_bytes = plan.files[name].size_bytes
            say(f"  {name}" + (f", {_told_size(size_bytes)}" if size_bytes is not None else ""))
            plan.files[name].fetch(folder / name)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise ModelError(
            f"{folder}: no room left on the disk ({error.strerror}); model {plan.row.name} wants "
            f"{_told_size(plan.size_bytes)}: make room and run it again"
        ) from error


@contextmanager
def _removed_if_refused(plan: Plan, folder: Path) -> Iterator[None]:
    """What is refused must not be gone on with; the message names the source, since what came of it is gone."""
    try:
        yield
    except ModelError as error:
        shutil.rmtree(folder.parent)
        raise ModelError(str(error).replace(str(folder), plan.offer.where)) from error


def _examined(store: ModelStore, plan: Plan, folder: Path) -> LockedModel:
    """The lock's entry for files that were fetched. Raises: ModelError when they are not what they must be."""
    row = plan.row
    known = plan.locked.files if plan.locked else {}
    files = {}
    for name, offered in plan.files.items():
        path = folder / name
        files[name] = found = LockedFile(sha256=digests.of_file(path), size_bytes=path.stat().st_size)
        if name in known and known[name] != found:
            raise ModelError(
                f"{plan.offer.where}: {name} has sha256 {found.sha256} ({found.size_bytes} bytes), recorded at the "
                f"first pull was {known[name].sha256} ({known[name].size_bytes} bytes); it was cut short or exchanged, "
                f"and nothing of it was kept: pull again, or from another place; or {_trust_anew(store, row.name)}"
            )
        if offered.sha256 not in ("", found.sha256):
            raise ModelError(
                f"{plan.offer.where}: {name} came with sha256 {found.sha256}, its listing says {offered.sha256}; it "
                "was damaged on its way, and nothing of it was kept: pull again"
            )
    resample = check_checkpoint(folder, tuple(files), row)
    revision = plan.offer.revision or (plan.locked.revision if plan.locked else "")
    entry = LockedModel(source=row.source, revision=revision, resample=resample, files=files)
    if row.sha256 not in ("", entry.sha256):
        raise ModelError(
            f"{plan.offer.where}: model {row.name} has sha256 {entry.sha256}, its row in catalog/model_descriptions.py "
            f"says {row.sha256}; it was exchanged, and nothing of it was kept: bring the right one"
        )
    return entry


def _choose(wanted: str, row: ModelDescription, offer: Offer, locked: LockedModel | None) -> str:
    """Of a row's "a|b" the file that was recorded, else the first that the source has."""
    either = wanted.split("|")
    recorded = [name for name in either if locked and name in locked.files]
    for name in recorded or either:
        if name in offer.files:
            return name
    pickles = sorted(name for name in offer.files if name.endswith(PICKLES))
    if pickles and wanted.endswith(".safetensors"):
        raise ModelError(
            f"{offer.where}: offers model {row.name} only as {', '.join(pickles)}, which may hold pickles, and a "
            f"pickle runs code when it is opened; bring it as {' or '.join(either)}"
        )
    there = ", ".join(sorted(offer.files)[:12]) or "nothing"
    raise ModelError(f"{offer.where}: has no {' or '.join(either)}, which model {row.name} wants; there is {there}")


def _part_folder(store: ModelStore, plan: Plan) -> Path:
    """Where files wait until all of them are there; one a state of the source, so that two are never mixed."""
    whole = store.checkpoint_folder(plan.row.name)
    return whole.with_name(f"{whole.name}.partial") / (plan.offer.state or "local")


def _there(store: ModelStore, plan: Plan) -> int:
    """Bytes that an earlier try fetched and this one goes on with."""
    folder = _part_folder(store, plan)
    if not plan.offer.state or not folder.is_dir():
        return 0
    return sum(file.stat().st_size for file in folder.iterdir() if file.name in plan.files)


def _put_in_place(folder: Path, target: Path) -> None:
    before = target.with_name(f"{target.name}.replaced")
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    folder.rename(target)
    shutil.rmtree(before, ignore_errors=True)
    folder.parent.rmdir()


def _trust_anew(store: ModelStore, name: str) -> str:
    return f'to trust what is there now, remove [models."{name}"] and its files from {store.lock_file}'


def _told_size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 100_000 else f"{size_bytes / 1e3:,.1f} kB"

"""A folder of train, validation and test photos, a folder a class: what is in it, and what may not be learnt from."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import FormatError
from catalog.formats import digests

TRAIN, VALIDATION, TEST = "train", "validation", "test"
FOLDERS = {TRAIN: ("train", "training"), VALIDATION: ("validation", "valid", "val"), TEST: ("test", "testing")}
CARVED_SHARE = 0.1  # of the training photos, where there is no validation folder
LEAST_CLASSES, LEAST_PHOTOS = 2, 2  # a class has at least so many photos to learn from
NAMES_TOLD = 5

Report = Callable[[int, int], None]  # done, of how many


@dataclass(frozen=True)
class Photo:
    """One photo of a class."""

    file: str  # below the dataset's folder, with "/"
    label: str
    split: str
    sha256: str


@dataclass(frozen=True)
class LeftOut:
    """A photo that is not used, and why."""

    file: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """What a folder holds."""

    folder: Path
    classes: tuple[str, ...]  # sorted
    photos: tuple[Photo, ...]  # in the order of their splits and names
    left_out: tuple[LeftOut, ...]  # repeated ones: a photo is in one split only, once
    passed_over: tuple[LeftOut, ...] = ()  # what lies in the splits and is no photo of a class
    carved: bool = False  # was the validation split taken out of the training photos?

    def digest(self) -> str:
        """SHA-256 of all that can be learnt: which bytes, under which label, in which split."""
        return digests.of_values([[photo.sha256, photo.label, photo.split] for photo in self.photos])

    def counts(self) -> dict[str, dict[str, int]]:
        """Photos by split and class."""
        found = Counter((photo.split, photo.label) for photo in self.photos)
        return {split: {name: found[split, name] for name in self.classes} for split in FOLDERS}


def read_dataset(folder: Path, report: Report = lambda done, total: None) -> Dataset:
    """List and hash the photos of `folder`: `<split>/<class>/**/<photo>`; names that begin with a dot are skipped.

    A photo whose very bytes are in two splits is kept in test before validation before train; one that is twice in a
    split is kept once. Raises: FormatError when there is no training or test photo, fewer than two classes, a class
    that only test or validation knows, or one photo under two labels.
    """
    if not folder.is_dir():
        raise FormatError(f"{folder}: no such folder; name one that holds train/<class>/ and test/<class>/ photos")
    passed_over: list[LeftOut] = []
    found = {split: _split(folder, split, passed_over) for split in FOLDERS}
    classes = tuple(sorted({label for _, label in found[TRAIN]}))
    _check_classes(folder, found, classes)
    total, done = sum(map(len, found.values())), 0
    photos: list[Photo] = []
    left_out: list[LeftOut] = []
    owner: dict[str, Photo] = {}
    for split in (TEST, VALIDATION, TRAIN):
        for path, label in found[split]:
            photo = Photo(path.relative_to(folder).as_posix(), label, split, digests.of_file(path))
            done += 1
            report(done, total)
            first = owner.setdefault(photo.sha256, photo)
            if first is photo:
                photos.append(photo)
            elif first.label != label and first.split == split:
                raise FormatError(
                    f"{folder}: {first.file} and {photo.file} are the same photo under two labels; remove one of them"
                )
            else:
                where = f"repeats {first.file}" if first.split == split else f"is in {first.split} too: {first.file}"
                left_out.append(LeftOut(photo.file, where))
    carved = not found[VALIDATION]
    if carved:
        taken = _carved(folder, [photo for photo in photos if photo.split == TRAIN])
        photos = [replace(photo, split=VALIDATION) if photo.file in taken else photo for photo in photos]
    order = {split: place for place, split in enumerate(FOLDERS)}
    kept = tuple(sorted(photos, key=lambda photo: (order[photo.split], photo.file)))
    repeated = tuple(sorted(left_out, key=lambda one: one.file))
    return Dataset(folder, classes, kept, repeated, tuple(passed_over), carved)


def _split(folder: Path, split: str, passed_over: list[LeftOut]) -> list[tuple[Path, str]]:
    there = [folder / name for name in FOLDERS[split] if (folder / name).is_dir()]
    if len(there) > 1:
        names = " and ".join(path.name for path in there)
        raise FormatError(f"{folder}: has both {names}; which one is the {split} split? Remove or rename the other")
    files: list[tuple[Path, str]] = []
    strange: list[tuple[Path, str]] = []
    for entry in _shown(folder, there[0].iterdir() if there else ()):
        if not entry.is_dir():
            strange.append((entry, "a link to nothing" if entry.is_symlink() else "lies in no class folder"))
            continue
        inside = _shown(folder, entry.rglob("*"))
        photos = [(path, entry.name) for path in inside if path.is_file()]
        links = [path for path in inside if path.is_symlink() and not path.is_file()]
        strange += [(path, "a link to a folder" if path.is_dir() else "a link to nothing") for path in links]
        strange += [] if photos else [(entry, "a class folder without a photo")]
        files += photos
    passed_over += [LeftOut(path.relative_to(folder).as_posix(), reason) for path, reason in strange]
    return files


def _shown(folder: Path, paths: Iterable[Path]) -> list[Path]:
    """Sorted, without those that have a name below `folder` which begins with a dot."""
    return sorted(path for path in paths if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _check_classes(folder: Path, found: dict[str, list[tuple[Path, str]]], classes: Sequence[str]) -> None:
    for split in (TRAIN, TEST):
        if not found[split]:
            wanted = " or ".join(f"{name}/" for name in FOLDERS[split])
            raise FormatError(f"{folder}: no photo in {wanted}<class>/; a training needs train and test photos")
    counts = Counter(label for _, label in found[TRAIN])
    few = [f"{name} ({counts[name]})" for name in classes if counts[name] < LEAST_PHOTOS]
    if len(classes) < LEAST_CLASSES or few:
        told = f"classes with fewer than {LEAST_PHOTOS} training photos: {', '.join(few)}" if few else "one class only"
        raise FormatError(f"{folder}: {told}; at least {LEAST_CLASSES} classes of {LEAST_PHOTOS} photos are needed")
    for split in (VALIDATION, TEST):
        strange = sorted({label for _, label in found[split]} - set(classes))
        if strange:
            raise FormatError(
                f"{folder}: {split} has classes that train has not: {', '.join(strange[:NAMES_TOLD])}; "
                "rename or remove their folders"
            )


def _carved(folder: Path, photos: Sequence[Photo]) -> set[str]:
    """The files of the training photos that validation gets: those whose digests say so, the same ones in every run.

    Of each class with two photos or more, at least one is taken and at least one is left. Raises: FormatError when no
    class has two.
    """
    taken: set[str] = set()
    for label in sorted({photo.label for photo in photos}):
        own = sorted((_place(photo), photo.file) for photo in photos if photo.label == label)
        wanted = sum(place < CARVED_SHARE for place, _ in own)
        taken |= {file for _, file in own[: min(max(1, wanted), len(own) - 1)]}
    if not taken:
        raise FormatError(
            f"{folder}: no class has two different training photos that test has not, so that one could stand for "
            "validation; add photos, or a validation/ folder"
        )
    return taken


def _place(photo: Photo) -> float:
    """In [0, 1), by a photo's bytes alone."""
    return int(hashlib.sha256(photo.sha256.encode()).hexdigest()[:8], 16) / 2**32

"""What lies in a home that nothing refers to any more, and what all of it takes. What is referred to is told by tables
that stand: where one can't be read, nothing that it may refer to is garbage.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from catalog.errors import FormatError
from catalog.formats import digests, noted_files, tables
from resources.data_lake import DataLake
from resources.home import Home
from resources.photo_store import JOURNAL

LEFT_OVER_S = 24 * 3600.0  # a file that a process was killed over; `models pull` may be writing a younger one
FINISHED_WORK_S = 7 * 24 * 3600.0  # batches that a killed build had done, which the next one goes on from

BUNDLES = "bundles"


@dataclass(frozen=True)
class File:
    """A file as it was found."""

    path: str
    size_bytes: int
    inode: tuple[int, int]
    links: int
    changed_at: float


@dataclass
class Kind:
    """The files of one kind: those that something refers to, and those that nothing does."""

    name: str
    kept: list[File] = field(default_factory=list)
    garbage: list[File] = field(default_factory=list)
    problem: str = ""  # why nothing of it is garbage though something may be


@dataclass(frozen=True)
class Survey:
    """All that was looked at."""

    kinds: list[Kind]

    @property
    def garbage(self) -> list[File]:
        """Of all kinds."""
        return [file for kind in self.kinds for file in kind.garbage]

    def freed_bytes(self) -> int:
        """What deleting the garbage would free: a file with another name elsewhere, a hard link, frees nothing."""
        names = Counter(file.inode for file in self.garbage)
        sizes = {file.inode: file.size_bytes for file in self.garbage if names[file.inode] >= file.links}
        return sum(sizes.values())


def taken_bytes(files: Iterable[File]) -> int:
    """What files take on the disk together: hard links to one file are counted once."""
    return sum({file.inode: file.size_bytes for file in files}.values())


def survey(home: Home, thumb_size: int, model_files: set[str], old_bundles: Iterable[Path]) -> Survey:
    """Look at everything a home holds. The caller has the home's lock.

    Args: the side of the thumbnails that are in use; the names (without extension) of float models and smaller forms
        that the profile still names; versions of the bundle that are not to be kept.
    """
    lake = DataLake(root=str(home.data_lake), home=str(home.root))
    blobs = {
        "images": (lake.images.folder, lambda: _images(lake)),
        "masks": (lake.masks.folder, lambda: _column(lake, "sam2_masks", tables.SAM2_MASKS, "mask_blob")),
        "crops": (lake.crops.folder, lambda: _column(lake, "product_crops", tables.PRODUCT_CROPS, "crop_blob")),
    }
    kinds = [_sorted_out(name, folder, refers, lambda file: file.name) for name, (folder, refers) in blobs.items()]
    kinds += [
        _sorted_out("thumbnails", home.data_lake / "thumbs", lambda: _thumbs(lake, thumb_size), noted_files.stem_of),
        _sorted_out("tiles", home.data_lake / "tiles", lambda: _tiles(lake), lambda file: file.stem),
        _sorted_out("downloads", home.data_lake / "downloads", lambda: _downloads(home, lake), _photo_of),
        _sorted_out("float models", home.models / "fp32", lambda: model_files, lambda file: file.stem),
        _sorted_out("smaller models", home.models / "int8" / "forms", lambda: model_files, lambda file: file.stem),
    ]
    return Survey([*kinds, _bundles(home, set(old_bundles)), _left_over(home, kinds)])


def delete(found: Survey) -> None:
    """Remove the garbage, and the folders that it leaves empty; old bundles are `bundle_publishing`'s to drop."""
    folders = set()
    for file in (file for kind in found.kinds if kind.name != BUNDLES for file in kind.garbage):
        path = Path(file.path)
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in sorted(folders, key=lambda entry: len(entry.parts), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def megabytes_by_kind(lake: Path) -> dict[str, float]:
    """What each folder of a lake takes, by its name, its loose files (`tables`), and all of it (`lake`)."""
    sizes = {"tables": 0}
    for entry in sorted(lake.iterdir()):
        if entry.is_dir():
            sizes[entry.name] = sum(file.stat().st_size for file in _entries_below(entry))
        else:
            sizes["tables"] += entry.stat().st_size
    return {name: round(size / 1e6, 2) for name, size in {**sizes, "lake": sum(sizes.values())}.items()}


def files_below(folder: Path) -> Iterator[File]:
    """Every regular file in a folder and those below it; links are not followed. None where there is no folder."""
    for entry in _entries_below(folder):
        of = entry.stat(follow_symlinks=False)
        yield File(entry.path, of.st_size, (of.st_dev, of.st_ino), of.st_nlink, of.st_mtime)


def _entries_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    waiting = [str(folder)] if folder.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry


def _sorted_out(name: str, folder: Path, refers: Callable[[], set[str]], named: Callable[[Path], str]) -> Kind:
    """Part a folder's files by whether what `named` makes of them is referred to."""
    files = [file for file in files_below(folder) if not file.path.endswith((".part", ".parquet", JOURNAL))]
    if not files:
        return Kind(name)
    try:
        wanted = refers()
    except FormatError as error:
        return Kind(name, kept=files, problem=str(error))
    kind = Kind(name)
    for file in files:
        (kind.kept if named(Path(file.path)) in wanted else kind.garbage).append(file)
    return kind


def _column(lake: DataLake, stage: str, schema: pa.Schema, column: str) -> set[str]:
    """A column of a stage's table, and of the batches that a killed build left beside it. Raises: FormatError."""
    path = lake.table(stage)
    files = [path, *path.with_suffix(".parts").glob("*.parquet")]
    return {value for file in files for value in tables.read_table(file, schema).column(column).to_pylist()}


def _images(lake: DataLake) -> set[str]:
    """A mask may still refer to a photo that the feed has not any more, until the masks are brought up to date."""
    wanted = _column(lake, "product_images", tables.PRODUCT_IMAGES, "image_blob")
    if lake.table("sam2_masks").exists():
        wanted |= _column(lake, "sam2_masks", tables.SAM2_MASKS, "image_blob")
    return wanted


def _thumbs(lake: DataLake, side_px: int) -> set[str]:
    return {lake.thumb(blob, side_px).name for blob in _images(lake)}


def _tiles(lake: DataLake) -> set[str]:
    """Of photos, of crops, and of masks upon their photos, as the stages that draw them name them."""
    masks = tables.read_table(lake.table("sam2_masks"), tables.SAM2_MASKS)
    pairs = zip(*[masks.column(name).to_pylist() for name in ("image_blob", "mask_blob")], strict=True)
    crops = _column(lake, "product_crops", tables.PRODUCT_CROPS, "crop_blob")
    return {name.partition(".")[0] for name in [*_images(lake), *crops]} | {digests.of_values(*pair) for pair in pairs}


def _downloads(home: Home, lake: DataLake) -> set[str]:
    """What was fetched for a URL that is remembered, and what the tables of photos name."""
    wanted: set[str] = set()
    for table in (home.data_lake / "downloads").glob("*.parquet"):
        wanted |= set(tables.read_table(table, tables.DOWNLOADS).column("sha256").to_pylist())
    for stage in ("raw_catalog", "labelled_queries"):
        wanted |= {state["sha256"] for state in lake.photo_store(stage).noted().values()}
    for stage in ("raw_catalog", "labelled_queries"):
        wanted |= {_photo_of(Path(path)) for path in _column(lake, stage, tables.RAW_CATALOG, "image_path")}
    return wanted


def _photo_of(file: Path) -> str:
    return file.name.partition(".")[0]


def _bundles(home: Home, old: set[Path]) -> Kind:
    kind = Kind(BUNDLES)
    for folder in home.bundles.iterdir() if home.bundles.is_dir() else ():
        if folder.name == "versions":
            for version in folder.iterdir():
                (kind.garbage if version in old else kind.kept).extend(files_below(version))
        elif folder.is_dir() and not folder.is_symlink():  # .building and the like: no build runs now
            kind.garbage.extend(files_below(folder))
    return kind


def _left_over(home: Home, kinds: list[Kind]) -> Kind:
    """What killed processes left; and, as kept, every other file of lake and models: tables, bins, checkpoints."""
    kind, now = Kind("tables and others"), time.time()
    seen = {file.inode for of in kinds for file in [*of.kept, *of.garbage]}
    for root in (home.data_lake, home.models):
        for file in files_below(root):
            in_parts = any(part.endswith(".parts") for part in Path(file.path).parent.parts)
            oldest = FINISHED_WORK_S if in_parts else LEFT_OVER_S if file.path.endswith(".part") else None
            if oldest is not None and now - file.changed_at > oldest:
                kind.garbage.append(file)
            elif file.inode not in seen:
                kind.kept.append(file)
    return kind

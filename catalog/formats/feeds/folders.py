"""Format `folders`: photos sorted by hand, root/<category>/<file> and root/<category>/<product>/<files>.

A file is a product named after it, "dresses/red-maxi"; a folder is a product with all its photos. Order is that of the
names' characters, whatever the file system or the language of the machine.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import FeedError
from catalog.formats.feeds.description import FeedDescription
from catalog.formats.feeds.items import FeedItem, RowChoice, reject
from catalog.records import Reason, Rejection

# What is a photo by name; whether it is one in truth, the next stage tells.
IMAGE_EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".heif"}
)
_MACHINE_FOLDERS = ("__macosx", "@eadir", "$recycle.bin")


def read_items(description: FeedDescription, choice: RowChoice) -> Iterator[FeedItem | Rejection]:
    """Each photo as an item. Hidden files, and files without an image's extension, are passed over in silence.

    Raises: FeedError, the root can't be listed or holds no category folder.
    """
    del choice  # no columns to choose by: the description allows no [where] here
    root = description.path
    try:
        entries = _listed(root)
    except OSError as error:
        raise FeedError(f"{root}: the folder can't be listed: {error.strerror}") from error
    if not any(entry.is_dir() for entry in entries):
        raise FeedError(f"{root}: no category folder in it: photos are read from {root.name}/<category>/")
    real_root = os.path.realpath(root)
    for entry in entries:
        where = f"{root.name}/{entry.name}"
        if not entry.is_dir():
            if _is_photo(entry.name):
                detail = "a photo outside the category folders: move it into one"
                yield reject(where, Reason.MISSING_CATEGORY, detail, image=entry.name)
        elif (refused := _refused(entry, real_root, where)) is not None:
            yield refused
        else:
            yield from _category(entry, real_root, where)


def _category(folder: "os.DirEntry[str]", real_root: str, where: str) -> Iterator[FeedItem | Rejection]:
    try:
        entries = _listed(folder.path)
    except OSError as error:
        yield reject(where, Reason.BROKEN_ROW, f"the folder can't be listed: {error.strerror}")
        return
    photos = 0
    for entry in entries:
        name = f"{folder.name}/{entry.name}"
        if not entry.is_dir():
            if _is_photo(entry.name):
                photos += 1
                yield _item(folder.name, f"{folder.name}/{Path(entry.name).stem}", name, where)
        elif (refused := _refused(entry, real_root, f"{where}/{entry.name}")) is not None:
            yield refused
        else:
            for found in _product(entry, folder.name, f"{where}/{entry.name}"):
                photos += isinstance(found, FeedItem)
                yield found
    if photos == 0:
        detail = f"the category has no photo, of {len(entries)} files and folders: put some in, or remove the folder"
        yield reject(where, Reason.EMPTY_CATEGORY, detail)


def _product(folder: "os.DirEntry[str]", category: str, where: str) -> Iterator[FeedItem | Rejection]:
    try:
        entries = _listed(folder.path)
    except OSError as error:
        yield reject(where, Reason.BROKEN_ROW, f"the folder can't be listed: {error.strerror}")
        return
    product_id = f"{category}/{folder.name}"
    photos = [entry.name for entry in entries if _is_photo(entry.name) and not entry.is_dir()]
    for name in photos:
        yield _item(category, product_id, f"{product_id}/{name}", where)
    for entry in entries:
        if entry.is_dir():
            detail = "a folder too deep: photos are read from <category>/ and <category>/<product>/ only"
            yield reject(f"{where}/{entry.name}", Reason.BROKEN_ROW, detail, product_id=product_id)
    if not photos:
        yield reject(where, Reason.MISSING_IMAGE, "the product's folder has no photo", product_id=product_id)


def _item(category: str, product_id: str, image: str, where: str) -> FeedItem:
    name = product_id.partition("/")[2]
    return FeedItem(
        where=f"{where}/{image.rpartition('/')[2]}",
        product_id=product_id,
        id_is_path=True,
        category=category,
        title=name,
        images=(image,),
    )


def _listed(folder: str | Path) -> list["os.DirEntry[str]"]:
    """What is in a folder, hidden things and the machine's own left out."""
    with os.scandir(folder) as entries:
        kept = [e for e in entries if not e.name.startswith(".") and e.name.casefold() not in _MACHINE_FOLDERS]
    return sorted(kept, key=lambda e: e.name)


def _refused(folder: "os.DirEntry[str]", real_root: str, where: str) -> Rejection | None:
    if not os.path.realpath(folder.path).startswith(real_root.rstrip("/") + "/"):
        detail = "a link to a folder outside the feed, which is not followed: copy the photos into the feed"
        return reject(where, Reason.IMAGE_OUTSIDE_ROOT, detail)
    return None


def _is_photo(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS  # noqa: PTH122  (names that no Path has been made of)

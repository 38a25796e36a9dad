"""What a feed's files hold, as one digest: how a watcher tells that a feed has changed without reading it.

Of a file it is the content, so that a new time stamp alone is no change. Of a folder of photos it is the listing, with
sizes and times: reading every photo twice a minute would cost more than a refresh that finds nothing new.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from catalog.errors import FeedError
from catalog.formats import digests
from catalog.formats.feeds.description import FeedDescription


def content_digest(description: FeedDescription, home: Path) -> str:
    """SHA-256 of the description's meaning, and of the feed's and its labelled queries' content.

    A copy of the whole home has the same: paths below it count as relative to it.

    Raises: FeedError when one of them is gone or can't be read.
    """
    return digests.of_values(description.fingerprint(home), [_content(path) for path in _sources(description)])


def quick_signature(description: FeedDescription, home: Path) -> str:
    """Changes whenever `content_digest` may have changed, at the cost of a look at sizes and times.

    Raises: FeedError when a file is gone or can't be read.
    """
    return digests.of_values(description.fingerprint(home), [_signature(path) for path in _sources(description)])


def _sources(description: FeedDescription) -> list[Path]:
    below = [] if description.queries is None else [description.queries.path]
    return [description.path, *below]


def _content(path: Path) -> str:
    try:
        return _listing(path) if path.is_dir() else digests.of_file(path)
    except OSError as error:
        raise FeedError(f"{path}: the feed can't be read ({error.strerror})") from error


def _signature(path: Path) -> list[int] | str:
    try:
        if path.is_dir():
            return _listing(path)
        seen = path.stat()
    except OSError as error:
        raise FeedError(f"{path}: the feed can't be read ({error.strerror})") from error
    return [seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns]  # the last tells what `cp -p` hides


def _listing(folder: Path) -> str:
    digest = hashlib.sha256()
    for entry in sorted(_files(folder), key=lambda entry: entry.path):
        seen = entry.stat()
        name = os.path.relpath(entry.path, folder)
        digest.update(f"{name}\0{seen.st_size}\0{seen.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _files(folder: Path | str) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry

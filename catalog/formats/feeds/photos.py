"""Where a photo that a feed names lies on this machine: the one seam between feeds and photos.

Belongs here: paths, file URLs, web URLs with a local copy, and keeping inside the folders that the description names.
No photo is opened and nothing is fetched: a web URL that may be is `Remote`, and who reads the feed fetches it.
"""

import functools
import os
import re
import stat
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from catalog.formats.feeds.items import has_unfit, shown
from catalog.records import Reason


class Unlocated(NamedTuple):
    """Why there is no photo to read, and how to mend it."""

    reason: Reason
    detail: str


class Remote(NamedTuple):
    """A photo on the network that the description allows to be fetched."""

    url: str


Locate = Callable[[str], str | Remote | Unlocated]

_LOGIN = re.compile(r"(\s*(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//)[^/?#\\]*@")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+):(?=//)|(file):", re.IGNORECASE)  # two letters or more: "C:" is a drive


def photo_locator(photos_root: Path, photo_urls: Sequence[tuple[str, Path]], *, download: bool = False) -> Locate:
    """A `locate_photo` for one feed, which looks each folder up once.

    Args: the folder that relative paths start from and that no path may leave; URL prefixes, each with the folder that
        holds a copy of the photos below it (the longest prefix that fits is taken); whether web URLs without a copy
        are `Remote`, or are turned away.
    """
    root = os.path.realpath(photos_root)
    copies = sorted(((url_prefix(u), os.path.realpath(f)) for u, f in photo_urls), key=lambda c: -len(c[0]))
    real_folder = functools.lru_cache(maxsize=8192)(os.path.realpath)

    def locate_photo(reference: str) -> str | Remote | Unlocated:
        """The photo's absolute path, links resolved: a regular file inside the folders above; its URL; or why not."""
        reference = reference.strip()
        if not reference:
            return Unlocated(Reason.MISSING_IMAGE, "no photo is given: add its path or URL")
        if has_unfit(reference):
            return Unlocated(Reason.IMAGE_NOT_FOUND, f"{shown(reference)!r} holds a character that no path can hold")
        folder, path = root, reference
        reference = web_address(reference) or reference
        if scheme := _SCHEME.match(reference):
            if scheme[0].casefold() == "file:":
                path = _file_url_path(reference)
            else:
                place = _local_copy(reference, copies)
                if download and isinstance(place, Unlocated) and place.reason is Reason.REMOTE_IMAGE:
                    return _remote(reference)
                if isinstance(place, Unlocated):
                    return place
                folder, path = place
        found = _inside(folder, path, real_folder)
        if isinstance(found, Unlocated) and found.reason is Reason.IMAGE_NOT_FOUND and "\\" in path:
            return _inside(folder, path.replace("\\", "/"), real_folder)  # written on Windows
        return found

    return locate_photo


def url_prefix(url: str) -> str:
    """A URL up to its query, scheme and host in lower case, ending in "/": what prefixes are compared in."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}/{path if path.endswith('/') or not path else path + '/'}"


def web_address(reference: str) -> str:
    """The URL that a feed's reference is asked for by, "" where it is none of http or https; a fragment is not sent."""
    reference = reference.strip()
    if reference.startswith("//"):
        reference = "https:" + reference  # a page's way of writing "the same scheme"
    return reference.partition("#")[0] if reference[:8].casefold().startswith(("http://", "https://")) else ""


def has_login(url: str) -> bool:
    """Whether a user name or password stands before the URL's host: such a URL is neither fetched nor shown."""
    return "@" in url and _LOGIN.match(url) is not None


def without_login(url: str) -> str:
    """`url` fit to be shown: what stands before the host's "@" becomes "***"."""
    return _LOGIN.sub(r"\1***@", url, count=1) if has_login(url) else url


def _remote(reference: str) -> Remote | Unlocated:
    url = web_address(reference)
    if not url:
        return Unlocated(Reason.REMOTE_IMAGE, "only http and https are fetched: give the photo such an address")
    if has_login(url):
        return Unlocated(
            Reason.ADDRESS_REFUSED, "the URL holds a user name or password: give one without, or a local copy"
        )
    return Remote(url)


def _file_url_path(url: str) -> str:
    path = re.split(r"[?#]", url[len("file:") :], maxsplit=1)[0]
    if path.startswith("//"):
        host, _, rest = path[2:].partition("/")
        path = f"/{rest}" if host.lower() in ("", "localhost") else path
    return urllib.parse.unquote(path)


def _local_copy(url: str, copies: Sequence[tuple[str, str]]) -> tuple[str, str] | Unlocated:
    """The copy's folder and the path below it."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    key = url_prefix(bare)[:-1]
    for prefix, folder in copies:
        if key.startswith(prefix):
            below = urllib.parse.unquote(key[len(prefix) :])
            if has_unfit(below):
                return Unlocated(Reason.IMAGE_NOT_FOUND, f"{shown(below)!r} holds a character that no path can hold")
            return folder, below.lstrip("/")
    return Unlocated(
        Reason.REMOTE_IMAGE,
        "the photo is on the network, and nothing is fetched without being asked: add the table [download] to the "
        "feed's description, or copy the photo here and name the copy under [photo_urls]",
    )


def _inside(folder: str, path: str, real_folder: Callable[[str], str]) -> str | Unlocated:
    """The real path of the regular file that `path`, taken from `folder`, names."""
    try:
        whole = os.path.join(folder, path)  # noqa: PTH118  (100,000 of them: pathlib is ten times slower)
        parent, name = os.path.split(whole)
        if name in ("", ".", ".."):
            return Unlocated(Reason.IMAGE_NOT_FOUND, "the path names a folder, not a photo")
        real = f"{real_folder(parent).rstrip('/')}/{name}"
        if not _is_below(real, folder):
            return _outside(folder)
        status = os.lstat(real)
        if stat.S_ISLNK(status.st_mode):
            real = os.path.realpath(real)
            if not _is_below(real, folder):
                return _outside(folder)
            status = os.lstat(real)
        real.encode("utf-8")
    except UnicodeError:
        return Unlocated(Reason.IMAGE_NOT_FOUND, "the photo's file name is not UTF-8: rename the file")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Unlocated(Reason.IMAGE_NOT_FOUND, f"no such photo below {shown(folder)}: {why}")
    if not stat.S_ISREG(status.st_mode):
        return Unlocated(Reason.IMAGE_NOT_FOUND, "the path names a folder or a device, not a photo")
    return real


def _is_below(path: str, folder: str) -> bool:
    return path.startswith(folder if folder.endswith("/") else folder + "/")


def _outside(folder: str) -> Unlocated:
    return Unlocated(
        Reason.IMAGE_OUTSIDE_ROOT,
        f"the photo lies outside {shown(folder)}: move it there, or name a wider folder as `photos`",
    )

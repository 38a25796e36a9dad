"""A bundle in the making, in a folder beside the published ones: files that did not change are linked, not copied.

A link shares its bytes with the version it was taken from, so nothing may ever write into a bundle's file in place;
whatever replaces one writes beside and renames (`catalog.formats.atomic`).
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.errors import BundleError
from catalog.formats import atomic, manifest
from catalog.formats.file_digests import FileDigests
from catalog.formats.manifest import Manifest


class Building:
    """The folder that a bundle is built in, and the current bundle, whose files may be linked into it."""

    def __init__(self, folder: Path, current: Path, digests: FileDigests) -> None:
        """`folder` is there and empty; `current` may be missing or damaged: then nothing is linked."""
        self.folder = folder
        self.digests = digests
        self.linked = self.copied = 0
        self._standing = _description(current)

    def standing(self, key: str) -> Any:
        """What the current bundle's manifest says under `key`; None where there is no current bundle."""
        return self._standing.values.get(key) if self._standing else None

    def link(self, name: str, sha256: str | None = None) -> bool:
        """Link a file of the current bundle here, if it has one of this name that is whole (and has this sha256).

        False where it has none, or the file system has no hard links: then copy it from where it was made.
        """
        described: Mapping[str, Any] | None = (self.standing("files") or {}).get(name)
        if self._standing is None or described is None or sha256 not in (None, described["sha256"]):
            return False
        target = self._make_room(name)
        try:
            os.link(self._standing.folder / name, target)
        except OSError:  # not there, another owner's, too many links, no links on this file system
            return False
        if self.digests.of(target) != described["sha256"]:
            target.unlink()  # damaged where it lies: it is made anew
            return False
        self.linked += 1
        return True

    def copy(self, name: str, source: Path, sha256: str | None = None) -> None:
        """Copy a file here. Raises: BundleError when the copy has not this sha256."""
        target = self._make_room(name)
        shutil.copyfile(source, target)
        if sha256 is not None and self.digests.of(target) != sha256:
            raise BundleError(
                f"{source}: sha256 {self.digests.of(target)}, wanted {sha256}; it was damaged or is being written: "
                "`lookbook build` makes it again"
            )
        self.copied += 1

    def flush(self) -> None:
        """Have everything that was not linked on disk, so that a power cut after publishing finds it whole."""
        for folder, _, names in os.walk(self.folder):
            for name in names:
                path = Path(folder, name)
                if path.stat().st_nlink == 1:
                    atomic.flush(path)
            atomic.flush(Path(folder))

    def _make_room(self, name: str) -> Path:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def _description(current: Path) -> Manifest | None:
    try:
        return manifest.read_description(current.resolve())
    except BundleError:  # the build replaces it with a whole one
        return None

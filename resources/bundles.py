"""A home's bundles: versions side by side, and the link that says which one is current."""

import os
import shutil
from pathlib import Path

from resources.build_lock import Exclusive


class Bundles(Exclusive):
    """Where bundles are built, published and kept."""

    root: str

    @property
    def current(self) -> Path:
        """The published bundle; a link, so that publishing is one rename."""
        return Path(self.root) / "current"

    def new_folder(self) -> Path:
        """An empty folder to build the next bundle in, beside the published ones; what a killed build left is gone."""
        folder = Path(self.root) / ".building"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def publish(self, built: Path, version: str, keep: int) -> Path:
        """Make a finished bundle the current one by one rename, and drop all but the last `keep` versions.

        Publishing a version that is already there is no change: its content is the same.
        """
        versions = Path(self.root) / "versions"
        versions.mkdir(exist_ok=True)
        target = versions / version
        if target.exists():  # the same content; the one built may replace a damaged one
            shutil.rmtree(target)
        built.rename(target)
        link = Path(self.root) / ".current.part"
        link.unlink(missing_ok=True)
        link.symlink_to(target.relative_to(self.root), target_is_directory=True)
        os.utime(target)
        link.replace(self.current)
        older = sorted((entry for entry in versions.iterdir() if entry != target), key=lambda e: e.stat().st_mtime)
        for entry in older[: max(0, len(older) - keep + 1)]:
            shutil.rmtree(entry)
        return target

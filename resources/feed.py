"""The feed that a home reads: its own, or the drawn sample shop."""

import os
from pathlib import Path

import dagster as dg

from catalog.formats.feeds.description import FeedDescription, load_feed
from resources.settings import SAMPLE_FEED


class Feed(dg.ConfigurableResource):
    """Which feed a home reads, and how paths of it are written down."""

    feed: str  # "sample" or a path
    home: str
    sample_folder: str

    def describe(self) -> FeedDescription:
        """The feed's description. Raises: FeedError, one line."""
        return load_feed(self.path())

    def path(self) -> Path:
        """The feed's description, file or folder."""
        if self.feed == SAMPLE_FEED:
            return Path(self.sample_folder) / "feed.toml"
        return Path(self.home, self.feed)

    def relative(self, path: str) -> str:
        """A photo's path as the lake's tables keep it: relative to the home, so that a home may be moved."""
        if not path:
            return ""
        if path.startswith(f"{self.home}/") and "/../" not in path:
            return path[len(self.home) + 1 :]
        try:
            return Path(os.path.relpath(path, self.home)).as_posix()
        except ValueError:  # another drive of a Windows machine
            return path

    def absolute(self, path: str) -> Path:
        """The other way round."""
        return Path(self.home, path)

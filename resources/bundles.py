"""A home's bundles as Dagster's assets and checks use them: built, verified and published once a run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import PrivateAttr

from catalog.formats.file_digests import DigestOf, FileDigests
from catalog.formats.signatures import Trust
from query.engine import Engine
from query.verification import verify
from resources import bundle_publishing
from resources.build_lock import Exclusive
from resources.bundle_building import Building
from resources.bundle_publishing import Publication
from resources.bundle_store import BundleStore


class Bundles(Exclusive):
    """Where bundles are built, published and kept. What a run has read or verified it does not ask a second time."""

    root: str
    keys_folder: str = ""  # the folder of keys; "" where bundles are neither signed nor held to a signature
    _digests: FileDigests = PrivateAttr(default_factory=FileDigests)
    _answered: set[str] = PrivateAttr(default_factory=set)

    @property
    def store(self) -> BundleStore:
        """The folders, as they lie."""
        return BundleStore(Path(self.root), Path(self.keys_folder or Path(self.root) / "keys"))

    @property
    def current(self) -> Path:
        """The published bundle; a link, so that publishing is one rename."""
        return self.store.current

    @property
    def trust(self) -> Trust:
        """The home's own public keys: whose signature is taken."""
        return self.store.trust()

    @property
    def digest_of(self) -> DigestOf:
        """A file's SHA-256, which this run reads once only."""
        return self._digests.of

    @contextmanager
    def building(self) -> Iterator[Building]:
        """An empty folder to build the next bundle in; what is not published when the block ends is gone."""
        folder = self.store.building
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            yield Building(folder, self.current, self._digests)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def verify(self, building: Building) -> Engine:
        """Hold a built bundle to its manifest, its signature and its golden queries, as a reader will.

        Raises: BundleError that names what is not as it should be.
        """
        engine = verify(building.folder, self.trust, self.digest_of)
        self._answered.add(engine.bundle.manifest["bundle_version"])
        return engine

    def publish(self, building: Building, version: str, keep: int) -> Publication:
        """Make a verified bundle the current one, and drop all but the last `keep` versions."""
        return bundle_publishing.publish(self.store, building, version, keep)

    def open_current(self) -> Engine:
        """The published bundle, every file held to its manifest; what this run has read is not read again."""
        return Engine(self.current, trust=self.trust, digest_of=self.digest_of)

    def has_answered(self, version: str) -> bool:
        """Did this run see that very version answer its golden queries?"""
        return version in self._answered

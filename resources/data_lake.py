"""The lake's folders, tables and picture stores: this module alone knows their names."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import dagster as dg

from catalog.formats import tables
from catalog.formats.blobs import BlobStore
from catalog.records import Rejection


class DataLake(dg.ConfigurableResource):
    """One home's lake."""

    root: str
    home: str  # paths in the lake's tables are relative to it

    @property
    def _root(self) -> Path:
        return Path(self.root)

    def table(self, stage: str) -> Path:
        """The Parquet table of a stage."""
        return self._root / f"{stage}.parquet"

    def bin(self, name: str) -> Path:
        """One of the index's .bin files, before it is bundled."""
        return self._root / "bins" / name

    def bin_items(self, name: str) -> Path:
        """The items of a .bin file's rows, in their order."""
        return self._root / "bins" / f"{name}.items.json"

    @property
    def sample_catalog(self) -> Path:
        """The drawn shop."""
        return self._root / "sample_catalog"

    @property
    def benchmark(self) -> Path:
        """The last benchmark's numbers."""
        return self._root / "benchmark.json"

    @property
    def images(self) -> BlobStore:
        """Upright sRGB product photos."""
        return BlobStore(self._root / "images", "product_images")

    @property
    def masks(self) -> BlobStore:
        """Binary product masks, each of its photo's size."""
        return BlobStore(self._root / "masks", "sam2_masks")

    @property
    def crops(self) -> BlobStore:
        """Square cut-outs, RGBA: white where alpha is 0."""
        return BlobStore(self._root / "crops", "product_crops")

    def thumb(self, image_blob: str, side_px: int) -> Path:
        """The thumbnail of a photo, kept from one bundle to the next."""
        digest = image_blob.partition(".")[0]
        return self._root / "thumbs" / digest[:2] / f"{digest}-{side_px}.jpg"

    def write_rejected(self, stage: str, rejected: Sequence[Rejection]) -> None:
        """Put a stage's rejected rows in place of the ones it gave before."""
        tables.write(self._rejected(stage), tables.REJECTED, [asdict(row) for row in rejected])

    def read_rejected(self, stage: str = "*") -> list[dict[str, str]]:
        """The rejected rows of one stage, or of all."""
        files = sorted(self._rejected(stage).parent.glob(f"{stage}.parquet"))
        return [row for file in files for row in tables.read(file, tables.REJECTED)]

    def _rejected(self, stage: str) -> Path:
        return self._root / "rejected" / f"{stage}.parquet"

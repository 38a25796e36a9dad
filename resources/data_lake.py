"""The lake's folders, tables and picture stores: this module alone knows their names."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic import PrivateAttr

from catalog.formats import tables
from catalog.formats.blobs import BlobStore, DecodedPictures
from catalog.records import Rejection
from resources.build_lock import Exclusive
from resources.photo_digests import PhotoDigests
from resources.photo_store import PhotoStore

# Of pictures kept decoded through a run, by store: crops are read by every encoder, the colours and the gate.
DECODED_BYTES = {"images": 192 * 2**20, "masks": 64 * 2**20, "crops": 512 * 2**20}


class DataLake(Exclusive):
    """One home's lake."""

    root: str
    home: str  # paths in the lake's tables are relative to it
    _decoded: dict[str, DecodedPictures] = PrivateAttr(default_factory=dict)

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

    def photo_digests(self, stage: str) -> PhotoDigests:
        """Digests of the photos that a stage's feed names."""
        return PhotoDigests(self._root / "photo_digests" / f"{stage}.parquet")

    def row_costs(self, stage: str) -> Path:
        """What computing a stage's rows took so far: no artefact, only for telling what a refresh saved."""
        return self._root / "row_costs" / f"{stage}.json"

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
        return self._blobs("images", "product_images")

    @property
    def masks(self) -> BlobStore:
        """Binary product masks, each of its photo's size."""
        return self._blobs("masks", "sam2_masks")

    @property
    def crops(self) -> BlobStore:
        """Square cut-outs, RGBA: white where alpha is 0."""
        return self._blobs("crops", "product_crops")

    def _blobs(self, folder: str, made_by: str) -> BlobStore:
        decoded = self._decoded.setdefault(folder, DecodedPictures(DECODED_BYTES[folder]))
        return BlobStore(self._root / folder, made_by, decoded)

    def photo_store(self, stage: str) -> PhotoStore:
        """Photos that a stage's feed has on the network, as they were fetched."""
        return PhotoStore(self._root / "downloads", self._root / "downloads" / f"{stage}.parquet")

    def thumb(self, image_blob: str, side_px: int) -> Path:
        """The stem (see `catalog.formats.noted_files`) of a photo's thumbnail, kept from one bundle to the next."""
        digest = image_blob.partition(".")[0]
        return self._root / "thumbs" / digest[:2] / f"{digest}-{side_px}"

    def tile(self, stage: str, blob: str) -> Path:
        """A picture of a stage's contact sheet, small, kept from one refresh to the next."""
        return self._root / "tiles" / stage / f"{blob.partition('.')[0]}.png"

    def write_rejected(self, stage: str, rejected: Sequence[Rejection]) -> None:
        """Put a stage's rejected rows in place of the ones it gave before."""
        tables.write(self._rejected(stage), tables.REJECTED, [asdict(row) for row in rejected])

    def read_rejected(self, stage: str = "*") -> list[dict[str, str]]:
        """The rejected rows of one stage, or of all."""
        files = sorted(self._rejected(stage).parent.glob(f"{stage}.parquet"))
        return [row for file in files for row in tables.read(file, tables.REJECTED)]

    def _rejected(self, stage: str) -> Path:
        return self._root / "rejected" / f"{stage}.parquet"

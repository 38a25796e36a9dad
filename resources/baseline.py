"""The last good state, which a refresh is compared with: the published bundle, and a change of it that was accepted."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from catalog.errors import BundleError
from catalog.evaluation import feed_drift
from catalog.evaluation.feed_drift import Listing, Product
from catalog.formats import atomic, manifest, matrices
from resources.bundle_store import BundleStore
from resources.home import Home
from resources.settings import Limits, load_settings


@dataclass(frozen=True)
class Published:
    """The published bundle, as far as refreshes are compared with it; its files are not checked, only read."""

    folder: Path
    items: list[dict[str, Any]]

    @property
    def version(self) -> str:
        """Its folder's name."""
        return self.folder.name

    @cached_property
    def listing(self) -> Listing:
        """Its products."""
        return listed(self.items)

    def matrix(self, name: str) -> np.ndarray:
        """One of its .bin files, (items, columns) float32. Raises: FormatError, or BundleError for its manifest."""
        path = self.folder / name
        kept_as = manifest.read_description(self.folder)["files"].get(name, {}).get("dtype", matrices.FLOAT32)
        row_bytes = matrices.DTYPES[kept_as].itemsize * len(self.items)
        return matrices.read(path, path.stat().st_size // row_bytes if path.exists() else 1, len(self.items), kept_as)


def listed(items: list[dict[str, Any]]) -> Listing:
    """The products of a bundle's items."""
    return feed_drift.listing((i["product_id"], i["category"], i["price"], i["currency"]) for i in items)


class Baseline(dg.ConfigurableResource):
    """What is published in a home, and how far a refresh may go from it."""

    home: str

    def limits(self) -> Limits:
        """The home's own, as lookbook.toml has them now. Raises: ProfileError."""
        return load_settings(self._home.settings_file).limits

    def published(self) -> Published | None:
        """The published bundle; None where nothing was published yet.

        Raises: BundleError when its catalog.json can't be read.
        """
        current = self._store.current
        return _read(current.resolve()) if current.is_symlink() or current.is_dir() else None

    def last_good(self) -> Published | None:
        """What is published; where its catalogue is damaged, the last of the versions that led to it that can be read.

        None where nothing was published yet. Raises: BundleError when none of them can be read.
        """
        try:
            return self.published()
        except BundleError as error:
            there = self._store.versions()
            for version in reversed(self._store.history().line()[:-1]):
                if version in there:
                    with suppress(BundleError):
                        return _read(self._store.folder(version))
            raise BundleError(
                f"{error}. No version before it can be read either, so nothing tells what a refresh would lose: "
                "`lookbook bundle list` shows what is kept, `lookbook bundle verify` what is damaged, `lookbook bundle "
                "rollback VERSION` makes a good one current; or go on, this once: `lookbook build --accept-changes`"
            ) from error

    def accept(self, published: Published, now: Listing) -> None:
        """Remember that `now` may follow what is published; it holds until another bundle is published."""
        products = {product_id: asdict(product) for product_id, product in now.items()}
        text = json.dumps({"published": published.version, "products": products}, ensure_ascii=False)
        atomic.write_text(self._accepted_file, text + "\n")

    def accepted(self, published: Published) -> Listing | None:
        """What was accepted to follow this very bundle."""
        try:
            noted: Mapping[str, Any] = json.loads(self._accepted_file.read_text(encoding="utf-8"))
            if noted["published"] != published.version:
                return None
            return {product_id: Product(**values) for product_id, values in noted["products"].items()}
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise BundleError(f"{self._accepted_file}: damaged ({error}); delete it, and accept again") from error

    def published_anew(self) -> None:
        """Forget what was accepted: the bundle that it was accepted for is there, and is the baseline now."""
        self._accepted_file.unlink(missing_ok=True)

    def note_line_end(self, feed: str, *, there: bool) -> None:
        """Remember whether the text of `feed`, as the settings name it, ended in a line end when it was taken."""
        atomic.write_text(self._line_end_file, json.dumps({"feed": feed, "line_end": there}) + "\n")

    def had_line_end(self, feed: str) -> bool:
        """Whether this feed had one when it was last taken; False where that is not known."""
        try:
            noted: object = json.loads(self._line_end_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return noted == {"feed": feed, "line_end": True}

    @property
    def _home(self) -> Home:
        return Home(Path(self.home))

    @property
    def _store(self) -> BundleStore:
        return BundleStore(self._home.bundles, self._home.keys)

    @property
    def _accepted_file(self) -> Path:
        return self._home.data_lake / "accepted_catalog.json"

    @property
    def _line_end_file(self) -> Path:
        return self._home.data_lake / "feed_line_end.json"


def _read(folder: Path) -> Published:
    path = folder / "catalog.json"
    try:
        found = Published(folder, json.loads(path.read_text(encoding="utf-8")))
        if not found.listing:
            raise BundleError(f"{path}: lists no product; build the bundle again, or roll back to another")
    except (OSError, ValueError, TypeError, KeyError) as error:
        told = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise BundleError(f"{path}: can't be read ({told}); build the bundle again, or roll back") from error
    return found

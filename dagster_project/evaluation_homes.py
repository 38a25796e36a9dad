"""Galleries that protocols search: whole homes, built by the real graph, or a published bundle's models over photos."""

import csv
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assets.evaluation import engines
from assets.evaluation.asking import DescribedPhotos, Gallery, describe_photos, label_rows
from catalog.errors import FeedError
from catalog.evaluation.labelled_photos import Photo
from catalog.formats import atomic, digests
from catalog.formats.tables import ITEM_COLUMNS
from catalog.model_descriptions import MODELS, Role
from dagster_project.building import run_build
from dagster_project.definitions import build_definitions
from query.engine import Engine
from resources.data_lake import DataLake
from resources.evaluation_work import EvaluationWork, largest_common_folder, share_models
from resources.home import Home
from resources.inference import Inference, cores
from resources.model_store import ModelStore

FEED_COLUMNS = ("product_id", "variant", "category", "color", "pattern", "image")
MARKER = "made_of.txt"  # says what a home was built of; a home that has not changed is not built again
BUILT = "+android_bundle"  # the benchmark is another's business: the protocol's queries are not in the feed


@dataclass(frozen=True)
class OpenGallery:
    """A gallery that can be searched, and what it was made of."""

    gallery: Gallery
    photos: tuple[Photo, ...]  # that it was to hold
    problems: tuple[tuple[str, str], ...]  # photos that it doesn't hold, and why
    home: Home | None  # None where a bundle's models described it
    float_engine: Engine | None  # the same with the float form of every model; None where there is none

    @property
    def engine(self) -> Engine:
        """The search as it ships."""
        return self.gallery.engine

    def embedded(self, *roles: Role) -> bool:
        """Are models of some role our own, which have learnt from photos of the dev split?"""
        used = [MODELS[name] for name in self.engine.bundle.manifest["models"] if name in MODELS]
        return any(row.source.startswith("embedded:") and row.role in roles for row in used)

    def models(self) -> dict[str, str]:
        """The models that describe queries: form and sha256 of each."""
        manifest = self.engine.bundle.manifest
        return {
            name: f"{told['form']}, sha256 {manifest['files'][told['file']]['sha256']}"
            for name, told in manifest["models"].items()
        }


@dataclass
class Galleries:
    """Opens galleries, each once; `bundle` or else homes with `profile`."""

    work: EvaluationWork
    main_home: Home  # whose models other homes use
    profile: str
    bundle: Path | None = None
    digest_of: dict[str, str] = field(default_factory=dict)  # sha256 of every photo that was read, by name
    _open: dict[str, OpenGallery] = field(default_factory=dict)
    _bundled: dict[Path, Engine] = field(default_factory=dict)

    def readable(self, photos: Sequence[Photo]) -> tuple[list[Photo], list[tuple[str, str]]]:
        """The photos whose file can be read, and why the others can't."""
        found, problems = [], []
        for photo in photos:
            try:
                if photo.name not in self.digest_of:
                    self.digest_of[photo.name] = digests.of_file(photo.file)
                found.append(photo)
            except OSError as error:
                problems.append((photo.name, f"can't be read ({error.strerror})"))
        return found, problems

    def open(self, name: str, photos: Sequence[Photo]) -> OpenGallery:
        """The gallery called `name` of some photos.

        Raises: FeedError where not one of them can be used; other LookbookErrors as `lookbook build`.
        """
        if name not in self._open:
            readable, problems = self.readable(photos)
            if not readable:
                raise FeedError(f"not one of its {len(photos)} photos can be read; the first: {problems[0][0]}")
            opened = self._described(name, readable, self.bundle) if self.bundle else self._built(name, readable)
            self._open[name] = OpenGallery(
                opened.gallery, tuple(photos), (*problems, *opened.problems), opened.home, opened.float_engine
            )
        return self._open[name]

    def describe(self, name: str, part: str, engine: Engine, photos: Sequence[Photo]) -> DescribedPhotos:
        """Photos as an engine sees them; `part` names the engine and the photos among those of one gallery."""
        readable, problems = self.readable(photos)
        _say(f"{name}: {len(readable)} photos described ({part})")
        described = describe_photos(engine, readable, self.digest_of, self.work.described(name, part))
        return DescribedPhotos(described.features, (*problems, *described.problems))

    def without_segmenter(self, name: str) -> tuple[Gallery, Engine]:
        """A gallery of whole photos, nothing cut out, and the engine that describes queries likewise."""
        standing = self._open[name]
        describer = engines.without_segmenter(standing.float_engine or standing.engine)
        photos = [photo for photo in standing.photos if photo.name in self.digest_of]
        described = self.describe(name, "gallery-whole", describer, photos)
        asked = engines.without_segmenter(standing.engine)
        return self._over(asked, photos, described), asked

    def _described(self, name: str, photos: Sequence[Photo], bundle: Path) -> OpenGallery:
        engine = self._bundled.setdefault(bundle, Engine(bundle, cores()))
        described = self.describe(name, "gallery", engine, photos)
        if not described.features:
            raise FeedError(f"not one of its {len(photos)} photos can be used; the first: {described.problems[0][1]}")
        return OpenGallery(self._over(engine, photos, described), (), described.problems, None, None)

    def _over(self, engine: Engine, photos: Sequence[Photo], described: DescribedPhotos) -> Gallery:
        held = [photo for photo in photos if photo.name in described.features]
        items = [
            {
                **dict(zip(ITEM_COLUMNS, (photo.product_id, photo.variant, 0), strict=True)),
                "category": photo.category,
                "photo": photo.file,
            }
            for photo in held
        ]
        features = [described.features[photo.name].features for photo in held]
        space = engine.bundle.manifest["router"]["space"]
        routed = np.stack([one.embeddings[space] for one in features])
        return Gallery(engines.with_gallery(engine, items, features), tuple(held), routed)

    def _built(self, name: str, photos: Sequence[Photo]) -> OpenGallery:
        home = self.work.home(name)
        share_models(self.main_home, home)
        home.root.mkdir(parents=True, exist_ok=True)
        feed = _write_feed(home.root / "feed", photos)
        marker = home.root / MARKER
        if not _is_built(home) or _of_file(marker) != self._made_of(home, feed, photos):
            marker.unlink(missing_ok=True)
            run_build(home.root, profile=self.profile, feed=str(feed), select=BUILT, stale=False, accept_changes=True)
            atomic.write_text(marker, self._made_of(home, feed, photos))
        engine = Engine(home.bundles / "current", cores())
        lake = DataLake(root=str(home.data_lake), home=str(home.root.resolve()))
        rejected = [row for row in lake.read_rejected() if row["outcome"] == "rejected"]
        problems = tuple((row["image"] or row["product_id"], f"{row['reason']}: {row['detail']}") for row in rejected)
        float_engine = engines.float_forms(engine, ModelStore(root=str(home.models)), cores())
        labels = label_rows(engine, photos, lake)
        gallery = Gallery(engine, labels, self._router_embeddings(name, float_engine, labels))
        return OpenGallery(gallery, (), problems, home, float_engine)

    def _router_embeddings(self, name: str, engine: Engine, labels: Sequence[Photo]) -> np.ndarray:
        """Every row in the router's space: as the bundle has them, else described where other encoders made them."""
        bundle = engine.bundle
        space = bundle.manifest["router"]["space"]
        if bundle.space_names == (space,):
            return bundle.embeddings
        described = self.describe(name, "gallery-router", engine, list(dict.fromkeys(labels)))
        return np.stack([described.features[label.name].features.embeddings[space] for label in labels])

    def _made_of(self, home: Home, feed: Path, photos: Sequence[Photo]) -> str:
        """Digest of all that a home is made of: its feed, its photos, and all code, models and numbers."""
        graph = build_definitions(home).resolve_asset_graph()
        code = {key.to_user_string(): graph.get(key).code_version for key in graph.materializable_asset_keys}
        pixels = [self.digest_of[photo.name] for photo in photos]
        return digests.of_values(digests.of_file(feed.with_suffix(".csv")), pixels, code)


def _is_built(home: Home) -> bool:
    return home.settings_file.exists() and (home.bundles / "current").exists()


def _of_file(path: Path) -> str:
    return path.read_text("ascii") if path.is_file() else ""


def inference_of(home: Home) -> Inference:
    """The models of a built home, as its stages open them."""
    return Inference(models=ModelStore(root=str(home.models)))


def _write_feed(folder: Path, photos: Sequence[Photo]) -> Path:
    """Write photos as a feed that `lookbook build` reads; returns its description."""
    files = [photo.file.resolve() for photo in photos]  # links followed, as those of queries and of a bundle are
    root = largest_common_folder(files)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(FEED_COLUMNS)
    for photo, file in zip(photos, files, strict=True):
        image = file.relative_to(root).as_posix()
        writer.writerow((photo.product_id, photo.variant, photo.category, photo.color, photo.pattern, image))
    atomic.write_text(folder / "feed.csv", table.getvalue())
    description = folder / "feed.toml"
    where = json.dumps(str(root), ensure_ascii=False)  # a JSON string is a TOML one
    atomic.write_text(description, f'format = "csv"\npath = "feed.csv"\nphotos = {where}\n')
    return description


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201

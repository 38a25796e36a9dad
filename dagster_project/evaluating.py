"""`lookbook evaluate`: puts a folder of labelled photos through every protocol and prints what came of it."""

import datetime
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from assets.evaluation import seen_in_training
from assets.evaluation.asking import ask, settings
from assets.evaluation.copies import with_copies
from assets.evaluation.drawn_shop import drawn_shop
from assets.evaluation.fitted_fusion import ask_fitted
from assets.fitted_weights import FITTED
from catalog.errors import FeedError, FormatError, LookbookError, ModelError
from catalog.evaluation import evaluation_report, protocol_scores, protocols
from catalog.evaluation.evaluation_report import FLOAT, FULL, WITHOUT_SEGMENTATION, Measured, Report
from catalog.evaluation.labelled_photos import MANIFEST, Photo, read_manifest
from catalog.evaluation.pairs import read_pairs, sample
from catalog.evaluation.protocols import INT8, LUMA, MASKS, PAIRS, PRINTS, ROUTING, SAMPLE, Protocol
from catalog.formats import digests
from catalog.model_descriptions import Role
from dagster_project.evaluating_masks import NO_FLOAT_FORMS, measure_agreement, measure_masks
from dagster_project.evaluation_homes import Galleries, OpenGallery
from resources.evaluation_work import EvaluationWork
from resources.home import Home, find_home
from resources.model_store import ModelStore
from resources.profile import load_profile
from resources.settings import load_settings

CLOTHING = "clothing"  # prints and routing search one home


@dataclass(frozen=True, kw_only=True)
class Request:
    """What `lookbook evaluate` was asked."""

    data: Path
    profile: str | None
    bundle: Path | None
    names: tuple[str, ...]  # of protocols; () for all
    work: Path | None
    ablation: bool
    against: Path | None
    json_file: Path | None
    pairs: Path | None
    sample_share: float
    seed: int
    sample_products: int


def run_evaluation(request: Request, named_home: Path | None) -> None:
    """Measure, print Markdown on standard output and write the JSON; compare with --against, else with the run before.

    Raises: LookbookError, one line, for a data folder, profile, bundle or file that can't be used, or nothing measured;
        OSError for a file that can't be written, before anything is measured.
    """
    home = find_home(named_home, os.environ)
    if request.json_file:
        _check_writable(request.json_file)
    against = evaluation_report.read(request.against) if request.against else None
    profile = request.profile or load_settings(home.settings_file).profile
    if profile.endswith(".toml"):  # relative to where the command runs, or to the home that names it
        path = Path(profile).expanduser() if request.profile else home.root / profile
        profile = str(path.absolute())
    subject = f"bundle {request.bundle.resolve()}" if request.bundle else f"profile {profile}"
    if not request.bundle:
        _have_models(profile, home)
    folder = request.work or home.root / "evaluation"
    work = EvaluationWork.of(folder, request.data, subject)
    report = _Evaluation(request, Galleries(work, home, profile, request.bundle)).report(subject)
    click.echo(evaluation_report.as_markdown(report))
    # a bundle by the name it was called by: `current` is compared with what `current` was before
    asked = f"bundle {request.bundle.absolute()}" if request.bundle else subject
    last = EvaluationWork.of(folder, request.data, asked).last
    before = _read_last(last)
    if against:
        click.echo(evaluation_report.compare(report, against))
    elif before and before["protocols"].keys() & report["protocols"].keys():
        click.echo("Compared with the run before.\n")
        click.echo(evaluation_report.compare(report, before))
    if request.json_file:
        evaluation_report.write(request.json_file, report)
    if not any("rows" in part for part in report["protocols"].values()):
        why = "; ".join(f"{name}: {part['left_out']}" for name, part in report["protocols"].items())
        raise LookbookError(f"{request.data}: nothing was measured: {why}")
    evaluation_report.write(last, evaluation_report.with_earlier(report, before))


def _check_writable(path: Path) -> None:
    """Raises: OSError where a file can't be made there; LookbookError for a folder."""
    if path.is_dir():
        raise LookbookError(f"{path}: a folder; --json names a file")
    path.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=path.absolute().parent):
        pass


def _read_last(path: Path) -> Report | None:
    try:
        return evaluation_report.read(path) if path.exists() else None
    except FormatError as error:  # it is written anew, and must not stop what was measured now
        click.echo(f"not compared with the run before: {error}", err=True)
        return None


def _have_models(profile: str, home: Home) -> None:
    """Stop before the first photo, not at the stage that needs it. Raises: ModelError naming all that is missing."""
    store = ModelStore(root=str(home.models))
    if missing := store.not_pulled(load_profile(profile, home.root).model_names()):
        pull = store.pull_command("--profile", profile)
        raise ModelError(f"profile {profile}: not pulled yet: {', '.join(missing)}; {pull}")


@dataclass(frozen=True)
class _Evaluation:
    """One request and the galleries that it opens."""

    request: Request
    galleries: Galleries

    def report(self, subject: str) -> Report:
        data, names = self.request.data, self.request.names or protocols.NAMES
        needs_manifest = not set(names) <= {PAIRS, SAMPLE}
        photos = read_manifest(data) if needs_manifest else []
        ways: Mapping[str, Callable[[], Measured | str]] = {
            MASKS: lambda: measure_masks(self.galleries, photos, ablation=self.request.ablation),
            SAMPLE: lambda: self._retrieval(self._sample()),
            INT8: lambda: self._agreement(photos),
            PAIRS: self._pairs,
        }
        parts = {}
        for name in protocols.NAMES:
            if name not in names:
                continue
            try:
                found = ways[name]() if name in ways else self._of_manifest(name, photos)
            except FeedError as error:  # nothing of its gallery can be used; the other protocols go on
                found = str(error)
            parts[name] = (
                evaluation_report.protocol_report(found) if isinstance(found, Measured) else {"left_out": found}
            )
        return {
            "format": evaluation_report.FORMAT,
            "format_version": evaluation_report.FORMAT_VERSION,
            "subject": subject,
            "measured_at": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            "data": data.resolve().name,
            "manifest_sha256": digests.of_file(data / MANIFEST) if (data / MANIFEST).is_file() else "",
            "pairs_sha256": digests.of_file(self.request.pairs) if self.request.pairs else "",
            "protocols": parts,
        }

    def _of_manifest(self, name: str, photos: Sequence[Photo]) -> Measured | str:
        protocol = protocols.choose(name, photos)
        if protocol is None or not protocol.gallery or not protocol.queries:
            left_out = protocol.left_out if protocol else {}
            return "; ".join([protocols.NO_ROWS, *(f"{len(names)} photos, {why}" for why, names in left_out.items())])
        if name not in (PRINTS, ROUTING):
            return self._retrieval(protocol)
        both = [protocols.choose(other, photos) for other in (ROUTING, PRINTS)]
        gallery = {photo.name: photo for part in both if part for photo in part.gallery}
        return self._retrieval(protocol, CLOTHING, tuple(gallery.values()))

    def _retrieval(self, protocol: Protocol, gallery_name: str = "", photos: tuple[Photo, ...] = ()) -> Measured | str:
        """A protocol of retrieval in its own gallery, or in one that it shares, which holds more photos."""
        name = gallery_name or protocol.name
        opened = self.galleries.open(name, photos or protocol.gallery)
        asked, notes = self._scored(name, protocol, opened)
        described = self.galleries.describe(name, f"queries-{protocol.name}", opened.engine, asked.queries)
        problems = list(dict.fromkeys((*opened.problems, *described.problems)))
        asked = replace(asked, queries=tuple(photo for photo in asked.queries if photo.name in described.features))
        if not asked.queries:
            return "no query that can be scored" + "".join(f"; {note}" for note in notes)
        if protocol.name == ROUTING and protocols.senders(opened.gallery.labels) < 2:
            return "all its photos are of one sender, and prototypes are made of others'"
        own = {photo.name for photo in protocol.gallery}
        rows = {
            row: protocol_scores.score(asked, ask(opened.gallery, asked, described, setting), opened.gallery.labels)
            for row, setting in settings(
                opened.engine.bundle.weights, asked, ablation=self.request.ablation and protocol.name != ROUTING
            ).items()
        }
        if self.request.ablation and not asked.kind.leave_one_out:
            try:
                answers = ask_fitted(opened.gallery, asked, described)
                rows[FITTED] = protocol_scores.score(asked, answers, opened.gallery.labels)
            except LookbookError as error:
                notes.append(f"no row {FITTED!r}: {str(error).partition(';')[0]}")
        if self.request.ablation:
            rows |= self._with_other_models(name, asked, opened)
            if opened.float_engine is None:
                notes.append(f"no row {FLOAT!r}: a published bundle has none")
        return Measured(
            gallery=sum(label.name in own for label in opened.gallery.labels),
            queries=len(asked.queries),
            notes=notes,
            problems=problems,
            models=opened.models(),
            chance=protocol_scores.chance(protocol, opened.gallery.labels),
            groups={photo.name: protocols.group_of(protocol, photo) for photo in asked.queries},
            rows=rows,
        )

    def _scored(self, name: str, protocol: Protocol, opened: OpenGallery) -> tuple[Protocol, list[str]]:
        """The protocol with the queries that are scored, and what is said of the others."""
        self.galleries.readable(protocol.queries)
        lake = self.galleries.work.described(name, "looks")
        looked = with_copies(protocol, opened.gallery.labels, self.galleries.digest_of, lake)
        asked = protocols.askable(looked, opened.gallery.labels)
        notes = [f"left out, {why}: {len(names)} photos" for why, names in asked.left_out.items()]
        if opened.embedded(Role.SEMANTIC, Role.TEXTURE):
            unseen = tuple(photo for photo in asked.queries if not seen_in_training.by_encoders(protocol, photo))
            if len(unseen) < len(asked.queries):
                notes.append(
                    f"{len(unseen)} of {len(asked.queries)} queries are scored: the others are of senders or styles "
                    "that the embedded models may learn from (their photos stand in the gallery)"
                )
            asked = replace(asked, queries=unseen)
        learnt = seen_in_training.learnt_by(opened.engine.bundle.manifest["models"], self.galleries.main_home.trained)
        notes += [f"what {model} learnt from is not known here: it may be scored" for model in learnt.unknown]
        unseen = tuple(
            photo for photo in asked.queries if self.galleries.digest_of.get(photo.name) not in learnt.sha256
        )
        if len(unseen) < len(asked.queries):
            notes.append(f"left out, the home's own model learnt from it: {len(asked.queries) - len(unseen)} photos")
        return replace(asked, queries=unseen), notes

    def _with_other_models(self, name: str, asked: Protocol, opened: OpenGallery) -> dict[str, protocol_scores.Values]:
        """The ablation's rows for which photos are described anew."""
        whole, whole_engine = self.galleries.without_segmenter(name)
        ways = {WITHOUT_SEGMENTATION: (whole, whole_engine)}
        if opened.float_engine:
            ways[FLOAT] = (opened.gallery, opened.float_engine)
        rows = {}
        for row, (searched, engine) in ways.items():
            part = f"queries-{asked.name}-{row.replace(' ', '-')}"
            described = self.galleries.describe(name, part, engine, asked.queries)
            only = settings(engine.bundle.weights, asked, ablation=False)[FULL]
            rows[row] = protocol_scores.score(asked, ask(searched, asked, described, only), searched.labels)
        return rows

    def _sample(self) -> Protocol:
        return drawn_shop(self.galleries.work.sample_shop(self.request.sample_products), self.request.sample_products)

    def _agreement(self, photos: Sequence[Photo]) -> Measured | str:
        if self.request.bundle:
            return NO_FLOAT_FORMS
        luma = protocols.choose(LUMA, photos)
        sources = [*([luma] if luma and luma.gallery else []), self._sample()]
        return measure_agreement(self.galleries, sources)

    def _pairs(self) -> Measured | str:
        if not self.request.pairs:
            return "no --pairs FILE was named"
        pairs = read_pairs(self.request.pairs, self.request.data)
        protocol, sampling = sample(pairs, self.request.sample_share, self.request.seed)
        found = self._retrieval(protocol, f"{PAIRS}-{digests.of_file(self.request.pairs)[:8]}")
        if isinstance(found, Measured):
            found.notes.insert(0, f"{sampling}; seed {self.request.seed}")
        return found

"""The protocol `masks` and the protocol `int8` of `lookbook evaluate`: cut-outs, and forms against forms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from assets.evaluation import agreement, cut_outs, seen_in_training
from catalog.errors import ImageError
from catalog.evaluation import protocol_scores, protocols
from catalog.evaluation.evaluation_report import FLOAT, FULL, Measured
from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocols import INT8, MASKS, Protocol
from catalog.model_descriptions import Role
from dagster_project.evaluation_homes import Galleries, OpenGallery, inference_of
from resources.data_lake import DataLake
from resources.profile import load_profile

NO_FLOAT_FORMS = "a published bundle has no float forms to agree with"


def measure_masks(galleries: Galleries, photos: Sequence[Photo], *, ablation: bool) -> Measured | str:
    """Cut-outs of the query's segmenter and the catalogue's against exact masks; a reason where there are none."""
    of_subject = protocols.choose_masked(photos)
    if not of_subject:
        return protocols.NO_ROWS
    everything = [replace(photo, product_id=photo.name, variant="") for own in of_subject.values() for photo in own]
    opened = galleries.open(MASKS, everything)
    catalogue = _catalogue_masks(galleries, opened)
    measured = Measured(
        gallery=len(opened.gallery.labels), queries=0, problems=list(opened.problems), models=opened.models()
    )
    by_float: protocol_scores.Values = {}
    full: protocol_scores.Values = {}
    for subject, own in of_subject.items():
        scored, exact = _exact(galleries, opened, subject, own, measured)
        if not scored:
            continue
        asked = cut_outs.with_exact_files(exact, scored, galleries.work.exact_masks(MASKS))
        part = f"queries-{subject}"
        full |= cut_outs.query_ious(galleries.describe(MASKS, part, opened.engine, asked), subject, asked)
        if ablation and opened.float_engine:
            described = galleries.describe(MASKS, f"{part}-float", opened.float_engine, asked)
            by_float |= cut_outs.query_ious(described, subject, asked)
        product_of = {photo.name: photo.product_id for photo in scored}
        measured.groups |= product_of
        if catalogue:
            values, photo_of = catalogue.ious(subject, exact)
            full |= values
            measured.groups |= {garment: product_of[photo] for garment, photo in photo_of.items()}
        measured.queries += len(scored)
    if not full:
        return "no photo with an exact mask that can be scored"
    measured.rows = {FULL: full, **({FLOAT: by_float} if by_float else {})}
    return measured


def _exact(
    galleries: Galleries, opened: OpenGallery, subject: str, own: Sequence[Photo], measured: Measured
) -> tuple[list[Photo], Mapping[str, cut_outs.Exact]]:
    """The photos that are scored, and their exact masks; `measured` is told of the others."""
    unseen = [photo for photo in own if not (opened.embedded(Role.SEGMENTER) and seen_in_training.by_segmenter(photo))]
    if len(unseen) < len(own):
        measured.notes.append(
            f"{subject}: {len(unseen)} of {len(own)} photos are scored: the others are among those that the embedded "
            "segmenter may have learnt from"
        )
    exact = {}
    for photo in galleries.readable(unseen)[0]:
        try:
            exact[photo.name] = cut_outs.exact_masks(photo, subject)
        except ImageError as error:
            measured.problems.append((photo.name, str(error)))
    scored = [photo for photo in unseen if photo.name in exact]
    if subject == protocols.PERSON and (nameless := cut_outs.without_names(scored)):
        measured.notes.append(f"no garment is scored where {cut_outs.LABELS} can't be read: {', '.join(nameless)}")
    return scored, exact


def _catalogue_masks(galleries: Galleries, opened: OpenGallery) -> cut_outs.CatalogueMasks | None:
    if opened.home is None:
        return None
    home = opened.home
    finder = inference_of(home).product_finder(load_profile(galleries.profile, home.root))
    lake = DataLake(root=str(home.data_lake), home=str(home.root))
    return cut_outs.CatalogueMasks(lake, finder.segmenter, finder.saliency)


def measure_agreement(galleries: Galleries, sources: Sequence[Protocol]) -> Measured | str:
    """The forms that ship against the float ones over every product of some galleries; a reason where there is none."""
    measured, every = Measured(gallery=0, queries=0), dict[str, float]()
    parts: protocol_scores.Values = {}
    for protocol in sources:
        opened = galleries.open(protocol.name, protocol.gallery)
        if opened.float_engine is None:
            return NO_FLOAT_FORMS
        asked = galleries.readable(protocol.gallery)[0]
        shipped, by_float = (
            galleries.describe(protocol.name, f"products-{part}", engine, asked)
            for part, engine in (("shipped", opened.engine), ("float", opened.float_engine))
        )
        found = agreement.agreement(opened.gallery, asked, by_float, shipped)
        if len(found) < len(asked):
            measured.notes.append(
                f"{protocol.name}: {len(asked) - len(found)} of {len(asked)} photos have no value: they can't be "
                "described, or the float search finds nothing but their own product"
            )
        if found:
            parts[f"{agreement.MEASURE}, {protocol.name}"] = found
            every |= found
        measured.problems += [problem for problem in shipped.problems if problem not in measured.problems]
        measured.groups |= {photo.name: photo.product_id for photo in asked}
        measured.gallery += len(opened.gallery.labels)
        measured.queries += len(found)
        measured.models |= {f"{protocol.name}, {name}": told for name, told in opened.models().items()}
    if not every:
        return f"{protocols.NO_ROWS} of {INT8}'s galleries"
    measured.rows = {FULL: {agreement.MEASURE: every, **parts}}
    return measured

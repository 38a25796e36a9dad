"""The protocols of `lookbook evaluate`: who is the gallery, who is asked, and what is left out for a query.

docs/evaluation.md defines them for people. What searches, and with which models, is not known here.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from catalog.evaluation.labelled_photos import Photo

LUMA, FABRIC, PRINTS, ROUTING, GROCERY = "luma", "fabric", "prints", "routing", "grocery"
MASKS, SAMPLE, INT8, PAIRS = "masks", "sample", "int8", "pairs"
NAMES = (LUMA, FABRIC, PRINTS, ROUTING, GROCERY, MASKS, SAMPLE, INT8, PAIRS)
PRINT_CLASSES = ("plain", "checked", "floral", "striped")  # that are scored; the others stay in the gallery
UNCERTAIN = "uncertain join"
FOLDS = 5
PERSON, PRODUCT = "person", "product"  # what an exact mask shows
NO_PRODUCT, SAME_PHOTO = "its product is not in the gallery", "its very photo, or nearly, is in the gallery"
REPEATED = "an earlier row names the same photo"
ROLES = ("gallery", "query")
NO_ROLE = "its role is neither gallery nor query"
NO_ROWS = "no rows"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How a protocol of retrieval is asked."""

    rows: tuple[str, ...] = ()  # sources, or tasks, whose rows are its own
    by_sender: bool = False  # queries stand or fall with their sender, else with their product
    leave_one_out: bool = False  # every photo is asked, the same sender's left out; else roles say gallery and query
    everywhere: bool = False  # all categories are searched, else the routed ones
    whole: bool = False  # the ranking of the whole gallery is wanted too
    within: bool = False  # so is that of the query's category without its product


KINDS: Mapping[str, Kind] = {
    LUMA: Kind(rows=("luma", "instance+colour retrieval")),
    FABRIC: Kind(rows=("fingercam", "print/texture retrieval"), whole=True),
    PRINTS: Kind(rows=("print-class retrieval",), by_sender=True, leave_one_out=True, everywhere=True),
    ROUTING: Kind(rows=("clothing", "category routing"), by_sender=True, leave_one_out=True, everywhere=True),
    GROCERY: Kind(rows=("grocery", "street-to-catalog retrieval"), whole=True),
    SAMPLE: Kind(within=True),
    PAIRS: Kind(whole=True),
}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A gallery and what is asked of it."""

    name: str
    gallery: tuple[Photo, ...]
    queries: tuple[Photo, ...]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # why -> names of photos
    copies: Mapping[str, frozenset[str]] = field(default_factory=dict)  # query -> photos of the gallery that it is

    @property
    def kind(self) -> Kind:
        """How it is asked."""
        return KINDS[self.name]


def choose(name: str, photos: Sequence[Photo]) -> Protocol | None:
    """A manifest's own protocol of retrieval; None where the manifest has no rows of it."""
    kind = KINDS[name]
    own = [photo for photo in photos if photo.source in kind.rows or not set(photo.tasks).isdisjoint(kind.rows)]
    left_out: dict[str, tuple[str, ...]] = {}
    if repeated := tuple(photo.name for photo in own if photo.repeats):
        left_out[REPEATED] = repeated
        own = [photo for photo in own if not photo.repeats]
    if name == FABRIC:
        certain = [photo for photo in own if UNCERTAIN not in photo.notes]
        if len(certain) < len(own):
            left_out[UNCERTAIN] = tuple(photo.name for photo in own if UNCERTAIN in photo.notes)
        own = [replace(photo, variant=photo.name) for photo in certain]  # its photos are ranked one by one
    if kind.leave_one_out:
        own = [photo for photo in own if photo.pattern or name != PRINTS]
        queries = [photo for photo in own if photo.pattern in PRINT_CLASSES or name != PRINTS]
        return Protocol(name=name, gallery=tuple(own), queries=tuple(queries), left_out=left_out) if own else None
    gallery, asked = (tuple(photo for photo in own if photo.role == role) for role in ROLES)
    if others := tuple(photo.name for photo in own if photo.role not in ROLES):
        left_out[NO_ROLE] = others
    return Protocol(name=name, gallery=gallery, queries=asked, left_out=left_out) if own else None


def choose_masked(photos: Sequence[Photo]) -> dict[str, tuple[Photo, ...]]:
    """A manifest's photos with exact masks, by what the masks show; each photo a product of its own."""
    photos = [photo for photo in photos if not photo.repeats]
    of_subject = {
        PERSON: [photo for photo in photos if photo.mask and (photo.source == "ccp" or "segmentation" in photo.tasks)],
        PRODUCT: [
            photo
            for photo in photos
            if photo.source == "saleor" or any(task.startswith("mask/alpha") for task in photo.tasks)
        ],
    }
    return {subject: tuple(own) for subject, own in of_subject.items() if own}


def askable(protocol: Protocol, labels: Sequence[Photo]) -> Protocol:
    """The protocol without the queries that have no answer, or are their own answer, in the gallery as it was built.

    `labels` are the photos that the built gallery holds.
    """
    if protocol.kind.leave_one_out:
        return protocol
    products = {photo.product_id for photo in labels}
    why: dict[str, list[str]] = {}
    kept = []
    for query in protocol.queries:
        if query.product_id not in products:
            why.setdefault(NO_PRODUCT, []).append(query.name)
        elif protocol.copies.get(query.name):
            why.setdefault(SAME_PHOTO, []).append(query.name)
        else:
            kept.append(query)
    left_out = {**protocol.left_out, **{reason: tuple(names) for reason, names in why.items()}}
    return replace(protocol, queries=tuple(kept), left_out=left_out)


def left_out_rows(protocol: Protocol, query: Photo, labels: Sequence[Photo]) -> list[int]:
    """The rows of a gallery that a query must not find: itself, its sender's, its copies, other protocols' photos."""
    if not protocol.kind.leave_one_out:
        return []
    own = {photo.name for photo in protocol.gallery}
    copies = protocol.copies.get(query.name, frozenset())
    return [
        row
        for row, photo in enumerate(labels)
        if photo.name == query.name
        or (query.sender_id and photo.sender_id == query.sender_id)
        or photo.name in copies
        or photo.name not in own
    ]


def group_of(protocol: Protocol, photo: Photo) -> str:
    """What a query stands or falls with when intervals are drawn."""
    return (photo.sender_id or photo.name) if protocol.kind.by_sender else photo.product_id


def senders(photos: Sequence[Photo]) -> int:
    """How many sent the photos; one of an unknown sender counts as a sender."""
    return len({photo.sender_id or photo.name for photo in photos})


def folds(photos: Sequence[Photo]) -> dict[str, int]:
    """The fold of every photo, by its name: senders dealt out in the order of their digests, so that it never changes.

    There are `FOLDS`, or as many as senders where these are fewer.
    """
    named = sorted({photo.sender_id or photo.name for photo in photos}, key=_digest)
    count = min(FOLDS, len(named))
    fold_of = {sender: place % count for place, sender in enumerate(named)}
    return {photo.name: fold_of[photo.sender_id or photo.name] for photo in photos}


def prevalence(protocol: Protocol, labels: Sequence[Photo]) -> dict[str, float]:
    """The share of each scored print class in the gallery: what picking at random would reach."""
    own = {photo.name for photo in protocol.gallery}
    counts = Counter(photo.pattern for photo in labels if photo.name in own)
    total = sum(counts.values())
    return {name: counts[name] / total for name in PRINT_CLASSES if counts[name]}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

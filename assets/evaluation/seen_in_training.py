"""Which photos the embedded models, or a home's own, may have learnt from: those carry no score."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocols import LUMA, Protocol
from catalog.formats import trained_models
from catalog.model_descriptions import SHIPPED_MODELS
from catalog.training import photos as training_photos

DEV = "dev"  # the split that training may read; another one it never sees


def by_encoders(protocol: Protocol, photo: Photo) -> bool:
    """May the encoders have seen this photo's sender, or its style?"""
    if photo.split != DEV:
        return False
    if protocol.kind.by_sender:
        return bool(photo.sender_id) and not training_photos.is_held_out(photo.sender_id)
    return protocol.name == LUMA and not training_photos.is_held_out_style(photo.product_id)


def by_segmenter(photo: Photo) -> bool:
    """May the segmenter have seen this street photo?"""
    return photo.split == DEV and photo.mask is not None and not training_photos.is_held_out_photo(photo.name)


@dataclass(frozen=True)
class Learnt:
    """What models that homes trained themselves learnt from."""

    sha256: frozenset[str]  # of the photos' files
    unknown: tuple[str, ...]  # models of which nobody here knows


def learnt_by(models: Iterable[str], trained: Path) -> Learnt:
    """What those of the models that are not Lookbook's own learnt from, by the folder of a home's trained models."""
    sha256: set[str] = set()
    unknown = []
    for name in models:
        if name in SHIPPED_MODELS:
            continue
        learnt = trained_models.read_learnt(trained / name)
        if learnt is None:
            unknown.append(name)
        else:
            sha256 |= learnt
    return Learnt(frozenset(sha256), tuple(unknown))

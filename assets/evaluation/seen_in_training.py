"""Which photos the embedded models may have learnt from: those carry no score."""

from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.protocols import LUMA, Protocol
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

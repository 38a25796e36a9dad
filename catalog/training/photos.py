"""The CC0 photos that the embedded models learn from, and the part of them that no training ever sees."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import FormatError

LICENCE = "CC0-1.0"
FOLDERS = ("clothing", "clothing_extra")
HELD_OUT_SHARE = 0.22  # of the senders
HELD_OUT_PHOTOS = 0.40  # of the street photos that a segmenter learns from
HELD_OUT_STYLES = 0.40  # of the real shop's styles


@dataclass(frozen=True)
class LabelledPhoto:
    """One CC0 photo of one garment on a bed, a floor or a hanger."""

    path: Path
    name: str  # its path in the manifest: what caches are named by
    category: str
    pattern: str  # hand-set print class, "" where nobody set one
    sender_id: str


def is_held_out(sender_id: str) -> bool:
    """Is this sender's every photo kept from training? Decided by the digest of the sender, so it never changes."""
    return _digest_share(sender_id) < HELD_OUT_SHARE


def is_held_out_photo(name: str) -> bool:
    """Is this street photo kept from the segmenter's training? Decided by the digest of its file's name."""
    return _digest_share(Path(name).name) < HELD_OUT_PHOTOS


def is_held_out_style(product_id: str) -> bool:
    """Is this style of the real shop, in all its colours, kept from training? Decided by the digest of its id."""
    return _digest_share(product_id) < HELD_OUT_STYLES


def cc0_photos(data_dir: Path) -> tuple[list[LabelledPhoto], list[LabelledPhoto]]:
    """The (training, held-out) CC0 photos of a data folder with a manifest.csv; the held part by sender.

    Only `clothing` is held out (its photos carry scores); held-out senders' photos in `clothing_extra` are left out
    altogether. Raises: FormatError when the manifest isn't there.
    """
    manifest = data_dir / "manifest.csv"
    if not manifest.is_file():
        raise FormatError(f"{manifest}: not there; name the folder that holds the CC0 photos and their manifest.csv")
    training, held_out = [], []
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            folder = row["path"].partition("/")[0]
            if folder not in FOLDERS or row["licence"] != LICENCE:
                continue
            photo = LabelledPhoto(
                data_dir / row["path"], row["path"], row["category"], row["pattern"], row["sender_id"]
            )
            if not is_held_out(photo.sender_id):
                training.append(photo)
            elif folder == "clothing":
                held_out.append(photo)
    return training, held_out


def _digest_share(identity: str) -> float:
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 2**32

"""The photos that the embedded models learn from, and the part of each set that no training ever sees."""

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
SHOP, STREET = "luma", "ccp"
# What the real shop calls what the encoder's head calls otherwise; its watches and gym things have no name there.
SHOP_CATEGORIES = {
    "bags": "bag",
    "bras_tanks": "top",
    "hoodies_sweatshirts": "hoodie",
    "jackets": "outwear",
    "pants": "pants",
    "shorts": "shorts",
    "tanks": "top",
    "tees": "t-shirt",
}


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo to learn from: a garment on a bed or a hanger, on a shop's model, or a person in the street."""

    path: Path
    name: str  # its path in the manifest: what caches are named by
    category: str  # "" where none of the encoder's own fits
    pattern: str  # hand-set print class, "" where nobody set one
    sender_id: str
    product: str = ""  # what its other photos show as well; "" where it has none
    labels: Path | None = None  # a street photo's garments, a label a pixel


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
    training, held_out = [], []
    for row in _rows(data_dir):
        folder = row["path"].partition("/")[0]
        if folder not in FOLDERS or row["licence"] != LICENCE:
            continue
        photo = LabelledPhoto(data_dir / row["path"], row["path"], row["category"], row["pattern"], row["sender_id"])
        if not is_held_out(photo.sender_id):
            training.append(photo)
        elif folder == "clothing":
            held_out.append(photo)
    return training, held_out


def shop_photos(data_dir: Path) -> list[LabelledPhoto]:
    """The real shop's photos of the styles that may be learnt from; those of one colour of a style are one product."""
    return [
        LabelledPhoto(
            data_dir / row["path"],
            row["path"],
            SHOP_CATEGORIES.get(row["category"], ""),
            row["pattern"],
            "",
            row["variant_id"],
        )
        for row in _rows(data_dir)
        if row["source"] == SHOP and not is_held_out_style(row["product_id"])
    ]


def street_photos(data_dir: Path) -> list[LabelledPhoto]:
    """The photos of people in the street that may be learnt from, with the labels of their garments' pixels."""
    return [
        LabelledPhoto(data_dir / row["path"], row["path"], "", "", "", labels=data_dir / row["mask_path"])
        for row in _rows(data_dir)
        if row["source"] == STREET and row["mask_path"] and not is_held_out_photo(row["path"])
    ]


def _rows(data_dir: Path) -> list[dict[str, str]]:
    manifest = data_dir / "manifest.csv"
    if not manifest.is_file():
        raise FormatError(f"{manifest}: not there; name the folder that holds the photos and their manifest.csv")
    with manifest.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _digest_share(identity: str) -> float:
    return int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) / 2**32

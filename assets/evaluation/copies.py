"""Queries whose photo is in the gallery: the same file, or as after another resize or compression."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from catalog.evaluation.labelled_photos import Photo
from catalog.evaluation.leakage import Hashes
from catalog.evaluation.protocols import Protocol
from catalog.features import row_memo
from catalog.formats import digests, tables
from catalog.vision import photo_hashes
from catalog.vision.decoding import PhotoLimits, decode_photo
from resources.data_lake import DataLake
from resources.inference import each

STAGE = "looks"


def with_copies(protocol: Protocol, gallery: Sequence[Photo], digest_of: Mapping[str, str], lake: DataLake) -> Protocol:
    """The protocol, told which photos of the gallery each query is a copy of; each photo is looked at once.

    `digest_of` is the sha256 of every file that could be read; what can't be decoded is a copy of its equals only.
    """
    readable = {photo.name: photo for photo in (*gallery, *protocol.queries) if photo.name in digest_of}
    version = digests.of_code(photo_hashes)
    refresh = row_memo.refresh(
        lake.table(f"{STAGE}-{protocol.name}"),
        tables.PHOTO_HASHES,
        STAGE,
        [row_memo.Wanted(_source(name), row_memo.row_key(version, digest_of[name])) for name in readable],
        lambda batch: each(lambda row: _look_at(readable[row["product_id"]], digest_of), batch),
    )
    names = [row["product_id"] for row in refresh.rows]
    hashes, cells = refresh.table.column("hash").to_numpy(), tables.matrix(refresh.table, "cells")
    place_of = {name: place for place, name in enumerate(names)}
    held = [photo.name for photo in gallery if photo.name in place_of]
    rows = [place_of[name] for name in held]
    looks = Hashes(hashes[rows], cells[rows])
    same: dict[str, list[str]] = {}
    for photo in gallery:
        if photo.name in digest_of:
            same.setdefault(digest_of[photo.name], []).append(photo.name)
    copies = {}
    for query in protocol.queries:
        found = set(same.get(digest_of.get(query.name, ""), ()))
        if query.name in place_of and held:
            place = place_of[query.name]
            found |= {held[row] for row in looks.like(int(hashes[place]), cells[place])}
        copies[query.name] = frozenset(found)
    return replace(protocol, copies=copies)


def _source(name: str) -> Mapping[str, Any]:
    return dict(zip(tables.ITEM_COLUMNS, (name, "", 0), strict=True))


def _look_at(photo: Photo, digest_of: Mapping[str, str]) -> row_memo.Row:
    image = decode_photo(photo.file.read_bytes(), PhotoLimits()).image_hwc
    return {
        "image_blob": digest_of[photo.name],
        "hash": photo_hashes.photo_hash(image),
        "cells": np.asarray(photo_hashes.photo_cells(image)),
    }

"""What `lookbook bundle diff` tells of two bundles: a built one, and a copy that was changed in known ways."""

import json
import shutil

import numpy as np
import pytest

from assets.bundle_rows import check_rows, rows_that_differ
from catalog.errors import BundleError
from catalog.formats import manifest
from query.bundle import open_bundle
from query.difference import compare
from resources.data_lake import DataLake
from resources.profile import load_profile

BINS = ("embeddings.bin", "texture.bin", "color_signatures.bin")


class Draft:
    """A copy of a bundle, to be changed and written anew."""

    def __init__(self, source, folder):
        shutil.copytree(source, folder)
        self.folder = folder
        self.values = json.loads((folder / "manifest.json").read_text("utf-8"))
        self.items = json.loads((folder / "catalog.json").read_text("utf-8"))
        files = self.values["files"]
        self.bins = {n: np.fromfile(folder / n, "<f4").reshape(files[n]["shape"]) for n in BINS}

    def write(self):
        """Write tables and manifest again; returns the opened bundle."""
        (self.folder / "catalog.json").write_text(json.dumps(self.items), encoding="utf-8")
        for name, rows in self.bins.items():
            (self.folder / name).write_bytes(rows.tobytes())
        shapes = {name: rows.shape for name, rows in self.bins.items()}
        shapes["prototypes.bin"] = tuple(self.values["files"]["prototypes.bin"]["shape"])
        values = {k: v for k, v in self.values.items() if k not in ("format", "format_version", "bundle_version")}
        values |= {"n_items": len(self.items), "files": manifest.describe_files(self.folder, shapes)}
        manifest.write_manifest(self.folder, values)
        return open_bundle(self.folder)

    def rows_of(self, product_id):
        """Where a product is."""
        return [row for row, item in enumerate(self.items) if item["product_id"] == product_id]

    def drop(self, rows):
        """Take rows out of all tables."""
        self.items = [item for row, item in enumerate(self.items) if row not in rows]
        self.bins = {name: np.delete(matrix, rows, axis=0) for name, matrix in self.bins.items()}


@pytest.fixture
def current(built_shop):
    """The built bundle; not to be changed."""
    return built_shop.home / "android_bundle" / "current"


@pytest.fixture
def draft(current, tmp_path):
    """A copy of it."""
    return Draft(current, tmp_path / "draft")


def test_nothing_changed(current, draft):
    """The same bundle, written again."""
    found = compare(open_bundle(current), draft.write())
    assert (found.added, found.removed, found.changed, found.models, found.numbers) == ((), (), (), {}, {})
    assert found.products == (40, 40)


def test_every_kind_of_change_is_told(current, draft):
    """One of each, by hand."""
    ids = list(dict.fromkeys(item["product_id"] for item in draft.items))
    gone, renamed, dearer, moved, retaken, rephotographed = ids[:6]
    of_renamed, of_dearer, of_moved = (draft.rows_of(name) for name in (renamed, dearer, moved))
    for row in of_renamed:
        draft.items[row]["title"] = "Another name"
    price, currency = draft.items[of_dearer[0]]["price"], draft.items[of_dearer[0]]["currency"]
    for row in of_dearer:
        draft.items[row]["price"] = price + 1
    category = draft.items[of_moved[0]]["category"]
    for row in of_moved:
        draft.items[row]["category"] = "mug" if category != "mug" else "bag"
    draft.bins["texture.bin"][draft.rows_of(retaken)[0]] *= -1
    row = draft.rows_of(rephotographed)[0]
    (draft.folder / "thumbs/other.jpg").write_bytes((draft.folder / draft.items[row]["thumb"]).read_bytes())
    draft.items[row]["thumb"] = "thumbs/other.jpg"
    draft.items[draft.rows_of(ids[-1])[0]]["product_id"] = "NEW-1"
    photos_of_last = len(draft.rows_of(ids[-1]))
    title_of_gone = draft.items[draft.rows_of(gone)[0]]["title"]
    draft.drop(draft.rows_of(gone))
    draft.values["ranking"]["color_gate"] += 0.1
    model = draft.values["models"]["lookbook-texture"]
    model["form"] = "fp32"
    (draft.folder / model["file"]).write_bytes(b"another model")
    found = compare(open_bundle(current), draft.write())

    assert [entry["product_id"] for entry in found.added] == ["NEW-1"]
    removed = {entry["product_id"]: entry["title"] for entry in found.removed}
    assert removed.items() >= {gone: title_of_gone}.items()
    changed = {entry.product_id: entry for entry in found.changed}
    assert set(changed) - {ids[-1]} == {renamed, dearer, moved, retaken, rephotographed}
    assert (ids[-1] in removed) == (photos_of_last == 0)  # all of its photos went to the new product, or one of them
    assert changed[renamed].fields["title"][1] == changed[renamed].title == "Another name"
    assert changed[dearer].fields == {"price": (f"{price} {currency}", f"{price + 1} {currency}")}
    assert changed[moved].fields["category"][0] == category
    assert (changed[retaken].vectors, changed[retaken].fields) == (("texture",), {})
    other = changed[rephotographed]
    assert (other.photos_added, other.photos_removed, other.vectors) == (1, 1, ())
    assert list(found.numbers) == ["ranking.color_gate"]
    assert list(found.models) == ["lookbook-texture"]
    old, new = found.models["lookbook-texture"]
    assert new is not None
    assert old is not None
    assert (new["form"], new["size_bytes"]) == ("fp32", len(b"another model"))
    assert found.size_bytes["models"][0] - found.size_bytes["models"][1] == old["size_bytes"] - new["size_bytes"]


def test_vectors_of_another_width_have_all_changed(current, draft):
    """Another texture encoder: its numbers can't be compared, and are others."""
    draft.values["texture_dim"] = 4
    draft.bins["texture.bin"] = draft.bins["texture.bin"][:, :4].copy()
    found = compare(open_bundle(current), draft.write())
    assert len(found.changed) == 40
    assert {entry.vectors for entry in found.changed} == {("texture",)}


def test_rows_that_are_not_the_lakes_are_counted_and_refused(built_shop, draft):
    """Two items that changed places, and one that the lake does not know: as a build asks before it publishes."""
    lake = DataLake(root=str(built_shop.home / "data_lake"), home=str(built_shop.home))
    profile = load_profile("embedded", built_shop.home)
    whole = open_bundle(built_shop.home / "android_bundle" / "current")
    assert rows_that_differ(whole, lake, profile) == dict.fromkeys(BINS, 0)
    draft.items[0], draft.items[1] = draft.items[1], draft.items[0]
    draft.items[2]["product_id"] = "nobody's"
    spoilt = draft.write()
    assert rows_that_differ(spoilt, lake, profile) == dict.fromkeys(BINS, 3)
    with pytest.raises(BundleError, match=r"3 of embeddings\.bin, 3 of texture\.bin, .* it was not published"):
        check_rows(spoilt, lake, profile)

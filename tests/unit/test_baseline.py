"""What a refresh is compared with: the published bundle, an accepted change, and the home's limits."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import BundleError, FormatError, ProfileError
from catalog.evaluation.feed_drift import Product
from catalog.formats import bundle_history, manifest
from catalog.formats.bundle_history import KEPT, PUBLISHED, ROLLED_BACK, History
from resources.baseline import Baseline

ITEM = {"product_id": "a", "category": "mug", "price": 7.5, "currency": "EUR", "thumb": "thumbs/x.jpg", "space": "s"}


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    """A home with a published bundle of one product, two photos."""
    folder = tmp_path / "android_bundle" / "versions" / "0123abcd"
    folder.mkdir(parents=True)
    (folder / "catalog.json").write_text(json.dumps([ITEM, ITEM]), "utf-8")
    (folder / "embeddings.bin").write_bytes(np.arange(6, dtype="<f4").tobytes())
    describe(folder, "float32")
    (tmp_path / "android_bundle" / "current").symlink_to("versions/0123abcd")
    return Baseline(home=str(tmp_path))


def describe(folder: Path, vectors: str) -> None:
    """Write a manifest that says what the vectors are kept as."""
    values = {key: kind() for key, kind in manifest.REQUIRED.items() if not key.startswith("format")}
    del values["bundle_version"]
    files = manifest.describe_files(folder, {"embeddings.bin": (2, 3)}, vectors=vectors)
    manifest.write_manifest(folder, values | {"files": files, "router_method": "prototypes"})


def catalog(baseline: Baseline) -> Path:
    return Path(baseline.home) / "android_bundle" / "current" / "catalog.json"


def test_reads_what_is_published(baseline: Baseline) -> None:
    """Products, vectors, and which version it is."""
    published = baseline.published()
    assert published is not None
    assert published.version == "0123abcd"
    assert published.listing == {"a": Product("mug", 7.5, "EUR", 2)}
    assert published.matrix("embeddings.bin").tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(FormatError, match=r"texture\.bin: can't be read"):
        published.matrix("texture.bin")


def test_reads_vectors_that_are_kept_in_half_the_bytes(baseline: Baseline) -> None:
    """As float32, as its manifest says; without the manifest nobody knows."""
    folder = catalog(baseline).parent
    (folder / "embeddings.bin").write_bytes(np.arange(6, dtype="<f2").tobytes())
    describe(folder, "float16")
    published = baseline.published()
    assert published is not None
    assert published.matrix("embeddings.bin").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert published.matrix("embeddings.bin").dtype == np.float32
    (folder / "manifest.json").unlink()
    with pytest.raises(BundleError, match=r"manifest\.json: not there"):
        published.matrix("embeddings.bin")


def test_nothing_is_published_in_a_new_home(tmp_path: Path) -> None:
    assert Baseline(home=str(tmp_path)).published() is None
    assert Baseline(home=str(tmp_path)).last_good() is None


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("[{", r"catalog\.json: can't be read \(JSONDecodeError.*build the bundle again, or roll back"),
        ("[]", r"catalog\.json: lists no product; build the bundle again, or roll back"),
        ('[{"product_id": "a"}]', r"catalog\.json: can't be read \(KeyError"),
        ("3", r"catalog\.json: can't be read \(TypeError"),
        (None, r"catalog\.json: can't be read \(No such file"),
    ],
)
def test_a_damaged_catalogue_is_told(baseline: Baseline, content: str | None, match: str) -> None:
    """It does not read as if nothing were published."""
    if content is None:
        catalog(baseline).unlink()
    else:
        catalog(baseline).write_text(content, "utf-8")
    with pytest.raises(BundleError, match=match):
        baseline.published()


def test_a_damaged_catalogue_is_stood_in_for_by_the_version_before(baseline: Baseline) -> None:
    """Not by one that was rolled back from, nor one that a hold kept: those were never the last good state."""
    versions = Path(baseline.home) / "android_bundle" / "versions"
    history = History()
    for minute, (what, version) in enumerate(
        [(PUBLISHED, "aaaa"), (PUBLISHED, "bad1"), (ROLLED_BACK, "aaaa"), (PUBLISHED, "0123abcd"), (KEPT, "kept")]
    ):
        history = history.with_event(datetime(2026, 3, 1, 12, minute, tzinfo=UTC), what, version)
        if version != "0123abcd":
            shutil.copytree(versions / "0123abcd", versions / version, dirs_exist_ok=True)
    bundle_history.write(versions.parent, history)
    whole = baseline.last_good()
    assert whole is not None
    assert whole.version == "0123abcd"
    catalog(baseline).write_bytes(catalog(baseline).read_bytes()[:90])
    before = baseline.last_good()
    assert before is not None
    assert (before.version, before.listing) == ("aaaa", {"a": Product("mug", 7.5, "EUR", 2)})
    (versions / "aaaa" / "catalog.json").unlink()
    with pytest.raises(
        BundleError, match=r"0123abcd/catalog\.json: can't be read .*rollback VERSION.*--accept-changes"
    ):
        baseline.last_good()


def test_a_version_that_is_gone_is_not_taken_for_a_first_build(baseline: Baseline) -> None:
    """`current` leads nowhere."""
    catalog(baseline).resolve().parent.rename(Path(baseline.home) / "elsewhere")
    with pytest.raises(BundleError, match=r"0123abcd/catalog\.json: can't be read \(No such file"):
        baseline.last_good()


def test_what_was_accepted_holds_for_that_bundle_alone(baseline: Baseline) -> None:
    """Until another is published, or it is forgotten."""
    published = baseline.published()
    assert published is not None
    assert baseline.accepted(published) is None
    now = {"b": Product("bag", None, "", 1)}
    (Path(baseline.home) / "data_lake").mkdir()
    baseline.accept(published, now)
    assert baseline.accepted(published) == now
    other = catalog(baseline).resolve().parent.rename(Path(baseline.home) / "android_bundle" / "versions" / "4567")
    (Path(baseline.home) / "android_bundle" / "current").unlink()
    (Path(baseline.home) / "android_bundle" / "current").symlink_to(other)
    another = baseline.published()
    assert another is not None
    assert baseline.accepted(another) is None
    baseline.published_anew()
    assert baseline.accepted(published) is None


def test_a_damaged_note_is_told(baseline: Baseline) -> None:
    """Rather than taken for none."""
    published = baseline.published()
    assert published is not None
    note = Path(baseline.home) / "data_lake" / "accepted_catalog.json"
    note.parent.mkdir()
    note.write_text("{}", "utf-8")
    with pytest.raises(BundleError, match=r"accepted_catalog\.json: damaged .* delete it, and accept again"):
        baseline.accepted(published)


def test_limits_are_the_homes(baseline: Baseline) -> None:
    """Read each time, so that a change needs no restart; a wrong one is told."""
    assert baseline.limits().most_dropped == 0.3
    settings = Path(baseline.home) / "lookbook.toml"
    settings.write_text("[limits]\nmost_dropped = 1\nmost_growth = 20\n", "utf-8")
    assert (baseline.limits().most_dropped, baseline.limits().most_growth) == (1, 20)
    for text, match in (
        ("most_dropped = 30", r"\[limits\] most_dropped: Input should be less than or equal to 1 \(got 30\)"),
        ("most_growth = 1", r"\[limits\] most_growth: Input should be greater than 1"),
        ("most_growth = nan", r"\[limits\] most_growth: "),
        ("most_drop = 0.5", r"\[limits\] unknown key 'most_drop'; did you mean 'most_dropped'\?"),
    ):
        settings.write_text(f"[limits]\n{text}\n", "utf-8")
        with pytest.raises(ProfileError, match=match):
            baseline.limits()

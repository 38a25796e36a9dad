"""What a refresh is compared with: the published bundle, an accepted change, and the home's limits."""

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import BundleError, FormatError, ProfileError
from catalog.evaluation.feed_drift import Product
from resources.baseline import Baseline

ITEM = {"product_id": "a", "category": "mug", "price": 7.5, "currency": "EUR", "thumb": "thumbs/x.jpg", "space": "s"}


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    """A home with a published bundle of one product, two photos."""
    folder = tmp_path / "android_bundle" / "versions" / "0123abcd"
    folder.mkdir(parents=True)
    (folder / "catalog.json").write_text(json.dumps([ITEM, ITEM]), "utf-8")
    (folder / "embeddings.bin").write_bytes(np.arange(6, dtype="<f4").tobytes())
    (tmp_path / "android_bundle" / "current").symlink_to("versions/0123abcd")
    return Baseline(home=str(tmp_path))


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


def test_nothing_is_published_in_a_new_home(tmp_path: Path) -> None:
    assert Baseline(home=str(tmp_path)).published() is None


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

"""A bundle whose files are not what its manifest says is refused, and the file is named."""

import json
import shutil

import pytest

from catalog.errors import BundleError
from query.engine import Engine


@pytest.fixture
def bundle(built_shop, tmp_path):
    """A copy of a real bundle, free to be spoilt."""
    folder = tmp_path / "bundle"
    shutil.copytree(built_shop.home / "android_bundle" / "current", folder)
    return folder


def every_file(folder):
    """The bundle's files but the manifest, relative."""
    return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file() and f.name != "manifest.json")


def test_each_kind_of_file_cut_short_is_refused_by_name(bundle):
    """One file of every kind, cut at its middle."""
    one_of_each = {name.split("/")[0] if "/" in name else name: name for name in every_file(bundle)}
    assert {"embeddings.bin", "texture.bin", "color_signatures.bin", "prototypes.bin", "catalog.json"} <= set(
        one_of_each
    )
    assert {"models", "thumbs", "golden"} <= set(one_of_each)
    for name in one_of_each.values():
        whole = (bundle / name).read_bytes()
        (bundle / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BundleError, match="cut short or exchanged") as refused:
            Engine(bundle)
        assert str(bundle / name) in str(refused.value)
        (bundle / name).write_bytes(whole)
    Engine(bundle)  # every file is whole again


def test_two_files_exchanged_are_refused(bundle):
    """embeddings.bin and texture.bin have one size here: only the digest tells them apart."""
    first, second = bundle / "embeddings.bin", bundle / "texture.bin"
    assert first.stat().st_size == second.stat().st_size
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    with pytest.raises(BundleError, match=r"embeddings\.bin: sha256 .* it was exchanged"):
        Engine(bundle)


def test_a_missing_file_and_a_missing_manifest_are_refused(bundle, tmp_path):
    """The message names what is not there."""
    (bundle / "texture.bin").unlink()
    with pytest.raises(BundleError, match=r"texture\.bin: can't be read"):
        Engine(bundle)
    with pytest.raises(BundleError, match=r"manifest\.json: not there; build a bundle first"):
        Engine(tmp_path)


def test_the_command_says_so_in_one_line(bundle, built_shop, lookbook):
    """Exit code 1, one line, the file's name."""
    (bundle / "catalog.json").write_text("[]", encoding="utf-8")
    failed = lookbook("search", built_shop.queries[0], "--bundle", bundle, ok=False)
    assert "catalog.json" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 1


def test_golden_queries_hold_the_engine_to_the_expected(bundle):
    """A bundle whose expected texture was turned by a right angle no longer fits its own engine."""
    from query.golden import check_golden

    assert check_golden(Engine(bundle)) >= 2
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    name = manifest["golden"][0]["expected"]
    expected = json.loads((bundle / name).read_text("utf-8"))
    expected["texture"] = [*expected["texture"][1:], expected["texture"][0]]
    (bundle / name).write_text(json.dumps(expected), encoding="utf-8")
    from catalog.formats import manifest as manifests

    shapes = {k: tuple(v["shape"]) for k, v in manifest["files"].items() if "shape" in v}
    kept = {key: value for key, value in manifest.items() if key not in ("format", "format_version", "bundle_version")}
    manifests.write_manifest(bundle, {**kept, "files": manifests.describe_files(bundle, shapes)})
    with pytest.raises(BundleError, match="texture has cosine"):
        check_golden(Engine(bundle))


def test_a_model_that_is_gone_while_the_bundle_is_open_is_told(bundle):
    """As on a file system where a reader can't hold what it has open."""
    engine = Engine(bundle)
    shutil.rmtree(bundle / "models")
    with pytest.raises(BundleError, match=r"\.onnx: was removed while the bundle was open; open the bundle again"):
        engine.warm_up()

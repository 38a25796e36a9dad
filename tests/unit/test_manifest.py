"""A bundle is what its manifest says, to the byte, or it is refused with the name of the file that is not."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import BundleError
from catalog.formats import manifest

FILES = {
    "catalog.json": b'[{"product_id": "a"}, {"product_id": "b"}]',
    "embeddings.bin": bytes(2 * 3 * 4),
    "texture.bin": bytes(range(2 * 4 * 4)),
    "color_signatures.bin": bytes(2 * 26 * 4),
    "prototypes.bin": bytes(1 * 3 * 4),
    "models/a.onnx": b"not really a model",
    "thumbs/ü 1.jpg": b"not really a photo",
}
SHAPES = {"embeddings.bin": (2, 3), "texture.bin": (2, 4), "color_signatures.bin": (2, 26), "prototypes.bin": (1, 3)}
MANIFEST = "manifest.json"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A whole one."""
    folder = tmp_path / "bundle"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    manifest.write_manifest(folder, described(folder))
    return folder


def described(folder: Path) -> dict[str, Any]:
    """What a build says of it."""
    return {
        "n_items": 2,
        "embedding_dim": 3,
        "texture_dim": 4,
        "color_signature_dim": 26,
        "router_categories": ["dress"],
        "router_method": "prototypes",
        "thumb_size": 192,
        "files": manifest.describe_files(folder, SHAPES),
        "models": {},
        "spaces": {"s": {"chance_cosine": 0.1}},
        "texture_space": {},
        "router": {"margin": 0.05},
        "ranking": {"texture_weight": 0.3},
        "query": {"name": "é"},
        "golden": [],
    }


def rewrite(folder: Path, **changes: Any) -> None:
    """Put other values into manifest.json as an editor would, its version left as it was."""
    values = json.loads((folder / MANIFEST).read_text("utf-8")) | changes
    kept = {key: value for key, value in values.items() if value is not ...}
    (folder / MANIFEST).write_text(json.dumps(kept), "utf-8")


def refused(folder: Path, match: str) -> None:
    """In one line that has the file's name."""
    with pytest.raises(BundleError, match=match) as raised:
        manifest.read_manifest(folder)
    assert "\n" not in str(raised.value)


def test_a_whole_bundle_is_read(bundle: Path) -> None:
    """Values, and the places of the files that are named."""
    found = manifest.read_manifest(bundle)
    assert found["n_items"] == 2
    assert found["format_version"] == 1
    assert found.path("models/a.onnx") == bundle / "models" / "a.onnx"
    with pytest.raises(BundleError, match=r"bundle: secret\.txt is not named in manifest\.json"):
        found.path("secret.txt")


def test_says_size_digest_and_shape(bundle: Path) -> None:
    """Of every file but itself; dtype and shape of the matrices."""
    files = json.loads((bundle / MANIFEST).read_text("utf-8"))["files"]
    assert set(files) == set(FILES)
    assert files["texture.bin"] == {
        "sha256": hashlib.sha256(bytes(range(32))).hexdigest(),
        "size_bytes": 32,
        "dtype": "float32",
        "byte_order": "little",
        "shape": [2, 4],
    }
    assert set(files["catalog.json"]) == {"sha256", "size_bytes"}


def test_the_version_is_the_digest_of_all_that_it_says(bundle: Path) -> None:
    """By hand: 16 hex digits of sha256 over canonical JSON; the same bundle has the same bytes, another another."""
    values = json.loads((bundle / MANIFEST).read_text("utf-8"))
    version = values.pop("bundle_version")
    canonical = json.dumps([values], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert version == hashlib.sha256(canonical.encode("utf-8")).hexdigest()[:16]
    written = (bundle / MANIFEST).read_bytes()
    assert manifest.write_manifest(bundle, described(bundle)) == version
    assert (bundle / MANIFEST).read_bytes() == written
    assert manifest.write_manifest(bundle, described(bundle) | {"thumb_size": 96}) != version


def test_a_manifest_cut_at_any_byte_is_refused(bundle: Path) -> None:
    """All but the last byte, a newline, are needed."""
    content = (bundle / MANIFEST).read_bytes()
    for cut in range(len(content) - 1):
        (bundle / MANIFEST).write_bytes(content[:cut])
        refused(bundle, r"manifest\.json: not JSON, it was damaged \(.*\); build the bundle again")


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"[" * 100_000, b'{"format": NaN}', b'{"format": 1e999}', b'{"n": ' + b"9" * 5000 + b"}", b"\0"],
    ids=["not utf-8", "deep", "nan", "infinity", "long number", "zero"],
)
def test_a_manifest_that_is_no_json_is_refused(bundle: Path, content: bytes) -> None:
    """Whatever the reader stumbles over."""
    (bundle / MANIFEST).write_bytes(content)
    refused(bundle, r"manifest\.json: not JSON, it was damaged")


@pytest.mark.parametrize("content", [b"[]", b"null", b'"x"', b"{}", b'{"format": "other"}', b'{"format": ["x"]}'])
def test_another_json_is_refused(bundle: Path, content: bytes) -> None:
    """A list, a word, another program's manifest."""
    (bundle / MANIFEST).write_bytes(content)
    refused(bundle, r"manifest\.json: not the manifest of a Lookbook bundle")


def test_no_manifest_is_told(tmp_path: Path) -> None:
    """A folder without one, a file in its place, no folder."""
    refused(tmp_path, r"manifest\.json: not there; build a bundle first, or name the folder that holds one")
    refused(tmp_path / "none", r"manifest\.json: not there")
    (tmp_path / MANIFEST).mkdir()
    refused(tmp_path, r"manifest\.json: can't be read \(Is a directory\); name the folder that holds a bundle")


@pytest.mark.parametrize("version", [0, 4, "1", None, 1.5])
def test_another_format_version_is_refused(bundle: Path, version: object) -> None:
    """Both numbers are told."""
    rewrite(bundle, format_version=version)
    refused(
        bundle, rf"manifest\.json: format version {version}, this reader knows 1, 2, 3; use the Lookbook that made it"
    )


@pytest.mark.parametrize("method", ["prototypes", "linear_head"])
def test_a_router_with_a_bias_is_version_2(bundle: Path, method: str) -> None:
    """A reader that knows version 1 alone would leave the bias out and route wrongly: it must refuse the bundle."""
    values = described(bundle) | {"router_method": method, "router": {"margin": 0.05, "bias": [-0.25]}}
    manifest.write_manifest(bundle, values)
    found = manifest.read_manifest(bundle)
    assert (found["format_version"], found["router"]["bias"]) == (2, [-0.25])


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"router_method": "linear_head"}, r"router_method 'linear_head', version 1 has prototypes; use the Lookbook"),
        (
            {"router_method": "trees", "router": {"bias": [0.0]}},
            r"router_method 'trees', version 2 has prototypes and linear_head; use",
        ),
        ({"router": {"bias": [0.0, 1.0]}}, r"router\.bias must be 1 numbers, one a category"),
        ({"router": {"bias": ["0"]}}, r"router\.bias must be 1 numbers"),
        ({"router": {"bias": 0.5}}, r"router\.bias must be 1 numbers"),
        ({"router": {"bias": [10**400]}}, r"router\.bias must be 1 numbers"),
    ],
)
def test_a_router_that_can_not_be_read_is_refused(bundle: Path, changes: dict[str, Any], match: str) -> None:
    """Another method, or not one number a category; also of a manifest whose version fits."""
    manifest.write_manifest(bundle, described(bundle) | changes)
    refused(bundle, match)


def test_the_bias_belongs_to_version_2(bundle: Path) -> None:
    """There it must be, and in version 1 it must not."""
    rewrite(bundle, format_version=2)
    refused(bundle, r"router\.bias must be 1 numbers")
    rewrite(bundle, format_version=1, router={"margin": 0.05, "bias": [0.0]})
    refused(bundle, r"router\.bias must be .* is not known in version 1")


@pytest.mark.parametrize("router", [{"margin": 0.05}, {"margin": 0.05, "bias": [-0.25]}])
def test_vectors_in_float16_are_version_3(bundle: Path, router: dict[str, Any]) -> None:
    """A reader that knows float32 only must refuse it; colours and prototypes stay float32."""
    for name in ("embeddings.bin", "texture.bin"):
        (bundle / name).write_bytes(bytes(len(FILES[name]) // 2))
    files = manifest.describe_files(bundle, SHAPES, vectors="float16")
    manifest.write_manifest(bundle, described(bundle) | {"files": files, "router": router})
    found = manifest.read_manifest(bundle)
    assert found["format_version"] == 3
    kept_as = {name: found["files"][name]["dtype"] for name in SHAPES}
    assert kept_as == dict.fromkeys(SHAPES, "float32") | {"embeddings.bin": "float16", "texture.bin": "float16"}


def test_a_version_has_its_own_numbers(bundle: Path) -> None:
    """Of a manifest that is whole but for them."""
    files = described(bundle)["files"]
    files["prototypes.bin"]["dtype"] = "float16"
    manifest.write_manifest(bundle, described(bundle) | {"files": files})
    refused(bundle, r"manifest\.json: says that prototypes\.bin is float16, which version 1 has not; build the bundle")
    files = described(bundle)["files"]
    files["texture.bin"]["dtype"] = "float16"
    manifest.write_manifest(bundle, described(bundle) | {"files": files})
    refused(bundle, r"says that embeddings\.bin is float32, which version 3 has not")


@pytest.mark.parametrize("key", sorted(set(manifest.REQUIRED) - {"format", "format_version"}))
def test_every_key_is_needed(bundle: Path, key: str) -> None:
    """Missing, or of another type; the message names it."""
    rewrite(bundle, **{key: ...})
    refused(bundle, rf"manifest\.json: '{key}' is missing or is no {manifest.REQUIRED[key].__name__}; build")
    rewrite(bundle, **{key: None})
    refused(bundle, rf"'{key}' is missing or is no")


@pytest.mark.parametrize("name", sorted(FILES))
def test_any_file_cut_at_any_byte_is_refused_by_name(bundle: Path, name: str) -> None:
    """With its size and the size wanted."""
    content = FILES[name]
    for cut in range(len(content)):
        (bundle / name).write_bytes(content[:cut])
        refused(bundle, rf"{name}: {cut} bytes, the manifest says {len(content)}; it was cut short or exchanged")
    (bundle / name).write_bytes(content + b"\0")
    refused(bundle, rf"{name}: {len(content) + 1} bytes, the manifest says {len(content)}")


@pytest.mark.parametrize("name", sorted(FILES))
def test_any_file_exchanged_or_missing_is_refused_by_name(bundle: Path, name: str) -> None:
    """One bit is enough; a folder in its place and a link to nowhere are no file."""
    content = FILES[name]
    (bundle / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])
    refused(bundle, rf"{name}: sha256 [0-9a-f]{{64}}, the manifest says [0-9a-f]{{64}}; it was exchanged")
    (bundle / name).unlink()
    refused(bundle, rf"{name}: can't be read \(No such file or directory\); copy or build the bundle again")
    (bundle / name).symlink_to("nowhere")
    refused(bundle, rf"{name}: can't be read \(No such file")
    (bundle / name).unlink()
    (bundle / name).mkdir()
    refused(bundle, rf"{name}: can't be read \(Is a directory\)")


def test_two_files_that_changed_places_are_refused(bundle: Path) -> None:
    """Of one size: only their digests tell."""
    first, second = bundle / "embeddings.bin", bundle / "same size.bin"
    second.write_bytes(bytes(23) + b"\1")
    manifest.write_manifest(bundle, described(bundle))
    manifest.read_manifest(bundle)
    first.rename(bundle / "x")
    second.rename(first)
    (bundle / "x").rename(second)
    refused(bundle, r"embeddings\.bin: sha256")


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "models/../../secret.txt", "..\\secret.txt", ".."])
def test_a_path_that_leaves_the_bundle_is_refused(bundle: Path, name: str) -> None:
    """Though the file is there and is what the manifest says; even by one who writes the version that fits."""
    secret = bundle.parent / "secret.txt"
    secret.write_bytes(b"secret")
    values = described(bundle)
    values["files"][name] = {"sha256": hashlib.sha256(b"secret").hexdigest(), "size_bytes": 6}
    manifest.write_manifest(bundle, values)
    refused(bundle, r"manifest\.json: names '.*', a path that leaves the bundle; don't use this bundle")


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "x" * 5000, "", "."])
def test_a_name_that_no_file_can_have_is_refused(bundle: Path, name: str) -> None:
    """In our words, not with the system call's."""
    rewrite(bundle, files={**described(bundle)["files"], name: {"sha256": "0" * 64, "size_bytes": 6}})
    with pytest.raises(BundleError, match="can't be read"):
        manifest.read_manifest(bundle)


@pytest.mark.parametrize(
    "told", [None, {}, 5, {"size_bytes": 42}, {"sha256": "0" * 64}, {"size_bytes": "42", "sha256": ""}]
)
def test_a_file_poorly_described_is_refused(bundle: Path, told: object) -> None:
    """Without its size or its digest."""
    rewrite(bundle, files={**described(bundle)["files"], "catalog.json": told})
    refused(bundle, r"manifest\.json: gives no size_bytes and sha256 of catalog\.json; build the bundle again")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"n_items": 3}, r"embeddings\.bin is \[2, 3\], its other numbers say \[3, 3\]"),
        ({"embedding_dim": 6}, r"embeddings\.bin is \[2, 3\], its other numbers say \[2, 6\]"),
        ({"texture_dim": 8}, r"texture\.bin is \[2, 4\], its other numbers say \[2, 8\]"),
        ({"color_signature_dim": 24}, r"color_signatures\.bin is \[2, 26\], its other numbers say \[2, 24\]"),
        ({"router_categories": ["a", "b"]}, r"prototypes\.bin is \[1, 3\], its other numbers say \[2, 3\]"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(bundle: Path, changes: dict[str, Any], match: str) -> None:
    """Also of a manifest whose version fits."""
    manifest.write_manifest(bundle, described(bundle) | changes)
    refused(bundle, match)


def test_a_matrix_that_is_not_named_is_refused(bundle: Path) -> None:
    """The bundle lacks one of its four."""
    (bundle / "texture.bin").unlink()
    manifest.write_manifest(bundle, described(bundle))
    refused(bundle, r"texture\.bin is None, its other numbers say \[2, 4\]")


@pytest.mark.parametrize(
    "changes",
    [
        {"router": {"margin": 0.06}},
        {"spaces": {"s": {"chance_cosine": 0.11}}},
        {"thumb_size": 191},
        {"golden": ["x"]},
        {"more": 1},
        {"bundle_version": "0" * 16},
    ],
)
def test_an_edited_number_is_refused(bundle: Path, changes: dict[str, Any]) -> None:
    """A manifest holds itself to its version: a margin changed by a bit would be searched with."""
    rewrite(bundle, **changes)
    refused(bundle, r"manifest\.json: says that it is version [0-9a-f]{16}, but what it says makes [0-9a-f]{16}")


def test_what_is_not_named_is_left_alone(bundle: Path) -> None:
    """A stray file is no harm: nothing reads it."""
    (bundle / ".DS_Store").write_bytes(b"x")
    manifest.read_manifest(bundle)


def test_layout_of_the_text_does_not_count(bundle: Path) -> None:
    """Copied through a tool that sorts and indents: the same manifest."""
    values = json.loads((bundle / MANIFEST).read_text("utf-8"))
    (bundle / MANIFEST).write_text(json.dumps(values, sort_keys=True, indent=4), "utf-8")
    assert manifest.read_manifest(bundle)["query"] == {"name": "é"}

"""manifest.json: what the other files of a bundle are, to the byte. A reader trusts nothing that it doesn't name.

Bundle layout, versions 1 to 3:

    manifest.json            this file's subject
    catalog.json             a list of items; row i of every .bin is item i
    embeddings.bin           n_items x embedding_dim float32, see catalog.formats.matrices
    texture.bin              n_items x texture_dim float32
    color_signatures.bin     n_items x 26 float32
    prototypes.bin           len(router_categories) x embedding_dim float32, in the router's space
    models/<name>.onnx       each takes uint8 pixels
    thumbs/<digest>.jpg      an item's picture, its longer side `thumb_size`
    golden/<n>/...           photos with every stage's expected output, for a client to test itself against
    manifest.sig             who vouches for all of it, where it is signed: see catalog.formats.signatures

How a query is routed, `router_method`: "prototypes", the categories with the highest `prototypes.bin @ embedding +
bias`, or "linear_head", the highest softmax of the same. `router.bias` is a number a category; version 1 has none (all
are 0) and prototypes only, version 2 is written where there is one: a reader of version 1 would leave it out. Version 3
is written where `files` says of embeddings.bin and texture.bin that their dtype is float16; all else is as in 1 or 2.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import BundleError
from catalog.formats import atomic, digests, matrices
from catalog.formats.file_digests import DigestOf

NAME = "manifest.json"
SIGNATURE = "manifest.sig"  # over the manifest's bytes, so the manifest can't name it
FORMAT = "lookbook-bundle"
PLAIN_VERSION, BIASED_VERSION, ROUNDED_VERSION = 1, 2, 3
ROUTER_METHODS = {
    PLAIN_VERSION: ("prototypes",),
    BIASED_VERSION: ("prototypes", "linear_head"),
    ROUNDED_VERSION: ("prototypes", "linear_head"),
}
VECTORS = ("embeddings.bin", "texture.bin")  # may be kept in float16, both together
LARGEST_BIAS = 1e30
REQUIRED = {
    "format": str,
    "format_version": int,
    "bundle_version": str,
    "n_items": int,
    "embedding_dim": int,
    "texture_dim": int,
    "color_signature_dim": int,
    "router_categories": list,
    "router_method": str,
    "thumb_size": int,
    "files": dict,
    "models": dict,
    "spaces": dict,
    "texture_space": dict,
    "router": dict,
    "ranking": dict,
    "query": dict,
    "golden": list,
}


@dataclass(frozen=True)
class Manifest:
    """A manifest whose files were all found to be the ones it names."""

    folder: Path
    values: Mapping[str, Any]
    content: bytes  # manifest.json as it was read: what a signature is over

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def path(self, file: str) -> Path:
        """A named file's place on disk. Raises: BundleError for a file that the manifest doesn't name."""
        if file not in self.values["files"]:
            raise BundleError(f"{self.folder}: {file} is not named in {NAME}")
        return self.folder / file


def describe_files(
    folder: Path,
    shapes: Mapping[str, tuple[int, int]],
    digest_of: DigestOf = digests.of_file,
    vectors: str = matrices.FLOAT32,
) -> dict[str, dict[str, Any]]:
    """Every file under `folder` but the manifest and its signature: sha256 and size, and dtype and shape for the
    matrices in `shapes`. `digest_of` spares a builder reading again what it has just read; `vectors` is what those are
    kept as.
    """
    files = {}
    for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        name = path.relative_to(folder).as_posix()
        if name in (NAME, SIGNATURE):
            continue
        files[name] = {"sha256": digest_of(path), "size_bytes": path.stat().st_size}
        if name in shapes:
            kept_as = vectors if name in VECTORS else matrices.FLOAT32
            files[name] |= {"dtype": kept_as, "byte_order": "little", "shape": list(shapes[name])}
    return files


def write_manifest(folder: Path, values: Mapping[str, Any]) -> str:
    """Write manifest.json last of all; returns the bundle's version, the digest of all that the manifest says."""
    named = {"format": FORMAT, "format_version": _version_needed(values)}
    version = _version({**named, **values})
    whole = {**named, "bundle_version": version, **values}
    atomic.write_text(folder / NAME, json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    return version


def _version_needed(values: Mapping[str, Any]) -> int:
    if any(values["files"].get(name, {}).get("dtype") == matrices.FLOAT16 for name in VECTORS):
        return ROUNDED_VERSION
    return BIASED_VERSION if "bias" in values["router"] else PLAIN_VERSION


def read_manifest(folder: Path, digest_of: DigestOf = digests.of_file) -> Manifest:
    """Read a bundle's manifest and hold every file it names to it, and the manifest to its own version.

    Raises: BundleError that names the file: missing, cut short, exchanged, or not a manifest of this format.
    """
    manifest, version = _read(folder)
    for name, described in manifest["files"].items():
        _check_file(folder, name, described, digest_of)
    _check_shapes(folder / NAME, manifest.values)
    _check_version(folder / NAME, manifest.values, version)
    return manifest


def read_description(folder: Path) -> Manifest:
    """Read what a manifest says, held to its own version, its files not looked at: to list bundles, never to search.

    Raises: BundleError, not a manifest of this format.
    """
    manifest, version = _read(folder)
    _check_version(folder / NAME, manifest.values, version)
    return manifest


def _read(folder: Path) -> tuple[Manifest, str]:
    """A manifest of this format, and the version that what it says makes."""
    path = folder / NAME
    try:
        content = path.read_bytes()
        values = json.loads(content.decode("utf-8"))
        version = _version(values) if isinstance(values, dict) else ""  # here, since it refuses NaN and infinities too
    except FileNotFoundError as error:
        raise BundleError(f"{path}: not there; build a bundle first, or name the folder that holds one") from error
    except OSError as error:
        raise BundleError(f"{path}: can't be read ({error.strerror}); name the folder that holds a bundle") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: not JSON, it was damaged ({error}); build the bundle again") from error
    _check_values(path, values)
    return Manifest(folder, values, content), version


def _check_version(path: Path, values: Mapping[str, Any], version: str) -> None:
    if version != values["bundle_version"]:
        raise BundleError(
            f"{path}: says that it is version {values['bundle_version']}, but what it says makes {version}; "
            "it was damaged or edited: copy or build the bundle again"
        )


def _version(values: Mapping[str, Any]) -> str:
    """Digest of all that a manifest says, but for the version itself."""
    return digests.of_values({key: value for key, value in values.items() if key != "bundle_version"})[:16]


def _check_values(path: Path, values: Any) -> None:
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise BundleError(f"{path}: not the manifest of a Lookbook bundle")
    if values.get("format_version") not in ROUTER_METHODS:
        raise BundleError(
            f"{path}: format version {values.get('format_version')}, this reader knows "
            f"{', '.join(map(str, ROUTER_METHODS))}; use the Lookbook that made it, or build the bundle again"
        )
    for key, kind in REQUIRED.items():
        if not isinstance(values.get(key), kind):
            raise BundleError(f"{path}: {key!r} is missing or is no {kind.__name__}; build the bundle again")
    _check_router(path, values)


def _check_router(path: Path, values: Mapping[str, Any]) -> None:
    """Hold the router's method and bias to the format's version."""
    known = ROUTER_METHODS[values["format_version"]]
    if values["router_method"] not in known:
        raise BundleError(
            f"{path}: router_method {values['router_method']!r}, version {values['format_version']} has "
            f"{' and '.join(known)}; use the Lookbook that made it, or build the bundle again"
        )
    bias, count = values["router"].get("bias"), len(values["router_categories"])
    if bias is None and values["format_version"] != BIASED_VERSION and values["router_method"] == "prototypes":
        return
    numbers = isinstance(bias, list) and all(
        isinstance(value, int | float) and abs(value) < LARGEST_BIAS for value in bias
    )
    if not numbers or len(bias) != count or values["format_version"] == PLAIN_VERSION:
        raise BundleError(
            f"{path}: router.bias must be {count} numbers, one a category, in version {BIASED_VERSION}, and is not "
            f"known in version {PLAIN_VERSION}; build the bundle again"
        )


def _check_file(folder: Path, name: str, described: Any, digest_of: DigestOf) -> None:
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise BundleError(f"{folder / NAME}: names {name!r}, a path that leaves the bundle; don't use this bundle")
    if not (
        isinstance(described, dict)
        and isinstance(described.get("size_bytes"), int)
        and isinstance(described.get("sha256"), str)
    ):
        raise BundleError(f"{folder / NAME}: gives no size_bytes and sha256 of {name}; build the bundle again")
    path = folder / name
    try:
        size, digest = path.stat().st_size, digest_of(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        told = error.strerror if isinstance(error, OSError) else error
        raise BundleError(f"{path}: can't be read ({told}); copy or build the bundle again") from error
    wanted_size, wanted_digest = described["size_bytes"], described["sha256"]
    if size != wanted_size:
        raise BundleError(
            f"{path}: {size} bytes, the manifest says {wanted_size}; it was cut short or exchanged: "
            "copy or build the bundle again"
        )
    if digest != wanted_digest:
        raise BundleError(
            f"{path}: sha256 {digest}, the manifest says {wanted_digest}; it was exchanged: "
            "copy or build the bundle again"
        )


def _check_shapes(path: Path, values: Mapping[str, Any]) -> None:
    rows = values["n_items"]
    wanted = {
        "embeddings.bin": [rows, values["embedding_dim"]],
        "texture.bin": [rows, values["texture_dim"]],
        "color_signatures.bin": [rows, values["color_signature_dim"]],
        "prototypes.bin": [len(values["router_categories"]), values["embedding_dim"]],
    }
    for name, shape in wanted.items():
        told = values["files"].get(name, {}).get("shape")
        kept_as = values["files"].get(name, {}).get("dtype", matrices.FLOAT32)
        rounded = values["format_version"] == ROUNDED_VERSION and name in VECTORS
        if kept_as != (matrices.FLOAT16 if rounded else matrices.FLOAT32):
            raise BundleError(
                f"{path}: says that {name} is {kept_as}, which version {values['format_version']} has not; "
                "build the bundle again"
            )
        if told != shape:
            raise BundleError(f"{path}: says that {name} is {told}, its other numbers say {shape}; build it again")

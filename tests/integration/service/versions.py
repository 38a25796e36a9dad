"""Bundles made of others: an item changed, the manifest true to it again; and a link turned as by a publish."""

import hashlib
import json
import shutil
from pathlib import Path

from catalog.formats.manifest import write_manifest

OWN = ("format", "format_version", "bundle_version")  # what write_manifest puts in itself


def make_version(bundle: Path, folder: Path, **changes: object) -> str:
    """Copy a bundle with its first item changed, its manifest true to that; returns its version."""
    shutil.copytree(bundle.resolve(), folder)
    items = json.loads((folder / "catalog.json").read_text("utf-8"))
    items[0].update(changes)
    content = json.dumps(items).encode()
    (folder / "catalog.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"]["catalog.json"] = described(content)
    return resigned(folder, manifest)


def resigned(folder: Path, values: dict[str, object]) -> str:
    """Write a manifest with the version that its values make, as android_bundle/README.md says; returns the version."""
    (folder / "manifest.json").unlink()
    return write_manifest(folder, {key: value for key, value in values.items() if key not in OWN})


def point(link: Path, target: Path) -> None:
    """Turn a link by one rename, as a publish does."""
    beside = link.with_name("beside")
    beside.symlink_to(target)
    beside.replace(link)


def described(content: bytes) -> dict[str, object]:
    """What a manifest says of a file."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}

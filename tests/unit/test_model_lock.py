"""models/lock.toml: what it looks like, that it comes back as it was, and that a damaged one is refused."""

from pathlib import Path

import pytest

from catalog.errors import ModelError
from catalog.formats import model_lock
from catalog.formats.digests import of_bytes
from catalog.formats.model_lock import LockedFile, LockedModel

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2: SHA-256 of "abc"
GOLDEN = f"""\
# What each model was when it was first pulled; every later use is held to it.
version = 1

[models."sam2.1-hiera-tiny"]
source = "hub:facebook/sam2.1-hiera-tiny"
revision = "0123456789abcdef0123456789abcdef01234567"
resample = "bicubic"

[models."sam2.1-hiera-tiny".files."config.json"]
sha256 = "{ABC}"
size_bytes = 3

[models."sam2.1-hiera-tiny".files."model.safetensors"]
sha256 = "{ABC}"
size_bytes = 3

[models.u2netp]
source = "url:https://example.com/u2netp.onnx"

[models.u2netp.files."u2netp.onnx"]
sha256 = "{ABC}"
size_bytes = 3
"""


def test_writes_the_documented_layout(tmp_path: Path) -> None:
    """Sorted by name, whatever order they come in; what is not known is left out."""
    file = LockedFile(sha256=ABC, size_bytes=3)
    sam = LockedModel(
        source="hub:facebook/sam2.1-hiera-tiny",
        revision="0123456789abcdef0123456789abcdef01234567",
        resample="bicubic",
        files={"config.json": file, "model.safetensors": file},
    )
    u2netp = LockedModel(source="url:https://example.com/u2netp.onnx", files={"u2netp.onnx": file})
    path = tmp_path / "models" / "lock.toml"
    model_lock.write(path, {"u2netp": u2netp, "sam2.1-hiera-tiny": sam})
    assert path.read_text() == GOLDEN
    assert model_lock.read(path) == {"u2netp": u2netp, "sam2.1-hiera-tiny": sam}
    assert (sam.size_bytes, u2netp.sha256) == (6, ABC)
    assert sam.sha256 == of_bytes(f'[{{"config.json":"{ABC}","model.safetensors":"{ABC}"}}]'.encode())


def test_nothing_pulled_yet(tmp_path: Path) -> None:
    """No lock is no error: a new home has none."""
    assert model_lock.read(tmp_path / "lock.toml") == {}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("version = 1", "version = 2", r"lock\.toml: version 2, this Lookbook knows 1; use the one that wrote it"),
        ("version = 1", "", r"not a lock of models as Lookbook writes it \(version: Field required\); restore it"),
        (ABC, ABC[:-1], r"sha256: String should match pattern"),
        (ABC, ABC.upper(), r"sha256: String should match pattern"),
        ("size_bytes = 3", "size_bytes = -3", r"size_bytes: Input should be greater than or equal to 0"),
        ("size_bytes = 3", 'size_bytes = "3"', r"size_bytes: Input should be a valid integer"),
        ('"u2netp.onnx"', '"../../u2netp.onnx"', r"String should match pattern"),
        ('"u2netp.onnx"', '"/etc/passwd"', r"String should match pattern"),
        ("source =", "sauce =", r"models\.sam2\.1-hiera-tiny\.source: Field required"),
        ("[models.u2netp]", "[models.u2netp", r"not a lock of models .* delete it, pull again and trust anew"),
    ],
)
def test_refuses_a_damaged_lock(tmp_path: Path, before: str, after: str, told: str) -> None:
    """What it trusts must not be guessed."""
    path = tmp_path / "lock.toml"
    path.write_text(GOLDEN.replace(before, after))
    with pytest.raises(ModelError, match=told):
        model_lock.read(path)


def test_cut_at_any_line_is_refused_or_shorter(tmp_path: Path) -> None:
    """A lock cut short is never read as one that trusts something else."""
    path = tmp_path / "lock.toml"
    lines = GOLDEN.splitlines(keepends=True)
    path.write_text(GOLDEN)
    whole = model_lock.read(path)
    for count in range(len(lines)):
        path.write_text("".join(lines[:count]))
        try:
            found = model_lock.read(path)
        except ModelError:
            continue
        for name, model in found.items():
            assert model.source == whole[name].source
            assert all(whole[name].files[file] == entry for file, entry in model.files.items())

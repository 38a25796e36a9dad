"""manifest.sig: Ed25519 as RFC 8032 and OpenSSL have it, and what a reader refuses, with the reason."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from catalog.errors import BundleError, LookbookError
from catalog.formats import signatures
from catalog.formats.manifest import Manifest
from catalog.formats.signatures import Trust

# RFC 8032, section 7.1, TEST 3: the secret key (in PKCS #8), the message "af82" and its signature.
RFC_SECRET = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"
RFC_SIGNATURE = (
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
)
PKCS8_PREFIX = "302e020100300506032b657004220420"  # RFC 8410: OneAsymmetricKey of an Ed25519 secret


def write_key(folder: Path, name: str, secret: bytes | None = None) -> Path:
    """A private key, 0600, and its .pub; returns the private one."""
    pem = signatures.new_key()
    if secret is not None:
        body = base64.b64encode(bytes.fromhex(PKCS8_PREFIX) + secret).decode()
        pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n".encode()
    path = folder / f"{name}.pem"
    path.write_bytes(pem)
    path.chmod(0o600)
    (folder / f"{name}.pub").write_bytes(signatures.public_pem(signatures.read_private_key(path)))
    return path


def bundle(folder: Path, content: bytes = b'{"a": 1}') -> Manifest:
    """As much of a bundle as a signature sees."""
    (folder / "manifest.json").write_bytes(content)
    return Manifest(folder, {}, content)


def test_signs_as_the_rfc_says(tmp_path):
    """Secret, message and signature of RFC 8032's third test."""
    key = signatures.read_private_key(write_key(tmp_path, "rfc", bytes.fromhex(RFC_SECRET)))
    bundle(tmp_path, bytes.fromhex("af82"))
    key_id = signatures.sign(tmp_path, key)
    written = json.loads((tmp_path / "manifest.sig").read_text("utf-8"))
    assert base64.b64decode(written.pop("signature")).hex() == RFC_SIGNATURE
    assert written == {
        "format": "lookbook-signature",
        "format_version": 1,
        "algorithm": "Ed25519",
        # printf fc51cd8e...908025 (the RFC's public key) | xxd -r -p | sha256sum
        "key_id": "dac073e0123bdea5",
    }
    assert key_id == "dac073e0123bdea5"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl on this machine")
def test_openssl_agrees(tmp_path):
    """A key that OpenSSL made signs, and OpenSSL verifies what was signed."""
    key = tmp_path / "their.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True, capture_output=True)
    key.chmod(0o600)
    (tmp_path / "their.pub").write_bytes(signatures.public_pem(signatures.read_private_key(key)))
    found = bundle(tmp_path)
    signatures.sign(tmp_path, signatures.read_private_key(key))
    raw = tmp_path / "raw.sig"
    raw.write_bytes(base64.b64decode(json.loads((tmp_path / "manifest.sig").read_text("utf-8"))["signature"]))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", tmp_path / "their.pub", "-rawin"]
    done = subprocess.run(
        [*command, "-in", tmp_path / "manifest.json", "-sigfile", raw], capture_output=True, text=True, check=False
    )
    assert "Signature Verified Successfully" in done.stdout
    signer = signatures.check_signature(found, Trust((tmp_path / "their.pub",)))
    assert signer is not None
    assert signer.name == "their"


def test_the_right_one_of_several_keys_is_named(tmp_path):
    """And the same manifest signed again has the same bytes."""
    keys = [write_key(tmp_path, name) for name in ("old", "new")]
    found = bundle(tmp_path)
    signatures.sign(tmp_path, signatures.read_private_key(keys[1]))
    first = (tmp_path / "manifest.sig").read_bytes()
    signer = signatures.check_signature(found, Trust(signatures.trusted_keys(tmp_path)))
    assert signer is not None
    assert signer.name == "new"
    signatures.sign(tmp_path, signatures.read_private_key(keys[1]))
    assert (tmp_path / "manifest.sig").read_bytes() == first


def test_none_is_needed_unless_it_is(tmp_path):
    """A bundle that nobody signed."""
    found = bundle(tmp_path)
    assert signatures.check_signature(found, Trust()) is None
    with pytest.raises(BundleError, match="is not signed, and a signature is required; `lookbook bundle sign`"):
        signatures.check_signature(found, Trust(required=True))


def test_another_key_and_a_changed_manifest_are_told_apart(tmp_path):
    """Neither is taken."""
    key = write_key(tmp_path, "ours")
    (tmp_path / "other").mkdir()
    write_key(tmp_path / "other", "theirs")
    found = bundle(tmp_path)
    key_id = signatures.sign(tmp_path, signatures.read_private_key(key))
    theirs, ours = Trust((tmp_path / "other" / "theirs.pub",)), Trust((tmp_path / "ours.pub",))
    with pytest.raises(BundleError, match=rf"signed by key {key_id}, which is none of .* \(trusted: theirs\.pub\)"):
        signatures.check_signature(found, theirs)
    with pytest.raises(BundleError, match="no key is trusted here"):
        signatures.check_signature(found, Trust())
    signatures.check_signature(found, ours)
    for changed in (b'{"a": 2}', b'{"a": 1}\n', b""):
        with pytest.raises(BundleError, match=r"manifest\.sig: the signature does not fit manifest\.json"):
            signatures.check_signature(Manifest(tmp_path, {}, changed), ours)


def test_a_borrowed_key_id_does_not_help(tmp_path):
    """Signed by another, who writes our key's id into it."""
    ours, theirs = write_key(tmp_path, "ours"), write_key(tmp_path, "theirs")
    found = bundle(tmp_path)
    signatures.sign(tmp_path, signatures.read_private_key(theirs))
    values = json.loads((tmp_path / "manifest.sig").read_text("utf-8"))
    values["key_id"] = signatures.id_of(signatures.read_private_key(ours).public_key())
    (tmp_path / "manifest.sig").write_text(json.dumps(values), "utf-8")
    with pytest.raises(BundleError, match="does not fit"):
        signatures.check_signature(found, Trust((tmp_path / "ours.pub",)))


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 3000, "not JSON"),
        (b"[]", "not a Lookbook signature"),
        (b"{" + b" " * 5000 + b"}", "not a Lookbook signature"),
        (b'{"format": "lookbook-signature", "format_version": 2, "algorithm": "Ed25519"}', "version 2 with 'Ed25519'"),
        (b'{"format": "lookbook-signature", "format_version": 1, "algorithm": "none"}', "version 1 with 'none'"),
        (
            b'{"format": "lookbook-signature", "format_version": 1, "algorithm": "Ed25519", "key_id": "a"}',
            "key_id or signature is missing",
        ),
        (
            b'{"format": "lookbook-signature", "format_version": 1, "algorithm": "Ed25519", "key_id": "a", '
            b'"signature": "\xc3\xa9"}',
            "signature is not Base64",
        ),
        (
            b'{"format": "lookbook-signature", "format_version": 1, "algorithm": "Ed25519", "key_id": "a", '
            b'"signature": "QQ=="}',
            "a signature of 1 bytes, wanted 64",
        ),
    ],
)
def test_a_signature_that_is_none_is_refused(tmp_path, content, match):
    """In one line that has the file's name."""
    write_key(tmp_path, "ours")
    found = bundle(tmp_path)
    (tmp_path / "manifest.sig").write_bytes(content)
    with pytest.raises(BundleError, match=rf"manifest\.sig: .*{match}") as raised:
        signatures.check_signature(found, Trust((tmp_path / "ours.pub",)))
    assert "\n" not in str(raised.value)


def test_a_signature_cut_at_any_byte_is_refused(tmp_path):
    """All but the last byte, a newline, are needed."""
    key = write_key(tmp_path, "ours")
    found = bundle(tmp_path)
    signatures.sign(tmp_path, signatures.read_private_key(key))
    whole = (tmp_path / "manifest.sig").read_bytes()
    for cut in range(len(whole) - 1):
        (tmp_path / "manifest.sig").write_bytes(whole[:cut])
        with pytest.raises(BundleError, match=r"manifest\.sig"):
            signatures.check_signature(found, Trust((tmp_path / "ours.pub",)))


def test_a_private_key_that_others_can_read_is_refused(tmp_path):
    """Of the group, or of all."""
    key = write_key(tmp_path, "ours")
    for mode in (0o640, 0o604, 0o620):
        key.chmod(mode)
        with pytest.raises(LookbookError, match=rf"ours\.pem: mode {mode:04o}, others can read or change .* chmod 600"):
            signatures.read_private_key(key)
    key.chmod(0o400)
    signatures.read_private_key(key)


def test_a_key_of_another_kind_is_refused(tmp_path):
    """Missing, no PEM, RSA, encrypted, and the two halves exchanged."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    with pytest.raises(LookbookError, match=r"none\.pem: can't be read \(No such file or directory\)"):
        signatures.read_private_key(tmp_path / "none.pem")
    key = write_key(tmp_path, "ours")
    with pytest.raises(LookbookError, match=r"ours\.pem: no public key in PEM"):
        signatures.read_public_key(key)
    (tmp_path / "ours.pub").chmod(0o600)
    with pytest.raises(LookbookError, match=r"ours\.pub: no private key in PEM"):
        signatures.read_private_key(tmp_path / "ours.pub")
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    curve = ec.generate_private_key(ec.SECP256R1())
    key.write_bytes(curve.private_bytes(pem, kind, serialization.NoEncryption()))
    with pytest.raises(LookbookError, match=r"a key of kind \w+, wanted Ed25519"):
        signatures.read_private_key(key)
    key.write_bytes(curve.private_bytes(pem, kind, serialization.BestAvailableEncryption(b"secret")))
    with pytest.raises(LookbookError, match="is encrypted; a build can't ask for a passphrase"):
        signatures.read_private_key(key)

"""manifest.sig: who vouches for a bundle. Ed25519 over manifest.json's bytes, which hold every other file's sha256.

JSON, UTF-8:

    format           "lookbook-signature"
    format_version   1
    algorithm        "Ed25519" (RFC 8032, neither prehashed nor with a context)
    key_id           the first 16 hex digits of sha256 over the public key's 32 bytes; a hint which key to try
    signature        64 bytes, Base64

Keys are PEM files as OpenSSL writes them: PKCS #8 for the private one, SubjectPublicKeyInfo for the public one.
`cryptography` is imported only where a key or a signature is looked at.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import BundleError, LookbookError
from catalog.formats import atomic, digests
from catalog.formats.manifest import NAME, SIGNATURE, Manifest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FORMAT, FORMAT_VERSION, ALGORITHM = "lookbook-signature", 1, "Ed25519"
SIGNATURE_BYTES = 64
MOST_BYTES = 4096  # of a signature's or a key's file: neither is ever near it
OPEN_TO_OTHERS = 0o077


@dataclass(frozen=True)
class Trust:
    """Whose signature a reader takes, and whether it takes a bundle without one."""

    keys: tuple[Path, ...] = ()  # public keys, PEM
    required: bool = False


@dataclass(frozen=True)
class Signer:
    """Who signed: the name of the trusted key's file without its ending, and the key's id."""

    name: str
    key_id: str


NOBODY = Trust()


def trusted_keys(folder: Path) -> tuple[Path, ...]:
    """The public keys, `*.pub`, in a folder; none where there is no such folder."""
    return tuple(sorted(folder.glob("*.pub")))


def check_signature(manifest: Manifest, trust: Trust) -> Signer | None:
    """Hold a bundle's signature to the keys that are trusted; None where it has none and needs none.

    Raises: BundleError, signed by another or by nobody, changed since; LookbookError, a key that can't be used.
    """
    path = manifest.folder / SIGNATURE
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        if trust.required:
            raise BundleError(
                f"{manifest.folder}: is not signed, and a signature is required; `lookbook bundle sign` signs it"
            ) from None
        return None
    except OSError as error:
        raise BundleError(f"{path}: can't be read ({error.strerror}); sign the bundle again") from error
    key_id, signature = _parse(path, content)
    names = []
    for file in trust.keys:
        key = read_public_key(file)
        names.append(file.name)
        if id_of(key) == key_id:
            _verify(path, key, signature, manifest.content)
            return Signer(file.stem, key_id)
    told = f"trusted: {', '.join(names)}" if names else "no key is trusted here"
    raise BundleError(
        f"{path}: signed by key {key_id}, which is none of the trusted ones ({told}); put its public key into the "
        "home's keys/ or name it with --key, if you know whose it is; else don't use this bundle"
    )


def sign(folder: Path, key: "Ed25519PrivateKey") -> str:
    """Write a bundle's manifest.sig over its manifest.json as it stands; returns the key's id. Same bytes each time."""
    signature = key.sign((folder / NAME).read_bytes())
    key_id = id_of(key.public_key())
    values = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "algorithm": ALGORITHM,
        "key_id": key_id,
        "signature": base64.b64encode(signature).decode("ascii"),
    }
    atomic.write_text(folder / SIGNATURE, json.dumps(values, indent=1) + "\n")
    return key_id


def id_of(key: "Ed25519PublicKey") -> str:
    """The key's id: what a signature names it by."""
    return digests.of_bytes(key.public_bytes_raw())[:16]


def new_key() -> bytes:
    """A new private key, PEM, from the system's own randomness."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(key: "Ed25519PrivateKey") -> bytes:
    """The public half, PEM."""
    from cryptography.hazmat.primitives import serialization

    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def read_private_key(path: Path) -> "Ed25519PrivateKey":
    """Read a signing key that nobody but its owner can read.

    Raises: LookbookError, missing, open to others, encrypted, or no Ed25519 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read(path)
    mode = path.stat().st_mode & 0o777
    if mode & OPEN_TO_OTHERS:
        raise LookbookError(f"{path}: mode {mode:04o}, others can read or change this private key; chmod 600 {path}")
    try:
        key = load_pem_private_key(content, None)
    except TypeError as error:
        raise LookbookError(
            f"{path}: is encrypted; a build can't ask for a passphrase: keep it plain, mode 0600"
        ) from error
    except Exception as error:  # cryptography's own errors share no base
        raise LookbookError(f"{path}: no private key in PEM; make one with `lookbook bundle keygen`") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise LookbookError(f"{path}: {_kind(key)}, wanted Ed25519; make one with `lookbook bundle keygen`")
    return key


def read_public_key(path: Path) -> "Ed25519PublicKey":
    """Read a key to check signatures with. Raises: LookbookError, missing, or no public Ed25519 key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path))
    except LookbookError:
        raise
    except Exception as error:  # cryptography's own errors share no base
        raise LookbookError(f"{path}: no public key in PEM; name the .pub beside the signing key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise LookbookError(f"{path}: {_kind(key)}, wanted Ed25519; name the .pub beside the signing key")
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise LookbookError(f"{path}: can't be read ({error.strerror}); name a key's file") from error


def _kind(key: object) -> str:
    return f"a key of kind {type(key).__name__.lstrip('_')}"


def _parse(path: Path, content: bytes) -> tuple[str, bytes]:
    """The key's id and the signature's 64 bytes."""
    mend = "sign the bundle again with `lookbook bundle sign`"
    try:
        values: Any = json.loads(content.decode("utf-8")) if len(content) <= MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path}: not JSON, it was damaged ({error}); {mend}") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise BundleError(f"{path}: not a Lookbook signature; {mend}")
    if (values.get("format_version"), values.get("algorithm")) != (FORMAT_VERSION, ALGORITHM):
        raise BundleError(
            f"{path}: version {values.get('format_version')!r} with {values.get('algorithm')!r}, this reader knows "
            f"{FORMAT_VERSION} with {ALGORITHM}; {mend}"
        )
    key_id, encoded = values.get("key_id"), values.get("signature")
    if not isinstance(key_id, str) or not isinstance(encoded, str):
        raise BundleError(f"{path}: key_id or signature is missing; {mend}")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BundleError(f"{path}: signature is not Base64; {mend}") from error
    if len(signature) != SIGNATURE_BYTES:
        raise BundleError(f"{path}: a signature of {len(signature)} bytes, wanted {SIGNATURE_BYTES}; {mend}")
    return key_id, signature


def _verify(path: Path, key: "Ed25519PublicKey", signature: bytes, content: bytes) -> None:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature as error:
        raise BundleError(
            f"{path}: the signature does not fit {NAME}: one of the two was changed after signing; don't use this "
            "bundle, copy or build it again"
        ) from error

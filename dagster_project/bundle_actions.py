"""`lookbook bundle verify`, `rollback`, `release`, `sign` and `keygen`: what they do, and what they say of it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from catalog.errors import LookbookError
from catalog.formats import manifest, signatures
from query.verification import verify
from resources import bundle_publishing
from resources.bundle_store import PRIVATE_KEY, BundleStore
from resources.home import find_home


def _store(named: Path | None) -> BundleStore:
    home = find_home(named, os.environ)
    return BundleStore(home.bundles, home.keys)


def verify_bundle(
    named: Path | None, version: str | None, keys: Sequence[Path], *, required: bool, as_json: bool
) -> None:
    """Ask a bundle all that it can be asked. Raises: BundleError that names what is not as it should be."""
    store = _store(named)
    bundle = verify(store.find(version), store.trust(keys, required=required)).bundle
    values = bundle.manifest
    size = sum(file["size_bytes"] for file in values["files"].values())
    if as_json:
        told = {
            "version": values["bundle_version"],
            "folder": str(values.folder),
            "files": len(values["files"]),
            "size_bytes": size,
            "golden_queries": len(values["golden"]),
            "signed_by": bundle.signer.name if bundle.signer else None,
            "key_id": bundle.signer.key_id if bundle.signer else None,
        }
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    click.echo(f"version {values['bundle_version']} in {values.folder}")
    click.echo(f"{len(values['files'])} files, {size / 1e6:.1f} MB: every byte is as the manifest says")
    click.echo(f"{len(values['golden'])} golden queries: answered as expected")
    click.echo(f"signed by {bundle.signer.name}, key {bundle.signer.key_id}" if bundle.signer else "not signed")


def roll_back(named: Path | None, version: str | None, keys: Sequence[Path], *, required: bool, hold: bool) -> None:
    """Make an earlier version current. Raises: LookbookError, none such; BundleError, it is not as it should be."""
    store = _store(named)
    done = bundle_publishing.roll_back(store, store.trust(keys, required=required), version, hold=hold)
    if done.version == done.before:
        click.echo(f"{done.version} is current already, and is as it should be")
    else:
        click.echo(f"current is {done.version} again, verified; it was {done.before}, which is kept")
    if store.history().held:
        click.echo("held: builds keep their bundles beside until `lookbook bundle release`")
    elif done.version != done.before:
        click.echo("the next build that comes out differently publishes a new version; to prevent that: --hold")


def release_hold(named: Path | None, keys: Sequence[Path], *, required: bool) -> None:
    """End a hold. Raises: LookbookError, nothing is held; BundleError, the kept bundle is not as it should be."""
    store = _store(named)
    done = bundle_publishing.release(store, store.trust(keys, required=required))
    if done is None:
        click.echo(f"released; no bundle waits to become current: {store.current_version()} stays")
    else:
        click.echo(f"released: current is {done.version}, built while held and verified; it was {done.before}")


def sign_bundle(named: Path | None, version: str | None, key_file: Path | None) -> None:
    """Sign a bundle whose every byte is as its manifest says. Raises: LookbookError, no key, or one of no use."""
    store = _store(named)
    folder = store.find(version).resolve()
    found = manifest.read_manifest(folder)
    key_id = store.sign(folder, key_file)
    if key_id is None:
        raise LookbookError(
            f"{store.keys / PRIVATE_KEY}: not there; make it with `lookbook bundle keygen`, or name --key"
        )
    click.echo(f"version {found['bundle_version']} in {folder}: signed by key {key_id}")


def make_key(named: Path | None, out: Path | None) -> None:
    """Write a new private key, for its owner alone, and its public one. Raises: LookbookError where one is there."""
    private = (out.with_name(f"{out.name}.pem") if out else _store(named).keys / PRIVATE_KEY).absolute()
    public = private.with_suffix(".pub")
    for path in (private, public):
        if path.exists():
            raise LookbookError(
                f"{path}: is there already, and what it signed would no longer open; move it away first"
            )
    private.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(signatures.new_key())
    key = signatures.read_private_key(private)
    public.write_bytes(signatures.public_pem(key))
    click.echo(f"{private}: the private key; keep it, and keep it to yourself")
    click.echo(f"{public}: the public key {signatures.id_of(key.public_key())}, for whoever opens your bundles")
    if out is None:
        click.echo("builds of this home sign with it from now on; `lookbook bundle sign` signs the current bundle")

"""`lookbook bundle`: list, verify, compare, roll back and sign what was published. It loads click only."""

from pathlib import Path

import click

from dagster_project.command_line import home_option, one_line

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
key_option = click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A public key to trust, beside the home's keys/*.pub. May be given more than once.",
)
signature_option = click.option("--require-signature", is_flag=True, help="Refuse a bundle that nobody signed.")


@click.group()
def bundle() -> None:
    """List, verify, compare, roll back and sign bundles."""


@bundle.command("list")
@home_option
@json_option
def list_bundles(home: Path | None, as_json: bool) -> None:
    """List the versions that are kept: which is current, when each was published, what it holds, who signed it."""

    def run() -> None:
        from dagster_project.bundle_listing import list_bundles

        list_bundles(home, as_json=as_json)

    one_line(run)


@bundle.command()
@click.argument("version", required=False)
@home_option
@key_option
@signature_option
@json_option
def verify(
    version: str | None, home: Path | None, keys: tuple[Path, ...], require_signature: bool, as_json: bool
) -> None:
    """Read every byte of a bundle, check its signature and have it answer its golden queries.

    VERSION is a version, its first letters, or a bundle's folder; the current one where it is not given.
    """

    def run() -> None:
        from dagster_project.bundle_actions import verify_bundle

        verify_bundle(home, version, keys, required=require_signature, as_json=as_json)

    one_line(run)


@bundle.command()
@click.argument("before", required=False)
@click.argument("after", required=False)
@home_option
@key_option
@click.option("--all", "show_all", is_flag=True, help="List every product, not the first 20 of a kind.")
@json_option
def diff(
    before: str | None, after: str | None, home: Path | None, keys: tuple[Path, ...], show_all: bool, as_json: bool
) -> None:
    """Tell what changed from BEFORE to AFTER: products, models, weights, sizes.

    Each is a version, its first letters, or a bundle's folder. AFTER is the current one where it is not given, BEFORE
    the one that was current before it.
    """

    def run() -> None:
        from dagster_project.bundle_difference import show_difference

        show_difference(home, before, after, keys, show_all=show_all, as_json=as_json)

    one_line(run)


@bundle.command()
@click.argument("version", required=False)
@home_option
@key_option
@signature_option
@click.option("--hold", is_flag=True, help="Let builds keep their bundles beside, until `lookbook bundle release`.")
def rollback(
    version: str | None, home: Path | None, keys: tuple[Path, ...], require_signature: bool, hold: bool
) -> None:
    """Make VERSION current again, by default the one before the current one. It is verified first.

    The next build that comes out differently publishes again, unless --hold says otherwise.
    """

    def run() -> None:
        from dagster_project.bundle_actions import roll_back

        roll_back(home, version, keys, required=require_signature, hold=hold)

    one_line(run)


@bundle.command()
@home_option
@key_option
@signature_option
def release(home: Path | None, keys: tuple[Path, ...], require_signature: bool) -> None:
    """End a hold: the newest bundle that builds kept beside becomes current, and the next ones by themselves."""

    def run() -> None:
        from dagster_project.bundle_actions import release_hold

        release_hold(home, keys, required=require_signature)

    one_line(run)


@bundle.command()
@click.argument("version", required=False)
@home_option
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Private key.  [default: the home's keys/signing.pem]",
)
def sign(version: str | None, home: Path | None, key: Path | None) -> None:
    """Sign a bundle that is there, by default the current one; its files are verified first."""

    def run() -> None:
        from dagster_project.bundle_actions import sign_bundle

        sign_bundle(home, version, key)

    one_line(run)


@bundle.command()
@home_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write FILE.pem and FILE.pub.  [default: the home's keys/signing, with which builds sign by themselves]",
)
def keygen(home: Path | None, out: Path | None) -> None:
    """Make a key to sign with: a private one, for you alone, and a public one, for readers."""

    def run() -> None:
        from dagster_project.bundle_actions import make_key

        make_key(home, out)

    one_line(run)

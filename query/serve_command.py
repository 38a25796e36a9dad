"""The `serve` command, for `python -m query` and `lookbook serve`: the service and its page.

Fetching a photo by its address takes guarded web code, which does not ship with the search: whoever mounts the command
may put a `FetchPhoto` into click's context (`ctx.meta[FETCH_PHOTO]`), as `lookbook` does.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from catalog.errors import LookbookError
from query.command_line import KEYS, bundle_folder, bundle_options, fail, home_folder

if TYPE_CHECKING:
    from query.service.settings import FetchPhoto

FETCH_PHOTO = "query.serve_command.fetch_photo"
AT_ONCE = 2 * (os.cpu_count() or 1)  # one computes while the other decodes or waits for Python's lock


@click.command()
@bundle_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free.")
@click.option(
    "--api-key-file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Holds the key that every request must have; default: LOOKBOOK_API_KEY, else none is asked.",
)
@click.option(
    "--max-bytes", type=click.IntRange(1024), default=20 * 2**20, show_default=True, help="Of a photo's file."
)
@click.option("--max-pixels", type=click.IntRange(256), help="Of a photo.  [default: the bundle's]")
@click.option(
    "--at-once", type=click.IntRange(1, 256), default=AT_ONCE, show_default="two a core", help="Searches at a time."
)
@click.option(
    "--waiting",
    type=click.IntRange(0, 10_000),
    default=32,
    show_default=True,
    help="Searches that may wait for their turn; the next is told to come again.",
)
@click.option(
    "--upload-seconds",
    type=click.FloatRange(0.1, 3600),
    default=30.0,
    show_default=True,
    help="A request's whole body must be here within.",
)
@click.option("--allow-url-search", is_flag=True, help="Search by a photo's web address, too; public ones only.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Another site whose pages may ask, or the address of a proxy before this service; may be repeated.",
)
@click.pass_context
def serve(
    context: click.Context,
    bundle: Path | None,
    home: Path | None,
    keys: tuple[Path, ...],
    require_signature: bool,
    host: str,
    port: int,
    api_key_file: Path | None,
    max_bytes: int,
    max_pixels: int | None,
    at_once: int,
    waiting: int,
    upload_seconds: float,
    allow_url_search: bool,
    origins: tuple[str, ...],
) -> None:
    """Serve a page and an API to search by photo; a new bundle is taken without a break.

    Only this machine can ask, unless --host says otherwise; then every request needs the API key. See docs/service.md.
    """
    from catalog.formats.signatures import Trust, trusted_keys  # here, so that --help answers at once
    from query.service.settings import KEY_VARIABLE, Settings, read_key

    try:
        fetch_photo = cast("FetchPhoto | None", context.meta.get(FETCH_PHOTO)) if allow_url_search else None
        if allow_url_search and fetch_photo is None:
            raise LookbookError("--allow-url-search needs the full command: lookbook serve")
        settings = Settings(
            bundle=bundle_folder(bundle, home),
            trust=Trust((*trusted_keys(home_folder(home) / KEYS), *keys), require_signature),
            host=host,
            port=port,
            key=read_key(api_key_file, os.environ.get(KEY_VARIABLE, "")),
            max_bytes=max_bytes,
            max_pixels=max_pixels,
            at_once=at_once,
            waiting=waiting,
            upload_s=upload_seconds,
            origins=origins,
            fetch_photo=fetch_photo,
        )
        from query.service.running import run_service  # not before the settings are known to be well: it takes a second

        run_service(settings)
    except LookbookError as error:
        fail(str(error))

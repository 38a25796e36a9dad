"""The `search` command, for `python -m query` and `lookbook search`. It loads numpy and ONNX Runtime, never Dagster.

Words need a text tower, which needs torch: whoever mounts the command may put an `EmbedWords` into click's context
(`ctx.obj`), as `lookbook` does. Without one, `--text` says what it takes.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog.errors import LookbookError
from query.command_line import Folder, fail, open_engine
from query.plain_values import as_dict, text_as_dict

if TYPE_CHECKING:
    from catalog.formats.manifest import Manifest
    from query.engine import Engine
    from query.text_search import TextQuery, TextResult

# Words, a bundle, the spaces that the words are wanted in, and the home whose checkpoints may read them.
EmbedWords = Callable[[str, "Manifest", Sequence[str], Path | None], Mapping[str, "TextQuery"]]


@click.command()
@click.argument("photo", required=False, type=click.Path(path_type=Path))
@click.option("--product-id", metavar="ID", help="Find more like this product of the catalogue, instead of a photo.")
@click.option(
    "--text", metavar="WORDS", help="Find what these words describe; needs a profile whose encoders read text."
)
@click.option("--bundle", type=Folder(), help="The bundle's folder; default: the home's own.")
@click.option("--home", type=Folder(), help="The home whose bundle is searched.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A public key whose signed bundles are taken, beside the home's keys/*.pub.",
)
@click.option("--require-signature", is_flag=True, help="Refuse a bundle that nobody signed.")
@click.option("-k", "--top-k", type=click.IntRange(1, 1000), help="How many results.  [default: the bundle's, 10]")
@click.option(
    "--category", metavar="C", help="Search this category, instead of the one the photo is routed to (words: all)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every part of every score.")
@click.option("--save-grid", type=click.Path(path_type=Path), metavar="FILE", help="Save a picture of the results.")
@click.pass_context
def search(
    context: click.Context,
    photo: Path | None,
    product_id: str | None,
    text: str | None,
    bundle: Path | None,
    home: Path | None,
    keys: tuple[Path, ...],
    require_signature: bool,
    top_k: int | None,
    category: str | None,
    as_json: bool,
    save_grid: Path | None,
) -> None:
    """Find the products nearest to PHOTO, to a product of the catalogue, or to words."""
    if sum(given is not None for given in (photo, product_id, text)) != 1:
        raise click.UsageError("name one PHOTO, one --product-id or one --text")
    if text is not None and not text.strip():
        raise click.UsageError("--text is empty; say what to look for")
    if text is not None:
        opened = partial(open_engine, bundle, home, keys, required=require_signature)
        _search_words(context.obj, text, opened, home, top_k, category, as_json, save_grid)
        return
    try:
        engine = open_engine(bundle, home, keys, required=require_signature)
        if photo is not None:
            engine.warm_up()
            result = engine.search(_read(photo), k=top_k, category=category)
        else:
            result = engine.similar(str(product_id), k=top_k, category=category)
        if save_grid:
            from query.grid import result_grid

            _save_grid(save_grid, result_grid(result))
    except LookbookError as error:
        fail(f"{photo}: {error}" if photo and type(error).__name__ == "ImageError" else str(error))
    if as_json:
        click.echo(json.dumps(as_dict(result), ensure_ascii=False, indent=1))
    else:
        from query.report import print_result

        print_result(result, save_grid)


def _search_words(
    embed_words: EmbedWords | None,
    text: str,
    opened: "Callable[[], Engine]",
    home: Path | None,
    top_k: int | None,
    category: str | None,
    as_json: bool,
    save_grid: Path | None,
) -> None:
    if embed_words is None:
        fail("--text needs the full command: lookbook search, in a checkout with the extra [pretrained] installed")
        return
    try:
        result = _found_by_words(embed_words, opened(), text, home, top_k, category)
        if save_grid:
            from query.grid import text_result_grid

            _save_grid(save_grid, text_result_grid(result))
    except LookbookError as error:
        fail(str(error))
    if as_json:
        click.echo(json.dumps(text_as_dict(result), ensure_ascii=False, indent=1))
    else:
        from query.report import print_text_result

        print_text_result(result, save_grid)


def _found_by_words(
    embed_words: EmbedWords, engine: "Engine", text: str, home: Path | None, top_k: int | None, category: str | None
) -> "TextResult":
    from query.text_search import spaces_of

    started = time.perf_counter()
    queries = embed_words(text, engine.bundle.manifest, spaces_of(engine.bundle, category), home)
    taken = 1000 * (time.perf_counter() - started)
    result = engine.search_text(text, queries, k=top_k, category=category)
    return replace(result, milliseconds={"words": taken, **result.milliseconds})


def _read(photo: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(photo) == "-" else photo.read_bytes()
    except OSError as error:
        raise LookbookError(f"{photo}: can't be read ({error.strerror})") from error


def _save_grid(path: Path, grid: Any) -> None:
    from PIL import Image

    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise LookbookError(f"{path}: a picture's name must end in .png, .jpg or .webp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grid).save(path)
    except OSError as error:
        raise LookbookError(f"{path}: can't be written ({error.strerror or error})") from error

"""The `search` command, for `python -m query` and `lookbook search`. It loads numpy and ONNX Runtime, never Dagster.

Words need a text tower, which needs torch: whoever mounts the command may put an `EmbedWords` into click's context
(`ctx.obj`), as `lookbook` does. Without one, `--text` says what it takes.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from catalog.errors import LookbookError

if TYPE_CHECKING:
    from catalog.formats.manifest import Manifest
    from query.engine import Engine
    from query.text_search import TextQuery, TextResult

# Words, a bundle, the spaces that the words are wanted in, and the home whose checkpoints may read them.
EmbedWords = Callable[[str, "Manifest", Sequence[str], Path | None], Mapping[str, "TextQuery"]]

BUNDLE_VARIABLE, HOME_VARIABLE = "LOOKBOOK_BUNDLE", "LOOKBOOK_HOME"
CURRENT_BUNDLE, KEYS = Path("android_bundle", "current"), "keys"


class Folder(click.ParamType[Path]):
    """A folder that is named: an empty name, as an unset shell variable gives, would mean the current one."""

    name = "folder"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        if isinstance(value, str) and not value.strip():
            self.fail("is empty; name a folder", param, ctx)
        return Path(value).expanduser()


def fail(message: str) -> None:
    """End with one line on standard error and exit code 1."""
    click.echo(f"lookbook: {message}", err=True)
    raise SystemExit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Search a Lookbook bundle, as the phone does."""


@main.command()
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
        open_engine = partial(_open, bundle, home, keys, required=require_signature)
        _search_words(context.obj, text, open_engine, home, top_k, category, as_json, save_grid)
        return
    try:
        engine = _open(bundle, home, keys, required=require_signature)
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
    open_engine: "Callable[[], Engine]",
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
        result = _found_by_words(embed_words, open_engine(), text, home, top_k, category)
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


def bundle_folder(bundle: Path | None, home: Path | None) -> Path:
    """The bundle that is named, else the one of the home named, else of LOOKBOOK_HOME, else of the checkout."""
    if bundle:
        return bundle
    if not home and os.environ.get(BUNDLE_VARIABLE):
        return Path(os.environ[BUNDLE_VARIABLE]).expanduser()
    return _home_folder(home) / CURRENT_BUNDLE


def _home_folder(home: Path | None) -> Path:
    checkout = Path(__file__).resolve().parents[1]
    return home or Path(os.environ.get(HOME_VARIABLE) or checkout).expanduser()


def _open(bundle: Path | None, home: Path | None, keys: Sequence[Path], *, required: bool) -> "Engine":
    """The engine on the bundle that is meant; a signed one is held to the home's keys and to those named."""
    from catalog.formats.signatures import Trust, trusted_keys
    from query.engine import Engine  # here, so that --help answers at once

    trust = Trust((*trusted_keys(_home_folder(home) / KEYS), *keys), required)
    return Engine(bundle_folder(bundle, home), trust=trust)


def as_dict(result: Any) -> dict[str, Any]:
    """A search result as plain values: what `--json` prints."""
    route = result.route
    return {
        "categories": list(result.categories),
        "route": None if route is None else {"margin": _finite(route.margin), route.measure: dict(route.scores)},
        "results": [
            {
                "rank": hit.rank,
                **hit.item,
                "score": hit.scored.score,
                "parts": {
                    "semantic": hit.scored.semantic,
                    "semantic_cosine": hit.scored.semantic_cosine,
                    "texture": hit.scored.texture,
                    "texture_cosine": hit.scored.texture_cosine,
                    "color": hit.scored.color,
                    "passed_color_gate": hit.scored.passed_color_gate,
                },
            }
            for hit in result.hits
        ],
        "mask_flags": list(result.described.mask.flags) if result.described else [],
        "milliseconds": {stage: round(value, 2) for stage, value in result.milliseconds.items()},
    }


def text_as_dict(result: "TextResult") -> dict[str, Any]:
    """What words found as plain values: what `--json` prints."""
    return {
        "words": result.words,
        "categories": list(result.categories),
        "results": [
            {"rank": hit.rank, **hit.item, "score": hit.log_odds, "parts": {"semantic_cosine": hit.cosine}}
            for hit in result.hits
        ],
        "milliseconds": {stage: round(value, 2) for stage, value in result.milliseconds.items()},
    }


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None


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

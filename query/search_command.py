"""The `search` command, for `python -m query` and `lookbook search`. It loads numpy and ONNX Runtime, never Dagster.

Words need a text tower, which needs torch: whoever mounts the command may put an `EmbedWords` into click's context
(`ctx.obj`), as `lookbook` does. Without one, `--text` says what it takes.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from catalog.errors import ImageError, LookbookError
from query.command_line import bundle_options, fail, open_engine, printable
from query.photos import STANDARD_INPUT, QueryPhoto, are_several, find_photos
from query.search_options import Fractions, PhotoPath, Shares, complete_brand, complete_category

if TYPE_CHECKING:
    from catalog.features.ranking import Weights
    from catalog.formats.manifest import Manifest
    from catalog.vision.boxes import Box
    from query.engine import Engine
    from query.filters import Filters
    from query.printing import Answer, Printer
    from query.results import SearchResult
    from query.text_search import TextQuery, TextResult

# Words, a bundle, the spaces that the words are wanted in, and the home whose checkpoints may read them.
EmbedWords = Callable[[str, "Manifest", Sequence[str], Path | None], Mapping[str, "TextQuery"]]

SOME_FAILED = 3  # exit code; 1 is for all, and for what no photo is to blame for
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Asked:
    """What the options ask for, whatever is searched with."""

    k: int | None
    category: str | None
    least_price: float | None
    most_price: float | None
    brands: tuple[str, ...]
    in_stock: bool
    shares: tuple[float, ...] | None
    box: tuple[float, ...] | None
    save_grid: Path | None
    explain: bool
    things: bool

    @property
    def filters(self) -> "Filters":
        """Raises: LookbookError for prices that are none."""
        from query.filters import Filters

        return Filters(self.least_price, self.most_price, self.brands, self.in_stock)

    def weights(self, engine: "Engine") -> "Weights":
        """The bundle's, or those that were named beside its gate."""
        bundled = engine.bundle.weights
        if self.shares is None:
            return bundled
        semantic, texture, color = self.shares
        return replace(bundled, semantic=semantic, texture=texture, color=color)

    def answer(self, engine: "Engine", result: "SearchResult", photo: QueryPhoto | None, grid: Path | None) -> "Answer":
        """The result with all that is to be printed beside it; saves its picture.

        Raises: LookbookError when the picture can't be written.
        """
        from query.explain import explain
        from query.printing import Answer

        if grid:
            from query.grid import result_grid

            _save_grid(grid, result_grid(result))
        return Answer(
            result,
            photo.name if photo else None,
            grid,
            explain(engine.bundle, result, self.weights(engine), self.filters) if self.explain else None,
            result.described.things() if self.things and result.described else None,
        )


@click.command()
@click.argument("photos", nargs=-1, type=PhotoPath(), metavar="[PHOTO|FOLDER|-]...")
@click.option("--product-id", metavar="ID", help="Find more like this product of the catalogue, instead of a photo.")
@click.option(
    "--text", metavar="WORDS", help="Find what these words describe; needs a profile whose encoders read text."
)
@bundle_options
@click.option("-k", "--top-k", type=click.IntRange(1, 1000), help="How many results.  [default: the bundle's, 10]")
@click.option(
    "--category",
    metavar="C",
    shell_complete=complete_category,
    help="Search this category, instead of the one the photo is routed to (words: all).",
)
@click.option("--price-min", type=float, metavar="P", help="Only what costs at least this, in the shop's currency.")
@click.option("--price-max", type=float, metavar="P", help="Only what costs at most this.")
@click.option(
    "--brand",
    "brands",
    multiple=True,
    metavar="B",
    shell_complete=complete_brand,
    help="Only this brand; may be repeated.",
)
@click.option("--in-stock", is_flag=True, help="Only what is in stock.")
@click.option("--weights", type=Shares(), metavar="S,T,C", help="Of semantic, texture and colour; brought to sum 1.")
@click.option(
    "--box", type=Fractions(), metavar="L,T,R,B", help="Look at this part of the photo: fractions from 0 to 1."
)
@click.option("--explain", is_flag=True, help="Tell why: route, mask, and the sum that made each score.")
@click.option("--things", is_flag=True, help="List the boxes of the pieces in the photo, for --box.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every part of every score.")
@click.option("--json-lines", is_flag=True, help="Print a line of JSON a photo, for one that fails too.")
@click.option(
    "--save-grid",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Save a picture of the results; of several photos: a folder of pictures.",
)
@click.pass_context
def search(
    context: click.Context,
    photos: tuple[Path, ...],
    product_id: str | None,
    text: str | None,
    bundle: Path | None,
    home: Path | None,
    keys: tuple[Path, ...],
    require_signature: bool,
    top_k: int | None,
    category: str | None,
    price_min: float | None,
    price_max: float | None,
    brands: tuple[str, ...],
    in_stock: bool,
    weights: tuple[float, ...] | None,
    box: tuple[float, ...] | None,
    explain: bool,
    things: bool,
    as_json: bool,
    json_lines: bool,
    save_grid: Path | None,
) -> None:
    """Find the products nearest to a photo, to several, to a product of the catalogue, or to words.

    A FOLDER is searched for pictures through all its folders, in order of their names; other files in it are told and
    passed by, hidden ones just passed by. A `-` reads one photo from standard input. With several photos, or a folder,
    --json prints a list.

    \b
    Exit codes: 0 every photo was searched with
                1 none was, or the search itself can't be done
                2 the command is not used as this page says
                3 some photos failed, each with a line that says why
    """
    filters = (price_min, price_max, brands, in_stock)
    asked = Asked(top_k, category, *filters, weights, box, save_grid, explain, things)
    _check(photos, product_id, text, asked, both_json=as_json and json_lines)
    opened = partial(open_engine, bundle, home, keys, required=require_signature)
    several = are_several(photos)
    found, others = find_photos(photos)
    for path in others:
        click.echo(f"lookbook: {printable(path)}: passed by, no picture by its name", err=True)
    if photos and not found:
        fail(f"no picture in {', '.join(map(str, photos))}; name a folder that holds some")
    printer = _printer(len(found), several=several, as_json=as_json, json_lines=json_lines)
    failed = 0
    try:
        if text is not None:
            printer.answer(_by_words(cast("EmbedWords | None", context.obj), text, opened, home, asked))
        elif product_id is not None:
            printer.answer(_by_product(opened(), product_id, asked))
        else:
            failed = _by_photos(opened(), found, asked, printer, several=several)
    except LookbookError as error:
        fail(str(error))
    printer.end()
    if failed and several:
        click.echo(f"lookbook: {failed} of {len(found)} photos failed", err=True)
    if failed:
        raise SystemExit(1 if failed == len(found) else SOME_FAILED)


def _check(photos: Sequence[Path], product_id: str | None, text: str | None, asked: Asked, *, both_json: bool) -> None:
    """Raises: click.UsageError for what doesn't go together."""
    if sum((bool(photos), product_id is not None, text is not None)) != 1:
        raise click.UsageError("name photos, one --product-id or one --text")
    if text is not None and not text.strip():
        raise click.UsageError("--text is empty; say what to look for")
    if both_json:
        raise click.UsageError("--json and --json-lines exclude each other")
    if not photos and (asked.box or asked.things):
        raise click.UsageError("--box and --things are about a photo; name one")
    scored = asked.shares or asked.explain
    filtered = asked.brands or asked.in_stock or asked.least_price is not None or asked.most_price is not None
    if text is not None and (scored or filtered):
        raise click.UsageError(
            "--text goes without --weights, --explain, --price-min, --price-max, --brand and --in-stock: "
            "words are ranked by one number, over all items of a category"
        )
    if photos.count(STANDARD_INPUT) > 1:
        raise click.UsageError("standard input holds one photo; name - once")
    if STANDARD_INPUT in photos and sys.stdin.isatty():
        raise click.UsageError(
            "- reads a photo from standard input: send one in, as in `lookbook search - < photo.jpg`"
        )
    if asked.save_grid and are_several(photos) and asked.save_grid.suffix.lower() in PICTURES:
        raise click.UsageError("with several photos --save-grid names a folder")


def _printer(photos: int, *, several: bool, as_json: bool, json_lines: bool) -> "Printer":
    from query.printing import Json, JsonLines, Tables  # here, so that --help answers at once

    if json_lines:
        return JsonLines()
    return Json(several=several) if as_json else Tables(photos, several=several)


def _by_photos(
    engine: "Engine", photos: Sequence[QueryPhoto], asked: Asked, printer: "Printer", *, several: bool
) -> int:
    """Search with each photo; returns how many failed.

    Raises: LookbookError for what no photo is to blame for.
    """
    engine.warm_up()
    max_bytes = engine.bundle.manifest["query"]["photos"]["max_bytes"]
    failed = 0
    for photo in photos:
        grid = asked.save_grid / photo.picture if asked.save_grid and several else asked.save_grid
        try:
            result = engine.search(
                photo.read(max_bytes),
                k=asked.k,
                category=asked.category,
                filters=asked.filters,
                weights=asked.weights(engine),
                box=cast("Box | None", asked.box),
            )
        except ImageError as error:
            failed += 1
            printer.problem(photo.name, error)
            continue
        printer.answer(asked.answer(engine, result, photo, grid))
    return failed


def _by_product(engine: "Engine", product_id: str, asked: Asked) -> "Answer":
    result = engine.similar(
        product_id, k=asked.k, category=asked.category, filters=asked.filters, weights=asked.weights(engine)
    )
    return asked.answer(engine, result, None, asked.save_grid)


def _by_words(
    embed_words: EmbedWords | None, text: str, opened: "Callable[[], Engine]", home: Path | None, asked: Asked
) -> "Answer":
    from query.grid import text_result_grid
    from query.printing import Answer

    if embed_words is None:
        raise LookbookError(
            "--text needs the full command: lookbook search, in a checkout with the extra [pretrained] installed"
        )
    result = _found_by_words(embed_words, opened(), text, home, asked.k, asked.category)
    if asked.save_grid:
        _save_grid(asked.save_grid, text_result_grid(result))
    return Answer(result, picture=asked.save_grid)


def _found_by_words(
    embed_words: EmbedWords, engine: "Engine", text: str, home: Path | None, top_k: int | None, category: str | None
) -> "TextResult":
    from query.text_search import spaces_of

    started = time.perf_counter()
    queries = embed_words(text, engine.bundle.manifest, spaces_of(engine.bundle, category), home)
    taken = 1000 * (time.perf_counter() - started)
    result = engine.search_text(text, queries, k=top_k, category=category)
    return replace(result, milliseconds={"words": taken, **result.milliseconds})


def _save_grid(path: Path, grid: Any) -> None:
    from PIL import Image

    if path.suffix.lower() not in PICTURES:
        raise LookbookError(f"{path}: a picture's name must end in .png, .jpg or .webp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(grid).save(path)
    except OSError as error:
        raise LookbookError(f"{path}: can't be written ({error.strerror or error})") from error

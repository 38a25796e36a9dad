"""The `search` command, for `python -m query` and `lookbook search`. It loads numpy and ONNX Runtime, never Dagster."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from catalog.errors import LookbookError

BUNDLE_VARIABLE, HOME_VARIABLE = "LOOKBOOK_BUNDLE", "LOOKBOOK_HOME"
CURRENT_BUNDLE = Path("android_bundle", "current")


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
@click.option("--bundle", type=Folder(), help="The bundle's folder; default: the home's own.")
@click.option("--home", type=Folder(), help="The home whose bundle is searched.")
@click.option("-k", "--top-k", type=click.IntRange(1, 1000), help="How many results.  [default: the bundle's, 10]")
@click.option("--category", metavar="C", help="Search this category, instead of the one the photo is routed to.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every part of every score.")
@click.option("--save-grid", type=click.Path(path_type=Path), metavar="FILE", help="Save a picture of the results.")
def search(
    photo: Path | None,
    product_id: str | None,
    bundle: Path | None,
    home: Path | None,
    top_k: int | None,
    category: str | None,
    as_json: bool,
    save_grid: Path | None,
) -> None:
    """Find the products nearest to PHOTO, or to a product of the catalogue."""
    if (photo is None) == (product_id is None):
        raise click.UsageError("name one PHOTO, or one --product-id")
    from query.engine import Engine  # here, so that --help answers at once

    try:
        folder = bundle_folder(bundle, home)
        engine = Engine(folder)
        if photo is not None:
            engine.warm_up()
            result = engine.search(_read(photo), k=top_k, category=category)
        else:
            result = engine.similar(str(product_id), k=top_k, category=category)
        if save_grid:
            _save_grid(save_grid, result)
    except LookbookError as error:
        fail(f"{photo}: {error}" if photo and type(error).__name__ == "ImageError" else str(error))
    if as_json:
        click.echo(json.dumps(as_dict(result), ensure_ascii=False, indent=1))
    else:
        from query.report import print_result

        print_result(result, save_grid)


def bundle_folder(bundle: Path | None, home: Path | None) -> Path:
    """The bundle that is named, else the one of the home named, else of LOOKBOOK_HOME, else of the checkout."""
    if bundle:
        return bundle
    if home:
        return home / CURRENT_BUNDLE
    if os.environ.get(BUNDLE_VARIABLE):
        return Path(os.environ[BUNDLE_VARIABLE]).expanduser()
    checkout = Path(__file__).resolve().parents[1]
    return Path(os.environ.get(HOME_VARIABLE) or checkout).expanduser() / CURRENT_BUNDLE


def as_dict(result: Any) -> dict[str, Any]:
    """A search result as plain values: what `--json` prints."""
    route = result.route
    return {
        "categories": list(result.categories),
        "route": None if route is None else {"margin": _finite(route.margin), "cosines": dict(route.cosines)},
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


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None


def _read(photo: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(photo) == "-" else photo.read_bytes()
    except OSError as error:
        raise LookbookError(f"{photo}: can't be read ({error.strerror})") from error


def _save_grid(path: Path, result: Any) -> None:
    from PIL import Image

    from query.grid import result_grid

    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise LookbookError(f"{path}: a picture's name must end in .png, .jpg or .webp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(result_grid(result)).save(path)
    except OSError as error:
        raise LookbookError(f"{path}: can't be written ({error.strerror or error})") from error

"""A search result as tables for a terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.vision.boxes import Box
from query.command_line import printable
from query.results import SearchResult
from query.text_search import TextResult

LEAST_WIDTH = 110  # of the tables where the output is no terminal
ROUTED_BY = {"cosines": "cosines to the nearest prototypes", "probabilities": "probabilities of the likeliest"}


def print_result(result: SearchResult, saved_grid: Path | None = None) -> None:
    """Print the route, the results with the parts of their scores, and each stage's time."""
    numbers = []
    for scored in (hit.scored for hit in result.hits):
        color = f"{scored.color:.3f}" + ("" if scored.passed_color_gate else " (gate)")
        numbers.append([f"{scored.score:.3f}", f"{scored.semantic:.3f}", f"{scored.texture:.3f}", color])
    items = [hit.item for hit in result.hits]
    times = {**result.milliseconds, "all": result.elapsed_ms}
    _print(_route_line(result), items, ("score", "semantic", "texture", "color"), numbers, times, saved_grid)


def print_text_result(result: TextResult, saved_grid: Path | None = None) -> None:
    """Print what words found, how well each fits, and each stage's time."""
    numbers = [[f"{hit.log_odds:.2f}", f"{hit.cosine:.3f}"] for hit in result.hits]
    where = result.categories[0] if len(result.categories) == 1 else f"{len(result.categories)} categories"
    opening = f"searched for {result.words!r} in {where}"
    items = [hit.item for hit in result.hits]
    times = {**result.milliseconds, "all": sum(result.milliseconds.values())}
    _print(opening, items, ("log-odds", "cosine"), numbers, times, saved_grid)


def print_heading(photo: str, place: int, of: int) -> None:
    """Print which photo of several the next tables are about."""
    console().print(Text(printable(f"{'' if place == 1 else chr(10)}{place} of {of}: {photo}"), style="bold"))


def print_things(things: Sequence[Box]) -> None:
    """Print the boxes of a photo's pieces, each as `--box` takes it."""
    table = small_table("piece", "left,top,right,bottom: search one alone with --box")
    for place, box in enumerate(things, start=1):
        table.add_row(str(place), ",".join(f"{side:.4f}" for side in box))
    out = console()
    out.print()
    out.print(table)


def console() -> Console:
    """Where tables are printed, wide enough for them where that is no terminal."""
    found = Console()
    return found if found.is_terminal else Console(width=max(LEAST_WIDTH, found.width))


def small_table(*columns: str) -> Table:
    """A table without lines; its columns are to be named."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _print(
    opening: str,
    items: Sequence[Mapping[str, Any]],
    measures: Sequence[str],
    numbers: Sequence[Sequence[str]],
    milliseconds: Mapping[str, float],
    saved_grid: Path | None,
) -> None:
    out = console()
    out.print(Text(printable(opening)))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("#", "product", "title", "category", "price"):
        table.add_column(name, justify="right" if name in ("#", "price") else "left", overflow="fold")
    for name in measures:
        table.add_column(name, justify="right", no_wrap=True)
    for rank, (item, values) in enumerate(zip(items, numbers, strict=True), start=1):
        price = "" if item.get("price") is None else f"{item['price']:.2f} {item.get('currency', '')}".strip()
        name = item["variant"] or item["product_id"]
        cells = (Text(printable(cell)) for cell in (name, item["title"], item["category"], price))
        table.add_row(str(rank), *cells, *values)  # Text: a title is data, rich must not read markup in it
    out.print(table if items else Text("nothing to show: no other product there"))
    times = Table(box=None, header_style="bold", pad_edge=False)
    for stage in milliseconds:
        times.add_column(stage, justify="right")
    times.add_row(*[f"{value:.1f} ms" for value in milliseconds.values()])
    out.print()
    out.print(times)
    if saved_grid:
        out.print(Text(printable(f"picture: {saved_grid}")))


def _route_line(result: SearchResult) -> str:
    where = ", ".join(result.categories)
    if result.route is None:
        return f"searched in {where}"
    best = ", ".join(f"{name} {score:.3f}" for name, score in result.route.scores[:3])
    return f"routed to {where} ({ROUTED_BY[result.route.measure]}: {best})"

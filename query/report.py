"""A search result as tables for a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from query.engine import SearchResult

LEAST_WIDTH = 110  # of the tables where the output is no terminal


def print_result(result: SearchResult, saved_grid: Path | None = None) -> None:
    """Print the route, the results with the parts of their scores, and each stage's time."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(LEAST_WIDTH, console.width))
    console.print(Text(_route_line(result)))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("#", "product", "title", "category", "price"):
        table.add_column(name, justify="right" if name in ("#", "price") else "left", overflow="fold")
    for name in ("score", "semantic", "texture", "color"):
        table.add_column(name, justify="right", no_wrap=True)
    for hit in result.hits:
        item, scored = hit.item, hit.scored
        price = "" if item.get("price") is None else f"{item['price']:.2f} {item.get('currency', '')}".strip()
        name = item["variant"] or item["product_id"]
        color = f"{scored.color:.3f}" + ("" if scored.passed_color_gate else " (gate)")
        numbers = [f"{scored.score:.3f}", f"{scored.semantic:.3f}", f"{scored.texture:.3f}", color]
        # Text: a title from a feed is data, rich must not read markup in it
        table.add_row(str(hit.rank), *map(Text, (name, item["title"], item["category"], price)), *numbers)
    console.print(table if result.hits else Text("nothing to show: no other product there"))
    times = Table(box=None, header_style="bold", pad_edge=False)
    for stage in [*result.milliseconds, "all"]:
        times.add_column(stage, justify="right")
    values = [*result.milliseconds.values(), sum(result.milliseconds.values())]
    times.add_row(*[f"{value:.1f} ms" for value in values])
    console.print()
    console.print(times)
    if saved_grid:
        console.print(Text(f"picture: {saved_grid}"))


def _route_line(result: SearchResult) -> str:
    where = " and ".join(result.categories)
    if result.route is None:
        return f"searched in {where}"
    best = ", ".join(f"{name} {cosine:.3f}" for name, cosine in result.route.cosines[:3])
    return f"routed to {where} (cosines to the nearest prototypes: {best})"

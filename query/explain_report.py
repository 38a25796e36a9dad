"""Why a search found what it found, as tables for a terminal."""

from rich.table import Table
from rich.text import Text

from query.command_line import printable
from query.explain import ExplainedHit, Explanation
from query.report import console, small_table


def print_explanation(told: Explanation) -> None:
    """Print the route, what was looked at, how many items were left, and the sum that made each score."""
    out = console()
    out.print()
    out.print(Text("Where it was searched, and why", style="bold"))
    if told.measure is None:
        out.print(Text(printable(f"in {', '.join(told.categories)}: not routed, the category is given")))
    else:
        out.print(_route_table(told))
        out.print(f"searched: the best category, and all less than {told.margin:g} behind it")
    if told.mask_area is not None:
        out.print()
        out.print(Text("What was looked at", style="bold"))
        out.print(
            f"the mask covers {told.mask_area:.1%}; the segmenter's confidence is {told.mask_confidence:.3f} of 1"
        )
        for flag, meaning in told.mask_flags.items():
            out.print(f"{flag}: {meaning}")
    out.print()
    out.print(Text("What was compared", style="bold"))
    out.print(
        f"{told.items} items in {len(told.categories)} {'category' if len(told.categories) == 1 else 'categories'}, "
        f"{told.items_left} pass the filters, {told.reranked} of them nearest by the semantic cosine were reranked"
    )
    out.print("value = (cosine - chance) / (1 - chance), chance being the mean cosine of two different products")
    for hit in told.hits:
        out.print()
        out.print(Text(printable(f"{hit.rank}. {hit.product_id} (row {hit.row}, space {hit.space})"), style="bold"))
        out.print(_parts_table(hit, told.color_gate))


def _route_table(told: Explanation) -> Table:
    table = small_table("category", (told.measure or "").removesuffix("s"), "behind", "")
    for entry in told.route:
        state = "searched" if entry.searched else ""
        table.add_row(Text(printable(entry.name)), f"{entry.score:.3f}", f"{entry.behind:.3f}", state)
    return table


def _parts_table(hit: ExplainedHit, gate: float) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("part", "cosine", "chance", "value", "x weight", "= share", ""):
        table.add_column(name, justify="left" if name in ("part", "") else "right", no_wrap=True)
    for part in hit.parts:
        cosine = "" if part.cosine is None else f"{part.cosine:.3f}"
        chance = "" if part.chance is None else f"{part.chance:.3f}"
        remark = ""
        if part.name == "color":
            remark = (
                f"at least {gate:g}: passed the gate"
                if hit.passed_color_gate
                else f"under {gate:g}: failed the gate, so it comes after all that passed"
            )
        table.add_row(
            part.name, cosine, chance, f"{part.value:.3f}", f"{part.weight:.3f}", f"{part.contribution:.3f}", remark
        )
    table.add_row("score", "", "", "", "", f"{hit.score:.3f}", "")
    return table

"""What the benchmark's page in Dagster's UI shows: numbers over time, tables, confusions, and the worst queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from assets import misses as worst
from assets import reporting
from assets.benchmark_history import Change
from assets.misses import Miss
from assets.trials import Trials
from catalog.evaluation.comparison import Row
from catalog.evaluation.confusion import Confusion, confusion
from catalog.evaluation.evaluation_report import FULL
from catalog.evaluation.measures import Estimate
from catalog.evaluation.retrieval import Answer
from catalog.evaluation.significance import Difference, holm
from catalog.vision import charts, contact_sheets

Metadata = Mapping[str, Any]


def measured(
    trials: Trials,
    estimates: Mapping[str, Estimate],
    ablation: Mapping[str, Sequence[Row]],
    times: Mapping[str, Mapping[str, float]],
) -> Metadata:
    """The measures as tables, and each as a number of its own, which the UI plots over time."""
    answers = trials.answers[FULL]
    prints = [(answer.pattern, found) for answer in answers if answer.pattern for found in answer.patterns]
    return {
        "measures": reporting.table([_row(name, estimate) for name, estimate in estimates.items()]),
        "ablation": reporting.table([_ablated(name, row) for name, table in ablation.items() for row in table]),
        "milliseconds": reporting.table([{"stage": stage, **taken} for stage, taken in times.items()]),
        "by_category": _by_category(answers),
        **_confused("prints", "prints of the first ten results", prints),
        **_confused("routes", "categories", [(answer.category, answer.best_category) for answer in answers]),
        **{_plain(name): estimate.mean for name, estimate in estimates.items()},
    }


def change(found: Change | None) -> Metadata:
    """This run against that of the bundle before."""
    if found is None:
        return {}
    adjusted = holm({name: each.p for name, each in found.differences.items()})
    rows = [
        {"measure": name, **_difference(each), "p_holm": round(adjusted[name], 4)}
        for name, each in found.differences.items()
    ]
    return {"bundle_before": found.bundle_version, "against_the_bundle_before": reporting.table(rows)}


def missed(found: Sequence[Miss]) -> Metadata:
    """What kept right products from the first place, and the worst queries as a picture."""
    if not found:
        return {}
    counts = Counter(miss.cost for miss in found)
    sheet = contact_sheets.data_uri(worst.sheet(found))
    return {
        "missed_by": reporting.table([{"cost": cost, "queries": count} for cost, count in counts.most_common()]),
        "missed": dg.MetadataValue.md(f"![photo, cut-out, right product, first results, parts of the score]({sheet})"),
    }


def leaks(count: int) -> Metadata:
    """A line that `lookbook build` prints, too."""
    if not count:
        return {}
    return {
        "notice": f"benchmark: {count} query photos are in the gallery that they search, and were not measured: "
        "`lookbook rejected` lists them"
    }


def _confused(name: str, words: str, pairs: Sequence[tuple[str, str]]) -> Metadata:
    """What was taken for what, as a table and as a picture."""
    found = confusion(pairs)
    if not found.asked:
        return {}
    counts = found.counts.sum(axis=1).tolist()
    picture = charts.heat_map(found.asked, found.answered, found.shares, counts)
    uri = contact_sheets.data_uri(picture)
    return {
        f"confusion_of_{name}": _shares(found, counts),
        f"confusion_of_{name}_picture": dg.MetadataValue.md(f"![{words} that were asked and found]({uri})"),
    }


def _shares(found: Confusion, counts: Sequence[int]) -> dg.MetadataValue:
    return reporting.table(
        [
            {"asked": asked, "of": count, **{f"as {name}": round(float(share), 3) for name, share in pairs}}
            for asked, count, pairs in zip(
                found.asked, counts, [list(zip(found.answered, row, strict=True)) for row in found.shares], strict=True
            )
        ]
    )


def _by_category(answers: Sequence[Answer]) -> dg.MetadataValue:
    """How the queries of each category fare: found first, found among ten, routed right."""
    of_category: dict[str, list[Answer]] = {}
    for answer in answers:
        of_category.setdefault(answer.category, []).append(answer)
    rows = []
    for name, those in sorted(of_category.items()):
        found = [answer.products.index(answer.product_id) if answer.product_id in answer.products else None
                 for answer in those]  # fmt: skip
        rows.append(
            {
                "category": name,
                "queries": len(those),
                "success_at_1": round(sum(place == 0 for place in found) / len(those), 3),
                "success_at_10": round(sum(place is not None for place in found) / len(those), 3),
                "routed": round(sum(name in answer.searched for answer in those) / len(those), 3),
            }
        )
    return reporting.table(rows)


def _row(name: str, estimate: Estimate) -> dict[str, Any]:
    numbers = {"mean": estimate.mean, "low_95": estimate.low, "high_95": estimate.high}
    return {"measure": name, **{key: round(value, 4) for key, value in numbers.items()}, "queries": estimate.queries}


def _ablated(measure: str, row: Row) -> dict[str, Any]:
    """A way's mean and how it differs from the full score, what matters most on the left: the page cuts wide tables."""
    found = row.difference
    return {
        "measure": measure,
        "score": row.name,
        "mean": round(row.estimate.mean, 4),
        "difference": f"{found.mean:+.4f}" if found else "",
        "p_holm": "" if row.p_holm is None else f"{row.p_holm:.4f}",
        "difference_95": f"{found.low:+.4f} to {found.high:+.4f}" if found else "",
        "mean_95": f"{row.estimate.low:.4f} to {row.estimate.high:.4f}",
    }


def _difference(found: Difference) -> dict[str, Any]:
    numbers = {"difference": found.mean, "low_95": found.low, "high_95": found.high, "p": found.p}
    return {**{name: round(value, 4) for name, value in numbers.items()}, "queries": found.queries}


def _plain(name: str) -> str:
    return name.replace("@", "_at_").replace(" ", "_").lower()

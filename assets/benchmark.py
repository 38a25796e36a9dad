"""How well the published bundle searches: the engine that ships, on query photos whose product is known."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import numpy as np

from assets import reporting
from assets.described_queries import describe
from assets.pools import HEAVY
from assets.query_photos import labelled_queries, left_out_queries, rejection
from assets.trials import FULL, Trials
from catalog.errors import ImageError
from catalog.evaluation.measures import Estimate
from catalog.evaluation.retrieval import Answer, score
from catalog.formats import atomic, digests
from catalog.records import Outcome, Reason
from resources.bundles import Bundles
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.progress import Progress

LABELLED, LEFT_OUT = "labelled query photos", "the catalogue's own thumbnails, each with its own rows left out"
NOTHING = "nothing can be measured: no readable labelled query, and no product with several photos"


@dg.asset(
    deps=["android_bundle", "labelled_queries"],
    group_name="measure",
    kinds={"onnx"},
    owners=["team:search"],
    pool=HEAVY,
)
def benchmark(data_lake: DataLake, feed: Feed, bundles: Bundles, progress: Progress) -> dg.MaterializeResult:
    """Searches with known answers: success, exact variants, routing, prints, masks and times, each with its interval.

    Queries are the feed's labelled photos; without any, thumbnails of products that have several, each searched with
    its own rows left out. Every 95 % interval resamples whole products. Each part of the score is left out once, too.
    """
    started = time.perf_counter()
    engine = bundles.open_current()
    trials, rejected = Trials(), []
    known, labelled = {item["product_id"] for item in engine.bundle.items}, []
    for query in labelled_queries(data_lake, feed):
        if query.product_id in known:
            labelled.append(query)
        else:
            rejected.append(rejection(query, Reason.UNKNOWN_PRODUCT, "no such product in the bundle"))
    queries = labelled or left_out_queries(engine)
    for query, described in zip(queries, describe(engine, queries, data_lake, progress), strict=True):
        if isinstance(described, ImageError):
            rejected.append(rejection(query, Reason(described.reason), described.detail))
            continue
        if described.mask_problem:
            rejected.append(rejection(query, Reason.NOT_AN_IMAGE, described.mask_problem, Outcome.KEPT))
        trials.add(engine, query, described)
    data_lake.write_rejected("benchmark", rejected)
    turned_away = sum(row.outcome is Outcome.REJECTED for row in rejected)
    tables = {
        name: score(answers, has_variants=any(query.variant for query in queries))
        for name, answers in trials.answers.items()
    }
    report: dict[str, Any] = {
        "protocol": (LABELLED if labelled else LEFT_OUT) if tables else NOTHING,
        "bundle_version": engine.bundle.manifest["bundle_version"],
        "profile": engine.bundle.manifest["profile"],
        "gallery": {"items": len(engine.bundle.items), "products": len(known)},
        "queries": len(queries),
        "rejected_queries": turned_away,
        "measures": {name: {m: asdict(e) for m, e in table.items()} for name, table in tables.items()},
    }
    measured = digests.of_values(report)
    report["milliseconds"] = _times(trials.answers.get(FULL, []))
    atomic.write_text(data_lake.benchmark, json.dumps(report, indent=1) + "\n")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(measured),
        metadata={
            "protocol": report["protocol"],
            "queries": len(queries),
            "rejected": turned_away,
            **({"rejected_by_reason": reporting.reasons(rejected)} if rejected else {}),
            **(_tables(tables, report["milliseconds"], trials.answers[FULL]) if tables else {}),
            **({"missed": _missed(trials)} if trials.misses else {}),
            "seconds": round(time.perf_counter() - started, 1),
        },
    )


def _tables(
    tables: dict[str, dict[str, Estimate]], times: dict[str, dict[str, float]], answers: Sequence[Answer]
) -> dict[str, Any]:
    """The measures as tables, and each as a number of its own, which the UI plots over time."""
    return {
        "measures": reporting.table([_row(name, estimate) for name, estimate in tables[FULL].items()]),
        "each_part_left_out": reporting.table(
            [{"score": name, **{m: round(e.mean, 4) for m, e in table.items()}} for name, table in tables.items()]
        ),
        "milliseconds": reporting.table([{"stage": stage, **values} for stage, values in times.items()]),
        "by_category": _by_category(answers),
        **{_plain(name): estimate.mean for name, estimate in tables[FULL].items()},
    }


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


def _missed(trials: Trials) -> dg.MetadataValue:
    """Some queries whose own product did not come first: photo, cut-out and first results, a row each."""
    pictures = [picture for miss in reporting.spread(trials.misses, 4) for picture in miss.pictures()]
    return reporting.picture(pictures, "photo, cut-out, results")


def _times(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of every stage and of the whole search."""
    if not answers:
        return {}
    stages = {stage: [answer.milliseconds[stage] for answer in answers] for stage in answers[0].milliseconds}
    stages["all"] = [sum(answer.milliseconds.values()) for answer in answers]
    return {
        stage: {"median": round(float(np.median(values)), 2), "p95": round(float(np.quantile(values, 0.95)), 2)}
        for stage, values in stages.items()
    }


def _row(name: str, estimate: Estimate) -> dict[str, Any]:
    numbers = {"mean": estimate.mean, "low_95": estimate.low, "high_95": estimate.high}
    return {"measure": name, **{key: round(value, 4) for key, value in numbers.items()}, "queries": estimate.queries}


def _plain(name: str) -> str:
    return name.replace("@", "_at_").replace(" ", "_").lower()

"""How well the published bundle searches: the engine that ships, on query photos whose product is known."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import dagster as dg
import numpy as np

from assets import benchmark_history, benchmark_metadata, reporting
from assets.benchmark_queries import choose
from assets.misses import misses
from assets.pools import HEAVY
from assets.trials import Trials
from catalog.evaluation.comparison import Row, against_first
from catalog.evaluation.evaluation_report import FULL
from catalog.evaluation.retrieval import Answer, score, values
from catalog.formats import atomic, digests
from catalog.records import Outcome, Reason
from resources.bundles import Bundles
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.progress import Progress

ABLATED = ("success@1", "success@10", "variant success@1", "print precision@10")  # measures that have a table of ways


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
    its own rows left out. Every 95 % interval resamples whole products. Each part of the score is left out once, and
    every difference to the full score, and to the bundle before, is tested. docs/evaluation.md defines all of it.
    """
    started = time.perf_counter()
    engine = bundles.open_current()
    version = engine.bundle.manifest["bundle_version"]
    chosen, trials = choose(engine, data_lake, feed, progress), Trials()
    for query, described in chosen.asked:
        trials.add(engine, query, described)
    data_lake.write_rejected("benchmark", chosen.rejected)
    missed = misses(trials.asked)
    scores = {name: score(answers) for name, answers in trials.answers.items()}
    ablation = _ablation(trials)
    report: dict[str, Any] = {
        "protocol": chosen.protocol,
        "bundle_version": version,
        "profile": engine.bundle.manifest["profile"],
        "gallery": {"items": len(engine.bundle.items), "products": len(set(engine.bundle.products))},
        "queries": len(chosen.asked),
        "rejected_queries": sum(row.outcome is Outcome.REJECTED for row in chosen.rejected),
        "queries_in_the_gallery": sum(row.reason is Reason.QUERY_IN_GALLERY for row in chosen.rejected),
        "measures": {name: {m: asdict(e) for m, e in table.items()} for name, table in scores.items()},
        "ablation": {measure: [asdict(row) for row in table] for measure, table in ablation.items()},
        "missed_by": dict(Counter(miss.cost for miss in missed).most_common()),
    }
    measured = digests.of_values(report)
    rows = benchmark_history.rows(trials, version)
    change = benchmark_history.remember(data_lake, version, rows)
    report["milliseconds"] = _times(trials.answers.get(FULL, []))
    report["against_the_bundle_before"] = asdict(change) if change else None
    atomic.write_text(data_lake.benchmark, json.dumps(report, indent=1) + "\n")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(measured),
        metadata={
            "protocol": report["protocol"],
            "queries": report["queries"],
            "rejected": report["rejected_queries"],
            **({"rejected_by_reason": reporting.reasons(chosen.rejected)} if chosen.rejected else {}),
            **benchmark_metadata.leaks(report["queries_in_the_gallery"]),
            **(benchmark_metadata.measured(trials, scores[FULL], ablation, report["milliseconds"]) if scores else {}),
            **benchmark_metadata.change(change),
            **benchmark_metadata.missed(missed),
            "seconds": round(time.perf_counter() - started, 1),
        },
    )


def _ablation(trials: Trials) -> dict[str, list[Row]]:
    """Of each measure that has one the table of all ways of searching against the full score."""
    products = [asked.query.product_id for asked in trials.asked]
    columns = {name: values(answers) for name, answers in trials.answers.items()}
    return {
        measure: against_first({name: column[measure] for name, column in columns.items()}, products)
        for measure in ABLATED
        if measure in columns.get(FULL, {})
    }


def _times(answers: Sequence[Answer]) -> Mapping[str, Mapping[str, float]]:
    """Median and 95th percentile of every stage and of the whole search."""
    if not answers:
        return {}
    stages = {stage: [answer.milliseconds[stage] for answer in answers] for stage in answers[0].milliseconds}
    stages["all"] = [sum(answer.milliseconds.values()) for answer in answers]
    return {
        stage: {"median": round(float(np.median(taken)), 2), "p95": round(float(np.quantile(taken, 0.95)), 2)}
        for stage, taken in stages.items()
    }

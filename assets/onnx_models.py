"""The profile's models as files: float with pixel input, then as small as the gate lets them be."""

import time

import dagster as dg

from assets import reporting
from assets.gate_comparisons import GateInputs
from assets.model_gate import Gate
from assets.pools import HEAVY
from catalog.formats import digests, tables
from catalog.model_descriptions import MODELS
from resources.data_lake import DataLake
from resources.feed import Feed
from resources.model_store import ModelStore
from resources.profile import ActiveProfile
from resources.progress import Progress


class Quantizing(dg.Config):
    """How `int8_models` runs."""

    anew: bool = False  # make the smaller forms again, calibrated on the catalogue as it is now


@dg.asset(group_name="models", kinds={"onnx"}, owners=["team:search"])
def fp32_models(active_profile: ActiveProfile, model_store: ModelStore, progress: Progress) -> dg.MaterializeResult:
    """Every model of the profile in float32, checked against its sha256, behind a graph that takes uint8 pixels."""
    started = time.perf_counter()
    names = active_profile.read().onnx_model_names()
    shown = progress.bar("fp32_models", "model")
    files = {}
    for done, name in enumerate(names, start=1):
        files[name] = model_store.float_model(name)
        shown(done, len(names))
    return dg.MaterializeResult(
        data_version=dg.DataVersion(digests.of_values({name: digests.of_file(path) for name, path in files.items()})),
        metadata={
            "models": reporting.table(
                [
                    {
                        "model": name,
                        "role": MODELS[name].role.value,
                        "megabytes": round(path.stat().st_size / 1e6, 2),
                        "input_side_px": MODELS[name].input_side_px,
                        "dim": MODELS[name].embedding_dim,
                        "licence": MODELS[name].licence,
                    }
                    for name, path in files.items()
                ]
            ),
            "seconds": round(time.perf_counter() - started, 1),
            **reporting.size(*files.values()),
        },
    )


@dg.asset(
    deps=[
        "labelled_queries",
        "fp32_models",
        "product_images",
        "product_crops",
        "semantic_embeddings",
        "texture_features",
    ],
    group_name="models",
    kinds={"onnx"},
    owners=["team:search"],
    pool=HEAVY,
)
def int8_models(
    config: Quantizing,
    feed: Feed,
    data_lake: DataLake,
    active_profile: ActiveProfile,
    model_store: ModelStore,
    progress: Progress,
) -> dg.MaterializeResult:
    """The form of each model that ships: the first of its int8 forms that passes the gate here, else fp16, else fp32.

    Agreement@10 is over up to 1,024 crops as queries, with all as the gallery; masks are compared photo by photo;
    success@1 on the feed's labelled queries, where it has any, may not fall by more than the profile says.
    """
    started = time.perf_counter()
    profile = active_profile.read()
    queries = tables.read(data_lake.table("labelled_queries"), tables.RAW_CATALOG)
    gate = Gate(GateInputs(profile, data_lake, model_store, feed, queries, progress))
    shipped = [gate.ship(name, anew=config.anew) for name in profile.onnx_model_names()]
    model_store.write_gate(shipped)
    files = [model_store.shipped_model(str(entry["model"])) for entry in shipped]
    tried = [(entry, tried) for entry in shipped for tried in entry["tried"]]
    return dg.MaterializeResult(
        # what ships and of which model, not what was measured: the same decision must not set off a new bundle
        data_version=dg.DataVersion(
            digests.of_values(
                [[e["model"], e["form"], e["sha256"], model_store.model(e["model"]).sha256] for e in shipped]
            )
        ),
        metadata={
            "shipped": reporting.table(
                [
                    {
                        "model": entry["model"],
                        "form": entry["form"],
                        "megabytes": round(entry["size_bytes"] / 1e6, 2),
                        "float_megabytes": round(entry["float_size_bytes"] / 1e6, 2),
                        "latency_ratio": entry["latency_ratio"],
                    }
                    for entry in shipped
                ]
            ),
            "gate": reporting.table(
                [
                    {
                        "model": entry["model"],
                        "form": decision["form"],
                        "passed": decision["passed"],
                        "megabytes": round(decision["size_bytes"] / 1e6, 2),
                        "latency_ratio": decision["latency_ratio"],
                        "measured": ", ".join(f"{k} {_short(v)}" for k, v in decision["measured"].items()),
                        "fell_short": "; ".join(decision["reasons"]),
                    }
                    for entry, decision in tried
                ]
            ),
            "seconds": round(time.perf_counter() - started, 1),
            **reporting.size(*files),
        },
    )


def _short(value: float | int | None) -> str:
    return "none" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)

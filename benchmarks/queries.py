"""What a query costs beyond its models, against the plain sequence, and what an exact scan costs beyond reading.

    python benchmarks/queries.py --bundle android_bundle/current --photos data_lake/sample_catalog/queries
        [--imagesearch-home ~/imagesearch-home --imagesearch-photos FOLDER] [--rounds 3] [--most 24]

One run, four tables; ratios are within it. The bundle is brought to 10,000 products by repeating its rows with a
little noise. "As it ships" runs two models side by side where there are two cores, so what is beside a model costs no
time; "one after another" takes each part alone. The plain sequence is the system that this one began from: a session
after another, router and embedding as runs of their own, pixels prepared with Pillow, a whole category reranked; its
networks are the bundle's own, cut off behind their pixel input. benchmarks/imagesearch.py makes the home.
(This file is not called query.py: beside the other scripts it would hide the package.)
"""

import argparse
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from catalog.features import ranking, routing
from catalog.features.inference import PixelModel
from catalog.formats import manifest, matrices
from catalog.model_descriptions import MODELS
from catalog.vision import color, crops, masks
from catalog.vision.decoding import PhotoLimits, decode_photo
from catalog.vision.preparing import prepare_image, prepare_mask
from query import engine as query_engine
from query.engine import Engine
from query.timing import query_photos

PRODUCTS = 10_000
NOISE = 0.02  # of a vector's length: repeated rows are near their first, never equal to it
SCANNED = (100_000, 768)
BARS = {"ms": 25.0, "share": 0.10, "faster": 1.5, "scan": 1.3}


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="of the embedded profile")
    parser.add_argument("--photos", type=Path, help="default: the bundle's golden ones")
    parser.add_argument("--imagesearch-home", type=Path)
    parser.add_argument("--imagesearch-photos", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=24, help="of the photos")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lookbook-query-") as folder:
        large = with_products(options.bundle.resolve(), Path(folder, "bundle"), PRODUCTS)
        measured = [("embedded", large, options.photos)]
        if options.imagesearch_home:
            current = options.imagesearch_home / "android_bundle" / "current"
            measured.append(("imagesearch", current, options.imagesearch_photos))
        for name, bundle, photos in measured:
            print(f"\n## {name}\n")
            some = query_photos(Engine(bundle), photos)[: options.most]
            beyond_models(bundle, some, options.rounds)
            against_plain(bundle, some, options.rounds)
            find_the_same(options.bundle if bundle == large else bundle, some)
            half_the_bytes(bundle, Path(folder, f"{name}-half"), some)
    scan(4 * options.rounds)


# --- a larger bundle -------------------------------------------------------------------------------------------------


def with_products(source: Path, target: Path, products: int) -> Path:
    """A copy of a bundle with that many products, each a repeated one with noise."""
    shutil.copytree(source, target)
    values = json.loads((source / "manifest.json").read_text("utf-8"))
    items = json.loads((source / "catalog.json").read_text("utf-8"))
    rng = np.random.default_rng(5)
    times = -(-products // len({item["product_id"] for item in items}))
    numbers: dict[str, int] = {}
    repeated = [{**item, "product_id": f"{item['product_id']}~{turn}"} for turn in range(times) for item in items]
    kept = [row for row, item in enumerate(repeated) if numbers.setdefault(item["product_id"], len(numbers)) < products]
    rows = np.array(kept)
    shapes = {}
    for name, columns in (
        ("embeddings", "embedding_dim"),
        ("texture", "texture_dim"),
        ("color_signatures", "color_signature_dim"),
    ):
        matrix = np.asarray(matrices.read(source / f"{name}.bin", values[columns], len(items)))[rows % len(items)]
        if name != "color_signatures":
            noise = rng.normal(size=matrix.shape).astype(np.float32) * np.float32(NOISE / np.sqrt(values[columns]))
            matrix = routing.l2_normalize(matrix + noise)
        matrices.write(target / f"{name}.bin", matrix)
        shapes[f"{name}.bin"] = matrix.shape
    shapes["prototypes.bin"] = (len(values["router_categories"]), values["embedding_dim"])
    catalogue = json.dumps([repeated[row] for row in kept], ensure_ascii=False)
    (target / "catalog.json").write_text(catalogue, encoding="utf-8")
    told = {key: value for key, value in values.items() if key not in ("format", "format_version", "bundle_version")}
    told |= {"n_items": len(rows), "n_products": products, "files": manifest.describe_files(target, shapes)}
    manifest.write_manifest(target, told)
    return target


def half_the_bytes(source: Path, target: Path, photos: Sequence[bytes]) -> None:
    """What vectors in float16 save and lose: results shared with float32, and the largest change of a score."""
    shutil.copytree(source.resolve(), target)
    values = json.loads((source / "manifest.json").read_text("utf-8"))
    shapes = {name: tuple(file["shape"]) for name, file in values["files"].items() if "shape" in file}
    for name in manifest.VECTORS:
        matrices.write(target / name, matrices.read(source / name, shapes[name][1]), matrices.FLOAT16)
    told = {key: value for key, value in values.items() if key not in ("format", "format_version", "bundle_version")}
    told["files"] = manifest.describe_files(target, shapes, vectors=matrices.FLOAT16)
    manifest.write_manifest(target, told)
    whole, half = Engine(source), Engine(target)
    shared, change, bytes_of = [], 0.0, {}
    for photo in photos:
        described, _ = whole.describe(photo)
        wanted = {hit.scored.row: hit.scored.score for hit in whole.search(described).hits}
        got = {hit.scored.row: hit.scored.score for hit in half.search(described).hits}
        shared.append(len(wanted.keys() & got.keys()) / len(wanted))
        change = max(change, *(abs(wanted[row] - got[row]) for row in wanted.keys() & got.keys()))
    for folder in (source, target):
        bytes_of[folder] = sum((folder / name).stat().st_size for name in manifest.VECTORS)
    print("\n| vectors | MB | agreement@10 with float32 | largest change of a score |\n|---|---|---|---|")
    print(f"| float32 | {bytes_of[source] / 1e6:.1f} | | |")
    print(f"| float16 | {bytes_of[target] / 1e6:.1f} | {statistics.mean(shared):.3f} | {change:.5f} |")


# --- what the models don't take --------------------------------------------------------------------------------------


class ModelTimes:
    """Notes when models run, by wrapping `PixelModel.run`."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, float, float]] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "ModelTimes":
        self._run = PixelModel.run

        def timed(model: PixelModel, *arguments: Any) -> np.ndarray:
            started = time.perf_counter()
            try:
                return self._run(model, *arguments)
            finally:
                with self._lock:
                    self.runs.append((model.name, started, time.perf_counter()))

        PixelModel.run = timed  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        PixelModel.run = self._run  # type: ignore[method-assign]

    def busy_ms(self) -> float:
        """How long at least one model ran."""
        busy, until = 0.0, 0.0
        for _, started, ended in sorted(self.runs, key=lambda run: run[1]):
            busy += max(0.0, ended - max(started, until))
            until = max(until, ended)
        return 1000 * busy

    def ms_of(self, name: str) -> float:
        """How long one model ran."""
        return 1000 * sum(ended - started for model, started, ended in self.runs if model == name)


def beyond_models(bundle: Path, photos: Sequence[bytes], rounds: int) -> None:
    """Each part's own time, and what of a query's time no model runs in."""
    columns = {}
    for title, threads in (("one after another", 1), ("as it ships", None)):
        engine = Engine(bundle, threads=threads)
        engine.warm_up()
        segmenter = engine.bundle.manifest["models"][engine.bundle.manifest["query"]["segmenter"]]["file"]
        found = []
        for turn in range(rounds + 1):
            for photo in photos:
                with ModelTimes() as models:
                    result = engine.search(photo)
                if turn:  # the first opens what is opened lazily
                    found.append(_parts(result.milliseconds, result.elapsed_ms, models, Path(segmenter).name))
        columns[title] = {part: statistics.median(entry[part] for entry in found) for part in found[0]}
    print(f"{len(photos)} photos x {rounds}, medians in ms; {len(engine.bundle.items):,} items\n")
    print(f"| part | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}")
    for part in columns["as it ships"]:
        cells = [
            f"{100 * column[part]:.1f} %" if part == "share" else f"{column[part]:.2f}" for column in columns.values()
        ]
        print(f"| {part} | {' | '.join(cells)} |")
    beyond, share = columns["one after another"]["all but models"], columns["as it ships"]["share"]
    print(
        f"\nall but models {beyond:.1f} ms alone: {beyond / BARS['ms']:.2f} of the bar of {BARS['ms']:.0f} ms (10,000"
    )
    print(f"products, embedded); {share:.1%} of a query as it ships, bar {BARS['share']:.0%} (imagesearch)\n")


def _parts(stages: Any, elapsed_ms: float, models: ModelTimes, segmenter: str) -> dict[str, float]:
    beyond = elapsed_ms - models.busy_ms()
    return {
        "decode": stages["decode"],
        "cut out, beside the segmenter": stages["segment"] - models.ms_of(segmenter),
        "crop": stages["crop"],
        "color": stages["color"],
        "route": stages["route"],
        "scan (candidates)": stages["candidates"],
        "rerank": stages["rerank"],
        "models' ends": sum(stages[stage] for stage in ("embed", "texture"))
        - sum(models.ms_of(name) for name in {run[0] for run in models.runs} - {segmenter}),
        "all but models": beyond,
        "models": models.busy_ms(),
        "whole": elapsed_ms,
        "share": beyond / elapsed_ms,
    }


# --- the plain sequence ----------------------------------------------------------------------------------------------


class Plain:
    """The system that this one began from, over the same bundle."""

    def __init__(self, engine: Engine) -> None:
        self.bundle = engine.bundle
        values = engine.bundle.manifest
        self.limits = PhotoLimits(**values["query"]["photos"])
        self.sessions = {name: self._session(name) for name in values["models"]}

    def search(self, photo: bytes) -> list[ranking.Scored]:
        """The ten best, every item of the routed categories scored."""
        bundle, values = self.bundle, self.bundle.manifest
        image = decode_photo(photo, self.limits).image_hwc
        saliency = self._run(values["query"]["segmenter"], image, None).squeeze()
        mask = masks.product_mask(saliency, image.shape[1], image.shape[0])
        crop = crops.crop_product(image, mask.binary_mask, values["query"]["crop_side_px"])
        routed_by = self._feature(values["spaces"][values["router"]["space"]]["model"], crop)
        route = routing.route(routed_by, bundle.router, values["router"]["margin"])
        texture = self._feature(values["texture_space"]["model"], crop)
        signature = color.color_signature(crop.image_hwc, crop.binary_mask)
        rows = np.sort(
            np.concatenate([bundle.category_rows[name] for name in route.categories if name in bundle.category_rows])
        )
        cosines, similar = np.empty(len(rows), np.float32), np.empty(len(rows), np.float32)
        for code, space in enumerate(bundle.space_names):
            here = np.flatnonzero(bundle.spaces[rows] == code)
            if len(here):
                embedding = self._feature(
                    values["spaces"][space]["model"], crop
                )  # again, as the router's run was its own
                cosines[here] = bundle.embeddings[rows[here]] @ embedding
                similar[here] = ranking.calibrate(cosines[here], values["spaces"][space]["chance_cosine"])
        chance = values["texture_space"]["chance_cosine"]
        textures, colors = bundle.texture[rows], bundle.colors[rows]
        scored = ranking.rerank(rows, cosines, similar, texture, textures, chance, signature, colors, bundle.weights)
        return ranking.first_of_each(scored, bundle.products, values["ranking"]["results"])

    def _session(self, name: str) -> ort.InferenceSession:
        path = self.bundle.manifest.path(self.bundle.manifest["models"][name]["file"])
        whole = onnx.load(path)
        side, made = MODELS[name].input_side_px, {output for node in whole.graph.node for output in node.output}
        starts = [start for start in ("prepared_image", "prepared_mask") if start in made]
        known = {entry.name for entry in whole.graph.value_info}
        for start, channels in (("prepared_image", 3), ("prepared_mask", 1)):
            if start in made - known:
                shape = [1, channels, side, side]
                whole.graph.value_info.append(onnx.helper.make_tensor_value_info(start, onnx.TensorProto.FLOAT, shape))
        cut = onnx.utils.Extractor(whole).extract_model(starts, [MODELS[name].output])
        return ort.InferenceSession(cut.SerializeToString(), providers=["CPUExecutionProvider"])

    def _run(self, name: str, image: np.ndarray, binary_mask: np.ndarray | None) -> np.ndarray:
        feeds = {"prepared_image": prepare_image(image, MODELS[name])[None]}
        if binary_mask is not None and MODELS[name].takes_mask:
            feeds["prepared_mask"] = prepare_mask(binary_mask, MODELS[name])[None]
        return np.asarray(self.sessions[name].run(None, feeds)[0])

    def _feature(self, name: str, crop: crops.ProductCrop) -> np.ndarray:
        return self._run(name, crop.image_hwc, crop.binary_mask)


def against_plain(bundle: Path, photos: Sequence[bytes], rounds: int) -> None:
    """End to end, in turns: this engine and the plain sequence, and whether they find the same."""
    engine = Engine(bundle)
    engine.warm_up()
    plain = Plain(engine)
    times: dict[str, list[float]] = {"this engine": [], "the plain sequence": []}
    for turn in range(rounds + 1):
        for photo in photos:
            _, taken = _timed(lambda photo=photo: engine.search(photo))
            _, taken_by_plain = _timed(lambda photo=photo: plain.search(photo))
            if turn:
                times["this engine"].append(taken)
                times["the plain sequence"].append(taken_by_plain)
    print("| end to end | median, ms | p95, ms |\n|---|---|---|")
    for name, values in times.items():
        print(f"| {name} | {np.median(values):.1f} | {np.quantile(values, 0.95):.1f} |")
    faster = float(np.median(np.divide(times["the plain sequence"], times["this engine"])))
    print(f"\n{faster:.2f} times faster, photo by photo (bar {BARS['faster']})")


def find_the_same(bundle: Path, photos: Sequence[bytes]) -> None:
    """How often the two sequences' first results are the same: the comparison is of the same search."""
    engine = Engine(bundle)
    plain = Plain(engine)
    same = sum(
        engine.search(photo).hits[0].item["product_id"] == engine.bundle.items[plain.search(photo)[0].row]["product_id"]
        for photo in photos
    )
    print(f"\nat the bundle's own size the first result of {same} of {len(photos)} photos is the same product")


def _timed(run: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    result = run()
    return result, 1000 * (time.perf_counter() - started)


# --- the scan --------------------------------------------------------------------------------------------------------


def scan(rounds: int) -> None:
    """All cosines against reading the same bytes once, with the same threads."""
    rows, dim = SCANNED
    rng = np.random.default_rng(2)
    with tempfile.TemporaryDirectory(prefix="lookbook-scan-") as folder:
        matrices.write(Path(folder, "m.bin"), routing.l2_normalize(rng.normal(size=SCANNED).astype(np.float32)))
        matrix = matrices.read(Path(folder, "m.bin"), dim, rows)
        query, every = np.array(matrix[0]), np.arange(rows)
        readers = {
            "sum": lambda part: np.add.reduce(part, axis=None),
            "or of whole words": lambda part: np.bitwise_or.reduce(part.view(np.uint64), axis=None),
        }
        whole = np.asarray(matrix).reshape(-1)
        times: dict[str, list[float]] = {name: [] for name in ("scan", *readers, "dot with itself")}
        threads = max(1, len(_cores()))
        with ThreadPoolExecutor(threads) as pool:
            parts = np.array_split(np.asarray(matrix), threads)
            for _ in range(rounds + 1):
                times["scan"].append(_timed(lambda: query_engine._scan(matrix, every, query))[1])
                times["dot with itself"].append(_timed(lambda: np.dot(whole, whole))[1])
                for name, read in readers.items():
                    times[name].append(_timed(lambda read=read: list(pool.map(read, parts)))[1])
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    best = min((name for name in medians if name != "scan"), key=lambda name: medians[name])
    size = rows * dim * 4
    print(f"\n## exact scan\n\n{rows:,} x {dim} float32, {threads} threads, medians of {rounds}\n")
    print("| what | ms | GB/s |\n|---|---|---|")
    for name, taken in medians.items():
        print(f"| {name if name == 'scan' else f'reading once: {name}'} | {taken:.1f} | {size / taken / 1e6:.1f} |")
    print(f"\nscan is {medians['scan'] / medians[best]:.2f} of the fastest reading (bar {BARS['scan']})")


def _cores() -> Sequence[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)


if __name__ == "__main__":
    main()

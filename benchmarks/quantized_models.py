"""Size, latency and nearness to float32 of every form of every encoder, with GELU fused and not; IoU of U2NetP's.

    python benchmarks/random_checkpoints.py --out ~/random-checkpoints
    python benchmarks/quantized_models.py --checkpoints ~/random-checkpoints --data ../shared/data \
        --weights ../shared/weights [--keep DIR]

Latency is one call on one thread, forms turn by turn in one process, the median. With random weights cosines say that a
form computes the same thing, and nothing of quality. `--keep` leaves the models for benchmarks/lowest_onnxruntime.py.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import onnx
from embedded_models import exact_mask, photo, read_rows

from catalog import checkpoints
from catalog.features.inference import PixelModel
from catalog.model_descriptions import MODELS, Architecture, ModelDescription, Role
from catalog.onnx_export import float_models, pixel_input, quantization, torch_export
from catalog.vision.masks import intersection_over_union, product_mask
from catalog.vision.preparing import prepare_image, prepare_mask
from resources.inference import each

ENCODERS = [row for row in MODELS.values() if row.becomes_onnx and row.architecture is not Architecture.ONNX]
PHOTO_SETS = ("luma", "clothing", "clothing_extra", "grocery", "fingercam", "ccp")
PHOTOS_A_SET, LATENCY_PHOTOS, LATENCY_ROUNDS, CALIBRATION_PHOTOS = 2, 6, 5, 96
IOU_SETS = {"street photos, the person (ccp)": "ccp", "renders on white (saleor)": "saleor"}


def main() -> None:
    """Print a Markdown table a model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoints", type=Path, help="folder of a folder a model, as random_checkpoints.py writes")
    parser.add_argument("--only", help="names of encoders, comma separated")
    parser.add_argument("--weights", type=Path, help="folder that holds u2netp_320_fp32.onnx")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--keep", type=Path, help="folder to leave the models in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        images = [photo(path) for name in PHOTO_SETS for path in some(options.data / name, PHOTOS_A_SET)]
        wanted = options.only.split(",") if options.only else [model.name for model in ENCODERS]
        for model in ENCODERS if options.checkpoints else []:
            if model.name in wanted and (options.checkpoints / model.name).is_dir():
                score_encoder(model, options.checkpoints / model.name, folder, images)
        if options.weights:
            score_u2netp(options.weights / "u2netp_320_fp32.onnx", options.data, folder, images)


def score_encoder(model: ModelDescription, checkpoint: Path, folder: Path, images: Sequence[np.ndarray]) -> None:
    """Make all forms in a process of their own, so that its peak of memory is theirs; then time them."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        seconds, peak_bytes = pool.submit(make_encoder, model, checkpoint, folder).result()
    names = ["fp32, GELU written out", "fp32", "dynamic, GELU written out"]
    names += [form for form in quantization.forms(model, try_four_bit=True) if form != quantization.FP32]
    files = {name: place(folder, model, name) for name in names}
    floats = files["fp32"]
    print(f"\n### {model.name} (random weights: speed and size only)\n")
    print(f"Export and all forms: {seconds:.0f} s, {peak_bytes / 1e9:.1f} GB at most.")
    nearest = least_cosine(model, checkpoint, floats, images)
    print(f"fp32 with pixel input to torch behind Pillow: cosine at least {nearest:.6f} over {len(images)} photos.\n")
    print_table(model, files, images, "fp32")


def make_encoder(model: ModelDescription, checkpoint: Path, folder: Path) -> tuple[float, int]:
    """Write every form; returns seconds and the peak of resident bytes, as a build has them."""
    started = time.perf_counter()
    place(folder, model, "fp32").write_bytes(float_models.float_model_of_checkpoint(checkpoint, model))
    make_forms(model, folder, [])
    seconds, peak_bytes = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    network = torch_export.export(checkpoints.open_network(checkpoint, model), model)
    plain = place(folder, model, "fp32, GELU written out")
    plain.write_bytes(pixel_input.with_pixel_input(network, model).SerializeToString(deterministic=True))
    place(folder, model, "dynamic, GELU written out").write_bytes(quantization.make_form("dynamic", plain, []))
    return seconds, peak_bytes


def make_forms(model: ModelDescription, folder: Path, calibration: Sequence[Mapping[str, np.ndarray]]) -> list[str]:
    """Write every form but fp32, which is there; returns their names."""
    forms = [form for form in quantization.forms(model, try_four_bit=True) if form != quantization.FP32]
    for form in forms:
        place(folder, model, form).write_bytes(
            quantization.make_form(form, place(folder, model, quantization.FP32), calibration)
        )
    return forms


def place(folder: Path, model: ModelDescription, name: str) -> Path:
    """A form's file."""
    return folder / f"{model.name}.{name.replace(', GELU written out', '-unfused')}.onnx"


def least_cosine(model: ModelDescription, checkpoint: Path, path: Path, images: Sequence[np.ndarray]) -> float:
    """Of the exported model and the torch module behind pixels that Pillow prepared, over all photos."""
    import torch

    network, session = checkpoints.open_network(checkpoint, model), PixelModel(path, model.output, threads=2)
    found = []
    for image in images:
        mask = half_mask(image)
        feeds = [torch.from_numpy(prepare_image(image, model)[None])]
        if model.takes_mask:
            feeds.append(torch.from_numpy(prepare_mask(mask, model)[None].copy()))
        with torch.inference_mode():
            wanted = network(*feeds)[0].numpy()
        found.append(float(session.run(image, mask) @ wanted / np.linalg.norm(wanted)))
    return min(found)


def print_table(model: ModelDescription, files: Mapping[str, Path], images: Sequence[np.ndarray], base: str) -> None:
    """Size, latency, and the cosine of an encoder's vectors to the float ones."""
    sessions = {name: PixelModel(path, model.output) for name, path in files.items()}
    seconds: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(LATENCY_ROUNDS):
        for image in images[:: max(1, len(images) // LATENCY_PHOTOS)]:
            mask = half_mask(image)
            for name, session in sessions.items():
                started = time.perf_counter()
                session.run(image, mask)
                seconds[name].append(time.perf_counter() - started)
    middle = {name: float(np.median(values)) for name, values in seconds.items()}
    judged = model.role is not Role.SEGMENTER
    print(f"| form | MB | ms | ratio | lowest ONNX Runtime |{' cosine mean | min |' if judged else ''}")
    print(f"|---|---|---|---|---|{'---|---|' if judged else ''}")
    vectors = {name: [s.run(image, half_mask(image)) for image in images] for name, s in sessions.items() if judged}
    for name, path in files.items():
        lowest = quantization.lowest_onnxruntime(model, name)
        cells = [name, f"{path.stat().st_size / 1e6:.2f}", f"{middle[name] * 1000:.0f}"]
        cells += [f"{middle[name] / middle[base]:.2f}", lowest]
        if judged:
            cosines = [float(a @ b) for a, b in zip(vectors[name], vectors[base], strict=True)]
            cells += [f"{np.mean(cosines):.5f}", f"{min(cosines):.5f}"]
        print(f"| {' | '.join(cells)} |")


def score_u2netp(source: Path, data: Path, folder: Path, images: Sequence[np.ndarray]) -> None:
    """Its real weights: IoU of every form with the truth, and with float32."""
    model = MODELS["u2netp"]
    wrapped = pixel_input.with_pixel_input(onnx.load(source), model)
    place(folder, model, quantization.FP32).write_bytes(wrapped.SerializeToString(deterministic=True))
    calibration = [{"image": photo(path)} for path in some(data / "clothing", CALIBRATION_PHOTOS)]
    forms = [quantization.FP32, *make_forms(model, folder, calibration)]
    files = {form: place(folder, model, form) for form in forms}
    print("\n### u2netp (real weights)\n")
    print_table(model, files, images, quantization.FP32)
    manifest = read_rows(data / "manifest.csv")
    for title, name in IOU_SETS.items():
        rows = [row for row in manifest if row["path"].startswith(f"{name}/")]
        truth = [exact_mask(data / r["path"], data / r["mask_path"] if r["mask_path"] else None) for r in rows]
        print(f"\n| U2NetP, IoU on {title}, {len(rows)} photos | truth: mean | p1 | min | fp32: mean | p1 | min |")
        print("|---|---|---|---|---|---|---|")
        masks: dict[str, list[np.ndarray]] = {}
        for form, path in files.items():
            session = PixelModel(path, model.output)

            def cut_out(row: Mapping[str, str], session: PixelModel = session) -> np.ndarray:
                image = photo(data / row["path"])
                return product_mask(session.run(image), image.shape[1], image.shape[0]).binary_mask

            masks[form] = each(cut_out, rows)
            cells = [spread(masks[form], others) for others in (truth, masks[quantization.FP32])]
            print(f"| {form} | {' | '.join(cells)} |")


def spread(found: Sequence[np.ndarray], wanted: Sequence[np.ndarray]) -> str:
    """Mean, first percentile and least IoU, as three cells."""
    ious = [intersection_over_union(a, b) for a, b in zip(found, wanted, strict=True)]
    return f"{np.mean(ious):.4f} | {np.quantile(ious, 0.01):.4f} | {min(ious):.4f}"


def half_mask(image: np.ndarray) -> np.ndarray:
    """All but the outer sixths."""
    height, width = image.shape[:2]
    mask = np.zeros((height, width), bool)
    mask[height // 6 : -(height // 6), width // 6 : -(width // 6)] = True
    return mask


def some(folder: Path, count: int) -> list[Path]:
    """So many photos of a folder, from end to end."""
    found = sorted(folder.rglob("*.jpg"))
    return found[:: max(1, len(found) // count)][:count]


if __name__ == "__main__":
    main()

"""Photos a second of the embedding stage, against what such systems use: in one run, on the same photos and network.

Each competitor runs in a process of its own, in turn, several rounds; the median of a competitor's rounds counts. All
read the same photo files and end with one SigLIP 2 vision embedding a photo; loading the model is not counted.

    plain loop              transformers' own processor and model, one photo at a time, float32
    sentence-transformers   its batch encoder, float32
    fastembed               its image path on an ONNX export of the same network, float32
    lookbook                our stage: decoding and inference overlapped, a photo a core

    python benchmarks/random_checkpoints.py --out ~/random-checkpoints --only siglip2-base-patch16-224
    python benchmarks/throughput.py --photos ../shared/data/luma \\
        --checkpoint ~/random-checkpoints/siglip2-base-patch16-224

The other two libraries want environments of their own (--sentence-transformers-python, --fastembed-python): pip
install sentence-transformers, pip install fastembed. A competitor whose environment is not named is left out.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

THREADS = 2
MODEL = "siglip2-base-patch16-224"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
TOKENIZER_CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "model_max_length": 64}


def main() -> None:
    """Run all competitors and print a table; or, with --run, be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, help=f"folder of {MODEL}, in its hub's format")
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos, searched in depth")
    parser.add_argument("--count", type=int, default=64, help="how many of them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sentence-transformers-python", help="python of an environment that has it")
    parser.add_argument("--fastembed-python", help="python of an environment that has it")
    parser.add_argument("--run", choices=sorted(COMPETITORS), help=argparse.SUPPRESS)
    parser.add_argument("--onnx", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    files = sorted(file for file in arguments.photos.rglob("*") if file.suffix.lower() in SUFFIXES)
    files = files[:: max(1, len(files) // arguments.count)][: arguments.count]
    if not files:
        sys.exit(f"{arguments.photos}: no photos there")
    if arguments.run:
        print(json.dumps(_measured(COMPETITORS[arguments.run](arguments), files)))
        return
    with tempfile.TemporaryDirectory() as folder:
        _compare(arguments, Path(folder), len(files))


def _compare(arguments: argparse.Namespace, folder: Path, count: int) -> None:
    pythons = dict.fromkeys(COMPETITORS, sys.executable)
    pythons["sentence-transformers"] = arguments.sentence_transformers_python
    pythons["fastembed"] = arguments.fastembed_python
    hub_folder = _as_on_the_hub(arguments.checkpoint, folder)
    if pythons["fastembed"]:
        _export(hub_folder, folder)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in COMPETITORS if pythons[name]}
    for _ in range(arguments.rounds):
        for name, results in found.items():
            command = [pythons[name], __file__, "--run", name, "--checkpoint", hub_folder, "--photos", arguments.photos]
            command += ["--count", str(arguments.count), "--onnx", folder]
            done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
            if done.returncode:
                sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
            results.append(json.loads(done.stdout.splitlines()[-1]))
    plain = statistics.median(entry["photos_per_second"] for entry in found["plain loop"])
    print(f"{count} photos, {arguments.rounds} rounds, {THREADS} threads; weights do not matter for speed\n")
    print("| what | photos a second | to the plain loop | peak memory, MiB |")
    print("|---|---|---|---|")
    for name, results in found.items():
        speed = statistics.median(entry["photos_per_second"] for entry in results)
        memory = max(entry["peak_mib"] for entry in results)
        print(f"| {name} | {speed:.1f} | {speed / plain:.2f} | {memory:,.0f} |")


def _measured(embed: Callable[[list[Path]], int], files: list[Path]) -> dict[str, float]:
    embed(files[:2])
    started = time.perf_counter()
    done = embed(files)
    seconds = time.perf_counter() - started
    assert done == len(files)
    status = Path("/proc/self/status").read_text()  # getrusage would tell the parent's peak, which an exec inherits
    peak_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return {"photos_per_second": len(files) / seconds, "peak_mib": peak_kib / 1024}


def _as_on_the_hub(checkpoint: Path, folder: Path) -> Path:
    """The checkpoint with the tokenizer_config.json that the hub's has and Lookbook does not need."""
    linked = folder / MODEL
    linked.mkdir()
    for file in checkpoint.resolve().iterdir():
        (linked / file.name).symlink_to(file)
    if not (linked / "tokenizer_config.json").exists():
        (linked / "tokenizer_config.json").write_text(json.dumps(TOKENIZER_CONFIG))
    return linked


def _export(checkpoint: Path, folder: Path) -> None:
    """The vision tower as fastembed's own model repository has it: any batch of prepared pixels to pooler_output."""
    import torch
    from transformers import SiglipVisionModel

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tower = SiglipVisionModel.from_pretrained(checkpoint).eval()

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.tower(pixel_values=pixel_values).pooler_output

    (folder / "onnx").mkdir()
    (folder / "preprocessor_config.json").write_bytes((checkpoint / "preprocessor_config.json").read_bytes())
    torch.onnx.export(
        Tower(), (torch.rand(2, 3, 224, 224),), folder / "onnx" / "vision_model.onnx", dynamo=True, verbose=False,
        input_names=["pixel_values"], output_names=["pooler_output"], opset_version=19, external_data=False,
        dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},),
    )  # fmt: skip


def _plain_loop(arguments: argparse.Namespace) -> Callable[[list[Path]], int]:
    import torch
    from PIL import Image
    from transformers import AutoImageProcessor, AutoModel

    torch.set_num_threads(THREADS)
    processor = AutoImageProcessor.from_pretrained(arguments.checkpoint)
    model = AutoModel.from_pretrained(arguments.checkpoint).eval()

    def embed(files: list[Path]) -> int:
        found = []
        for file in files:
            with torch.no_grad():
                inputs = processor(images=Image.open(file).convert("RGB"), return_tensors="pt")
                features = model.get_image_features(**inputs).pooler_output
                found.append(torch.nn.functional.normalize(features, dim=-1).numpy())
        return len(found)

    return embed


def _sentence_transformers(arguments: argparse.Namespace) -> Callable[[list[Path]], int]:
    import torch
    from PIL import Image
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(arguments.checkpoint), device="cpu")

    def embed(files: list[Path]) -> int:
        photos: list[Any] = [Image.open(file).convert("RGB") for file in files]
        return len(model.encode(photos, batch_size=8, normalize_embeddings=True, show_progress_bar=False))

    return embed


def _fastembed(arguments: argparse.Namespace) -> Callable[[list[Path]], int]:
    from fastembed import ImageEmbedding

    model = ImageEmbedding(f"google/{MODEL}", specific_model_path=str(arguments.onnx), threads=THREADS)
    return lambda files: len(list(model.embed([str(file) for file in files], batch_size=8)))


def _lookbook(precision: str) -> Callable[[argparse.Namespace], Callable[[list[Path]], int]]:
    def opened(arguments: argparse.Namespace) -> Callable[[list[Path]], int]:
        from catalog.model_descriptions import MODELS
        from catalog.torch_models.batch_encoder import BatchEncoder
        from catalog.vision.decoding import PhotoLimits, decode_photo

        encoder = BatchEncoder(arguments.checkpoint, MODELS[MODEL], precision, threads=THREADS)

        def photos(files: list[Path]) -> Iterator[Callable[[], tuple[Any, None]]]:
            for file in files:
                yield lambda file=file: (decode_photo(file.read_bytes(), PhotoLimits()).image_hwc, None)

        return lambda files: sum(1 for _ in encoder.run(photos(files)))

    return opened


COMPETITORS: dict[str, Callable[[argparse.Namespace], Callable[[list[Path]], int]]] = {
    "plain loop": _plain_loop,
    "sentence-transformers": _sentence_transformers,
    "fastembed": _fastembed,
    "lookbook, float32": _lookbook("float32"),
    "lookbook, bfloat16": _lookbook("bfloat16"),
}

if __name__ == "__main__":
    main()

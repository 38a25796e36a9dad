"""Run every model of a folder on old ONNX Runtimes, each in an environment of its own, beside the one installed here.

    python benchmarks/quantized_models.py --checkpoints ... --data ... --weights ... --keep ~/forms
    python benchmarks/lowest_onnxruntime.py --models ~/forms [--versions 1.15.1,1.16.0,1.16.2]

A graph that does nothing but prepare pixels is added for every opset that `LOWEST_ONNXRUNTIME` names. pip fetches the
old releases. What doesn't run is printed in ONNX Runtime's own words. The manifest's `lowest_onnxruntime` rests on it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from catalog.model_descriptions import LOWEST_ONNXRUNTIME, ModelDescription, Role
from catalog.onnx_export.pixel_input import with_pixel_input

SIDE = 32
ANSWER = """
import json, sys
from pathlib import Path
import numpy as np
import onnxruntime
onnxruntime.set_default_logger_severity(4)
image = np.load(sys.argv[1])
for file in sys.argv[3:]:
    try:
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        feeds = {"image": image}
        if len(session.get_inputs()) > 1:
            feeds["mask"] = np.full(image.shape[:2], 255, np.uint8)
        np.save(Path(sys.argv[2], Path(file).name + ".npy"), session.run(None, feeds)[0])
        print(json.dumps([Path(file).name, ""]), flush=True)
    except Exception as error:
        print(json.dumps([Path(file).name, " ".join(str(error).split())[:110]]), flush=True)
"""


def main() -> None:
    """Print one Markdown table, a column a version."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--versions", default="1.15.1,1.16.0,1.16.2,1.17.0,1.18.0")
    options = parser.parse_args()
    versions = options.versions.split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rng = np.random.default_rng(0)
        grain = np.kron(rng.integers(0, 256, (8, 8, 3)), np.ones((40, 50, 1))) + rng.normal(0, 20, (320, 400, 3))
        np.save(folder / "image.npy", np.clip(grain, 0, 255).astype(np.uint8))
        files = [*write_probes(folder), *sorted(options.models.glob("*.onnx"))]
        wanted = answers(Path(sys.executable), folder, "this", files)
        found = {version: answers(environment(folder, version), folder, version, files) for version in versions}
        print(f"| model | {' | '.join(versions)} |\n|---|{'---|' * len(versions)}")
        for file in files:
            cells = [compare(wanted[file.name], found[version][file.name]) for version in versions]
            print(f"| {file.name} | {' | '.join(cells)} |")


def write_probes(folder: Path) -> list[Path]:
    """A graph of each opset that prepares pixels and gives one channel of them."""
    paths = []
    for opset in LOWEST_ONNXRUNTIME:
        model = ModelDescription(
            name="probe", role=Role.SEGMENTER, source="none:", sha256="", size_bytes=0, licence="Apache-2.0",
            licence_terms="none", network_input="", network_output="", output="prepared", input_side_px=SIDE,
            resize="shortest_edge", resample="bicubic", opset=opset,
        )  # fmt: skip
        network = helper.make_graph(
            [helper.make_node("ReduceMax", ["pixels", "axes"], ["one"], "pick", keepdims=1)], "probe",
            [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("one", TensorProto.FLOAT, [1, 1, SIDE, SIDE])],
            [helper.make_tensor("axes", TensorProto.INT64, [1], [1])],
        )  # fmt: skip
        bare = helper.make_model(network, opset_imports=[helper.make_opsetid("", opset)])
        paths.append(folder / f"probe-opset-{opset}.onnx")
        paths[-1].write_bytes(with_pixel_input(bare, model).SerializeToString())
    return paths


def environment(folder: Path, version: str) -> Path:
    """A fresh environment with one ONNX Runtime; returns its Python."""
    home = folder / f"venv-{version}"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    packages = [f"onnxruntime=={version}", "numpy<2"]  # releases before 1.19 are built for NumPy 1
    subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, capture_output=True)
    return python


def answers(python: Path, folder: Path, label: str, files: list[Path]) -> dict[str, np.ndarray | str]:
    """What each model gives in one environment, or why it gives nothing."""
    out = folder / f"answers-{label}"
    out.mkdir()
    command = [python, "-c", ANSWER, folder / "image.npy", out, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = dict(json.loads(line) for line in done.stdout.splitlines())
    return {name: error or np.load(out / f"{name}.npy") for name, error in told.items()}


def compare(wanted: np.ndarray | str, found: np.ndarray | str) -> str:
    """One cell."""
    if isinstance(found, str) or isinstance(wanted, str):
        return f"no: {found if isinstance(found, str) else wanted}"
    cosine = float(found.ravel() @ wanted.ravel() / np.linalg.norm(found) / np.linalg.norm(wanted))
    return f"runs, cosine {cosine:.6f}"


if __name__ == "__main__":
    main()

"""A bare network as its source gives it: brought to its row's opset, its inputs and output held to the row."""

from collections.abc import Iterable
from typing import NamedTuple

import onnx
from onnx import inliner, version_converter

from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription, Role
from catalog.onnx_export import fusions


class Names(NamedTuple):
    """What a graph calls its ends."""

    photo: str
    mask: str  # "" where it takes none
    result: str


def at_opset(network: onnx.ModelProto, model: ModelDescription) -> onnx.ModelProto:
    """The network at the row's opset; weights that an old file names among its inputs are weights only.

    Raises: ModelError for a newer opset than the row's, or one that the converter can't leave.
    """
    opset = next((entry.version for entry in network.opset_import if entry.domain in ("", "ai.onnx")), None)
    if opset is None or opset > model.opset:
        raise ModelError(f"model {model.name}: its graph is of opset {opset}, its row says {model.opset}")
    if network.functions:
        network = inliner.inline_local_functions(network)
    if strange := sorted({node.domain for node in network.graph.node} - {"", "ai.onnx", fusions.DOMAIN}):
        raise ModelError(f"model {model.name}: its graph has operators of {strange}, which ONNX Runtime does not know")
    weights = {entry.name for entry in network.graph.initializer}
    if any(entry.name in weights for entry in network.graph.input):
        bare = onnx.ModelProto()
        bare.CopyFrom(network)
        del bare.graph.input[:]
        bare.graph.input.extend(entry for entry in network.graph.input if entry.name not in weights)
        bare.ir_version = max(network.ir_version, 4)  # older ones want weights among the inputs
        network = bare
    if opset == model.opset:
        return network
    try:
        return version_converter.convert_version(network, model.opset)
    except Exception as error:  # the converter's own errors are RuntimeError and its kin, without a public base
        told = " ".join(str(error).split())
        raise ModelError(
            f"model {model.name}: its graph of opset {opset} can't be brought to its row's {model.opset} ({told}); "
            "name a source of that opset"
        ) from error


def find_names(network: onnx.ModelProto, model: ModelDescription) -> Names:
    """The names that the row means; a row's "" is the graph's first.

    Raises: ModelError when the graph has not the inputs or the output described, wants others, or fixes other sizes.
    """
    photo = _found(model, "input", model.network_input, network.graph.input)
    mask = _found(model, "input", model.network_mask, network.graph.input) if model.takes_mask else None
    result = _found(model, "output", model.network_output, network.graph.output)
    taken = {photo.name, mask.name if mask else ""}
    if spare := [entry.name for entry in network.graph.input if entry.name not in taken]:
        raise ModelError(f"model {model.name}: its graph wants inputs {spare}, which its row does not name")
    side = model.input_side_px
    wanted = [1, 1, side, side] if model.role is Role.SEGMENTER else [1, model.embedding_dim]
    for entry, shape in ((photo, [1, 3, side, side]), (mask, [1, 1, side, side]), (result, wanted)):
        if entry is not None and not _fits(entry, shape):
            sizes = [size.dim_value or "any" for size in entry.type.tensor_type.shape.dim]
            raise ModelError(f"model {model.name}: {entry.name!r} of its graph is {sizes}, its row makes it {shape}")
    return Names(photo.name, mask.name if mask else "", result.name)


def _found(model: ModelDescription, kind: str, name: str, there: Iterable[onnx.ValueInfoProto]) -> onnx.ValueInfoProto:
    for entry in there:
        if name in ("", entry.name):
            return entry
    names = [entry.name for entry in there]
    raise ModelError(f"model {model.name}: its row names {kind} {name!r}, its graph has {names}")


def _fits(entry: onnx.ValueInfoProto, wanted: list[int]) -> bool:
    """Is every size that the graph fixes the wanted one? Nothing is known of a result without a shape."""
    tensor = entry.type.tensor_type
    if not tensor.HasField("shape"):
        return True
    sizes = [size.dim_value for size in tensor.shape.dim]
    return len(sizes) == len(wanted) and all(size in (0, own) for size, own in zip(sizes, wanted, strict=True))

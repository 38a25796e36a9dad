"""Put a bare network behind pixels: a graph that takes uint8 sRGB of any size and prepares it itself.

A Kotlin client that hands over a bitmap can't get the resize, its antialiasing, the crop, the order of channels or the
normalisation wrong. The graph's resize is Pillow's, bicubic (a = -0.5) or bilinear: antialiased, first along the rows,
then along the columns, and after each pass rounded and clipped to whole levels. (In one pass, rounded once, 15 % of
pixels between black and white squares were more than a level off Pillow's; in two none were.) `shortest_edge` computes
sizes and offsets as transformers' image processors do; each axis is cut as soon as it is resized.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription, Role
from catalog.onnx_export import bare_network, fusions

IR_VERSION = 9  # of ONNX 1.14, which brought opset 19: a newer one shuts out ONNX Runtime 1.16 and 1.17
PREFIX = "network_"  # of every name that comes from the bare network
RESIZE_MODES: Mapping[str, Mapping[str, Any]] = {
    "bicubic": {"mode": "cubic", "cubic_coeff_a": -0.5, "exclude_outside": 1},
    "bilinear": {"mode": "linear", "exclude_outside": 1},
}

Part = tuple[list[NodeProto], list[TensorProto]]  # nodes in their order, and the constants that they name


def with_pixel_input(network: onnx.ModelProto, model: ModelDescription) -> onnx.ModelProto:
    """Wrap a bare network as its description says.

    Takes a graph with input `network_input` (1, 3, side, side) float32 (the batch may be symbolic), `network_mask`
    where the model takes one, and output `network_output`; of the row's opset or an older one, which is brought to it.
    Returns: a graph with inputs `image` (height, width, 3) uint8 and, where the model takes one, `mask` (height,
    width) uint8; its only output is `model.output`: (side, side) saliency, or (dim,) float32 of length 1.
    Raises: ModelError when the network has not the inputs, output, shapes or opset described.
    """
    network = bare_network.at_opset(network, model)
    names = bare_network.find_names(network, model)
    nodes, constants = _prepare_image(model)
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["height", "width", 3])]
    own = {names.photo: "prepared_image"}
    if model.takes_mask:
        mask_nodes, mask_constants = _prepare_mask(model)
        nodes, constants = nodes + mask_nodes, constants + mask_constants
        inputs.append(helper.make_tensor_value_info("mask", TensorProto.UINT8, ["height", "width"]))
        own[names.mask] = "prepared_mask"
    result = PREFIX + names.result
    inside = _needed([_renamed(node, own) for node in network.graph.node], result)
    graph = helper.make_graph([*nodes, *inside], model.name, inputs, [], constants)
    wanted = {name for node in inside for name in _named(node)}
    for weights in network.graph.initializer:
        if PREFIX + weights.name in wanted:  # each copied once: a composed graph would be copied several times over
            graph.initializer.append(weights)
            graph.initializer[len(graph.initializer) - 1].name = PREFIX + weights.name
    _add_output(graph, result, model)
    wrapped = onnx.ModelProto(ir_version=IR_VERSION, producer_name="lookbook")
    wrapped.opset_import.append(helper.make_opsetid("", model.opset))
    if any(node.domain == fusions.DOMAIN for node in graph.node):
        wrapped.opset_import.append(helper.make_opsetid(fusions.DOMAIN, 1))
    wrapped.graph.MergeFrom(graph)
    del graph
    onnx.checker.check_model(wrapped)
    return wrapped


def _renamed(node: NodeProto, own: Mapping[str, str]) -> NodeProto:
    """A copy in which every name but those of `own` has the prefix, in subgraphs too."""

    def rename(name: str) -> str:
        return own.get(name, PREFIX + name) if name else ""

    made = NodeProto()
    made.CopyFrom(node)
    made.name = PREFIX + node.name
    made.input[:] = [rename(name) for name in node.input]
    made.output[:] = [rename(name) for name in node.output]
    for graph in _subgraphs(made):
        for entry in (*graph.input, *graph.output):
            entry.name = rename(entry.name)
        for weights in graph.initializer:
            weights.name = rename(weights.name)
        inner = [_renamed(one, own) for one in graph.node]
        del graph.node[:], graph.value_info[:]
        graph.node.extend(inner)
    return made


def _needed(nodes: Sequence[NodeProto], result: str) -> list[NodeProto]:
    """Those that the result comes from: a network may give more than the one output that is wanted."""
    wanted, kept = {result}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(_named(node))
            kept.append(node)
    return kept[::-1]


def _named(node: NodeProto) -> Iterator[str]:
    """All that a node takes, in its subgraphs too."""
    yield from node.input
    for graph in _subgraphs(node):
        for inner in graph.node:
            yield from _named(inner)
        yield from (entry.name for entry in graph.output)


def _subgraphs(node: NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _constant(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(values, name)


def _prepare_image(model: ModelDescription) -> Part:
    mean = np.array(model.mean, np.float32).reshape(1, 3, 1, 1) * np.float32(255)
    std = np.array(model.std, np.float32).reshape(1, 3, 1, 1) * np.float32(255)
    resizing, sizes = _resize(model, "image", model.resample, channels=3)
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], "cast_image", to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["levels"], ["planes"], "planes_first", perm=[2, 0, 1]),
        helper.make_node("Unsqueeze", ["planes", "first_axis"], ["image_nchw"], "add_batch"),
        *resizing,
        helper.make_node("Sub", ["image_resized", "mean_levels"], ["centred"], "subtract_mean"),
        helper.make_node("Div", ["centred", "std_levels"], ["prepared_image"], "divide_by_std"),
    ]
    constants = [
        _constant("first_axis", np.array([0], np.int64)),
        _constant("level_min", np.array(0, np.float32)),
        _constant("level_max", np.array(255, np.float32)),
        _constant("mean_levels", mean),
        _constant("std_levels", std),
        *sizes,
    ]
    return nodes, constants


def _prepare_mask(model: ModelDescription) -> Part:
    resizing, sizes = _resize(model, "mask", "bilinear", channels=1)
    nodes = [
        helper.make_node("Cast", ["mask"], ["mask_levels"], "cast_mask", to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask_levels", "first_two_axes"], ["mask_nchw"], "add_batch_to_mask"),
        *resizing,
        helper.make_node("Div", ["mask_resized", "level_max"], ["prepared_mask"], "mask_to_unit"),
    ]
    return nodes, [_constant("first_two_axes", np.array([0, 1], np.int64)), *sizes]


def _resize(model: ModelDescription, name: str, resample: str, *, channels: int) -> Part:
    """From `<name>_nchw` to `<name>_resized`, (1, channels, side, side): the columns first, then the rows.

    Levels of a photo are rounded and clipped after each of the two; a mask of one channel is not.
    """
    side, shortest = model.input_side_px, model.resize_side_px or model.input_side_px
    if resample not in RESIZE_MODES:
        raise ModelError(f"model {model.name}: resample {resample!r}; the graph knows {', '.join(RESIZE_MODES)}")
    if model.resize not in ("squash", "shortest_edge"):
        raise ModelError(f"model {model.name}: resize {model.resize!r}; the graph knows squash, shortest_edge")
    if shortest < side:
        raise ModelError(f"model {model.name}: resize_side_px {shortest} is less than its input_side_px {side}")
    whole, narrow, done = f"{name}_nchw", f"{name}_narrowed", f"{name}_resized"
    height, edge = f"{name}_height", f"{name}_side"
    nodes = [helper.make_node("Shape", [whole], [height], f"measure_{height}", start=2, end=3)]
    constants = [
        _constant(f"{name}_planes", np.array([1, channels], np.int64)),
        _constant(edge, np.array([side], np.int64)),
    ]
    rounded = channels == 3
    if model.resize == "squash":
        nodes += _resize_pass(whole, narrow, [f"{name}_planes", height, edge], resample, rounded=rounded)
        nodes += _resize_pass(narrow, done, [f"{name}_planes", edge, edge], resample, rounded=rounded)
        return nodes, constants
    width, rows, columns = f"{name}_width", f"{name}_rows", f"{name}_columns"
    shorter = f"{name}_shorter"
    nodes += [
        helper.make_node("Shape", [whole], [width], f"measure_{width}", start=3, end=4),
        helper.make_node("Min", [height, width], [shorter], f"find_{shorter}"),
        *_scaled(height, rows, shorter, f"{name}_shortest"),
        *_scaled(width, columns, shorter, f"{name}_shortest"),
        *_resize_pass(whole, f"{narrow}_whole", [f"{name}_planes", height, columns], resample, rounded=rounded),
        *_centre(f"{narrow}_whole", narrow, columns, edge, f"{name}_third_axis"),
        *_resize_pass(narrow, f"{done}_whole", [f"{name}_planes", rows, edge], resample, rounded=rounded),
        *_centre(f"{done}_whole", done, rows, edge, f"{name}_second_axis"),
    ]
    constants += [
        _constant(f"{name}_shortest", np.array([shortest], np.int64)),
        _constant(f"{edge}_two", np.array([2], np.int64)),
        _constant(f"{name}_second_axis", np.array([2], np.int64)),
        _constant(f"{name}_third_axis", np.array([3], np.int64)),
    ]
    return nodes, constants


def _resize_pass(source: str, target: str, sizes: list[str], resample: str, *, rounded: bool) -> list[NodeProto]:
    """One axis resized, then rounded and clipped to levels.

    `sizes` names all four of them. Naming only the axis is shorter, but ONNX Runtime 1.31 moves a Transpose over such
    a Resize and then can't open the int8 form.
    """
    exact = f"{target}_exact" if rounded else target
    nodes = [
        helper.make_node("Concat", sizes, [f"{target}_sizes"], f"sizes_of_{target}", axis=0),
        helper.make_node(
            "Resize",
            [source, "", "", f"{target}_sizes"],
            [exact],
            f"resize_to_{target}",
            antialias=1,
            coordinate_transformation_mode="half_pixel",
            **RESIZE_MODES[resample],
        ),
    ]
    if rounded:
        nodes += [
            helper.make_node("Round", [exact], [f"{target}_rounded"], f"round_{target}"),
            helper.make_node("Clip", [f"{target}_rounded", "level_min", "level_max"], [target], f"clip_{target}"),
        ]
    return nodes


def _scaled(size: str, target: str, shorter: str, shortest: str) -> list[NodeProto]:
    """A side of the photo times shortest / shorter, its fraction dropped."""
    return [
        helper.make_node("Mul", [size, shortest], [f"{target}_times"], f"multiply_{target}"),
        helper.make_node("Div", [f"{target}_times", shorter], [target], f"divide_{target}"),
    ]


def _centre(source: str, target: str, size: str, edge: str, axis: str) -> list[NodeProto]:
    """The middle `edge` places of an axis of `size`, half of an odd rest left before them."""
    spare, first, end = f"{target}_spare", f"{target}_first", f"{target}_end"
    return [
        helper.make_node("Sub", [size, edge], [spare], f"find_{spare}"),
        helper.make_node("Div", [spare, f"{edge}_two"], [first], f"find_{first}"),
        helper.make_node("Add", [first, edge], [end], f"find_{end}"),
        helper.make_node("Slice", [source, first, end, axis], [target], f"cut_{target}"),
    ]


def _add_output(graph: onnx.GraphProto, raw: str, model: ModelDescription) -> None:
    """Drop the batch axis; bring features to length 1, so that a dot product is the cosine."""
    if model.role is Role.SEGMENTER:
        shape = [model.input_side_px, model.input_side_px]
        graph.initializer.append(_constant("batch_axes", np.array([0, 1], np.int64)))
        graph.node.append(helper.make_node("Squeeze", [raw, "batch_axes"], [model.output], "drop_batch"))
    else:
        shape = [model.embedding_dim]
        graph.initializer.extend(
            [_constant("batch_axes", np.array([0], np.int64)), _constant("least_length", np.array(1e-12, np.float32))]
        )
        graph.node.extend(
            [
                helper.make_node("Squeeze", [raw, "batch_axes"], ["raw_features"], "drop_batch"),
                helper.make_node("ReduceL2", ["raw_features", "batch_axes"], ["length"], "measure", keepdims=1),
                helper.make_node("Max", ["length", "least_length"], ["divisor"], "never_zero"),
                helper.make_node("Div", ["raw_features", "divisor"], [model.output], "normalize"),
            ]
        )
    graph.output.append(helper.make_tensor_value_info(model.output, TensorProto.FLOAT, shape))

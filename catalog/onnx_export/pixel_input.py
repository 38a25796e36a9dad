"""Put a bare network behind pixels: a graph that takes uint8 sRGB of any size and prepares it itself.

A Kotlin client that hands over a bitmap can't get the resize, its antialiasing, the order of channels or the
normalisation wrong. The graph's resize is Pillow's bicubic: cubic with a = -0.5, antialiased, first along the rows,
then along the columns, and after each pass rounded and clipped to whole levels. (In one pass,
rounded once, 15 % of pixels between black and white squares were more than a level off Pillow's; in two none were.)
"""

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, compose, helper, numpy_helper

from catalog.errors import ModelError
from catalog.model_descriptions import ModelDescription, Role

IR_VERSION = 9  # of ONNX 1.14, which brought opset 19: a newer one shuts out ONNX Runtime 1.15 to 1.17
PREFIX = "network_"  # of every name that comes from the bare network


def with_pixel_input(network: onnx.ModelProto, model: ModelDescription) -> onnx.ModelProto:
    """Wrap a bare network as its description says.

    Takes a graph with input `network_input` (1, 3, side, side) float32 (the batch may be symbolic), `network_mask`
    where the model takes one, and output `network_output`.
    Returns: a graph with inputs `image` (height, width, 3) uint8 and, where the model takes one, `mask` (height,
    width) uint8; its only output is `model.output`: (side, side) saliency, or (dim,) float32 of length 1.
    Raises: ModelError when the network has not the inputs, output or opset described.
    """
    _check(network, model)
    side = model.input_side_px
    nodes, constants = _prepare_image(model)
    inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["height", "width", 3])]
    outputs = [helper.make_tensor_value_info("prepared_image", TensorProto.FLOAT, [1, 3, side, side])]
    links = [("prepared_image", PREFIX + model.network_input)]
    if model.takes_mask:
        mask_nodes, mask_constants = _prepare_mask(side)
        nodes, constants = nodes + mask_nodes, constants + mask_constants
        inputs.append(helper.make_tensor_value_info("mask", TensorProto.UINT8, ["height", "width"]))
        outputs.append(helper.make_tensor_value_info("prepared_mask", TensorProto.FLOAT, [1, 1, side, side]))
        links.append(("prepared_mask", PREFIX + model.network_mask))
    front = _model(nodes, "pixels", inputs, outputs, constants, model.opset)
    bare = compose.add_prefix(network, PREFIX)
    bare.ir_version = IR_VERSION
    merged = compose.merge_models(front, bare, links, outputs=[PREFIX + model.network_output])
    return _with_output(merged, model)


def _check(network: onnx.ModelProto, model: ModelDescription) -> None:
    opset = next((entry.version for entry in network.opset_import if entry.domain in ("", "ai.onnx")), None)
    if opset != model.opset:
        raise ModelError(f"model {model.name}: its graph is of opset {opset}, its row says {model.opset}")
    for kind, named, there in (
        ("input", [model.network_input, *([model.network_mask] if model.takes_mask else [])], network.graph.input),
        ("output", [model.network_output], network.graph.output),
    ):
        names = [entry.name for entry in there]
        for name in named:
            if name not in names:
                raise ModelError(f"model {model.name}: its row names {kind} {name!r}, its graph has {names}")


def _constant(name: str, values: np.ndarray) -> TensorProto:
    return numpy_helper.from_array(values, name)


def _prepare_image(model: ModelDescription) -> tuple[list[NodeProto], list[TensorProto]]:
    side = model.input_side_px
    mean = np.array(model.mean, np.float32).reshape(1, 3, 1, 1) * np.float32(255)
    std = np.array(model.std, np.float32).reshape(1, 3, 1, 1) * np.float32(255)
    nodes = [
        helper.make_node("Cast", ["image"], ["levels"], "cast_image", to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["levels"], ["planes"], "planes_first", perm=[2, 0, 1]),
        helper.make_node("Unsqueeze", ["planes", "first_axis"], ["planes_nchw"], "add_batch"),
        helper.make_node("Shape", ["planes_nchw"], ["image_height"], "measure_height", start=2, end=3),
        helper.make_node("Concat", ["one_photo", "image_height", "side"], ["narrow_sizes"], "narrow_sizes", axis=0),
        *_resize_pass("planes_nchw", "narrowed", "narrow_sizes"),
        *_resize_pass("narrowed", "resized", "image_sizes"),
        helper.make_node("Sub", ["resized", "mean_levels"], ["centred"], "subtract_mean"),
        helper.make_node("Div", ["centred", "std_levels"], ["prepared_image"], "divide_by_std"),
    ]
    constants = [
        _constant("first_axis", np.array([0], np.int64)),
        _constant("one_photo", np.array([1, 3], np.int64)),
        _constant("side", np.array([side], np.int64)),
        _constant("image_sizes", np.array([1, 3, side, side], np.int64)),
        _constant("level_min", np.array(0, np.float32)),
        _constant("level_max", np.array(255, np.float32)),
        _constant("mean_levels", mean),
        _constant("std_levels", std),
    ]
    return nodes, constants


def _resize_pass(source: str, target: str, sizes: str) -> list[NodeProto]:
    """One axis brought to the side, then rounded and clipped to levels.

    `sizes` names all four of them. Naming only the axis is shorter, but ONNX Runtime 1.31 moves a Transpose over such
    a Resize and then can't open the int8 form.
    """
    return [
        helper.make_node(
            "Resize",
            [source, "", "", sizes],
            [f"{target}_exact"],
            f"resize_to_{target}",
            mode="cubic",
            cubic_coeff_a=-0.5,
            antialias=1,
            exclude_outside=1,
            coordinate_transformation_mode="half_pixel",
        ),
        helper.make_node("Round", [f"{target}_exact"], [f"{target}_rounded"], f"round_{target}"),
        helper.make_node("Clip", [f"{target}_rounded", "level_min", "level_max"], [target], f"clip_{target}"),
    ]


def _prepare_mask(side: int) -> tuple[list[NodeProto], list[TensorProto]]:
    nodes = [
        helper.make_node("Cast", ["mask"], ["mask_levels"], "cast_mask", to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask_levels", "first_two_axes"], ["mask_nchw"], "add_batch_to_mask"),
        helper.make_node(
            "Resize",
            ["mask_nchw", "", "", "mask_sizes"],
            ["mask_resized"],
            "resize_mask",
            mode="linear",
            antialias=1,
            coordinate_transformation_mode="half_pixel",
        ),
        helper.make_node("Div", ["mask_resized", "mask_top"], ["prepared_mask"], "mask_to_unit"),
    ]
    constants = [
        _constant("first_two_axes", np.array([0, 1], np.int64)),
        _constant("mask_sizes", np.array([1, 1, side, side], np.int64)),
        _constant("mask_top", np.array(255, np.float32)),
    ]
    return nodes, constants


def _with_output(merged: onnx.ModelProto, model: ModelDescription) -> onnx.ModelProto:
    """Drop the batch axis; bring features to length 1, so that a dot product is the cosine."""
    graph = merged.graph
    raw = graph.output[0].name
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
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(model.output, TensorProto.FLOAT, shape))
    graph.name = model.name
    merged.producer_name = "lookbook"
    merged.ir_version = IR_VERSION
    del merged.opset_import[:]  # the two parts name the same opset twice, which ONNX Runtime's quantisers refuse
    merged.opset_import.append(helper.make_opsetid("", model.opset))
    onnx.checker.check_model(merged)
    return merged


def _model(
    nodes: list[NodeProto],
    name: str,
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    constants: list[TensorProto],
    opset: int,
) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION)

"""Starts a network from weights that shipped: an exported graph has its batch norms folded away; here they come back.

Import inside functions: it imports torch.
"""

from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from catalog.errors import ModelError


def start_from(network: nn.Module, exported: onnx.ModelProto, *examples: Tensor) -> None:
    """Give `network` the weights of its own export; in eval mode it then answers as the export does.

    A folded convolution and its bias fix what it answers, not how batch norm would scale it in training: `examples`,
    the network's own inputs, give every batch norm the mean and variance that it meets, and its scale and shift undo
    them. Raises: ModelError when the export is of another network.
    """
    stored = {node.name: numpy_helper.to_array(node) for node in exported.graph.initializer}
    by_suffix = _Stored(stored)
    folded: set[str] = set()
    norms: list[nn.BatchNorm2d] = []
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Sequential) and len(module) > 1 and isinstance(module[1], nn.BatchNorm2d):
                convolution, norm = module[0], module[1]
                assert isinstance(convolution, nn.Conv2d)
                convolution.weight.copy_(by_suffix.tensor(f"{name}.0.weight", convolution.weight))
                norm.reset_parameters()
                norm.weight.fill_(float(np.sqrt(1 + norm.eps)))
                norm.bias.copy_(by_suffix.tensor(f"{name}.0.weight_bias", norm.bias))
                folded |= {f"{name}.0", f"{name}.1"}
                norms.append(norm)
        for name, module in network.named_modules():
            if isinstance(module, nn.Linear | nn.Conv2d) and name not in folded:
                module.weight.copy_(by_suffix.tensor(f"{name}.weight", module.weight))
                if module.bias is not None:
                    module.bias.copy_(by_suffix.tensor(f"{name}.bias", module.bias))
    hooks = [norm.register_forward_pre_hook(_scale_to_what_comes) for norm in norms]
    network.eval()
    with torch.no_grad():
        network(*examples)
    for hook in hooks:
        hook.remove()


def _scale_to_what_comes(norm: nn.Module, inputs: tuple[Any, ...]) -> None:
    """Take the statistics of the input, and a scale and shift under which the answer stays what it was."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    features: Tensor = inputs[0]
    mean, variance = features.mean((0, 2, 3)), features.var((0, 2, 3), unbiased=False)
    norm.bias.add_(mean)
    norm.weight.copy_(torch.sqrt(variance + norm.eps))
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


class _Stored:
    """An export's tensors by the network's own names, whatever module they were exported under."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self._tensors = tensors

    def tensor(self, name: str, like: Tensor) -> Tensor:
        found = [value for stored, value in self._tensors.items() if stored == name or stored.endswith(f".{name}")]
        if len(found) != 1 or found[0].shape != tuple(like.shape):
            shapes = [value.shape for value in found] or "nothing"
            raise ModelError(
                f"{name}: the weights to start from hold {shapes} by that name, {tuple(like.shape)} is wanted; "
                "start from an export of this very network, or leave --start-from out"
            )
        return torch.from_numpy(found[0].copy())

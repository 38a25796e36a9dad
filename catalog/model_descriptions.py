"""The table of models: all it takes to run and trust each. Adding a model is adding a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.errors import ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

# The lowest ONNX Runtime that knows an opset (onnxruntime.ai/docs/reference/compatibility.html).
LOWEST_ONNXRUNTIME = {17: "1.12", 18: "1.14", 19: "1.15", 20: "1.17", 21: "1.18"}


class Role(StrEnum):
    """What a model does for a search."""

    SEGMENTER = "segmenter"
    SEMANTIC = "semantic"
    TEXTURE = "texture"


class Quantization(StrEnum):
    """How a model may be brought to int8; each is tried only where the gate can refuse it."""

    DYNAMIC = "dynamic"  # MatMul and Gemm, per channel: transformers
    STATIC_QDQ = "static_qdq"  # convolutions too, with a calibration set
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """All it takes to run and trust a model; each is written once, in the table `MODELS`.

    Every model, once it is in `fp32_models`, takes `image`: (height, width, 3) uint8 sRGB of any size, and resizes and
    normalises inside its graph. A model that `takes_mask` takes `mask` too: (height, width) uint8, 255 on the product.
    """

    name: str
    role: Role
    source: str  # "embedded:<file>" under models/embedded; later "hub:<repository>@<revision>"
    sha256: str  # of the source file
    size_bytes: int  # of the source file
    licence: str  # SPDX
    licence_terms: str  # what it asks of a shop, in a sentence
    network_input: str  # the bare network's input, (1, 3, side, side) float32 normalised
    network_mask: str = ""  # its mask input, (1, 1, side, side) float32 in [0, 1], where it takes one
    network_output: str
    output: str  # the name that the shipped graph gives it; not a name of any of its nodes
    input_side_px: int
    mean: tuple[float, float, float] = IMAGENET_MEAN  # per channel, of pixels in [0, 1]; `std` likewise
    std: tuple[float, float, float] = IMAGENET_STD
    resize: str = "squash"  # to input_side_px on both sides; crops are square already
    embedding_dim: int = 0  # 0 for a segmenter, whose output is (side, side) saliency in [0, 1]
    pooling: str = ""  # "mean", or "mask_mean_std" over the product's cells
    opset: int = 19
    quantization: Quantization = Quantization.NONE

    @property
    def takes_mask(self) -> bool:
        """Does the model look at the product's mask too?"""
        return bool(self.network_mask)


_OURS = "No condition beyond keeping the notice: trained from random weights on CC0 photos and drawn ones."

_ROWS = (
    ModelDescription(
        name="lookbook-segmenter",
        role=Role.SEGMENTER,
        source="embedded:lookbook-segmenter.onnx",
        sha256="ef5a09d8aeb291b06f4949addc01e296de508bace3ca7499974d95294e4b5217",
        size_bytes=4_854_627,
        licence="Apache-2.0",
        licence_terms=_OURS,
        network_input="pixels",
        network_output="saliency",
        output="saliency_mask",
        input_side_px=256,
        quantization=Quantization.STATIC_QDQ,
    ),
    ModelDescription(
        name="lookbook-semantic",
        role=Role.SEMANTIC,
        source="embedded:lookbook-semantic.onnx",
        sha256="e5bd2701fdd5a42cea3365170633467ea9e3d3fe4a330c7c2b82441fa221a422",
        size_bytes=4_826_091,
        licence="Apache-2.0",
        licence_terms=_OURS,
        network_input="pixels",
        network_output="features",
        output="semantic_embedding",
        input_side_px=160,
        embedding_dim=128,
        pooling="mean",
        quantization=Quantization.STATIC_QDQ,
    ),
    ModelDescription(
        name="lookbook-texture",
        role=Role.TEXTURE,
        source="embedded:lookbook-texture.onnx",
        sha256="732b0f804aa56173eb7e9dbd132b0766d6fe0be29409ab3e3e96b3034a25d729",
        size_bytes=1_651_345,
        licence="Apache-2.0",
        licence_terms=_OURS,
        network_input="pixels",
        network_mask="mask_pixels",
        network_output="features",
        output="texture_features",
        input_side_px=192,
        embedding_dim=128,
        pooling="mask_mean_std",
        quantization=Quantization.STATIC_QDQ,
    ),
)

MODELS: Mapping[str, ModelDescription] = {row.name: row for row in _ROWS}


def find_model(name: str, role: Role) -> ModelDescription:
    """The row called `name`, which must play `role`. Raises: ModelError, naming the rows that do."""
    row = MODELS.get(name)
    if row is None or row.role is not role:
        others = ", ".join(sorted(row.name for row in MODELS.values() if row.role is role))
        what = "there is no such model" if row is None else f"it is a {row.role} model"
        raise ModelError(f"model {name!r} for role {role.value!r}: {what}; the {role.value} models are: {others}")
    return row

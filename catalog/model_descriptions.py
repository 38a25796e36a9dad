"""The table of models: all it takes to run and trust each. Adding a model is adding a row."""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from catalog.errors import ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
HALVES = (0.5, 0.5, 0.5)  # SigLIP: pixels to [-1, 1]

# The lowest ONNX Runtime that runs our graphs of an opset: benchmarks/lowest_onnxruntime.py tries. Its own table says
# 1.15 for opset 19, but 1.15 has no Cast of that opset.
LOWEST_ONNXRUNTIME = {18: "1.15", 19: "1.16", 20: "1.17", 21: "1.18"}


class Role(StrEnum):
    """What a model does for a search."""

    SEGMENTER = "segmenter"
    PROMPTED_SEGMENTER = "prompted segmenter"  # wants a box and points; for the catalogue only, runs in torch
    DETECTOR = "detector"  # gives the box that prompts
    SEMANTIC = "semantic"
    TEXTURE = "texture"


class Architecture(StrEnum):
    """How a model's source is read."""

    ONNX = "onnx"  # a bare network in one file
    SIGLIP = "siglip"  # transformers' SiglipModel; SigLIP 2 at a fixed size is one too
    OPEN_CLIP_SIGLIP = "open_clip siglip"  # open_clip's names for the same network
    CLIP = "clip"
    DINOV2 = "dinov2"  # with registers or without: its config.json says
    SAM2 = "sam2"
    YOLOX = "yolox"  # a bare ONNX network that takes a letterboxed BGR photo
    GROUNDING_DINO = "grounding dino"


class Quantization(StrEnum):
    """How a model may be made smaller; each is tried only where the gate can refuse it."""

    DYNAMIC = "dynamic"  # int8 MatMul and Gemm, per channel: transformers
    STATIC_QDQ = "static_qdq"  # int8 convolutions too, with a calibration set
    WEIGHTS_ONLY = "weights_only"  # weights in int8, per channel; computed in float32
    FOUR_BIT = "four_bit"  # MatMul weights in 4 bits, by blocks; only where the profile asks for it


@dataclass(frozen=True, kw_only=True)
class ModelDescription:
    """All it takes to run and trust a model; each is written once, in the table `MODELS`.

    Every segmenter and encoder, once it is in `fp32_models`, takes `image`: (height, width, 3) uint8 sRGB of any size,
    and resizes and normalises inside its graph. A model that `takes_mask` takes `mask` too: (height, width) uint8, 255
    on the product.
    """

    name: str
    role: Role
    architecture: Architecture = Architecture.ONNX
    # "embedded:<file>" under models/embedded, "trained:<name>/<file>" under the home's models/trained,
    # "hub:<repository>", or "url:<address of one file>"
    source: str
    revision: str = (
        ""  # of a hub repository; "" for what its main branch is at the first pull, kept in models/lock.toml
    )
    files: tuple[str, ...] = ()  # of a hub repository; "a|b" is whichever of the two is there, a first
    sha256: str  # of the source; "" where it is recorded at the first pull, in models/lock.toml
    size_bytes: int  # of the source; only about right where sha256 is ""
    licence: str  # SPDX
    licence_terms: str  # what it asks of a shop, in a sentence
    commercial_use: bool = True  # does the licence allow it? Such a model can't be in a profile that ships otherwise
    network_input: str = "pixels"  # the bare network's input, (1, 3, side, side) float32 normalised; "" for its first
    network_mask: str = ""  # its mask input, (1, 1, side, side) float32 in [0, 1], where it takes one
    network_output: str = "features"  # "" for its first
    output: str  # the name that the shipped graph gives it; not a name of any of its nodes
    input_side_px: int
    mean: tuple[float, float, float] = IMAGENET_MEAN  # per channel, of pixels in [0, 1]; `std` likewise
    std: tuple[float, float, float] = IMAGENET_STD
    resize: str = "squash"  # to input_side_px on both sides; or "shortest_edge", to resize_side_px, then the centre
    resize_side_px: int = 0  # 0 for input_side_px
    resample: str = "bicubic"  # or "bilinear"; both antialiased
    embedding_dim: int = 0  # 0 for a segmenter, whose output is (side, side) saliency in [0, 1]
    pooling: str = ""  # "mean", "mask_mean_std" or "patch_mean" over the product's cells, "cls", "head"
    text_length: int = 0  # tokens that the text tower takes, always padded to it; 0 where there is none
    opset: int = 19
    quantization: tuple[Quantization, ...] = ()  # in the order tried

    @property
    def takes_mask(self) -> bool:
        """Does the model look at the product's mask too?"""
        return bool(self.network_mask)

    @property
    def is_pulled(self) -> bool:
        """Does it come from elsewhere, by `lookbook models pull`, and not with the checkout or from a training here?"""
        return not self.source.startswith(("embedded:", "trained:"))

    @property
    def becomes_onnx(self) -> bool:
        """Is it brought behind pixel input, and may it ship?"""
        return self.role in (Role.SEGMENTER, Role.SEMANTIC, Role.TEXTURE)


_OURS = (
    "No condition beyond keeping the notice: trained from random weights on photos under CC0, AFL-3.0 and Apache-2.0 "
    "and on drawn ones."
)

_APACHE = "Commercial use allowed; keep the licence and its notices with the weights."
_OF_TRANSFORMERS = (Quantization.FOUR_BIT, Quantization.DYNAMIC, Quantization.WEIGHTS_ONLY)

_ROWS = (
    ModelDescription(
        name="lookbook-segmenter",
        role=Role.SEGMENTER,
        source="embedded:lookbook-segmenter.onnx",
        sha256="a1cb5ac1d37b10144328890a31016dc806b1a9c0e16eb8e43f020447d7781755",
        size_bytes=4_854_627,
        licence="Apache-2.0",
        licence_terms=_OURS,
        network_input="pixels",
        network_output="saliency",
        output="saliency_mask",
        input_side_px=256,
        quantization=(Quantization.STATIC_QDQ,),
    ),
    ModelDescription(
        name="lookbook-semantic",
        role=Role.SEMANTIC,
        source="embedded:lookbook-semantic.onnx",
        sha256="9974276f5239a407f3649b9cd203f78a35a53d988cbef70ec6005c92ecb1fff6",
        size_bytes=4_826_091,
        licence="Apache-2.0",
        licence_terms=_OURS,
        network_input="pixels",
        network_output="features",
        output="semantic_embedding",
        input_side_px=160,
        embedding_dim=128,
        pooling="mean",
        quantization=(Quantization.STATIC_QDQ,),
    ),
    ModelDescription(
        name="lookbook-texture",
        role=Role.TEXTURE,
        source="embedded:lookbook-texture.onnx",
        sha256="44fdf988d139cd92c8f13313a762cd371971dd770b7cf30bf8736e2a3bd81cb2",
        size_bytes=1_654_828,
        licence="Apache-2.0",
        licence_terms=_OURS,
        network_input="pixels",
        network_mask="mask_pixels",
        network_output="features",
        output="texture_features",
        input_side_px=384,
        embedding_dim=128,
        pooling="mask_mean_std",
        quantization=(Quantization.STATIC_QDQ,),
    ),
    ModelDescription(
        name="u2netp",
        role=Role.SEGMENTER,
        source="url:https://github.com/danielgatis/rembg/releases/download/v0.0.0/u2netp.onnx",
        sha256="",
        size_bytes=4_600_000,
        licence="Apache-2.0",
        licence_terms=_APACHE,
        network_input="",
        network_output="",
        output="saliency_mask",
        input_side_px=320,
        resample="bilinear",
        quantization=(Quantization.STATIC_QDQ, Quantization.WEIGHTS_ONLY),
    ),
    *(
        ModelDescription(
            name=f"sam2.1-hiera-{size}",
            role=Role.PROMPTED_SEGMENTER,
            architecture=Architecture.SAM2,
            source=f"hub:facebook/sam2.1-hiera-{size}",
            files=("config.json", "model.safetensors"),
            sha256="",
            size_bytes=size_bytes,
            licence="Apache-2.0",
            licence_terms=_APACHE,
            output="mask_logits",
            input_side_px=1024,
            resample="bilinear",
        )
        for size, size_bytes in (("tiny", 156_000_000), ("small", 184_000_000), ("large", 898_000_000))
    ),
    ModelDescription(
        name="siglip2-base-patch16-224",
        role=Role.SEMANTIC,
        architecture=Architecture.SIGLIP,
        source="hub:google/siglip2-base-patch16-224",
        files=("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"),
        sha256="",
        size_bytes=1_501_000_000,
        licence="Apache-2.0",
        licence_terms=_APACHE,
        output="semantic_embedding",
        input_side_px=224,
        mean=HALVES,
        std=HALVES,
        resample="bilinear",
        embedding_dim=768,
        pooling="head",
        text_length=64,
        quantization=_OF_TRANSFORMERS,
    ),
    ModelDescription(
        name="marqo-fashionsiglip",
        role=Role.SEMANTIC,
        architecture=Architecture.OPEN_CLIP_SIGLIP,
        source="hub:Marqo/marqo-fashionSigLIP",
        files=("open_clip_config.json", "open_clip_model.safetensors|model.safetensors", "tokenizer.json"),
        sha256="",
        size_bytes=813_000_000,
        licence="Apache-2.0",
        licence_terms=_APACHE,
        output="semantic_embedding",
        input_side_px=224,
        mean=HALVES,
        std=HALVES,
        embedding_dim=768,
        pooling="head",
        text_length=64,
        quantization=_OF_TRANSFORMERS,
    ),
    ModelDescription(
        name="fashion-clip",
        role=Role.SEMANTIC,
        architecture=Architecture.CLIP,
        source="hub:patrickjohncyh/fashion-clip",
        files=("config.json", "model.safetensors", "preprocessor_config.json", "tokenizer.json"),
        sha256="",
        size_bytes=605_000_000,
        licence="MIT",
        licence_terms="Commercial use allowed; keep the copyright notice.",
        output="semantic_embedding",
        input_side_px=224,
        mean=CLIP_MEAN,
        std=CLIP_STD,
        resize="shortest_edge",
        embedding_dim=512,
        pooling="cls",
        text_length=77,
        quantization=_OF_TRANSFORMERS,
    ),
    *(
        ModelDescription(
            name=name,
            role=Role.TEXTURE,
            architecture=Architecture.DINOV2,
            source=f"hub:facebook/{name}",
            files=("config.json", "model.safetensors", "preprocessor_config.json"),
            sha256="",
            size_bytes=88_200_000,
            licence="Apache-2.0",
            licence_terms=_APACHE,
            network_mask="mask_pixels",
            output="texture_features",
            input_side_px=224,
            resize="shortest_edge",
            resize_side_px=256,
            embedding_dim=384,
            pooling="patch_mean",
            quantization=_OF_TRANSFORMERS,
        )
        for name in ("dinov2-small", "dinov2-with-registers-small")
    ),
    *(
        ModelDescription(
            name=f"yolox-{size}",
            role=Role.DETECTOR,
            architecture=Architecture.YOLOX,
            source=f"url:https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_{size}.onnx",
            sha256="",
            size_bytes=size_bytes,
            licence="Apache-2.0",
            licence_terms=_APACHE,
            network_input="",
            network_output="",
            output="detections",
            input_side_px=side,
            resize="letterbox",
            resample="bilinear",
        )
        for size, side, size_bytes in (("nano", 416, 3_660_000), ("tiny", 416, 20_200_000), ("s", 640, 35_900_000))
    ),
    ModelDescription(
        name="grounding-dino-tiny",
        role=Role.DETECTOR,
        architecture=Architecture.GROUNDING_DINO,
        source="hub:IDEA-Research/grounding-dino-tiny",
        files=("config.json", "model.safetensors", "tokenizer.json"),
        sha256="",
        size_bytes=689_000_000,
        licence="Apache-2.0",
        licence_terms=_APACHE,
        output="detections",
        input_side_px=800,
        resize="shortest_edge",
        resample="bilinear",
        text_length=256,
    ),
)

SHIPPED_MODELS: Mapping[str, ModelDescription] = {row.name: row for row in _ROWS}
_TRAINED: dict[str, ModelDescription] = {}  # of the home that this process works on
MODELS: Mapping[str, ModelDescription] = ChainMap(dict(SHIPPED_MODELS), _TRAINED)


def take_trained(rows: Iterable[ModelDescription]) -> None:
    """Put the models that a home trained into the table, in place of those of the home before; ours come first."""
    now = {row.name: row for row in rows}
    for name in set(_TRAINED) - set(now):
        del _TRAINED[name]
    _TRAINED.update(now)


def find_model(name: str, *roles: Role) -> ModelDescription:
    """The row called `name`, which must play one of `roles`. Raises: ModelError, naming the rows that do."""
    row = MODELS.get(name)
    if row is None or row.role not in roles:
        others = ", ".join(sorted(row.name for row in MODELS.values() if row.role in roles))
        wanted = " or ".join(role.value for role in roles)
        what = "there is no such model" if row is None else f"it is a {row.role} model"
        raise ModelError(f"model {name!r} for role {wanted!r}: {what}; the {wanted} models are: {others}")
    return row

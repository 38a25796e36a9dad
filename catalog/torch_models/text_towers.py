"""The text half of an encoder, in torch: words in, embeddings in its photos' space out. It never ships.

It makes the categories' text prototypes, and answers `lookbook search --text`. Its vision half is in
`catalog.checkpoints`.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog import checkpoint_files, checkpoints
from catalog.checkpoint_files import OTHER, check_config, needs_extra, read_tensors
from catalog.errors import ModelError
from catalog.model_descriptions import Architecture, ModelDescription, Role
from catalog.torch_models.text_tokens import Tokens

if TYPE_CHECKING:
    import torch

    Tensors = dict[str, torch.Tensor]

BATCH_TEXTS = 32


def has_text_tower(model: ModelDescription) -> bool:
    """Can the encoder read words too?"""
    return model.role is Role.SEMANTIC and model.text_length > 0


class TextTower:
    """One encoder's text half, on the CPU in float32: it is asked for a few words at a time.

    `logit_scale` and `logit_bias` are the encoder's own: scale x cosine + bias is a SigLIP's log-odds that a text and a
    photo belong together. A CLIP has no bias (0): its logits rank, and are no odds.
    """

    logit_scale: float
    logit_bias: float

    def __init__(self, folder: Path, model: ModelDescription) -> None:
        """Open the verified checkpoint in `folder`.

        Raises: ModelError when the extra isn't installed, the encoder has no text tower, or a file is missing, damaged
        or not what the row describes.
        """
        if not has_text_tower(model):
            raise ModelError(f"model {model.name}: has no text tower, it reads photos only; name an encoder with one")
        with needs_extra(f"model {model.name}: its text tower"):
            import torch  # noqa: F401
            import transformers  # noqa: F401
        openers: dict[Architecture, Callable[[Path, ModelDescription], tuple[Any, str, Tensors, Path]]] = {
            Architecture.SIGLIP: _open_siglip,
            Architecture.OPEN_CLIP_SIGLIP: _open_open_clip,
            Architecture.CLIP: _open_clip,
        }
        self._model = model
        self._network, self._output, logits, path = openers[model.architecture](folder, model)
        self._tokens = Tokens(folder, model, self._network.get_input_embeddings().num_embeddings)
        self.logit_scale = math.exp(_number(logits, "logit_scale", path))
        self.logit_bias = 0.0 if model.architecture is Architecture.CLIP else _number(logits, "logit_bias", path)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """(n, embedding_dim) float32, rows of length 1; words past the tower's length are cut.

        Raises: ModelError when the network gives nothing finite.
        """
        import torch

        ids = self._tokens.ids(texts)
        rows = [np.zeros((0, self._model.embedding_dim), np.float32)]
        with torch.inference_mode():
            for start in range(0, len(ids), BATCH_TEXTS):
                batch = torch.from_numpy(ids[start : start + BATCH_TEXTS])
                # no attention mask: SigLIP was trained to look at the filling too, and CLIP never looks past its end
                found = getattr(self._network(input_ids=batch), self._output)
                rows.append(torch.nn.functional.normalize(found.float(), dim=-1).numpy())
        vectors = np.concatenate(rows)
        if not np.isfinite(vectors).all() or not vectors.any(axis=1).all():
            raise ModelError(
                f"model {self._model.name}: its text tower gives nothing finite; pull the checkpoint again"
            )
        return vectors


def _open_siglip(folder: Path, model: ModelDescription) -> "tuple[Any, str, Tensors, Path]":
    from transformers import SiglipConfig, SiglipTextModel

    path = folder / checkpoints.CONFIG
    config = checkpoints.clip_config(folder, model, SiglipConfig, "siglip").text_config
    _check_text(path, model, config, "projection_size")
    weights = folder / checkpoints.WEIGHTS
    tensors = read_tensors(weights, _starts("text_model.", "logit_"), _starts("vision_model."))
    logits = _take_logits(tensors)
    return checkpoint_files.load(SiglipTextModel, config, tensors, weights), "pooler_output", logits, weights


def _open_open_clip(folder: Path, model: ModelDescription) -> "tuple[Any, str, Tensors, Path]":
    from transformers import SiglipTextModel

    config = checkpoints.open_clip_config(folder, model).text_config
    weights = checkpoints.open_clip_weights(folder)
    tensors = checkpoint_files.read_open_clip(weights, _starts("text_model.", "logit_"))
    logits = _take_logits(tensors)
    return checkpoint_files.load(SiglipTextModel, config, tensors, weights), "pooler_output", logits, weights


def _open_clip(folder: Path, model: ModelDescription) -> "tuple[Any, str, Tensors, Path]":
    from transformers import CLIPConfig, CLIPTextModelWithProjection

    whole = checkpoints.clip_config(folder, model, CLIPConfig, "clip")
    config = whole.text_config
    config.projection_dim = whole.projection_dim  # the whole model's is the one that both towers were trained to
    _check_text(folder / checkpoints.CONFIG, model, config, "projection_dim")
    weights = folder / checkpoints.WEIGHTS
    keep = _starts("text_model.", "text_projection.", "logit_scale")
    tensors = read_tensors(
        weights,
        lambda name: keep(name) and not checkpoints.is_table(name),
        lambda name: name.startswith(("vision_model.", "visual_projection.")) or checkpoints.is_table(name),
    )
    logits = _take_logits(tensors)
    return checkpoint_files.load(CLIPTextModelWithProjection, config, tensors, weights), "text_embeds", logits, weights


def _check_text(path: Path, model: ModelDescription, config: Any, width: str) -> None:
    wanted = {width: model.embedding_dim, "max_position_embeddings": model.text_length}
    check_config(path, model.name, config.to_dict(), wanted)


def _take_logits(tensors: "Tensors") -> "Tensors":
    return {name: tensors.pop(name) for name in list(tensors) if name.startswith("logit_")}


def _number(tensors: "Tensors", name: str, path: Path) -> float:
    if name not in tensors or tensors[name].numel() != 1 or not math.isfinite(float(tensors[name])):
        raise ModelError(f"{path}: {name} is missing or is no finite number; {OTHER}")
    return float(tensors[name])


def _starts(*prefixes: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(prefixes)

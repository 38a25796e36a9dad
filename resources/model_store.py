"""The model files of a home: float models made from their sources, and what ships."""

from pathlib import Path

import dagster as dg

from catalog.errors import ModelError
from catalog.formats import atomic
from catalog.model_descriptions import MODELS, ModelDescription
from catalog.onnx_export import float_models
from resources.home import CHECKOUT

EMBEDDED = CHECKOUT / "models" / "embedded"


class ModelStore(dg.ConfigurableResource):
    """One home's models."""

    root: str

    def source(self, model: ModelDescription) -> Path:
        """The file that a model is made from. Raises: ModelError when it isn't there."""
        kind, _, name = model.source.partition(":")
        if kind != "embedded":
            raise ModelError(f"model {model.name}: source {model.source!r} is of no known kind")
        path = EMBEDDED / name
        if not path.is_file():
            raise ModelError(f"{path}: not there; it belongs to the checkout: restore it with git")
        return path

    def float_model(self, name: str) -> Path:
        """The float32 model with pixel input, made from its source the first time it is asked for.

        Raises: ModelError when the source is missing or is not the one that the row describes.
        """
        model = MODELS[name]
        path = Path(self.root) / "fp32" / f"{name}-{float_models.model_version(model)[:12]}.onnx"
        if not path.exists():
            source = self.source(model)
            atomic.write_bytes(path, float_models.float_model(source.read_bytes(), model, str(source)))
        return path

    def shipped_model(self, name: str) -> Path:
        """The form of a model that the gate lets ship: int8, fp16 or fp32."""
        return Path(self.root) / "int8" / f"{name}.onnx"

    def form(self, name: str, form: str, version: str) -> Path:
        """A smaller form of a model that the gate weighs; `version` tells what it was made of."""
        return Path(self.root) / "int8" / "forms" / f"{name}-{version[:12]}.{form}.onnx"

    @property
    def gate_report(self) -> Path:
        """What the gate measured and decided, for every model."""
        return Path(self.root) / "int8" / "gate.json"

"""Picks the form of a model that ships: the smallest that stands in for the float one on the shop's own photos.

Forms are made once for a float model and kept: a refresh of the catalogue only runs them on what is new.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets import versions
from assets.gate_comparisons import Comparison, GateInputs, Item, OpenedModel
from catalog.errors import ModelError
from catalog.evaluation import gate
from catalog.formats import atomic, digests, noted_files
from catalog.model_descriptions import ModelDescription
from catalog.onnx_export import quantization


@dataclass(frozen=True)
class Gate:
    """Weighs the forms of models, one after the other."""

    inputs: GateInputs

    def ship(self, name: str, *, anew: bool) -> dict[str, Any]:
        """Put the smallest form of a model that passes where the bundle takes it from; returns what was measured.

        `anew` makes the smaller forms again, calibrated on the catalogue as it is now.
        """
        model = self.inputs.models.model(name)
        float_model = OpenedModel(self.inputs.models.float_model(name), model.output)
        decisions = []
        for form in quantization.forms(model, try_four_bit=self.inputs.profile.int8_gate.try_four_bit):
            decision, path = self._try(model, float_model, form, anew=anew)
            decisions.append(decision)
            if decision.passed:
                break
        digest = digests.of_file(path)
        shipped = self.inputs.models.shipped_model(name)
        if not shipped.exists() or digests.of_file(shipped) != digest:
            atomic.write_bytes(shipped, path.read_bytes())
        return {
            "model": name,
            "form": decision.form,
            "sha256": digest,
            "size_bytes": decision.size_bytes,
            "float_size_bytes": float_model.path.stat().st_size,
            "latency_ratio": decision.latency_ratio,
            "tried": [asdict(tried) for tried in decisions],
        }

    def _try(
        self, model: ModelDescription, float_model: OpenedModel, form: str, *, anew: bool
    ) -> tuple[gate.Decision, Path]:
        """Make a form, unless it is kept whole from before, and weigh it; one that can't be made or run is refused."""
        if form == quantization.FP32:
            size_bytes = float_model.path.stat().st_size
            whole = gate.Decision(
                form=form, passed=True, reasons=(), measured={}, size_bytes=size_bytes, latency_ratio=1.0
            )
            return whole, float_model.path
        path = self.inputs.models.form(model.name, form, versions.model_form(model))
        comparison = Comparison(self.inputs, model, form, float_model, OpenedModel(path, model.output))
        try:
            if anew or not noted_files.is_whole(path):
                calibration = (
                    _feeds(model, item) for item in comparison.items(self.inputs.profile.int8_gate.calibration_photos)
                )
                atomic.write_bytes(path, quantization.make_form(form, float_model.path, calibration))
                noted_files.note(path)
            ratio = comparison.latency_ratio()
            measured = comparison.measure()
        except ModelError as error:
            return gate.refuse(form, str(error), size_bytes=path.stat().st_size if path.exists() else 0), path
        decision = gate.decide(
            form, measured, self.inputs.profile.int8_gate, size_bytes=path.stat().st_size, latency_ratio=ratio
        )
        return decision, path


def _feeds(model: ModelDescription, item: Item) -> dict[str, np.ndarray]:
    image, mask = item
    feeds = {"image": image}
    if model.takes_mask and mask is not None:
        feeds["mask"] = mask.astype(np.uint8) * np.uint8(255)
    return feeds

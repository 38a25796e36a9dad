"""The model files of a home: checkpoints as pulled, float models made from them, and what ships."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from catalog.errors import ModelError
from catalog.formats import atomic, digests, model_lock, noted_files, trained_models
from catalog.formats.model_lock import LockedModel
from catalog.model_descriptions import MODELS, Architecture, ModelDescription
from catalog.onnx_export import float_models
from resources.build_lock import Exclusive
from resources.home import CHECKOUT

EMBEDDED = CHECKOUT / "models" / "embedded"


class ModelStore(Exclusive):
    """One home's models."""

    root: str
    _whole: set[Path] = PrivateAttr(default_factory=set)  # float models whose every byte this run has seen

    @property
    def lock_file(self) -> Path:
        """What each model was when it was first pulled."""
        return Path(self.root) / "lock.toml"

    def checkpoint_folder(self, name: str) -> Path:
        """Where the files of a model that was pulled lie, whole and verified, or not at all."""
        return Path(self.root) / "checkpoints" / name

    def model(self, name: str) -> ModelDescription:
        """A model's row, with the sha256 and size that were recorded at its first pull."""
        return self.models([name])[name]

    def models(self, names: "list[str] | tuple[str, ...]") -> Mapping[str, ModelDescription]:
        """The rows of some models, completed from the lock; one that was never pulled keeps its "" sha256."""
        lock = model_lock.read(self.lock_file)
        rows = {}
        for name in names:
            row, locked = MODELS[name], lock.get(name)
            if not row.sha256 and locked is not None and not _differs(row, locked):
                resample = locked.resample or row.resample
                row = replace(row, sha256=locked.sha256, size_bytes=locked.size_bytes, resample=resample)
            rows[name] = row
        return rows

    def locked(self, name: str) -> LockedModel | None:
        """What was recorded of a model, or None where nothing was, or of another source than its row now names."""
        locked = model_lock.read(self.lock_file).get(name)
        return None if locked is None or _differs(MODELS[name], locked) else locked

    def pull_command(self, *asked: str) -> str:
        """What to run to pull models into this home; for its messages."""
        home = Path(self.root).parent
        where = () if home == CHECKOUT else ("--home", str(home))
        return f"run: {shlex.join(['lookbook', 'models', 'pull', *asked, *where])}"

    def not_pulled(self, names: Iterable[str]) -> list[str]:
        """Those of some models that are not here, and do not come with the checkout."""
        there = [name for name in names if MODELS[name].is_pulled]
        return [name for name in there if self.locked(name) is None or not self.checkpoint_folder(name).is_dir()]

    def source(self, name: str) -> Path:
        """The file or folder that a model is made from: every byte of it verified.

        Raises: ModelError when it isn't there, or isn't what was recorded.
        """
        row = MODELS[name]
        kind, _, rest = row.source.partition(":")
        if kind == "embedded":
            what = "its row in catalog/model_descriptions.py", "restore it with git"
            return _whole_file(EMBEDDED / rest, row, *what)
        if kind == "trained":
            what = f"{trained_models.ROW} beside it", trained_models.MEND
            return _whole_file(Path(self.root) / "trained" / rest, row, *what)
        folder, mend = self.checkpoint_folder(name), self.pull_command(name)
        locked = model_lock.read(self.lock_file).get(name)
        if locked is not None and (told := _differs(row, locked)):
            raise ModelError(f"model {name}: {told}; {mend}")
        if locked is None or not folder.is_dir():
            raise ModelError(f"model {name}: not pulled into {folder}; {mend}")
        for file, wanted in locked.files.items():
            check_file(folder / file, wanted, mend)
        if strange := sorted(entry.name for entry in folder.iterdir() if entry.name not in locked.files):
            raise ModelError(
                f"{folder}: holds {', '.join(strange)}, which is not recorded, and could be read in a recorded file's "
                f"place; remove it, or {mend}"
            )
        for wanted_file in row.files:
            if not set(wanted_file.split("|")) & set(locked.files):
                raise ModelError(f"{folder}: {wanted_file}, which model {name} now wants, was not pulled; {mend}")
        if row.sha256 not in ("", locked.sha256):
            raise ModelError(
                f"{folder}: sha256 {locked.sha256} was recorded, the row in catalog/model_descriptions.py says "
                f"{row.sha256}; {mend}"
            )
        return folder if kind == "hub" else folder / next(iter(locked.files))

    def float_model(self, name: str) -> Path:
        """The float32 model with pixel input, made from its source the first time, and again where it is damaged.

        Raises: ModelError when the source is missing or is not the one that the row, or the lock, describes.
        """
        model = self.model(name)
        path = Path(self.root) / "fp32" / f"{name}-{float_models.model_version(model)[:12]}.onnx"
        if path in self._whole:
            return path
        noted = path.with_suffix(".sha256")
        if not (path.is_file() and noted.is_file() and noted.read_text("ascii").strip() == digests.of_file(path)):
            source = self.source(name)
            if model.architecture is Architecture.ONNX:
                content = float_models.float_model(source.read_bytes(), model, str(source))
            else:
                content = float_models.float_model_of_checkpoint(source, model)
            atomic.write_bytes(path, content)
            atomic.write_text(noted, digests.of_bytes(content) + "\n")
        self._whole.add(path)
        return path

    def shipped_model(self, name: str) -> Path:
        """The form of a model that the gate lets ship: the first of its row's that passes, else fp16, else fp32."""
        return Path(self.root) / "int8" / f"{name}.onnx"

    def form(self, name: str, form: str, version: str) -> Path:
        """A smaller form of a model that the gate weighs; `version` tells what it was made of."""
        return Path(self.root) / "int8" / "forms" / f"{name}-{version[:12]}.{form}.onnx"

    def form_latency(self, form: Path) -> Path:
        """What was measured of a form's speed."""
        return form.parent.parent / "latencies" / f"{form.stem}.json"

    @property
    def gate_report(self) -> Path:
        """What the gate measured and decided, for every model."""
        return Path(self.root) / "int8" / "gate.json"

    def write_gate(self, shipped: Sequence[Mapping[str, Any]]) -> None:
        """Put what the gate decided now in place of what it decided before."""
        atomic.write_text(self.gate_report, json.dumps(shipped, indent=1) + "\n")
        noted_files.note(self.gate_report)

    def read_gate(self) -> list[dict[str, Any]]:
        """What the gate decided. Raises: FormatError when that is missing or is not what was written."""
        noted_files.check(self.gate_report, mend="`lookbook build` makes it again")
        shipped: list[dict[str, Any]] = json.loads(self.gate_report.read_text(encoding="utf-8"))
        return shipped


def _whole_file(path: Path, row: ModelDescription, said_by: str, mend: str) -> Path:
    if not path.is_file():
        raise ModelError(f"{path}: not there: {mend}")
    if (digest := digests.of_file(path)) != row.sha256:
        raise ModelError(f"{path}: sha256 {digest}, {said_by} says {row.sha256}; it was cut short or exchanged: {mend}")
    return path


def _differs(row: ModelDescription, locked: LockedModel) -> str:
    """How the row's source, or the commit it is pinned to, is another than the one recorded; "" where it is not."""
    if row.source != locked.source:
        return f"was pulled from {locked.source}, its row now names {row.source}"
    if row.revision and locked.revision not in ("", row.revision):
        return f"was pulled at revision {locked.revision}, its row now names {row.revision}"
    return ""


def check_file(path: Path, wanted: model_lock.LockedFile, mend: str) -> None:
    """Hold a checkpoint's file to what was recorded. Raises: ModelError, which ends with `mend`."""
    if not path.is_file():
        raise ModelError(f"{path}: not there; {mend}")
    size = path.stat().st_size
    if size != wanted.size_bytes:
        raise ModelError(
            f"{path}: {size} bytes, recorded were {wanted.size_bytes}; it was cut short or exchanged: {mend}"
        )
    digest = digests.of_file(path)
    if digest != wanted.sha256:
        raise ModelError(f"{path}: sha256 {digest}, recorded was {wanted.sha256}; it was exchanged: {mend}")

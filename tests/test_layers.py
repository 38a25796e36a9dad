"""Imports point down the list and never up; what searches never loads what builds, what builds never loads torch."""

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ("dagster_project", "assets", "resources", "query", "catalog")

# Highest first; parts of one level are strangers to each other, but for the exceptions below.
LEVELS = (
    ("dagster_project",),
    ("assets",),
    ("resources",),
    ("query",),
    ("catalog.training",),
    ("catalog.evaluation", "catalog.onnx_export", "catalog.torch_models"),
    ("catalog.checkpoints",),
    ("catalog.checkpoint_files",),
    ("catalog.sample_catalog", "catalog.features"),
    ("catalog.vision",),
    ("catalog.formats",),
    ("catalog.profiles",),
    ("catalog.model_descriptions", "catalog.records", "catalog.errors"),
)
LEVEL_OF = {part: level for level, parts in enumerate(LEVELS) for part in parts}
ALSO_ALLOWED = {("catalog.model_descriptions", "catalog.errors"), ("catalog.records", "catalog.errors")}

TORCH_AND_KIN = {"torch", "torchvision", "onnxscript", "transformers", "safetensors", "tokenizers"}
MAY_NAME_TORCH = (
    "catalog.training",
    "catalog.onnx_export",
    "catalog.torch_models",
    "catalog.checkpoints",
    "catalog.checkpoint_files",
)
FORBIDDEN = {  # a part -> what no module of it may name, even inside a function
    "query": {"dagster", "pandas", *TORCH_AND_KIN},
    "catalog": {"dagster"},
}


class Import(NamedTuple):
    """One import: who, whom, where, and whether it happens as soon as the module is loaded."""

    module: str
    imported: str
    line: int
    on_load: bool

    def __str__(self) -> str:
        return f"{self.module}, line {self.line}: {self.imported}"


def is_typing_only(node: ast.AST) -> bool:
    """Is this `if TYPE_CHECKING:`, whose body never runs?"""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports_of(module: str, tree: ast.AST, *, on_load: bool = True) -> Iterator[Import]:
    """Every import below a node; a name imported from a package counts as its module where there is one."""
    for node in ast.iter_child_nodes(tree):
        loaded = on_load and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        loaded = loaded and not is_typing_only(node)
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno, loaded)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}, line {node.lineno}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Import(module, whole if is_module(whole) else str(node.module), node.lineno, loaded)
        else:
            yield from imports_of(module, node, on_load=loaded)


def is_module(name: str) -> bool:
    """Is there a file or a package of ours by this name?"""
    path = CHECKOUT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def modules() -> dict[str, Path]:
    """Every module of the five packages."""
    files = [file for package in PACKAGES for file in sorted((CHECKOUT / package).rglob("*.py"))]
    names = {}
    for file in files:
        parts = file.relative_to(CHECKOUT).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


MODULES = modules()
IMPORTS = [found for name, file in MODULES.items() for found in imports_of(name, ast.parse(file.read_text("utf-8")))]


def within(name: str, part: str) -> bool:
    """Is a module this part, or in it?"""
    return name == part or name.startswith(f"{part}.")


def part_of(name: str) -> str:
    """The part of the list that a module belongs to."""
    found = [part for part in LEVEL_OF if within(name, part)]
    assert found, f"{name}: in no part of the list of tests/test_layers.py"
    return found[0]


def test_the_walk_sees_what_is_there() -> None:
    """It finds the five packages, imports inside functions and those for types only."""
    assert {name.partition(".")[0] for name in MODULES} == set(PACKAGES)
    assert len(MODULES) > 100
    source = "import a\nif TYPE_CHECKING:\n    import b\nclass C:\n    import c\n    def f(self):\n        import d\n"
    found = [(entry.imported, entry.on_load) for entry in imports_of("m", ast.parse(source))]
    assert found == [("a", True), ("b", False), ("c", True), ("d", False)]


def test_imports_point_down() -> None:
    """Through the whole list, imports inside functions and for types included."""
    wrong = []
    for found in IMPORTS:
        if found.imported.partition(".")[0] not in PACKAGES or found.module == "catalog":
            continue
        own, other = part_of(found.module), part_of(found.imported)
        if own != other and LEVEL_OF[other] <= LEVEL_OF[own] and (own, other) not in ALSO_ALLOWED:
            wrong.append(str(found))
    assert wrong == []


def test_nothing_imports_the_project() -> None:
    """`dagster_project` is the top, and no part is imported as a whole."""
    assert [
        str(f) for f in IMPORTS if within(f.imported, "dagster_project") and f.module.split(".")[0] != "dagster_project"
    ] == []
    assert [str(found) for found in IMPORTS if found.imported == "catalog"] == []


@pytest.mark.parametrize("part", sorted(FORBIDDEN))
def test_names_nothing_forbidden(part: str) -> None:
    """`query` has neither Dagster, torch nor pandas, and `catalog` no Dagster, not even inside a function."""
    wrong = [f for f in IMPORTS if within(f.module, part) and f.imported.partition(".")[0] in FORBIDDEN[part]]
    assert [str(found) for found in wrong] == []


def test_torch_is_named_where_it_may_be_only() -> None:
    """torch and its kin: in `catalog.training`, and inside functions where checkpoints are read, run and exported."""
    named = [found for found in IMPORTS if found.imported.partition(".")[0] in TORCH_AND_KIN]
    assert [str(f) for f in named if not any(within(f.module, part) for part in MAY_NAME_TORCH)] == []
    assert [str(f) for f in named if f.on_load and not within(f.module, "catalog.training")] == []


def test_no_module_loads_one_that_loads_torch() -> None:
    """Modules that import torch as they are loaded are loaded by their like in `catalog.training` alone."""
    loads_torch = {f.module for f in IMPORTS if f.on_load and f.imported.partition(".")[0] in TORCH_AND_KIN}
    grown = True
    while grown:
        more = {f.module for f in IMPORTS if f.on_load and f.imported in loads_torch}
        grown = not more <= loads_torch
        loads_torch |= more
    assert loads_torch, "the training modules import torch"
    assert sorted(name for name in loads_torch if not within(name, "catalog.training")) == []


def test_packages_hold_a_docstring_at_most() -> None:
    """A name is imported from the module that defines it. `catalog` has a reason, told there, for two lines more."""
    for name, file in MODULES.items():
        if file.name == "__init__.py" and name != "catalog":
            body = ast.parse(file.read_text("utf-8")).body
            assert len(body) <= 1, name
            assert all(isinstance(node, ast.Expr) for node in body), name


def test_only_the_catalog_names_onnxruntime() -> None:
    """So that `catalog/__init__.py` has always run before it is imported."""
    named = [found for found in IMPORTS if within(found.imported, "onnxruntime")]
    assert named
    assert [str(found) for found in named if not within(found.module, "catalog")] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_are_this_repositorys(package: str) -> None:
    """Not a copy that is installed elsewhere, and not a folder of tests that hides one."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == CHECKOUT / package / "__init__.py"


def loaded_by(statement: str, folder: Path) -> dict[str, str]:
    """Top-level modules, and where they come from, in a fresh process that has run one statement elsewhere."""
    program = (
        f"{statement}\nimport json, sys\n"
        "print(json.dumps({n: getattr(m, '__file__', '') or '' for n, m in sys.modules.items() if '.' not in n}))"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LOOKBOOK_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    loaded: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def test_searching_loads_neither_dagster_nor_torch(tmp_path: Path) -> None:
    """In a real process, from another folder; pandas and pyarrow stay out too."""
    loaded = loaded_by("import query.engine, query.cli", tmp_path)
    assert {"numpy", "onnxruntime", "catalog"} <= set(loaded)
    assert {"dagster", "pandas", "pyarrow", *TORCH_AND_KIN} & set(loaded) == set()
    assert Path(loaded["query"]).parent == CHECKOUT / "query"


def test_nothing_is_reported_to_anyone(tmp_path: Path) -> None:
    """ONNX Runtime's telemetry keeps a device id and a database in the user's folder, unless it is off."""
    for module in ("query.engine", "catalog.onnx_export.quantization", "catalog.training.teachers"):
        assert "onnxruntime" in loaded_by(f"import {module}", tmp_path)
        assert not [entry for entry in tmp_path.rglob("*") if "onnxruntime" in entry.name]


def test_the_command_loads_little(tmp_path: Path) -> None:
    """`lookbook` itself imports Dagster only once a command needs it."""
    loaded = loaded_by("import dagster_project.cli", tmp_path)
    assert {"dagster", "pandas", "pyarrow", *TORCH_AND_KIN} & set(loaded) == set()


def test_building_loads_no_torch(tmp_path: Path) -> None:
    """Dagster's own process of definitions: no torch, and all five packages from here."""
    loaded = loaded_by("import dagster_project.definitions", tmp_path)
    assert "dagster" in loaded
    assert set(loaded) & TORCH_AND_KIN == set()
    assert {name: str(Path(loaded[name]).parent) for name in PACKAGES} == {n: str(CHECKOUT / n) for n in PACKAGES}

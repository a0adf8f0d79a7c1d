"""The house keeps its order: arrows run one way, Qt stays in its rooms, and the core loads without it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = Path(__file__).parents[1] / "attnviz"
# Each may import what stands below it, never what stands above; rooms on one line do not know each other.
FLOORS: Final = (
    ("__main__",),
    ("cli", "ui"),
    ("export",),
    ("paint",),
    ("scene",),
    ("session",),
    ("probing",),
    ("analysis",),
    ("library",),
    ("corpus", "engine"),
    ("errors", "resources"),
)
LEVEL: Final = {room: -number for number, rooms in enumerate(FLOORS) for room in rooms}
# The command line opens the window, and the window may ask the command line nothing.
CROSSINGS: Final = {("cli", "ui"), ("__main__", "cli")}
WITH_QT: Final = (
    "paint/",
    "ui/",
    "export/figure.py",
    "export/report/pdf.py",
    "export/report/writing.py",
    "export/report/making.py",
    "export/roles_figure.py",
)
MODULES: Final = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
CORE: Final = [module for module in MODULES if module.startswith(("engine/", "analysis/", "scene/", "session/"))]
RUNS_CODE: Final = {"pickle", "cPickle", "dill", "joblib", "torch", "marshal", "shelve"}
each_module = pytest.mark.parametrize("module", MODULES)


def room_of(module: str) -> str:
    return module.split("/")[0].removesuffix(".py")


def imports_of(module: str) -> Iterator[str]:
    """Dotted names of all that a module imports, anywhere in it, for types only included."""
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def imports_at_start(module: str) -> Iterator[str]:
    """What importing the module imports at once."""
    for node in ast.parse((PACKAGE / module).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def test_the_rooms_are_those_of_the_plan() -> None:
    assert {room_of(module) for module in MODULES} == {*LEVEL, "__init__"}


@each_module
def test_arrows_run_one_way(module: str) -> None:
    room = room_of(module)
    for name in imports_of(module):
        package, _, rest = name.partition(".")
        if package != "attnviz" or room == "__init__":
            continue
        other = rest.split(".")[0]
        if other in LEVEL and other != room:
            assert LEVEL[other] < LEVEL[room] or (room, other) in CROSSINGS, f"{module} imports {name}"


@each_module
def test_qt_is_imported_only_where_it_paints(module: str) -> None:
    uses_qt = any(name.split(".")[0] in ("PySide6", "shiboken6", "PyQt6") for name in imports_of(module))
    assert not uses_qt or module.startswith(WITH_QT), module


@each_module
def test_pyqtgraph_is_imported_by_the_window_alone(module: str) -> None:
    uses_it = any(name.split(".")[0] == "pyqtgraph" for name in imports_of(module))
    assert not uses_it or module.startswith("ui/"), module


@pytest.mark.parametrize("module", CORE)
def test_the_core_needs_no_heavy_library_to_start(module: str) -> None:
    heavy = {"PySide6", "huggingface_hub", "torch", "transformers", "scipy", "pandas"}
    assert not heavy & {name.split(".")[0] for name in imports_at_start(module)}


@each_module
def test_nothing_can_be_opened_that_runs_code(module: str) -> None:
    assert not RUNS_CODE & {name.split(".")[0] for name in imports_of(module)}
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"))


def loaded_after(statement: str) -> set[str]:
    """The top-level packages in a fresh process after `statement`."""
    code = f"import sys\n{statement}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_whole_core_loads_without_qt() -> None:
    core = [module for module in MODULES if not module.startswith(WITH_QT) and module != "__main__.py"]
    names = ["attnviz." + module.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for module in core]
    loaded = loaded_after("import " + ", ".join(sorted({name.removesuffix(".__init__") for name in names})))
    assert "attnviz" in loaded
    assert not {"PySide6", "shiboken6", "torch", "scipy"} & loaded


def test_the_window_starts_without_pyqtgraph() -> None:
    loaded = loaded_after("import attnviz.ui.start, attnviz.ui.window, attnviz.export.figure")
    assert "PySide6" in loaded
    assert "pyqtgraph" not in loaded


def test_the_window_starts_without_dialogs_and_what_they_need() -> None:
    names = ("attnviz.ui.hub_dialog", "attnviz.ui.models_dialog", "importlib.metadata")
    loaded_after(f"import attnviz.ui.start; assert not {{*{names}}} & {{*sys.modules}}")


def test_importing_the_package_costs_next_to_nothing() -> None:
    assert not {"numpy", "PySide6", "tokenizers", "safetensors"} & loaded_after("import attnviz")


def test_the_public_names_are_there() -> None:
    import attnviz
    from attnviz.engine.model import load_model

    assert attnviz.load_model is load_model
    assert attnviz.__version__
    assert set(attnviz.__all__) == {"load_model", "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = attnviz.nonsense

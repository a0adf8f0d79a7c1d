"""The wheel: it holds the program and its resources and nothing else, and draws a picture far from the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from PySide6.QtGui import QImage

from attnviz import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.slow

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = "The animal didn't cross the street because it was tired."
RENDER: Final = ("render", "--text", TEXT, "--layer", "3", "--heads", "1", "--focus", "it")
WHERE: Final = """
import json, attnviz, attnviz.cli, attnviz.engine.model, attnviz.resources
found = [attnviz.__file__, attnviz.cli.__file__, attnviz.engine.model.__file__]
found += [str(attnviz.resources.resource_path(name)) for name in ("fonts", "themes", "examples.json")]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, without what runs leave behind."""
    copy = tmp_path_factory.mktemp("tree") / "attnviz"
    leftovers = shutil.ignore_patterns(".[!g]*", ".git", "__pycache__", "build", "dist", "*.egg-info")
    return shutil.copytree(ROOT, copy, ignore=leftovers)


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from `tree`; no network, so the build backend is one of the test requirements."""
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(tree))
    (built,) = folder.glob("attnviz-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed wheel and none of what it needs."""
    folder = tmp_path_factory.mktemp("installed") / "site"
    pip("install", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def test_the_wheel_holds_the_program_its_resources_and_its_licences_and_nothing_else(tree: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    program = {f"attnviz/{name}" for name in files_below(tree / "attnviz")}
    resources = {f"attnviz/_resources/{name}" for name in files_below(tree / "resources")}
    assert names - program - resources == {
        f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info/{name}"
        for name in (
            "METADATA",
            "RECORD",
            "WHEEL",
            "entry_points.txt",
            "licenses/LICENSE",
            "licenses/resources/fonts/LICENSE-OpenSans.txt",
        )
    }
    assert program | resources <= names
    assert {Path(name).suffix for name in program} <= {".py", ".typed"}
    kinds = {name.removeprefix("attnviz/_resources/").split("/")[0] for name in resources}
    assert {"fonts", "themes", "examples.json"} <= kinds


def test_the_wheel_has_the_version_that_the_program_says(wheel: Path) -> None:
    assert wheel.name.startswith(f"attnviz-{__version__}-")


def test_the_installed_wheel_uses_its_own_code_and_resources(installed: Path, tmp_path: Path) -> None:
    found = json.loads(run(["-c", WHERE], tmp_path, installed))
    assert [path for path in found if not Path(path).is_relative_to(installed)] == []
    assert found[-1] == str(installed / "attnviz" / "_resources" / "examples.json")


@pytest.mark.usefixtures("minilm_path")
def test_the_installed_wheel_draws_the_picture_that_the_checkout_draws(installed: Path, tmp_path: Path) -> None:
    run(["-m", "attnviz", *RENDER, "-o", "wheel.png"], tmp_path, installed)
    run(["-m", "attnviz", *RENDER, "-o", "checkout.png"], tmp_path, ROOT)
    image = QImage(str(tmp_path / "wheel.png")).convertToFormat(QImage.Format.Format_RGB32)
    assert image.width() == 1650  # 5.5 in at 300 dpi
    assert image.height() > 400
    seen = {image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}
    assert len(seen) > 100  # type, arcs and their fading edges; an empty page has one colour
    assert (tmp_path / "wheel.png").read_bytes() == (tmp_path / "checkout.png").read_bytes()


def pip(*arguments: str) -> None:
    """Run pip; its words are shown if it fails."""
    done = subprocess.run([sys.executable, "-m", "pip", "--no-input", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def run(arguments: Sequence[str], folder: Path, module_path: Path) -> str:
    """What Python writes in `folder`, with attnviz taken from `module_path` before any other place."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(module_path), "PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def files_below(folder: Path) -> list[str]:
    """The files of a folder by their paths in it, with forward slashes."""
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]

"""The benchmarks run on the program as it is; what they measure is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model


@pytest.mark.slow
def test_each_figure_is_measured(minilm: Model, tmp_path: Path) -> None:
    del minilm  # they need it, as the tests do
    command = [sys.executable, "-m", "tests.benchmarks", "--rounds", "1", "--json", str(tmp_path / "x.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["figures"]
    for name in ("keystroke, 15 tokens", "arcs: whole words", "grid: hover", "matrix: value-weighted", "steps: pinned token"):
        assert figures[name]["median"] > 0.0
    assert any(name.startswith("grid of 32 x 32 heads") for name in figures)

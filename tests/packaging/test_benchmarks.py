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


def benchmarks(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tests.benchmarks", *words], capture_output=True, text=True, check=False)


def measured(sections: str, folder: Path, *words: str) -> dict[str, dict]:
    """The rows of some sections measured once each, by what they are of; all that was written is looked at on the way."""
    files = folder / "x.json", folder / "x.md"
    done = benchmarks("--section", sections, "--rounds", "1", "--json", str(files[0]), "--markdown", str(files[1]), *words)
    assert done.returncode == 0, done.stderr
    content = json.loads(files[0].read_text(encoding="utf-8"))
    assert content["machine"]["processors"] >= 1
    rows = {row["what"]: row for row in content["rows"]}
    assert [name for name in rows if name not in done.stdout] == []
    shown = [name for name, row in rows.items() if row["in_page"]]
    assert [name for name in shown if f"| {name} |" not in files[1].read_text(encoding="utf-8")] == []
    return rows


def test_a_section_of_short_texts_is_measured_in_a_moment(tmp_path: Path) -> None:
    rows = measured("typing", tmp_path, "--tokens", "12")
    assert len(rows) == 4
    for row in rows.values():
        assert row["own"]["value"] > 0.0
        assert row["ratio"]["value"] == row["own"]["value"] / row["beside"]["value"]
        assert row["is_met"] == (row["ratio"]["value"] <= row["target"]["bound"])


@pytest.mark.slow
def test_each_section_of_short_texts_is_measured(minilm: Model, tmp_path: Path) -> None:
    del minilm  # they need it, as the tests do
    rows = measured("engine,length,start,picture,grid", tmp_path, "--tokens", "16,32")
    for name in (
        "all-MiniLM-L6-v2: 16 tokens",
        "GPT-2's plan, 8 x 512: 32 tokens, share of its own products' rate",
        "exponent of time, 16 to 32 tokens",
        "time to the first picture",
        "16 tokens, toggle a head",
        "32 tokens, a frame while scrolling",
    ):
        assert rows[name]["own"]["value"] > 0.0


@pytest.mark.slow
def test_each_gesture_and_picture_is_measured(minilm: Model, tmp_path: Path) -> None:
    del minilm
    rows = measured("window", tmp_path)
    for name in ("keystroke, 15 tokens", "arcs: whole words", "grid: hover", "matrix: value-weighted", "steps: pinned token"):
        assert rows[name]["own"]["value"] > 0.0


def test_peers_that_are_not_there_are_named_with_the_command_that_installs_them() -> None:
    bare = [sys.executable, "-c", "import importlib.util as u; print(all(map(u.find_spec, ('torch', 'transformers', 'bertviz'))))"]
    if subprocess.run(bare, capture_output=True, text=True, check=True).stdout.strip() == "True":
        pytest.skip("this interpreter has the peers")
    done = benchmarks("--peers", "--section", "typing")
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.endswith(f"{sys.executable} -m pip install torch transformers bertviz\n")


@pytest.mark.parametrize(("words", "said"), [(("--section", "speed"), "no section speed"), (("--peers", "nowhere"), "nowhere")])
def test_what_cannot_be_measured_is_refused(words: tuple[str, ...], said: str) -> None:
    done = benchmarks(*words)
    assert done.returncode == 2
    assert said in done.stderr.splitlines()[-1]

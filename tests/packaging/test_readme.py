"""What README.md shows and says is so: its commands parse, its keys work, its pictures are there, its numbers come out."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.analysis.effect import mean_cosine
from attnviz.cli.parser import make_parser
from attnviz.session.layer_cosines import cosines_by_layer
from attnviz.session.measures import measures
from attnviz.session.view import View
from attnviz.ui.actions import ACTIONS, OTHER_KEYS
from tests.benchmarks.__main__ import SECTIONS
from tests.benchmarks.__main__ import make_parser as make_benchmark_parser
from tests.benchmarks.table import MARKDOWN_HEAD
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS: Final = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
MARKERS: Final = ("window command", "test command")
MOST_BYTES: Final = 400_000
SENTENCE: Final = "The animal didn't cross the street because it was tired."


def block_after(marker: str) -> str:
    """The fenced block that follows `<!-- marker -->`, which must be there once."""
    found = re.findall(rf"^<!-- {marker} -->\n+```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"README.md must have one block of commands after <!-- {marker} -->"
    return found[0]


def debian_packages(command: str) -> list[str]:
    """What a command has apt-get install."""
    words = shlex.split(command)
    first = words.index("install") + 1
    return [word for word in words[first : words.index("&&", first)] if not word.startswith("-")]


def attnviz_lines() -> list[str]:
    """The arguments of each `attnviz` in README's blocks of commands."""
    commands = "\n".join(text for language, text in BLOCKS if language == "sh").replace("\\\n", " ")
    pieces = (piece.strip() for line in commands.splitlines() for piece in line.split("&&"))
    return [found[1] for piece in pieces if (found := re.match(r"(?:\S*/)?attnviz(?:\s+(.*))?$", piece))]


@pytest.mark.parametrize("marker", MARKERS)
def test_each_long_command_stands_alone_on_a_bare_machine(marker: str) -> None:
    command = block_after(marker)
    assert subprocess.run(["bash", "-n"], input=command.encode(), check=False).returncode == 0
    steps = [step.strip() for step in command.replace("\\\n", " ").strip().split("&&")]
    assert steps[0] == "apt-get update"
    assert steps[1].startswith("apt-get install -y ")
    assert "python3 -m venv .venv" in steps
    assert ".venv/bin/attnviz get minilm" in steps
    assert "\n" not in "".join(steps)  # one chain: nothing runs after a step that failed


def test_both_long_commands_install_the_same_of_debian() -> None:
    window, test = (debian_packages(block_after(marker)) for marker in MARKERS)
    assert window == test
    assert "python3-venv" in window


def test_the_first_command_ends_in_the_window_and_the_second_in_the_tests() -> None:
    window, test = (block_after(marker).strip().split("&&")[-1].strip() for marker in MARKERS)
    assert window == ".venv/bin/attnviz"
    assert test == "QT_QPA_PLATFORM=offscreen .venv/bin/python -m pytest -n logical --dist loadfile"


def test_readme_shows_every_verb() -> None:
    shown = {line.split()[0] for line in attnviz_lines() if line and not line.startswith("-")}
    assert {"get", "models", "attend", "render", "compare", "roles", "report", "corpus"} <= shown


@pytest.mark.parametrize("line", attnviz_lines())
def test_each_attnviz_line_parses(line: str) -> None:
    make_parser().parse_args(shlex.split(line or "", comments=True))


def test_each_python_example_runs(minilm: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del minilm
    monkeypatch.chdir(tmp_path)
    examples = [text for language, text in BLOCKS if language == "python"]
    assert examples
    for example in examples:
        exec(compile(example, "README.md", "exec"), {"print": lambda *_: None})


def test_the_table_of_keys_is_what_the_program_does() -> None:
    rows = [(row.keys, row.text) for row in ACTIONS if row.keys]
    rows += [((keys,), text) for keys, text in OTHER_KEYS]
    expected = [f"| {', '.join(f'`{key}`' for key in keys)} | {text.rstrip('…')} |" for keys, text in rows]
    table = re.search(r"^\| Key \| What it does \|\n\|[-| ]+\|\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert table is not None
    assert table[1].splitlines() == expected, "the rows must be:\n" + "\n".join(expected)


def test_each_picture_is_there_shown_and_small() -> None:
    shown = set(re.findall(r'(?:src="|\]\()([^")]+\.png)', README))
    kept = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "pictures").glob("*.png")}
    assert shown == kept
    for name in shown:
        content = (ROOT / name).read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(content) <= MOST_BYTES, name


def test_each_file_that_readme_links_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_table_of_head_counts_comes_out(minilm: Model) -> None:
    rows = re.findall(r"^\| (\d+)(?: \(trained\))? \| (\d\.\d\d) \| (L\d\.H\d+) \| (\d\.\d\d) \|$", README, re.MULTILINE)
    assert len(rows) >= 5
    trained = minilm.trace(SENTENCE)
    it, animal = trained.tokens.index("it"), trained.tokens.index("animal")
    for count, weight, place, cosine in rows:
        trace = minilm.trace(SENTENCE, head_count=int(count))
        weights = np.array([trace.attention(layer)[:, it, animal] for layer in range(trace.n_layer)])
        layer, head = np.unravel_index(weights.argmax(), weights.shape)
        found = f"{weights.max():.2f}", f"L{layer}.H{head}", f"{mean_cosine(trace.hidden, trained.hidden):.2f}"
        assert found == (weight, place, cosine)


def test_the_tables_of_the_comparison_come_out(minilm: Model) -> None:
    text = "The boy who studied hard passed the exam."
    assert f'**A single head against many**, for all-MiniLM-L6-v2 and "{text}"' in README
    one, trained = (run_of(minilm, text, head_count) for head_count in (1, None))
    kept = mean_cosine(one.trace.hidden, trained.trace.hidden)
    rows = measures(replace(one, cosine_to_trained=kept, against=trained), View())
    expected = {row.text: tuple(row.written(value) for value in row.mean) for row in rows if row.name != "heads"}
    table = README.partition("**A single head against many**")[2].partition("**A word")[0]
    assert {name: (a, b) for name, a, b in re.findall(r"^\| ([a-z].+?) \| (\S.*?) \| (\S.*?) \|$", table, re.MULTILINE)} == expected

    bank = run_of(minilm, "I deposited money in the bank.")
    courses = re.findall(r"^\| ([A-Z].+ .+\.) \| (.+) \|$", README.partition("**A word in two sentences**")[2], re.MULTILINE)
    assert len(courses) == 3
    for sentence, told in courses:
        other = run_of(minilm, sentence)
        units = [range(at, at + 1) for at in (run.trace.tokens.index("bank") for run in (bank, other))]
        assert told.split(" | ") == [f"{value:.2f}" for value in cosines_by_layer(bank, other, *units, View())]


def speed_page() -> str:
    """What stands between the marks of the table of speed."""
    return README.partition("<!-- speed -->\n")[2].partition("<!-- /speed -->")[0]


def test_the_table_of_speed_is_the_one_that_the_benchmarks_print() -> None:
    lines = [line for line in speed_page().splitlines() if line]
    assert lines[:2] == list(MARKDOWN_HEAD)
    assert re.fullmatch(r"On .+, \d+ processors, \d+ GiB, .+, \d{4}-\d\d-\d\d\.", lines[-1])
    heads = [found[1] for line in lines if (found := re.match(r"\| \*\*(.+?)\*\*(?:, beside it \S.*?)? \| \| \| \| \|$", line))]
    titles = [import_module(f"tests.benchmarks.sections.{module}").TITLE for module in SECTIONS.values()]
    assert heads == [title for title in titles if title in heads]  # in their order, and none of another name
    assert {title.partition(":")[0] for title in heads} >= {"Engine", "Typing", "Length", "Start", "Picture", "Grid", "Size"}


def test_the_table_of_speed_says_met_of_what_is_met() -> None:
    form = r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \| ([≤≥]) (\S+?)( \S+?)?(?:, (met|not met))? \|$"
    rows = re.findall(form, speed_page(), re.MULTILINE)
    assert rows
    for what, own, _, ratio, sign, target, unit, said in rows:
        if said:
            figure = own if unit else ratio  # a target without a unit is one of the ratio
            value, bound = (float(number.replace(",", "")) for number in (figure.split()[0], target))
            assert not unit or own.endswith(unit), what
            over = value - bound if sign == "≤" else bound - value
            near = 0.005 if not unit else 0.5  # figures are rounded
            assert abs(over) <= near or said == ("met" if over < 0 else "not met"), what


def test_each_line_of_benchmarks_parses() -> None:
    commands = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines() if "tests.benchmarks" in line]
    assert commands
    for command in commands:
        words = shlex.split(command)
        make_benchmark_parser().parse_args(words[words.index("tests.benchmarks") + 1 :])

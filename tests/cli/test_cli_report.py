"""`attnviz report`: the file it writes, what it refuses in one line before anything is measured."""

from __future__ import annotations

import html
import re
import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from attnviz import cli
from tests.corpus.template import write_json_lines, write_template_model
from tests.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_json_lines(folder / "made.jsonl")
    write_template_model(folder / "bert")
    return folder


@pytest.fixture(scope="module", autouse=True)
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder of these tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("data")
        patch.setenv("ATTNVIZ_DATA", str(folder))
        yield folder


def run(*arguments: object) -> int:
    try:
        return cli.main(["report", *map(str, arguments)])
    except SystemExit as exit_:
        return int(exit_.code)


@pytest.mark.parametrize("name", ["x.html", "x.PDF"])
def test_it_writes_the_report_and_nothing_else(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    options = ("--model", base / "bert", "--corpus", base / "made.jsonl", "--muted", 2, "--author", "Ada", "--date", "May")
    assert run(*options, "--text", "The dog saw a bread.", "-o", tmp_path / name) == 0
    assert capsys.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    start = (tmp_path / name).read_bytes()[:15]
    assert start.startswith(b"%PDF-" if name.endswith("PDF") else b"<!DOCTYPE html>")


def test_the_command_in_a_report_writes_the_same_report_again(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--model", base / "bert", "--corpus", base / "made.jsonl", "--muted", 2, "--text=The dog didn't <see>.")
    assert run(*options, "-o", tmp_path / "x.html") == 0
    first = (tmp_path / "x.html").read_text(encoding="utf-8")
    command = html.unescape(re.findall(r"<code>(attnviz report.*?)</code>", first, re.DOTALL)[0])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.html").unlink()
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("attnviz", "report")
    assert run(*words) == 0
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == first


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "-o/--output"),
        (("-o", "x.txt"), "use one of .html, .pdf"),
        (("-o", "nowhere/x.pdf"), "there is no such folder"),
        (("-o", "x.pdf", "--text", ""), "The text is empty"),
        (("-o", "x.pdf", "--corpus", "none.jsonl"), "cannot be read"),
        (("-o", "x.pdf", "--muted", "-1"), "--muted"),
        (("-o", "x.pdf", "--model", "no such model"), "no such model"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_one_line_before_anything_is_measured(
    base: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("attnviz.probing.roles.measure_heads", None)
    told = () if "--model" in options else ("--model", base / "bert")
    assert said in refusal(capsys, tmp_path, run, *told, *options)


def test_ctrl_c_while_it_is_written_leaves_no_file_and_says_what_is_kept(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from attnviz.probing import evidence

    whole: Callable[..., object] = evidence.evidence_for

    def pressed(*args: object, **named: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return whole(*args, **named)

    monkeypatch.setattr("attnviz.export.report.making.evidence_for", pressed)
    options = ("--model", base / "bert", "--corpus", base / "made.jsonl", "--muted", 2)
    assert run(*options, "-o", tmp_path / "x.pdf") == 130
    (line,) = capsys.readouterr().err.splitlines()
    assert "kept" in line
    assert not list(tmp_path.iterdir())

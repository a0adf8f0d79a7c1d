"""A session on the command line: it stands where a verb may stand, and what cannot be opened is one line before any window."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from attnviz import cli
from attnviz.cli import parser
from attnviz.cli.parser import make_parser
from attnviz.session.recovery import ENDING
from attnviz.session.saved import SavedModel, save_session
from attnviz.session.state import Wish
from attnviz.ui import app
from tests.engine.tiny_bert import write_bert

if TYPE_CHECKING:
    from collections.abc import Callable


class Asked(NamedTuple):
    model: str | None
    text: str | None
    session: Path | None


def parsed(*arguments: str) -> Asked:
    options = make_parser().parse_args(arguments)
    return Asked(options.model, options.text, options.session)


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ((), Asked(None, None, None)),
        (("x.attnviz",), Asked(None, None, Path("x.attnviz"))),
        (("dir/My Lesson.ATTNVIZ",), Asked(None, None, Path("dir/My Lesson.ATTNVIZ"))),
        (("--model", "m", "x.attnviz"), Asked("m", None, Path("x.attnviz"))),
        (("x.attnviz", "--model", "m"), Asked("m", None, Path("x.attnviz"))),
        (("--model=m", "x.attnviz", "--text", "t"), Asked("m", "t", Path("x.attnviz"))),
        (("--text", "x.attnviz"), Asked(None, "x.attnviz", None)),
        (("--model", "x.attnviz", "--text", "y.attnviz", "z.attnviz"), Asked("x.attnviz", "y.attnviz", Path("z.attnviz"))),
    ],
)
def test_a_session_stands_where_a_verb_may_stand(arguments: tuple[str, ...], asked: Asked) -> None:
    assert parsed(*arguments) == asked


def test_sessions_are_known_by_their_ending_everywhere() -> None:
    assert parser._SESSION == ENDING


def test_what_follows_a_verb_is_the_verbs() -> None:
    options = make_parser().parse_args(["attend", "--text", "x.attnviz", "-o", "y.attnviz"])
    assert (options.text, options.output, options.session) == ("x.attnviz", Path("y.attnviz"), None)


def line_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The one line on stderr of a command that exits with 2."""
    try:
        status = cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        status = exit_.code
    assert status == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("attnviz: ")
    return line.removeprefix("attnviz: ")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a.attnviz", "b.attnviz"), "one session at a time, not 2: a.attnviz, b.attnviz"),
        (("x.attnviz", "models"), "x.attnviz opens in the window; leave out the verb"),
        (("models", "x.attnviz"), "unrecognized arguments: x.attnviz"),
        (("lesson.json",), "a session's name ends in .attnviz"),
    ],
)
def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str) -> None:
    assert says in line_of(capsys, *arguments)


def test_help_says_how_a_session_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])
    assert exit_.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith("usage: attnviz [--model M] [--text T] [SESSION.attnviz]\n")
    assert "attnviz lesson.attnviz" in printed


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session of a tiny model; the data are this test's own."""
    monkeypatch.setenv("ATTNVIZ_DATA", str(tmp_path / "data"))
    save_session(tmp_path / "x.attnviz", Wish(write_bert(tmp_path / "tiny"), "the cat sings"), SavedModel("tiny"))
    return tmp_path / "x.attnviz"


@pytest.fixture
def no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails a test that would open a window."""
    monkeypatch.setattr("PySide6.QtWidgets.QApplication.exec", lambda self: pytest.fail("a window was opened"))


BAD: dict[str, tuple[Callable[[str], str] | None, str]] = {
    "missing": (None, "no such file; choose a session that is there."),
    "empty": (lambda whole: "", "the file is empty"),
    "truncated": (lambda whole: whole[: len(whole) // 2], "the file ends in the middle"),
    "newer": (lambda whole: whole.replace('"version": 1', '"version": 7'), "saved by a newer attnviz (version 7 of the format"),
    "other": (lambda whole: "{}", "JSON, but not an attnviz session"),
    "wrong": (lambda whole: whole.replace('"layer": 0', '"layer": -1'), '"view.layer" is -1'),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.usefixtures("no_window")
def test_a_session_that_cannot_be_read_is_one_line(capsys: pytest.CaptureFixture[str], path: Path, kind: str) -> None:
    change, says = BAD[kind]
    whole = path.read_text(encoding="utf-8")
    path.unlink()
    if change is not None:
        path.write_text(change(whole), encoding="utf-8")
    assert line_of(capsys, path).startswith(f"{path}: {says}")


@pytest.mark.usefixtures("no_window")
def test_a_session_of_a_model_that_is_not_here_names_it(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | {"model": {"path": "/not/here/gpt-9", "name": "gpt-9"}}), encoding="utf-8")
    assert line_of(capsys, path).startswith('"gpt-9", the model of this session, is neither at /not/here/gpt-9')
    assert "is neither a folder" in line_of(capsys, "--model", "nobody", path)


@pytest.mark.parametrize("extra", [(), ("--model", "TINY", "--text", "a dog")])
def test_the_window_is_given_what_was_asked_for(path: Path, monkeypatch: pytest.MonkeyPatch, extra: tuple[str, ...]) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(app, "run_window", lambda *all_: asked.append(all_) or 0)
    arguments = [str(path.with_name("tiny")) if word == "TINY" else word for word in extra]
    assert cli.main([*arguments, str(path)]) == 0
    assert asked == [(arguments[1] if extra else None, "a dog" if extra else None, path)]


WINDOW = """
import sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from attnviz import cli
from attnviz.cli import parser
from attnviz.ui import start

def then_tell(*all_):
    window = whole(*all_)
    def tell(old, new):
        if new.run is not None:
            print(window.windowTitle(), new.run.trace.text, new.run.model.name, sep="|", flush=True)
            QTimer.singleShot(0, window.close)
    window.session.subscribe(tell)
    return window

whole = start.open_window
start.open_window = then_tell
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_the_window_opens_on_the_session(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", WINDOW, path.name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8", cwd=tmp_path)
    assert done.stderr.replace("This plugin does not support propagateSizeHints()\n", "") == ""
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].endswith("|the cat sings|tiny")

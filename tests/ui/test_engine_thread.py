"""The worker alone, and the window's end."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

from attnviz.errors import Cancelled
from attnviz.session.request import Request
from attnviz.ui import worker as worker_module
from attnviz.ui.worker import Worker
from tests.ui.hands import PATIENCE_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from tests.ui.hands import Hands


class SlowRunner:
    """Stands in for the engine: each run waits until the test lets it go. A text "raise X" raises."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.cancelled: list[str] = []
        self.go_on = threading.Semaphore(0)

    def run(self, request: Request, cancelled: Callable[[], bool], loading: Callable[[], None]) -> str:
        self.began.append(request.text)
        if request.text.startswith("raise"):
            raise {"memory": MemoryError(), "zero": ZeroDivisionError("by zero")}[request.text.split()[1]]
        while not self.go_on.acquire(timeout=0.005):
            if cancelled():
                self.cancelled.append(request.text)
                raise Cancelled
        return request.text


class Desk:
    def __init__(self, qtbot: QtBot, runner: SlowRunner, worker: Worker, path: Path) -> None:
        self.qtbot, self.runner, self.worker, self.path = qtbot, runner, worker, path
        self.done: list[str] = []
        self.failed: list[tuple[Request, str]] = []
        worker.done.connect(self.done.append)
        worker.failed.connect(lambda request, sentence: self.failed.append((request, sentence)))

    def ask(self, text: str, model: str = "a") -> None:
        self.worker.submit(Request(self.path / model, text))

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=PATIENCE_MS)


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    runner = SlowRunner()
    monkeypatch.setattr(worker_module, "Runner", lambda: runner)
    worker = Worker()
    yield Desk(qtbot, runner, worker, tmp_path)
    worker.stop()
    worker.deleteLater()


def test_the_newest_request_wins_while_one_is_running(desk: Desk) -> None:
    desk.ask("first")
    desk.until(lambda: desk.runner.began == ["first"])
    for text in ("second", "third", "newest"):
        desk.ask(text)
    desk.runner.go_on.release(2)
    desk.until(lambda: desk.done == ["first", "newest"])
    assert desk.runner.began == ["first", "newest"]


def test_another_model_calls_the_running_request_off(desk: Desk) -> None:
    desk.ask("first")
    desk.until(lambda: desk.runner.began == ["first"])
    desk.ask("first", model="b")
    desk.until(lambda: desk.runner.cancelled == ["first"])
    desk.runner.go_on.release()
    desk.until(lambda: desk.done == ["first"])


def test_the_end_calls_the_running_request_off(desk: Desk) -> None:
    desk.ask("first")
    desk.until(lambda: desk.runner.began == ["first"])
    desk.worker.stop()
    assert desk.runner.cancelled == ["first"]
    assert not [thread for thread in threading.enumerate() if thread.name == "attnviz-engine"]


def test_a_mistake_of_ours_becomes_a_sentence_and_the_worker_lives_on(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.ask("raise zero")
    desk.until(lambda: bool(desk.failed))
    request, sentence = desk.failed[0]
    assert request.text == "raise zero"
    assert sentence == "attnviz made a mistake (ZeroDivisionError: by zero); please report this text."
    assert "ZeroDivisionError" in capsys.readouterr().err
    desk.ask("next")
    desk.runner.go_on.release()
    desk.until(lambda: desk.done == ["next"])


def test_too_little_memory_becomes_a_sentence(desk: Desk) -> None:
    desk.ask("raise memory")
    desk.until(lambda: bool(desk.failed))
    assert desk.failed[0][1] == "There is not enough memory for this text; use a shorter one."


def test_a_mistake_in_the_engine_is_told_in_the_window_and_the_next_text_is_read(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = hands.run.model
    before = hands.words()
    with monkeypatch.context() as broken:
        broken.setattr(type(model), "trace", lambda *args, **kwargs: 1 / 0)
        hands.type("This breaks.")
        assert hands.reader.notice.text().startswith("attnviz made a mistake (ZeroDivisionError")
        assert hands.words() == before
    capsys.readouterr()
    hands.type("This works.")
    assert hands.words() == ["This", "works", "."]
    assert hands.reader.notice.text() == ""


def test_closing_while_a_run_is_under_way_ends_the_threads(hands: Hands) -> None:
    hands.window.session.ask(text="cat " * 500)
    assert hands.state.busy
    hands.window.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("attnviz-")]


def test_the_collector_is_off_while_the_window_is_open_and_on_again_after(hands: Hands) -> None:
    assert not gc.isenabled()
    hands.window.close()
    assert gc.isenabled()


def test_ctrl_q_ends_it_all(hands: Hands) -> None:
    hands.activate()
    hands.window.actions_by_slot["close"].trigger()
    assert not hands.window.isVisible()
    assert gc.isenabled()

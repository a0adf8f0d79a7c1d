"""The worker alone, and the window's end."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from attnviz.errors import AttnvizError, Cancelled, InputError, ModelError
from attnviz.session.request import Request
from attnviz.ui import worker as worker_module
from attnviz.ui.job import Job
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

    def run(
        self, request: Request, cancelled: Callable[[], bool], loading: Callable[[], None], progress: Callable[..., None]
    ) -> str:
        self.began.append(request.text)
        if request.text.startswith("raise"):
            errors = {"zero": ZeroDivisionError("by zero"), "model": ModelError("It is broken.")}
            raise errors[request.text.split()[1]]
        while not self.go_on.acquire(timeout=0.005):
            if cancelled():
                self.cancelled.append(request.text)
                raise Cancelled
        return request.text


class Desk:
    def __init__(self, qtbot: QtBot, runner: SlowRunner, worker: Worker, path: Path) -> None:
        self.qtbot, self.runner, self.worker, self.path = qtbot, runner, worker, path
        self.done: list[str] = []
        self.failed: list[tuple[Request, AttnvizError]] = []
        worker.done.connect(self.done.append)
        worker.failed.connect(lambda request, error: self.failed.append((request, error)))

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
    request, error = desk.failed[0]
    assert request.text == "raise zero"
    assert type(error) is AttnvizError  # neither the text's fault nor the model's
    assert str(error) == "attnviz made a mistake (ZeroDivisionError: by zero); please report this text."
    assert "ZeroDivisionError" in capsys.readouterr().err
    desk.ask("next")
    desk.runner.go_on.release()
    desk.until(lambda: desk.done == ["next"])


def test_a_cancel_holds_though_something_is_typed_before_the_layer_ends(desk: Desk) -> None:
    desk.ask("first")
    desk.until(lambda: desk.runner.began == ["first"])
    desk.worker.call_off()
    desk.ask("second")
    desk.until(lambda: desk.runner.cancelled == ["first"])
    desk.runner.go_on.release()
    desk.until(lambda: desk.done == ["second"])


def test_an_error_of_the_engine_arrives_as_it_is(desk: Desk) -> None:
    desk.ask("raise model")
    desk.until(lambda: bool(desk.failed))
    assert isinstance(desk.failed[0][1], ModelError)
    assert str(desk.failed[0][1]) == "It is broken."


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


def test_the_time_of_the_trained_run_is_told_again_when_a_what_if_is_left(hands: Hands) -> None:
    trained = hands.facts()
    took = hands.run.milliseconds
    assert took > 0
    hands.click_stop(hands.reader.head_counts, 4)
    hands.click_stop(hands.reader.head_counts, 12)
    assert hands.run.milliseconds == took
    assert hands.facts() == trained


# --- work that is not the engine's ------------------------------------------------------------------------------------


@pytest.fixture
def job(qtbot: QtBot) -> Iterator[Job]:
    job = Job("attnviz-test")
    yield job
    job.wait()
    job.deleteLater()


def test_a_job_is_done_off_the_windows_thread_and_tells_what_came_of_it(qtbot: QtBot, job: Job) -> None:
    with qtbot.waitSignal(job.done, timeout=PATIENCE_MS) as told:
        assert job.start(lambda: threading.current_thread().name)
    assert told.args == ["attnviz-test"]


def test_a_job_that_is_under_way_is_not_begun_again(qtbot: QtBot, job: Job) -> None:
    go_on = threading.Event()
    began: list[str] = []
    assert job.start(lambda: (began.append("first"), go_on.wait(20)))
    assert job.is_running
    assert not job.start(lambda: began.append("second"))
    with qtbot.waitSignal(job.done, timeout=PATIENCE_MS):
        go_on.set()
    assert began == ["first"]


@pytest.mark.parametrize("error", [None, InputError("No."), Cancelled(), ZeroDivisionError("by zero")])
def test_whoever_hears_of_a_jobs_outcome_can_begin_the_next(
    qtbot: QtBot, job: Job, error: Exception | None, capsys: pytest.CaptureFixture[str]
) -> None:
    running: list[bool] = []
    for signal in (job.done, job.failed, job.cancelled):
        signal.connect(lambda *args: running.append(job.is_running), Qt.ConnectionType.DirectConnection)

    def work() -> None:
        if error is not None:
            raise error

    job.start(work)
    job.wait()
    assert running == [False]
    capsys.readouterr()


def test_a_mistake_in_a_job_becomes_a_sentence(qtbot: QtBot, job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    with qtbot.waitSignal(job.failed, timeout=PATIENCE_MS) as told:
        job.start(lambda: 1 / 0)
    assert told.args == ["It did not work (ZeroDivisionError: division by zero); try again, or report this."]
    assert "ZeroDivisionError" in capsys.readouterr().err

"""What takes a while says how far it is and can be called off."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from attnviz.errors import Cancelled
from attnviz.session import run as run_module
from attnviz.ui import worker as worker_module
from tests.engine.tiny_bert import write_bert
from tests.ui.hands import LEFT, Hands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model


class SlowLoad:
    """Stands in for `load_model`: checks layer after layer as the test lets it, and stops when it is called off."""

    def __init__(self, load: Callable[..., Model], slow: Path) -> None:
        self.load, self.slow = load, slow
        self.layers = threading.Semaphore(0)
        self.cancelled = False

    def __call__(self, path: Path, **how: Any) -> Model:
        if path != self.slow:
            return self.load(path, **how)
        for layer in range(3):
            while not self.layers.acquire(timeout=0.005):
                if how["cancelled"]():
                    self.cancelled = True
                    raise Cancelled
            how["progress"](layer + 1, 3)
        return self.load(path, **how)


@pytest.fixture
def slow(hands: Hands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SlowLoad:
    """Another model that is being opened, slowly."""
    monkeypatch.setattr(worker_module, "_A_WHILE", 0.0)
    load = SlowLoad(run_module.load_model, write_bert(tmp_path / "slow-model"))
    monkeypatch.setattr(run_module, "load_model", load)
    hands.window.open_model(load.slow)
    return load


def job(hands: Hands) -> str:
    return hands.window._job.text()


def test_opening_says_how_many_layers_are_checked_and_then_shows_the_model(hands: Hands, slow: SlowLoad) -> None:
    for layer in (1, 2):
        slow.layers.release()
        hands.until(lambda layer=layer: job(hands) == f"Opening the model… layer {layer} of 3")
        assert hands.window._cancel.isVisible()
    slow.layers.release()
    hands.until(lambda: hands.run.model.name == "slow-model")
    hands.settle()
    hands.until(lambda: job(hands) == "")
    assert not hands.window._cancel.isVisible()


def test_opening_can_be_called_off_and_the_model_before_stays(hands: Hands, slow: SlowLoad) -> None:
    words = hands.words()
    slow.layers.release()
    hands.until(hands.window._cancel.isVisible)
    hands.qtbot.mouseClick(hands.window._cancel, LEFT)
    hands.until(lambda: slow.cancelled and not hands.state.busy)
    assert hands.run.model.name == "all-MiniLM-L6-v2"
    assert hands.words() == words
    assert hands.state.failure is None
    assert hands.reader.model_box.currentText() == "all-MiniLM-L6-v2"
    hands.type("It still reads.")
    assert hands.words() == ["It", "still", "reads", "."]


def test_closing_the_window_ends_the_opening(hands: Hands, slow: SlowLoad) -> None:
    slow.layers.release()
    hands.until(lambda: job(hands) != "")
    hands.window.close()
    assert slow.cancelled


def test_a_run_says_how_far_it_is_and_can_be_called_off(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_A_WHILE", 0.0)
    go_on, began = threading.Semaphore(0), threading.Event()
    real = type(hands.run.model).trace

    def trace(model: Model, text: str, pair: Any, head_count: Any, cancelled: Callable[[], bool], progress: Any, **how: Any) -> Any:
        def step(done: int, total: int) -> None:
            progress(done, total)
            began.set()
            while not go_on.acquire(timeout=0.005):
                if cancelled():
                    return

        return real(model, text, pair, head_count, cancelled, step, **how)

    monkeypatch.setattr(type(hands.run.model), "trace", trace)
    before = hands.run
    hands.qtbot.keyClicks(hands.reader.sentence, " Yes.")
    hands.until(lambda: job(hands) == "Reading… layer 1 of 6")
    hands.qtbot.mouseClick(hands.window._cancel, LEFT)
    hands.until(lambda: not hands.state.busy)
    assert hands.run is before
    assert hands.reader.sentence.toPlainText().endswith(" Yes.")

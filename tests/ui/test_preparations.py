"""What takes longer than a glance is made on another thread: the window lives, the newest wish wins, and nothing is left behind."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from attnviz.analysis.edges import Threshold
from attnviz.errors import Cancelled, InputError
from attnviz.scene import preparing
from attnviz.session import preparing as weights_preparing
from attnviz.session.comparing import Against
from attnviz.session.view import HeadChoice
from attnviz.ui.pictures import preparations

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ui.hands import Hands


class Gate:
    """Stands in for `prepare`: waits until it is opened, notes who came on which thread, and heeds being called off."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.came: list[tuple[str, Any]] = []
        self.called_off = 0
        self.failure: Exception | None = None

    def __call__(self, run: Any, view: Any, cancelled: Callable[[], bool]) -> None:
        self.came.append((threading.current_thread().name, view))
        while not self.open.wait(0.005):
            if cancelled():
                self.called_off += 1
                raise Cancelled
        if self.failure is not None:
            raise self.failure
        preparing.prepare(run, view, cancelled)


@pytest.fixture
def gate(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """From now on even a short text needs preparing, and the gate is shut."""
    gate = Gate()
    monkeypatch.setattr(weights_preparing, "_OF_A_LAYER", 0)
    monkeypatch.setattr(weights_preparing, "_OF_ALL", 0)
    monkeypatch.setattr(preparing, "_TO_CHOOSE_AMONG", 0)
    monkeypatch.setattr(preparing, "_TO_MAP", 0)
    monkeypatch.setattr(preparations, "prepare", gate)
    return gate


@pytest.mark.parametrize(
    "changes", [{"quantity": "rollout"}, {"quantity": "norms"}, {"picture": "matrix", "layer": 2}, {"picture": "grid"}], ids=str
)
def test_the_picture_before_stays_dimmed_until_the_new_one_is_there(hands: Hands, gate: Gate, changes: dict[str, str]) -> None:
    stack = hands.reader.pictures
    hands.window.session.show(**changes)
    hands.until(lambda: bool(gate.came))
    assert gate.came[0][0] == "attnviz-prepare"
    assert stack.is_preparing()
    assert hands.canvas.scene is not None
    hands.until(lambda: stack.currentWidget()._stale)
    gate.open.set()
    hands.until(stack.is_settled)
    assert not stack.currentWidget()._stale
    shown = stack.currentWidget().scene
    assert any("rollout" in label.text for label in shown.labels) == (changes.get("quantity") == "rollout")


def test_the_newest_wish_calls_off_the_one_before(hands: Hands, gate: Gate) -> None:
    for layer in (1, 2, 3):
        hands.window.session.show(layer=layer, quantity="rollout")
        hands.until(lambda layer=layer: gate.came[-1][1].layer == layer if gate.came else False)
    assert gate.called_off == 2
    gate.open.set()
    hands.until(hands.reader.pictures.is_settled)
    assert any("layers 0 to 3" in label.text for label in hands.scene.labels)


def test_a_wish_taken_back_leaves_the_picture_as_it_was(hands: Hands, gate: Gate) -> None:
    before = [label.text for label in hands.scene.labels]
    hands.window.session.show(quantity="rollout")
    hands.until(lambda: bool(gate.came))
    hands.window.session.show(quantity="attention")
    hands.until(hands.reader.pictures.is_settled)
    gate.open.set()
    assert [label.text for label in hands.scene.labels] == before
    hands.until(lambda: not hands.canvas._stale)


def test_pointing_while_it_is_prepared_computes_nothing(hands: Hands, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    hands.window.session.show(quantity="rollout")
    hands.until(lambda: bool(gate.came))
    monkeypatch.setattr("attnviz.session.sight.make_sight", lambda *_: pytest.fail("computed on the window's thread"))
    for token in (2, 3, 4):
        hands.point_token(token)
    monkeypatch.undo()
    gate.open.set()
    hands.until(hands.reader.pictures.is_settled)


def test_what_does_not_fit_the_memory_is_one_sentence(hands: Hands, gate: Gate) -> None:
    gate.failure = InputError("A rollout of this text takes 9 GB of memory; use a shorter one.")
    gate.open.set()
    hands.window.session.show(quantity="rollout")
    hands.until(hands.reader.notice.isVisible)
    assert "takes 9 GB" in hands.reader.notice.text()
    hands.settle()
    assert not hands.reader.pictures.is_preparing()
    tries = len(gate.came)
    hands.window.resize(hands.window.width() + 40, hands.window.height())
    hands.settle()
    assert len(gate.came) == tries
    hands.window.session.show(quantity="attention")
    hands.settle()
    assert not hands.canvas._stale


def test_a_threshold_whose_choice_takes_long_leaves_the_window_free(hands: Hands, gate: Gate) -> None:
    before = hands.scene
    hands.window.session.show(threshold=Threshold("mass", 0.3))
    hands.until(lambda: bool(gate.came))
    assert gate.came[0][0] == "attnviz-prepare"
    hands.click_token(4)  # the picture before answers
    assert hands.canvas.focus_token == 4
    assert len(hands.scene.arcs) == len(before.arcs)
    hands.until(lambda: hands.canvas._stale)
    gate.open.set()
    hands.until(hands.reader.pictures.is_settled)
    assert len(hands.scene.arcs) < len(before.arcs)
    assert not hands.canvas._stale


def test_a_moved_slider_has_only_the_last_threshold_chosen(hands: Hands, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = []
    choose = preparing.choose_edges

    def noted(sight: Any, threshold: Threshold, **how: Any) -> Any:
        chosen.append((threading.current_thread().name, threshold.value))
        return choose(sight, threshold, **how)

    monkeypatch.setattr(preparing, "choose_edges", noted)
    hands.window.session.show(threshold=Threshold("mass", 0.6))
    hands.until(lambda: bool(gate.came))
    for value in (0.5, 0.4, 0.3, 0.2):
        hands.window.session.show(threshold=Threshold("mass", value))
    hands.until(lambda: gate.called_off == 1 and len(gate.came) == 2)
    gate.open.set()
    hands.until(hands.reader.pictures.is_settled)
    assert chosen == [("attnviz-prepare", 0.2)]


def test_a_threshold_that_was_chosen_before_is_there_at_once(hands: Hands, gate: Gate) -> None:
    gate.open.set()
    shown = {}
    for value in (0.6, 0.3):
        hands.window.session.show(threshold=Threshold("mass", value))
        hands.until(hands.reader.pictures.is_settled)
        shown[value] = len(hands.scene.arcs)
    gate.open.clear()
    hands.window.session.show(threshold=Threshold("mass", 0.6))
    assert hands.reader.pictures.is_settled()
    assert len(hands.scene.arcs) == shown[0.6] > shown[0.3]


def test_a_short_text_has_its_new_picture_in_the_same_event(hands: Hands) -> None:
    pictures = hands.reader.pictures
    for changes in ({"threshold": Threshold("mass", 0.3)}, {"layer": 3}, {"heads": HeadChoice(frozenset({3}), 12)}):
        before = hands.scene
        hands.window.session.show(**changes)
        assert hands.scene is not before
        assert pictures.is_settled()
    hands.window.session.show(picture="matrix")
    for changes in ({"layer": 2}, {"heads": None}, {"is_log": True}):
        before = pictures.currentWidget().scene
        hands.window.session.show(**changes)
        assert pictures.currentWidget().scene is not before
        assert pictures.is_settled()


@pytest.mark.parametrize("setting", ["side", "difference"])
@pytest.mark.parametrize("picture", ["arcs", "matrix"])
def test_the_picture_of_two_runs_is_prepared_beside_the_window_too(hands: Hands, gate: Gate, setting: str, picture: str) -> None:
    gate.open.set()
    hands.window.session.ask(against=Against("text", text="The animal didn't cross the street because it was too wide."))
    hands.window.session.show(setting=setting, picture=picture)
    hands.settle()
    gate.open.clear()
    view = hands.reader.pictures.currentWidget()
    before, n_came = view.scene, len(gate.came)
    hands.window.session.show(layer=3)
    hands.until(lambda: len(gate.came) > n_came)
    assert view.scene is before
    gate.open.set()
    hands.until(hands.reader.pictures.is_settled)
    assert view.scene is not before
    assert [name for name, _ in gate.came] == ["attnviz-prepare"] * len(gate.came)


def test_closing_the_window_ends_it(hands: Hands, gate: Gate) -> None:
    hands.window.session.show(heads=HeadChoice(frozenset({3}), 12), quantity="norms")
    hands.until(lambda: bool(gate.came))
    hands.window.close()
    assert gate.called_off == 1


def test_the_steps_of_a_long_text_make_no_weights_of_all_tokens(hands: Hands, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnviz.session.sight.make_sight", lambda *_: pytest.fail("the weights of all tokens"))
    hands.window.session.show(picture="steps", layer=3, focus=10)
    hands.settle()
    assert hands.reader.pictures.currentWidget().scene.content is not None
    hands.window.session.show(layer=2)
    hands.settle()
    assert not gate.came

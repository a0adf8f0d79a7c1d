"""Measuring from the window: what it says, cancelling and going on, and what becomes of it in the main window."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from attnviz.probing.summary import kept_summary
from attnviz.ui.roles.start_page import _progress
from tests.golden.families_reader import write_model
from tests.ui.roles.conftest import N_SENTENCE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PySide6.QtCore import QRect

    from attnviz.probing.roles import HeadRoles
    from tests.ui.roles.conftest import Gate
    from tests.ui.roles.roles_hands import RolesHands


def measuring_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("attnviz-measure", "probing"))]


def test_the_key_opens_the_window_which_offers_to_measure(open_roles: Callable[..., RolesHands]) -> None:
    hands = open_roles()
    hands.roles_window.close()
    hands.key(Qt.Key.Key_R, hands.window, Qt.KeyboardModifier.ControlModifier)
    assert hands.roles_window.isVisible()
    assert hands.is_at_start()
    about = hands.roles_window.start.about()
    assert f"{N_SENTENCE} sentences of templates" in about
    assert "8 heads of wired" in about
    assert hands.roles_window.start.measure_button.isVisible()
    assert hands.roles_window.start.status() == ""
    assert hands.roles_window.top.model() == "wired 2 layers of 4 heads, as trained"
    assert not hands.roles_window.top.export_button.isEnabled()


def test_measuring_ends_in_the_atlas_and_tells_the_main_window(open_roles: Callable[..., RolesHands]) -> None:
    hands = open_roles()
    assert hands.state.roles is None
    told: list[tuple[str, int, int]] = []
    hands.roles_window.work.progressed.connect(lambda *step: told.append(step))
    hands.measure()
    assert hands.roles_window.start.cancel_button.isVisible()
    hands.settle()
    assert not hands.is_at_start()
    assert [stage for stage, _, _ in told] == sorted((stage for stage, _, _ in told), reverse=True)  # reading, then muting
    assert {(stage, done == total) for stage, done, total in told} >= {("reading", True), ("muting", True)}
    assert (hands.atlas.cells[-1].layer, hands.atlas.cells[-1].head) == (1, 3)
    summary = hands.state.roles
    assert summary is not None
    assert summary.roles(0, 1)[0].key == "det>"
    assert kept_summary(summary.model_sha256) == summary


def test_what_was_measured_before_is_there_at_once(kept: HeadRoles, open_roles: Callable[..., RolesHands]) -> None:
    hands = open_roles()
    assert not hands.is_at_start()
    found = hands.roles_window.roles
    assert found is not kept
    assert [found.roles(layer, head)[:1] == () for layer in range(2) for head in range(4)] == [
        kept.roles(layer, head)[:1] == () for layer in range(2) for head in range(4)
    ]
    assert hands.state.roles is not None


def test_a_measuring_that_was_called_off_goes_on_where_it_stopped(alone: Callable[[], RolesHands], gate: Gate) -> None:
    hands = alone()
    page = hands.roles_window.start
    hands.measure()
    hands.until(gate.reached.is_set)
    hands.until(lambda: page.status().startswith("Muting heads"))
    assert not hands.roles_window.top.corpus_box.isEnabled()
    hands.qtbot.mouseClick(page.cancel_button, Qt.MouseButton.LeftButton)
    hands.settle()
    assert hands.is_at_start()
    assert not page.cancel_button.isVisible()
    assert hands.roles_window.top.corpus_box.isEnabled()
    said = page.status()
    assert said.startswith("Goes on where it stopped: ")
    done, total = (int(word) for word in said.replace(":", "").split() if word.isdigit())
    assert 0 < done < total
    gate.open()
    hands.measure()
    hands.settle()
    assert not hands.is_at_start()


def test_cancel_leaves_all_where_it_is_and_measure_waits_for_the_end(alone: Callable[[], RolesHands], gate: Gate) -> None:
    hands = alone()
    page = hands.roles_window.start
    texts = [one for one in page.findChildren(QLabel) if one.text()]

    def places() -> list[QRect]:
        page.layout().activate()
        return [one.geometry() for one in texts]

    before = places()
    hands.measure()
    hands.until(gate.reached.is_set)
    measuring = places()
    hands.qtbot.mouseClick(page.cancel_button, Qt.MouseButton.LeftButton)
    assert page.measure_button.isVisible()
    assert not page.measure_button.isEnabled()
    assert page.status() == "Stopping\N{HORIZONTAL ELLIPSIS}"
    assert before == measuring == places()
    hands.settle()
    assert page.measure_button.isEnabled()
    assert places() == before


def test_a_measuring_goes_on_behind_a_closed_window_and_says_when_it_is_done(
    open_roles: Callable[..., RolesHands], gate: Gate
) -> None:
    hands = open_roles()
    hands.measure()
    hands.until(gate.reached.is_set)
    hands.roles_window.close()
    assert hands.roles_window.work.is_working
    gate.open()
    hands.settle()
    assert hands.state.roles is not None
    assert "Ctrl+R" in hands.window.statusBar().currentMessage()
    hands.window.show_roles(0, 1)
    assert hands.page.head == (0, 1)


def test_closing_the_program_ends_a_measuring(open_roles: Callable[..., RolesHands], gate: Gate) -> None:
    hands = open_roles()
    hands.measure()
    hands.until(gate.reached.is_set)
    assert measuring_threads()
    hands.window.close()
    assert not measuring_threads()
    assert hands.window.roles_actions.window is None


def test_another_model_ends_a_measuring_and_is_offered_itself(
    open_roles: Callable[..., RolesHands], gate: Gate, tmp_path: Path
) -> None:
    hands = open_roles()
    hands.measure()
    hands.until(gate.reached.is_set)
    hands.window.open_model(write_model("bart-lm", tmp_path / "bart-lm"))
    hands.until(lambda: hands.run.model.name == "bart-lm")
    hands.settle()
    hands.until(lambda: not measuring_threads())
    assert not hands.roles_window.start.cancel_button.isVisible()
    assert hands.is_at_start()
    assert hands.roles_window.top.model() == "bart-lm its encoder: 2 layers of 3 heads, as trained"
    assert "heads of the encoder of bart-lm, which alone is measured" in hands.roles_window.start.about()
    assert hands.roles_window.windowTitle().endswith("bart-lm")


def test_another_model_ends_a_measuring_behind_a_closed_window_too(
    open_roles: Callable[..., RolesHands], gate: Gate, tmp_path: Path
) -> None:
    hands = open_roles()
    hands.measure()
    hands.until(gate.reached.is_set)
    hands.roles_window.close()
    hands.window.open_model(write_model("bert-mlm", tmp_path / "bert"))
    hands.until(lambda: hands.run.model.name == "bert")
    hands.until(lambda: not measuring_threads())
    assert hands.state.roles is None
    hands.window.show_roles()
    hands.settle()
    assert hands.roles_window.top.model().startswith("bert ")


@pytest.mark.parametrize(
    ("stage", "done", "total", "line"),
    [
        ("reading", 320, 1_610, "Reading sentences… 320 of 1,610"),
        ("muting", 4, 6, "Muting heads… layer 4 of 6"),
        ("muting", 1, 12, "Muting heads… layer 1 of 6, part 1 of 2 of the sentences"),
        ("muting", 12, 12, "Muting heads… layer 6 of 6, part 2 of 2 of the sentences"),
    ],
)
def test_progress_counts_sentences_and_layers(stage: str, done: int, total: int, line: str) -> None:
    assert _progress(stage, done, total, n_layer=6) == line

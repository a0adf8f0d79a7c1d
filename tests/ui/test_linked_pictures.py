"""Four pictures of one run: what is chosen in one is chosen in all, and each is as true as the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication

from attnviz.errors import InputError
from attnviz.session.grid_choice import GridChoice
from attnviz.session.view import PICTURE_NAMES
from tests.ui.hands import CTRL, LEFT, SHIFT

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.ui.pictures.picture_view import PictureView
    from tests.ui.hands import Hands

ISOLATES = dict.fromkeys(map(ord, "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}"))
KEYS = {"arcs": "1", "grid": "2", "matrix": "3", "steps": "4"}


def go_to(hands: Hands, picture: str) -> PictureView:
    """Show a picture by its key; its widget."""
    hands.key(KEYS[picture], hands.reader.pictures.currentWidget(), CTRL)
    hands.settle()
    assert hands.state.view.picture == picture
    return hands.reader.pictures.currentWidget()


def at_head(hands: Hands, layer: int, head: int) -> QPoint:
    grid = hands.reader.pictures.currentWidget()
    cell = next(cell for cell in grid.scene.cells if (cell.layer, cell.head) == (layer, head))
    return grid.on_screen((cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2).toPoint()


def test_each_picture_is_reached_by_its_key_its_button_and_its_menu(hands: Hands) -> None:
    for picture in PICTURE_NAMES:
        widget = go_to(hands, picture)
        assert widget.isVisible()
        assert hands.reader.bar.pictures[picture].isChecked()
        assert hands.window.actions_by_slot[f"show_{picture}"].isChecked()
    for picture in PICTURE_NAMES:
        hands.qtbot.mouseClick(hands.reader.bar.pictures[picture], LEFT)
        assert hands.state.view.picture == picture
    hands.choose_menu("show_matrix")
    assert hands.state.view.picture == "matrix"


def test_the_menu_ticks_the_colours_that_the_matrix_has_and_turns_them(hands: Hands) -> None:
    go_to(hands, "matrix")
    action = hands.window.actions_by_slot["toggle_log"]

    def ticked() -> bool:
        hands.settle()
        assert action.isChecked() == hands.reader.pictures.currentWidget().scene.scale.is_log
        return action.isChecked()

    assert not ticked()
    hands.key("m", hands.reader.pictures.currentWidget(), CTRL | SHIFT)
    assert ticked()
    hands.choose_menu("toggle_log")
    assert not ticked()
    hands.window.session.ask(text="The animal was tired. " * 20)
    assert ticked()
    hands.choose_menu("toggle_log")
    assert not ticked()


def test_a_head_clicked_in_the_grid_is_that_of_all_pictures(hands: Hands) -> None:
    grid = go_to(hands, "grid")
    hands.qtbot.mouseClick(grid, LEFT, pos=at_head(hands, 3, 1))
    assert (hands.state.view.layer, hands.state.view.shown_heads(12)) == (3, frozenset({1}))
    assert hands.reader.head_panel.title() == "L3.H1"
    pairs = {(looks.translate(ISOLATES), weight) for looks, weight in hands.reader.head_panel.pairs()}
    assert ("it \N{RIGHTWARDS ARROW} animal", "0.70") in pairs
    assert hands.reader.layers.stop() == 3
    assert go_to(hands, "arcs").scene.arcs.head.tolist() == [1] * len(hands.scene.arcs)
    matrix = go_to(hands, "matrix").scene
    assert [panel.head for panel in matrix.panels] == [1]
    weights = hands.run.trace.attention(3)[1]
    assert np.allclose(matrix.panels[0].weights, weights[1:-1, 1:-1])
    assert "layer 3, head 1 of 12" in " ".join(label.text for label in go_to(hands, "steps").scene.labels)


@pytest.mark.parametrize("picture", ["arcs", "matrix", "steps"])
def test_a_double_click_in_the_grid_opens_the_head_in_the_picture_before(hands: Hands, picture: str) -> None:
    go_to(hands, picture)
    grid = go_to(hands, "grid")
    hands.double_click(grid, at_head(hands, 5, 11))
    assert hands.state.view.picture == picture
    assert (hands.state.view.layer, hands.state.view.shown_heads(12)) == (5, frozenset({11}))


def test_keys_move_through_the_heads_of_the_grid(hands: Hands) -> None:
    grid = go_to(hands, "grid")
    hands.qtbot.mouseClick(grid, LEFT, pos=at_head(hands, 2, 4))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Left):
        hands.key(key, grid)
    assert (hands.state.view.layer, hands.state.view.shown_heads(12)) == (4, frozenset({4}))
    hands.key(Qt.Key.Key_Return, grid)
    assert hands.state.view.picture == "arcs"


def test_a_token_pinned_in_the_arcs_is_lit_in_the_matrix_and_goes_through_the_steps(hands: Hands) -> None:
    it = hands.position("it")
    hands.click_token(it)
    matrix = go_to(hands, "matrix")
    assert matrix.scene.focus == it
    assert hands.reader.panel.title() == "it"
    steps = go_to(hands, "steps")
    assert steps.scene.focus == it
    hands.key(Qt.Key.Key_Left, steps)
    assert steps.scene.focus == it - 1
    go_to(hands, "arcs")
    assert hands.scene.focus == it - 1


def test_a_row_clicked_in_the_matrix_is_pinned_everywhere(hands: Hands) -> None:
    hands.key("3")
    matrix = go_to(hands, "matrix")
    cells = matrix.placed()[0]
    row = matrix.scene.queries.positions.index(hands.position("street"))
    at = QPointF(cells.left + 2.5 * cells.width, cells.top + (row + 0.5) * cells.height).toPoint()
    hands.qtbot.mouseClick(matrix, LEFT, pos=at)
    assert hands.state.view.focus == hands.position("street")
    assert go_to(hands, "steps").scene.focus == hands.position("street")


def test_an_arrow_up_or_down_in_the_steps_takes_the_next_head(hands: Hands) -> None:
    hands.key("3")
    steps = go_to(hands, "steps")
    hands.key(Qt.Key.Key_Down, steps)
    assert hands.state.view.shown_heads(12) == frozenset({4})
    go_to(hands, "arcs")
    assert set(hands.scene.arcs.head.tolist()) == {4}


def test_a_step_is_copied_as_numpy_and_the_window_says_so(hands: Hands) -> None:
    steps = go_to(hands, "steps")
    QApplication.clipboard().setText("before")
    steps.copy_stage("softmax", "numpy")
    assert "np.array" in QApplication.clipboard().text()
    assert "copied as NumPy" in hands.window.statusBar().currentMessage()


def test_what_the_grid_sorts_by_is_chosen_beside_it_and_stays(hands: Hands) -> None:
    grid = go_to(hands, "grid")
    controls = hands.reader.head_panel.controls
    controls.summary_box.setFocus()
    hands.qtbot.keyClick(controls.summary_box, Qt.Key.Key_Down)
    hands.qtbot.mouseClick(controls.sort_box, LEFT, pos=QPoint(8, controls.sort_box.height() // 2))
    assert hands.state.view.grid == GridChoice("entropy", True)
    go_to(hands, "arcs")
    go_to(hands, "grid")
    for layer in range(6):
        row = sorted((cell.column, cell.entropy) for cell in grid.scene.cells if cell.layer == layer)
        assert [entropy for _, entropy in row] == sorted(entropy for _, entropy in row)


@pytest.mark.parametrize("picture", list(PICTURE_NAMES))
def test_a_new_text_another_theme_and_another_size_leave_the_picture_there(open_reader: Callable[..., Hands], picture: str) -> None:
    hands = open_reader()
    widget = go_to(hands, picture)
    hands.type("The bank was closed.")
    assert "bank" in widget.scene.description or "bank" in [label.text for label in widget.scene.labels]
    hands.choose_menu("go_dark")
    assert widget.scene.theme.name == "dark"
    hands.window.resize(1000, 700)
    hands.until(
        lambda: widget.scene.width * widget.zoom == pytest.approx(widget.width(), abs=2) or widget.scene.width > widget.width()
    )
    hands.click_stop(hands.reader.head_counts, 4)
    assert hands.run.trace.head_count == 4
    assert any(label.ink == "what_if_ink" for label in widget.scene.labels)


def test_rows_of_a_matrix_hover_in_the_panel(hands: Hands) -> None:
    matrix = go_to(hands, "matrix")
    cells = matrix.placed()[0]
    row = matrix.scene.queries.positions.index(hands.position("tired"))
    hands.point(QPointF(cells.left + 0.5 * cells.width, cells.top + (row + 0.5) * cells.height).toPoint(), matrix)
    assert hands.reader.panel.title() == "tired"


@pytest.mark.parametrize(("picture", "view"), [("arcs", {"quantity": "norms"}), ("matrix", {"quantity": "norms"}), ("steps", {})])
def test_a_picture_that_needs_more_memory_than_there_is_says_so_and_the_one_before_stays(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, picture: str, view: dict[str, str]
) -> None:
    def refuse(*_: object) -> None:
        raise InputError("The steps take 9 GB of memory, and 1 MB are free; use a shorter text.")

    before = hands.scene
    monkeypatch.setattr(type(hands.run.trace), "_inside", refuse)
    hands.window.session.show(picture=picture, **view)
    hands.settle()
    assert hands.reader.notice.isVisible()
    assert "9 GB of memory" in hands.reader.notice.text()
    hands.window.session.show(picture="arcs", quantity="attention")
    assert [box.text for box in hands.canvas.scene.tokens] == [box.text for box in before.tokens]
    assert not hands.reader.notice.isVisible()
    hands.point_token(3)
    assert hands.reader.panel.title() == hands.run.trace.pieces[3].shown


def test_a_click_on_a_grid_of_another_model_chooses_no_head_that_is_not_there(hands: Hands) -> None:
    before = hands.state.view
    hands.reader.pictures.headPicked.emit(3, 40)
    hands.reader.pictures.headPicked.emit(60, 1)
    assert hands.state.view == before


def test_a_filter_of_texts_goes_with_the_second_text(hands: Hands) -> None:
    hands.qtbot.mouseClick(hands.reader.pair_button, LEFT)
    hands.qtbot.keyClicks(hands.reader.pair, "It slept.")
    hands.until(lambda: hands.run.trace.pair == "It slept.")
    hands.settle()
    hands.window.session.show(between="across")
    hands.qtbot.mouseClick(hands.reader.pair_button, LEFT)
    hands.until(lambda: hands.run.trace.pair is None)
    hands.settle()
    assert hands.state.view.between == "all"


def test_the_steps_say_that_sinks_change_nothing_in_them(hands: Hands) -> None:
    go_to(hands, "steps")
    assert "takes nothing out" in hands.reader.bar.sinks.share()
    go_to(hands, "grid")
    hidden = np.mean([hands.run.trace.attention(layer)[:, 1:-1][:, :, [0, -1]].sum(-1).mean() for layer in range(6)])
    assert f"they have {round(100 * hidden)} %" in hands.reader.bar.sinks.share()


def test_the_chip_of_all_heads_is_lit_while_all_are_shown(hands: Hands) -> None:
    assert hands.reader.chips.all_chip.isChecked()
    hands.key("1")
    assert not hands.reader.chips.all_chip.isChecked()
    hands.qtbot.mouseClick(hands.reader.chips.all_chip, LEFT)
    assert hands.reader.chips.all_chip.isChecked()
    assert hands.state.view.heads is None


@pytest.mark.parametrize(("picture", "has_panel"), [("arcs", False), ("grid", True), ("matrix", False), ("steps", False)])
def test_in_a_narrow_window_the_grid_alone_keeps_its_panel_which_sorts_it(hands: Hands, picture: str, has_panel: bool) -> None:
    hands.window.resize(740, 640)
    go_to(hands, picture)
    hands.settle()
    assert (hands.reader.head_panel.isVisible() or hands.reader.panel.isVisible()) == has_panel
    hands.window.resize(1180, 760)
    hands.settle()
    assert (hands.reader.head_panel.isVisible() or hands.reader.panel.isVisible()) == (picture != "steps")

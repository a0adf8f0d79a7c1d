"""Two runs beside each other and as a difference, through the real window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.errors import InputError
from attnviz.scene.arcs import choice
from attnviz.scene.scene import ArcScene
from attnviz.session import measures as measures_module
from attnviz.session.comparing import Against
from attnviz.session.view import Arc, HeadChoice
from attnviz.ui.panels import compare_panel
from attnviz.ui.pictures import compared
from tests.golden.families_reader import write_model
from tests.ui.hands import LEFT, NO_KEY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.ui.pictures.canvas import Canvas
    from attnviz.ui.pictures.compare_view import CompareView
    from tests.ui.hands import Hands

BOY = "The boy who studied hard passed the exam."
WIDE = "The animal didn't cross the street because it was too wide."


def view_of(hands: Hands) -> CompareView:
    """The pictures of the two runs."""
    view = hands.reader.pictures.currentWidget()
    assert view.accessibleName() == "Two runs"
    return view


def sides(hands: Hands) -> list[ArcScene]:
    return [view.scene for view in view_of(hands).views()]


def point_at(hands: Hands, canvas: Canvas, text: str) -> QPoint:
    """Where a token is on one of the pictures."""
    box = next(box for box in canvas.scene.tokens if box.text == text)
    return canvas.on_screen(box.middle, (box.top + box.bottom) / 2).toPoint()


def measured(hands: Hands) -> dict[str, tuple[str, str]]:
    """The measures of all layers as they stand in the panel."""
    return {name: (a, b) for name, a, b in hands.reader.side.compare.of_all.rows()}


def test_one_head_against_twelve_is_a_table_of_measured_numbers(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(BOY)
    hands.click_stop(hands.reader.head_counts, 1)
    hands.key("c")
    hands.settle()
    assert hands.state.against == Against("trained")
    assert hands.run.against.trace.head_count == 12
    a, b = sides(hands)
    assert (set(a.arcs.head.tolist()), len(set(b.arcs.head.tolist()))) == ({0}, 12)
    table = measured(hands)
    assert table["heads"] == ("1", "12")
    assert table["distinct targets per token"][0] == "1.00"
    assert float(table["distinct targets per token"][1]) > 4
    assert table["cosine of the output to the trained run"] == (f"{hands.run.cosine_to_trained:.2f}", "1.00")
    assert "1 head" in " ".join(label.text for label in a.labels)


def test_another_text_is_typed_beside_and_its_words_stand_alike(hands: Hands) -> None:
    hands.choose_menu("compare_text")
    hands.settle()
    field = hands.reader.compare_bar.text
    assert field.isVisible()
    assert field.toPlainText() == hands.state.text
    hands.key("a", field, Qt.KeyboardModifier.ControlModifier)
    hands.qtbot.keyClicks(field, WIDE)
    hands.until(lambda: hands.run.against is not None and hands.run.against.trace.text == WIDE and not hands.state.busy)
    hands.settle()
    a, b = sides(hands)
    assert [box.text for box in b.tokens][-3:] == ["too", "wide", "."]
    places = [{box.text: box.middle for box in scene.tokens} for scene in (a, b)]
    for word in ("animal", "street", "it", "was"):
        assert places[0][word] == pytest.approx(places[1][word], abs=1.0)


def test_a_kept_run_stays_while_the_heads_change(hands: Hands) -> None:
    hands.key("k")
    hands.settle()
    kept = hands.run.trace
    hands.window.session.ask(changes=NOTHING.with_muted(HeadAt("encoder", 3, 1), True))
    hands.settle()
    assert hands.run.against.trace is kept
    assert hands.run.trace is not kept
    hands.window.session.show(layer=4)
    hands.settle()
    hands.key("d")
    hands.settle()
    (difference,) = sides(hands)
    largest = float(np.abs(hands.run.trace.attention(4) - kept.attention(4))[:, 1:-1, 1:-1].max())
    assert difference.arcs.weight.max() == pytest.approx(largest, abs=1e-5)


def test_equal_runs_have_no_difference_and_the_picture_says_so(hands: Hands) -> None:
    hands.key("c")
    hands.key("d")
    hands.settle()
    (difference,) = sides(hands)
    assert len(difference.arcs) == 0
    assert "no difference" in " ".join(label.text for label in difference.labels).casefold()


def test_the_matrix_shows_both_runs_side_by_side_and_their_difference(hands: Hands) -> None:
    hands.click_stop(hands.reader.head_counts, 4)
    hands.key("c")
    hands.window.view_actions.show_matrix()
    hands.settle()
    left, right = view_of(hands).views()
    assert left.y() == right.y()
    assert left.x() < right.x()
    assert len(left.scene.panels) == 4
    assert len(right.scene.panels) == 12
    hands.key("d")
    hands.settle()
    assert len(view_of(hands).views()) == 1


def test_a_token_under_the_pointer_stands_forward_on_both_sides(hands: Hands) -> None:
    hands.window.session.ask(against=Against("text", text=WIDE))
    hands.settle()
    above, below = view_of(hands).views()
    hands.point(point_at(hands, above, "it"), above)
    assert above.focus_token == above.scene.tokens[-5].index or above.scene.token_at(above.focus_token).text == "it"
    assert below.scene.token_at(below.focus_token).text == "it"
    hands.point(QPoint(2, 2), above)
    assert below.focus_token is None


def test_a_click_on_either_side_pins_the_token_on_both(hands: Hands) -> None:
    hands.window.session.ask(against=Against("text", text=WIDE))
    hands.settle()
    _, below = view_of(hands).views()
    hands.qtbot.mouseClick(below, LEFT, NO_KEY, point_at(hands, below, "it"))
    hands.settle()
    assert hands.state.view.focus == hands.position("it")
    a, b = sides(hands)
    assert a.token_at(a.focus).text == b.token_at(b.focus).text == "it"
    assert hands.reader.side.compare.chart.isVisible()


def test_the_chart_tells_how_near_the_two_banks_are_at_each_layer(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader("I deposited money in the bank.")
    hands.window.session.show(focus=hands.position("bank"))
    hands.window.session.ask(against=Against("text", text="I sat near the river bank."))
    hands.settle()
    values = [point.value for point in hands.reader.side.compare.chart.scene.points]
    assert values[0] > 0.95  # in the embeddings they are nearly one
    assert values[-1] == pytest.approx(0.77, abs=0.005)  # as the example says


def test_grid_and_steps_are_of_the_run_alone(hands: Hands) -> None:
    hands.key("c")
    for show in (hands.window.view_actions.show_grid, hands.window.view_actions.show_steps):
        show()
        hands.settle()
        assert hands.reader.pictures.currentWidget().accessibleName() != "Two runs"
    hands.window.view_actions.show_arcs()
    hands.settle()
    view_of(hands)


def test_comparing_ends_with_the_picture_of_the_run_alone(hands: Hands) -> None:
    hands.key("c")
    hands.settle()
    assert hands.reader.compare_bar.isVisible()
    hands.qtbot.mouseClick(hands.reader.compare_bar.stop, LEFT)
    hands.settle()
    assert hands.state.against is None
    assert hands.reader.pictures.currentWidget() is hands.canvas
    assert not hands.reader.compare_bar.isVisible()
    hands.window.session.undo()
    hands.settle()
    assert hands.run.against is not None


def test_a_mask_in_a_model_without_a_prediction_head_is_compared_with_the_text_before(hands: Hands) -> None:
    hands.double_click(hands.canvas, hands.at_token(hands.position("street")))
    hands.settle()
    assert hands.run.trace.tokens.count("[MASK]") == 1
    assert "street" in hands.run.against.trace.tokens
    chart = hands.reader.side.compare.chart.scene
    assert chart is not None
    assert chart.points[-1].value < 1.0


def test_an_empty_other_text_is_a_sentence_and_leaves_the_picture(hands: Hands) -> None:
    hands.choose_menu("compare_text")
    hands.settle()
    before = hands.run
    field = hands.reader.compare_bar.text
    hands.key("a", field, Qt.KeyboardModifier.ControlModifier)
    hands.key(Qt.Key.Key_Backspace, field)
    hands.until(lambda: hands.state.failure is not None)
    assert "empty" in hands.reader.notice.text()
    assert hands.run is before


@pytest.mark.parametrize("picture", ["arcs", "matrix"])
def test_a_narrow_window_shows_both_runs_all_the_same(hands: Hands, picture: str) -> None:
    hands.window.resize(640, 700)
    hands.window.session.show(picture=picture)
    hands.key("c")
    hands.settle()
    first, second = view_of(hands).views()
    assert first.width() == second.width()
    assert first.height() > 100
    assert second.height() > 100


def compare_with(hands: Hands, text: str = WIDE, **view: object) -> None:
    """Set another text beside the one that is read."""
    hands.window.session.show(**view)
    hands.window.session.ask(against=Against("text", text=text))
    hands.settle()


def count_calls(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[str]:
    """A list that grows with each call of a function."""
    calls: list[str] = []
    function = getattr(module, name)

    def counted(*args: object, **named: object) -> object:
        calls.append(name)
        return function(*args, **named)

    monkeypatch.setattr(module, name, counted)
    return calls


def test_the_arcs_of_each_side_are_chosen_once_for_all_sizes(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_with(hands)
    chosen = count_calls(monkeypatch, choice, "strongest_edges")
    hands.window.session.show(layer=4)
    hands.settle()
    assert len(chosen) == 2


def test_a_pin_builds_nothing_anew_and_stands_on_both_sides(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_with(hands)
    built = count_calls(monkeypatch, compared, "compared_scenes")
    hands.window.session.show(focus=hands.position("it"))
    hands.settle()
    assert not built
    assert [scene.token_at(scene.focus).text for scene in sides(hands)] == ["it", "it"]
    hands.window.session.show(focus=None)
    hands.settle()
    assert [scene.focus for scene in sides(hands)] == [None, None]


def test_the_picture_of_two_runs_is_built_once_when_they_are_there(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    built = count_calls(monkeypatch, compared, "compared_scenes")
    compare_with(hands)
    hands.qtbot.wait(100)
    assert len(built) == 1


def test_the_numbers_of_another_layer_go_before_those_of_this_one_are_there(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_with(hands)
    panel = hands.reader.side.compare
    monkeypatch.setattr(compare_panel, "is_survey_at_hand", lambda *_: False)
    monkeypatch.setattr(measures_module, "are_kept", lambda *_: False)
    hands.window.session.show(layer=4)
    assert panel.is_making
    assert {value for _, a, b in panel.of_layer.rows() for value in (a, b)} == {""}
    hands.until(lambda: not panel.is_making)
    assert "" not in {value for _, a, b in panel.of_layer.rows() for value in (a, b)}


def test_an_old_picture_stays_dim_after_a_difference_that_could_not_be_made(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_with(hands)

    def fail(*_: object) -> None:
        raise InputError("no difference")

    with monkeypatch.context() as patch:
        patch.setattr(compared, "compared_scenes", fail)
        hands.key("d")
        hands.settle()
        hands.window.session.show(panel="what_if")  # which changes nothing of the picture
        hands.settle()
        view = view_of(hands).views()[0]
        hands.until(lambda: view._stale)
    hands.window.session.show(setting="side")
    hands.settle()
    assert not view._stale


def test_a_chosen_pair_stands_out_on_both_sides(hands: Hands) -> None:
    compare_with(hands)
    it, animal, tired = (hands.position(word) for word in ("it", "animal", "tired"))
    hands.window.session.show(arc=Arc(it, animal))
    hands.settle()
    above, below = view_of(hands).views()
    assert above._pair == Arc(it, animal)
    assert [below.scene.token_at(token).text for token in (below._pair.query, below._pair.key)] == ["it", "animal"]
    hands.window.session.show(arc=Arc(it, tired))
    hands.settle()
    assert below._pair is None  # which B does not have
    hands.window.session.show(arc=None)
    hands.settle()
    assert (above._pair, below._pair) == (None, None)


def test_a_double_click_masks_on_the_first_side_alone(hands: Hands) -> None:
    compare_with(hands)
    above, below = view_of(hands).views()
    hands.double_click(below, point_at(hands, below, "street"))
    hands.settle()
    assert "[MASK]" not in hands.run.trace.tokens
    hands.double_click(above, point_at(hands, above, "street"))
    hands.settle()
    assert hands.run.trace.tokens.count("[MASK]") == 1


def test_a_click_on_one_of_several_matrices_shows_its_head_alone(hands: Hands) -> None:
    compare_with(hands, picture="matrix")
    left, _ = view_of(hands).views()
    panel = left.scene.panels[2]
    cells = left.scene.cells(panel)
    at = left.on_screen(cells.left + cells.width / 2, cells.top + cells.height / 2).toPoint()
    hands.point(at, left)
    hands.qtbot.mouseClick(left, LEFT, NO_KEY, at)
    hands.settle()
    assert hands.state.view.heads == HeadChoice(frozenset({panel.head}), 12)


def test_escape_leads_the_keys_to_the_first_picture(hands: Hands) -> None:
    compare_with(hands)
    hands.key(Qt.Key.Key_Escape, hands.reader.sentence)
    first = view_of(hands).views()[0]
    hands.until(first.hasFocus)
    hands.qtbot.keyClick(first, Qt.Key.Key_Right)
    hands.settle()
    assert hands.state.view.focus == first.scene.tokens[0].index


def test_the_panel_lets_go_of_both_runs_when_comparing_has_ended(hands: Hands) -> None:
    compare_with(hands, focus=3)
    chart = hands.reader.side.compare.chart
    assert chart._state is not None
    hands.window.session.ask(against=None)
    hands.settle()
    assert (chart._state, chart._key, chart.scene) == (None, None, None)
    assert hands.reader.side.compare.of_all.rows() == []


def test_one_of_two_long_texts_moves_the_other_along(open_reader: Callable[..., Hands]) -> None:
    long = " ".join([BOY] * 12)
    hands = open_reader(long)
    compare_with(hands, long.replace("boy", "girl"))
    above, below = view_of(hands).views()
    above.pan(0, -150)
    third = [next(box.top for box in view.scene.tokens if box.row == 2) for view in (above, below)]
    tops = [view.on_screen(0, top).y() - view.height() / 2 for view, top in zip((above, below), third, strict=True)]
    assert above.viewport.y == pytest.approx(-150)
    assert tops[0] == pytest.approx(tops[1], abs=30)
    before = above.viewport.y
    below.pan(0, -60)
    assert above.viewport.y < before


def test_a_decoders_texts_are_seen_whole_on_both_sides(open_reader: Callable[..., Hands], tmp_path: Path) -> None:
    hands = open_reader()
    hands.window.session.ask(model=write_model("t5-gated-silu-bare", tmp_path / "t5"), text="the cat sings", pair="a cat sings")
    hands.settle()
    compare_with(hands, "the dog sings", kind="cross")
    for view in view_of(hands).views():
        assert view.zoom * view.scene.height <= view.height() + 2
        assert view.zoom * 12 >= 9.5

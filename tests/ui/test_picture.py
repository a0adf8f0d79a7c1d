"""Pointer and keys on the picture: focus, arcs, pins, zoom, pan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from attnviz.paint.fonts import text_width
from attnviz.scene.arcs.focus import focus_labels
from attnviz.scene.arcs.hit import arc_text, arc_under
from attnviz.scene.palette import head_colour
from tests.ui.hands import CTRL, LEFT, NO_KEY, Hands

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = (
    "When the old keeper of the lighthouse finally decided to retire, the people of the village who had depended on his light "
    "for forty years gathered on the cliffs and sang to him, although the wind was very strong that night and nobody on the "
    "boats below could hear a single word of their slow and beautiful song about home. Years later a young woman who had been "
    "a child that night wrote the whole story down, and her book was read aloud in every harbour of the coast."
)


@pytest.fixture
def long_hands(open_reader: Callable[..., Hands]) -> Hands:
    """A text of many rows, taller than the window."""
    hands = open_reader(LONG)
    assert hands.scene.height > hands.canvas.height()
    return hands


def strongest(hands: Hands, token: int) -> list[tuple[str, float, int]]:
    """(key, weight, head) of a query, the strongest first, from the trace alone."""
    attention = hands.run.trace.attention(hands.state.view.layer)
    shown = sorted(hands.state.view.shown_heads(hands.run.trace.head_count))
    rows = attention[shown, token]
    order = np.argsort(-rows.max(axis=0), kind="stable")
    pieces = hands.run.trace.pieces
    return [(pieces[k].shown, float(rows[:, k].max()), shown[int(rows[:, k].argmax())]) for k in order]


def panel_rows(hands: Hands) -> list[tuple[str, float, int]]:
    return [(text, reading.weight, reading.head) for reading, text, _ in hands.reader.panel.looks_at.rows()]


# --- hover ------------------------------------------------------------------------------------------------------------


def test_a_token_under_the_pointer_comes_into_focus_with_the_traces_numbers(hands: Hands) -> None:
    for token in range(1, len(hands.run.trace.tokens) - 1):
        hands.point_token(token)
        assert hands.canvas.focus_token == token
        assert hands.reader.panel.title() == hands.run.trace.pieces[token].shown
        assert panel_rows(hands) == strongest(hands, token)


def test_who_looks_at_the_token_is_told_too(hands: Hands) -> None:
    token = hands.position("animal")
    hands.point_token(token)
    column = hands.run.trace.attention(0)[:, :, token].max(axis=0)
    told = {reading.token: reading.weight for reading, _, _ in hands.reader.panel.looked_at_by.rows()}
    assert told == {query: float(weight) for query, weight in enumerate(column)}


def test_a_pointer_that_leaves_restores_what_was(hands: Hands) -> None:
    before = hands.canvas.grab().toImage()
    hands.point_token(5)
    assert hands.canvas.grab().toImage() != before
    QApplication.sendEvent(hands.canvas, QEvent(QEvent.Type.Leave))
    assert hands.canvas.focus_token is None
    assert hands.reader.panel.title() == "Point at a token"
    assert hands.canvas.grab().toImage() == before


def test_hover_rebuilds_no_scene(hands: Hands) -> None:
    scene = hands.scene
    for token in (3, 5, 9):
        hands.point_token(token)
    assert hands.canvas.scene is scene


def test_only_the_arcs_of_the_token_in_focus_stand_forward(hands: Hands) -> None:
    hands.key("0")
    token = hands.position("animal")
    arcs = hands.scene.arcs
    strong = [int(arc) for arc in np.flatnonzero((arcs.width > 1.5) & (np.abs(arcs.query - arcs.key) > 1))]
    mine = [arc for arc in strong if arcs.query[arc] == token]
    others = [arc for arc in strong if arcs.query[arc] != token]
    assert mine
    assert others
    before = [ink_at(hands, arc) for arc in (*mine, *others)]
    hands.point_token(token)
    after = [ink_at(hands, arc) for arc in (*mine, *others)]
    left = np.array(after) / np.array(before)
    assert left[: len(mine)].min() > 0.85
    assert np.median(left[len(mine) :]) < 0.4


def ink_at(hands: Hands, arc: int) -> float:
    """How far the picture is from paper in the middle of an arc."""
    image = hands.canvas.grab().toImage()
    at = hands.at_arc(arc) * image.devicePixelRatio()
    ink, paper = image.pixelColor(at), image.pixelColor(5, image.height() // 2)
    return sum(abs(a - b) for a, b in zip(ink.getRgb(), paper.getRgb(), strict=True))


def test_an_arc_under_the_pointer_tells_query_key_head_and_weight(hands: Hands) -> None:
    hands.key("0")
    arc = len(hands.scene.arcs) - 1
    hands.point(hands.at_arc(arc))
    found = hands.canvas.hovered_arc
    assert found is not None
    arcs = hands.scene.arcs
    head, query, key = int(arcs.head[found]), int(arcs.query[found]), int(arcs.key[found])
    pieces = hands.run.trace.pieces
    weight = hands.run.trace.attention(0)[head, query, key]
    looks = f"\u2068{pieces[query].shown}\u2069 \u2192 \u2068{pieces[key].shown}\u2069"
    assert arc_text(hands.scene, found) == f"{looks}   H{head}   {weight:.3f}"
    hands.point(hands.nowhere())
    assert hands.canvas.hovered_arc is None


def test_the_strongest_arcs_are_found_where_they_are_drawn(hands: Hands) -> None:
    hands.key("1")
    n = len(hands.scene.arcs)
    for arc in range(n - 8, n):
        hands.point(hands.at_arc(arc))
        assert hands.canvas.hovered_arc is not None
        assert hands.canvas.hovered_arc >= arc  # where two cross, the stronger


def test_with_a_pinned_token_only_its_arcs_can_be_hit(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(None)
    arcs = hands.scene.arcs
    other = int(np.flatnonzero(arcs.query != hands.scene.focus)[-1])
    hands.point(hands.at_arc(other))
    assert hands.canvas.hovered_arc is None or arcs.query[hands.canvas.hovered_arc] == hands.scene.focus


# --- pins -------------------------------------------------------------------------------------------------------------


def test_a_click_pins_a_token_and_a_second_click_lets_it_go(hands: Hands) -> None:
    token = hands.position("street")
    hands.click_token(token)
    assert hands.scene.focus == token
    hands.point(hands.nowhere())
    assert hands.canvas.focus_token == token
    assert hands.reader.panel.title() == "street"
    hands.click_token(token)
    hands.point(hands.nowhere())
    assert hands.scene.focus is None
    assert hands.canvas.focus_token is None


def test_a_click_elsewhere_lets_the_pin_go(hands: Hands) -> None:
    hands.click_token(3)
    hands.point(hands.nowhere())
    hands.qtbot.mouseClick(hands.canvas, LEFT, NO_KEY, hands.nowhere())
    assert hands.scene.focus is None


def test_escape_lets_the_pin_go(hands: Hands) -> None:
    hands.click_token(3)
    hands.point(hands.nowhere())
    hands.key(Qt.Key.Key_Escape)
    assert hands.scene.focus is None


def test_a_token_that_is_clicked_without_a_move_before_is_pinned(hands: Hands) -> None:
    hands.qtbot.mouseClick(hands.canvas, LEFT, NO_KEY, hands.at_token(4))
    assert hands.scene.focus == 4


def test_hover_goes_before_the_pin_and_gives_it_back(hands: Hands) -> None:
    hands.click_token(3)
    hands.point_token(8)
    assert hands.canvas.focus_token == 8
    hands.point(hands.nowhere())
    assert hands.canvas.focus_token == 3


def test_the_numbers_at_the_keys_are_the_traces(hands: Hands) -> None:
    hands.key("0")
    token = hands.position("it")
    hands.click_token(token)
    row = hands.run.trace.attention(0)[0, token]
    labels = focus_labels(hands.scene, text_width)
    assert labels
    assert {label.text for label, _ in labels} <= {f"{weight:.2f}" for weight in row}
    for label, dot in labels:
        assert (label.ink, label.colour, label.align) == ("ink", None, "left")
        assert dot.colour == head_colour(0, hands.scene.theme)
        assert dot.x + dot.radius < label.x


def test_a_number_is_that_of_the_strongest_arc_to_its_key_with_a_dot_of_that_arcs_head(hands: Hands) -> None:
    token = hands.position("it")
    hands.click_token(token)
    row = hands.run.trace.attention(0)[:, token]
    arcs = hands.scene.arcs
    labels = focus_labels(hands.scene, text_width)
    assert len({dot.colour for _, dot in labels}) > 1
    for label, dot in labels:
        middle = (dot.x - dot.radius + label.x + text_width(label.text, label.size, label.bold)) / 2
        key = min(hands.scene.tokens, key=lambda box: abs(box.middle - middle)).index
        head = max(arcs.head[(arcs.query == token) & (arcs.key == key)], key=lambda head: row[head, key])
        assert label.text == f"{row[head, key]:.2f}"
        assert dot.colour == head_colour(int(head), hands.scene.theme)


def test_a_pin_rebuilds_no_arcs(hands: Hands) -> None:
    arcs = hands.scene.arcs
    hands.click_token(3)
    assert hands.scene.focus == 3
    hands.key(Qt.Key.Key_Right)
    assert hands.scene.focus == 4
    hands.key(Qt.Key.Key_Escape)
    assert hands.scene.focus is None
    assert hands.scene.arcs is arcs


def test_a_pin_shows_in_picture_and_panel_and_leaves_no_trace(hands: Hands) -> None:
    before = hands.canvas.grab().toImage()
    hands.click_token(3)
    hands.point(hands.nowhere())
    assert hands.canvas.grab().toImage() != before
    assert panel_rows(hands) == strongest(hands, 3)
    hands.key(Qt.Key.Key_Escape)
    assert hands.canvas.grab().toImage() == before
    assert hands.reader.panel.title() == "Point at a token"


def pins(hands: Hands) -> list[int | None]:
    """What is pinned from now on, in order."""
    told: list[int | None] = []
    hands.canvas.tokenPinned.connect(told.append)
    return told


def test_a_double_click_on_a_token_pins_it_once(hands: Hands) -> None:
    told = pins(hands)
    hands.double_click(hands.canvas, hands.at_token(4))
    assert told == [4]
    assert hands.scene.focus == 4
    hands.click_token(6)
    assert hands.scene.focus == 6


def test_a_double_click_whose_end_another_window_took_leaves_the_next_click_alone(hands: Hands) -> None:
    hands.click_token(4)
    hands.qtbot.mouseDClick(hands.canvas, LEFT, NO_KEY, hands.at_token(4))  # no release after it
    hands.click_token(6)
    assert hands.scene.focus == 6


def test_a_double_click_with_the_other_button_does_nothing_and_the_next_click_counts(hands: Hands) -> None:
    hands.key("=", None, CTRL)
    hands.double_click(hands.canvas, hands.nowhere(), Qt.MouseButton.RightButton)
    assert hands.canvas.zoom == pytest.approx(1.25)
    hands.click_token(4)
    assert hands.scene.focus == 4


def test_a_click_on_an_arc_neither_pins_nor_unpins(hands: Hands) -> None:
    told = pins(hands)

    def click_an_arc() -> None:
        at = next(at for arc in reversed(range(len(hands.scene.arcs))) if is_arc(hands, at := hands.at_arc(arc)))
        hands.qtbot.mouseClick(hands.canvas, LEFT, NO_KEY, at)

    hands.key("0")
    click_an_arc()
    assert told == []
    hands.click_token(hands.position("street"))
    click_an_arc()
    assert told == [hands.position("street")]
    assert hands.scene.focus == hands.position("street")


def is_arc(hands: Hands, at: QPoint) -> bool:
    hands.point(at)
    return hands.canvas.hovered_arc is not None


def frame(hands: Hands) -> bool:
    """Whether a line in the accent colour runs round the picture."""
    image = hands.canvas.grab().toImage()
    middle = image.height() // 2
    edges = {image.pixelColor(x, middle).name() for x in (0, image.width() - 1)}
    return edges == {QColor(hands.scene.theme.accent).name()}


def test_only_who_comes_by_keys_sees_a_frame_round_the_picture(hands: Hands) -> None:
    hands.activate()
    hands.click_token(3)
    assert hands.window.focusWidget() is hands.canvas
    assert not frame(hands)
    before = hands.reader.bar.sinks
    before.setFocus()
    hands.qtbot.keyClick(before, Qt.Key.Key_Tab)
    assert hands.window.focusWidget() is hands.canvas
    assert frame(hands)
    before.setFocus()
    assert not frame(hands)


def test_the_frame_is_there_again_when_one_comes_back_from_another_window(hands: Hands) -> None:
    hands.activate()
    hands.canvas.setFocus(Qt.FocusReason.TabFocusReason)
    hands.canvas.clearFocus()
    hands.canvas.setFocus(Qt.FocusReason.ActiveWindowFocusReason)
    assert frame(hands)
    hands.canvas.clearFocus()
    hands.canvas.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not frame(hands)


def test_a_pin_stays_with_its_word_while_the_sentence_changes(hands: Hands) -> None:
    hands.click_token(hands.position("street"))
    hands.type("Slowly the animal crossed the street.")
    assert hands.scene.focus == hands.position("street")


def test_arrow_keys_walk_along_the_tokens_and_round(hands: Hands) -> None:
    visible = [box.index for box in hands.scene.tokens]
    for token in [*visible, visible[0]]:
        hands.key(Qt.Key.Key_Right)
        assert hands.scene.focus == token
    for token in reversed(visible):
        hands.key(Qt.Key.Key_Left)
        assert hands.scene.focus == token


def test_tab_walks_along_the_tokens_and_leaves_after_the_last(hands: Hands) -> None:
    visible = [box.index for box in hands.scene.tokens]
    hands.canvas.setFocus()
    for token in visible:
        hands.qtbot.keyClick(hands.canvas, Qt.Key.Key_Tab)
        assert hands.scene.focus == token
        assert hands.window.focusWidget() is hands.canvas
    hands.qtbot.keyClick(hands.canvas, Qt.Key.Key_Tab)
    assert hands.window.focusWidget() is not hands.canvas


def test_shift_tab_walks_back_and_leaves_before_the_first(hands: Hands) -> None:
    hands.click_token(2)
    hands.point(hands.nowhere())
    hands.canvas.setFocus()
    hands.qtbot.keyClick(hands.canvas, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert hands.scene.focus == 1
    hands.qtbot.keyClick(hands.canvas, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert hands.window.focusWidget() is not hands.canvas


def test_tab_goes_from_the_sentence_through_every_control_and_back(hands: Hands) -> None:
    reader = hands.reader
    hands.activate()
    reader.sentence.setFocus()
    met = set()
    for _ in range(80):
        widget = hands.window.focusWidget()
        met.add(widget)
        hands.qtbot.keyClick(widget, Qt.Key.Key_Tab)
        if hands.window.focusWidget() is reader.sentence:
            break
    assert hands.window.focusWidget() is reader.sentence
    controls = {reader.examples_button, reader.model_box, reader.layers, reader.head_counts, reader.canvas}
    controls |= {reader.threshold.kind_box, reader.threshold.slider, reader.chips.all_chip, reader.chips.mean_chip}
    controls |= {reader.pair_button, reader.bar.quantities, reader.bar.words, reader.bar.sinks, reader.bar.pictures["arcs"]}
    assert controls | {reader.chips.chip(head) for head in range(12)} <= met


# --- zoom and pan -----------------------------------------------------------------------------------------------------


def test_ctrl_and_wheel_zoom_about_the_pointer(hands: Hands) -> None:
    token = hands.position("street")
    at = hands.at_token(token)
    hands.wheel(hands.canvas, at, 3, CTRL)
    assert hands.canvas.zoom == pytest.approx(1.0015**360)
    assert (hands.at_token(token) - at).manhattanLength() <= 3
    hands.wheel(hands.canvas, at, -3, CTRL)
    assert hands.canvas.zoom == pytest.approx(1.0)
    assert (hands.at_token(token) - at).manhattanLength() <= 1


def test_zoom_has_bounds(hands: Hands) -> None:
    centre = hands.canvas.rect().center()
    hands.wheel(hands.canvas, centre, 100, CTRL)
    assert hands.canvas.zoom == 8.0
    hands.wheel(hands.canvas, centre, -200, CTRL)
    assert hands.canvas.zoom == 0.2
    hands.key("0", None, CTRL)
    assert hands.canvas.zoom == 1.0


def test_keys_zoom_and_fit(hands: Hands) -> None:
    hands.key("=", None, CTRL)
    assert hands.canvas.zoom == pytest.approx(1.25)
    hands.key("-", None, CTRL)
    assert hands.canvas.zoom == pytest.approx(1.0)
    assert hands.state.head_count is None  # Ctrl+- is not -
    hands.key("=", None, CTRL)
    hands.key("0", None, CTRL)
    assert hands.canvas.zoom == pytest.approx(1.0)


def test_a_drag_moves_the_picture_with_the_pointer_and_pins_nothing(hands: Hands) -> None:
    token = hands.position("street")
    hands.wheel(hands.canvas, hands.canvas.rect().center(), 5, CTRL)
    before = hands.at_token(token)
    start = hands.nowhere()
    hands.point(start)
    hands.drag(hands.canvas, start, start - QPoint(30, 20), start - QPoint(60, 40))
    assert hands.at_token(token) == before - QPoint(60, 40)
    assert hands.scene.focus is None


def test_a_picture_that_fits_does_not_move(hands: Hands) -> None:
    start = hands.nowhere()
    for zoom in (0, -3):  # life-size, then smaller
        hands.wheel(hands.canvas, hands.canvas.rect().center(), zoom, CTRL)
        place = hands.canvas.on_screen(0, 0)
        hands.drag(hands.canvas, start, start - QPoint(60, 40), start - QPoint(300, 200))
        hands.drag(hands.canvas, QPoint(3, 3), QPoint(300, 200))
        assert hands.canvas.on_screen(0, 0) == place


def test_a_drag_goes_to_the_pictures_ends_and_no_further(hands: Hands) -> None:
    hands.wheel(hands.canvas, hands.canvas.rect().center(), 5, CTRL)
    far = QPoint(9_000, 9_000)
    hands.drag(hands.canvas, QPoint(3, 3), QPoint(3, 3) + far)
    assert hands.canvas.on_screen(0, 0).toTuple() == pytest.approx((0, 0), abs=1e-6)
    hands.drag(hands.canvas, hands.nowhere(), hands.nowhere() - far)
    end = hands.canvas.on_screen(hands.scene.width, hands.scene.height).toTuple()
    assert end == pytest.approx((hands.canvas.width(), hands.canvas.height()), abs=1e-6)


def test_a_picture_that_a_zoom_put_out_of_sight_can_be_dragged_back(hands: Hands) -> None:
    hands.wheel(hands.canvas, QPoint(0, 0), -100, CTRL)
    assert hands.canvas.zoom == 0.2
    corner = hands.nowhere()
    hands.wheel(hands.canvas, corner, 5, CTRL)
    assert hands.canvas.on_screen(hands.scene.width, hands.scene.height).x() < 0
    hands.drag(hands.canvas, QPoint(3, 3), QPoint(9_000, 9_000))
    assert hands.canvas.on_screen(0, 0).toTuple() == pytest.approx((0, 0), abs=1e-6)


def test_a_drag_keeps_a_pin(hands: Hands) -> None:
    hands.click_token(3)
    start = hands.nowhere()
    hands.point(start)
    hands.key("=", None, CTRL)
    place = hands.canvas.on_screen(0, 0)
    hands.drag(hands.canvas, start, start - QPoint(60, 40))
    assert hands.canvas.on_screen(0, 0) != place
    assert hands.scene.focus == 3


def test_the_wheel_scrolls_a_tall_picture_to_its_ends_and_no_further(long_hands: Hands) -> None:
    hands = long_hands
    top = hands.canvas.on_screen(0, 0).y()
    hands.wheel(hands.canvas, hands.nowhere(), -1)
    assert hands.canvas.on_screen(0, 0).y() < top
    hands.wheel(hands.canvas, hands.nowhere(), -1_000)
    assert hands.canvas.on_screen(0, hands.scene.height).y() == pytest.approx(hands.canvas.height())
    hands.wheel(hands.canvas, hands.nowhere(), 1_000)
    assert hands.canvas.on_screen(0, 0).y() == pytest.approx(0)


def test_page_keys_scroll_a_tall_picture(long_hands: Hands) -> None:
    hands = long_hands
    hands.key(Qt.Key.Key_PageDown)
    assert hands.canvas.on_screen(0, 0).y() < 0
    hands.key(Qt.Key.Key_PageUp)
    assert hands.canvas.on_screen(0, 0).y() == pytest.approx(0)


def test_fit_shows_the_whole_of_a_tall_picture(long_hands: Hands) -> None:
    hands = long_hands
    hands.key("0", None, CTRL)
    assert hands.canvas.zoom < 1
    assert hands.canvas.on_screen(0, 0).y() >= -0.5
    assert hands.canvas.on_screen(0, hands.scene.height).y() <= hands.canvas.height() + 0.5


def test_a_double_click_beside_the_tokens_fits(hands: Hands) -> None:
    hands.key("=", None, CTRL)
    hands.point(hands.nowhere())
    hands.qtbot.mouseDClick(hands.canvas, LEFT, NO_KEY, hands.nowhere())
    assert hands.canvas.zoom == pytest.approx(1.0)


def test_tokens_and_arcs_are_found_right_when_zoomed_and_moved(hands: Hands) -> None:
    hands.key("0")
    hands.wheel(hands.canvas, hands.at_token(hands.position("cross")), 2, CTRL)
    start = hands.nowhere()
    hands.drag(hands.canvas, start, start - QPoint(37, 11))
    for word in ("cross", "the", "street"):
        token = hands.position(word)
        hands.point_token(token)
        assert hands.canvas.focus_token == token
    near = [a for a in range(len(hands.scene.arcs)) if hands.canvas.rect().contains(hands.at_arc(a))]
    at = hands.at_arc(near[-1])
    hands.point(at)
    corner = hands.canvas.on_screen(0, 0)
    x, y = (at.x() - corner.x()) / hands.canvas.zoom, (at.y() - corner.y()) / hands.canvas.zoom
    assert hands.canvas.hovered_arc == arc_under(hands.scene, x, y) is not None


def test_the_token_under_a_resting_pointer_follows_the_wheel(long_hands: Hands) -> None:
    hands = long_hands
    token = hands.scene.tokens[3].index
    at = hands.at_token(token)
    hands.point(at)
    assert hands.canvas.focus_token == token
    hands.wheel(hands.canvas, at, -1)  # 60 pixels: the row goes from under the pointer
    assert hands.canvas.focus_token != token


def test_a_click_after_the_wheel_pins_what_is_under_the_pointer_now(long_hands: Hands) -> None:
    hands = long_hands
    hands.point(hands.at_token(hands.scene.tokens[3].index))
    hands.wheel(hands.canvas, hands.nowhere(), -2)
    token = next(box.index for box in hands.scene.tokens if box.row == 2)
    hands.qtbot.mouseClick(hands.canvas, LEFT, NO_KEY, hands.at_token(token))
    assert hands.scene.focus == token


def test_a_token_pinned_by_keys_is_brought_into_sight(long_hands: Hands) -> None:
    hands = long_hands
    hands.key(Qt.Key.Key_Left)  # round to the last token, on the last row
    assert hands.scene.focus == hands.scene.tokens[-1].index
    assert hands.canvas.rect().contains(hands.at_token(hands.scene.tokens[-1].index))
    hands.key(Qt.Key.Key_Right)
    assert hands.canvas.rect().contains(hands.at_token(hands.scene.tokens[0].index))


def test_zoom_and_place_stay_while_heads_and_layers_change(hands: Hands) -> None:
    hands.key("=", None, CTRL)
    place = hands.canvas.on_screen(0, 0)
    hands.key("0")
    hands.key("]")
    hands.click_token(3)
    hands.click_stop(hands.reader.head_counts, 4)
    hands.key(Qt.Key.Key_Left, hands.reader.threshold.slider)
    hands.choose_menu("go_dark")
    assert hands.canvas.zoom == pytest.approx(1.25)
    assert hands.canvas.on_screen(0, 0) == place


def test_in_a_tall_picture_place_stays_while_its_height_changes(long_hands: Hands) -> None:
    hands = long_hands
    hands.wheel(hands.canvas, hands.nowhere(), -1)
    place, height = hands.canvas.on_screen(0, 0), hands.scene.height
    assert place.y() < 0
    hands.key("7")
    hands.click_stop(hands.reader.head_counts, 4)
    assert hands.scene.height != height
    assert hands.canvas.on_screen(0, 0) == place


def test_another_text_and_another_width_are_seen_from_the_start(hands: Hands) -> None:
    for change in (lambda: hands.type("Cats sleep."), lambda: hands.window.resize(1000, 700)):
        hands.key("=", None, CTRL)
        assert hands.canvas.zoom == pytest.approx(1.25)
        change()
        hands.settle()
        assert hands.canvas.zoom == 1.0
        assert hands.canvas.on_screen(0, 0).toTuple() == (0, 0)


def test_a_window_that_is_drawn_larger_is_laid_out_once_it_rests(hands: Hands) -> None:
    scene = hands.scene
    for width in range(1100, 900, -20):
        hands.window.resize(width, 700)
        assert hands.scene is scene
    hands.settle()
    assert hands.scene.width == hands.canvas.width()
    assert hands.scene.width < scene.width


def test_arcs_are_as_sharp_as_the_screen_that_the_window_is_moved_to(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    for ratio in (1.0, 2.0, 1.5):
        monkeypatch.setattr(hands.canvas, "devicePixelRatioF", lambda ratio=ratio: ratio)
        hands.canvas.repaint()
        image = hands.canvas._arcs.image
        assert image is not None
        assert image.devicePixelRatio() == ratio
        assert image.size() == hands.canvas.size() * ratio


def test_a_new_size_lays_the_picture_out_anew(hands: Hands) -> None:
    for width, height in ((900, 700), (760, 720), (1400, 900)):
        hands.window.resize(width, height)
        hands.until(lambda: hands.scene.width == hands.canvas.width())
        assert hands.scene.height >= hands.canvas.height()
        assert max(box.right for box in hands.scene.tokens) <= hands.scene.width
        assert min(box.left for box in hands.scene.tokens) >= 0


def test_a_picture_a_little_too_tall_is_set_smaller_until_its_foot_is_in_sight(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(
        "When the old lighthouse keeper finally decided to retire, the villagers who had depended on his light gathered on "
        "the cliffs and sang to him, although the wind was unbelievably strong."
    )
    hands.window.resize(1180, 760)
    hands.settle()
    assert hands.canvas.zoom < 1
    assert hands.canvas.zoom * hands.scene.height <= hands.canvas.height() + 1
    assert hands.canvas.zoom * hands.scene.width == pytest.approx(hands.canvas.width(), abs=1)
    assert hands.canvas.zoom * hands.scene.font_size >= 13


def test_in_a_narrow_window_the_sentence_breaks_into_rows_of_like_length_in_the_middle(
    open_reader: Callable[..., Hands],
) -> None:
    words = "The animal didn't cross the street because it was very tired and very hungry"
    hands = open_reader(f"{words}, and it went back into the wood.")
    hands.window.resize(1800, 800)
    hands.settle()
    assert {box.row for box in hands.scene.tokens} == {0}
    hands.window.resize(640, 600)
    hands.settle()
    boxes = hands.scene.tokens
    rows = [[box for box in boxes if box.row == row] for row in range(boxes[-1].row + 1)]
    assert len(rows) == 2
    assert hands.canvas.zoom * hands.scene.font_size >= 13
    starts, ends = [row[0].left for row in rows], [row[-1].right for row in rows]
    assert max(ends) <= hands.scene.width
    assert starts[0] == starts[1]
    assert starts[0] == pytest.approx(hands.scene.width - max(ends), abs=1)
    lengths = sorted(end - start for start, end in zip(starts, ends, strict=True))
    assert lengths[0] > 0.5 * lengths[1]  # filled to the full width, the last row would be a word or two

"""Heads muted and faded, weights set by hand: through the panels of the real window."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.session.view import Arc
from attnviz.ui.panels.bars import ROW
from tests.ui.hands import LEFT, NO_KEY

if TYPE_CHECKING:
    from attnviz.ui.panels.mixer import MixerRow
    from attnviz.ui.panels.pair_panel import PairPanel
    from attnviz.ui.panels.what_if_panel import WhatIfPanel
    from tests.ui.hands import Hands

L3H1 = HeadAt("encoder", 3, 1)


@pytest.fixture
def desk(hands: Hands) -> WhatIfPanel:
    """The panel of what-ifs on layer 3."""
    hands.key("i")
    hands.window.session.show(layer=3)
    hands.settle()
    panel = hands.reader.side.what_if
    assert panel.isVisible()
    return panel


def press(hands: Hands, row: MixerRow) -> None:
    hands.qtbot.mouseClick(row.mute, LEFT)
    hands.settle()


def fade(hands: Hands, row: MixerRow, strength: float) -> None:
    at = row.fader.at(strength).toPoint()
    hands.drag(row.fader, row.fader.at(1.0).toPoint(), at)
    hands.settle()


def pair_panel(hands: Hands) -> PairPanel:
    return hands.reader.side.pair


def test_muting_a_head_says_so_on_the_picture_and_what_it_did(hands: Hands, desk: WhatIfPanel) -> None:
    press(hands, desk.mixer.row(1))
    assert hands.state.changes == NOTHING.with_muted(L3H1, True)
    assert "What if L3.H1 were silent?" in hands.band()
    assert f"{hands.run.cosine_to_trained:.3f}" in desk.effect_line()
    most = desk.effect.bars()[0]
    now, before = (trace.hidden.astype(float) for trace in (hands.run.trace, hands.run.trained))
    cosines = (now * before).sum(1) / np.linalg.norm(now, axis=1) / np.linalg.norm(before, axis=1)
    assert (most.text, most.number, most.share) == (hands.run.trace.tokens[cosines.argmin()], f"{cosines.min():.3f}", 1.0)
    assert desk.changes.texts() == ["L3.H1 muted"]
    assert not desk.mixer.row(1).fader.isEnabled()


def test_the_picture_and_all_numbers_are_back_when_the_head_is_heard_again(hands: Hands, desk: WhatIfPanel) -> None:
    before = hands.run.trace
    picture = hands.canvas.grab().toImage()
    press(hands, desk.mixer.row(1))
    assert hands.run.trace is not before
    press(hands, desk.mixer.row(1))
    assert not hands.state.changes
    assert hands.run.trace is before
    hands.point(hands.nowhere())
    assert hands.canvas.grab().toImage() == picture
    assert not desk.effect.isVisible()


def test_a_fader_moves_the_strength_from_0_to_2_and_snaps_to_1(hands: Hands, desk: WhatIfPanel) -> None:
    row = desk.mixer.row(4)
    fade(hands, row, 2.0)
    assert hands.state.changes.strength(HeadAt("encoder", 3, 4)) == 2.0
    assert "L3.H4 wrote 2.00 times as much" in hands.band()
    fade(hands, row, 0.0)
    assert hands.state.changes.strength(HeadAt("encoder", 3, 4)) == 0.0
    hands.drag(row.fader, row.fader.at(0.0).toPoint(), row.fader.at(1.0).toPoint() + QPoint(3, 0))
    hands.settle()
    assert not hands.state.changes
    assert row.value.text() == "1.00"


def test_a_fader_answers_the_keyboard(hands: Hands, desk: WhatIfPanel) -> None:
    row = desk.mixer.row(2)
    head = HeadAt("encoder", 3, 2)
    for key, strength in ((Qt.Key.Key_Left, 0.95), (Qt.Key.Key_Home, 0.0), (Qt.Key.Key_End, 2.0), (Qt.Key.Key_Backspace, 1.0)):
        hands.key(key, row.fader)
        hands.settle()
        assert hands.state.changes.strength(head) == pytest.approx(strength)


def test_what_muting_means_is_chosen_once_for_all(hands: Hands, desk: WhatIfPanel) -> None:
    press(hands, desk.mixer.row(1))
    outputs = [hands.run.trace.hidden]
    for number, words in ((1, "looked at all tokens alike"), (2, "all attention as before")):
        desk.muting.setCurrentIndex(number)
        desk.muting.activated.emit(number)
        hands.settle()
        assert words in hands.band()
        outputs.append(hands.run.trace.hidden)
    assert not any(np.array_equal(a, b) for a, b in pairwise(outputs))
    assert np.array_equal(hands.run.trace.attention(5), hands.run.trained.attention(5))  # frozen


def test_each_change_has_a_line_that_takes_it_back(hands: Hands, desk: WhatIfPanel) -> None:
    press(hands, desk.mixer.row(1))
    fade(hands, desk.mixer.row(3), 0.0)
    assert desk.changes.texts() == ["L3.H1 muted", "L3.H3 \N{MULTIPLICATION SIGN} 0.00"]
    hands.qtbot.mouseClick(desk.changes.button(0), LEFT)
    hands.settle()
    assert desk.changes.texts() == ["L3.H3 \N{MULTIPLICATION SIGN} 0.00"]
    hands.qtbot.mouseClick(desk.reset, LEFT)
    hands.settle()
    assert not hands.state.changes
    assert hands.band() == ""


def test_x_mutes_the_shown_heads_and_hears_them_again(hands: Hands) -> None:
    hands.key("1")
    hands.key("x")
    hands.settle()
    assert hands.state.changes.muted == {HeadAt("encoder", 0, 1)}
    hands.key("x")
    hands.settle()
    assert not hands.state.changes


def test_changes_of_heads_go_with_their_head_count_and_come_back_by_undo(hands: Hands, desk: WhatIfPanel) -> None:
    press(hands, desk.mixer.row(1))
    hands.click_stop(hands.reader.head_counts, 4)
    assert not hands.state.changes
    hands.window.session.undo()
    hands.settle()
    assert hands.state.changes == NOTHING.with_muted(L3H1, True)
    assert hands.run.trace.head_count == 12


def test_typing_keeps_muted_heads_and_lets_go_of_weights(hands: Hands) -> None:
    hands.window.session.ask(changes=NOTHING.with_muted(L3H1, True).with_weight(WeightAt("encoder", 3, 2, 1, 2), 0.5))
    hands.settle()
    hands.type("The animal was tired.")
    assert hands.state.changes == NOTHING.with_muted(L3H1, True)
    assert "L3.H1 were silent" in hands.band()


def test_an_effect_that_has_no_room_for_its_rows_is_told_in_a_line(hands: Hands, desk: WhatIfPanel) -> None:
    press(hands, desk.mixer.row(1))
    assert desk.effect_line().endswith("most turned:")
    hands.window.resize(900, 560)
    hands.until(lambda: desk.height() < 270)
    assert not desk.effect.isVisible()
    assert not desk.effect_line().endswith(":")


def test_a_fader_whose_head_is_muted_under_the_pointer_lets_go(hands: Hands, desk: WhatIfPanel) -> None:
    row = desk.mixer.row(2)
    hands.qtbot.mousePress(row.fader, LEFT, NO_KEY, row.fader.at(0.5).toPoint())
    hands.settle()
    hands.window.session.ask(changes=hands.state.changes.with_muted(HeadAt("encoder", 3, 2), True))
    hands.settle()
    hands.window.session.ask(changes=NOTHING)
    hands.settle()
    assert row.fader.value() == 1.0


def test_a_click_on_a_name_shows_that_head_alone(hands: Hands, desk: WhatIfPanel) -> None:
    hands.qtbot.mouseClick(desk.mixer.row(7)._name, LEFT)
    assert hands.state.view.shown_heads(12) == {7}


# --- a pair of tokens -------------------------------------------------------------------------------------------------


def draw(hands: Hands, query: str, key: str) -> None:
    """Draw an arc from one token to another."""
    hands.drag(hands.canvas, hands.at_token(hands.position(query)), QPoint(5, 5), hands.at_token(hands.position(key)))
    hands.settle()


def test_an_arc_that_is_drawn_finds_the_heads_that_have_it(hands: Hands) -> None:
    draw(hands, "it", "animal")
    assert hands.state.view.arc == Arc(hands.position("it"), hands.position("animal"))
    panel = pair_panel(hands)
    assert panel.isVisible()
    assert panel.title() == "it \N{RIGHTWARDS ARROW} animal"
    best = panel.found()[0]
    assert (best.layer, best.head, round(best.weight, 2)) == (3, 1, 0.70)
    first = panel.heads.bars()[0]
    assert (first.text, first.number) == ("L3.H1", "0.70")


def test_a_click_on_an_arc_chooses_its_pair(hands: Hands) -> None:
    arcs = hands.scene.arcs
    arc = len(arcs) - 1
    hands.point(hands.at_arc(arc))
    hands.qtbot.mouseClick(hands.canvas, LEFT, NO_KEY, hands.at_arc(arc))
    assert hands.state.view.arc is not None
    assert hands.state.view.arc == Arc(int(arcs.query[arc]), int(arcs.key[arc]))


def test_a_row_of_the_token_in_focus_chooses_its_pair(hands: Hands) -> None:
    hands.window.session.show(layer=3)
    hands.click_token(hands.position("it"))
    panel = hands.reader.panel
    row = [bar.text for bar in panel.looks_at.bars()].index("animal")
    hands.qtbot.mouseClick(panel.looks_at, LEFT, NO_KEY, QPoint(20, ROW * row + 5))
    assert hands.state.view.arc == Arc(hands.position("it"), hands.position("animal"))
    hands.key(Qt.Key.Key_Escape)
    texts = [bar.text for bar in panel.looked_at_by.bars()]
    hands.qtbot.mouseClick(panel.looked_at_by, LEFT, NO_KEY, QPoint(20, ROW * texts.index("tired") + 5))
    assert hands.state.view.arc == Arc(hands.position("tired"), hands.position("it"))


def test_a_click_on_a_found_head_shows_it(hands: Hands) -> None:
    draw(hands, "it", "animal")
    panel = pair_panel(hands)
    hands.qtbot.mouseClick(panel.heads, LEFT, NO_KEY, QPoint(20, 11))
    hands.settle()
    assert hands.state.view.layer == 3
    assert hands.state.view.shown_heads(12) == {1}
    assert panel.heads.bars()[0].note == "shown"


def test_the_weight_of_a_pair_can_be_set_and_given_back(hands: Hands) -> None:
    draw(hands, "it", "animal")
    panel = pair_panel(hands)
    assert not panel.weight.isVisible()  # of which head?
    assert "shows it alone" in panel.hint()
    hands.qtbot.mouseClick(panel.heads, LEFT, NO_KEY, QPoint(20, 11))
    hands.settle()
    before = hands.run.trace
    assert panel.weight.value() == pytest.approx(0.6953, abs=1e-4)
    hands.drag(panel.weight, panel.weight.at(0.7).toPoint(), panel.weight.at(0.1).toPoint())
    hands.settle()
    at = WeightAt("encoder", 3, 1, hands.position("it"), hands.position("animal"))
    weight = hands.state.changes.weight(at)
    assert weight == pytest.approx(0.1, abs=0.02)
    row = hands.run.trace.attention(3)[1, at.query]
    assert row[at.key] == pytest.approx(weight, abs=1e-6)
    assert row.sum() == pytest.approx(1.0, abs=1e-6)
    assert "looked at" in hands.band()
    assert panel.found()[0].layer == 5  # another head has the most of it now
    hands.qtbot.mouseClick(panel.give_back, LEFT)
    hands.settle()
    assert not hands.state.changes
    assert hands.run.trace is before


def test_escape_lets_go_of_the_pair_first_and_then_of_the_token(hands: Hands) -> None:
    hands.click_token(hands.position("street"))
    draw(hands, "it", "animal")
    hands.key(Qt.Key.Key_Escape)
    assert (hands.state.view.arc, hands.state.view.focus) == (None, hands.position("street"))
    hands.key(Qt.Key.Key_Escape)
    assert hands.state.view.focus is None


def test_a_pull_that_ends_nowhere_chooses_nothing(hands: Hands) -> None:
    hands.drag(hands.canvas, hands.at_token(hands.position("it")), QPoint(40, 40), hands.nowhere())
    assert hands.state.view.arc is None
    assert hands.state.view.focus is None


def test_another_text_lets_go_of_the_pair(hands: Hands) -> None:
    draw(hands, "it", "animal")
    hands.type("A dog")
    assert hands.state.view.arc is None
    assert hands.reader.panel.isVisible()


def test_whole_words_have_no_single_weight_to_set(hands: Hands) -> None:
    hands.key("w")
    hands.key("1")
    hands.settle()
    draw_words = [box.index for box in hands.scene.tokens]
    place = next(at for at in draw_words if hands.scene.token_at(at).text == "didn't")
    hands.drag(hands.canvas, hands.at_token(place), QPoint(5, 5), hands.at_token(hands.position("animal")))
    hands.settle()
    panel = pair_panel(hands)
    assert panel.title() == "didn't \N{RIGHTWARDS ARROW} animal"
    assert "words of several" in panel.hint()

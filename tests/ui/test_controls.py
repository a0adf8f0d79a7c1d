"""Layer, head count, heads, threshold, special tokens: by pointer and by keys."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from attnviz.paint.fonts import text_width
from attnviz.session.run import Runner
from attnviz.session.view import HeadChoice
from tests.ui.hands import LEFT, NO_KEY, Hands

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.scene.scene import Scene

COUNTS = (1, 2, 3, 4, 6, 12, 24, 48)
WHAT_IFS = tuple(count for count in COUNTS if count != 12)


def same_picture(a: Scene, b: Scene) -> bool:
    fields = ("head", "query", "key", "weight", "opacity", "width", "colour", "curve")
    arrays = all(np.array_equal(getattr(a.arcs, name), getattr(b.arcs, name)) for name in fields)
    return arrays and (a.tokens, a.labels, a.bands, a.focus, a.arcs.colours) == (
        b.tokens,
        b.labels,
        b.bands,
        b.focus,
        b.arcs.colours,
    )


def drawn_weights_are_the_traces(hands: Hands) -> bool:
    arcs = hands.scene.arcs
    return np.array_equal(arcs.weight, hands.run.trace.attention(hands.state.view.layer)[arcs.head, arcs.query, arcs.key])


# --- layer ------------------------------------------------------------------------------------------------------------


def test_a_click_on_a_layer_shows_it(hands: Hands) -> None:
    for layer in (3, 1, 5, 2, 4, 0):
        hands.click_stop(hands.reader.layers, layer)
        assert hands.state.view.layer == layer
        assert drawn_weights_are_the_traces(hands)


def test_the_layer_slider_follows_a_drag(hands: Hands) -> None:
    slider = hands.reader.layers
    passed: list[int] = []
    hands.window.session.subscribe(lambda old, new: passed.append(new.view.layer))
    hands.drag(slider, *(hands.at_stop(slider, stop) for stop in (0, 2, 4, 5, 3)))
    assert passed == [2, 4, 5, 3]
    assert slider.stop() == hands.state.view.layer == 3


def test_the_wheel_over_the_layer_slider_steps_it_and_stops_at_its_ends(hands: Hands) -> None:
    slider = hands.reader.layers
    for expected in (1, 2, 3, 4, 5, 5):
        hands.wheel(slider, slider.rect().center(), 1)
        assert hands.state.view.layer == expected
    for expected in (4, 3, 2, 1, 0, 0):
        hands.wheel(slider, slider.rect().center(), -1)
        assert hands.state.view.layer == expected


def test_a_touchpad_steps_a_slider_once_a_notch_and_sideways_not_at_all(hands: Hands) -> None:
    slider = hands.reader.layers
    centre = slider.rect().center()
    steps = []
    for _ in range(8):
        hands.turn(slider, centre, QPoint(0, 30))
        steps.append(hands.state.view.layer)
    assert steps == [0, 0, 0, 1, 1, 1, 1, 2]
    for sideways in (120, -120, 480):
        hands.turn(slider, centre, QPoint(sideways, 0))
    assert hands.state.view.layer == 2
    hands.turn(slider, centre, QPoint(0, -240))
    assert hands.state.view.layer == 0


@pytest.mark.parametrize(("back", "forth"), [(Qt.Key.Key_Left, Qt.Key.Key_Right), (Qt.Key.Key_Down, Qt.Key.Key_Up)])
def test_arrow_keys_on_the_layer_slider_step_it_and_no_token(hands: Hands, back: Qt.Key, forth: Qt.Key) -> None:
    slider = hands.reader.layers
    for expected in (1, 2, 3):
        hands.key(forth, slider)
        assert hands.state.view.layer == expected
    hands.key(back, slider)
    assert hands.state.view.layer == 2
    assert hands.state.view.focus is None


def test_home_and_end_on_the_layer_slider_reach_its_ends(hands: Hands) -> None:
    hands.key(Qt.Key.Key_End, hands.reader.layers)
    assert hands.state.view.layer == 5
    hands.key(Qt.Key.Key_Home, hands.reader.layers)
    assert hands.state.view.layer == 0


def test_brackets_step_the_layer_from_anywhere_but_the_sentence(hands: Hands) -> None:
    for expected in (1, 2, 3, 4, 5, 5):
        hands.key("]", hands.reader.chips.chip(0))
        assert hands.state.view.layer == hands.reader.layers.stop() == expected
    for expected in (4, 3, 2, 1, 0, 0):
        hands.key("[")
        assert hands.state.view.layer == hands.reader.layers.stop() == expected


# --- head count -------------------------------------------------------------------------------------------------------


def test_the_head_count_goes_through_all_stops_by_keys(hands: Hands) -> None:
    slider = hands.reader.head_counts
    for count in reversed(COUNTS[:5]):
        hands.key("-")
        hands.settle()
        assert slider.stop() == hands.run.trace.head_count == count
    for count in COUNTS[1:]:
        hands.key("+")
        hands.settle()
        assert slider.stop() == hands.run.trace.head_count == count
    hands.key("T")
    hands.settle()
    assert slider.stop() == hands.run.trace.head_count == 12
    assert hands.state.head_count is None


def test_arrow_keys_on_the_head_count_step_it(hands: Hands) -> None:
    slider = hands.reader.head_counts
    for count in (6, 4):
        hands.key(Qt.Key.Key_Left, slider)
        hands.settle()
        assert hands.run.trace.head_count == count
    hands.key(Qt.Key.Key_Right, slider)
    hands.settle()
    assert hands.run.trace.head_count == 6


def test_equals_is_as_good_as_plus(hands: Hands) -> None:
    hands.key("=")
    hands.settle()
    assert hands.run.trace.head_count == 24


def test_a_what_if_says_so_on_the_picture_with_what_it_did(hands: Hands) -> None:
    for count in WHAT_IFS:
        hands.click_stop(hands.reader.head_counts, count)
        assert hands.run.trace.head_count == count
        cosine = Runner().run(hands.run.request).cosine_to_trained
        heads = "1 head" if count == 1 else f"{count} heads"
        what_if = f"What if this model had {heads}? It was trained with 12; its output vectors "
        assert hands.band() == what_if + f"now have a cosine of {cosine:.2f} to the trained ones."
        assert hands.scene.bands[0].top == 0
        assert drawn_weights_are_the_traces(hands)


def test_the_known_figure_of_four_heads_stands_on_the_picture(hands: Hands) -> None:
    hands.click_stop(hands.reader.head_counts, 4)
    assert "cosine of 0.76 to the trained" in hands.band()


def test_as_trained_there_is_no_what_if_and_the_picture_is_the_one_before(hands: Hands) -> None:
    before = hands.scene
    hands.click_stop(hands.reader.head_counts, 4)
    assert not same_picture(before, hands.scene)
    hands.click_stop(hands.reader.head_counts, 12)
    assert hands.band() == ""
    assert same_picture(before, hands.scene)


def test_the_head_count_shows_pictures_along_a_drag_and_ends_with_the_last(hands: Hands) -> None:
    slider = hands.reader.head_counts
    shown: list[int] = []
    hands.window.session.subscribe(lambda old, new: shown.append(new.run.trace.head_count) if new.run is not old.run else None)
    hands.drag(slider, *(hands.at_stop(slider, stop) for stop in (12, 6, 4, 3, 2, 1, 2, 3)))
    hands.settle()
    assert slider.stop() == hands.run.trace.head_count == 3
    assert shown[-1] == 3
    assert not slider.isSliderDown()


def test_the_slider_stays_under_the_pointer_while_older_pictures_arrive(hands: Hands) -> None:
    slider = hands.reader.head_counts
    hands.qtbot.mousePress(slider, LEFT, NO_KEY, hands.at_stop(slider, 6))
    hands.settle()
    hands.qtbot.mouseMove(slider, hands.at_stop(slider, 2))
    hands.settle()
    assert slider.stop() == hands.run.trace.head_count == 2
    hands.qtbot.mouseRelease(slider, LEFT, NO_KEY, hands.at_stop(slider, 2))
    assert slider.stop() == 2


def test_the_number_of_chips_follows_the_head_count(hands: Hands) -> None:
    for count in (4, 24, 12):
        hands.click_stop(hands.reader.head_counts, count)
        chips = [chip for chip in hands.reader.chips._chips if chip.isVisible()]
        assert [chip.text() for chip in chips] == [f"H{head}" for head in range(count)]


def test_a_chip_says_which_trained_heads_it_holds(hands: Hands) -> None:
    for count, head, says in (
        (12, 3, "Head 3: "),
        (4, 0, "Head 0, the trained heads 0 to 2 as one: "),
        (4, 3, "Head 3, the trained heads 9 to 11 as one: "),
        (24, 5, "Head 5, a part of the trained head 2: "),
        (12, 3, "Head 3: "),
    ):
        hands.click_stop(hands.reader.head_counts, count)
        assert hands.reader.chips.chip(head).toolTip().startswith(says)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("by", ["key", "pointer"])
def test_a_head_count_asked_for_beside_a_text_that_cannot_be_read_goes_back(hands: Hands, by: str, closed: bool) -> None:
    slider = hands.reader.head_counts
    hands.type(" ")
    if closed:
        hands.qtbot.mouseClick(hands.reader.notice._close, LEFT)
    if by == "key":
        hands.key("-")
    else:
        hands.qtbot.mouseClick(slider, LEFT, NO_KEY, hands.at_stop(slider, 4))
    assert (slider.stop(), hands.state.head_count, hands.run.trace.head_count) == (12, None, 12)
    assert "no visible character" in hands.reader.notice.text()
    hands.type("Cats sleep.")
    assert (slider.stop(), hands.run.trace.head_count) == (12, 12)


def test_no_chip_lies_over_another_or_outside(hands: Hands) -> None:
    chips = hands.reader.chips
    for count in COUNTS:
        hands.click_stop(hands.reader.head_counts, count)
        boxes = [chip.geometry() for chip in (chips.all_chip, *chips._chips)]
        assert all(chips.rect().contains(box) for box in boxes)
        assert not any(a.intersects(b) for a, b in pairwise(boxes))


def test_arcs_glide_to_their_new_places_when_the_head_count_changes(open_reader: Callable[..., Hands]) -> None:
    hands = open_reader(still=False)
    hands.click_stop(hands.reader.head_counts, 6)
    assert hands.canvas._glide is not None
    hands.until(lambda: hands.canvas._glide is None)
    assert drawn_weights_are_the_traces(hands)


def test_with_reduced_motion_arcs_jump(hands: Hands) -> None:
    hands.click_stop(hands.reader.head_counts, 6)
    assert hands.canvas._glide is None


# --- heads ------------------------------------------------------------------------------------------------------------


def heads_drawn(hands: Hands) -> set[int]:
    return set(hands.scene.arcs.head.tolist())


def test_a_click_on_a_chip_hides_its_head_and_another_brings_it_back(hands: Hands) -> None:
    chip = hands.reader.chips.chip(5)
    hands.qtbot.mouseClick(chip, LEFT)
    assert heads_drawn(hands) == set(range(12)) - {5}
    assert not chip.isChecked()
    hands.qtbot.mouseClick(chip, LEFT)
    assert heads_drawn(hands) == set(range(12))
    assert hands.state.view.heads is None


def test_a_double_click_on_a_chip_shows_its_head_alone(hands: Hands) -> None:
    chip = hands.reader.chips.chip(7)
    hands.qtbot.mouseClick(chip, LEFT)
    hands.qtbot.mouseDClick(chip, LEFT)
    assert heads_drawn(hands) == {7}
    assert [c.head for c in hands.reader.chips._chips if c.isChecked()] == [7]


def test_all_heads_brings_all_back(hands: Hands) -> None:
    hands.qtbot.mouseDClick(hands.reader.chips.chip(7), LEFT)
    hands.qtbot.mouseClick(hands.reader.chips.all_chip, LEFT)
    assert heads_drawn(hands) == set(range(12))
    hands.key("3")
    hands.key("A")
    assert heads_drawn(hands) == set(range(12))


def test_a_digit_shows_its_head_alone_and_again_all(hands: Hands) -> None:
    for digit in range(10):
        hands.key(str(digit))
        assert heads_drawn(hands) == {digit}
        hands.key(str(digit))
        assert heads_drawn(hands) == set(range(12))


def test_a_digit_beyond_the_heads_does_nothing(hands: Hands) -> None:
    hands.click_stop(hands.reader.head_counts, 4)
    hands.key("5")
    assert heads_drawn(hands) == {0, 1, 2, 3}


def test_without_a_head_the_picture_says_that_nothing_is_drawn(hands: Hands) -> None:
    hands.key("0")
    hands.qtbot.mouseClick(hands.reader.chips.chip(0), LEFT)
    assert len(hands.scene.arcs) == 0
    assert "nothing is drawn: no head or no token is shown" in hands.sentences()
    assert hands.words()[0] == "The"


def test_a_chosen_head_survives_a_what_if(hands: Hands) -> None:
    hands.key("5")
    hands.click_stop(hands.reader.head_counts, 6)
    assert heads_drawn(hands) == {2}
    hands.click_stop(hands.reader.head_counts, 12)
    assert hands.state.view.heads == HeadChoice(frozenset({5}), 12)
    assert heads_drawn(hands) == {5}


# --- threshold and special tokens -------------------------------------------------------------------------------------


def test_the_threshold_slider_draws_fewer_or_more_arcs(hands: Hands) -> None:
    slider = hands.reader.threshold.slider
    at_70 = len(hands.scene.arcs)
    slider.setFocus()
    hands.key(Qt.Key.Key_Home, slider)
    assert hands.state.view.threshold.value == 0.01
    fewest = len(hands.scene.arcs)
    hands.key(Qt.Key.Key_End, slider)
    assert len(hands.scene.arcs) == 12 * 13 * 13 > at_70 > fewest > 0
    assert any("the strongest 100 % of each token's visible attention" in line for line in hands.sentences())


def test_arrow_keys_on_the_threshold_step_it_and_no_token(hands: Hands) -> None:
    slider = hands.reader.threshold.slider
    hands.key(Qt.Key.Key_Left, slider)
    assert slider.value() == 69
    assert hands.state.view.threshold.value == 0.69
    assert hands.state.view.focus is None


def test_the_threshold_follows_the_pointer(hands: Hands) -> None:
    slider = hands.reader.threshold.slider
    handle = QPoint(round(slider.width() * 0.69), slider.height() // 2)
    hands.drag(slider, handle, handle - QPoint(20, 0), handle - QPoint(40, 0))
    assert slider.value() < 50
    assert hands.state.view.threshold.value == slider.value() / 100


def test_the_other_rule_draws_the_weights_from_its_value(hands: Hands) -> None:
    box = hands.reader.threshold.kind_box
    hands.key(Qt.Key.Key_Down, box)
    assert hands.state.view.threshold.kind == "weight"
    assert hands.scene.arcs.weight.min() >= 0.10
    assert any("weights from 0.10" in line for line in hands.sentences())
    hands.key(Qt.Key.Key_Up, box)
    assert (hands.state.view.threshold.kind, hands.state.view.threshold.value) == ("mass", 0.7)


def hidden_share(hands: Hands) -> float:
    """The mean share of a visible token's attention that falls on [CLS] and [SEP]."""
    attention = hands.run.trace.attention(hands.state.view.layer).astype(np.float64)
    return attention[:, 1:-1, [0, -1]].sum(axis=2).mean()


def test_the_note_carries_the_measured_share_of_the_hidden_tokens(hands: Hands) -> None:
    for _ in range(6):
        note = next(line for line in hands.sentences() if line.startswith("hidden: [CLS] [SEP], "))
        shares = [int(share) for share in re.findall(r"(\d+) %", note)]  # hidden, drawn, not drawn
        assert shares[0] == round(100 * hidden_share(hands))
        assert len(shares) == 3
        assert sum(shares) == 100
        hands.key("]")


def test_the_box_of_the_sinks_and_the_key_show_and_hide_the_special_tokens(hands: Hands) -> None:
    box = hands.reader.bar.sinks.boxes["special"]
    hands.qtbot.mouseClick(hands.reader.bar.sinks, LEFT)
    action = hands.window.actions_by_slot["toggle_specials"]
    assert "[CLS]" not in hands.words()
    hands.qtbot.mouseClick(box, LEFT, NO_KEY, QPoint(8, box.height() // 2))
    assert hands.words()[0] == "[CLS]"
    assert hands.words()[-1] == "[SEP]"
    assert not any("hidden:" in line for line in hands.sentences())
    assert (box.isChecked(), action.isChecked()) == (False, False)
    hands.reader.bar.sinks.popup.close()
    hands.key("S")
    assert "[CLS]" not in hands.words()
    assert (box.isChecked(), action.isChecked()) == (True, True)


@pytest.mark.parametrize("width", [110, 160, 240, 600])
@pytest.mark.parametrize("stops", [(1, 2, 4, 8, 16, 32), tuple(range(32)), (1, 2, 3, 4, 6, 12, 24, 48)])
def test_numbers_of_a_slider_never_run_into_each_other(hands: Hands, stops: tuple[int, ...], width: int) -> None:
    slider = hands.reader.head_counts
    slider.resize(width, 44)
    for chosen in (stops[0], stops[-2], stops[-1]):
        slider.set_stops(stops, chosen, marked=stops[-1])
        labels = slider.labels()
        assert stops.index(chosen) in {place for place, _ in labels}
        ends = [(left, left + text_width(str(stops[place]), 12, stops[place] == chosen)) for place, left in labels]
        assert all(end < start for (_, end), (start, _) in pairwise(ends))

"""What was measured, on the screen: atlas, scores and evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QRectF, Qt

from attnviz.paint.fonts import text_width
from attnviz.scene.atlas.choice import IMPORTANCE, ROLE
from attnviz.ui.pictures.tips import tip_beside
from attnviz.ui.roles import atlas_view
from attnviz.ui.roles.atlas_page import _first_head
from attnviz.ui.roles.head_scores import HeadScores
from tests.probing.made_up import made_up_roles
from tests.ui.hands import CTRL, LEFT, NO_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.probing.evidence import Evidence, Shown
    from attnviz.probing.roles import HeadRoles
    from tests.ui.roles.roles_hands import PageHands

DETERMINER, NOTHING = (0, 1), (0, 2)


def sentences_opened(hands: PageHands) -> list[str]:
    """The sentences that are asked to be read from now on, without their blanks."""
    opened: list[str] = []

    def note(evidence: Evidence, shown: Shown) -> None:
        assert shown in (*evidence.best, *evidence.worst)
        opened.append("".join(shown.units))

    hands.page.sentenceOpened.connect(note)
    return opened


def sentence(hands: PageHands, number: int) -> str:
    return "".join(hands.page.panel.picture.scene.sentences[number].shown.units)


def test_the_head_with_the_clearest_job_is_chosen_at_first(page_hands: PageHands, once_measured: tuple[HeadRoles, Path]) -> None:
    roles, head = once_measured[0], page_hands.page.head
    every = [role for layer in range(2) for at in range(4) for role in roles.roles(layer, at)]
    assert roles.roles(*head)[0].above == max(role.above for role in every if role.measure.group != "rest")
    assert page_hands.atlas.selected == head


def test_a_model_without_any_role_begins_with_its_first_head(once_measured: tuple[HeadRoles, Path]) -> None:
    roles, _ = once_measured
    assert _first_head(made_up_roles(3, 4, with_roles=False), None) == (0, 0)
    assert _first_head(roles, (1, 2)) == (1, 2)
    assert _first_head(roles, (7, 2)) == _first_head(roles, None)


def test_a_click_on_a_head_shows_its_scores_and_its_evidence(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    panel = page_hands.page.panel
    assert panel.title() == "L0.H1"
    assert page_hands.rows()[0] == "determiner → noun"
    assert panel.scores.said() == ""
    evidence = panel.evidence
    assert (evidence.layer, evidence.head, evidence.measured.measure.key) == (0, 1, "det>")
    assert sentence(page_hands, 0).startswith("The")
    assert panel.measure_box.key() == "det>"
    assert [row.isChecked() for row in panel.scores.rows()] == [True] + [False] * (len(page_hands.rows()) - 1)
    assert panel.scores.importance().startswith("Importance 0.")
    assert panel.scores.importance_sentence().startswith("Muted, it turns the output by ")
    assert {"L0", "H1"} <= {label.text for label in page_hands.atlas.labels if label.bold}


def test_a_head_without_a_role_says_so_and_what_it_comes_closest_to(page_hands: PageHands) -> None:
    page_hands.click_head(*NOTHING)
    panel = page_hands.page.panel
    assert panel.scores.said().startswith("No role found")
    rows = panel.scores.rows()
    assert len(rows) == 3
    assert all(row.line.needs is not None and row.line.score < row.line.needs for row in rows)
    assert rows[0].note().startswith("needs ")
    assert panel.measure_box.key() == rows[0].line.key
    assert page_hands.atlas.cell(*NOTHING).group is None


def test_a_score_that_is_clicked_is_shown_by_its_sentences(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    panel = page_hands.page.panel
    row = panel.scores.rows()[1]
    page_hands.qtbot.mouseClick(row, LEFT)
    page_hands.settle()
    assert panel.evidence.measured.measure.key == row.line.key
    assert panel.measure_box.key() == row.line.key
    assert row.isChecked()


def test_any_measure_that_has_cases_can_be_asked_for_evidence(page_hands: PageHands, once_measured: tuple[HeadRoles, Path]) -> None:
    page_hands.click_head(*DETERMINER)
    panel = page_hands.page.panel
    assert sorted(panel.measure_box.keys()) == sorted(one.measure.key for one in once_measured[0].measured if one.n_case)
    page_hands.pick(panel.measure_box, "obj>")
    assert panel.evidence.measured.measure.key == "obj>"
    assert not any(row.isChecked() for row in panel.scores.rows())


def test_headings_among_the_measures_cannot_be_chosen(page_hands: PageHands) -> None:
    box = page_hands.page.controls.colour_box
    headings = [row for row in range(box.count()) if box.itemData(row) is None]
    assert [box.itemText(row) for row in headings][:2] == ["Position", "Grammar and meaning"]
    assert not any(box.model().item(row).isEnabled() for row in headings)
    picked: list[str] = []
    box.keyPicked.connect(picked.append)
    box.activated.emit(headings[0])
    assert picked == []


def test_keys_walk_through_the_atlas_and_enter_opens_the_head(page_hands: PageHands) -> None:
    page, atlas, opened = page_hands.page, page_hands.page.atlas, []
    page.headOpened.connect(lambda *head: opened.append(head))
    page.choose_head(0, 0)
    for key, keys, head in (
        (Qt.Key.Key_Right, NO_KEY, (0, 1)),
        (Qt.Key.Key_Down, NO_KEY, (1, 1)),
        (Qt.Key.Key_Left, NO_KEY, (1, 0)),
        (Qt.Key.Key_Left, NO_KEY, (1, 0)),
        (Qt.Key.Key_End, NO_KEY, (1, 3)),
        (Qt.Key.Key_Home, CTRL, (0, 0)),
        (Qt.Key.Key_End, CTRL, (1, 3)),
        (Qt.Key.Key_Up, NO_KEY, (0, 3)),
    ):
        page_hands.qtbot.keyClick(atlas, key, keys)
        assert page.head == head
        assert page_hands.atlas.selected == head
    page_hands.settle()
    assert atlas.accessibleDescription().startswith("L0.H3")
    page_hands.qtbot.keyClick(atlas, Qt.Key.Key_Return)
    page_hands.double_click(atlas, page_hands.at_head(1, 2))
    page_hands.qtbot.mouseClick(page.panel.open_button, LEFT)
    assert opened == [(0, 3), (1, 2), (1, 2)]


def test_the_pointer_is_told_what_a_head_does(page_hands: PageHands) -> None:
    atlas = page_hands.page.atlas
    page_hands.point(page_hands.at_head(*DETERMINER), atlas)
    assert atlas.hovered == DETERMINER
    assert atlas.cursor().shape() == Qt.CursorShape.PointingHandCursor
    with_tip = atlas.grab().toImage()
    page_hands.point(QPoint(2, 2), atlas)
    assert atlas.hovered is None
    assert atlas.grab().toImage() != with_tip


def test_nothing_is_told_over_the_selected_head_and_never_over_the_one_that_is_told_of(
    page_hands: PageHands, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[QRectF] = []
    paint_tip = atlas_view.paint_tip

    def note(*rest: object, beside: QRectF, **how: object) -> None:
        told.append(beside)
        paint_tip(*rest, beside=beside, **how)

    monkeypatch.setattr(atlas_view, "paint_tip", note)
    atlas = page_hands.page.atlas
    page_hands.click_head(*DETERMINER)
    atlas.grab()
    assert told == []
    page_hands.point(page_hands.at_head(*NOTHING), atlas)
    quiet = atlas.grab().toImage()
    assert told[-1].contains(page_hands.at_head(*NOTHING).toPointF())
    monkeypatch.setattr(atlas_view, "paint_tip", lambda *rest, **how: None)
    assert atlas.grab(told[-1].toAlignedRect()).toImage() == quiet.copy(told[-1].toAlignedRect())


@given(
    left=st.floats(0, 700),
    top=st.floats(0, 500),
    size=st.floats(4, 90),
    width=st.floats(40, 300),
    height=st.floats(26, 150),
)
def test_a_label_beside_a_head_is_never_over_it(left: float, top: float, size: float, width: float, height: float) -> None:
    place = QRectF(left, top, size, size)
    x, y = tip_beside(place, width, height, 800.0, 600.0)
    assert not QRectF(x, y, width, height).intersects(place)
    assert y >= 0
    assert y + height <= 600 or y == top  # at its side


def test_the_places_of_a_heads_importance_are_those_among_all_and_in_its_layer(page_hands: PageHands) -> None:
    roles = made_up_roles(3, 4)
    scores = HeadScores(page_hands.appearance)
    for layer in range(3):
        for head in range(4):
            scores.show_head(roles, layer, head)
            every, own = roles.importance.score, roles.importance.score[layer]
            place = sorted(every.ravel().tolist(), reverse=True).index(every[layer, head]) + 1
            beside = sorted(own.tolist(), reverse=True).index(own[head]) + 1
            assert scores.importance() == f"Importance {own[head]:.4f}: place {place} of 12, {beside} of 4 in its layer"
    scores.deleteLater()


@pytest.mark.parametrize("head", [DETERMINER, NOTHING])
def test_a_row_that_is_too_narrow_leaves_words_out_and_cuts_no_number(page_hands: PageHands, head: tuple[int, int]) -> None:
    page_hands.click_head(*head)
    row = page_hands.page.panel.scores.rows()[0]
    baseline = next(part for part in row.line.notes[0].split("  \N{MIDDLE DOT}  ") if part.startswith("baseline"))
    seen: list[str] = []
    for width in range(700, 60, -10):
        row.resize(width, row.height())
        note = row.note()
        assert baseline.partition(" (")[0] in note
        if text_width(note, 11, False) > width - 16:
            assert note == row.line.notes[-1]  # there is nothing shorter
        seen += [note] if note not in seen else []
    assert seen == list(row.line.notes)
    assert seen[0].endswith(" cases")
    assert "(" in seen[0]
    assert "(" not in seen[1]
    assert seen[1].endswith(" cases")
    assert seen[2] == seen[1].removesuffix(" cases")


def test_what_a_row_says_is_not_said_again_above_the_sentences(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    panel = page_hands.page.panel

    def says_the_score() -> bool:
        return any("95\N{NO-BREAK SPACE}% interval" in label.text for label in panel.picture.scene.labels)

    assert not says_the_score()
    page_hands.pick(panel.measure_box, "obj>")
    assert "obj>" not in [row.line.key for row in panel.scores.rows()]
    assert says_the_score()
    page_hands.appearance.choose("dark")
    assert says_the_score()
    page_hands.pick(panel.measure_box, "det>")
    assert not says_the_score()


@pytest.mark.parametrize("key", ["det>", "entropy", IMPORTANCE])
def test_the_atlas_is_coloured_by_what_is_chosen_and_the_evidence_follows(page_hands: PageHands, key: str) -> None:
    page = page_hands.page
    page_hands.click_head(*DETERMINER)
    before = [cell.fill for cell in page_hands.atlas.cells]
    page_hands.pick(page.controls.colour_box, key)
    assert page.choice.colour == key
    assert [cell.fill for cell in page_hands.atlas.cells] != before
    assert page.panel.evidence.measured.measure.key == ("det>" if key == IMPORTANCE else key)
    page_hands.click_head(*NOTHING)
    assert (page.panel.evidence.measured.measure.key == key) is (key != IMPORTANCE)
    page_hands.pick(page.controls.colour_box, ROLE)
    assert [cell.fill for cell in page_hands.atlas.cells] == before


def test_heads_can_stand_in_the_order_of_what_is_shown(page_hands: PageHands) -> None:
    page = page_hands.page
    page_hands.pick(page.controls.colour_box, "det>")
    page_hands.qtbot.mouseClick(page.controls.orders["value"], LEFT)
    assert page_hands.atlas.cells[0].head == 1
    page_hands.qtbot.mouseClick(page.controls.orders["trained"], LEFT)
    assert [cell.head for cell in page_hands.atlas.cells][:4] == [0, 1, 2, 3]


def test_a_double_click_on_a_sentence_asks_to_read_it_once(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    picture, opened = page_hands.page.panel.picture, sentences_opened(page_hands)
    page_hands.double_click(picture, page_hands.at_sentence(1))
    page_hands.double_click(picture, picture.offer_rect(2).center().toPoint())
    assert opened == [sentence(page_hands, 1), sentence(page_hands, 2)]


def test_a_sentence_under_the_pointer_offers_to_be_read_by_one_click(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    picture, opened = page_hands.page.panel.picture, sentences_opened(page_hands)
    quiet = picture.grab().toImage()
    page_hands.point(page_hands.at_sentence(2), picture)
    assert picture.grab().toImage() != quiet
    page_hands.qtbot.mouseClick(picture, LEFT, pos=page_hands.at_sentence(2))
    assert opened == []
    at = picture.offer_rect(2).center().toPoint()
    page_hands.point(at, picture)
    assert picture.cursor().shape() == Qt.CursorShape.PointingHandCursor
    page_hands.qtbot.mouseClick(picture, LEFT, pos=at)
    assert opened == [sentence(page_hands, 2)]


def test_sentences_are_reached_and_read_by_keys(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    picture, opened = page_hands.page.panel.picture, sentences_opened(page_hands)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Return):
        page_hands.qtbot.keyClick(picture, key)
    assert opened == [sentence(page_hands, 0)]
    for _ in range(20):
        page_hands.qtbot.keyClick(picture, Qt.Key.Key_Down)
    page_hands.qtbot.keyClick(picture, Qt.Key.Key_Return)
    assert opened[1] == sentence(page_hands, -1)


def test_tab_goes_from_the_head_through_its_scores_to_the_sentences(page_hands: PageHands) -> None:
    panel = page_hands.page.panel
    page_hands.click_head(*NOTHING)
    page_hands.click_head(*DETERMINER)
    wanted = [panel.open_button, *panel.scores.rows(), panel.measure_box, panel.picture]
    chain, widget = [], panel.open_button
    while len(chain) < len(wanted):
        if widget in wanted:
            chain.append(widget)
        widget = widget.nextInFocusChain()
    assert chain == wanted


def test_all_that_is_shown_follows_light_and_dark(page_hands: PageHands) -> None:
    page_hands.click_head(*DETERMINER)
    panel, colours = page_hands.page.panel, []
    for name in ("dark", "light"):
        page_hands.appearance.choose(name)
        assert page_hands.atlas.theme.name == name
        assert panel.picture.scene.theme.name == name
        assert panel.scores.rows()[0].isChecked()
        colours.append([row.line.colour for row in panel.scores.rows()])
    assert all(dark != light for dark, light in zip(*colours, strict=True))


def test_everything_that_can_be_used_has_a_name(page_hands: PageHands) -> None:
    page = page_hands.page
    page_hands.click_head(*DETERMINER)
    for widget in (page.atlas, page.panel.picture, page.controls.colour_box, page.panel.measure_box):
        assert widget.accessibleName()
    row = page.panel.scores.rows()[0]
    assert row.accessibleName().startswith("determiner → noun: 100 %, baseline ")
    assert row.accessibleName().endswith("cases")
    assert page.panel.picture.accessibleDescription().startswith("L0.H1")


@pytest.mark.parametrize("size", [(760, 480), (1600, 1000)])
def test_it_fits_little_room_and_fills_much(page_hands: PageHands, size: tuple[int, int]) -> None:
    page = page_hands.page
    page.resize(*size)
    page_hands.settle()
    page_hands.until(lambda: page.panel.picture.scene.width == page.panel.picture.width())
    assert (page.width(), page.height()) == size
    assert (page_hands.atlas.width, page_hands.atlas.height) == (page.atlas.width(), page.atlas.height())
    assert page.panel.picture.width() <= page.panel.width()

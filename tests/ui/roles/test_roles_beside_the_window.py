"""From the window of head roles to the main window, and what is kept from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.atlas.choice import ROLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ui.roles.roles_hands import RolesHands


def test_a_head_is_opened_as_it_was_trained_in_the_last_picture_but_the_grid(shown: RolesHands) -> None:
    shown.window.session.ask(head_count=2)
    shown.settle_main()
    shown.window.view_actions.show_rollout()
    shown.window.view_actions.show_matrix()
    shown.window.view_actions.show_grid()
    shown.settle_main()
    shown.double_click(shown.page.atlas, shown.at_head(1, 3))
    shown.settle_main()
    view = shown.state.view
    assert (view.picture, view.quantity, view.layer) == ("matrix", "attention", 1)
    assert shown.run.trace.head_count == 4
    assert view.shown_heads(4) == {3}


def test_a_sentence_is_read_with_that_head_and_the_word_that_was_asked_in_focus(shown: RolesHands) -> None:
    shown.click_head(0, 1)
    shown.double_click(shown.page.panel.picture, shown.at_sentence(1))
    shown.settle_main()
    assert shown.state.text.replace(" ", "") == "".join(shown.page.panel.picture.scene.sentences[1].shown.units)
    assert shown.state.view.layer == 0
    assert shown.state.view.shown_heads(4) == {1}
    assert shown.run.trace.tokens[shown.state.view.focus] == "the"


def test_random_tokens_are_read_as_they_were(shown: RolesHands) -> None:
    shown.click_head(0, 3)
    picture = shown.page.panel.picture
    shown.pick(shown.page.panel.measure_box, "duplicate")
    shown.double_click(picture, shown.at_sentence(0))
    shown.settle_main()
    asked = shown.roles_window.roles.plan.texts[picture.scene.sentences[0].shown.text]
    assert asked.sentence is None
    assert [piece.id for piece in shown.run.trace.pieces] == asked.encoding.ids.tolist()


def test_the_head_that_the_main_window_names_is_chosen(shown: RolesHands) -> None:
    shown.roles_window.close()
    shown.window.show_roles(1, 2)
    assert shown.roles_window.isVisible()
    assert shown.page.head == (1, 2)


def test_the_smallest_window_holds_it_all(shown_alone: RolesHands) -> None:
    shown_alone.roles_window.resize(760, 560)
    shown_alone.settle()
    assert (shown_alone.roles_window.width(), shown_alone.roles_window.height()) == (760, 560)
    assert shown_alone.page.width() == 760


def test_the_size_is_kept_and_nothing_else(shown: RolesHands, open_roles: Callable[..., RolesHands]) -> None:
    shown.roles_window.resize(900, 600)
    shown.pick(shown.page.controls.colour_box, "det>")
    shown.window.close()
    again = open_roles()
    assert (again.roles_window.width(), again.roles_window.height()) == (900, 600)
    assert again.page.choice.colour == ROLE

"""What a picture needs is there once it is prepared, and what is not there is said to be missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from attnviz.analysis.edges import Threshold
from attnviz.errors import Cancelled
from attnviz.scene import preparing
from attnviz.scene.preparing import is_at_hand, preparation_key, prepare
from attnviz.session.sight import sight_of
from attnviz.session.view import View
from tests.scene.pictures import run_of
from tests.session.compared import TIRED, WIDE, one_head, two_texts

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.session.run import Run

SIDE, DIFFERENCE = View(layer=3), View(layer=3, setting="difference")


@pytest.fixture
def cases(minilm: Model) -> list[tuple[Run, View]]:
    """A run alone, and two set against each other."""
    pair = two_texts(minilm, TIRED, WIDE)
    return [(run_of(minilm, TIRED), SIDE), (pair, SIDE), (pair, DIFFERENCE), (one_head(minilm), DIFFERENCE)]


@pytest.fixture
def choices_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_TO_CHOOSE_AMONG", 0)


def test_a_short_text_needs_nothing_made_beforehand(cases: list[tuple[Run, View]]) -> None:
    assert all(is_at_hand(run, view) for run, view in cases)


@pytest.mark.usefixtures("choices_take_long")
def test_what_is_prepared_is_at_hand_until_the_threshold_changes(cases: list[tuple[Run, View]]) -> None:
    for run, view in cases:
        assert not is_at_hand(run, view)
        prepare(run, view)
        assert is_at_hand(run, view)
        assert not is_at_hand(run, replace(view, threshold=Threshold("weight", 0.2)))


@pytest.mark.usefixtures("choices_take_long")
def test_weights_alone_are_not_yet_arcs(minilm: Model) -> None:
    run = run_of(minilm, TIRED)
    sight_of(run.trace, SIDE)
    assert not is_at_hand(run, SIDE)
    assert is_at_hand(run, replace(SIDE, picture="matrix"))


@pytest.mark.usefixtures("choices_take_long")
def test_a_preparation_that_is_called_off_leaves_the_picture_to_be_prepared(cases: list[tuple[Run, View]]) -> None:
    for run, view in cases:
        with pytest.raises(Cancelled):
            prepare(run, view, cancelled=lambda: True)
        assert not is_at_hand(run, view)


def test_two_views_are_prepared_as_one_where_they_show_the_same(minilm: Model) -> None:
    run = run_of(minilm, TIRED)
    key = preparation_key(run, SIDE)
    assert key == preparation_key(run, replace(SIDE, focus=3, setting="difference", is_log=True))
    for other in (replace(SIDE, threshold=Threshold("mass", 0.5)), replace(SIDE, layer=2), replace(SIDE, picture="matrix")):
        assert key != preparation_key(run, other)
    matrix = replace(SIDE, picture="matrix")
    assert preparation_key(run, matrix) == preparation_key(run, replace(matrix, threshold=Threshold("mass", 0.5)))

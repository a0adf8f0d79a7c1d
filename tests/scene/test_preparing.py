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
    from attnviz.session.view import PictureKind

SIDE, DIFFERENCE = View(layer=3), View(layer=3, setting="difference")
PICTURES = ("arcs", "matrix")


@pytest.fixture
def cases(minilm: Model) -> list[tuple[Run, View]]:
    """Arcs and matrices of a run alone, and of two set against each other."""
    pair = two_texts(minilm, TIRED, WIDE)
    cases = [(run_of(minilm, TIRED), SIDE), (pair, SIDE), (pair, DIFFERENCE), (one_head(minilm), DIFFERENCE)]
    return [(run, replace(view, picture=picture)) for picture in PICTURES for run, view in cases]


@pytest.fixture
def all_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_TO_CHOOSE_AMONG", 0)
    monkeypatch.setattr(preparing, "_TO_MAP", 0)


def test_a_short_text_needs_nothing_made_beforehand(cases: list[tuple[Run, View]]) -> None:
    assert all(is_at_hand(run, view) for run, view in cases)


@pytest.mark.usefixtures("all_takes_long")
def test_what_is_prepared_is_at_hand_until_the_view_changes(cases: list[tuple[Run, View]]) -> None:
    for run, view in cases:
        assert not is_at_hand(run, view)
        prepare(run, view)
        assert is_at_hand(run, view)
        assert not is_at_hand(run, replace(view, layer=2))
        assert is_at_hand(run, replace(view, threshold=Threshold("weight", 0.2))) == (view.picture == "matrix")
        assert is_at_hand(run, replace(view, is_log=True, focus=3))


@pytest.mark.usefixtures("all_takes_long")
@pytest.mark.parametrize("picture", PICTURES)
def test_weights_alone_are_not_yet_a_picture(minilm: Model, picture: PictureKind) -> None:
    run = run_of(minilm, TIRED)
    sight_of(run.trace, SIDE)
    assert not is_at_hand(run, replace(SIDE, picture=picture))


@pytest.mark.usefixtures("all_takes_long")
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

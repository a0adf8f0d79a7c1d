"""What was chosen of a sight stays with it, and goes with it."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from attnviz.analysis.edges import Threshold
from attnviz.errors import Cancelled
from attnviz.scene.arcs import choice
from attnviz.scene.arcs.choice import choose_edges, kept_edges
from attnviz.session.sight import make_sight
from attnviz.session.view import View

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.session.sight import Sight

ANIMAL = "The animal didn't cross the street because it was tired."


@pytest.fixture
def sight(minilm: Model) -> Sight:
    return make_sight(minilm.trace(ANIMAL), View(layer=3))


def test_the_same_threshold_is_chosen_by_once(sight: Sight) -> None:
    edges = choose_edges(sight, Threshold())
    assert kept_edges(sight, Threshold()) is edges
    assert choose_edges(sight, Threshold(), sight.scale) is edges


def test_another_threshold_and_another_scale_are_choices_of_their_own(sight: Sight) -> None:
    by_weight = Threshold("weight", 0.1)
    edges = [choose_edges(sight, Threshold()), choose_edges(sight, by_weight), choose_edges(sight, by_weight, 2.0)]
    assert len({len(one.weight) for one in edges}) == 3
    assert kept_edges(sight, by_weight, 3.0) is None


def test_only_the_newest_choices_are_kept(sight: Sight) -> None:
    thresholds = [Threshold("mass", step / 20) for step in range(1, 15)]
    for threshold in thresholds:
        choose_edges(sight, threshold)
    assert [kept_edges(sight, one) is not None for one in thresholds] == [False] * 6 + [True] * 8


def test_a_choice_that_is_called_off_leaves_nothing(sight: Sight) -> None:
    with pytest.raises(Cancelled):
        choose_edges(sight, Threshold(), cancelled=lambda: True)
    assert kept_edges(sight, Threshold()) is None


def test_choices_go_with_their_sight(minilm: Model) -> None:
    sight = make_sight(minilm.trace(ANIMAL), View(layer=2))
    choose_edges(sight, Threshold())
    before = len(choice._KEPT)
    del sight
    gc.collect()
    assert len(choice._KEPT) < before

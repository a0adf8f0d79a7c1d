"""The maps of a matrix are made once for every size and scale of its picture, and what is made beforehand is what it would make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.errors import Cancelled
from attnviz.scene.matrix import maps
from attnviz.scene.matrix.maps import kept_maps, maps_of
from attnviz.scene.matrix.pooling import PanelPixels, rows_in_fours
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.sight import make_sight, sight_of
from attnviz.session.view import HeadChoice, Sinks, View
from tests.scene.pictures import run_of, stand_in_measure

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.ops import Float32

ANIMAL = "The animal didn't cross the street because it was tired."
VIEW = View(layer=3, picture="matrix")


@pytest.mark.parametrize("sinks", [Sinks(), Sinks(treatment="dim"), Sinks(frozenset({"punctuation"}))], ids=str)
@pytest.mark.parametrize("is_signed", [False, True])
def test_the_strongest_of_rows_and_columns_are_those_of_all_panels(minilm: Model, sinks: Sinks, is_signed: bool) -> None:
    sight = make_sight(minilm.trace(ANIMAL), View(layer=3, sinks=sinks))
    made = maps_of(sight, is_signed)
    loud = [key not in sight.dimmed for key in sight.keys]
    assert np.array_equal(made.weights, sight.shown)
    assert np.array_equal(made.of_rows, sight.shown[:, :, loud].max(axis=(0, 2)))
    assert np.array_equal(made.of_columns, np.where(loud, sight.shown.max(axis=(0, 1)), 0))


def test_another_scale_and_another_size_make_no_maps_anew(minilm: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(minilm, ANIMAL)
    first = build_scene(run, VIEW, load_theme("light"), Layout(800, 600), stand_in_measure)
    monkeypatch.setattr(maps, "_shown_maps", lambda *_: pytest.fail("made anew"))
    for view, size in ((View(layer=3, picture="matrix", is_log=True), 600), (VIEW, 500)):
        scene = build_scene(run, view, load_theme("dark"), Layout(700, size), stand_in_measure)
        assert all(np.shares_memory(a.weights, b.weights) for a, b in zip(first.panels, scene.panels, strict=True))


def test_rows_in_fours_come_with_the_panels_of_many_rows(minilm: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "FEWEST_TO_COARSEN", 10)
    sight = make_sight(minilm.trace(ANIMAL), VIEW)
    for panel, (highest,) in zip(maps_of(sight).weights, maps_of(sight).in_fours, strict=True):
        assert np.array_equal(highest, rows_in_fours(panel, is_signed=False)[0])
    one = make_sight(minilm.trace(ANIMAL), View(layer=3, heads=HeadChoice(frozenset({1}), 12)))
    assert maps_of(one).in_fours == ((),)  # which is seen in more pixels


def test_a_panel_makes_none_of_the_rows_that_it_was_given(minilm: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "FEWEST_TO_COARSEN", 10)
    run = run_of(minilm, ANIMAL)
    scene = build_scene(run, VIEW, load_theme("light"), Layout(800, 600), stand_in_measure)
    monkeypatch.setattr("attnviz.scene.matrix.pooling.rows_in_fours", lambda *_: pytest.fail("made anew"))
    given: tuple[Float32, ...] = maps_of(sight_of(run.trace, VIEW)).in_fours[0]
    assert PanelPixels(scene, scene.panels[0])._coarse is given


def test_maps_that_are_called_off_leave_nothing(minilm: Model) -> None:
    sight = make_sight(minilm.trace(ANIMAL), VIEW)
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        maps_of(sight, cancelled=lambda: next(answers))
    assert kept_maps(sight) is None

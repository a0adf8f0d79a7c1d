"""What a token reads: the list beside the picture and the numbers on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.edges import Threshold
from attnviz.analysis.reading import Reading, looked_at_by, looks_at
from attnviz.scene.arcs.focus import focus_labels
from attnviz.scene.page import Layout
from attnviz.scene.palette import head_colour
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.view import View
from tests.scene.pictures import Room, label_room, rooms, run_of, stand_in_measure, text_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.scene import Scene

LIGHT = load_theme("light")


def slow(attention: np.ndarray, heads: set[int], pairs: list[tuple[int, int]]) -> dict[int, tuple[float, int]]:
    """For each of the tokens the largest weight among the heads, and the first head that has it."""
    best = {}
    for token, (query, key) in enumerate(pairs):
        weights = [(float(attention[head, query, key]), head) for head in sorted(heads)]
        largest = max(weight for weight, _ in weights)
        best[token] = (largest, next(head for weight, head in weights if weight == largest))
    return best


@given(st.integers(0, 2**32 - 1), st.sets(st.integers(0, 4), min_size=1), st.integers(0, 6))
def test_every_key_is_listed_with_its_largest_weight_strongest_first(seed: int, heads: set[int], token: int) -> None:
    attention = np.random.default_rng(seed).dirichlet(np.ones(7), size=(5, 7)).astype(np.float32)
    for listed, pairs in (
        (looks_at(attention, heads, token), [(token, key) for key in range(7)]),
        (looked_at_by(attention, heads, token), [(query, token) for query in range(7)]),
    ):
        assert {reading.token: (reading.weight, reading.head) for reading in listed} == slow(attention, heads, pairs)
        assert [reading.weight for reading in listed] == sorted((reading.weight for reading in listed), reverse=True)


def test_no_heads_read_nothing() -> None:
    assert looks_at(np.ones((2, 3, 3), np.float32), [], 0) == []


def test_it_looks_at_animal_most(minilm: Model) -> None:
    run = run_of(minilm, "The animal didn't cross the street because it was tired.")
    it, animal = run.trace.tokens.index("it"), run.trace.tokens.index("animal")
    best = looks_at(run.trace.attention(3), {1}, it)[0]
    assert best == Reading(animal, best.weight, 1)
    assert round(best.weight, 2) == 0.70


@pytest.fixture(scope="module")
def focused(minilm: Model) -> list[Scene]:
    scenes = []
    for n_token, width in ((15, 300.0), (15, 900.0), (40, 420.0), (40, 1600.0), (120, 700.0)):
        run = run_of(minilm, text_of(minilm, n_token))
        for focus in (1, n_token // 2, n_token):
            for mass in (0.5, 1.0):
                view = View(3, None, focus, Threshold("mass", mass))
                scenes.append(build_scene(run, view, LIGHT, Layout(width, caption=True), stand_in_measure))
    return scenes


def test_numbers_at_the_keys_lie_on_nothing_and_stay_on_the_picture(focused: list[Scene]) -> None:
    for scene in focused:
        placed: list[Room] = rooms(scene, stand_in_measure)
        labels = focus_labels(scene, stand_in_measure)
        assert labels
        for label, dot in labels:
            assert dot.x + dot.radius < label.x
            room = label_room(label, stand_in_measure)
            assert room.within(scene.width, scene.height)
            for other in placed:
                assert not room.overlaps(other), f"{room} lies on {other}"
            placed.append(room)


def test_each_number_is_the_largest_weight_of_its_key(focused: list[Scene]) -> None:
    for scene in focused:
        arcs = scene.arcs
        for label, dot in focus_labels(scene, stand_in_measure):
            middle = (dot.x - dot.radius + label.x + stand_in_measure(label.text, label.size, True)) / 2
            box = min(scene.tokens, key=lambda box: (abs(box.middle - middle), abs(box.baseline - label.baseline)))
            same_x = [other.index for other in scene.tokens if abs(other.middle - middle) < 0.01]
            mine = (arcs.query == scene.focus) & np.isin(arcs.key, same_x)
            weights = {f"{arcs.weight[mine & (arcs.key == key)].max(initial=0.0):.2f}" for key in same_x}
            assert box.index in same_x
            assert label.text in weights


def test_the_strongest_key_always_has_its_number_in_its_heads_colour(focused: list[Scene]) -> None:
    for scene in focused:
        arcs = scene.arcs
        mine = np.flatnonzero((arcs.query == scene.focus) & (arcs.key != scene.focus))
        best = mine[-1]
        first, dot = focus_labels(scene, stand_in_measure)[0]
        box = scene.token_at(int(arcs.key[best]))
        assert dot.x < box.middle < first.x + stand_in_measure(first.text, first.size, True)
        assert first.text == f"{arcs.weight[best]:.2f}"
        assert dot.colour == head_colour(int(arcs.head[best]), LIGHT)


def test_without_a_focus_there_are_no_numbers(minilm: Model) -> None:
    scene = build_scene(run_of(minilm, "the cat"), View(), LIGHT, Layout(400.0), stand_in_measure)
    assert focus_labels(scene, stand_in_measure) == []

"""Finding heads by a pair of tokens: every head's weight for it, as the attention has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.engine.model import load_model
from attnviz.session.finding import pair_of
from attnviz.session.units import units_of
from attnviz.session.view import Arc, Sinks, View
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model

ANIMAL = "The animal didn't cross the street because it was tired."


def test_it_finds_animal_in_the_heads_of_the_measured_table(minilm: Model) -> None:
    trace = minilm.trace(ANIMAL)
    it, animal = trace.tokens.index("it"), trace.tokens.index("animal")
    pair = pair_of(trace, View(), Arc(it, animal))
    assert pair is not None
    assert (pair.query, pair.key, pair.is_one_token_each) == ("it", "animal", True)
    first, second, *_ = pair.heads()
    assert (first.layer, first.head, round(first.weight, 2)) == (3, 1, 0.70)
    assert (second.layer, second.head, round(second.weight, 2)) == (5, 11, 0.68)
    weights = [one.weight for one in pair.heads()]
    assert weights == sorted(weights, reverse=True)
    assert len(weights) == 72


@pytest.mark.parametrize("view", [View(), View(layer=4, quantity="norms", is_mean=True, sinks=Sinks(treatment="renormalise"))])
def test_all_heads_have_their_weight_whatever_the_view_shows(minilm: Model, view: View) -> None:
    trace = minilm.trace(ANIMAL)
    pair = pair_of(trace, view, Arc(5, 9))
    for layer in range(6):
        assert np.allclose(pair.weights[layer], trace.attention(layer)[:, 5, 9], atol=1e-6)


def test_of_words_the_pieces_of_the_key_are_summed_and_those_of_the_query_averaged(minilm: Model) -> None:
    trace = minilm.trace("unhappiness loves transcendentalism")
    view = View(words=True)
    words = units_of(trace, "encoder", words=True)
    first, last = words.places[1], words.places[3]
    assert len(first) > 1
    assert len(last) > 1
    pair = pair_of(trace, view, Arc(first.start, last.stop - 1))
    assert pair.query == "unhappiness"
    assert not pair.is_one_token_each
    for layer in range(6):
        rows = trace.attention(layer)[:, first.start : first.stop, last.start : last.stop]
        assert np.allclose(pair.weights[layer], rows.sum(-1).mean(-1), atol=1e-6)


def test_a_changed_run_is_searched_as_it_is_now(minilm: Model) -> None:
    it, animal = 10, 2
    changes = NOTHING.with_weight(WeightAt("encoder", 3, 1, it, animal), 0.05).with_muted(HeadAt("encoder", 0, 0), True)
    pair = pair_of(minilm.trace(ANIMAL, changes=changes), View(), Arc(it, animal))
    assert pair.weights[3, 1] == pytest.approx(0.05, abs=1e-6)
    assert (pair.heads()[0].layer, pair.heads()[0].head) == (5, 11)


def test_between_decoder_and_encoder_only_the_decoder_looks(tmp_path: Path) -> None:
    model = load_model(write_model("t5-tied", tmp_path))
    trace = model.trace("the cat sings", "a dog")
    n = len(trace.tokens)
    view = View(kind="cross")
    pair = pair_of(trace, view, Arc(n + 1, 0))
    assert np.allclose(pair.weights[1], trace.attention(1, "cross")[:, 1, 0], atol=1e-6)
    assert pair_of(trace, view, Arc(0, n + 1)) is None
    assert pair_of(trace, view, Arc(0, 1)) is None


def test_a_pair_that_is_not_on_the_picture_is_none(minilm: Model) -> None:
    assert pair_of(minilm.trace("a cat"), View(), Arc(0, 99)) is None

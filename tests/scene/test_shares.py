"""The lines at the foot of a picture: the parts make the whole, and what is taken out is said."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.edges import Edges, Spread, Threshold
from attnviz.scene.shares import drawn_line, quantity_line, quantity_warning, shares_line
from attnviz.session.sight import Shares, Sight, sight_of
from attnviz.session.view import Sinks, View
from tests.scene.pictures import SHOWN

if TYPE_CHECKING:
    from attnviz.engine.model import Model


def edges(n_drawn: int, n_passed: int, n_all: int, hidden: float, dropped: float) -> Edges:
    nothing = np.zeros(n_drawn, np.intp)
    return Edges(nothing, nothing, nothing, np.zeros(n_drawn, np.float32), n_all, n_passed, hidden, dropped)


@pytest.fixture(scope="module")
def sight(minilm: Model) -> Sight:
    return sight_of(minilm.trace("The cat, tired, sat."), View())


SHARES = st.tuples(*(4 * [st.floats(0.0, 1.0)])).map(lambda parts: [part / max(sum(parts), 1e-9) for part in parts])


@given(SHARES)
def test_the_shares_on_the_picture_make_100_percent(sight: Sight, parts: list[float]) -> None:
    sinks, apart, learned, dropped = parts
    told = replace(sight, shares=Shares(sinks, apart, learned), between="within")
    line = shares_line(told, edges(1, 1, 9, sinks + apart + learned, dropped))
    numbers = [int(number) for number in re.findall(r"(-?\d+) %", line)]
    assert sum(numbers) in range(100, 103)  # each is rounded by itself, and none may fall below 0
    assert min(numbers) >= 0


def test_hidden_tokens_are_named_once(sight: Sight) -> None:
    line = shares_line(sight, edges(1, 1, 9, 0.5, 0.2))
    assert line.count("[SEP]") == line.count("[CLS]") == 1


def test_what_is_not_hidden_is_not_mentioned(minilm: Model) -> None:
    everything = sight_of(minilm.trace("The cat."), View(sinks=SHOWN))
    assert shares_line(everything, edges(9, 9, 9, 0.0, 0.0)) == "drawn: 100 %"
    assert shares_line(everything) == "shown: 100 %"


@pytest.mark.parametrize(("treatment", "word"), [("hide", "hidden"), ("dim", "dimmed"), ("renormalise", "taken out")])
def test_each_treatment_of_sinks_says_what_it_did_and_to_how_much(minilm: Model, treatment: str, word: str) -> None:
    trace = minilm.trace("The cat sat, it seems.")
    sight = sight_of(trace, View(sinks=Sinks(frozenset({"special", "punctuation"}), treatment)))
    line = shares_line(sight)
    tokens = trace.tokens
    sinks = [i for i, token in enumerate(tokens) if token in ("[CLS]", "[SEP]", ",", ".")]
    rows = [i for i, token in enumerate(tokens) if treatment == "dim" or token not in ("[CLS]", "[SEP]")]
    share = trace.attention(0)[:, rows][:, :, sinks].sum(-1, dtype=float).mean()
    assert f"{word}: [CLS] , . [SEP], mean {round(100 * share)} % of the attention" in line
    assert ("the rest scaled to 100 %  ·  shown: 100 %" in line) == (treatment == "renormalise")


def test_the_rule_is_said_as_it_was_set(sight: Sight) -> None:
    norms = replace(sight, quantity="norms")
    assert "strongest 35 %" in drawn_line(edges(1, 1, 9, 0, 0), Threshold("mass", 0.35), sight)
    assert "weights from 0.25" in drawn_line(edges(1, 1, 9, 0, 0), Threshold("weight", 0.25), sight)
    assert "weights from 0.25 of the largest" in drawn_line(edges(1, 1, 9, 0, 0), Threshold("weight", 0.25), norms)
    assert drawn_line(edges(3, 3, 1_000, 0, 0), Threshold(), sight).startswith("3 of 1,000 arcs")


def test_what_a_limit_leaves_out_is_said_with_the_rule_and_the_numbers(sight: Sight, minilm: Model) -> None:
    def line(side: int, sight: Sight = sight) -> str:
        chosen = replace(edges(2_700, 7_000, 10_000, 0, 0), spread=Spread(2_100, side))
        return drawn_line(chosen, Threshold("weight", 0.25), sight)

    def groups(group: str, part: str) -> str:
        passed = "the most that are drawn at once, although 7,000 pass the threshold (weights from 0.25)"
        drawn = f"2,700 of 10,000 arcs, {passed}: the 2,100 strongest and 600 more"
        return f"{drawn}, so that the strongest from each {group} to each {part} is among them"

    assert line(4) == groups("group of 4 neighbouring tokens", "group")
    assert line(1) == groups("token", "token")
    words = sight_of(minilm.trace("The cat, tired, unbelievably sat."), View(words=True))
    assert line(4, words) == groups("group of 4 neighbouring words", "group")
    assert line(1, words) == groups("word", "word")
    dimmed = replace(sight, sinks=Sinks(treatment="dim"))
    assert line(4, dimmed) == line(4).replace("so that", "so that, dimmed tokens aside,")


def test_rollout_names_its_layers_and_its_source_and_in_a_causal_model_its_bias(sight: Sight) -> None:
    view = View(quantity="rollout")
    rolled = replace(sight, quantity="rollout", layer=3)
    assert "layers 0 to 3" in quantity_line(rolled)
    assert "Abnar & Zuidema 2020" in quantity_line(rolled)
    assert quantity_warning(rolled, view) is None
    assert "favours the first tokens" in quantity_warning(replace(rolled, is_causal=True), view)
    assert "Rollout is defined for" in quantity_warning(sight, view)
    assert quantity_line(sight) is None

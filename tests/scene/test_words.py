"""The sentences on the picture."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.edges import Edges, Threshold
from attnviz.scene.words import beyond_trained_line, count_of, drawn_line, heads_phrase, shares_line, wrap
from tests.scene.pictures import run_of, stand_in_measure

if TYPE_CHECKING:
    from attnviz.engine.model import Model


@pytest.mark.parametrize(
    ("heads", "count", "phrase"),
    [
        ([], 12, "no heads"),
        ([1], 12, "head 1 of 12"),
        ([0, 1, 2, 3, 7], 12, "heads 0–3, 7 of 12"),
        ([3, 1], 4, "heads 1, 3 of 4"),
        (range(12), 12, "all 12 heads"),
        ([0], 1, "the only head"),
        ([4, 5], 12, "heads 4–5 of 12"),
    ],
)
def test_heads_are_named_in_runs(heads: list[int], count: int, phrase: str) -> None:
    assert heads_phrase(heads, count) == phrase


@given(st.integers(2, 48).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), min_size=1, max_size=n - 1))))
def test_the_heads_can_be_read_back_from_their_phrase(case: tuple[int, set[int]]) -> None:
    count, heads = case
    phrase = heads_phrase(heads, count)
    assert phrase.endswith(f" of {count}")
    listed: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:–(\d+))?", phrase.removesuffix(f" of {count}")):
        listed |= set(range(int(first), int(last or first) + 1))
    assert listed == heads


def test_counts_agree_with_their_noun() -> None:
    assert [count_of(n, "token") for n in (0, 1, 2, 1_200)] == ["0 tokens", "1 token", "2 tokens", "1,200 tokens"]


def edges(n_drawn: int, n_passed: int, n_all: int, hidden: float, dropped: float) -> Edges:
    nothing = np.zeros(n_drawn, np.intp)
    return Edges(nothing, nothing, nothing, np.zeros(n_drawn, np.float32), n_all, n_passed, hidden, dropped)


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_shares_on_the_picture_make_100_percent(hidden: float, part: float) -> None:
    line = shares_line(edges(1, 1, 9, hidden, (1.0 - hidden) * part), ["[CLS]", "[SEP]", "[SEP]"])
    numbers = [int(number) for number in re.findall(r"(-?\d+) %", line)]
    assert sum(numbers) == 100
    assert min(numbers) >= 0
    assert line.count("[SEP]") == 1


def test_what_is_not_hidden_is_not_mentioned() -> None:
    assert shares_line(edges(9, 9, 9, 0.0, 0.0), []) == "drawn: 100 %"


def test_the_rule_is_said_as_it_was_set() -> None:
    assert "strongest 35 %" in drawn_line(edges(1, 1, 9, 0, 0), Threshold("mass", 0.35))
    assert "weights from 0.25" in drawn_line(edges(1, 1, 9, 0, 0), Threshold("weight", 0.25))
    assert drawn_line(edges(3, 3, 1_000, 0, 0), Threshold()).startswith("3 of 1,000 arcs")
    assert "the strongest of the 7 by" in drawn_line(edges(3, 7, 1_000, 0, 0), Threshold())


@given(st.text("ab ,.你", max_size=200), st.floats(20.0, 400.0))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: float) -> None:
    lines = wrap(text, 12, width, stand_in_measure)
    assert all(len(line) <= 1 or stand_in_measure(line, 12, False) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(("n_trained", "is_said"), [(4, True), (6, False), (7, False)])
def test_a_text_longer_than_the_model_was_made_for_is_said_with_both_numbers(minilm: Model, n_trained: int, is_said: bool) -> None:
    run = run_of(minilm, "It was very tired")  # six tokens
    made_for = replace(run, model=SimpleNamespace(name="a model", config=replace(minilm.config, n_trained=n_trained)))
    line = beyond_trained_line(made_for)
    assert (line is not None) == is_said
    assert line is None or ("6 tokens" in line and "for 4 at most" in line)

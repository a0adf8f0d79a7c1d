"""The sentences on the picture."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.scene.words import beyond_trained_line, count_of, heads_phrase, wrap
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

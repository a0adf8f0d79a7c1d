"""Questions to a text, laid out so that all of one kind are counted at once, and what fixed offsets get of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from attnviz.probing.cases import FARTHEST, Asked, Question, offset_hits
from tests.probing.small import encoding_of


@st.composite
def questions(draw: st.DrawFn, n: int, ways: tuple[str, ...] = ("weight",)) -> Question:
    """Some queries of n tokens, some of them without a target."""
    queries = np.array(draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=5, unique=True)), np.intp)
    targets = np.array(
        draw(st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=len(queries), max_size=len(queries))), bool
    )
    return Question("m", draw(st.sampled_from(ways)), "all", queries, targets, has_self=draw(st.booleans()))


@given(questions(100))
def test_a_fixed_offset_gets_the_cases_whose_target_is_so_far_away(one: Question) -> None:
    hits = offset_hits(one.queries, one.targets)
    assert hits.shape == (2 * FARTHEST + 1,)
    for offset in range(-FARTHEST, FARTHEST + 1):
        places = [(case, query + offset) for case, query in enumerate(one.queries)]
        assert hits[offset + FARTHEST] == sum(0 <= key < 100 and one.targets[case, key] for case, key in places)


@given(st.lists(questions(7, ("weight", "largest", "entropy")), min_size=1, max_size=6))
def test_parts_hold_every_question_once_and_sum_its_targets(asked: list[Question]) -> None:
    text = Asked("s", 0, 0, encoding_of("x" * 7, [(0, 1)] * 7), None, tuple(asked))
    assert sorted(number for part in text.parts for number in part.numbers) == list(range(len(asked)))
    assert len({(part.level, part.way, part.has_self) for part in text.parts}) == len(text.parts)
    values = np.random.default_rng(0).random((2, 7, 7)).astype(np.float32)
    for part in text.parts:
        summed = part.sums(values.reshape(2, -1)[:, part.places])
        for number, found in zip(part.numbers, summed.T, strict=True):
            one = asked[number]
            assert (one.way, one.has_self) == (part.way, part.has_self)
            wanted = (values[:, one.queries] * one.targets).sum(axis=(1, 2))
            np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
        assert np.array_equal(part.places // 7, part.queries)

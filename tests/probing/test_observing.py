"""What heads get of the questions to a text: the same as counting head by head, case by case and key by key."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.corpus.corpus import Mention, Pair
from attnviz.probing.aligned import Aligned
from attnviz.probing.cases import Asked, Question
from attnviz.probing.observing import levels_of, observe
from tests.probing.small import FEW, asked_of, attention_to, encoding_of, even_attention, question, random_attention, sentence

if TYPE_CHECKING:
    from tests.probing.small import Float32

TOLERANCE = 1e-4


def counted(asked: Asked, attention: Float32, is_causal: bool, said: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """What `observe` should give, [head, question] twice, by the words of its docstrings."""
    gets, weights = (np.zeros((len(attention), len(asked.questions))) for _ in range(2))
    for head, whole in enumerate(attention.astype(np.float64)):
        matrices = {"all": whole}
        if asked.aligned is not None:
            first, groups = asked.aligned.first, asked.aligned.groups
            tokens = [[whole[first + q, first + k] for k in range(asked.aligned.n_token)] for q in range(asked.aligned.n_token)]
            matrices["token"] = np.array(tokens)
            words = [[sum(tokens[q][k] for q in query for k in key) / len(query) for key in groups] for query in groups]
            matrices["word"] = np.array(words)
        for at, one in enumerate(asked.questions):
            matrix = matrices[one.level]
            for case, query in enumerate(one.queries):
                row, targets = matrix[query], np.flatnonzero(one.targets[case])
                weights[head, at] += sum(row[key] for key in targets)
                gets[head, at] += case_gets(asked, one, case, int(query), row, is_causal, said)
    return gets, weights


def case_gets(
    asked: Asked, one: Question, case: int, query: int, row: np.ndarray, is_causal: bool, said: np.ndarray | None
) -> float:
    targets = set(np.flatnonzero(one.targets[case]).tolist())
    seen = range(query + 1) if is_causal else range(len(row))
    match one.way:
        case "weight":
            return sum(row[key] for key in targets)
        case "largest" | "said":
            keys = [key for key in seen if one.has_self or key != query]
            keys = [key for key in keys if key != 0 or not asked.is_blocked or one.level == "all"]
            top = max(row[key] for key in keys)
            largest = [key for key in keys if row[key] >= top * (1 - 1e-5)]
            share = len(targets.intersection(largest)) / len(largest)
            return share * (1 if one.way == "largest" or said is None else int(said[case]))
        case "prefers":
            return float(sum(row[key] for key in targets) > max(row[key] for key in np.flatnonzero(one.rivals[case])))
        case "entropy":
            return -sum(row[key] * math.log(row[key]) for key in seen if row[key] > 0)
        case "distance":
            return sum(row[key] * abs(key - query) for key in seen)
    raise AssertionError(one.way)


def random_question(rng: np.random.Generator, way: str, level: str, n: int, is_causal: bool, is_blocked: bool) -> Question:
    """Some places of a text that may be asked for, with one or several right keys each."""
    has_self = bool(rng.integers(2)) or way == "said"
    allowed = np.tri(n, dtype=bool) if is_causal else np.ones((n, n), bool)
    if way in ("largest", "said", "prefers"):
        if not has_self:
            np.fill_diagonal(allowed, False)
        if is_blocked and level != "all":
            allowed[:, 0] = False
    queries = np.flatnonzero(allowed.sum(axis=1) >= 2)
    queries = rng.permutation(queries)[: rng.integers(1, len(queries) + 1)]
    targets, rivals = (np.zeros((len(queries), n), bool) for _ in range(2))
    for case, query in enumerate(queries):
        keys = rng.permutation(np.flatnonzero(allowed[query]))
        n_right = rng.integers(1, len(keys))
        targets[case, keys[:n_right]] = True
        rivals[case, keys[n_right:]] = True
    return Question(f"{way} {level}", way, level, queries, targets, rivals=rivals, has_self=has_self)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.booleans())
def test_it_is_what_counting_one_by_one_gives(seed: int, is_causal: bool, is_blocked: bool, has_ties: bool) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 4, rng.integers(4, 8))
    ends = np.cumsum(lengths)
    groups = tuple(range(end - length, end) for length, end in zip(lengths, ends, strict=True))
    before, after = (0 if is_blocked else 1), int(rng.integers(2))
    n = int(ends[-1])
    spans = [(at, at + 1) for at in range(n)]
    encoding = encoding_of("x" * n, spans, before, after)
    sizes = {"all": n + before + after, "token": n, "word": len(groups)}
    kinds = [(way, level) for way in ("weight", "largest", "prefers", "entropy", "distance") for level in sizes]
    chosen = [kinds[at] for at in rng.integers(0, len(kinds), 8)]
    questions = tuple(random_question(rng, way, level, sizes[level], is_causal, is_blocked) for way, level in chosen)
    asked = Asked("s", 0, 0, encoding, Aligned(before, groups, (), ()), questions, is_blocked)
    attention = random_attention(rng, 3, sizes["all"], is_causal)
    if has_ties:
        attention = np.where(attention > 0, (np.ceil(attention * 3) / 8), 0).astype(np.float32)
    gets, weights = observe(asked, attention)
    wanted_gets, wanted_weights = counted(asked, attention, is_causal)
    assert gets.dtype == weights.dtype == np.float32
    np.testing.assert_allclose(gets, wanted_gets, rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_allclose(weights, wanted_weights, rtol=TOLERANCE, atol=TOLERANCE)


@settings(max_examples=15)
@given(st.integers(0, 10**6))
def test_a_copy_counts_only_where_the_model_says_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(5, 12))
    questions = (random_question(rng, "said", "all", n, True, False), random_question(rng, "weight", "all", n, True, False))
    asked = Asked("s", 0, 0, encoding_of("x" * n, [(at, at + 1) for at in range(n)]), None, questions)
    attention = random_attention(rng, 3, n, True)
    said = rng.integers(2, size=questions[0].n).astype(bool)
    for told in (None, said, np.ones_like(said), np.zeros_like(said)):
        gets, weights = observe(asked, attention, told)
        wanted = counted(asked, attention, True, told)
        np.testing.assert_allclose(gets, wanted[0], atol=TOLERANCE)
        np.testing.assert_allclose(weights, wanted[1], atol=TOLERANCE)


@pytest.mark.parametrize("is_causal", [True, False])
@pytest.mark.parametrize(("before", "after"), [(1, 1), (1, 0), (0, 0)])
def test_a_head_that_looks_at_all_alike_gets_exactly_what_chance_gets(is_causal: bool, before: int, after: int) -> None:
    seen = set()
    for one in FEW.sentences:
        asked, _ = asked_of(one, is_causal, before, after)
        gets, _ = observe(asked, even_attention(asked.n_token, is_causal))
        for got, of in zip(gets[0], asked.questions, strict=True):
            seen.add(of.way)
            if of.way == "prefers":
                assert got == 0
                continue
            name = "chance" if of.way == "largest" else "even attention"
            assert got == pytest.approx(of.guessed[name], rel=1e-5), of.measure
    assert seen == {"weight", "largest", "prefers", "entropy", "distance"}


def test_entropy_of_even_attention_is_the_logarithm_of_the_number_of_keys() -> None:
    asked, _ = asked_of(sentence("a b c d"), before=1, after=1)
    gets, _ = observe(asked, even_attention(6, False))
    at = [one.measure for one in asked.questions].index("entropy")
    assert asked.questions[at].n == 4
    assert gets[0, at] / 4 == pytest.approx(math.log(6))


def test_entropy_of_a_head_that_looks_at_one_token_is_0_and_its_distance_that_one() -> None:
    asked, _ = asked_of(sentence("a b c d"), before=1, after=1)
    gets, _ = observe(asked, attention_to(6, lambda query: [query - 1]))
    by_key = dict(zip([one.measure for one in asked.questions], gets[0], strict=True))
    assert by_key["entropy"] == 0
    assert by_key["distance"] == 4
    assert by_key["previous"] == 3  # the token before the first one of the text is a special


def test_of_two_alike_each_is_half_the_largest() -> None:
    asked, _ = asked_of(sentence("a big dog", Pair("det", 0, 2), Pair("amod", 1, 2)))
    gets, _ = observe(asked, attention_to(3, lambda query: {0: [1, 2], 1: [0, 2], 2: [0, 1]}[query]))
    by_key = dict(zip([one.measure for one in asked.questions], gets[0], strict=True))
    assert by_key["det>"] == by_key["det<"] == by_key["amod>"] == by_key["amod<"] == 0.5


def test_rounding_does_not_decide_between_two_alike() -> None:
    asked, _ = asked_of(sentence("a big dog", Pair("det", 0, 2)))
    for more, wanted in ((1 + 1e-6, 0.5), (1 + 1e-4, 1.0), (1 - 1e-4, 0.0)):
        attention = np.full((1, 3, 3), 0.25, np.float32)
        attention[0, 0, 2] *= np.float32(more)
        gets, _ = observe(asked, attention)
        at = [one.measure for one in asked.questions].index("det>")
        assert gets[0, at] == wanted


def test_a_first_token_that_is_a_resting_place_is_passed_over() -> None:
    one = sentence("a big old dog", Pair("amod", 1, 3), Pair("amod", 2, 3))
    weights = attention_to(4, lambda query: [0])
    weights[0, 3] = (0.7, 0.1, 0.2, 0.0)
    for before, wanted in ((0, 1.0), (1, 0.0)):
        asked, _ = asked_of(one, is_causal=True, before=before)
        assert asked.is_blocked == (before == 0)
        attention = np.zeros((1, 4 + before, 4 + before), np.float32)
        attention[:, before:, before:] = weights
        gets, _ = observe(asked, attention)
        at = [each.measure for each in asked.questions].index("amod<")
        assert gets[0, at] == wanted


def test_the_antecedent_has_to_have_more_than_every_distractor() -> None:
    asked, _ = asked_of(sentence("Ann met Eve and Ida , she said", Mention("pronoun", 6, 2, (0, 4))))
    at = [one.measure for one in asked.questions].index("prefers")
    for ann, eve, ida, wanted in (
        (0.1, 0.3, 0.2, 1),
        (0.3, 0.2, 0.1, 0),
        (0.1, 0.2, 0.3, 0),
        (0.1, 0.2, 0.2, 0),
        (0.2, 0.3, 0.2, 1),
    ):
        attention = np.full((1, 8, 8), 0.05, np.float32)
        attention[0, 6, [0, 2, 4]] = ann, eve, ida
        assert observe(asked, attention)[0][0, at] == wanted


def test_a_question_no_case_of_which_has_a_target_gets_nothing() -> None:
    none = np.zeros((2, 4), bool)
    some = np.array([[False, True, False, False]])
    for ways in (("weight", "weight"), ("largest", "largest")):
        empty = Question("empty", ways[0], "all", np.array([2, 3]), none, has_self=True)
        full = Question("full", ways[1], "all", np.array([3]), some, has_self=True)
        for questions in ((empty,), (empty, full), (full, empty), (full, empty, full)):
            asked = Asked("s", 0, 0, encoding_of("abcd", [(0, 1)] * 4), None, questions)
            gets, weights = observe(asked, attention_to(4, lambda query: [1]))
            wanted = [[float(one is full) for one in questions]]
            assert gets.tolist() == weights.tolist() == wanted


def test_words_get_the_sum_of_their_tokens_and_give_the_mean() -> None:
    asked, _ = asked_of(sentence("ab cd"), before=1)
    aligned = Aligned(1, (range(0, 1), range(1, 3)), (0, 1), ((0,), (1,)))
    whole = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    levels = levels_of(replace(asked, aligned=aligned), whole)
    assert levels["all"] is whole
    assert levels["token"].tolist() == whole[:, 1:, 1:].tolist()
    assert levels["word"].tolist() == [[[5, 6 + 7], [(9 + 13) / 2, (10 + 11 + 14 + 15) / 2]]]


def test_question_finds_what_was_asked() -> None:
    asked, _ = asked_of(FEW.sentences[0])
    assert question(asked, "det>").n == 1
    assert question(asked, "obj>") is None

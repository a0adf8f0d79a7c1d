"""From what heads get in each text to scores, with the best that can be guessed and why there may be none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.analysis.bootstrap import interval
from attnviz.corpus.corpus import Mention, Pair
from attnviz.errors import Cancelled
from attnviz.probing.cases import FARTHEST, Asked, Question, offset_hits
from attnviz.probing.measures import measures_of
from attnviz.probing.numbers import Numbers
from attnviz.probing.plan import Plan, plan_for
from attnviz.probing.scores import score_measures
from tests.probing.small import FEW, corpus_of, encoding_of, sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.model import Model
    from attnviz.probing.scores import Measured

SHAPE = (2, 3)


def looks(measure: str, *steps: int, n: int = 30, **guessed: float) -> Question:
    """A question whose right keys are so many places from their queries."""
    queries = np.arange(10, 10 + len(steps))
    targets = np.zeros((len(steps), n), bool)
    targets[np.arange(len(steps)), queries + steps] = True
    return Question(measure, "largest", "word", queries, targets, guessed, offset_hits(queries, targets))


def text(number: int, *questions: Question, group: int | None = None, half: int | None = None, **more: int | None) -> Asked:
    group = number if group is None else group
    half = group % 2 if half is None else half
    return Asked(f"t{number}", group, half, encoding_of("x", [(0, 1)]), None, questions, sentence=number, **more)


def scored(texts: Sequence[Asked], gets: Sequence[Sequence[float]] | None = None, **more: object) -> dict[str, Measured]:
    """The measures of some texts in which each head gets so much of each question."""
    gets = [[0.0] * len(one.questions) for one in texts] if gets is None else gets
    arrays = tuple(np.broadcast_to(np.array(one, np.float32), (*SHAPE, len(one))).copy() for one in gets)
    plan = Plan(corpus_of(sentence("x")), tuple(texts), ())
    measured = score_measures(plan, Numbers(arrays, tuple(2 * one for one in arrays)), False, False, **more)
    return {one.measure.key: one for one in measured}


def test_a_score_is_over_all_cases_of_the_corpus() -> None:
    texts = [text(0, looks("det>", 1, 2)), text(1, looks("obj>", 1)), text(2, looks("obj>", 1), looks("det>", 1, 1, 1))]
    found = scored(texts, [[1.0], [0.0], [1.0, 3.0]])
    det = found["det>"]
    assert det.score.tolist() == np.full(SHAPE, np.float32(0.8)).tolist()
    assert (det.n_case, det.n_text, det.texts.tolist(), det.cases.tolist()) == (5, 2, [0, 2], [2, 3])
    assert det.per_text[:, 0, 0].tolist() == [0.5, 1.0]
    assert det.weight[:, 1, 2].tolist() == [1.0, 2.0]
    assert (found["obj>"].n_case, found["obj>"].score[0, 0]) == (2, 0.5)
    for one in found.values():
        assert one.score.shape == one.low.shape == one.high.shape == SHAPE
        assert one.per_text.shape == one.weight.shape == (one.n_text, *SHAPE)


def test_measures_come_in_the_order_in_which_they_are_shown() -> None:
    assert list(scored([text(0, looks("det>", 1))])) == [one.key for one in measures_of(FEW.relations)]


def test_texts_of_one_group_are_drawn_together() -> None:
    gets = np.repeat([1, 0, 1, 1, 0, 1, 1, 0, 1, 1], 2).astype(float)  # partners agree
    alone = scored([text(at, looks("det>", 1)) for at in range(20)], [[got] for got in gets])["det>"]
    pairs = scored([text(at, looks("det>", 1), group=at // 2) for at in range(20)], [[got] for got in gets])["det>"]
    apart = interval(gets[:, None].astype(np.float32), np.ones(20, np.float32))
    together = interval(gets.reshape(10, 2).sum(axis=1)[:, None].astype(np.float32), np.full(10, 2, np.float32))
    assert (alone.low[0, 0], alone.high[0, 0]) == (apart[0][0], apart[1][0])
    assert (pairs.low[1, 2], pairs.high[1, 2]) == (together[0][0], together[1][0])
    assert pairs.high[0, 0] - pairs.low[0, 0] > 1.2 * (alone.high[0, 0] - alone.low[0, 0])
    assert alone.score[0, 0] == pairs.score[0, 0]
    assert (alone.n_text, pairs.n_text) == (20, 10)
    assert len(alone.texts) == len(pairs.texts) == 20


def test_the_best_baseline_counts() -> None:
    texts = [text(at, looks("det>", 1, 2, nearest=1.5, chance=0.5)) for at in range(4)]
    baseline = scored(texts)["det>"].baseline
    assert (baseline.name, baseline.score) == ("nearest", 0.75)
    assert dict(baseline.all) == {"nearest": 0.75, "chance": 0.25, "fixed offset +1": 0.5}


def test_the_fixed_offset_of_one_half_is_tried_on_the_other() -> None:
    agree = scored([text(at, looks("det>", 1, 1, 2)) for at in range(6)])["det>"].baseline
    assert dict(agree.all) == {"fixed offset +1": pytest.approx(2 / 3)}
    # In one half of the texts all keys are one place ahead, in the other two: nothing that is fitted elsewhere is right.
    differ = scored([text(at, looks("det>", *[1 + at % 2] * 3, chance=0.1)) for at in range(6)])["det>"].baseline
    assert dict(differ.all) == {"chance": pytest.approx(0.1 / 3), "fixed offset +1 or +2": 0.0, "fixed offset +1": 0.5}


def test_no_head_that_looks_at_one_offset_is_above_the_baseline() -> None:
    mixed = scored([text(0, looks("det>", -1, -1, 3)), text(1, looks("det>", 3, 3, -1, -2))])["det>"].baseline
    assert dict(mixed.all) == {"fixed offset -1 or +3": pytest.approx(2 / 7), "fixed offset -1": pytest.approx(3 / 7)}
    assert (mixed.name, mixed.score) == ("fixed offset -1", pytest.approx(3 / 7))


def test_a_measure_of_one_half_alone_is_guessed_with_its_own_best_offset() -> None:
    for half in (0, 1):
        baseline = scored([text(at, looks("det>", -2, -2, 1), half=half) for at in range(3)])["det>"].baseline
        assert (baseline.name, baseline.score) == ("fixed offset -2", pytest.approx(2 / 3))


def test_keys_out_of_reach_of_fixed_offsets_have_none() -> None:
    far = FARTHEST + 1
    assert dict(scored([text(0, looks("det>", far, n=90, chance=0.2))])["det>"].baseline.all) == {
        "chance": 0.2,
        "fixed offset": 0.0,
    }


def test_a_measure_without_offsets_is_guessed_by_what_its_questions_name() -> None:
    queries, targets = np.array([1, 2]), np.ones((2, 4), bool)
    question = Question("previous", "weight", "all", queries, targets, {"even attention": 0.5})
    baseline = scored([text(0, question), text(1, question)])["previous"].baseline
    assert baseline.all == (("even attention", 0.25),)


def prefers(n: int) -> Question:
    return Question(
        "prefers", "prefers", "word", np.arange(n), np.ones((n, 3), bool), {"chance": n / 2}, rivals=np.ones((n, 3), bool)
    )


def test_a_pair_flips_where_every_pronoun_of_both_prefers_its_antecedent() -> None:
    texts = [
        text(0, prefers(1), group=0, partner=1),
        text(1, prefers(2), group=0, partner=0),
        text(2, prefers(1), group=1, partner=3),
        text(3, prefers(1), group=1, partner=2),
        text(4, prefers(1), group=2, partner=5),
        text(5, looks("det>", 1), group=2, partner=4),
        text(6, prefers(1), group=3),
    ]
    found = scored(texts, [[1], [2], [1], [0], [1], [1], [1]])["flips"]
    assert (found.n_case, found.texts.tolist(), found.per_text[:, 0, 0].tolist()) == (2, [0, 2], [1, 0])
    assert found.score.tolist() == np.full(SHAPE, 0.5).tolist()
    assert (found.baseline.name, found.baseline.score) == ("chance", 0.25)
    assert scored(texts, [[1], [1], [1], [1], [1], [1], [1]])["flips"].per_text[:, 1, 1].tolist() == [0, 1]
    # A model reads shorter sentences first: the pairs are the same in any order.
    assert scored(texts[::-1], [[1], [1], [1], [0], [1], [2], [1]])["flips"].score[0, 0] == 0.5


def test_without_pairs_nothing_flips() -> None:
    found = scored([text(6, prefers(1))], [[1]])
    assert (found["flips"].n_case, found["flips"].baseline) == (0, None)
    assert found["flips"].why_none == "the corpus has no two sentences that differ in the word that decides"
    assert found["prefers"].n_case == 1


def test_what_never_occurs_is_no_number_and_says_why() -> None:
    found = scored([text(0, looks("det>", 1))])
    assert found["det>"].why_none is None
    for key, one in found.items():
        if key != "det>":
            assert (one.n_case, one.n_text, one.baseline) == (0, 0, None)
            assert np.isnan([one.score, one.low, one.high]).all()
            assert one.why_none


@pytest.mark.parametrize(
    ("case", "wanted"),
    [
        (
            "bert-mlm",
            {"induction": "causal models alone", "retrieval": "models that write", "relcl>": "never occurs in this corpus"},
        ),
        ("t5-tied", {"induction": "causal models alone", "retrieval": "models that write"}),
        (
            "gpt2-lm",
            {"next": "looks back alone", "offset+3": "looks back alone", "separators": "no specials", "retrieval": "long enough"},
        ),
        ("llama-gqa-bare", {"retrieval": "models that write", "det>": "which looks back alone, can see it"}),
        ("opt-lm", {"retrieval": "long enough", "separators": "no specials"}),
    ],
)
@pytest.mark.usefixtures("small_bundle")
def test_why_there_is_none_fits_the_model(tiny: Callable[[str], Model], case: str, wanted: dict[str, str]) -> None:
    model = tiny(case)
    plan = plan_for(
        model, corpus_of(sentence("The old dog slept", Pair("det", 0, 2)), sentence("Ann said she won", Mention("pronoun", 2, 0)))
    )
    stack = model.config.stack
    gets = tuple(np.zeros((stack.n_layer, stack.n_head, len(one.questions)), np.float32) for one in plan.texts)
    measured = score_measures(plan, Numbers(gets, gets), stack.looks[0].is_causal, model.writes)
    found = {one.measure.key: one for one in measured}
    assert set(wanted) <= {key for key, one in found.items() if one.why_none}
    for key, words in wanted.items():
        assert words in found[key].why_none
    for one in measured:
        assert (one.why_none is None) == (one.n_case > 0) == (one.baseline is not None)


def test_it_can_be_called_off_between_measures() -> None:
    calls = iter([False, False])
    with pytest.raises(Cancelled):
        scored([text(0, looks("det>", 1))], cancelled=lambda: next(calls, True))

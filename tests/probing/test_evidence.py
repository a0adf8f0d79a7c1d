"""The sentences that show what a head does: its best and worst ones, with the weights that it has there."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.errors import Cancelled
from attnviz.probing import evidence as evidence_module
from attnviz.probing.evidence import N_EACH, evidence_for
from attnviz.probing.kept import Shelf
from attnviz.probing.roles import measure_heads
from tests.probing.small import FEW, shrink_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from attnviz.engine.model import Model
    from attnviz.probing.evidence import Evidence, Shown
    from attnviz.probing.roles import HeadRoles

    Found = Callable[[str], tuple[Model, HeadRoles]]


@pytest.fixture(scope="module")
def found(tiny: Callable[[str], Model]) -> Iterator[Found]:
    """A tiny model with its roles over the few sentences, measured once."""
    with pytest.MonkeyPatch.context() as patch:
        shrink_bundle(patch)
        yield cache(lambda case: (tiny(case), measure_heads(tiny(case), FEW, muted=0, shelf=Shelf(None))))


def shown(evidence: Evidence) -> tuple[Shown, ...]:
    return evidence.best + evidence.worst


def by_hand(matrix: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """Attention between units: the sum to their tokens, the mean from them."""
    return np.array([[np.mean([sum(matrix[q, k] for k in key) for q in query]) for key in groups] for query in groups])


@pytest.mark.parametrize("case", ["bert-mlm", "bloom-lm", "t5-tied"])
def test_the_best_have_the_highest_scores_the_worst_the_lowest_and_none_is_both(found: Found, case: str) -> None:
    model, roles = found(case)
    for one in roles.measured:
        if not one.n_case or one.measure.key not in (
            "obj>",
            "det<",
            "nsubj<",
            "pronoun",
            "prefers",
            "previous",
            "rare",
            "entropy",
            "flips",
        ):
            continue
        evidence = evidence_for(model, roles, 1, 2, one.measure.key)
        scores = dict(zip(one.texts.tolist(), one.per_text[:, 1, 2].tolist(), strict=True))
        best, worst = ([each.text for each in side] for side in (evidence.best, evidence.worst))
        assert evidence.measured is one
        assert (evidence.layer, evidence.head) == (1, 2)
        assert len(best) == min(N_EACH, len(scores))
        assert len(worst) == min(N_EACH, len(scores) - len(best))
        assert not set(best) & set(worst)
        assert [each.score for each in shown(evidence)] == [scores[text] for text in (*best, *worst)]
        assert [scores[text] for text in best] == sorted(scores.values(), reverse=True)[: len(best)]
        assert [scores[text] for text in worst] == sorted(scores.values())[: len(worst)]
        assert all(each.id == roles.plan.texts[each.text].id for each in shown(evidence))


def test_of_texts_alike_the_one_with_more_weight_on_its_targets_is_better(found: Found) -> None:
    model, roles = found("bert-mlm")
    one = roles.by_key["nsubj>"]
    n = len(one.texts)
    even = replace(one, per_text=np.full_like(one.per_text, 0.5), cases=np.ones_like(one.cases))
    weights = np.random.default_rng(0).permutation(n).astype(np.float32)
    even.weight[:, 0, 0] = weights
    evidence = evidence_for(model, replace(roles, measured=(even,)), 0, 0, "nsubj>", n=3)
    order = even.texts[np.argsort(weights)].tolist()
    assert [each.text for each in evidence.best] == order[::-1][:3]
    assert [each.text for each in evidence.worst] == order[:3]


@pytest.mark.parametrize(("case", "kind"), [("bert-mlm", "encoder"), ("gpt2-lm", "decoder"), ("t5-tied", "encoder")])
def test_weights_are_those_of_the_sentence_alone(found: Found, case: str, kind: str) -> None:
    model, roles = found(case)
    for key, level in (("det<", "word"), ("offset-2", "token"), ("first", "all")):
        for each in shown(evidence_for(model, roles, 1, 0, key)):
            text = roles.plan.texts[each.text]
            matrix = model.trace(FEW.sentences[text.sentence].text, "x" if model.config.decoder else None).attention(1, kind)[0]
            first, n = text.aligned.first, text.n_token
            groups = {
                "all": [[at] for at in range(n)],
                "token": [[first + at] for at in range(text.aligned.n_token)],
                "word": [[first + at for at in group] for group in text.aligned.groups],
            }[level]
            wanted = by_hand(matrix, groups)
            assert len(each.units) == len(each.glued) == len(groups)
            for one in each.cases:
                np.testing.assert_allclose(one.weights, wanted[one.query], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", ["bert-mlm", "bloom-lm", "llama-gqa"])
@pytest.mark.parametrize("key", ["nsubj<", "obj>", "amod<", "name", "pronoun", "rare", "offset-3", "prefers", "retrieval"])
def test_hits_are_what_the_score_counts(found: Found, case: str, key: str) -> None:
    model, roles = found(case)
    if not roles.by_key[key].n_case:
        assert (case, key) in {("bert-mlm", "retrieval"), ("bloom-lm", "name")}
        return
    n = 0
    for head in range(roles.n_head):
        for each in shown(evidence_for(model, roles, 0, head, key)):
            asked = roles.plan.texts[each.text]
            question = next(one for one in asked.questions if one.measure == key)
            assert [one.query for one in each.cases][-1:] == [
                question.queries[-1] - (asked.n_token - len(each.units)) * (key == "retrieval")
            ]
            if len(each.cases) == question.n:
                assert np.mean([one.is_hit for one in each.cases]) == pytest.approx(each.score)
                n += 1
            for one in each.cases:
                if key not in ("prefers", "retrieval"):
                    assert one.is_hit == (one.largest in one.targets)
                    others = [at for at in range(len(each.units)) if key == "offset-3" or at != one.query]
                    others = [at for at in others if at or not asked.is_blocked]
                    assert one.weights[one.largest] == max(one.weights[at] for at in others)
    assert n


def test_a_needle_is_hit_only_where_the_model_says_it(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    model, roles = found("bloom-lm")
    question = roles.plan.texts[-1].questions[0]
    assert question.measure == "retrieval"
    one = roles.by_key["retrieval"]
    perfect = replace(one, per_text=np.ones_like(one.per_text))
    roles = replace(roles, measured=(perfect,))

    def looking(encodings: list[object], see: Callable[..., None], **more: object) -> object:
        for at, encoding in enumerate(encodings):
            asked = next(text for text in roles.plan.texts if text.encoding is encoding)
            attention = np.full((roles.n_head, asked.n_token, asked.n_token), 0.001, np.float32)
            attention[:, asked.questions[0].queries] += asked.questions[0].targets
            see(at, 0, attention)

    for says_it in (True, False):
        monkeypatch.setattr(evidence_module, "says", lambda model, packed, at, text, s=says_it: np.full(len(text.predicted), s))
        monkeypatch.setattr(model, "read_packed", looking)
        hits = [case.is_hit for each in shown(evidence_for(model, roles, 0, 0, "retrieval")) for case in each.cases]
        assert hits == [says_it] * len(hits)
        assert hits


def test_a_measure_that_adds_up_weights_has_no_hits(found: Found) -> None:
    model, roles = found("bert-mlm")
    for key in ("previous", "first", "entropy", "distance", "duplicate"):
        cases = [case for each in shown(evidence_for(model, roles, 0, 0, key)) for case in each.cases]
        assert cases
        assert {case.is_hit for case in cases} == {None}


def test_a_preference_shows_the_antecedent_as_the_target(found: Found) -> None:
    model, roles = found("bert-mlm")
    for key in ("prefers", "flips"):
        evidence = evidence_for(model, roles, 0, 1, key)
        assert evidence.best
        for each in shown(evidence):
            mention = FEW.sentences[roles.plan.texts[each.text].sentence].mentions[0]
            (case,) = each.cases
            assert (case.query, case.targets) == (mention.mention, (mention.antecedent,))
            right = case.weights[mention.antecedent] > case.weights[mention.distractors[0]]
            assert case.is_hit == right
            if key == "prefers":
                assert each.score == right
            elif each.score:
                assert right


def test_words_are_shown_as_they_are_written(found: Found) -> None:
    for case in ("bert-mlm", "gpt2-lm", "t5-tied", "llama-gqa"):
        model, roles = found(case)
        for each in shown(evidence_for(model, roles, 0, 0, "nsubj<")):
            words = FEW.sentences[roles.plan.texts[each.text].sentence].words
            for unit, word in zip(each.units, words, strict=True):
                assert unit == word or "[UNK]" in unit, case
            assert not any(each.glued)
        for each in shown(evidence_for(model, roles, 0, 0, "offset-2")):
            written = "".join(("" if glued else " ") + unit for unit, glued in zip(each.units, each.glued, strict=True))
            text = FEW.sentences[roles.plan.texts[each.text].sentence].text
            assert written.replace("·", " ").split() == text.split() or "[UNK]" in written


def test_the_end_of_a_long_generated_text_is_shown(found: Found) -> None:
    model, roles = found("bloom-lm")
    n_none = n_before = 0
    for key in ("duplicate", "induction", "retrieval"):
        for head in range(roles.n_head):
            for each in shown(evidence_for(model, roles, 1, head, key)):
                asked = roles.plan.texts[each.text]
                question = next(one for one in asked.questions if one.measure == key)
                n = min(asked.n_token, evidence_module._MOST_TOKENS)
                cut = asked.n_token - n
                assert each.units == tuple(token.shown.strip("·") or token.shown for token in asked.encoding.tokens[cut:])
                assert len(each.glued) == n
                assert [case.query + cut for case in each.cases] == [int(query) for query in question.queries if query >= cut]
                for case in each.cases:
                    at = question.queries.tolist().index(case.query + cut)
                    right = np.flatnonzero(question.targets[at])
                    assert [target + cut for target in case.targets] == [key for key in right if key >= cut]
                    assert len(case.weights) == n
                    assert 0 <= case.query < n
                    if case.largest is None:
                        n_none += 1
                        assert case.weights.sum() < 1
                    else:
                        assert case.weights[case.largest] == case.weights.max()
                    n_before += len(right) > len(case.targets)
    assert n_none
    assert n_before


def test_a_sentence_of_the_corpus_is_shown_whole(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_module, "_MOST_TOKENS", 4)
    model, roles = found("bert-mlm")
    for each in shown(evidence_for(model, roles, 0, 0, "previous")):
        assert len(each.units) == roles.plan.texts[each.text].n_token > 4


def test_a_measure_without_cases_has_no_texts_and_the_model_is_not_run(found: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    model, roles = found("bert-mlm")
    monkeypatch.setattr(model, "read_packed", None)
    evidence = evidence_for(model, roles, 0, 0, "relcl>")
    assert (evidence.best, evidence.worst) == ((), ())
    assert evidence.measured.why_none


def test_as_many_as_are_wanted_are_shown(found: Found) -> None:
    model, roles = found("bert-mlm")
    n_text = len(roles.by_key["nsubj>"].texts)
    for n in (0, 1, 3, n_text // 2 + 1, n_text + 5):
        evidence = evidence_for(model, roles, 0, 0, "nsubj>", n=n)
        assert len(evidence.best) == min(n, n_text)
        assert len(evidence.worst) == min(n, n_text - len(evidence.best))


def test_what_is_not_there_is_refused_and_it_can_be_called_off(found: Found) -> None:
    model, roles = found("bert-mlm")
    with pytest.raises(KeyError):
        evidence_for(model, roles, 0, 0, "no such measure")
    for layer, head in ((2, 0), (0, 3)):
        for key in ("nsubj>", "relcl>"):
            with pytest.raises(IndexError):
                evidence_for(model, roles, layer, head, key)
    with pytest.raises(Cancelled):
        evidence_for(model, roles, 0, 0, "nsubj>", cancelled=lambda: True)

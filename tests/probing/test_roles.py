"""Which heads have a role: enough evidence, the published score and a clear distance from what can be guessed, all three."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.corpus.corpus import Pair
from attnviz.errors import Cancelled, InputError
from attnviz.probing import roles as roles_module
from attnviz.probing.kept import Shelf
from attnviz.probing.measures import GROUPS, LEAST_CASES, LEAST_TEXTS, MARGIN, measures_of
from attnviz.probing.plan import Plan
from attnviz.probing.roles import Begun, HeadRoles, holds, kept_roles, measure_heads
from attnviz.probing.scores import Baseline, Measured
from tests.probing.small import FEW, corpus_of, sentence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model

NOWHERE = Shelf(None)
MEASURES = {one.key: one for one in measures_of(FEW.relations)}
SHAPE = (2, 3)


def measured_as(
    key: str, low: float, score: float | None = None, baseline: float | None = 0.2, cases: int = 100, texts: int = 50
) -> Measured:
    """A measure that all heads have the same numbers of."""
    score = low + 0.05 if score is None else score
    ends = [np.full(SHAPE, value, np.float32) for value in (score, low, 2 * score - low)]
    guess = None if baseline is None else Baseline("chance", baseline)
    empty = np.zeros((0, *SHAPE), np.float32)
    return Measured(MEASURES[key], *ends, cases, texts, guess, None, np.zeros(0, np.intp), np.zeros(0, np.float32), empty, empty)


def roles_of(*measured: Measured) -> HeadRoles:
    return HeadRoles("model", "0" * 64, Plan(FEW, (), ()), "encoder", measured, None, False)


def at(measured: Measured, layer: int, head: int) -> Measured:
    """The same for one head, nothing for the others."""
    is_there = np.zeros(SHAPE, bool)
    is_there[layer, head] = True
    numbers = {name: np.where(is_there, getattr(measured, name), 0).astype(np.float32) for name in ("score", "low", "high")}
    return replace(measured, **numbers)


def test_a_role_takes_evidence_the_published_score_and_a_distance_from_the_best_guess() -> None:
    whole = measured_as("previous", low=0.51)
    assert holds(whole).all()
    for lacks in (
        {"n_case": LEAST_CASES - 1},
        {"n_text": LEAST_TEXTS - 1},
        {"score": np.full(SHAPE, MEASURES["previous"].threshold - 0.01, np.float32)},
        {"low": np.full(SHAPE, 0.2 + MARGIN - 0.01, np.float32)},
        {"baseline": Baseline("chance", 0.51 - MARGIN + 0.01)},
        {"baseline": None},
        {"measure": replace(MEASURES["previous"], is_role=False)},
    ):
        assert not holds(replace(whole, **lacks)).any(), lacks
    for enough in (
        {"n_case": LEAST_CASES},
        {"n_text": LEAST_TEXTS},
        {"score": np.full(SHAPE, MEASURES["previous"].threshold, np.float32)},
        {"low": np.full(SHAPE, 0.2 + MARGIN + 0.001, np.float32)},
    ):
        assert holds(replace(whole, **enough)).all(), enough


def test_without_a_published_score_the_margin_is_all() -> None:
    assert MEASURES["det>"].threshold is None
    assert holds(measured_as("det>", low=0.31)).all()
    assert not holds(measured_as("det>", low=0.29, score=0.99)).any()


def test_each_head_is_judged_by_its_own_numbers() -> None:
    found = measured_as("previous", low=0.9)
    found.score[0, 1] = 0.49
    found.low[1, 2] = 0.29
    found.score[1, 0] = found.low[1, 0] = np.nan
    assert holds(found).tolist() == [[True, False, True], [False, True, False]]


@pytest.mark.parametrize("key", ["entropy", "distance", "sinks", "prefers", "flips"])
def test_what_is_no_job_is_never_a_role(key: str) -> None:
    assert not holds(measured_as(key, low=99.0)).any()


def test_jobs_come_before_resting_places_and_the_clearest_first() -> None:
    roles = roles_of(
        measured_as("first", low=0.95),
        measured_as("previous", low=0.6),
        measured_as("det>", low=0.7, baseline=0.1),
        measured_as("obj>", low=0.75, baseline=0.5),
        measured_as("punctuation", low=0.97),
    )
    assert [role.measure.key for role in roles.roles(1, 2)] == ["det>", "previous", "obj>", "punctuation", "first"]
    role = roles.roles(0, 0)[0]
    assert (role.layer, role.head, role.baseline) == (0, 0, 0.1)
    assert [role.low, role.score, role.high, role.above] == pytest.approx([0.7, 0.75, 0.8, 0.6])


def test_heads_with_a_role_come_the_clearest_first() -> None:
    found = measured_as("det>", low=0.2)
    found.low[0, 2], found.low[1, 0], found.low[1, 1] = 0.5, 0.9, 0.6
    roles = roles_of(found)
    assert roles.heads_with("det>") == [(1, 0), (1, 1), (0, 2)]
    assert roles.roles(0, 0) == ()
    assert roles.roles(1, 0)[0].measured is found
    assert roles_of(measured_as("det>", low=0.1)).heads_with("det>") == []
    with pytest.raises(KeyError):
        roles.heads_with("obj>")


def test_heads_are_told_apart() -> None:
    roles = roles_of(at(measured_as("det>", low=0.9), 1, 2), at(measured_as("previous", low=0.9), 0, 0))
    assert {(layer, head): [role.measure.key for role in roles.roles(layer, head)] for layer in range(2) for head in range(3)} == {
        (0, 0): ["previous"],
        (0, 1): [],
        (0, 2): [],
        (1, 0): [],
        (1, 1): [],
        (1, 2): ["det>"],
    }
    assert (roles.n_layer, roles.n_head, roles.corpus, set(roles.by_key)) == (2, 3, FEW, {"det>", "previous"})


def test_measures_have_keys_of_their_own_a_group_and_something_to_say() -> None:
    measures = measures_of(FEW.relations)
    assert len({one.key for one in measures}) == len(measures)
    for one in measures:
        assert one.group in GROUPS
        assert one.title
        assert one.short
        assert one.counts
        assert one.source
        assert (one.group == "spread") <= (not one.is_role)
        assert one.threshold is None or 0 < one.threshold < 1
        assert len(one.short) <= 24 or not one.is_role
    assert not any(one.is_role for one in measures if one.unit in ("nats", "tokens"))


@pytest.mark.usefixtures("small_bundle")
@pytest.mark.parametrize(
    ("case", "kind", "is_causal"), [("bert-mlm", "encoder", False), ("gpt2-lm", "decoder", True), ("t5-tied", "encoder", False)]
)
def test_all_heads_of_a_model_are_measured(tiny: Callable[[str], Model], case: str, kind: str, is_causal: bool) -> None:
    model = tiny(case)
    roles = measure_heads(model, FEW, muted=3, shelf=NOWHERE)
    stack = model.config.stack
    assert (roles.kind, roles.is_causal, roles.model, roles.model_sha256) == (kind, is_causal, model.name, model.sha256)
    assert (roles.n_layer, roles.n_head) == (stack.n_layer, stack.n_head)
    for one in roles.measured:
        assert one.score.shape == (stack.n_layer, stack.n_head)
        if one.n_case:
            assert np.isfinite([one.score, one.low, one.high]).all()
            if one.measure.unit in ("accuracy", "share"):
                assert (one.score >= 0).all()
                assert (one.score <= 1 + 1e-5).all()
        else:
            assert np.isnan(one.score).all()
            assert one.why_none
    assert roles.by_key["relcl>"].n_case == 0
    assert roles.by_key["det<"].n_case > 0
    score, low, high = roles.importance.score, roles.importance.low, roles.importance.high
    assert roles.importance.n_text == 3
    assert (low <= score + 1e-7).all()
    assert (score <= high + 1e-7).all()
    assert (score > 0).all()


@pytest.mark.usefixtures("small_bundle")
def test_of_an_encoder_decoder_it_is_the_encoder_that_is_measured(tiny: Callable[[str], Model]) -> None:
    model = tiny("t5-tied")
    roles = measure_heads(model, FEW, muted=0, shelf=NOWHERE)
    asked = [text for text in roles.plan.texts if text.sentence is not None]
    for layer in range(roles.n_layer):
        gets = np.zeros(roles.n_head)
        for text in asked:
            attention = model.trace(FEW.sentences[text.sentence].text, "x").attention(layer, "encoder")
            gets += attention[:, range(1, text.n_token - 1), range(text.n_token - 2)].sum(axis=1)
        found = roles.by_key["previous"]
        np.testing.assert_allclose(gets / found.n_case, found.score[layer], atol=1e-4)


@pytest.mark.usefixtures("small_bundle")
def test_no_muting_is_no_importance(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roles_module, "mute_heads", None)
    assert measure_heads(tiny("bert-mlm"), FEW, muted=0, shelf=NOWHERE).importance is None


@pytest.mark.usefixtures("small_bundle")
def test_importance_is_the_mean_over_the_sentences(tiny: Callable[[str], Model]) -> None:
    roles = measure_heads(tiny("bert-mlm"), FEW, muted=5, shelf=NOWHERE)
    plan, texts = roles.plan, roles_module.muted_texts(tiny("bert-mlm"), roles.plan, 5)
    changes = roles_module.mute_heads(tiny("bert-mlm"), plan, texts, NOWHERE).changes
    np.testing.assert_allclose(roles.importance.score, changes.mean(axis=0), rtol=1e-5)


@pytest.mark.usefixtures("small_bundle")
def test_sentences_longer_than_the_model_reads_are_named(tiny: Callable[[str], Model]) -> None:
    long = sentence(" ".join(["The old dog slept"] * 12), Pair("det", 0, 2), id="long")
    roles = measure_heads(tiny("opt-lm"), corpus_of(*FEW.sentences, long), muted=0, shelf=NOWHERE)
    assert roles.plan.too_long == ("long",)
    assert roles.by_key["det<"].n_case == measure_heads(tiny("opt-lm"), FEW, muted=0, shelf=NOWHERE).by_key["det<"].n_case
    with pytest.raises(InputError, match="can read none of its sentences"):
        measure_heads(tiny("opt-lm"), corpus_of(long), shelf=NOWHERE)


@pytest.mark.usefixtures("small_bundle")
def test_progress_is_told_and_it_can_be_called_off(tiny: Callable[[str], Model]) -> None:
    reading: list[tuple[int, int]] = []
    muting: list[tuple[int, int]] = []
    measure_heads(
        tiny("bert-mlm"),
        FEW,
        muted=2,
        shelf=NOWHERE,
        reading=lambda *done: reading.append(done),
        muting=lambda *done: muting.append(done),
    )
    assert reading
    assert muting
    for told in (reading, muting):
        assert told == sorted(told)
        assert told[-1][0] == told[-1][1]
    for wait in (0, 1, 4, 30):
        calls = iter([False] * wait)
        with pytest.raises(Cancelled):
            measure_heads(tiny("bert-mlm"), FEW, muted=2, shelf=NOWHERE, cancelled=lambda calls=calls: next(calls, True))


@pytest.mark.usefixtures("small_bundle")
def test_kept_roles_are_those_that_were_measured_and_nothing_is_measured(
    tiny: Callable[[str], Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, shelf = tiny("bert-mlm"), Shelf(tmp_path / "shelf")
    begun = kept_roles(model, FEW, shelf=shelf)
    assert isinstance(begun, Begun)
    assert (begun.done, begun.n_sentence) == (0, len(FEW.sentences))
    measure_heads(model, FEW, muted=0, shelf=shelf)
    half = kept_roles(model, FEW, shelf=shelf)
    assert 0 < half.done < half.total == begun.total
    whole = measure_heads(model, FEW, shelf=shelf)
    monkeypatch.setattr(model, "read_packed", None)
    kept = kept_roles(model, FEW, shelf=shelf)
    assert isinstance(kept, HeadRoles)
    for one, other in zip(kept.measured, whole.measured, strict=True):
        assert np.array_equal(one.score, other.score, equal_nan=True)
    assert np.array_equal(kept.importance.score, whole.importance.score)

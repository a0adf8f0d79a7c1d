"""The texts that a model is asked: which, in which order and packs, and what makes two plans the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attnviz.corpus.corpus import Mention, Pair
from attnviz.engine.model import load_model
from attnviz.errors import InputError
from attnviz.probing import plan as plan_module
from attnviz.probing.plan import PACK_TOKENS, packs_of, plan_for
from tests.golden.families_reader import write_model
from tests.probing.small import FEW, corpus_of, sentence

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.probing.plan import Plan


pytestmark = pytest.mark.usefixtures("small_bundle")


def test_shorter_sentences_come_first_and_generated_texts_last(tiny: Callable[[str], Model]) -> None:
    texts = plan_for(tiny("bloom-lm"), FEW).texts
    n = len(FEW.sentences)
    assert sorted(text.sentence for text in texts[:n]) == list(range(n))
    assert [text.n_token for text in texts[:n]] == sorted(text.n_token for text in texts[:n])
    assert len(texts) > n
    assert all(text.sentence is None for text in texts[n:])
    for text in texts[:n]:
        assert text.id == FEW.sentences[text.sentence].id
        assert text.encoding == tiny("bloom-lm").tokenizer.encode(FEW.sentences[text.sentence].text, None, 10_000)


def test_partners_are_one_group_and_on_one_side(tiny: Callable[[str], Model]) -> None:
    texts = {text.id: text for text in plan_for(tiny("bert-mlm"), FEW).texts}
    groups: dict[int, set[str]] = {}
    for text in texts.values():
        groups.setdefault(text.group, set()).add(text.id)
        if text.sentence is not None:
            assert text.half == text.group % 2
    pairs = {frozenset({f"flip-{number}a", f"flip-{number}b"}) for number in range(4)}
    assert {frozenset(ids) for ids in groups.values() if len(ids) > 1} == pairs
    assert {text.half for text in texts.values()} == {0, 1}
    for number in range(4):
        one, other = texts[f"flip-{number}a"], texts[f"flip-{number}b"]
        assert (FEW.sentences[one.partner].id, FEW.sentences[other.partner].id) == (other.id, one.id)
    assert texts["plain-0"].partner is None


@given(st.lists(st.integers(1, 700), max_size=60))
@example([])
@example([PACK_TOKENS, 1, PACK_TOKENS - 1])
def test_packs_hold_each_text_once_and_no_more_than_fits(lengths: list[int]) -> None:
    packs = packs_of(lengths)
    assert [at for pack in packs for at in pack] == list(range(len(lengths)))
    for pack, behind in zip(packs, (*packs, ())[1:], strict=True):
        taken = sum(lengths[at] for at in pack)
        assert taken <= PACK_TOKENS or len(pack) == 1
        assert not behind or taken + lengths[behind[0]] > PACK_TOKENS


def test_what_a_model_does_not_read_whole_is_named(tiny: Callable[[str], Model]) -> None:
    model = tiny("opt-lm")
    long = sentence(" ".join(["The old dog saw it"] * 8), Pair("nsubj", 2, 3), id="long")
    plan = plan_for(model, corpus_of(*FEW.sentences, long))
    assert plan.too_long == ("long",)
    assert {text.id for text in plan.texts} == {one.id for one in FEW.sentences}
    assert all(text.n_token <= model.config.n_position for text in plan.texts)


def test_a_token_that_the_model_has_no_vector_for_is_not_asked(
    tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny("bloom-lm")
    numbers = {one.id: model.tokenizer.encode(one.text, None, 1_000).ids.max() for one in FEW.sentences}
    rarest = max(numbers, key=lambda name: numbers[name])
    monkeypatch.setattr(model, "config", replace(model.config, n_vocab=int(numbers[rarest])))
    plan = plan_for(model, FEW)
    assert rarest in plan.too_long
    assert all(text.encoding.ids.max() < model.config.n_vocab for text in plan.texts)


def test_a_corpus_of_which_nothing_can_be_read_is_refused_with_its_name(tiny: Callable[[str], Model]) -> None:
    corpus = corpus_of(sentence(" ".join(["word"] * 100)), name="long words")
    with pytest.raises(InputError, match=r"^long words: .* can read none of its sentences; use another corpus\.$"):
        plan_for(tiny("opt-lm"), corpus)


def test_what_cannot_be_asked_is_counted_over_all_sentences(tiny: Callable[[str], Model]) -> None:
    assert plan_for(tiny("bert-mlm"), FEW).left_out.ahead == 0
    left_out = plan_for(tiny("bloom-lm"), FEW).left_out
    assert left_out.words == 0
    n_link = sum(len(one.pairs) for one in FEW.sentences) + 1  # one of them counts as far as well
    assert 0 < left_out.rest < left_out.ahead
    assert left_out.ahead == n_link  # each one looks ahead in one direction; mentions look back


def changed(one: Plan, **changes: object) -> Plan:
    """The plan with another first question in its first text."""
    first = one.texts[0]
    questions = (replace(first.questions[0], **changes), *first.questions[1:])
    return replace(one, texts=(replace(first, questions=questions), *one.texts[1:]))


def test_a_plan_has_another_digest_with_anything_that_its_numbers_depend_on(tiny: Callable[[str], Model]) -> None:
    plan = plan_for(tiny("bert-mlm"), FEW)
    first, question = plan.texts[0], plan.texts[0].questions[0]
    targets = question.targets.copy()
    targets[0] = ~targets[0]
    others = [
        replace(plan, texts=plan.texts[1:]),
        replace(plan, packs=tuple((at,) for at in range(len(plan.texts)))),
        replace(plan, texts=(replace(first, is_blocked=True), *plan.texts[1:])),
        replace(plan, texts=(replace(first, encoding=plan.texts[1].encoding), *plan.texts[1:])),
        replace(plan, texts=(replace(first, predicted=((0, 1),)), *plan.texts[1:])),
        replace(plan, texts=(replace(first, aligned=replace(first.aligned, groups=first.aligned.groups[1:])), *plan.texts[1:])),
        changed(plan, measure="other"),
        changed(plan, way="largest"),
        changed(plan, level="token"),
        changed(plan, has_self=True),
        changed(plan, queries=question.queries + 1),
        changed(plan, targets=targets),
        changed(plan, rivals=targets),
    ]
    digests = [one.digest for one in others]
    assert len({plan.digest, *digests}) == len(others) + 1
    assert plan_for(tiny("bert-mlm"), FEW).digest == plan.digest


def test_other_distractors_are_another_plan(tiny: Callable[[str], Model]) -> None:
    text, plans = "Ann met Eve and Ida so she left", []
    for rivals in ((0,), (4,), (0, 4)):
        plans.append(plan_for(tiny("bert-mlm"), corpus_of(sentence(text, Mention("pronoun", 6, 2, rivals)))))
    assert len({plan.digest for plan in plans}) == 3


def test_words_cut_elsewhere_are_another_plan(tiny: Callable[[str], Model]) -> None:
    one = sentence("abc de", Pair("det", 0, 1))
    texts = [replace(one, words=(one.text[:at], one.text[at:]), spans=((0, at), (at, 6))) for at in (1, 2)]
    plans = [plan_for(tiny("bert-mlm"), corpus_of(text)) for text in texts]
    assert plans[0].texts[0].encoding == plans[1].texts[0].encoding
    assert plans[0].texts[0].aligned != plans[1].texts[0].aligned
    assert plans[0].digest != plans[1].digest


def test_another_corpus_with_the_same_sentences_is_the_same_plan(tiny: Callable[[str], Model]) -> None:
    assert plan_for(tiny("bert-mlm"), replace(FEW, name="other", sha256="0")).digest == plan_for(tiny("bert-mlm"), FEW).digest


def test_another_version_of_the_program_is_another_plan(tiny: Callable[[str], Model], monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan_for(tiny("bert-mlm"), FEW).digest
    monkeypatch.setattr(plan_module, "VERSION", plan_module.VERSION + 1)
    assert plan_for(tiny("bert-mlm"), FEW).digest != before


def test_an_encoder_decoder_is_asked_as_the_encoder_that_it_has(tiny: Callable[[str], Model]) -> None:
    plan = plan_for(tiny("t5-tied"), FEW)
    keys = {one.measure for text in plan.texts for one in text.questions}
    assert "next" in keys
    assert not {"induction", "retrieval"} & keys
    assert not any(text.is_blocked for text in plan.texts)


def test_a_decoder_without_a_prediction_head_has_no_needles(tmp_path: Path) -> None:
    texts = plan_for(load_model(write_model("llama-gqa-bare", tmp_path)), FEW).texts
    keys = {one.measure for text in texts for one in text.questions}
    assert "induction" in keys
    assert "retrieval" not in keys

"""The texts of a plan can be typed: what is typed gives their tokens again, and what cannot be typed is not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from attnviz.corpus.opening import bundled_corpus
from attnviz.engine.model import load_model
from attnviz.probing import plan as plan_module
from attnviz.probing.plan import plan_for
from attnviz.probing.reading import asked_token, typed_text
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.model import Model
    from attnviz.probing.plan import Plan

# WordPiece, byte-level and SentencePiece.
CASES: Final = ("bert-mlm", "gpt2-lm", "llama-gqa")


@pytest.fixture(scope="module")
def few() -> Corpus:
    """Some sentences of the bundled corpus, of all its parts."""
    whole = bundled_corpus()
    return replace(whole, sentences=tuple(replace(one, partner=None) for one in whole.sentences[::17]))


@pytest.fixture(scope="module", params=CASES)
def planned(request: pytest.FixtureRequest, few: Corpus, tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Plan]:
    """A model and its plan over these sentences."""
    model = load_model(write_model(request.param, tmp_path_factory.mktemp("models") / request.param))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "bundled_corpus", lambda: few)
        return model, plan_for(model, few)


def test_what_is_typed_gives_the_same_tokens(planned: tuple[Model, Plan]) -> None:
    model, plan = planned
    typed = [typed_text(model, plan, number) for number in range(len(plan.texts))]
    for asked, text in zip(plan.texts, typed, strict=True):
        if text is None:
            assert asked.sentence is None
        else:
            assert model.tokenizer.encode(text, None, model.config.n_position).ids.tolist() == asked.encoding.ids.tolist()
    generated = [text for asked, text in zip(plan.texts, typed, strict=True) if asked.sentence is None]
    assert any(text is not None for text in generated)


def test_sentences_are_typed_as_they_stand_in_the_corpus(planned: tuple[Model, Plan]) -> None:
    model, plan = planned
    for number, asked in enumerate(plan.texts):
        if asked.sentence is not None:
            assert typed_text(model, plan, number) == plan.corpus.sentences[asked.sentence].text


def test_the_token_that_is_asked_about_is_that_of_the_first_query(planned: tuple[Model, Plan]) -> None:
    _, plan = planned
    for number, asked in enumerate(plan.texts):
        for question in asked.questions:
            at = asked_token(plan, number, question.measure)
            first = int(question.queries[0])
            if question.level == "word":
                assert at - asked.aligned.first in asked.aligned.groups[first]
            elif question.level == "token":
                assert at == asked.aligned.first + first
            else:
                assert at == first
            assert 0 <= at < asked.n_token

"""What a what-if did to the output, and what a model predicts, for a run and a view."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.errors import InputError
from attnviz.session.effect import turned_tokens
from attnviz.session.predicting import places_of, predict
from attnviz.session.request import Request, Writing
from attnviz.session.run import Run, Runner
from attnviz.session.view import View
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "the cat sings in the house"


@pytest.fixture
def run_with(tmp_path: Path) -> Callable[..., Run]:
    """Runs a text with one of the tiny models."""
    runner = Runner()

    def run(case: str, text: str = TEXT, **how: object) -> Run:
        folder = tmp_path / case
        if not folder.exists():
            write_model(case, folder)
        return runner.run(Request(folder, text, **how))

    return run


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits.astype(float) - logits.max())
    return shifted / shifted.sum()


def test_the_tokens_that_turned_most_come_first(minilm_path: Path) -> None:
    changes = NOTHING.with_muted(HeadAt("encoder", 3, 1), True)
    run = Runner().run(Request(minilm_path, "The animal was tired.", changes=changes))
    turned = turned_tokens(run)
    assert [one.cosine for one in turned] == sorted(one.cosine for one in turned)
    assert sorted(one.position for one in turned) == list(range(len(run.trace.tokens)))
    for one in turned:
        a, b = run.trace.hidden[one.position].astype(float), run.trained.hidden[one.position].astype(float)
        assert one.cosine == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-6)
    assert run.cosine_to_trained == pytest.approx(np.mean([one.cosine for one in turned]), abs=1e-6)


def test_what_is_not_changed_has_not_turned(minilm_path: Path) -> None:
    run = Runner().run(Request(minilm_path, "The animal was tired.", changes=NOTHING.with_muting("frozen")))
    assert run.trace is run.trained
    assert {one.cosine for one in turned_tokens(run)} == {1.0}


def test_a_masked_model_predicts_at_its_masks(run_with: Callable[..., Run]) -> None:
    run = run_with("bert-mlm", "the [MASK] sings in the [MASK]")
    masks = [at for at, token in enumerate(run.trace.tokens) if token == "[MASK]"]
    assert places_of(run, View()) == tuple(masks)
    first, second = predict(run, View(), most=5)
    assert (first.position, second.position) == tuple(masks)
    whole = softmax(run.trace.logits()[masks[0]])
    best = np.argsort(-whole)[:5]
    assert [guess.number for guess in first.guesses] == best.tolist()
    assert np.allclose([guess.probability for guess in first.guesses], whole[best], atol=1e-5)
    assert first.actual is None
    assert all(guess.before is None for guess in first.guesses)


def test_without_a_mask_the_token_in_focus_is_predicted_and_its_own_rank_told(run_with: Callable[..., Run]) -> None:
    run = run_with("bert-mlm")
    assert places_of(run, View()) == ()
    (one,) = predict(run, View(focus=2))
    whole = softmax(run.trace.logits()[2])
    number = run.trace.ids[2]
    assert one.actual.number == number
    assert one.actual.probability == pytest.approx(whole[number], abs=1e-6)
    assert one.rank == 1 + int((whole > whole[number]).sum())
    assert places_of(run, View(focus=0)) == ()  # the tokenizer's own token


def test_a_causal_model_predicts_behind_the_last_token_or_the_one_in_focus(run_with: Callable[..., Run]) -> None:
    run = run_with("llama-gqa")
    last = len(run.trace.tokens) - 1
    (behind_the_end,) = predict(run, View())
    assert (behind_the_end.position, behind_the_end.is_next, behind_the_end.actual) == (last, True, None)
    (inside,) = predict(run, View(focus=2))
    assert inside.actual.number == run.trace.ids[3]
    cold = predict(run, View(temperature=0.0))[0].guesses
    assert (cold[0].number, cold[0].probability) == (behind_the_end.guesses[0].number, 1.0)
    hot = predict(run, View(temperature=2.0))[0].guesses[0]
    assert hot.probability == pytest.approx(softmax(run.trace.logits()[last] / 2.0)[hot.number], abs=1e-6)


def test_a_what_if_tells_each_probability_before_and_after(run_with: Callable[..., Run]) -> None:
    changes = NOTHING.with_muted(HeadAt("decoder", 0, 1), True)
    run = run_with("llama-gqa", changes=changes)
    last = len(run.trace.tokens) - 1
    now, before = softmax(run.trace.logits()[last]), softmax(run.trained.logits()[last])
    (one,) = predict(run, View())
    for guess in one.guesses:
        assert guess.probability == pytest.approx(now[guess.number], abs=1e-5)
        assert guess.before == pytest.approx(before[guess.number], abs=1e-5)
    assert {int(now.argmax()), int(before.argmax())} <= {guess.number for guess in one.guesses}
    assert not np.allclose(now, before, atol=1e-3)


def test_the_decoder_of_a_translator_predicts_whichever_attention_is_shown(run_with: Callable[..., Run]) -> None:
    run = run_with("t5-tied", pair="a dog")
    n_encoder, n_decoder = len(run.trace.tokens), len(run.trace.decoder_tokens)
    assert places_of(run, View()) == (n_decoder - 1,)
    assert places_of(run, View(focus=1, kind="encoder")) == (n_decoder - 1,)
    assert places_of(run, View(focus=1, kind="decoder")) == (1,)
    assert places_of(run, View(focus=n_encoder + 1, kind="cross")) == (1,)
    assert predict(run, View(kind="cross", focus=n_encoder))[0].position == 0


def test_a_model_without_a_head_predicts_nothing(minilm_path: Path) -> None:
    run = Runner().run(Request(minilm_path, "The [MASK] was tired."))
    assert not run.model.predicts
    assert run.model.mask == "[MASK]"
    assert predict(run, View(focus=2)) == ()


def test_writing_puts_the_likeliest_token_behind_the_text_and_goes_on_from_it(run_with: Callable[..., Run]) -> None:
    run = run_with("llama-gqa", writing=Writing(0.0))
    plain = run_with("llama-gqa")
    assert run.request.written == (int(plain.trace.logits()[-1].argmax()),)
    assert run.request.writing is None
    assert run.asked.writing == Writing(0.0)
    assert run.trace.ids == [*plain.trace.ids, *run.request.written]
    again = run_with("llama-gqa", writing=Writing(0.0), written=run.request.written)
    assert again.request.written == (*run.request.written, int(run.trace.logits()[-1].argmax()))


def test_the_same_seed_draws_the_same_tokens_and_another_one_others(run_with: Callable[..., Run]) -> None:
    def written(seed: int) -> tuple[int, ...]:
        numbers: tuple[int, ...] = ()
        for _ in range(12):
            numbers = run_with("llama-gqa", writing=Writing(3.0, seed), written=numbers).request.written
        return numbers

    assert written(0) == written(0)
    assert len({written(seed) for seed in range(4)}) > 1


def test_going_back_along_what_was_written_computes_nothing(run_with: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_with("llama-gqa")
    for _ in range(5):
        run = run_with("llama-gqa", writing=Writing(0.0), written=run.request.written)
    monkeypatch.setattr(type(run.model), "trace", lambda *args, **how: pytest.fail("something was computed"))
    for n in (3, 0, 5, 1):
        earlier = run_with("llama-gqa", written=run.request.written[:n])
        assert earlier.trace.ids == run.trace.ids[: len(run.trace.ids) - 5 + n]
        assert np.array_equal(earlier.trace.hidden, run.trace.hidden[: len(earlier.trace.ids)])


def test_a_model_ends_what_it_writes_with_its_own_token(run_with: Callable[..., Run], tmp_path: Path) -> None:
    plain = run_with("llama-gqa")
    end = int(plain.trace.logits()[-1].argmax())
    assert not run_with("llama-gqa", writing=Writing(0.0)).has_ended
    folder = write_model("llama-gqa", tmp_path / "ends")
    config = (folder / "config.json").read_text(encoding="utf-8")
    (folder / "config.json").write_text(config.replace('"eos_token_id": 2', f'"eos_token_id": {end}'), encoding="utf-8")
    run = Runner().run(Request(folder, TEXT, writing=Writing(0.0)))
    assert run.model.ends == {end}
    assert run.has_ended


def test_an_encoder_does_not_write(run_with: Callable[..., Run]) -> None:
    with pytest.raises(InputError, match="does not write"):
        run_with("bert-mlm", writing=Writing())


def test_a_run_is_compared_with_the_one_that_was_asked_for(run_with: Callable[..., Run]) -> None:
    run = run_with("llama-gqa")
    other = replace(run.request, text="a dog")
    both = run_with("llama-gqa", against=other)
    assert both.against.request == other
    assert both.against.trace.text == "a dog"
    assert both.request.against == other
    assert both.trace.text == TEXT

"""What models predict, as transformers does: in masked places, behind a text, token by token; from golden data.

Tolerances: 1e-4 for probabilities and attention, 1e-3 for their logarithms.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import numpy as np
import pytest

from attnviz.engine import model as model_module
from attnviz.engine.forward import predict
from tests.engine.changing import MINILM, opener
from tests.golden.families_reader import CASES, TOKENIZERS, read_about
from tests.golden.predictions_reader import (
    COOLER,
    CausalCase,
    MaskedCase,
    TranslatorCase,
    causal_cases,
    masked_cases,
    translator_cases,
)

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

PROBABILITIES: Final = 1e-4
LOGARITHMS: Final = 1e-3
WRITTEN: Final = (*causal_cases(), *translator_cases())
# Classes of transformers that have a prediction head, by their names' ends, and those whose layers look back alone.
PREDICTING: Final = ("ForMaskedLM", "ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "MTModel")
WRITING: Final = PREDICTING[1:]


def changes_its_rotations(one: CausalCase | TranslatorCase) -> bool:
    """Whether the continuation grows beyond the tokens up to which rotations are others, so that no run has the steps of all."""
    original = read_about(one.case)["config"].get("rope_parameters", {}).get("original_max_position_embeddings", 0)
    return one.case == "phi3-longrope" and len(one.ids) <= original < len(one.ids) + len(one.continuation)


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


def name_of(one: Any) -> str:
    return f"{one.case}-{len(one.ids)}"


def logarithms(logits: Any, temperature: float = 1.0) -> Any:
    """The logarithms of what softmax makes of logits, in float64."""
    wide = logits.astype(np.float64) / temperature
    wide -= wide.max(axis=-1, keepdims=True)
    return wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))


def assert_near(logits: Any, wanted: Any, what: str, temperature: float = 1.0) -> None:
    found = logarithms(logits, temperature)
    assert found.shape == wanted.shape, what
    far = np.abs(np.exp(found) - wanted).max()
    assert far <= PROBABILITIES, f"{what}: probabilities are {far:.1e} away"
    far = np.abs(found - np.log(wanted.astype(np.float64))).max()
    assert far <= LOGARITHMS, f"{what}: logarithms are {far:.1e} away"


@pytest.mark.parametrize("one", masked_cases(), ids=name_of)
def test_masked_places_have_the_probabilities_of_the_reference(opened: Opener, one: MaskedCase) -> None:
    model = opened(one.case)
    assert model.mask in one.text
    trace = model.trace(one.text)
    assert trace.ids == one.ids
    assert [at for at, token in enumerate(trace.tokens) if token == model.mask] == one.positions
    assert [at for at, number in enumerate(trace.ids) if number == model.tokenizer.number(model.mask)] == one.positions
    assert_near(trace.predictions(one.positions), one.probabilities, one.text)


@pytest.mark.parametrize("one", causal_cases(), ids=name_of)
def test_the_next_token_has_the_probabilities_of_the_reference_at_both_temperatures(opened: Opener, one: CausalCase) -> None:
    trace = opened(one.case).trace(one.text)
    assert trace.ids == one.ids
    (logits,) = trace.predictions([len(one.ids) - 1])
    assert_near(logits, one.probabilities, "temperature 1")
    assert_near(logits, one.cooler, f"temperature {COOLER}", COOLER)


def written_step_by_step(model: Model, one: CausalCase | TranslatorCase) -> list[Trace]:
    """The runs before each token of the continuation, each from the one before."""
    traces = [model.trace(one.text)]
    for n in range(1, len(one.continuation)):
        traces.append(model.trace(one.text, written=one.continuation[:n], like=traces[-1]))
    return traces


@pytest.mark.parametrize("one", WRITTEN, ids=name_of)
def test_greedy_continuations_are_those_of_the_reference_step_by_step(opened: Opener, one: CausalCase | TranslatorCase) -> None:
    model = opened(one.case)
    for n, trace in enumerate(written_step_by_step(model, one)):
        last = len(trace.output_pieces) - 1
        (logits,) = trace.predictions([last])
        assert_near(logits, one.step_probabilities[n], f"step {n}")
        if isinstance(one, TranslatorCase) or one.is_greedy:
            assert int(logits.argmax()) == one.continuation[n]


@pytest.mark.parametrize("one", [one for one in WRITTEN if not changes_its_rotations(one)], ids=name_of)
def test_one_run_of_the_whole_continuation_predicts_each_of_its_tokens(opened: Opener, one: CausalCase | TranslatorCase) -> None:
    trace = opened(one.case).trace(one.text, written=one.continuation[:-1])
    n, first = len(one.continuation), len(trace.output_pieces) - len(one.continuation)
    assert_near(trace.predictions(range(first, first + n)), one.step_probabilities, "all steps")


@pytest.mark.parametrize("one", causal_cases(), ids=name_of)
def test_the_last_step_attends_as_the_reference_does(opened: Opener, one: CausalCase) -> None:
    model = opened(one.case)
    trace = written_step_by_step(model, one)[-1]
    assert trace.ids == [*one.ids, *one.continuation[:-1]]
    last = len(trace.ids) - 1
    for layer, wanted in enumerate(one.last_attention):
        for found in (trace.attention(layer)[:, last], trace.attention_row(layer, last)):
            assert found.shape == wanted.shape
            assert np.abs(found - wanted).max() <= PROBABILITIES
    assert len(one.last_attention) == trace.n_layer


@pytest.mark.parametrize("case", ["bert-mlm", "albert-mlm", "llama-gqa", "gemma2-caps-windows", "t5-tied", "marian-mt"])
def test_predictions_are_rows_of_the_logits(opened: Opener, case: str) -> None:
    model = opened(case)
    logits = model.trace("Was it the fox?").logits()
    n = len(logits)
    largest = np.abs(logits).max()
    for positions in ([n - 1], [0, n - 1], [n - 1, 0], [n // 2] * 2, list(range(n)), np.array([0])):
        rows = model.trace("Was it the fox?").predictions(positions)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(rows, logits[list(positions)], rtol=0, atol=1e-6 * largest)
    trace = model.trace("Was it the fox?")
    assert trace.predictions([]).shape == (0, model.config.n_vocab)
    before = trace.predictions([0, n - 1])
    assert np.array_equal(trace.predictions([n - 1, 0]), before[::-1])  # each is made once
    whole = trace.logits()
    assert np.array_equal(trace.predictions([n - 1, 0]), whole[[n - 1, 0]])
    for other in (trace, model.trace("Was it the fox?")):
        with pytest.raises(IndexError):
            other.predictions([0, n])


def test_predictions_are_computed_for_the_tokens_asked_for_alone_and_once(opened: Opener) -> None:
    trace = opened("bert-mlm").trace("The [MASK] slept in the café.")
    with mock.patch.object(model_module, "predict", wraps=predict) as predicting:

        def n_predicted() -> list[int]:
            return [len(call.args[-1]) for call in predicting.call_args_list]

        for positions in ([2], [2], [2, 3, 2], [3, 2], [4, 5]):
            trace.predictions(positions)
        assert n_predicted() == [1, 1, 2]
        trace.logits()
        trace.predictions([6])
        trace.logits()
        assert n_predicted() == [1, 1, 2, len(trace.ids)]


@pytest.mark.parametrize("case", [MINILM, *(case for case in CASES if not read_about(case)["model"].endswith(PREDICTING))])
def test_a_model_without_a_head_predicts_nothing(opened: Opener, case: str) -> None:
    model = opened(case)
    trace = model.trace("Was it the fox?")
    assert not model.predicts
    assert not model.writes
    assert not trace.writes
    assert trace.predictions([0]) is None
    assert trace.predictions([]) is None
    assert trace.logits() is None


@pytest.mark.parametrize("case", [case for case in CASES if read_about(case)["model"].endswith(PREDICTING)])
def test_a_model_with_a_head_predicts_and_writes_or_fills_in_masks(opened: Opener, case: str) -> None:
    model, about = opened(case), read_about(case)
    writes = about["model"].endswith(WRITING)
    assert model.predicts
    assert model.writes == writes
    assert model.trace("Was it the fox?").writes == writes
    added = json.loads((TOKENIZERS / f"{about['tokenizer']}.json").read_text(encoding="utf-8"))["added_tokens"]
    masks = [token["content"] for token in added if "mask" in token["content"].lower()]
    assert model.mask == (None if writes else masks[0])
    assert writes or len(masks) == 1


@pytest.mark.parametrize("one", causal_cases()[:4], ids=name_of)
def test_a_written_end_is_a_token_like_any_other(opened: Opener, one: CausalCase) -> None:
    model = opened(one.case)
    trace = model.trace(one.text, written=[one.ids[0], *one.continuation[:2]])
    assert trace.predictions([len(trace.ids) - 1]).shape == (1, model.config.n_vocab)

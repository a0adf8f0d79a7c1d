"""The default model's traces against what transformers computed, without PyTorch.

tests/golden/make_minilm.py says how the golden data was made.

Tolerance: 2e-5 absolute, everywhere; the stored numbers are within 2.4e-7 of the reference's.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from tests.golden.cases import CASES, N_TOKENS
from tests.golden.reader import GoldenCase, read_case

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

TOLERANCE: Final = 2e-5
# Sums of up to 120 float32 weights: measured at most 4e-7 away from 1.
ROW_TOLERANCE: Final = 2e-6


@pytest.fixture(scope="module", params=list(CASES))
def golden(request: pytest.FixtureRequest) -> GoldenCase:
    """Each golden case in turn."""
    return read_case(request.param)


@pytest.fixture(scope="module")
def trace(minilm: Model, golden: GoldenCase) -> Trace:
    """The engine's run on the text of `golden`."""
    return minilm.trace(golden.text, golden.pair)


def test_the_golden_data_was_made_with_the_model_under_test(minilm_path: Path, golden: GoldenCase) -> None:
    assert hashlib.sha256((minilm_path / "model.safetensors").read_bytes()).hexdigest() == golden.model_sha256


def test_the_golden_data_holds_the_text_of_its_case(golden: GoldenCase) -> None:
    assert (golden.text, golden.pair) == CASES[golden.name]
    assert len(golden.ids) == N_TOKENS.get(golden.name, len(golden.ids))


def test_ids_and_tokens_are_those_of_the_reference(trace: Trace, golden: GoldenCase) -> None:
    assert list(trace.ids) == golden.ids
    assert list(trace.tokens) == golden.tokens


def test_attention_of_every_layer_is_that_of_the_reference(minilm: Model, trace: Trace, golden: GoldenCase) -> None:
    assert golden.attention.shape[0] == minilm.config.n_layer
    for layer, expected in enumerate(golden.attention):
        got = trace.attention(layer)
        assert got.shape == expected.shape
        assert np.abs(got - expected).max() <= TOLERANCE, f"layer {layer}"


def test_final_vectors_are_those_of_the_reference(trace: Trace, golden: GoldenCase) -> None:
    assert trace.hidden.shape == golden.hidden.shape
    assert np.abs(trace.hidden - golden.hidden).max() <= TOLERANCE


def test_rows_of_attention_are_positive_and_sum_to_1(minilm: Model, trace: Trace) -> None:
    for layer in range(minilm.config.n_layer):
        attention = trace.attention(layer)
        assert attention.min() >= 0.0
        assert np.abs(attention.sum(axis=-1, dtype=np.float64) - 1.0).max() <= ROW_TOLERANCE


def test_everything_in_a_trace_is_float32(minilm: Model, trace: Trace) -> None:
    arrays = [trace.hidden]
    for layer in range(minilm.config.n_layer):
        arrays += [trace.attention(layer), trace.q(layer), trace.k(layer)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_attention_follows_from_the_queries_and_keys_of_the_trace(minilm: Model, trace: Trace) -> None:
    """softmax(q·kᵀ/√d_head) per head, in float64: q and k are kept after projection and bias."""
    config = minilm.config
    width = config.d_model // config.n_head
    for layer in range(config.n_layer):
        q, k = trace.q(layer).astype(np.float64), trace.k(layer).astype(np.float64)
        for head, got in enumerate(trace.attention(layer)):
            own = slice(head * width, (head + 1) * width)
            scores = q[:, own] @ k[:, own].T / np.sqrt(width)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
            assert np.abs(got - weights / weights.sum(axis=-1, keepdims=True)).max() <= TOLERANCE

"""Each model family computes what transformers computes, on tiny models whose attention is far from even."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz import load_model
from attnviz.engine.budget import Recent
from attnviz.engine.families import FAMILIES
from tests.golden.families_reader import CASES, expected, read_about, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model

# Relative to the largest value of the array; the golden data's own storage adds 2^-22 at the most.
TOLERANCE = 5e-5


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Model]:
    folder: Path = tmp_path_factory.mktemp("model")
    return request.param, load_model(write_model(request.param, folder))


def assert_near(found: Any, wanted: Any, what: str) -> None:
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    far = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert far <= TOLERANCE, f"{what} is {far:.1e} away"


def test_every_family_has_golden_data() -> None:
    assert {read_about(case)["config"]["model_type"] for case in CASES} >= set(FAMILIES) - {"camembert"}


def test_tokens_attention_vectors_and_logits_equal_the_reference(case: tuple[str, Model]) -> None:
    name, model = case
    for wanted in expected(name):
        trace = model.trace(wanted.text, wanted.pair)
        assert trace.ids == wanted.ids.tolist()
        kind = trace.kinds[0]
        for layer, attention in enumerate(wanted.attention):
            assert_near(trace.attention(layer, kind), attention, f"{wanted.text!r} layer {layer}")
        assert trace.n_layer == len(wanted.attention)
        if wanted.decoder_ids is None:
            assert_near(trace.hidden, wanted.hidden, "hidden")
        else:
            assert trace.decoder_ids == wanted.decoder_ids.tolist()
            assert_near(trace.hidden, wanted.encoder_hidden, "encoder hidden")
            assert_near(trace.decoder_hidden, wanted.hidden, "decoder hidden")
            for layer, (own, cross) in enumerate(zip(wanted.decoder_attention, wanted.cross_attention, strict=True)):
                assert_near(trace.attention(layer, "decoder"), own, f"decoder layer {layer}")
                assert_near(trace.attention(layer, "cross"), cross, f"cross layer {layer}")
        logits = trace.logits()
        assert (logits is None) == (wanted.logits is None)
        if wanted.logits is not None:
            assert_near(logits[wanted.logits_rows], wanted.logits, "logits")


def test_attention_that_was_let_go_is_made_again_the_same(case: tuple[str, Model]) -> None:
    _, model = case
    trace = model.trace("Why not? The animal was tired.", "Why?" if len(model.config.kinds) > 1 else None)
    places = [(layer, kind) for kind in trace.kinds for layer in range(trace.n_layer_of(kind))]
    first = [trace.attention(*place) for place in places]
    trace._attention = Recent(0)  # keeps the newest alone
    for place, attention in zip(places, first, strict=True):
        again = trace.attention(*place)
        assert again is not attention
        assert np.array_equal(again, attention)


def test_rows_sum_to_one_with_the_sinks_share(case: tuple[str, Model]) -> None:
    _, model = case
    trace = model.trace("Why not? The animal was tired.", "Why?" if len(model.config.kinds) > 1 else None)
    for kind in trace.kinds:
        for layer in range(trace.n_layer_of(kind)):
            total = trace.attention(layer, kind).sum(axis=-1) + trace.sink(layer, kind)
            np.testing.assert_allclose(total, 1.0, atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_every_head_count_runs_from_sharded_half_precision_files(case: tuple[str, Model], dtype: str, tmp_path: Path) -> None:
    from attnviz.engine.heads import valid_head_counts

    name, _ = case
    model = load_model(write_model(name, tmp_path, dtype=dtype, shards=2))
    config = model.config
    for head_count in valid_head_counts(config.n_head, config.d_head):
        if config.decoder is not None and head_count not in valid_head_counts(config.decoder.n_head, config.decoder.d_head):
            continue
        trace = model.trace("Why not?", head_count=head_count)
        attention = trace.attention(0)
        assert attention.shape[0] == head_count
        assert np.isfinite(attention).all()
        assert np.isfinite(trace.hidden).all()

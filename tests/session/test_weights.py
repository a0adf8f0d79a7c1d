"""What a weight is, by quantity: against the definitions, in float64 and in loops, on the real model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.budget import Recent
from attnviz.engine.model import load_model
from attnviz.session.sight import sight_of
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import weights_of
from tests.engine.larger_models import write_larger
from tests.engine.test_memory import growth
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model

SHOWN = Sinks(treatment="show")


def test_a_norm_is_the_length_of_the_heads_value_behind_its_rows_of_the_output_projection(minilm: Model) -> None:
    trace = minilm.trace("The cat sat.")
    layer = 3
    weights = minilm._weights.stack.layer(layer).attention
    x = trace.entering(layer).astype(np.float64)
    v = (x @ weights.v.weight + weights.v.bias).reshape(len(x), 12, 32)
    out = weights.out.weight.astype(np.float64).reshape(12, 32, 384)
    norms, total, learned = weights_of(trace, "encoder", layer, range(12), "norms", False)
    for head in range(12):
        for key in range(len(x)):
            length = np.linalg.norm(v[key, head] @ out[head])
            assert np.allclose(norms[head, :, key], trace.attention(layer)[head, :, key] * length, rtol=1e-4, atol=1e-6)
    assert np.allclose(total, norms.sum(-1))
    assert not learned.any()


def test_the_norm_of_several_heads_is_that_of_the_sum_of_their_vectors(minilm: Model) -> None:
    trace = minilm.trace("The cat sat.")
    heads = [0, 5, 7]
    vectors = trace.value_vectors(2).astype(np.float64)[heads]
    attention = trace.attention(2).astype(np.float64)[heads]
    explicit = np.linalg.norm(np.einsum("hqk,hkd->qkd", attention, vectors), axis=-1)
    norms, _, _ = weights_of(trace, "encoder", 2, heads, "norms", True)
    assert np.allclose(norms[0], explicit, rtol=1e-5, atol=1e-7)


def test_special_tokens_gather_attention_but_hand_over_little(minilm: Model) -> None:
    """What Kobayashi et al. 2020, section 4.2, found of BERT: the norm shrinks what goes to [CLS] and [SEP]."""
    trace = minilm.trace("The animal didn't cross the street because it was tired.")
    special = [0, len(trace.tokens) - 1]
    shares = {}
    for quantity in ("attention", "norms"):
        sights = [sight_of(trace, View(layer, quantity=quantity, sinks=SHOWN)) for layer in range(6)]
        shares[quantity] = np.mean([(s.weights[:, :, special].sum(-1) / s.weights.sum(-1)).mean() for s in sights])
    assert shares["norms"] < 0.7 * shares["attention"]


def test_one_head_of_a_long_text_takes_no_memory_for_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(write_larger("llama-gqa", tmp_path, max_position_embeddings=1_024))
    trace = model.trace("the fox sat " * 200)
    n, whole = len(trace.tokens), trace.attention(1)
    monkeypatch.setattr("attnviz.engine.needs.ATTENTION_BUDGET", 0)
    trace._attention = Recent(0)
    for heads in ([3], [0, 2]):
        taken = growth(lambda heads=heads: weights_of(trace, "decoder", 1, heads, "attention", False))
        assert taken < (len(heads) + 1) * 4 * n * n < whole.nbytes
        assert np.abs(weights_of(trace, "decoder", 1, heads, "attention", False)[0] - whole[heads]).max() <= 1e-6


def test_rollout_is_the_product_of_the_layers_with_their_residuals(minilm: Model) -> None:
    trace = minilm.trace("The cat sat.")
    n = len(trace.tokens)
    for heads in (list(range(12)), [1], [0, 5, 7]):
        product = np.eye(n)
        for layer in range(6):
            product = (0.5 * trace.attention(layer).astype(np.float64)[heads].mean(axis=0) + 0.5 * np.eye(n)) @ product
            rolled, total, _ = weights_of(trace, "encoder", layer, heads, "rollout", False)
            assert rolled.shape == (1, n, n)
            assert np.allclose(rolled[0], product, atol=1e-6)
            assert np.allclose(total, 1.0, atol=1e-5)


def test_rollouts_of_two_stacks_asked_for_by_turns_are_each_their_own(tmp_path: Path) -> None:
    write_model("t5-tied", tmp_path)
    trace = load_model(tmp_path).trace("the fox sat", "the fox is")
    heads = list(range(trace.head_count))
    for layer in (0, 1, 0, 1):
        for kind in ("encoder", "decoder"):
            n = len(trace.queries(kind))
            product = np.eye(n)
            for below in range(layer + 1):
                product = (0.5 * trace.attention(below, kind).astype(np.float64).mean(axis=0) + 0.5 * np.eye(n)) @ product
            rolled, _, _ = weights_of(trace, kind, layer, heads, "rollout", False)
            assert np.allclose(rolled[0], product, atol=1e-6)


def test_a_models_own_sink_has_its_share_told_and_the_rest_adds_up(tmp_path: Path) -> None:
    write_model("gpt-oss-windows-yarn", tmp_path)
    trace = load_model(tmp_path).trace("the fox sat")
    for is_mean in (False, True):
        sight = sight_of(trace, View(1, is_mean=is_mean, sinks=SHOWN))
        assert 0.0 < sight.shares.learned < 1.0
        assert sight.weights.sum(-1).mean() + sight.shares.learned == pytest.approx(1.0, abs=1e-5)
    rolled = sight_of(trace, View(1, quantity="rollout", sinks=SHOWN))
    assert np.allclose(rolled.weights.sum(-1), 1.0, atol=1e-5)


@pytest.mark.parametrize("quantity", ["attention", "norms", "rollout"])
@pytest.mark.parametrize("is_mean", [False, True])
def test_a_decoder_that_looks_at_an_encoder_has_every_quantity_but_rollout(tmp_path: Path, quantity: str, is_mean: bool) -> None:
    write_model("t5-tied", tmp_path)
    trace = load_model(tmp_path).trace("the fox", "sat")
    sight = sight_of(
        trace, View(1, HeadChoice(frozenset({0, 1}), trace.head_count), kind="cross", quantity=quantity, is_mean=is_mean)
    )
    assert sight.quantity == ("attention" if quantity == "rollout" else quantity)
    assert sight.weights.shape[1:] == (len(trace.decoder_tokens), len(trace.tokens))
    assert np.isfinite(sight.weights).all()


@pytest.mark.parametrize("quantity", ["attention", "norms", "rollout"])
def test_no_heads_leave_an_empty_sight_where_there_are_heads_to_choose(minilm: Model, quantity: str) -> None:
    for is_mean in (False, True):
        sight = sight_of(minilm.trace("Hi."), View(0, HeadChoice(frozenset(), 12), quantity=quantity, is_mean=is_mean))
        assert np.isfinite(sight.weights).all()
        assert len(sight.heads) == len(sight.weights) == 0

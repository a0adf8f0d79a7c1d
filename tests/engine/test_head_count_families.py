"""The head-count slider against its definition in the design, for what families have beside BERT's plain heads.

Attention is computed here a second time from the queries and keys that a run left behind: float64, a loop over heads, formulas
as in the design and as the families' papers have them, settings from config.json and tensors from the golden models, nothing
from attnviz.engine. With N trained heads and H asked for:

- merge (H < N, g = N/H): scores_m = (s/√g)·Σ_h q_h·k_hᵀ over the g heads of the group, position biases and sinks averaged over
  it, then soft-cap, mask and softmax as in the model;
- split (H > N, g = H/N): q and k of each head in g slices, scores scaled by s·√g, biases and sinks those of the head.

Tolerance: 2e-5 absolute, as for BERT.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from attnviz import load_model
from attnviz.engine.config import Looking, Stack
from attnviz.engine.heads import apply_attention, valid_head_counts
from tests.engine.layers_in_float64 import t5_bucket
from tests.golden.families_reader import read_about, weights, write_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

Float64 = NDArray[np.float64]

TEXT: Final = "The animal didn't cross the street because it was tired; why not?"
PAIR: Final = "L'animal n'a pas traversé la rue."
TOLERANCE: Final = 2e-5


@dataclass(frozen=True)
class Heads:
    """What a layer's attention is made with, beside queries and keys.

    bias: [head, query, key] on the scores; sinks: [head] scores of a key that is not there; hidden: [query, key] keys that a query
    may not look at.
    """

    n: int
    scale: float
    hidden: NDArray[np.bool_]
    n_kv: int
    cap: float | None = None
    bias: Float64 | None = None
    sinks: Float64 | None = None


def attention_of(q: Float64, k: Float64, heads: Heads, head_count: int) -> tuple[Float64, Float64]:
    """Attention [head, query, key] and the sinks' share [head, query], by the design's formulas."""
    width = q.shape[1] // heads.n
    queries = [q[:, h * width : (h + 1) * width] for h in range(heads.n)]
    shared = [k[:, h * width : (h + 1) * width] for h in range(heads.n_kv)]
    keys = [shared[h * heads.n_kv // heads.n] for h in range(heads.n)]
    made = []
    for number in range(head_count):
        if head_count <= heads.n:
            g = heads.n // head_count
            group = range(number * g, number * g + g)
            scores = heads.scale / math.sqrt(g) * sum(queries[h] @ keys[h].T for h in group)
        else:
            g = head_count // heads.n
            group = range(number // g, number // g + 1)
            part = slice(number % g * width // g, (number % g + 1) * width // g)
            scores = heads.scale * math.sqrt(g) * (queries[group[0]][:, part] @ keys[group[0]][:, part].T)
        if heads.bias is not None:
            scores = scores + np.mean([heads.bias[h] for h in group], axis=0)
        if heads.cap is not None:
            scores = heads.cap * np.tanh(scores / heads.cap)
        sink = -np.inf if heads.sinks is None else np.mean([heads.sinks[h] for h in group])
        made.append(softmax(np.where(heads.hidden, -np.inf, scores), sink))
    attention, share = zip(*made, strict=True)
    return np.stack(attention), np.stack(share)


def softmax(scores: Float64, sink: float) -> tuple[Float64, Float64]:
    """Weights [query, key] and what goes to a key of the score `sink`, [query]."""
    largest = np.maximum(scores.max(axis=1), sink)
    grown, apart = np.exp(scores - largest[:, None]), np.exp(sink - largest)
    total = grown.sum(axis=1) + apart
    return grown / total[:, None], apart / total


def distance(n: int) -> NDArray[np.int64]:
    """How far before the query the key stands, [query, key]."""
    return np.arange(n)[:, None] - np.arange(n)[None, :]


def masked(n: int, window: int | None = None) -> NDArray[np.bool_]:
    """Keys after the query, or further back than a window that counts the query itself."""
    back = distance(n)
    return (back < 0) | (back >= window) if window is not None else back < 0


def grouped(config: dict[str, Any], n: int, layer: int, **more: Any) -> Heads:
    """LLaMA's heads, in the layers that have one with a window."""
    width = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    types = config.get("layer_types")
    slides = types is None or types[layer] == "sliding_attention"
    window = config.get("sliding_window") if slides else None
    given = {"scale": width**-0.5, **more}
    return Heads(config["num_attention_heads"], hidden=masked(n, window), n_kv=config["num_key_value_heads"], **given)


def llama(config: dict[str, Any], case: str, n: int, layer: int) -> Heads:
    return grouped(config, n, layer)


def gemma2(config: dict[str, Any], case: str, n: int, layer: int) -> Heads:
    return grouped(config, n, layer, scale=config["query_pre_attn_scalar"] ** -0.5, cap=config["attn_logit_softcapping"])


def gpt_oss(config: dict[str, Any], case: str, n: int, layer: int) -> Heads:
    return grouped(config, n, layer, sinks=weights(case)[f"model.layers.{layer}.self_attn.sinks"].astype(np.float64))


def bloom(config: dict[str, Any], case: str, n: int, layer: int) -> Heads:
    # Press et al. 2022: six heads take the slopes of four, 1/4 to 1/256, and of eight the first and third.
    slopes = np.array([2.0**-2, 2.0**-4, 2.0**-6, 2.0**-8, 2.0**-1, 2.0**-3])
    bias = -slopes[:, None, None] * distance(n)
    return Heads(6, (config["hidden_size"] / 6) ** -0.5, masked(n), n_kv=6, bias=bias)


def t5(config: dict[str, Any], case: str, n: int, layer: int, side: str = "encoder") -> Heads:
    is_causal = side == "decoder"
    table = weights(case)[f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"].astype(np.float64)
    far = config["relative_attention_max_distance"]
    buckets = np.vectorize(lambda back: t5_bucket(int(back), len(table), far, is_causal))(distance(n))
    hidden = masked(n) if is_causal else np.zeros((n, n), bool)
    return Heads(config["num_heads"], 1.0, hidden, n_kv=config["num_heads"], bias=table[buckets].transpose(2, 0, 1))


def t5_decoder(config: dict[str, Any], case: str, n: int, layer: int) -> Heads:
    return t5(config, case, n, layer, "decoder")


# What is tried -> the golden model, the kind of attention, and how its heads are made.
TRIED: Final[dict[str, tuple[str, str, Callable[[dict[str, Any], str, int, int], Heads]]]] = {
    "grouped keys": ("llama-gqa", "decoder", llama),
    "one key head": ("llama-head-dim-tied", "decoder", llama),
    "a window on all layers": ("mistral-window", "decoder", llama),
    "windows on some layers": ("qwen2-windows", "decoder", llama),
    "soft-caps and windows": ("gemma2-caps-windows", "decoder", gemma2),
    "ALiBi": ("bloom-six-heads-normed-residual", "decoder", bloom),
    "sinks and windows": ("gpt-oss-windows-yarn", "decoder", gpt_oss),
    "T5's buckets both ways": ("t5-tied", "encoder", t5),
    "T5's buckets backwards": ("t5-tied", "decoder", t5_decoder),
}


@dataclass(frozen=True)
class Tried:
    """A golden model with the heads that its attention of one kind should have."""

    model: Model
    case: str
    kind: str
    make: Callable[[dict[str, Any], str, int, int], Heads]

    @property
    def counts(self) -> tuple[int, ...]:
        """All head counts that the model can be read with."""
        return valid_head_counts(self.model.config.n_head, self.model.config.d_head)

    def run(self, head_count: int | None = None) -> Trace:
        """The text, or both texts, with that head count."""
        return self.model.trace(TEXT, PAIR if len(self.model.config.kinds) > 1 else None, head_count=head_count)

    def heads(self, trace: Trace, layer: int) -> Heads:
        """The heads of one layer for the text of a run."""
        return self.make(read_about(self.case)["config"], self.case, trace.q(layer, self.kind).shape[0], layer)


@pytest.fixture(scope="module", params=TRIED, ids=lambda name: name.replace(" ", "-"))
def tried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    case, kind, make = TRIED[request.param]
    return Tried(load_model(write_model(case, tmp_path_factory.mktemp("model"))), case, kind, make)


def test_attention_of_every_head_count_is_what_the_design_defines(tried: Tried) -> None:
    assert len(tried.counts) > 2
    for head_count in tried.counts:
        trace = tried.run(head_count)
        for layer in range(trace.n_layer_of(tried.kind)):
            q, k = (array(layer, tried.kind).astype(np.float64) for array in (trace.q, trace.k))
            attention, share = attention_of(q, k, tried.heads(trace, layer), head_count)
            found = trace.attention(layer, tried.kind)
            assert found.dtype == np.float32
            assert found.shape == attention.shape
            assert np.abs(found - attention).max() <= TOLERANCE, f"{head_count} heads, layer {layer}"
            assert np.abs(trace.sink(layer, tried.kind) - share).max() <= TOLERANCE, f"{head_count} heads, layer {layer}"


def test_the_trained_head_count_is_the_plain_run_bit_for_bit(tried: Tried) -> None:
    plain, asked = tried.run(), tried.run(tried.model.config.n_head)
    assert np.array_equal(plain.hidden, asked.hidden)
    for layer in range(plain.n_layer_of(tried.kind)):
        assert np.array_equal(plain.attention(layer, tried.kind), asked.attention(layer, tried.kind))
        assert np.array_equal(plain.sink(layer, tried.kind), asked.sink(layer, tried.kind))


def test_another_head_count_changes_the_attention(tried: Tried) -> None:
    trained = tried.run()
    for head_count in set(tried.counts) - {trained.head_count}:
        attention = tried.run(head_count).attention(0, tried.kind)
        averaged = trained.attention(0, tried.kind).mean(axis=0)
        assert np.abs(attention.mean(axis=0) - averaged).max() > 1e-3


@pytest.mark.parametrize("n_kv_head", [1, 2, 3, 6])
@pytest.mark.parametrize("head_count", [1, 2, 3, 6, 12, 24])
def test_one_attention_is_applied_to_the_values_of_each_head_of_its_group(n_kv_head: int, head_count: int) -> None:
    n_head, width, n = 6, 4, 5
    looks = (Looking(1.0, is_causal=True),)
    stack = Stack(1, n_head, n_kv_head, width, n_head * width, 1, "rms", 1e-6, "silu", looks)
    rng = np.random.default_rng(0)
    attention = rng.random((head_count, n, n), np.float32)
    v = rng.standard_normal((n, n_kv_head * width), np.float32)
    wanted = np.empty((n, n_head * width))
    for column in range(n_head * width):
        head = column // width
        value = v[:, head * n_kv_head // n_head * width + column % width]
        wanted[:, column] = attention[column * head_count // (n_head * width)].astype(np.float64) @ value
    assert np.abs(apply_attention(attention, v, stack) - wanted).max() <= TOLERANCE

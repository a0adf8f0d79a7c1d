"""The head-count slider against its definition in the design, computed here a second time.

`BertInFloat64` is a whole BERT forward pass of its own: float64, a loop over heads, formulas as in the design and
nothing from attnviz.engine. With N trained heads and H asked for:

- merge (H < N, g = N/H): scores_m = (s/√g)·Σ_h q_h·k_hᵀ over the g heads of the group; that one attention for each v_h;
- split (H > N, g = H/N): q, k, v of each head in g slices, scores scaled by s·√g.

Tolerance: 2e-5 absolute for attention and final vectors; float32 was measured within 3e-6 of this at every count.
"""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from attnviz.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

Float64 = NDArray[np.float64]

ANIMAL: Final = "The animal didn't cross the street because it was tired."
HEAD_COUNTS: Final = (1, 2, 3, 4, 6, 12, 24, 48)
TRAINED: Final = 12
TOLERANCE: Final = 2e-5

# The design's table on ANIMAL: head count -> (largest it -> animal weight over all layers and heads,
# mean over tokens of the final vectors' cosine to the trained run).
TABLE: Final = {12: (0.70, 1.00), 6: (0.42, 0.84), 4: (0.10, 0.76), 2: (0.09, 0.69), 1: (0.00, 0.57)}


class BertInFloat64:
    """A BERT encoder read from a folder, in float64. Slow and plain on purpose."""

    def __init__(self, folder: Path) -> None:
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tensors = load_file(folder / "model.safetensors")

    def run(self, ids: list[int], head_count: int) -> tuple[list[Float64], Float64]:
        """Attention of each layer, [head, query, key], and the final vectors, [token, d_model]."""
        x = self._norm("embeddings.LayerNorm", self._embed(ids))
        attention = []
        for number in range(self.config["num_hidden_layers"]):
            name = f"encoder.layer.{number}"
            q, k, v = (self._linear(f"{name}.attention.self.{part}", x) for part in ("query", "key", "value"))
            weights, context = attend(q, k, v, self.config["num_attention_heads"], head_count)
            attention.append(weights)
            x = self._norm(f"{name}.attention.output.LayerNorm", x + self._linear(f"{name}.attention.output.dense", context))
            inner = gelu(self._linear(f"{name}.intermediate.dense", x))
            x = self._norm(f"{name}.output.LayerNorm", x + self._linear(f"{name}.output.dense", inner))
        return attention, x

    def _embed(self, ids: list[int]) -> Float64:
        word, position, segment = (
            self.tensors[f"embeddings.{kind}_embeddings.weight"] for kind in ("word", "position", "token_type")
        )
        return word[ids].astype(np.float64) + position[: len(ids)] + segment[0]

    def _linear(self, name: str, x: Float64) -> Float64:
        return x @ self.tensors[f"{name}.weight"].astype(np.float64).T + self.tensors[f"{name}.bias"]

    def _norm(self, name: str, x: Float64) -> Float64:
        centred = x - x.mean(axis=-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        return centred / deviation * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]


def attend(q: Float64, k: Float64, v: Float64, n_head: int, head_count: int) -> tuple[Float64, Float64]:
    """Attention [head, query, key] and the weighted values [token, d_model] of one layer, by the design's formulas."""
    width = q.shape[1] // n_head
    s = 1.0 / math.sqrt(width)
    attention, context = [], np.empty_like(v)
    if head_count <= n_head:
        g = n_head // head_count
        for m in range(head_count):
            group = [slice(h * width, (h + 1) * width) for h in range(m * g, m * g + g)]
            weights = softmax(s / math.sqrt(g) * sum(q[:, h] @ k[:, h].T for h in group))
            attention.append(weights)
            for h in group:
                context[:, h] = weights @ v[:, h]
    else:
        g = head_count // n_head
        part = width // g
        for h in range(n_head):
            for i in range(g):
                own = slice(h * width + i * part, h * width + (i + 1) * part)
                weights = softmax(s * math.sqrt(g) * (q[:, own] @ k[:, own].T))
                attention.append(weights)
                context[:, own] = weights @ v[:, own]
    return np.stack(attention), context


def softmax(scores: Float64) -> Float64:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def gelu(x: Float64) -> Float64:
    erf = np.frompyfunc(math.erf, 1, 1)(x / math.sqrt(2.0)).astype(np.float64)
    return x * 0.5 * (1.0 + erf)


class Runs:
    """The engine's and the independent run of ANIMAL for a head count, each made once."""

    def __init__(self, model: Model, path: Path) -> None:
        bert = BertInFloat64(path)
        self.trace = cache(lambda head_count: model.trace(ANIMAL, head_count=head_count))
        self.expected = cache(lambda head_count: bert.run(list(self.trace(None).ids), head_count))


@pytest.fixture(scope="module")
def runs(minilm: Model, minilm_path: Path) -> Runs:
    """Both computations, ready to be asked for a head count."""
    return Runs(minilm, minilm_path)


@pytest.mark.parametrize("head_count", HEAD_COUNTS)
def test_attention_is_what_the_design_defines(runs: Runs, head_count: int) -> None:
    expected, _ = runs.expected(head_count)
    trace = runs.trace(head_count)
    for layer, weights in enumerate(expected):
        got = trace.attention(layer)
        assert got.dtype == np.float32
        assert got.shape == weights.shape == (head_count, len(trace.ids), len(trace.ids))
        assert np.abs(got - weights).max() <= TOLERANCE, f"layer {layer}"


@pytest.mark.parametrize("head_count", HEAD_COUNTS)
def test_final_vectors_are_what_the_design_defines(runs: Runs, head_count: int) -> None:
    _, expected = runs.expected(head_count)
    assert np.abs(runs.trace(head_count).hidden - expected).max() <= TOLERANCE


def test_the_trained_head_count_is_the_plain_run_bit_for_bit(minilm: Model) -> None:
    plain, asked = minilm.trace(ANIMAL), minilm.trace(ANIMAL, head_count=TRAINED)
    assert np.array_equal(plain.hidden, asked.hidden)
    for layer in range(minilm.config.n_layer):
        assert np.array_equal(plain.attention(layer), asked.attention(layer))


@pytest.mark.parametrize("head_count", TABLE)
def test_fewer_heads_lose_what_it_refers_to(runs: Runs, head_count: int) -> None:
    trace = runs.trace(head_count)
    it, animal = trace.tokens.index("it"), trace.tokens.index("animal")
    largest = max(trace.attention(layer)[:, it, animal].max() for layer in range(len(runs.expected(head_count)[0])))
    cosine = mean_cosine(trace, runs.trace(None))
    assert (round(float(largest), 2), round(cosine, 2)) == TABLE[head_count]


@pytest.mark.parametrize(
    ("head_count", "nearby"),
    [(0, (1,)), (-1, (1,)), (5, (4, 6)), (7, (6, 12)), (13, (12, 24)), (36, (24, 48)), (768, (384,))],
)
def test_a_head_count_that_does_not_divide_is_refused_with_those_that_do(
    minilm: Model, head_count: int, nearby: tuple[int, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        minilm.trace(ANIMAL, head_count=head_count)
    named = re.findall(r"-?\d+", str(caught.value))
    assert str(head_count) in named
    assert {str(count) for count in nearby} <= set(named)


def mean_cosine(a: Trace, b: Trace) -> float:
    """The cosine of the two runs' final vectors, token by token, then the mean over tokens."""
    x, y = a.hidden.astype(np.float64), b.hidden.astype(np.float64)
    cosines = (x * y).sum(axis=1) / np.linalg.norm(x, axis=1) / np.linalg.norm(y, axis=1)
    return float(cosines.mean())

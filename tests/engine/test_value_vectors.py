"""Value vectors behind the output projection: weighed by the attention they make what the attention part gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz import load_model
from attnviz.engine.heads import valid_head_counts
from tests.engine.layer_names import LAYERS
from tests.engine.layers_in_float64 import LayerInFloat64
from tests.golden.families_reader import CASES, write_model

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

TEXT = "The animal didn't cross the street; why not?"
PAIR = "L'animal n'a pas traversé la rue."
# Relative to the largest number.
TOLERANCE = 2e-5


def run(model: Model, head_count: int | None = None) -> Trace:
    return model.trace(TEXT, PAIR if model.config.decoder else None, head_count=head_count)


def places(trace: Trace) -> list[tuple[int, str]]:
    return [(layer, kind) for kind in trace.kinds for layer in range(trace.n_layer_of(kind))]


def assert_near(found: Any, wanted: Any, what: str) -> None:
    assert found.shape == wanted.shape, what
    far = np.abs(found - wanted).max() / np.abs(wanted).max()
    assert far <= TOLERANCE, f"{what} is {far:.1e} away"


def output_bias(model: Model, layer: int, kind: str) -> Any:
    weights = model._weights.stack if kind == model.config.kinds[0] else model._weights.decoder
    found = weights.layer(layer)
    bias = (found.cross if kind == "cross" else found.attention).out.bias
    return 0.0 if bias is None else bias


def assert_they_add_up(model: Model, trace: Trace) -> None:
    for layer, kind in places(trace):
        vectors = trace.value_vectors(layer, kind).astype(np.float64)
        attention = trace.attention(layer, kind).astype(np.float64)
        given_by_attention = np.einsum("hqk,hkd->qd", attention, vectors) + output_bias(model, layer, kind)
        for query in (0, len(given_by_attention) - 1):
            wanted = trace.steps(layer, query, kind).projected
            assert_near(given_by_attention[query], wanted, f"layer {layer} {kind}, query {query}")


@pytest.fixture(scope="module", params=CASES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_model(request.param, tmp_path_factory.mktemp("model")))


def test_weighed_and_added_up_they_are_what_the_attention_gives_in_every_family(model: Model) -> None:
    trace = run(model)
    for layer, kind in places(trace):
        vectors = trace.value_vectors(layer, kind)
        assert vectors.dtype == np.float32
        assert not vectors.flags.writeable
        assert vectors.shape == (trace.head_count_of(kind), len(trace.keys(kind)), model.config.d_model)
    assert_they_add_up(model, trace)


def test_they_add_up_for_every_head_count_too(model: Model) -> None:
    counts = valid_head_counts(model.config.n_head, model.config.d_head)
    for head_count in (counts[0], counts[-1]):
        assert_they_add_up(model, run(model, head_count))


def test_minilms_add_up(minilm: Model) -> None:
    for head_count in (None, 1, 4, 24):
        assert_they_add_up(minilm, minilm.trace(TEXT, head_count=head_count))


@pytest.mark.parametrize(("case", "kind"), LAYERS, ids="-".join)
def test_each_one_is_the_keys_value_times_the_rows_of_its_head(case: str, kind: str, tmp_path: Any) -> None:
    model = load_model(write_model(case, tmp_path))
    for head_count in valid_head_counts(model.config.n_head, model.config.d_head):
        trace = run(model, head_count)
        x = trace.entering(1, kind).astype(np.float64)
        encoded = trace.hidden.astype(np.float64) if kind == "cross" else None
        wanted = LayerInFloat64(case, kind, 1, len(x)).part.value_vectors(x, encoded, head_count)
        assert_near(trace.value_vectors(1, kind), wanted, f"{head_count} heads")


def test_merged_heads_have_the_sum_of_their_group_and_split_ones_add_up_to_their_head(minilm: Model) -> None:
    trained, merged, split = (minilm.trace(TEXT, head_count=count).value_vectors(0) for count in (12, 4, 24))
    assert_near(merged, trained.reshape(4, 3, *trained.shape[1:]).sum(axis=1), "merged")
    assert_near(split.reshape(12, 2, *trained.shape[1:]).sum(axis=1), trained, "split")


@pytest.fixture(scope="module")
def short(minilm: Model) -> Trace:
    return minilm.trace("The fox.")


@given(first=st.integers(-8, 8), last=st.integers(-8, 8), step=st.integers(1, 4))
def test_a_block_of_keys_has_the_same_vectors_as_all_keys(short: Trace, first: int, last: int, step: int) -> None:
    keys = slice(first, last, step)
    wanted = short.value_vectors(1)[:, keys]
    found = short.value_vectors(1, keys=keys)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_blocks_equal_the_whole_in_every_family(model: Model) -> None:
    trace = run(model)
    for layer, kind in places(trace):
        n = len(trace.keys(kind))
        blocks = [trace.value_vectors(layer, kind, slice(start, start + 5)) for start in range(0, n, 5)]
        assert_near(np.concatenate(blocks, axis=1), trace.value_vectors(layer, kind), f"layer {layer} {kind}")

"""Every number of one query's attention: each field of Steps is computed again in float64 from the weights in the file."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from attnviz import load_model
from attnviz.engine.heads import valid_head_counts
from attnviz.engine.steps import Steps
from tests.engine.attention_in_float64 import Matrix, Normalise, Part, gelu
from tests.engine.layer_names import LAYERS
from tests.engine.layers_in_float64 import LayerInFloat64
from tests.golden.families_reader import CASES, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace

TEXT = "The animal didn't cross the street because it was tired; why not?"
PAIR = "L'animal n'a pas traversé la rue."
# Relative to the largest number of the field, or to 1 where all are smaller.
TOLERANCE = 2e-5
# What the whole layer or nothing but the configuration says.
NOT_OF_THE_PART = {"next", "look", "changed", "strength"}  # the last two are of runs that a person changed
# Where the feed-forward part comes next and is no choice of experts.
FOLLOWED = [at for at, names in LAYERS.items() if names.up and (at[1] != "decoder" or (at[0], "cross") not in LAYERS)]


@pytest.fixture(scope="module", params=LAYERS, ids="-".join)
def part(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, Model]:
    case, kind = request.param
    return case, kind, load_model(write_model(case, tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module", params=CASES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_model(request.param, tmp_path_factory.mktemp("model")))


def run(model: Model, head_count: int | None = None) -> Trace:
    return model.trace(TEXT, PAIR if model.config.decoder else None, head_count=head_count)


def places(trace: Trace) -> list[tuple[int, str]]:
    return [(layer, kind) for kind in trace.kinds for layer in range(trace.n_layer_of(kind))]


def some_queries(trace: Trace, kind: str) -> set[int]:
    n = len(trace.queries(kind))
    return {0, n // 2, n - 1}


def keys_of_both(steps: Steps, k: Any) -> tuple[Any, Any]:
    """A step's keys and the run's, [key, n_kv_head·d_head], from the first of the heads that share a key head."""
    width = k.shape[1] // steps.n_kv_head
    each = steps.k.transpose(1, 0, 2).reshape(len(k), steps.n_kv_head, -1)
    return each[:, :, :width].reshape(k.shape), k


def wide(numbers: Any) -> Any:
    return numbers.astype(np.float64)


def encoder_vectors(trace: Trace, kind: str) -> Any:
    return wide(trace.hidden) if kind == "cross" else None


def assert_near(found: Any, wanted: Any, what: str) -> None:
    assert (found is None) == (wanted is None), what
    if found is None:
        return
    if np.asarray(wanted).dtype.kind in "bi":
        assert np.array_equal(found, wanted), what
        return
    if isinstance(found, np.ndarray):
        assert found.dtype == np.float32, what
        assert found.shape == wanted.shape, what
    with np.errstate(invalid="ignore"):
        far = np.nanmax(np.abs(found - wanted)) / max(1.0, np.abs(np.where(np.isinf(wanted), 0, wanted)).max())
    assert np.array_equal(np.isinf(found), np.isinf(wanted)), what
    assert far <= TOLERANCE, f"{what} is {far:.1e} away"


def assert_steps(steps: Steps, wanted: dict[str, Any], what: str) -> None:
    assert {field.name for field in fields(Steps)} - NOT_OF_THE_PART == set(wanted)
    for name, value in wanted.items():
        assert_near(getattr(steps, name), value, f"{what}: {name}")


def test_every_step_is_what_the_formulas_give_for_the_weights_in_the_file(part: tuple[str, str, Model]) -> None:
    case, kind, model = part
    trace = run(model)
    for layer in range(trace.n_layer_of(kind)):
        x = wide(trace.entering(layer, kind))
        plain = LayerInFloat64(case, kind, layer, len(x)).part
        for query in some_queries(trace, kind):
            wanted = plain.steps(x, encoder_vectors(trace, kind), query, plain.n_head)
            assert_steps(trace.steps(layer, query, kind), wanted, f"layer {layer}, query {query}")


def test_every_step_of_a_what_if_is_what_the_design_defines(part: tuple[str, str, Model]) -> None:
    case, kind, model = part
    for head_count in valid_head_counts(model.config.n_head, model.config.d_head):
        trace = run(model, head_count)
        x = wide(trace.entering(1, kind))
        plain = LayerInFloat64(case, kind, 1, len(x)).part
        wanted = plain.steps(x, encoder_vectors(trace, kind), len(x) - 1, head_count)
        assert_steps(trace.steps(1, len(x) - 1, kind), wanted, f"{head_count} heads")


@pytest.mark.parametrize(("case", "kind"), FOLLOWED, ids="-".join)
def test_the_next_vector_is_the_one_behind_the_feed_forward_part(case: str, kind: str, tmp_path: Path) -> None:
    trace = run(load_model(write_model(case, tmp_path)))
    for layer in range(trace.n_layer_of(kind)):
        thinking = LayerInFloat64(case, kind, layer, len(trace.queries(kind))).thinking()
        for query in some_queries(trace, kind):
            steps = trace.steps(layer, query, kind)
            wanted = thinking.following(wide(steps.entering), wide(steps.leaving))
            assert_near(steps.next, wanted, f"layer {layer}, query {query}")


def test_steps_are_those_of_the_run_in_every_family(model: Model) -> None:
    counts = valid_head_counts(model.config.n_head, model.config.d_head)
    for head_count in (None, counts[0], counts[-1]):
        trace = run(model, head_count)
        for layer, kind in places(trace):
            for query in some_queries(trace, kind):
                steps = trace.steps(layer, query, kind)
                # One row of products is rounded otherwise than all rows together: 1e-6 apart for scores up to 50.
                largest = np.abs(steps.scores[:, ~steps.hidden]).max()
                far = np.abs(steps.attention - trace.attention(layer, kind)[:, query]).max()
                assert far <= 1e-6 * max(1.0, largest / 50), f"{head_count} heads, layer {layer} {kind}: {far:.1e}"
                assert np.array_equal(steps.q.reshape(-1), trace.q(layer, kind)[query])
                assert np.array_equal(*keys_of_both(steps, trace.k(layer, kind)))
                share = 0.0 if steps.sink_share is None else steps.sink_share
                np.testing.assert_allclose(trace.sink(layer, kind)[:, query], share, atol=1e-6)


def test_one_part_leads_to_the_next_in_every_family(model: Model) -> None:
    trace = run(model)
    for layer, kind in places(trace):
        assert trace.entering(layer, kind).shape == (len(trace.queries(kind)), model.config.d_model)
        own = "decoder" if kind == "cross" else kind
        for query in some_queries(trace, kind):
            steps = trace.steps(layer, query, kind)
            assert np.array_equal(steps.entering, trace.entering(layer, kind)[query])
            assert np.array_equal(steps.next, trace.entering(layer + 1, own)[query])
            if kind == "decoder" and "cross" in trace.kinds:
                np.testing.assert_allclose(steps.leaving, trace.entering(layer, "cross")[query], rtol=2e-5, atol=2e-5)


def test_the_last_vectors_become_the_final_ones_by_the_final_norm(model: Model) -> None:
    trace = run(model)
    weights, config = model._weights, model.config
    sides = [(config.stack, weights.stack, trace.kinds[0], trace.hidden)]
    if config.decoder is not None:
        sides.append((config.decoder, weights.decoder, "decoder", trace.decoder_hidden))
        assert trace.entering(config.decoder.n_layer, "cross") is trace.entering(config.decoder.n_layer, "decoder")
    for stack, parts, kind, hidden in sides:
        x = wide(trace.entering(stack.n_layer, kind))
        assert trace.entering(stack.n_layer, kind).shape == (len(hidden), stack.d_model)
        if parts.final_norm is not None:
            scale = np.ones(stack.d_model) if parts.final_norm.scale is None else parts.final_norm.scale
            shift = 0.0 if parts.final_norm.shift is None else parts.final_norm.shift
            x = Normalise(scale, shift, stack.norm_eps, stack.norm == "rms")(x)
        if parts.final_projection is not None:
            x = x @ parts.final_projection.weight
        assert_near(hidden, x, f"the vectors of the {kind}")


class MiniLMInFloat64:
    """all-MiniLM-L6-v2 as its file has it."""

    def __init__(self, folder: Path) -> None:
        self._tensors = load_file(folder / "model.safetensors")
        self._config = json.loads((folder / "config.json").read_text(encoding="utf-8"))

    def embedded(self, ids: list[int]) -> Any:
        tensors = self._tensors
        words = wide(tensors["embeddings.word_embeddings.weight"][ids])
        positions = tensors["embeddings.position_embeddings.weight"][: len(ids)]
        return self._norm("embeddings.LayerNorm")(words + positions + tensors["embeddings.token_type_embeddings.weight"][0])

    def part(self, layer: int) -> Part:
        at = f"encoder.layer.{layer}.attention."
        n_head = self._config["num_attention_heads"]
        width = self._config["hidden_size"] // n_head
        products = (self._matrix(at + name) for name in ("self.query", "self.key", "self.value", "output.dense"))
        return Part(n_head, n_head, width, *products, scale=width**-0.5, after=self._norm(at + "output.LayerNorm"))

    def following(self, layer: int, leaving: Any) -> Any:
        at = f"encoder.layer.{layer}."
        inner = gelu(self._matrix(at + "intermediate.dense")(leaving))
        return self._norm(at + "output.LayerNorm")(leaving + self._matrix(at + "output.dense")(inner))

    def _matrix(self, name: str) -> Matrix:
        return Matrix(wide(self._tensors[f"{name}.weight"]).T, wide(self._tensors[f"{name}.bias"]))

    def _norm(self, name: str) -> Normalise:
        scale, shift = (wide(self._tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
        return Normalise(scale, shift, self._config["layer_norm_eps"], is_rms=False)


@pytest.mark.parametrize("head_count", [12, 4, 1, 24])
def test_minilms_steps_are_those_of_its_file_from_the_word_vectors_to_the_last_layer(
    minilm: Model, minilm_path: Path, head_count: int
) -> None:
    trace, plain = minilm.trace("The fox is tired.", head_count=head_count), MiniLMInFloat64(minilm_path)
    x = plain.embedded(trace.ids)
    for layer in range(trace.n_layer):
        assert_near(trace.entering(layer), x, f"what enters layer {layer}")
        part = plain.part(layer)
        all_steps = [part.steps(x, None, query, head_count) for query in range(len(x))]
        x = plain.following(layer, np.stack([steps["leaving"] for steps in all_steps]))
        for query in (0, len(x) - 2):
            found = trace.steps(layer, query)
            assert_steps(found, all_steps[query], f"layer {layer}, query {query}")
            assert_near(found.next, x[query], f"what leaves layer {layer}")
    assert_near(trace.hidden, x, "the final vectors")


def test_nobody_can_change_a_step(minilm: Model) -> None:
    trace = minilm.trace(TEXT)
    steps = trace.steps(2, 3)
    arrays = [value for value in vars(steps).values() if isinstance(value, np.ndarray)]
    assert len(arrays) > 15
    for array in (*arrays, trace.entering(0), trace.entering(trace.n_layer)):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_layer_query_or_kind_that_is_not_there_is_named_with_those_that_are(minilm: Model) -> None:
    trace = minilm.trace("The fox.")
    n = len(trace.ids)
    for layer in (-1, 6):
        with pytest.raises(IndexError, match=f"layer {layer} .*0 to 5"):
            trace.steps(layer, 0)
    for query in (-1, n):
        with pytest.raises(IndexError, match=f"query {query} .*0 to {n - 1}"):
            trace.steps(0, query)
    for layer in (-1, 7):
        with pytest.raises(IndexError, match=f"layer {layer} .*0 to 5"):
            trace.entering(layer)
    for ask in (trace.entering, trace.value_vectors, lambda layer, kind: trace.steps(layer, 0, kind)):
        with pytest.raises(ValueError, match='"cross"'):
            ask(0, kind="cross")

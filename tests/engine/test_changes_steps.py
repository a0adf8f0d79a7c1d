"""The steps and value vectors of a layer in which something is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from tests.engine.changed_in_float64 import Meaning, Run64, attend, layer_of
from tests.engine.changing import MINILM, MODELS, is_same, opener, places, run
from tests.engine.layer_names import LAYERS

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.steps import Steps
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

# Relative to the largest number.
TOLERANCE = 2e-5
STRENGTH = 0.375


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


def changes_of(layer: int, kind: str) -> dict[str, Changes]:
    """Changes of one attention: head 0 weaker, head 1 muted and with a weight of its own, in each way of muting."""
    weaker = NOTHING.with_strength(HeadAt(kind, layer, 0), STRENGTH).with_weight(WeightAt(kind, layer, 1, 3, 2), 0.5)
    muted = weaker.with_muted(HeadAt(kind, layer, 1), True)
    return {"weaker": weaker, **{muting: muted.with_muting(muting) for muting in ("zero", "uniform", "frozen")}}


def near(found: Any, wanted: Any, what: str) -> None:
    assert found.shape == wanted.shape, what
    far = np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max())
    assert far <= TOLERANCE, f"{what} is {far:.1e} away"


def tried(trace: Trace, case: str) -> list[tuple[int, str]]:
    """Some of a run's attentions."""
    return [(2, "encoder")] if case == MINILM else places(trace)


@pytest.mark.parametrize("case", MODELS)
def test_steps_show_the_attention_before_and_after_and_the_strengths(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in tried(unchanged, case):
        for name, changes in changes_of(layer, kind).items():
            found = run(model, changes, like=unchanged)
            n_query = len(found.queries(kind))
            strengths = np.ones(found.head_count_of(kind), np.float32)
            strengths[:2] = STRENGTH, 0.0 if name in ("zero", "frozen") else 1.0
            for query in (0, 3, n_query - 1):
                what = f"{name}, {kind} {layer}, query {query}"
                steps, plain = found.steps(layer, query, kind), unchanged.steps(layer, query, kind)
                # Nothing below this attention is changed, so what it would give alone is what it gave.
                assert is_same(steps.entering, plain.entering), what
                assert is_same(steps.attention, plain.attention), what
                np.testing.assert_allclose(steps.changed, found.attention(layer, kind)[:, query], atol=1e-6, err_msg=what)
                np.testing.assert_allclose(steps.changed, found.attention_row(layer, query, kind), atol=1e-6, err_msg=what)
                assert np.array_equal(steps.strength, strengths), what
                assert_adds_up(steps, what)


def assert_adds_up(steps: Steps, what: str) -> None:
    """Each step follows from those before it."""
    assert np.array_equal(steps.weighted, steps.changed[:, :, None] * steps.values), what
    near(steps.context, steps.weighted.sum(axis=1), what)
    assert np.array_equal(steps.concatenated, (steps.context * steps.strength[:, None]).reshape(-1)), what


@pytest.mark.parametrize("case", MODELS)
def test_attention_times_value_vectors_is_what_a_changed_attention_gives(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in tried(unchanged, case):
        for name, changes in changes_of(layer, kind).items():
            found = run(model, changes, like=unchanged)
            vectors = found.value_vectors(layer, kind).astype(np.float64)
            given = np.einsum("hqk,hkd->qd", found.attention(layer, kind), vectors) + output_bias(model, layer, kind)
            for query in (0, 3, len(given) - 1):
                near(found.steps(layer, query, kind).projected, given[query], f"{name}, {kind} {layer}, query {query}")
            of_one = found.value_vectors(layer, kind, slice(1, 3), [0])
            near(of_one[0], STRENGTH * unchanged.value_vectors(layer, kind, slice(1, 3), [0])[0], f"{name}, {kind} {layer}")


def output_bias(model: Model, layer: int, kind: str) -> Any:
    weights = model._weights.stack if kind == model.config.kinds[0] else model._weights.decoder
    found = weights.layer(layer)
    bias = (found.cross if kind == "cross" else found.attention).out.bias
    return 0.0 if bias is None else bias


@pytest.mark.parametrize("head_count", [None, 2, 8])
@pytest.mark.parametrize(("case", "kind"), [at for at in LAYERS if at[0] in MODELS])
def test_steps_of_changed_heads_are_what_the_formulas_give(opened: Opener, case: str, kind: str, head_count: int | None) -> None:
    model, layer = opened(case), 1
    if head_count is not None and model.config.n_head != 4:
        head_count = model.config.n_head * (2 if head_count == 8 else 1)
    unchanged = run(model, head_count=head_count)
    part, _ = layer_of(case, kind, layer, len(unchanged.queries(kind)))
    encoded = unchanged.hidden.astype(np.float64) if kind == "cross" else None
    x, n_head = unchanged.entering(layer, kind).astype(np.float64), unchanged.head_count_of(kind)
    attention, shares, _ = attend(part, x, encoded, n_head, Meaning())
    frozen = Run64({(kind, layer): attention}, {(kind, layer): shares})
    for name, changes in changes_of(layer, kind).items():
        found = run(model, changes, head_count, like=unchanged)
        wanted, _, leaving = attend(part, x, encoded, n_head, Meaning.of(changes, (kind, layer), frozen))
        for query in (0, 3, len(x) - 1):
            steps = found.steps(layer, query, kind)
            near(steps.attention, attention[:, query], f"{name}, query {query}: attention")
            near(steps.changed, wanted[:, query], f"{name}, query {query}: changed")
            near(steps.leaving, leaving[query], f"{name}, query {query}: leaving")


@pytest.mark.parametrize("case", ["llama-gqa", "t5-tied", "gpt-oss-windows-yarn"])
def test_layers_in_which_nothing_is_changed_say_nothing_of_changes(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in places(unchanged):
        for changes in [NOTHING, *changes_of(layer, kind).values()][:4]:
            found = run(model, changes)
            for other, of in places(unchanged):
                steps = found.steps(other, 1, of)
                if not changes or (other, of) != (layer, kind):
                    assert (steps.changed, steps.strength) == (None, None)
                    assert np.array_equal(steps.concatenated, steps.context.reshape(-1))


def test_a_weight_alone_leaves_strengths_out_and_a_strength_alone_the_attention(opened: Opener) -> None:
    model = opened("llama-gqa")
    weight = run(model, NOTHING.with_weight(WeightAt("decoder", 1, 1, 3, 2), 0.5)).steps(1, 3)
    assert weight.strength is None
    assert weight.changed[1, 2] == 0.5
    assert np.array_equal(weight.changed[0], weight.attention[0])
    strength = run(model, NOTHING.with_strength(HeadAt("decoder", 1, 1), 0.5)).steps(1, 3)
    assert strength.strength.tolist() == [1.0, 0.5, 1.0, 1.0]
    assert np.array_equal(strength.changed, strength.attention)
    for array in (weight.changed, strength.strength):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0

"""What each change means, against the computation of `changed_in_float64` by the papers' definitions.

Tolerances: for attention 1e-5 in MiniLM and 2e-5 in tiny models, whose scores are large; for vectors 1e-4 of the largest number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings

from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from attnviz.engine.config import Looking
from attnviz.engine.layer_change import LayerChange
from attnviz.engine.watch import EVERY
from tests.engine.changed_in_float64 import WHOLE, BertInFloat64, Meaning, Run64, TinyInFloat64, attend, layer_of
from tests.engine.changing import (
    MINILM,
    MODELS,
    RANDOM,
    Ground,
    assert_same_bits,
    everything,
    fitting_changes,
    is_same,
    opener,
    places,
    run,
)

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

SHORT: Final = "The fox was tired, because it ran."
ATTENTION: Final = 2e-5
VECTORS: Final = 1e-4
MUTINGS: Final = ("zero", "uniform", "frozen")


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


@pytest.fixture(scope="module")
def bert(minilm_path: Path) -> BertInFloat64:
    return BertInFloat64(minilm_path)


def kinds_of_change(layer: int, kind: str, head_count: int, query: int) -> dict[str, Changes]:
    """One of each kind of change in one attention, then all at once; queries see the keys 0 to 2 at least."""
    first, last = HeadAt(kind, layer, 0), HeadAt(kind, layer, head_count - 1)
    muted = {muting: NOTHING.with_muting(muting).with_muted(last, True) for muting in MUTINGS}
    alone = WeightAt(*last, query, query - 1)
    row = NOTHING.with_weight(alone, 0.5).with_weight(WeightAt(*last, query, query), 0.125)
    found = {
        **muted,
        "weaker": NOTHING.with_strength(first, 0.375),
        "stronger": NOTHING.with_strength(last, 2.0),
        "a weight": NOTHING.with_weight(alone, 0.625),
        "a weight of 0": NOTHING.with_weight(alone, 0.0),
        "a weight of 1": NOTHING.with_weight(alone, 1.0),
        "two weights": row,
    }
    for muting in MUTINGS:
        every = row.with_muting(muting).with_muted(first, True).with_muted(last, True)
        found[f"all with {muting}"] = every.with_strength(last, 0.5).with_strength(first, 1.75)
    return found


def assert_is(found: Trace, wanted: Run64, what: str, tolerance: float = ATTENTION) -> None:
    for (kind, layer), attention in wanted.attention.items():
        near(found.attention(layer, kind), attention, tolerance, f"{what}: {kind} attention {layer}")
        near(found.sink(layer, kind), wanted.shares[kind, layer], tolerance, f"{what}: {kind} sink {layer}")
    for (kind, layer), entering in wanted.entering.items():
        near_most(found.entering(layer, kind), entering, f"{what}: what enters {kind} {layer}")
    for kind, leaving in wanted.leaving.items():
        near_most(found.entering(found.n_layer_of(kind), kind), leaving, f"{what}: what leaves {kind}")
        hidden = found.decoder_hidden if kind == "decoder" and found.decoder_hidden is not None else found.hidden
        near_most(hidden, wanted.hidden[kind], f"{what}: final vectors of {kind}")


def near(found: Any, wanted: Any, tolerance: float, what: str) -> None:
    assert found.dtype == np.float32, what
    assert found.shape == wanted.shape, what
    far = np.abs(found - wanted).max()
    assert far <= tolerance, f"{what} is {far:.1e} away"


def near_most(found: Any, wanted: Any, what: str) -> None:
    near(found, wanted, VECTORS * float(np.abs(wanted).max()), what)


@pytest.mark.parametrize("head_count", [12, 4, 24])
def test_minilm_with_changes_is_the_whole_model_computed_with_them(opened: Opener, bert: BertInFloat64, head_count: int) -> None:
    minilm = opened(MINILM)
    plain = minilm.trace(SHORT, head_count=head_count)
    unchanged = bert.run(plain.ids, NOTHING, head_count)
    assert_is(plain, unchanged, "unchanged", 1e-5)
    for name, changes in kinds_of_change(2, "encoder", head_count, 5).items():
        found = minilm.trace(SHORT, head_count=head_count, changes=changes, like=plain)
        assert_is(found, bert.run(plain.ids, changes, head_count, unchanged), name, 1e-5)


def test_minilm_with_changes_in_several_layers_is_the_whole_model_computed_with_them(opened: Opener, bert: BertInFloat64) -> None:
    minilm = opened(MINILM)
    plain = minilm.trace(SHORT)
    unchanged = bert.run(plain.ids, NOTHING, 12)
    for muting in MUTINGS:
        changes = NOTHING.with_muting(muting)
        for layer in range(6):
            changes = changes.with_muted(HeadAt("encoder", layer, 2 * layer), True).with_muted(HeadAt("encoder", layer, 1), True)
        changes = changes.with_strength(HeadAt("encoder", 0, 3), 1.5).with_weight(WeightAt("encoder", 3, 6, 0, 4), 0.9)
        assert_is(minilm.trace(SHORT, changes=changes), bert.run(plain.ids, changes, 12, unchanged), muting, 1e-5)


@pytest.mark.parametrize("case", WHOLE)
def test_tiny_models_with_changes_are_computed_with_them(opened: Opener, case: str) -> None:
    model, plain = opened(case), TinyInFloat64(case)
    trained = run(model)
    unchanged = plain.run(trained, NOTHING)
    assert_is(trained, unchanged, "unchanged")
    for kind in trained.kinds:
        for name, changes in kinds_of_change(0, kind, trained.head_count_of(kind), 3).items():
            found = run(model, changes)
            assert is_same(found.entering(0), trained.entering(0))
            assert_is(found, plain.run(trained, changes, unchanged), f"{kind} {name}")


@pytest.mark.parametrize("head_count", [2, 8])
@pytest.mark.parametrize("case", ["llama-gqa", "bloom-lm", "gemma2-caps-windows"])
def test_merged_and_split_heads_with_changes_are_computed_with_them(opened: Opener, case: str, head_count: int) -> None:
    model, plain = opened(case), TinyInFloat64(case)
    other = run(model, head_count=head_count)
    unchanged = plain.run(other, NOTHING)
    assert_is(other, unchanged, "unchanged")
    for name, changes in kinds_of_change(0, "decoder", head_count, 3).items():
        assert_is(run(model, changes, head_count), plain.run(other, changes, unchanged), name)


@pytest.mark.parametrize("head_count", [None, 2, 8])
def test_sinks_of_changed_heads_take_their_share(opened: Opener, head_count: int | None) -> None:
    case = "gpt-oss-windows-yarn"  # its experts are not computed here again, but each layer's attention from what enters it
    model = opened(case)
    plain = run(model, head_count=head_count)
    for layer, kind in places(plain):
        part, _ = layer_of(case, kind, layer, len(plain.ids))
        attention, shares, _ = attend(part, wide(plain.entering(layer)), None, plain.head_count, Meaning())
        unchanged = Run64({(kind, layer): attention}, {(kind, layer): shares})
        for name, changes in kinds_of_change(layer, kind, plain.head_count, 3).items():
            found = run(model, changes, head_count)
            meaning = Meaning.of(changes, (kind, layer), unchanged)
            attention, shares, leaving = attend(part, wide(found.entering(layer)), None, plain.head_count, meaning)
            near(found.attention(layer), attention, ATTENTION, f"{name}, layer {layer}")
            near(found.sink(layer), shares, ATTENTION, f"{name}, layer {layer}: sinks")
            left = np.stack([found.steps(layer, query).leaving for query in range(len(found.ids))])
            near_most(left, leaving, f"{name}: what leaves the attention of layer {layer}")


@pytest.mark.parametrize("case", MODELS)
def test_muting_by_zero_is_a_strength_of_0_bit_for_bit(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in places(unchanged)[:: 5 if case == MINILM else 1]:
        for head in (0, unchanged.head_count_of(kind) - 1):
            at = HeadAt(kind, layer, head)
            muted = run(model, NOTHING.with_muted(at, True), like=unchanged)
            assert_same_bits(muted, run(model, NOTHING.with_strength(at, 0.0), like=unchanged))
            assert_same_bits(muted, run(model, NOTHING.with_muted(at, True).with_strength(at, 1.5), like=unchanged))
            assert not is_same(muted.output, unchanged.output)


@pytest.mark.parametrize("case", MODELS)
def test_frozen_muting_moves_no_attention_at_all_but_the_vectors(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in places(unchanged)[:: 5 if case == MINILM else 1]:
        changes = NOTHING.with_muting("frozen").with_muted(HeadAt(kind, layer, 1), True)
        frozen = run(model, changes)
        moved = [name for name, array in everything(frozen).items() if not is_same(array, everything(unchanged)[name])]
        assert not [name for name in moved if "attention" in name or "sink" in name]
        last = places(unchanged)[-1]
        if (layer, kind) != last:  # else nothing is behind it
            assert not is_same(run(model, changes.with_muting("zero")).attention(*last), unchanged.attention(*last))
        side = "decoder" if kind == "cross" else kind
        assert f"what enters {side} {layer + 1}" in moved
        assert not is_same(frozen.output, unchanged.output)
        assert_same_bits(frozen.unchanged, unchanged)


@pytest.mark.parametrize("case", MODELS)
def test_a_uniform_head_looks_alike_at_all_that_it_may_see(opened: Opener, case: str) -> None:
    model = opened(case)
    trained = run(model)
    ground = Ground.of(case, trained)
    for layer, kind in places(trained)[:: 5 if case == MINILM else 1]:
        found = run(model, NOTHING.with_muting("uniform").with_muted(HeadAt(kind, layer, 1), True))
        row, other = found.attention(layer, kind)[1], found.attention(layer, kind)[0]
        for query in range(len(row)):
            seen = ground.seen(kind, layer, query)
            assert set(np.flatnonzero(row[query])) == set(seen)
            assert np.ptp(row[query, seen]) == 0.0
            assert row[query].sum() == pytest.approx(1.0, abs=1e-6)
        assert not found.sink(layer, kind)[1].any()
        assert is_same(other, trained.attention(layer, kind)[0])


@pytest.mark.parametrize("case", RANDOM)
@pytest.mark.parametrize("head_count", [None, 1])
def test_rows_sum_to_one_with_the_sinks_share_whatever_is_changed(opened: Opener, case: str, head_count: int | None) -> None:
    model = opened(case)
    ground = Ground.of(case, run(model, head_count=head_count))

    @settings(max_examples=30)
    @given(fitting_changes(ground))
    def they_do(changes: Changes) -> None:
        found = run(model, changes, head_count)
        assert found.changes == changes.effective()
        for layer, kind in places(found):
            attention = found.attention(layer, kind)
            assert attention.min() >= 0.0
            np.testing.assert_allclose(attention.sum(axis=-1) + found.sink(layer, kind), 1.0, atol=1e-5)
            for query in range(attention.shape[1]):
                hidden = np.ones(attention.shape[2], bool)
                hidden[ground.seen(kind, layer, query)] = False
                assert not attention[:, query, hidden].any()
                np.testing.assert_allclose(found.attention_row(layer, query, kind), attention[:, query], atol=1e-6)
        for at, weight in changes.weights:
            assert found.attention(at.layer, at.kind)[at.head, at.query, at.key] == np.float32(weight)

    they_do()


@pytest.mark.parametrize("rest", [1e-3, 1e-30, 1e-38, 3e-40, 1e-44])
@pytest.mark.parametrize("share", [None, 1e-44, 1e-3])
def test_the_rest_of_a_row_is_scaled_however_small_it_was(rest: float, share: float | None) -> None:
    row = np.array([1.0, rest, 3 * rest, 0.0], np.float32)
    before, sink = row.astype(np.float64), None if share is None else np.array([[share]], np.float32)
    small = float(before[1:].sum()) + (0.0 if sink is None else float(sink[0, 0]))
    wanted = [0.25, *(0.75 / small * before[1:])]
    wanted_share = 0.0 if sink is None else 0.75 / small * float(sink[0, 0])
    change = LayerChange(weights=((0, 0, 0, 0.25),))
    attention, found = change.change(row[None, None], sink, 1, 4, Looking(1.0, is_causal=False), EVERY, EVERY)
    np.testing.assert_allclose(attention[0, 0], wanted, rtol=1e-6)
    assert attention.sum() + (0.0 if found is None else found[0, 0]) == pytest.approx(1.0, abs=1e-6)
    assert wanted_share == pytest.approx(0.0 if found is None else found[0, 0], rel=1e-6)


def test_a_row_that_was_all_on_the_weights_set_gives_the_rest_to_the_others_alike() -> None:
    row = np.array([0.0, 1.0, 0.0, 0.0, 0.0], np.float32)
    change = LayerChange(weights=((0, 3, 1, 0.25),))
    attention, _ = change.change(row[None, None], None, 4, 5, Looking(1.0, is_causal=True), slice(3, 4), EVERY)
    assert attention[0, 0].tolist() == [0.25, 0.25, 0.25, 0.25, 0.0]


def wide(numbers: Any) -> Any:
    return numbers.astype(np.float64)

"""What a run takes over from an earlier one: it is the same to the last bit, and computes the layers from the first change on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from attnviz.errors import Cancelled
from tests.engine.changing import (
    MINILM,
    MODELS,
    PAIR,
    RANDOM,
    TEXT,
    Ground,
    assert_same_bits,
    fitting_changes,
    layers_computed,
    opener,
    places,
    run,
)

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

MUTINGS = ("zero", "uniform", "frozen")


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


def one_of_each(layer: int, kind: str) -> dict[str, Changes]:
    """Each kind of change in one attention."""
    head = HeadAt(kind, layer, 1)
    muted = {muting: NOTHING.with_muting(muting).with_muted(head, True) for muting in MUTINGS}
    weight = NOTHING.with_weight(WeightAt(*head, 4, 2), 0.75)
    return {**muted, "strength": NOTHING.with_strength(head, 0.5), "weight": weight}


def side_of(trace: Trace, kind: str) -> str:
    return "decoder" if len(trace.kinds) > 1 and kind != "encoder" else "first"


def layers_from(trace: Trace, kind: str, layer: int) -> list[tuple[str, int]]:
    """The layers that a change in that attention alters: those from it on, and all of a decoder behind an encoder."""
    own = [(side_of(trace, kind), number) for number in range(layer, trace.n_layer_of(kind))]
    behind = range(trace.n_layer_of("decoder")) if "cross" in trace.kinds and kind == "encoder" else ()
    return own + [("decoder", number) for number in behind]


@pytest.mark.parametrize("case", MODELS)
def test_a_change_computes_the_layers_from_its_own_on_and_gives_what_a_run_from_scratch_gives(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in places(unchanged)[:: 5 if case == MINILM else 1]:
        for changes in one_of_each(layer, kind).values():
            with layers_computed() as computed:
                found = run(model, changes, like=unchanged)
            assert [at[:2] for at in computed] == layers_from(unchanged, kind, layer)
            assert_same_bits(found, run(model, changes))
            with layers_computed() as computed:
                back = run(model, like=found)
            assert [at[:2] for at in computed] == layers_from(unchanged, kind, layer)
            assert_same_bits(back, unchanged)


@pytest.mark.parametrize("case", MODELS)
def test_the_same_run_again_computes_nothing(opened: Opener, case: str) -> None:
    model = opened(case)
    layer, kind = places(run(model))[-1]
    for changes in (NOTHING, *one_of_each(layer, kind).values()):
        first = run(model, changes)
        with layers_computed() as computed:
            again = run(model, changes, like=first)
        assert computed == []
        assert_same_bits(again, first)
        assert again.changes == first.changes


@pytest.mark.parametrize("case", RANDOM)
def test_any_run_may_take_over_from_any_other_of_its_text(opened: Opener, case: str) -> None:
    model = opened(case)
    ground = Ground.of(case, run(model))
    any_changes = fitting_changes(ground)

    @settings(max_examples=30)
    @given(any_changes, any_changes, st.sampled_from([None, *MUTINGS]))
    def the_same(one: Changes, other: Changes, muting: str | None) -> None:
        if muting is not None:  # the same heads, muted in another way
            other = one.with_muting(muting)
        wanted = run(model, other)
        assert_same_bits(run(model, other, like=run(model, one)), wanted)
        third = run(model, one, like=wanted)
        assert_same_bits(run(model, other, like=third), wanted)

    the_same()


@pytest.mark.parametrize("case", [MINILM, "gemma2-caps-windows", "t5-tied"])
def test_from_one_changed_run_to_another_computes_the_layers_from_the_first_difference_on(opened: Opener, case: str) -> None:
    model = opened(case)
    kind = run(model).kinds[0]
    last = run(model).n_layer - 1
    low, high = HeadAt(kind, 0, 0), HeadAt(kind, last, 1)
    both = NOTHING.with_strength(low, 0.5).with_muted(high, True)
    first = run(model, both)
    for changes, layer in (
        (both.with_muted(high, False), last),
        (both.with_muting("uniform"), last),
        (both.with_strength(high, 0.5), last),
        (both.with_weight(WeightAt(*high, 3, 1), 0.5), last),
        (both.with_muted(HeadAt(kind, last, 0), True), last),
        (both.with_strength(low, 0.25), 0),
        (both.with_muted(low, True), 0),
    ):
        with layers_computed() as computed:
            found = run(model, changes, like=first)
        assert [at[:2] for at in computed] == layers_from(first, kind, layer)
        assert_same_bits(found, run(model, changes))


@pytest.mark.parametrize("case", [MINILM, "gpt-oss-windows-yarn", "bart-lm"])
def test_frozen_runs_and_others_take_over_from_one_another_below_the_lowest_change(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for kind in unchanged.kinds:
        last = unchanged.n_layer_of(kind) - 1
        muted = NOTHING.with_muted(HeadAt(kind, last, 0), True)
        above = layers_from(unchanged, kind, last)
        frozen, zero = muted.with_muting("frozen"), muted
        steps = [
            (unchanged, frozen, above),
            (run(model, zero), frozen, above + above),  # first the run without changes, from the same layer on
            (run(model, frozen), zero, above),
            (run(model, frozen), frozen.with_muted(HeadAt(kind, last, 1), True), above),
            (run(model, frozen), frozen.with_strength(HeadAt(kind, last, 1), 0.5), above),
            (run(model, frozen), NOTHING, above),
        ]
        for like, changes, layers in steps:
            with layers_computed() as computed:
                found = run(model, changes, like=like)
            assert [at[:2] for at in computed] == layers
            assert_same_bits(found, run(model, changes))


@pytest.mark.parametrize("case", ["t5-tied", "bart-lm"])
def test_a_change_in_the_decoder_takes_over_the_encoder_and_one_in_the_encoder_recomputes_the_decoder(
    opened: Opener, case: str
) -> None:
    model = opened(case)
    unchanged = run(model)
    for kind in ("decoder", "cross"):
        found = run(model, NOTHING.with_strength(HeadAt(kind, 0, 0), 0.5), like=unchanged)
        assert found.hidden is unchanged.hidden
        assert all(found.attended(layer, "encoder") is unchanged.attended(layer, "encoder") for layer in range(found.n_layer))
        assert found.decoder_hidden is not unchanged.decoder_hidden
    last = unchanged.n_layer - 1
    with layers_computed() as computed:
        found = run(model, NOTHING.with_strength(HeadAt("encoder", last, 0), 0.5), like=unchanged)
    n_decoder = unchanged.n_layer_of("decoder")
    assert [at[:2] for at in computed] == [("first", last), *(("decoder", layer) for layer in range(n_decoder))]
    assert all(found.attended(layer, "encoder") is unchanged.attended(layer, "encoder") for layer in range(last))


@pytest.mark.parametrize("case", [MINILM, "llama-gqa", "t5-tied"])
def test_other_head_counts_take_over_among_themselves_alone(opened: Opener, case: str) -> None:
    model = opened(case)
    trained = run(model)
    kind = trained.kinds[-1]
    layer = trained.n_layer_of(kind) - 1
    for head_count in (1, 2 * trained.head_count):
        changes = NOTHING.with_muted(HeadAt(kind, layer, 0), True)
        wanted = run(model, changes, head_count)
        with layers_computed() as computed:
            assert_same_bits(run(model, changes, head_count, like=trained), wanted)
        assert len(computed) == len(all_layers(trained))
        with layers_computed() as computed:
            assert_same_bits(run(model, changes, head_count, like=run(model, head_count=head_count)), wanted)
        assert [at[:2] for at in computed] == all_layers(trained) + layers_from(trained, kind, layer)


def all_layers(trace: Trace) -> list[tuple[str, int]]:
    """The layers of all sides, in their order."""
    return layers_from(trace, trace.kinds[0], 0)


@pytest.mark.parametrize("case", [MINILM, "modernbert-mlm", "t5-tied"])
def test_nothing_is_taken_over_from_another_text_by_what_looks_both_ways(opened: Opener, case: str) -> None:
    model = opened(case)
    wanted = run(model)
    for text in (TEXT.replace("animal", "street"), TEXT[:-1] + "!", TEXT + " No."):
        like = model.trace(text, PAIR if model.config.decoder else None)
        with layers_computed() as computed:
            assert_same_bits(run(model, like=like), wanted)
        assert [at[:2] for at in computed] == all_layers(wanted)


def test_nothing_is_taken_over_from_another_model(opened: Opener, minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    model, again = opened("llama-gqa"), opener(minilm, tmp_path_factory)("llama-gqa")
    wanted = run(model)
    with layers_computed() as computed:
        assert_same_bits(run(model, like=run(again)), wanted)
    assert [at[:2] for at in computed] == 2 * all_layers(wanted)


@pytest.mark.parametrize("case", [MINILM, "t5-tied"])
def test_progress_counts_the_layers_that_are_computed(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    for layer, kind in places(unchanged)[::2]:
        for changes in one_of_each(layer, kind).values():
            told: list[tuple[int, int]] = []
            run(model, changes, like=unchanged, progress=lambda *at, told=told: told.append(at))
            total = len(layers_from(unchanged, kind, layer))
            assert told == [(done, total) for done in range(1, total + 1)]
    told = []
    run(model, like=unchanged, progress=lambda *at: told.append(at))
    assert told == []


def test_a_run_that_takes_over_can_be_cancelled_and_leaves_the_other_as_it_was(opened: Opener) -> None:
    model = opened("t5-tied")
    unchanged, untouched = run(model), run(model)
    for muting in MUTINGS:
        changes = NOTHING.with_muting(muting).with_muted(HeadAt("encoder", 1, 0), True)
        with pytest.raises(Cancelled):
            run(model, changes, like=unchanged, cancelled=lambda: True)
        run(model, changes, like=unchanged)
        assert_same_bits(unchanged, untouched)

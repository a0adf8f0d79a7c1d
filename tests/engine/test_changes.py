"""Changes as values, which of them are refused, and runs in which they change nothing."""

from __future__ import annotations

import math
import re
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.engine.changes import NOTHING, STRONGEST, Changes, HeadAt, WeightAt, differing_layers
from attnviz.errors import InputError
from tests.engine.changing import MINILM, MODELS, Ground, assert_same_bits, fitting_changes, opener, places, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from tests.engine.changing import Opener

# A run with three kinds of attention, of which two belong to one side.
GROUND = Ground({"encoder": (4, 3, 6, 6), "decoder": (4, 3, 5, 5), "cross": (4, 3, 5, 6)}, "t5-tied")
ANY = fitting_changes(GROUND)
HEADS = [HeadAt("decoder", 0, 1), HeadAt("encoder", 2, 0), HeadAt("cross", 1, 2), HeadAt("decoder", 3, 1)]
Gesture = tuple[str, HeadAt, float]


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


@pytest.mark.parametrize("case", MODELS)
def test_changes_that_change_nothing_leave_every_number_as_it_was_bit_for_bit(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    layer, kind = places(unchanged)[-1]
    head, at = HeadAt(kind, layer, 0), WeightAt(kind, layer, 0, 3, 1)
    nothing = {
        "nobody is muted, uniformly": NOTHING.with_muting("uniform"),
        "nobody is muted, frozen": NOTHING.with_muting("frozen"),
        "muted and heard again": NOTHING.with_muting("frozen").with_muted(head, True).with_muted(head, False),
        "strength 1": NOTHING.with_strength(head, 1.0),
        "stronger and back": NOTHING.with_strength(head, 2.0).with_strength(head, 1),
        "a weight set and given back": NOTHING.with_weight(at, 0.5).with_weight(at, None),
        "without its weights": NOTHING.with_weight(at, 0.5).without_weights(),
    }
    for changes in nothing.values():
        found = run(model, changes)
        assert_same_bits(found, unchanged)
        assert not found.changes
        assert not found.is_what_if
        assert found.unchanged is None


@pytest.mark.parametrize("case", [MINILM, "t5-tied"])
def test_a_run_with_changes_says_so_and_knows_them(opened: Opener, case: str) -> None:
    model = opened(case)
    for layer, kind in places(run(model)):
        changes = NOTHING.with_strength(HeadAt(kind, layer, 1), 0.25)
        found = run(model, changes)
        assert found.changes == changes
        assert found.is_what_if
        assert not found.has_other_heads


def apply_gesture(changes: Changes, gesture: Gesture) -> Changes:
    what, head, value = gesture
    if what == "mute":
        return changes.with_muted(head, True)
    return changes.with_strength(head, value) if what == "strength" else changes.with_weight(WeightAt(*head, 2, 1), value)


GESTURES = st.lists(
    st.builds(
        tuple, st.tuples(st.sampled_from(["mute", "strength", "weight"]), st.sampled_from(HEADS), st.sampled_from([0.0, 0.5, 1.0]))
    ),
    max_size=4,
    unique_by=lambda gesture: gesture[:2],
)


@given(GESTURES)
def test_the_order_of_gestures_does_not_matter(gestures: list[Gesture]) -> None:
    made = set()
    for order in permutations(gestures):
        changes = NOTHING
        for gesture in order:
            changes = apply_gesture(changes, gesture)
        made.add(changes)
    assert len(made) == 1
    (changes,) = made
    assert bool(changes) == any(gesture[0] != "strength" or gesture[2] != 1.0 for gesture in gestures)


@given(ANY, st.sampled_from(HEADS), st.floats(0, 2), st.floats(0, 1))
def test_what_is_set_can_be_read_and_taken_back(changes: Changes, head: HeadAt, strength: float, weight: float) -> None:
    at = WeightAt(*head, 4, 0)
    assert changes.with_strength(head, strength).strength(head) == strength
    assert changes.with_weight(at, weight).weight(at) == weight
    assert changes.with_weight(at, weight).with_weight(at, changes.weight(at)) == changes
    assert changes.with_strength(head, strength).with_strength(head, changes.strength(head)) == changes
    was_muted = head in changes.muted
    assert changes.with_muted(head, not was_muted).with_muted(head, was_muted) == changes
    assert changes.with_muted(head, was_muted) == changes
    assert changes.without_weights().with_weight(at, weight).weights == ((at, weight),)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Changes, Changes]:
    """Any two changes, or some with what a person may do to them next."""
    one, other = draw(ANY), draw(ANY)
    if draw(st.booleans()):
        return one, other
    other = one.with_muting(other.muting)
    for gesture in draw(GESTURES):
        other = apply_gesture(other, gesture)
    return one, other


@settings(max_examples=150)
@given(pairs())
def test_differing_layers_are_the_same_both_ways_and_none_where_the_effect_is_the_same(pair: tuple[Changes, Changes]) -> None:
    one, other = pair
    there, back = differing_layers(one, other), differing_layers(other, one)
    assert there == back
    assert (not there) == (one.effective() == other.effective())
    assert differing_layers(one, one.with_strength(HEADS[0], one.strength(HEADS[0]))) == {}


@settings(max_examples=150)
@given(pairs())
def test_layers_differ_from_the_first_one_on_that_is_changed_otherwise(pair: tuple[Changes, Changes]) -> None:
    one, other = pair
    first = differing_layers(one, other)
    for kind, (n_layer, *_) in GROUND.sizes.items():
        differing = [layer for layer in range(n_layer) if said_of(one, kind, layer) != said_of(other, kind, layer)]
        if not (one.is_frozen or other.is_frozen):
            assert first.get(kind) == min(differing, default=None)
        elif differing:  # what is frozen differs from what is not above any change
            assert first[kind] <= min(differing)


def test_another_meaning_of_muting_differs_from_the_lowest_muted_head_on() -> None:
    weaker = NOTHING.with_strength(HeadAt("decoder", 0, 0), 0.5).with_weight(WeightAt("encoder", 1, 0, 2, 1), 0.5)
    muted = weaker.with_muted(HeadAt("cross", 3, 0), True).with_muted(HeadAt("cross", 2, 1), True)
    assert differing_layers(muted, muted.with_muting("uniform")) == {"cross": 2}
    assert differing_layers(weaker, muted) == {"cross": 2}
    # Frozen attention is not the run's own from the lowest change on, of whatever it is.
    assert differing_layers(muted, muted.with_muting("frozen")) == {"decoder": 0, "encoder": 1, "cross": 2}


def said_of(changes: Changes, kind: str, layer: int) -> object:
    """What the changes say of one attention."""

    def here(at: HeadAt | WeightAt) -> bool:
        return (at.kind, at.layer) == (kind, layer)

    return (
        {(at, changes.muting) for at in changes.muted if here(at)},
        {(at, value) for at, value in (*changes.strengths, *changes.weights) if here(at)},
    )


NO_HEAD = [
    (HeadAt("encoder", 6, 0), "no layer 6 to change; this run has layers 0 to 5."),
    (HeadAt("encoder", -1, 0), "no layer -1 to change; this run has layers 0 to 5."),
    (HeadAt("encoder", 0, 12), "no head 12 to change; this run has heads 0 to 11."),
    (HeadAt("encoder", 0, -1), "no head -1 to change; this run has heads 0 to 11."),
    (HeadAt("cross", 0, 0), 'no "cross" attention to change; this model has encoder.'),
]
CHANGING_A_HEAD = [
    lambda head: NOTHING.with_muted(head, True),
    lambda head: NOTHING.with_muting("uniform").with_muted(head, True),
    lambda head: NOTHING.with_muting("frozen").with_muted(head, True),
    lambda head: NOTHING.with_strength(head, 0.5),
    lambda head: NOTHING.with_weight(WeightAt(*head, 0, 0), 0.5),
]


def assert_refused(model: Model, changes: Changes, why: str, head_count: int | None = None) -> None:
    with pytest.raises(InputError, match=re.escape(why)) as caught:
        run(model, changes, head_count)
    message = str(caught.value)
    assert re.fullmatch(r"[A-Z][^\n]*\.", message), f"{message!r} is no sentence"
    assert len(message) < 160


@pytest.mark.parametrize("change", CHANGING_A_HEAD)
@pytest.mark.parametrize(("head", "why"), NO_HEAD)
def test_a_head_that_is_not_there_is_refused_with_those_that_are(
    minilm: Model, change: Callable[[HeadAt], Changes], head: HeadAt, why: str
) -> None:
    assert_refused(minilm, change(head), why)


def test_a_token_that_is_not_there_is_refused_with_those_that_are(opened: Opener) -> None:
    n = len(run(opened(MINILM)).ids)
    for number in (-1, n, n + 100):
        for at, name in ((WeightAt("encoder", 1, 1, number, 0), "query"), (WeightAt("encoder", 1, 1, 0, number), "key")):
            why = f"no {name} token {number} to change; this run has {name} tokens 0 to {n - 1}."
            assert_refused(opened(MINILM), NOTHING.with_weight(at, 0.5), why)
    trace = run(opened("t5-tied"))
    n_query, n_key = len(trace.queries("cross")), len(trace.keys("cross"))
    assert n_query != n_key
    for at, why in (
        (WeightAt("cross", 0, 0, n_query, 0), f"query tokens 0 to {n_query - 1}."),
        (WeightAt("cross", 0, 0, 0, n_key), f"key tokens 0 to {n_key - 1}."),
    ):
        assert_refused(opened("t5-tied"), NOTHING.with_weight(at, 0.5), why)


def test_heads_are_numbered_as_the_head_count_of_the_run_has_them(opened: Opener) -> None:
    model = opened(MINILM)
    for head_count in (1, 4, 24):
        last = HeadAt("encoder", 2, head_count - 1)
        assert run(model, NOTHING.with_muted(last, True), head_count).is_what_if
        beyond = NOTHING.with_muted(last._replace(head=head_count), True)
        assert_refused(model, beyond, f"no head {head_count} to change; this run has heads 0 to {head_count - 1}.", head_count)


@pytest.mark.parametrize("strength", [-0.01, 2.01, math.inf, -math.inf, math.nan])
def test_a_strength_out_of_its_range_is_refused_with_the_range(minilm: Model, strength: float) -> None:
    changes = NOTHING.with_strength(HeadAt("encoder", 3, 7), strength)
    assert_refused(minilm, changes, f"Strength {strength:g} of L3.H7: a head's strength lies between 0 and 2.")


@pytest.mark.parametrize("weight", [-0.01, 1.01, math.inf, -math.inf, math.nan])
def test_a_weight_out_of_its_range_is_refused_with_the_range(minilm: Model, weight: float) -> None:
    changes = NOTHING.with_weight(WeightAt("encoder", 3, 7, 2, 1), weight)
    assert_refused(minilm, changes, f"Weight {weight:g} in L3.H7: an attention weight lies between 0 and 1.")


def test_the_ends_of_the_ranges_are_allowed(minilm: Model) -> None:
    head = HeadAt("encoder", 3, 7)
    for changes in (
        *(NOTHING.with_strength(head, strength) for strength in (0.0, STRONGEST)),
        *(NOTHING.with_weight(WeightAt(*head, 2, 1), weight) for weight in (0.0, 1.0)),
        NOTHING.with_weight(WeightAt(*head, 2, 1), 0.75).with_weight(WeightAt(*head, 2, 3), 0.25),
    ):
        assert run(minilm, changes).changes == changes


def test_weights_of_one_row_that_sum_to_more_than_one_are_refused_with_their_sum(minilm: Model) -> None:
    row = NOTHING.with_weight(WeightAt("encoder", 3, 7, 2, 1), 0.75).with_weight(WeightAt("encoder", 3, 7, 2, 4), 0.5)
    assert_refused(minilm, row, "The weights set for token 2 in L3.H7 sum to 1.25; a row of attention sums to 1, so set less.")
    # In different rows the same weights are no sum.
    for other in (WeightAt("encoder", 3, 7, 3, 4), WeightAt("encoder", 3, 6, 2, 4), WeightAt("encoder", 2, 7, 2, 4)):
        run(minilm, NOTHING.with_weight(WeightAt("encoder", 3, 7, 2, 1), 0.75).with_weight(other, 0.5))


@pytest.mark.parametrize("case", ["llama-gqa", "gemma2-caps-windows", "gpt-oss-windows-yarn", "t5-tied"])
def test_a_weight_on_a_key_that_its_query_cannot_see_is_refused(opened: Opener, case: str) -> None:
    model = opened(case)
    ground = Ground.of(case, run(model))
    n_layer, _, n, _ = ground.sizes["decoder"]
    n_unseen = 0
    for layer in range(n_layer):
        for query in (0, n // 2, n - 1):
            for key in set(range(n)) - set(ground.seen("decoder", layer, query)):
                n_unseen += 1
                changes = NOTHING.with_weight(WeightAt("decoder", layer, 1, query, key), 0.5)
                assert_refused(model, changes, f"Token {query} cannot see token {key}; set another weight.")
    assert n_unseen >= n_layer * (n - 1)


@pytest.mark.parametrize("case", ["llama-gqa", "gemma2-caps-windows", "bloom-lm", "t5-tied"])
def test_the_only_key_that_is_seen_has_all_of_the_attention_or_is_refused(opened: Opener, case: str) -> None:
    model, only = opened(case), WeightAt("decoder", 1, 0, 0, 0)
    assert_refused(model, NOTHING.with_weight(only, 0.5), "Token 0 sees no other token that could take the rest")
    assert run(model, NOTHING.with_weight(only, 1.0)).attention(1, "decoder")[0, 0, 0] == 1.0


def test_all_keys_that_are_seen_are_set_to_one_together_or_refused(opened: Opener) -> None:
    model = opened("llama-gqa")
    row = NOTHING.with_weight(WeightAt("decoder", 1, 0, 1, 0), 0.25)
    assert_refused(model, row.with_weight(WeightAt("decoder", 1, 0, 1, 1), 0.5), "Token 1 sees no other token")
    found = run(model, row.with_weight(WeightAt("decoder", 1, 0, 1, 1), 0.75)).attention(1)[0, 1]
    assert found[:2].tolist() == [0.25, 0.75]


def test_where_a_sink_takes_the_rest_the_only_key_may_have_less(opened: Opener) -> None:
    model, only = opened("gpt-oss-windows-yarn"), WeightAt("decoder", 1, 0, 0, 0)
    found = run(model, NOTHING.with_weight(only, 0.25))
    assert found.attention(1)[0, 0, 0] == 0.25
    assert found.sink(1)[0, 0] == pytest.approx(0.75, abs=1e-6)
    # A uniform head has given its sink's share away.
    uniform = NOTHING.with_muting("uniform").with_muted(HeadAt("decoder", 1, 0), True)
    assert_refused(model, uniform.with_weight(only, 0.25), "Token 0 sees no other token that could take the rest")

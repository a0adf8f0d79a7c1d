"""Texts that begin alike: a causal model computes the tokens from the first new one on, and gives what a run from scratch gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.engine import model as model_module
from attnviz.engine import running
from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.cutting import n_common
from attnviz.engine.model import load_model
from attnviz.engine.needs import run_bytes
from tests.engine.changing import MINILM, assert_same_bits, everything, is_same, layers_computed, opener, places
from tests.engine.larger_models import write_larger
from tests.engine.test_memory import LARGER, growth
from tests.engine.test_writing import STAYING, WRITTEN, assert_near, from_scratch, original_positions, ways_to_change

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

CASES: Final = tuple(dict.fromkeys((*(one.case for one in WRITTEN), "llama-rope-dynamic")))
TWO_SIDED: Final = frozenset({"t5-tied", "bart-lm", "marian-mt"})
WORDS: Final = "the fox was tired because it slept, and 12 animals didn't cross a street; why?".split()
LONG: Final = "the fox was tired because it slept " * 40
SOURCE: Final = "It slept."


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


@st.composite
def edited(draw: st.DrawFn) -> list[str]:
    """A text as somebody edits it: from each version to the next all behind some place is deleted, and something else typed."""
    text, versions = " ".join(draw(st.lists(st.sampled_from(WORDS), min_size=2, max_size=12))), []
    for _ in range(draw(st.integers(2, 4))):
        versions.append(text)
        kept = draw(st.integers(1, len(text)))
        text = (text[:kept] + " ".join(draw(st.lists(st.sampled_from(WORDS), max_size=4)))).strip() or "a"
    return versions


def read(model: Model, text: str, **more: Any) -> Trace:
    """A text on the side that looks back."""
    return model.trace(SOURCE, text, **more) if model.config.decoder else model.trace(text, **more)


def tokens_of(trace: Trace) -> list[int]:
    return [piece.id for piece in trace.output_pieces]


def side_of(trace: Trace) -> str:
    return "decoder" if "cross" in trace.kinds else "first"


def common(one: Trace, other: Trace) -> int:
    """How many of their first tokens two runs have in common."""
    pairs = zip(tokens_of(one), tokens_of(other), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(tokens_of(one)), len(tokens_of(other))))


@pytest.mark.parametrize("case", CASES)
def test_a_text_that_is_edited_gives_what_a_run_from_scratch_gives(opened: Opener, case: str) -> None:
    model = opened(case)

    @settings(max_examples=12)
    @given(edited(), st.sampled_from([None, 1, 2 * model.config.n_head]), st.booleans())
    def the_same(versions: Sequence[str], head_count: int | None, all_before: bool) -> None:
        before: list[Trace] = []
        for text in versions:
            found = read(model, text, head_count=head_count, like=before if all_before else before[:1])
            assert_near(found, read(model, text, head_count=head_count), text)
            before.insert(0, found)

    the_same()


@pytest.mark.parametrize("case", CASES)
def test_a_text_that_is_edited_under_changes_gives_what_a_run_from_scratch_with_them_gives(opened: Opener, case: str) -> None:
    model = opened(case)
    kept = "the fox was tired"
    texts = [kept + " because", kept, kept + ", and"]
    for name, changes in ways_to_change(read(model, kept)).items():
        before: list[Trace] = []
        for text in texts:
            before.insert(0, read(model, text, like=before))
            before.insert(0, read(model, text, changes=changes, like=before))
            assert_near(before[0], read(model, text, changes=changes), f"{name}: {text}")
            if changes.is_frozen:
                assert_near(before[0].unchanged, read(model, text), name)


@pytest.mark.parametrize("case", ["llama-gqa", "t5-tied"])
def test_each_character_typed_behind_200_tokens_computes_the_tokens_that_changed_alone(opened: Opener, case: str) -> None:
    model = opened(case)
    text = LONG
    trace = read(model, text)
    assert len(tokens_of(trace)) >= 200
    n_first = len(tokens_of(trace))
    for n_typed, char in enumerate("because it was tired; why?"):
        values: list[int] = []
        with layers_computed() as computed, mock.patch.object(running, "apply", counting_rows(values)):
            found = read(model, text + char, like=trace)
        new = len(tokens_of(found)) - common(found, trace)
        assert new <= 3
        assert [at for at in computed if at[2]] == [(side_of(trace), layer, new) for layer in range(trace.n_layer_of("decoder"))]
        # A run from scratch has not kept its values: they are made once, one product for each attention.
        assert len(values) == (0 if n_typed else sum(trace.n_layer_of(kind) for kind in trace.kinds if kind != "encoder"))
        assert all(n_row in (n_first, common(found, trace), len(trace.ids)) for n_row in values)
        trace, text = found, text + char


def counting_rows(rows: list[int]) -> Any:
    plain = running.apply

    def apply(x: np.ndarray, weights: Any) -> np.ndarray:
        rows.append(len(x))
        return plain(x, weights)

    return apply


@pytest.mark.parametrize("one", STAYING, ids=lambda one: f"{one.case}-{len(one.ids)}")
def test_a_text_that_an_earlier_one_begins_with_computes_nothing(opened: Opener, one: Any) -> None:
    model, n = opened(one.case), len(one.continuation)
    longer = from_scratch(model, one, n)
    for fewer in range(n):
        with layers_computed() as computed:
            found = model.trace(one.text, written=one.continuation[:fewer], like=longer)
        assert computed == []
        assert found.n_written == fewer
        length = len(found.output_pieces)
        assert is_same(found.output, longer.output[:length])
        for layer, kind in places(found):
            cut = slice(None) if kind == "encoder" else slice(length)
            assert is_same(found.entering(layer, kind), longer.entering(layer, kind)[cut])
            assert is_same(found.q(layer, kind), longer.q(layer, kind)[cut])
            assert is_same(found.k(layer, kind), longer.k(layer, kind)[slice(None) if kind == "cross" else cut])
        assert_near(found, from_scratch(model, one, fewer), f"{fewer} tokens")


@pytest.mark.parametrize("case", ["llama-gqa", "gpt2-lm", "bloom-lm"])
def test_a_word_in_the_middle_computes_the_tokens_from_it_on(opened: Opener, case: str) -> None:
    model = opened(case)
    words = LONG.split()
    before = read(model, " ".join(words[:30]))
    with layers_computed() as computed:
        found = read(model, " ".join([*words[:20], "why", *words[20:30]]), like=before)
    n = len(tokens_of(found)) - common(found, before)
    assert 0 < n < len(tokens_of(found)) // 2
    assert [at[2] for at in computed] == [n] * found.n_layer


def test_a_text_of_which_less_than_half_was_there_is_read_anew(opened: Opener) -> None:
    model, words = opened("llama-gqa"), LONG.split()
    before = model.trace(" ".join(words[:12]))
    other = " ".join([*words[:6], *["why"] * 20])
    wanted = model.trace(other)
    assert 0 < 2 * n_common(before.encoding, wanted.encoding) < len(wanted.ids)
    with layers_computed() as computed:
        assert_same_bits(model.trace(other, like=before), wanted)
    assert {at[2] for at in computed} == {len(wanted.ids)}


@pytest.mark.parametrize("case", ["llama-gqa", "t5-tied"])
def test_the_run_that_saves_most_is_taken_over_from_whatever_their_order(opened: Opener, case: str) -> None:
    model, text = opened(case), "the fox was tired because it slept and why"
    runs = [read(model, text[:n]) for n in (12, 17, 33, 25)] + [read(model, "why not")]
    best = max(common(read(model, text), one) for one in runs)
    for likes in (runs, runs[::-1]):
        with layers_computed() as computed:
            found = read(model, text, like=likes)
        assert {at[2] for at in computed if at[0] == side_of(found)} == {len(tokens_of(found)) - best}


@pytest.mark.parametrize("case", ["llama-gqa", "gpt-oss-windows-yarn", "t5-tied"])
def test_a_change_in_an_edited_text_computes_the_new_tokens_of_the_layers_from_the_change_on(opened: Opener, case: str) -> None:
    model, text = opened(case), "the fox was tired because it slept"
    last = read(model, text).n_layer_of("decoder") - 1
    changes = NOTHING.with_strength(HeadAt("decoder", last, 0), 0.5)
    trained = read(model, text)
    changed = read(model, text, changes=changes, like=trained)
    longer = text + " and why"
    trained_longer = read(model, longer, like=trained)
    with layers_computed() as computed:
        found = read(model, longer, changes=changes, like=[changed, trained, trained_longer])
    n = len(tokens_of(found)) - common(found, trained)
    assert computed == [(side_of(found), last, n)]
    for kind in found.kinds:
        same = range(last) if kind != "encoder" else range(found.n_layer)
        assert all(found.attended(layer, kind) is trained_longer.attended(layer, kind) for layer in same)
    assert_near(found, read(model, longer, changes=changes), case)


@pytest.mark.parametrize(("case", "always"), [("phi3-longrope", False), ("llama-rope-dynamic", True)])
def test_where_rotations_depend_on_the_length_a_text_is_not_cut_from_a_stretched_one(
    opened: Opener, case: str, always: bool
) -> None:
    model, original = opened(case), original_positions(case)
    words = LONG.split()
    long = model.trace(" ".join(words[:60]))
    short = model.trace(" ".join(words[:3]))
    assert len(short.ids) < original < len(long.ids)
    for n_word in (3, 59):
        text = " ".join(words[:n_word])
        wanted = model.trace(text)
        with layers_computed() as computed:
            found = model.trace(text, like=long)
        stretched = always or len(wanted.ids) <= original
        assert {at[2] for at in computed} == ({len(wanted.ids)} if stretched else set())
        assert_near(found, wanted, text)


@pytest.mark.parametrize("case", [MINILM, "modernbert-mlm", "gemma3-both-ways-bare", "t5-encoder"])
def test_a_model_that_looks_both_ways_takes_over_from_no_text_but_the_same(opened: Opener, case: str) -> None:
    model, text = opened(case), "the fox was tired because"
    wanted = model.trace(text)
    likes = [model.trace(other) for other in (text + " it", "the fox was tired", "the fox")]
    with layers_computed() as computed:
        assert_same_bits(model.trace(text, like=likes), wanted)
    assert {at[2] for at in computed} == {len(wanted.ids)}
    with layers_computed() as computed:
        assert_same_bits(model.trace(text, like=[*likes, wanted]), wanted)
    assert computed == []


def test_another_source_text_has_the_decoder_read_all_anew(opened: Opener) -> None:
    model = opened("t5-tied")
    before, wanted = model.trace("Was it?", LONG), model.trace("Was it", LONG + "and")
    with layers_computed() as computed:
        assert_same_bits(model.trace("Was it", LONG + "and", like=before), wanted)
    assert {at[2] for at in computed if at[0] == "decoder"} == {len(wanted.decoder_ids)}


def test_the_same_tokens_as_one_text_and_as_two_are_not_the_same_run(opened: Opener) -> None:
    model = opened(MINILM)
    one, two = model.trace("the fox [SEP] it slept"), model.trace("the fox", "it slept")
    assert one.ids == two.ids
    assert_same_bits(model.trace("the fox", "it slept", like=one), two)


@pytest.mark.parametrize("case", [MINILM, "llama-gqa"])
def test_of_several_runs_of_a_text_the_one_that_differs_last_is_taken_over_from(opened: Opener, case: str) -> None:
    model, text = opened(case), "the fox was tired because it slept"
    plain = model.trace(text)
    kind, last = plain.kinds[0], plain.n_layer - 1
    low, high = (NOTHING.with_strength(HeadAt(kind, layer, 0), 0.5) for layer in (0, last))
    both = low.with_strength(HeadAt(kind, last, 0), 0.5)
    runs = [model.trace(text, changes=changes) for changes in (NOTHING, low, high)]
    for likes in (runs, runs[::-1]):
        with layers_computed() as computed:
            found = model.trace(text, changes=both, like=likes)
        assert [at[1] for at in computed] == [last]
        assert_same_bits(found, model.trace(text, changes=both))


@pytest.mark.parametrize("case", ["llama-gqa", "gpt-oss-windows-yarn", "t5-tied"])
def test_a_run_taken_over_from_stays_as_it_was(opened: Opener, case: str) -> None:
    model, text = opened(case), "the fox was tired because it slept"
    before, untouched = read(model, text), read(model, text)
    for other in (text + " and", text[:-2], "the fox was tired; why"):
        read(model, other, like=before)
    assert_same_bits(before, untouched)


@pytest.mark.parametrize("case", ["llama-gqa", "t5-tied"])
def test_a_text_cut_short_keeps_no_more_than_twice_its_memory(opened: Opener, case: str) -> None:
    model, words = opened(case), LONG.split()
    trace = read(model, LONG)
    changes = NOTHING.with_muting("frozen").with_muted(HeadAt("decoder", 0, 1), True)
    frozen = read(model, LONG, changes=changes, like=trace)
    for n_word in range(len(words) - 1, 0, -7):
        text = " ".join(words[:n_word])
        trace, frozen = read(model, text, like=trace), read(model, text, changes=changes, like=frozen)
        for one in (trace, frozen, frozen.unchanged):
            for name, array in arrays_kept(one).items():
                assert base_of(array).nbytes <= 2 * array.nbytes, f"{name} of {n_word} words"


@pytest.mark.parametrize("case", ["llama-gqa", "t5-tied"])
def test_a_text_that_is_typed_on_takes_what_was_foreseen_its_values_among_it(case: str, tmp_path: Path) -> None:
    model = load_model(write_larger(case, tmp_path, **LARGER[case]))
    trace, asked = read(model, LONG), []

    def foreseen(*sizes: Any, reads_on: bool = False) -> int:
        asked.append(run_bytes(*sizes, reads_on=reads_on))
        return asked[-1]

    with mock.patch.object(model_module, "run_bytes", foreseen):
        taken = growth(lambda: read(model, LONG + "and", like=trace))
        read(model, LONG + "and")
    assert taken <= asked[0]
    last = model.config.stack_of("decoder")
    n_key = sum(len(trace.keys(kind)) for kind in trace.kinds if kind != "encoder")
    assert asked[0] - asked[1] >= 4 * n_key * last.n_layer * last.n_kv_head * last.d_head


def arrays_kept(trace: Trace) -> dict[str, np.ndarray]:
    found = {name: array for name, array in everything(trace).items() if "enters" in name or "hidden" in name}
    for layer, kind in places(trace):
        projected = trace.attended(layer, kind).projected
        found |= {f"q {kind} {layer}": projected.q, f"k {kind} {layer}": projected.k}
        if projected.v is not None:
            found[f"v {kind} {layer}"] = projected.v
        if projected.change is not None and projected.change.frozen is not None:
            found |= {f"frozen {kind} {layer}": projected.change.frozen.q, f"frozen k {kind} {layer}": projected.change.frozen.k}
    return found


def base_of(array: np.ndarray) -> np.ndarray:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array

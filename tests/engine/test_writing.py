"""Tokens that a model has written: a run that goes on from an earlier one gives what a run from scratch gives, for less work."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from attnviz.engine.cutting import can_be_cut, until
from attnviz.errors import InputError
from tests.engine.changing import MINILM, assert_same_bits, everything, layers_computed, opener, places
from tests.engine.counting import rows_multiplied
from tests.golden.families_reader import read_about
from tests.golden.predictions_reader import causal_cases, translator_cases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener
    from tests.golden.predictions_reader import CausalCase, TranslatorCase

    Written = CausalCase | TranslatorCase

WRITTEN: Final[tuple[Written, ...]] = (*causal_cases(), *translator_cases())
# Where all places stay as the text grows; the rotations of the others are stretched by its length.
STAYING: Final = tuple(one for one in WRITTEN if one.case != "phi3-longrope")
# Of the largest number of an array.
TOLERANCE: Final = 2e-5


def name_of(one: Any) -> str | None:
    return f"{one.case}-{len(one.ids)}" if hasattr(one, "continuation") else None


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


def write(model: Model, one: Written, changes: Changes = NOTHING, head_count: int | None = None) -> list[Trace]:
    """The prompt's run, then one for each token of the continuation, from the one before."""
    traces = [model.trace(one.text, head_count=head_count, changes=changes)]
    for n in range(1, len(one.continuation) + 1):
        written = one.continuation[:n]
        traces.append(model.trace(one.text, head_count=head_count, changes=changes, written=written, like=traces[-1]))
    return traces


def from_scratch(model: Model, one: Written, n: int, changes: Changes = NOTHING, head_count: int | None = None) -> Trace:
    return model.trace(one.text, head_count=head_count, changes=changes, written=one.continuation[:n])


def assert_near(found: Trace, wanted: Trace, what: str) -> None:
    """Every array of both runs is the same within TOLERANCE."""
    one, other = everything(found), everything(wanted)
    assert one.keys() == other.keys(), what
    for name, array in one.items():
        assert array.shape == other[name].shape, f"{what}: {name}"
        far = np.abs(array - other[name]).max() / max(np.abs(other[name]).max(), 1e-30)
        assert far <= TOLERANCE, f"{what}: {name} is {far:.1e} away"


def ways_to_change(plain: Trace) -> dict[str, Changes]:
    """Changes in the first layer of each kind of attention; the weight is one that the prompt's tokens have."""
    found: dict[str, Changes] = {}
    for kind in plain.kinds:
        head = HeadAt(kind, 0, 1)
        n_query, n_key = len(plain.queries(kind)), len(plain.keys(kind))
        query, key = (n_query - 1, n_key - 1) if kind == "cross" else (n_query - 1, n_query - 1)
        muted = {muting: NOTHING.with_muting(muting).with_muted(head, True) for muting in ("zero", "uniform", "frozen")}
        found |= {f"{kind} {muting}": changes for muting, changes in muted.items()}
        found[f"{kind} strength"] = NOTHING.with_strength(head, 1.75)
        if kind == "cross" or n_query > 1:
            found[f"{kind} weight"] = NOTHING.with_weight(WeightAt(*head, query, key), 0.625)
            found[f"{kind} all"] = muted["frozen"].with_strength(head, 0.5).with_weight(WeightAt(kind, 0, 0, query, key), 0.25)
    return found


@pytest.mark.parametrize("one", WRITTEN, ids=name_of)
def test_each_token_written_gives_what_a_run_from_scratch_gives(opened: Opener, one: Written) -> None:
    model = opened(one.case)
    traces = write(model, one)
    for n, trace in enumerate(traces):
        assert trace.n_written == n
        assert [piece.id for piece in trace.output_pieces[-n:]] == one.continuation[:n] if n else trace.ids == one.ids
        assert_near(trace, from_scratch(model, one, n), f"{n} tokens")


@pytest.mark.parametrize("one", WRITTEN, ids=name_of)
def test_tokens_are_written_under_changes_as_a_run_from_scratch_with_them(opened: Opener, one: Written) -> None:
    model = opened(one.case)
    plain = model.trace(one.text)
    for name, changes in ways_to_change(plain).items():
        traces = write(model, one, changes)
        for n in (1, len(one.continuation)):
            wanted = from_scratch(model, one, n, changes)
            assert_near(traces[n], wanted, f"{name}, {n} tokens")
            assert traces[n].changes == changes
        if changes.is_frozen:
            assert_near(traces[-1].unchanged, from_scratch(model, one, len(one.continuation)), name)


@pytest.mark.parametrize("case", ["llama-gqa", "bloom-lm", "gpt-oss-windows-yarn", "t5-tied"])
def test_tokens_are_written_with_other_head_counts(opened: Opener, case: str) -> None:
    one, model = next(one for one in WRITTEN if one.case == case), opened(case)
    for head_count in (1, 2 * model.config.n_head):
        changes = NOTHING.with_strength(HeadAt("decoder", 1, head_count - 1), 0.5)
        wanted = from_scratch(model, one, len(one.continuation), changes, head_count)
        assert_near(write(model, one, changes, head_count)[-1], wanted, f"{head_count} heads")


@pytest.mark.parametrize("one", STAYING, ids=name_of)
def test_only_the_new_token_goes_through_the_layers(opened: Opener, one: Written) -> None:
    model = opened(one.case)
    trace = model.trace(one.text)
    side = "decoder" if "cross" in trace.kinds else "first"
    n_layer = trace.n_layer_of("decoder")
    for n in range(1, len(one.continuation) + 1):
        with layers_computed() as computed, rows_multiplied() as rows:
            after = model.trace(one.text, written=one.continuation[:n], like=trace)
        assert computed == [(side, layer, 1) for layer in range(n_layer)]
        # A prompt's run has not kept its values: they are made once, one product for each attention.
        seen_before = [len(trace.keys(kind)) for kind in trace.kinds if kind != "encoder"] if n == 1 else []
        assert Counter(rows) - Counter({1: len(rows)}) == Counter(n_layer * [n_key for n_key in seen_before if n_key > 1])
        if side == "decoder":
            assert after.hidden is trace.hidden
        trace = after


@pytest.mark.parametrize("case", ["llama-gqa", "gpt-oss-windows-yarn", "t5-tied"])
def test_under_frozen_attention_only_the_new_token_goes_through_the_layers_of_both_runs(opened: Opener, case: str) -> None:
    one, model = next(one for one in WRITTEN if one.case == case), opened(case)
    changes = NOTHING.with_muting("frozen").with_muted(HeadAt("decoder", 0, 1), True)
    trace = model.trace(one.text, changes=changes)
    for n in (1, 2, 3):
        with layers_computed() as computed:
            trace = model.trace(one.text, changes=changes, written=one.continuation[:n], like=trace)
        assert [at[1:] for at in computed] == [(layer, 1) for _ in "un" for layer in range(trace.n_layer_of("decoder"))]


def test_several_tokens_at_once_and_a_longer_prompt_are_read_on_too(opened: Opener) -> None:
    model = opened("llama-gqa")
    prompt, longer = "Was it the fox", "Was it the fox because it was tired"
    before, wanted = model.trace(prompt), model.trace(longer)
    n = len(before.ids)
    assert wanted.ids[:n] == before.ids
    with layers_computed() as computed:
        found = model.trace(longer, like=before)
    assert computed == [("first", layer, len(wanted.ids) - n) for layer in range(wanted.n_layer)]
    assert_near(found, wanted, longer)
    assert found.n_written == 0
    written = wanted.ids[n:]
    at_once = model.trace(prompt, written=written, like=before)
    assert_same_bits(at_once, found)
    # What the model wrote and what a person typed are read alike.
    assert_same_bits(model.trace(prompt, written=written), wanted)
    assert at_once.n_written == len(written)


def test_nothing_is_read_on_from_a_run_with_other_changes(opened: Opener) -> None:
    one, model = next(one for one in WRITTEN if one.case == "llama-gqa"), opened("llama-gqa")
    muted = NOTHING.with_muted(HeadAt("decoder", 1, 1), True)
    for changes, others in ((NOTHING, muted), (muted, NOTHING), (muted.with_muting("uniform"), muted)):
        like = model.trace(one.text, changes=others)
        with layers_computed() as computed:
            found = model.trace(one.text, changes=changes, written=one.continuation[:1], like=like)
        assert [at[2] for at in computed] == [len(one.ids) + 1] * found.n_layer
        assert_same_bits(found, from_scratch(model, one, 1, changes))


def test_a_model_that_looks_both_ways_reads_a_longer_text_anew(opened: Opener) -> None:
    model = opened("gemma3-both-ways-bare")  # whose tokenizer puts nothing behind a text
    before, wanted = model.trace("Was it the fox"), model.trace("Was it the fox because it was tired")
    assert wanted.ids[: len(before.ids)] == before.ids
    assert_same_bits(model.trace(wanted.text, like=before), wanted)
    decoder = opened("t5-tied")  # whose decoder would read on, if its encoder had not another text
    before, wanted = decoder.trace("Was it", written=[116]), decoder.trace("Was it the fox", written=[116, 129])
    assert_same_bits(decoder.trace("Was it the fox", written=[116, 129], like=before), wanted)


def original_positions(case: str) -> int:
    """How many tokens a stretched model reads before its rotations change."""
    config = read_about(case)["config"]
    rope = config["rope_parameters"]
    return rope.get("original_max_position_embeddings") or config["max_position_embeddings"]


@pytest.mark.parametrize(("case", "always"), [("phi3-longrope", False), ("llama-rope-dynamic", True)])
def test_where_rotations_are_stretched_by_the_length_all_tokens_are_computed_again(opened: Opener, case: str, always: bool) -> None:
    model, text = opened(case), "Because it made 12 and"
    original = original_positions(case)
    trace = model.trace(text)
    n_prompt = len(trace.ids)
    assert n_prompt < original
    written = [22, 33, 41, 51] * 3
    assert n_prompt + len(written) > original + 2
    for n in range(1, len(written) + 1):
        with layers_computed() as computed:
            after = model.trace(text, written=written[:n], like=trace)
        length = n_prompt + n
        stretches = length > original and (always or length == original + 1)
        assert [at[2] for at in computed] == [length if stretches else 1] * trace.n_layer
        assert can_be_cut(after, length - 1) is not stretches
        wanted = model.trace(text, written=written[:n])
        assert_near(after, wanted, f"{length} tokens")
        trace = after
    assert not can_be_cut(trace, original)


@pytest.mark.parametrize("one", STAYING, ids=name_of)
def test_a_run_cut_shorter_is_that_of_the_step_bit_for_bit(opened: Opener, one: Written) -> None:
    model = opened(one.case)
    assert_cuts_are_the_steps(write(model, one))


@pytest.mark.parametrize("case", ["llama-gqa", "gpt-oss-windows-yarn", "bloom-lm", "t5-tied"])
def test_a_changed_run_cut_shorter_is_that_of_the_step_bit_for_bit(opened: Opener, case: str) -> None:
    one, model = next(one for one in WRITTEN if one.case == case), opened(case)
    for changes in ways_to_change(model.trace(one.text)).values():
        traces = write(model, one, changes)
        assert_cuts_are_the_steps(traces)
        if changes.is_frozen:
            assert_cuts_are_the_steps([trace.unchanged for trace in traces])


def assert_cuts_are_the_steps(traces: Sequence[Trace]) -> None:
    last = traces[-1]
    n_all = len(last.output_pieces)
    for n, wanted in enumerate(traces):
        n_token = n_all - len(traces) + 1 + n
        assert can_be_cut(last, n_token)
        found = until(last, n_token)
        assert_same_bits(found, wanted)
        assert (found.ids, found.decoder_ids, found.n_written) == (wanted.ids, wanted.decoder_ids, n)
        assert (found.encoding, found.decoder_encoding) == (wanted.encoding, wanted.decoder_encoding)
        assert (found.text, found.pair) == (wanted.text, wanted.pair)
        assert (found.changes, found.head_count, found.writes) == (wanted.changes, wanted.head_count, wanted.writes)
        for layer, kind in places(wanted):
            query = len(wanted.queries(kind)) - 1
            one, other = found.steps(layer, query, kind), wanted.steps(layer, query, kind)
            assert np.array_equal(one.leaving, other.leaving)
            assert (one.changed is None) == (other.changed is None)
            np.testing.assert_array_equal(found.attention_row(layer, query, kind), wanted.attention(layer, kind)[:, query])


@pytest.mark.parametrize("one", STAYING, ids=name_of)
def test_another_end_is_written_from_a_run_cut_shorter(opened: Opener, one: Written) -> None:
    model = opened(one.case)
    last = write(model, one)[-1]
    n_kept = 3
    cut = until(last, len(last.output_pieces) - len(one.continuation) + n_kept)
    other = [*one.continuation[:n_kept], one.continuation[0], one.ids[-1]]
    with layers_computed() as computed:
        found = model.trace(one.text, written=other, like=cut)
    assert {at[2] for at in computed} == {2}
    assert_near(found, model.trace(one.text, written=other), one.case)


@pytest.mark.parametrize("case", ["llama-gqa", "t5-tied", "bert-mlm"])
def test_a_run_is_cut_where_its_tokens_look_back_alone(opened: Opener, case: str) -> None:
    trace = opened(case).trace("Was it the fox", "It was." if case == "t5-tied" else None)
    n = len(trace.output_pieces)
    fits = [can_be_cut(trace, at) for at in range(n + 2)]
    is_causal = case != "bert-mlm"
    assert fits == [False, *([is_causal] * (n - 1)), True, False]
    assert until(trace, n) is trace


@pytest.mark.parametrize("one", STAYING, ids=name_of)
def test_steps_of_a_written_token_are_those_of_a_run_from_scratch(opened: Opener, one: Written) -> None:
    model, n = opened(one.case), len(one.continuation)
    found, wanted = write(model, one)[-1], from_scratch(model, one, n)
    for layer, kind in places(wanted):
        for query in {0, len(wanted.queries(kind)) - 1}:
            steps, others = found.steps(layer, query, kind), wanted.steps(layer, query, kind)
            for name, value in vars(others).items():
                if isinstance(value, np.ndarray) and value.dtype == np.float32:
                    same, like = np.nan_to_num(getattr(steps, name), neginf=0.0), np.nan_to_num(value, neginf=0.0)
                    far = np.abs(same - like).max() / max(1.0, np.abs(like).max())
                    assert far <= TOLERANCE, f"{kind} {layer}, query {query}: {name} is {far:.1e} away"


def test_progress_counts_each_layer_of_a_written_token(opened: Opener) -> None:
    model = opened("t5-tied")
    told: list[tuple[int, int]] = []
    model.trace("It slept", written=[116], like=model.trace("It slept"), progress=lambda *at: told.append(at))
    n = model.config.decoder.n_layer
    assert told == [(done, n) for done in range(1, n + 1)]


@pytest.mark.parametrize("case", [MINILM, "bert-mlm", "modernbert-mlm", "llama-gqa-bare", "t5-encoder", "bart-bare"])
def test_a_model_that_does_not_write_refuses_written_tokens(opened: Opener, case: str) -> None:
    model = opened(case)
    assert not model.writes
    assert not model.trace("Was it the fox").writes
    with pytest.raises(InputError, match=r"does not write: .*open a decoder\.$"):
        model.trace("Was it the fox", written=[5])
    model.trace("Was it the fox", written=[])


@pytest.mark.parametrize("case", ["llama-gqa", "gpt2-lm", "t5-tied"])
def test_a_token_number_that_the_model_does_not_have_is_refused_with_those_that_it_has(opened: Opener, case: str) -> None:
    model = opened(case)
    last = model.config.n_vocab - 1
    for number in (-1, last + 1, 1 << 31, 1 << 40):
        with pytest.raises(InputError, match=rf"no token number {number} of 0 to {last}"):
            model.trace("Was it", written=[5, number])
    assert model.trace("Was it", written=[0, np.int64(last)]).output_pieces[-1].id == last


@pytest.mark.parametrize("case", ["gpt2-lm", "opt-lm", "bart-lm"])
def test_more_tokens_than_the_model_has_positions_are_refused_with_how_many_it_has(opened: Opener, case: str) -> None:
    model = opened(case)
    limit, before = model.config.n_position, len(model.trace("Was it").output_pieces)
    full = model.trace("Was it", written=[5] * (limit - before))
    assert len(full.output_pieces) == limit
    for like in (None, full):
        with pytest.raises(InputError, match=f"reads {limit} tokens at most"):
            model.trace("Was it", written=[5] * (limit - before + 1), like=like)


def test_nothing_is_written_behind_a_text_that_was_cut(opened: Opener) -> None:
    model = opened("opt-lm")
    long = "Was it the fox? " * 30
    assert model.trace(long).encoding.left_out > 0
    with pytest.raises(InputError, match=r"shorten the text to go on\.$"):
        model.trace(long, written=[5])

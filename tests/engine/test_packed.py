"""Many texts in one run: each gives what it gives alone, whatever stands beside it, with heads muted and layers taken over too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attnviz import load_model
from attnviz.engine import model as model_module
from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.positions import places_stay
from attnviz.engine.tokenizer import Encoding
from attnviz.errors import Cancelled, InputError, ModelError
from tests.engine.changing import MINILM, MODELS, RANDOM, TEXT, is_same, layers_computed, opener
from tests.golden.families_reader import CASES, read_about, weights, write_model, write_weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.engine.packed import Packed
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

    Seen = dict[tuple[int, int], np.ndarray]

# Of most tiny models the farthest numbers are 2e-6 away, of Marian's attention, whose scores are the largest, 1.6e-5.
TOLERANCE: Final = 3e-5
# Those whose predictions are made of the vectors that a packed run leaves, and not of a decoder's.
ONE_SIDED: Final = [case for case in CASES if read_about(case)["config"]["model_type"] not in ("t5", "bart", "marian")]
# From one token or little more to several windows, to both sides of what the stretched rotary positions were made for (16 tokens).
TEXTS: Final = (
    TEXT,
    "Why?",
    "a",
    "The old harbour bridge was quietly closed last Tuesday because engineers had found deep cracks in its steel support cables.",
    "Why not? The animal was tired.",
)


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


def encoded(model: Model, texts: Sequence[str] = TEXTS) -> list[Encoding]:
    return [model.tokenizer.encode(text, None, model.config.n_position) for text in texts]


def read(model: Model, texts: Sequence[Encoding], **more: Any) -> tuple[Packed, Seen]:
    """A packed run, and each attention that it showed by text and layer."""
    seen: Seen = {}

    def see(text: int, layer: int, attention: np.ndarray) -> None:
        assert (text, layer) not in seen
        seen[text, layer] = attention

    return model.read_packed(texts, see, **more), seen


def heads_of(model: Model) -> list[HeadAt]:
    """All heads of the stack that reads the text."""
    stack = model.config.stack
    return [HeadAt(model.config.kinds[0], layer, head) for layer in range(stack.n_layer) for head in range(stack.n_head)]


def assert_near(found: np.ndarray, wanted: np.ndarray, what: str) -> None:
    assert found.dtype == np.float32
    assert found.shape == wanted.shape
    far = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert far <= TOLERANCE, f"{what} is {far:.1e} away"


def assert_as_alone(packed: Packed, seen: Seen, traces: Sequence[Trace], first_layer: int = 0) -> None:
    """Attention from a layer on, what enters each layer, what leaves the last one and the final vectors of each text."""
    assert seen.keys() == {(text, layer) for text in range(len(traces)) for layer in range(first_layer, traces[0].n_layer)}
    assert len(packed.entering) == traces[0].n_layer + 1
    for text, (rows, trace) in enumerate(zip(packed.rows, traces, strict=True)):
        assert packed.texts[text].ids.tolist() == trace.ids
        for layer in range(first_layer, trace.n_layer):
            assert_near(seen[text, layer], trace.attention(layer), f"attention of text {text}, layer {layer}")
        for layer, entering in enumerate(packed.entering):
            assert_near(entering[rows], trace.entering(layer), f"what enters layer {layer} of text {text}")
        assert_near(packed.hidden[rows], trace.hidden, f"the final vectors of text {text}")


def assert_same_bits(one: Packed, other: Packed) -> None:
    assert one.rows == other.rows
    assert len(one.entering) == len(other.entering)
    assert all(is_same(*arrays) for arrays in zip(one.entering, other.entering, strict=True))
    assert is_same(one.hidden, other.hidden)


@pytest.mark.parametrize("case", [MINILM, *CASES])
def test_a_packed_run_gives_each_text_what_it_gets_alone(opened: Opener, case: str) -> None:
    model = opened(case)
    packed, seen = read(model, encoded(model))
    assert_as_alone(packed, seen, [model.trace(text) for text in TEXTS])
    assert list(seen) == [(text, layer) for layer in range(model.config.n_layer) for text in range(len(TEXTS))]


@pytest.mark.parametrize("case", ["llama-rope-dynamic", "llama-rope-longrope", "phi3-longrope", "phi3-partial-longrope-bare"])
def test_texts_are_short_and_long_enough_to_have_other_places_in_a_stretched_model(opened: Opener, case: str) -> None:
    model = opened(case)
    lengths = [len(text.tokens) for text in encoded(model)]
    assert not places_stay(model.config.stack, min(lengths), max(lengths))


@pytest.mark.parametrize("case", ["gemma2-caps-windows", "gpt-oss-windows-yarn", "mistral-window", "modernbert-mlm"])
def test_texts_are_shorter_and_longer_than_the_windows(opened: Opener, case: str) -> None:
    model = opened(case)
    lengths = [len(text.tokens) for text in encoded(model)]
    reaches = [look.reach for look in model.config.stack.looks if look.reach is not None]
    assert min(lengths) <= min(reaches)
    assert max(reaches) < max(lengths)


@pytest.mark.parametrize(
    "case", [MINILM, *RANDOM, "bloom-lm", "mixtral-two-of-four", "llama-rope-dynamic", "roberta-padding-in-text-bare"]
)
def test_any_texts_in_any_order_give_what_each_gives_alone(opened: Opener, case: str) -> None:
    model = opened(case)
    texts = encoded(model)
    alone = [model.trace(text) for text in TEXTS]

    @settings(max_examples=15)
    @example([2])
    @example([0, 0])
    @example([4, 3, 2, 1, 0])
    @given(st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=7))
    def the_same(chosen: list[int]) -> None:
        packed, seen = read(model, [texts[at] for at in chosen])
        assert_as_alone(packed, seen, [alone[at] for at in chosen])
        assert sorted(row for rows in packed.rows for row in range(*rows.indices(10**9))) == list(range(len(packed.hidden)))

    the_same()


@pytest.mark.parametrize("case", MODELS)
def test_a_single_text_is_its_run_to_the_last_bit(opened: Opener, case: str) -> None:
    model = opened(case)
    for text in TEXTS:
        packed, seen = read(model, encoded(model, [text]))
        trace = model.trace(text)
        assert is_same(packed.hidden, trace.hidden)
        assert all(is_same(seen[0, layer], trace.attention(layer)) for layer in range(trace.n_layer))
        assert all(is_same(entering, trace.entering(layer)) for layer, entering in enumerate(packed.entering))


@pytest.mark.parametrize("case", [case for case in MODELS if not case.startswith("gpt-oss")])  # experts' products differ in size
def test_another_text_changes_no_bit_of_those_beside_it(opened: Opener, case: str) -> None:
    model = opened(case)
    texts = encoded(model)
    packed, seen = read(model, texts)
    for changed, text in enumerate(texts):
        numbers = (text.ids[::-1] + 5) % min(model.config.n_vocab, model.tokenizer.n_vocab)
        tokens = tuple(replace(token, id=int(number)) for token, number in zip(text.tokens, numbers, strict=True))
        others, seen_beside = read(model, [Encoding(tokens, 0) if at == changed else one for at, one in enumerate(texts)])
        assert not np.array_equal(others.hidden[packed.rows[changed]], packed.hidden[packed.rows[changed]])
        for at, rows in enumerate(packed.rows):
            if at != changed:
                assert is_same(others.hidden[rows], packed.hidden[rows])
                assert all(is_same(seen_beside[at, layer], seen[at, layer]) for layer in range(model.config.n_layer))


def test_a_pair_of_texts_is_one_text_among_others(opened: Opener) -> None:
    for model in map(opened, (MINILM, "bert-mlm", "albert-mlm")):
        pair = model.tokenizer.encode("Why?", "The animal was tired.", model.config.n_position)
        packed, seen = read(model, [*encoded(model, TEXTS[:2]), pair])
        assert_as_alone(packed, seen, [*map(model.trace, TEXTS[:2]), model.trace("Why?", "The animal was tired.")])


@pytest.mark.parametrize("case", MODELS)
def test_a_muted_head_changes_each_text_as_it_does_alone(opened: Opener, case: str) -> None:
    model = opened(case)
    texts = encoded(model, TEXTS[:3])
    unchanged = model.read_packed(texts)
    for head in heads_of(model)[:: 13 if case == MINILM else 1]:
        packed, seen = read(model, texts, muted=head)
        assert_as_alone(packed, seen, [model.trace(text, changes=NOTHING.with_muted(head, True)) for text in TEXTS[:3]])
        assert not np.array_equal(packed.hidden, unchanged.hidden)


@pytest.mark.parametrize("case", [*MODELS, "mixtral-two-of-four", "albert-mlm"])
def test_layers_below_a_muted_head_are_taken_over_and_nothing_else_differs(opened: Opener, case: str) -> None:
    model = opened(case)
    texts = encoded(model)
    unchanged = model.read_packed(texts)
    n_layer, n_row = model.config.n_layer, len(unchanged.hidden)
    for head in heads_of(model)[:: 13 if case == MINILM else 1]:
        scratch, seen_from_scratch = read(model, texts, muted=head)
        with layers_computed() as computed:
            packed, seen = read(model, texts, muted=head, like=unchanged)
        assert computed == [("first", layer, n_row) for layer in range(head.layer, n_layer)]
        assert list(seen) == [(text, layer) for layer in range(head.layer, n_layer) for text in range(len(texts))]
        assert_same_bits(packed, scratch)
        assert all(is_same(attention, seen_from_scratch[at]) for at, attention in seen.items())
        assert all(one is other for one, other in zip(packed.entering[: head.layer], unchanged.entering, strict=False))
    assert_same_bits(unchanged, model.read_packed(texts))  # the runs that took over from it left it as it was


@pytest.mark.parametrize("case", [MINILM, "llama-gqa"])
def test_the_same_run_again_is_the_one_that_was_there(opened: Opener, case: str) -> None:
    model = opened(case)
    texts = encoded(model)
    unchanged = model.read_packed(texts)
    with layers_computed() as computed:
        again, seen = read(model, texts, like=unchanged)
    assert again is unchanged
    assert not seen
    assert not computed


def test_nothing_is_taken_over_from_a_run_of_other_texts_or_without_a_head(opened: Opener) -> None:
    model = opened(MINILM)
    texts, head = encoded(model), heads_of(model)[-1]
    scratch, _ = read(model, texts, muted=head)
    others, _ = read(model, texts[::-1])
    without, _ = read(model, texts, muted=heads_of(model)[0])
    for like in (others, without):
        packed, seen = read(model, texts, muted=head, like=like)
        assert_same_bits(packed, scratch)
        assert len(seen) == len(texts) * model.config.n_layer


def test_an_encoder_decoder_predicts_nothing_from_its_encoder(opened: Opener) -> None:
    model = opened("t5-tied")
    packed, _ = read(model, encoded(model))
    assert model.predict(packed.hidden) is None


@pytest.mark.parametrize("case", [MINILM, "gpt-neox-parallel", "t5-tied"])
def test_it_can_be_cancelled_between_any_two_layers(opened: Opener, case: str) -> None:
    model = opened(case)
    texts = encoded(model)
    unchanged = model.read_packed(texts)
    for first in (0, 1):
        more = {"muted": HeadAt(model.config.kinds[0], 1, 0), "like": unchanged} if first else {}
        for wanted in range(first, model.config.n_layer):
            seen: list[tuple[int, int]] = []
            layers = iter(range(first, model.config.n_layer))
            with pytest.raises(Cancelled):
                model.read_packed(
                    texts,
                    lambda text, layer, _, seen=seen: seen.append((text, layer)),
                    cancelled=lambda layers=layers, wanted=wanted: next(layers) == wanted,
                    **more,
                )
            assert seen == [(text, layer) for layer in range(first, wanted) for text in range(len(texts))]


@pytest.mark.parametrize("case", [MINILM, "llama-gqa", "t5-tied", "bart-lm"])
def test_a_head_that_is_not_there_is_refused_before_anything_is_computed(opened: Opener, case: str) -> None:
    model = opened(case)
    kind, other = model.config.kinds[0], "cross" if model.config.kinds[0] == "decoder" else "decoder"
    n_layer, n_head = model.config.n_layer, model.config.n_head
    for head, wanted in (
        (HeadAt(other, 0, 0), f'no "{other}" attention'),
        (HeadAt(kind, n_layer, 0), f"no layer {n_layer} "),
        (HeadAt(kind, -1, 0), "no layer -1 "),
        (HeadAt(kind, 0, n_head), f"no head {n_head} "),
        (HeadAt(kind, 0, -1), "no head -1 "),
    ):
        with layers_computed() as computed, pytest.raises(InputError, match=wanted):
            model.read_packed(encoded(model), muted=head)
        assert not computed


@pytest.mark.parametrize("case", [MINILM, *ONE_SIDED])
def test_predictions_of_any_rows_are_those_of_the_texts_alone(opened: Opener, case: str) -> None:
    model = opened(case)
    packed = model.read_packed(encoded(model))
    logits = [model.trace(text).logits() for text in TEXTS]
    assert model.predicts == (logits[0] is not None)
    if not model.predicts:
        assert model.predict(packed.hidden) is None
        return
    assert_near(model.predict(packed.hidden), np.concatenate(logits), "all predictions")
    for rows, wanted in zip(packed.rows, logits, strict=True):
        assert_near(model.predict(packed.hidden[rows][::-2]), wanted[::-2], "every other prediction from the end")


def test_predicting_leaves_the_vectors_as_they_were(opened: Opener) -> None:
    for model in map(opened, ("bert-mlm", "gemma2-caps-windows")):
        hidden = model.read_packed(encoded(model)).hidden
        before = hidden.copy()
        model.predict(hidden)
        assert is_same(hidden, before)


def test_packs_may_be_read_at_the_same_time(opened: Opener) -> None:
    model = opened("gpt-oss-windows-yarn")
    packs = [encoded(model, TEXTS[at:] + TEXTS[:at]) for at in range(len(TEXTS))]
    wanted = [model.read_packed(pack) for pack in packs]
    with ThreadPoolExecutor(4) as pool:
        for found, one in zip(pool.map(model.read_packed, packs * 3), wanted * 3, strict=True):
            assert_same_bits(found, one)


def test_texts_that_together_need_more_memory_than_there_is_are_refused(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    model = opened("llama-gqa")
    texts = encoded(model)
    monkeypatch.setattr(model_module, "_BESIDES", 0)
    monkeypatch.setattr(model_module, "free_memory", lambda: 2 << 20)
    for text in texts:
        model.read_packed([text])
    n_token = 40 * sum(len(text.tokens) for text in texts)
    with layers_computed() as computed, pytest.raises(InputError, match=rf"{n_token:,} tokens takes .*use a shorter text\.$"):
        model.read_packed(texts * 40)
    assert not computed


def test_numbers_that_are_none_in_one_text_refuse_the_whole_run(tmp_path: Path) -> None:
    folder = write_model("llama-gqa", tmp_path)
    texts = encoded(load_model(folder))
    damaged = next(number for number in texts[0].ids if all(number not in text.ids for text in texts[1:]))
    tensors = weights("llama-gqa")
    tensors["model.embed_tokens.weight"][damaged] = np.nan
    write_weights(tensors, folder)
    model = load_model(folder)
    model.read_packed(texts[1:])
    with pytest.raises(ModelError, match="the run gave numbers that are none"):
        model.read_packed(texts)

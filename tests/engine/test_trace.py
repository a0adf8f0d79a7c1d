"""A trace keeps q and k and makes attention on demand, always the same; nobody can change it; a run can be called off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.budget import Recent
from attnviz.engine.heads import valid_head_counts
from attnviz.engine.model import Model, load_model
from attnviz.errors import Cancelled, InputError
from tests.engine.tiny_bert import CONFIG, write_bert

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.trace import Trace


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    return load_model(write_bert(tmp_path))


def forget(trace: Trace) -> None:
    """Make every layer's attention fall out of the budget."""
    trace._attention = Recent(0)


@pytest.mark.parametrize("head_count", [None, 1, 4, 24])
def test_attention_made_again_is_the_one_of_the_run_bit_for_bit(minilm: Model, head_count: int | None) -> None:
    trace = minilm.trace("The animal didn't cross the street because it was tired.", head_count=head_count)
    kept = [trace.attention(layer) for layer in range(trace.n_layer)]
    forget(trace)
    for _ in range(2):
        for layer, before in enumerate(kept):
            again = trace.attention(layer)
            assert again is not before
            assert np.array_equal(again, before)


def test_the_budget_keeps_the_layers_used_last_and_always_one() -> None:
    arrays = [np.zeros(100, np.float32) for _ in range(4)]
    budget = Recent(2 * 400)
    for number in range(3):
        budget.put(number, arrays[number])
        budget.get(0)
    assert [budget.get(number) is not None for number in range(3)] == [True, False, True]
    small = Recent(1)
    for number in (0, 1):
        small.put(number, arrays[number])
    assert small.get(0) is None
    assert small.get(1) is arrays[1]


def test_no_array_of_a_trace_can_be_written_to(tiny: Model) -> None:
    trace = tiny.trace("the cat")
    forget(trace)
    entering = [trace.entering(layer) for layer in range(3)]
    for array in (trace.hidden, trace.q(0), trace.k(1), trace.attention(0), trace.attention(1), *entering):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_two_traces_of_one_text_are_equal(tiny: Model) -> None:
    first, second = tiny.trace("the cat", "sing"), tiny.trace("the cat", "sing")
    assert np.array_equal(first.hidden, second.hidden)


@pytest.mark.parametrize("layer", [-1, 2, 100])
def test_a_layer_that_is_not_there_is_an_index_error_with_the_range(tiny: Model, layer: int) -> None:
    with pytest.raises(IndexError, match=f"layer {layer} .*0 to 1"):
        tiny.trace("the cat").attention(layer)


@pytest.mark.parametrize("layer", [-1, 3])
def test_vectors_enter_each_layer_and_leave_the_last_and_no_other(tiny: Model, layer: int) -> None:
    trace = tiny.trace("the cat")
    assert [trace.entering(number).shape for number in range(3)] == [trace.hidden.shape] * 3
    assert np.array_equal(trace.entering(2), trace.hidden)  # BERT has no norm behind its last layer
    with pytest.raises(IndexError, match=f"layer {layer} .*0 to 1; 2 is behind the last"):
        trace.entering(layer)


def test_a_run_stops_between_layers_once_it_is_called_off(tiny: Model) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(0)
        return len(asked) == 2  # after the first layer

    with pytest.raises(Cancelled):
        tiny.trace("the cat", cancelled=cancelled)
    assert len(asked) == 2


def test_the_question_is_put_once_per_layer(tiny: Model) -> None:
    asked: list[int] = []
    tiny.trace("the cat", cancelled=lambda: bool(asked.append(0)))
    assert len(asked) == CONFIG["num_hidden_layers"]


def test_a_pair_uses_the_second_segment(tiny: Model) -> None:
    trace = tiny.trace("cat", "cat")
    assert trace.tokens == ["[CLS]", "cat", "[SEP]", "cat", "[SEP]"]
    assert [piece.sequence for piece in trace.pieces] == [0, 0, 0, 1, 1]
    assert (trace.text, trace.pair) == ("cat", "cat")


def test_a_text_with_half_an_emoji_is_kept_as_it_was_read(tiny: Model) -> None:
    trace = tiny.trace("cat \ud83d", "\udc00 cat")
    assert trace.text == "cat \ufffd"
    assert trace.pair == "\ufffd cat"
    assert tiny.trace("\ud83d\ude00").text == "\N{GRINNING FACE}"


def test_a_long_text_is_cut_to_the_positions_of_the_model(tiny: Model) -> None:
    trace = tiny.trace("cat " * 100)
    assert len(trace.tokens) == CONFIG["max_position_embeddings"] == len(trace.hidden)
    assert trace.encoding.left_out == 100 - 30


def test_a_model_without_room_for_a_pair_says_so(tmp_path: Path) -> None:
    def cut(tensors: dict[str, np.ndarray]) -> None:
        tensors["embeddings.position_embeddings.weight"] = tensors["embeddings.position_embeddings.weight"][:2]

    model = load_model(write_bert(tmp_path, config={"max_position_embeddings": 2}, change=cut))
    assert model.trace("cat").tokens == ["[CLS]", "[SEP]"]
    with pytest.raises(InputError):
        model.trace("cat", "cat")


def test_a_model_of_one_segment_refuses_a_pair_rather_than_read_it_as_one_text(tmp_path: Path) -> None:
    def cut(tensors: dict[str, np.ndarray]) -> None:
        tensors["embeddings.token_type_embeddings.weight"] = tensors["embeddings.token_type_embeddings.weight"][:1]

    model = load_model(write_bert(tmp_path, config={"type_vocab_size": 1}, change=cut))
    assert np.isfinite(model.trace("cat").hidden).all()
    with pytest.raises(InputError, match="one text at a time"):
        model.trace("cat", "the")


@pytest.mark.parametrize("n_head", [1, 4, 12])
@pytest.mark.parametrize("d_head", [1, 4, 12, 32])
def test_valid_head_counts_are_those_that_divide(n_head: int, d_head: int) -> None:
    counts = valid_head_counts(n_head, d_head)
    slow = [
        count
        for count in range(1, n_head * d_head + 1)
        if (count <= n_head and n_head % count == 0) or (count > n_head and count % n_head == 0 and d_head % (count // n_head) == 0)
    ]
    assert list(counts) == slow
    wide = valid_head_counts(n_head, d_head, narrowest=4)
    assert set(wide) == {count for count in slow if count <= n_head or n_head * d_head // count >= 4}

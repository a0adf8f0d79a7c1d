"""Some heads of a layer made alone are those of the layer, in every family and read with any number of heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.budget import Recent
from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.engine.heads import valid_head_counts
from attnviz.engine.model import load_model
from tests.engine.changing import opener, places, run
from tests.engine.larger_models import write_larger
from tests.engine.test_memory import growth
from tests.golden.families_reader import CASES

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

# Of tiny models with scores in the hundreds the farthest is 1e-5 away, as float32 adds up in another order in other blocks.
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def opened(minilm: object, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


def forgetful(trace: Trace) -> Trace:
    """The trace without any attention at hand."""
    trace._attention = Recent(0)
    return trace


@pytest.mark.parametrize("case", CASES)
def test_heads_made_alone_are_those_of_the_layer(opened: Opener, case: str) -> None:
    model = opened(case)
    sides = [stack for stack in (model.config.stack, model.config.decoder) if stack is not None]
    counts = set.intersection(*(set(valid_head_counts(stack.n_head, stack.d_head)) for stack in sides))
    for head_count in (None, *sorted(counts)):
        trace = run(model, head_count=head_count)
        whole = {place: trace.attention(*place) for place in places(trace)}
        forgetful(trace)
        for place, attention in whole.items():
            n = len(attention)
            for heads in ([0], [n - 1], sorted({0, n // 2, n - 1}), list(range(n))):
                found = trace.attention_of_heads(place[0], heads, place[1])
                assert found.shape == (len(heads), *attention.shape[1:])
                assert np.abs(found - attention[heads]).max() <= TOLERANCE, (head_count, place, heads)


@pytest.mark.parametrize("case", ["llama-gqa", "gemma2-caps-windows", "gpt-oss-windows-yarn", "t5-tied"])
@pytest.mark.parametrize("muting", ["zero", "uniform", "frozen"])
def test_heads_of_a_changed_layer_are_the_changed_ones(opened: Opener, case: str, muting: str) -> None:
    model = opened(case)
    unchanged = run(model)
    layer, kind = places(unchanged)[-1]
    changes = NOTHING.with_muting(muting).with_muted(HeadAt(kind, layer, 2), True).with_strength(HeadAt(kind, 0, 1), 0.5)
    changes = changes.with_weight(WeightAt(kind, layer, 1, 5, 4), 0.5)
    trace = run(model, changes, like=unchanged)
    for heads in ([1, 2], [2, 0], [0], [1]):
        found = trace.attention_of_heads(layer, heads, kind)
        assert np.abs(found - trace.attention(layer, kind)[heads]).max() <= TOLERANCE


@pytest.mark.parametrize("case", CASES)
def test_heads_are_the_same_to_the_last_bit_whatever_is_at_hand_or_changed_elsewhere(opened: Opener, case: str) -> None:
    model = opened(case)
    unchanged = run(model)
    layer, kind = places(unchanged)[0]
    stronger = run(model, NOTHING.with_strength(HeadAt(kind, layer, 0), 0.5))
    for heads in ([0], [0, unchanged.head_count_of(kind) - 1]):
        found = unchanged.attention_of_heads(layer, heads, kind)
        assert np.array_equal(stronger.attention_of_heads(layer, heads, kind), found)
        assert np.array_equal(forgetful(run(model)).attention_of_heads(layer, heads, kind), found)


@pytest.mark.parametrize("head_count", [1, 3, 6])
def test_one_head_with_a_bias_for_each_pair_of_tokens_takes_little_more_than_itself(tmp_path: Path, head_count: int) -> None:
    model = load_model(write_larger("t5-tied", tmp_path, n_positions=1_024))
    trace = forgetful(model.trace("the fox " * 300, "the", head_count))
    n = len(trace.tokens)
    assert growth(lambda: trace.attention_of_heads(1, [head_count - 1], "encoder")) < 3 * 4 * n * n


def test_no_heads_have_no_attention(opened: Opener) -> None:
    trace = run(opened("llama-gqa"))
    assert trace.attention_of_heads(1, []).shape == (0, *trace.attention(1).shape[1:])


def test_no_such_head_or_layer_is_an_index_error(opened: Opener) -> None:
    trace = forgetful(run(opened("llama-gqa")))
    for layer, heads in ((99, [0]), (0, [99])):
        with pytest.raises(IndexError):
            trace.attention_of_heads(layer, heads)

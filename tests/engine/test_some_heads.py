"""Some heads of a layer made alone are those of the layer, in every family and read with any number of heads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.budget import Recent
from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.heads import valid_head_counts
from attnviz.engine.projected import Projected
from tests.engine.changing import opener, places, run
from tests.golden.families_reader import CASES

if TYPE_CHECKING:
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


def test_what_is_at_hand_is_not_made_again(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = run(opened("llama-gqa"))
    whole = trace.attention(1)
    monkeypatch.setattr(Projected, "of_heads", None)
    assert np.array_equal(trace.attention_of_heads(1, [2, 0]), whole[[2, 0]])


@pytest.mark.parametrize("muting", ["uniform", "frozen"])
def test_heads_of_a_changed_layer_are_the_changed_ones(opened: Opener, muting: str) -> None:
    model = opened("llama-gqa")
    changes = NOTHING.with_muting(muting).with_muted(HeadAt("decoder", 1, 2), True)
    trace = forgetful(run(model, changes, like=run(model)))
    assert np.array_equal(trace.attention_of_heads(1, [2, 3]), trace.attention(1)[[2, 3]])


def test_no_such_head_or_layer_is_an_index_error(opened: Opener) -> None:
    trace = forgetful(run(opened("llama-gqa")))
    for layer, heads in ((99, [0]), (0, [99])):
        with pytest.raises(IndexError):
            trace.attention_of_heads(layer, heads)

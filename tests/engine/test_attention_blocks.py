"""Attention that is made in blocks of rows, on several threads, is that of all rows at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine import attention_blocks, threads
from attnviz.engine.attention_blocks import Mixing
from attnviz.engine.config import Looking, Stack
from attnviz.engine.heads import apply_attention, attend, n_visible, valid_head_counts, visible_keys
from attnviz.engine.projected import Projected
from attnviz.engine.watch import EVERY

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32

# float32 adds up in another order in a block of other sizes.
TOLERANCE = 2e-6
LOOKS = st.builds(
    Looking,
    scale=st.just(0.3),
    is_causal=st.booleans(),
    reach=st.none() | st.integers(0, 30),
    soft_cap=st.none() | st.just(5.0),
)


@pytest.fixture(autouse=True, params=[1, 2])
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of few rows, so that a short text has many, on one processor and on two."""
    monkeypatch.setattr(threads, "n_processor", lambda: request.param)
    monkeypatch.setattr(attention_blocks, "_BLOCK", 1 << 11)
    monkeypatch.setattr(attention_blocks, "_FEWEST_ROWS", 3)
    monkeypatch.setattr(attention_blocks, "_WORTH_A_THREAD", 10)


def projected(seed: int, n: int, look: Looking, has_sinks: bool, bias: str) -> tuple[Projected, Float32]:
    """Four heads that share two of keys and values, and the values."""
    random = np.random.default_rng(seed)
    stack = Stack(1, 4, 2, 6, 24, 8, "layer", 1e-5, "relu", (look,))
    q, k, v = (random.normal(size=(n, width)).astype(np.float32) for width in (24, 12, 12))
    sinks = random.normal(size=4).astype(np.float32) if has_sinks else None
    of = {"none": None, "by key": (4, 1, n), "by pair": (4, n, n)}[bias]
    return Projected(q, k, stack, look, None if of is None else random.normal(size=of).astype(np.float32), sinks), v


@given(
    st.integers(0, 5),
    st.integers(1, 70),
    LOOKS,
    st.booleans(),
    st.sampled_from(["none", "by key", "by pair"]),
    st.sampled_from(valid_head_counts(4, 6)),
    st.data(),
)
def test_blocks_of_rows_are_the_rows_of_the_whole(
    seed: int, n: int, look: Looking, has_sinks: bool, bias: str, head_count: int, data: st.DataObject
) -> None:
    layer, v = projected(seed, n, look, has_sinks, bias)
    start = data.draw(st.integers(0, n - 1))
    rows = slice(start, data.draw(st.integers(start + 1, n)))
    whole, whole_sink = attend(layer.q, layer.k, layer.stack, look, head_count, layer.bias, layer.sinks, rows)
    wanted = apply_attention(whole, v, layer.stack)
    mixing = Mixing(layer, v, head_count, rows)
    context = mixing.take()
    attention, sink = mixing.attention, mixing.sink
    alone = Mixing(layer, v, head_count, rows, is_whole=False)
    assert np.abs(alone.take() - context).max() <= 1e-6
    assert alone.attention is None
    assert np.abs(attention - whole).max() <= TOLERANCE
    assert np.array_equal(attention == 0, whole == 0)
    assert np.abs(context - wanted).max() <= 1e-5
    assert (sink is None) == (whole_sink is None)
    if sink is not None:
        assert np.abs(sink - whole_sink).max() <= TOLERANCE
    again, _ = layer.attention(head_count, rows)
    assert np.array_equal(again, attention)


@given(st.integers(1, 40), LOOKS, st.data())
def test_the_keys_of_a_block_are_all_that_its_queries_see_and_no_more_at_the_ends(
    n: int, look: Looking, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, n - 1))
    rows = range(start, data.draw(st.integers(start + 1, n)))
    distance = np.arange(n)[None] - np.arange(n)[rows.start : rows.stop, None]
    seen = distance <= (0 if look.is_causal else n if look.reach is None else look.reach)
    seen &= distance >= -(n if look.reach is None else look.reach)
    (columns,) = np.nonzero(seen.any(axis=0))
    assert visible_keys(n, look, rows) == slice(columns[0], columns[-1] + 1)
    assert np.array_equal(n_visible(n, look, rows), seen.sum(axis=1))


def test_however_many_queries_look_at_few_keys_they_see_all_of_them() -> None:
    assert n_visible(4, Looking(0.3, is_causal=False), range(3, 12)).tolist() == [4] * 9


def test_a_wide_text_of_other_tokens_is_looked_at_in_blocks_too() -> None:
    random = np.random.default_rng(1)
    look = Looking(0.3, is_causal=False)
    layer, _ = projected(0, 50, look, False, "none")
    layer = replace(layer, k=random.normal(size=(90, 12)).astype(np.float32))
    whole, _ = attend(layer.q, layer.k, layer.stack, look, 4)
    attention, _ = layer.attention(4, EVERY)
    assert attention.shape == (4, 50, 90)
    assert np.abs(attention - whole).max() <= TOLERANCE

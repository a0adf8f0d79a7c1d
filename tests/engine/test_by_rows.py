"""A layer that processors share, by rows or by columns, gives what it gives alone, in every family and whatever was changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine import attention_blocks, by_rows, products, threads
from attnviz.engine.budget import Recent
from attnviz.engine.by_rows import in_rows, rows_of_each
from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from tests.engine.changing import everything, opener, places
from tests.golden.families_reader import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from attnviz.engine.trace import Trace
    from tests.engine.changing import Opener

# Relative to the largest number of an array: float32 adds up in another order in blocks of other sizes.
TOLERANCE = 3e-5
TEXT = "the fox was tired because it slept and the animal was tired; why not? " * 2


@pytest.fixture(scope="module")
def opened(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    return opener(minilm, tmp_path_factory)


@pytest.fixture
def share(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """From now on that many processors share every layer, however small; the list tells how many parts each attention had."""
    n_part: list[int] = []

    def shared(n_processor: int) -> list[int]:
        for module in (threads, attention_blocks):
            monkeypatch.setattr(module, "n_processor", lambda: n_processor)
        monkeypatch.setattr(attention_blocks, "_FEW_ROWS", 3)
        monkeypatch.setattr(products, "_WORTH_A_THREAD", 1)
        monkeypatch.setattr(products, "_GRAIN", 4)
        monkeypatch.setattr(by_rows, "_OF_WIDTH", 0)
        n_part.clear()
        return n_part

    def counted(part: Callable[[slice], np.ndarray], rows: list[slice]) -> np.ndarray:
        n_part.append(len(rows))
        return in_rows(part, rows)

    monkeypatch.setattr("attnviz.engine.forward.in_rows", counted)
    return shared


def read(model: Model, **more: object) -> Trace:
    return model.trace(TEXT, TEXT if model.config.decoder else None, **more)


def assert_near(found: Trace, wanted: Trace) -> None:
    numbers = everything(wanted)
    for name, array in everything(found).items():
        if array is not None:
            far, largest = np.abs(array - numbers[name]).max(), np.abs(numbers[name]).max()
            assert far <= TOLERANCE * largest, f"{name} is {far:.1e} of {largest:.1e} away"


@pytest.mark.parametrize("case", CASES)
def test_every_family_gives_the_same_by_rows(opened: Opener, case: str, share: Callable[[int], list[int]]) -> None:
    model = opened(case)
    alone = read(model)
    for n_processor in (2, 3):
        n_part = share(n_processor)
        assert_near(read(model), alone)
        # In whole blocks the rows may make up fewer parts; layers of experts are not shared so.
        assert 2 <= max(n_part) <= n_processor or (set(n_part) == {1} and model.config.stack.experts)


@pytest.mark.parametrize("case", CASES)
def test_every_family_gives_the_same_by_columns(
    opened: Opener, case: str, share: Callable[[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = opened(case)
    alone = read(model)
    for n_processor in (2, 3):
        n_part = share(n_processor)
        monkeypatch.setattr(by_rows, "_OF_WIDTH", 1e9)
        assert_near(read(model), alone)
        assert set(n_part) == {1}


@pytest.mark.parametrize("case", ["bert-mlm", "llama-gqa", "gemma2-caps-windows", "gpt-oss-windows-yarn", "t5-tied"])
def test_other_head_counts_and_changes_give_the_same_by_rows(opened: Opener, case: str, share: Callable[[int], list[int]]) -> None:
    model = opened(case)
    layer, kind = places(read(model))[-1]
    ways: list[dict[str, object]] = [{"head_count": 1}, {"head_count": 2 * model.config.n_head}]
    for muting in ("zero", "uniform", "frozen"):
        changes = NOTHING.with_muting(muting).with_muted(HeadAt(kind, layer, 1), True).with_strength(HeadAt(kind, 0, 0), 0.5)
        ways.append({"changes": changes, "like": read(model) if muting == "frozen" else None})
    weights = NOTHING.with_weight(WeightAt(kind, layer, 0, 30, 29), 0.5).with_weight(WeightAt(kind, layer, 0, 30, 28), 0.25)
    ways.append({"changes": weights})
    alone = [read(model, **way) for way in ways]
    share(2)
    for way, wanted in zip(ways, alone, strict=True):
        assert_near(read(model, **way), wanted)


@pytest.mark.parametrize("case", CASES)
def test_attention_made_by_rows_and_let_go_is_made_again_the_same(
    opened: Opener, case: str, share: Callable[[int], list[int]]
) -> None:
    share(2)
    trace = read(opened(case))
    first = [trace.attention(*place) for place in places(trace)]
    trace._attention = Recent(0)  # keeps the newest alone
    for place, attention in zip(places(trace), first, strict=True):
        again = trace.attention(*place)
        assert again is not attention
        assert np.array_equal(again, attention)


@given(
    st.lists(st.integers(1, 1_000), min_size=1, max_size=300),
    st.integers(1, 8),
    st.integers(1, 40),
)
def test_the_rows_of_all_processors_are_all_rows_and_cost_alike(costs: list[int], n_processor: int, grain: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threads, "n_processor", lambda: n_processor)
        patch.setattr(products, "_WORTH_A_THREAD", 1)
        patch.setattr(by_rows, "_OF_WIDTH", 0)
        rows = rows_of_each(len(costs), 64, grain, lambda: np.array(costs))
    assert [row for some in rows for row in range(len(costs))[some]] == list(range(len(costs)))
    assert all(some.start % grain == 0 for some in rows)
    share = sum(costs) / n_processor
    # What a part has too much or too little lies within half of what stays together, at each of its ends.
    assert all(abs(sum(costs[some]) - share) <= (grain + 1) * max(costs) for some in rows) or len(rows) < n_processor


@pytest.mark.parametrize(("n", "n_part"), [(100, 1), (127, 1), (128, 2), (1_000, 2)])
def test_few_rows_of_a_wide_model_are_not_shared_by_rows(monkeypatch: pytest.MonkeyPatch, n: int, n_part: int) -> None:
    monkeypatch.setattr(threads, "n_processor", lambda: 2)
    assert len(rows_of_each(n, 384, 16, lambda: np.full(n, 1_000_000))) == n_part


def test_little_work_is_not_shared_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "n_processor", lambda: 2)
    assert rows_of_each(500, 32, 16, lambda: np.full(500, 10_000)) == [slice(0, 500)]
    assert rows_of_each(500, 32, 16, lambda: np.full(500, 100_000)) == [slice(0, 256), slice(256, 500)]


def test_what_the_parts_make_stands_in_the_order_of_the_rows() -> None:
    rows = [slice(0, 3), slice(3, 4), slice(4, 9)]
    values = np.arange(18, dtype=np.float32).reshape(9, 2)
    assert np.array_equal(in_rows(partial(values.__getitem__), rows), values)

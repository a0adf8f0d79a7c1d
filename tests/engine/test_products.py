"""Products of any shape and layout are those of float64, however they are shared out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine import products, threads
from attnviz.engine.layers import Linear
from attnviz.engine.products import apply, apply_each, in_columns, multiply

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32

DEPTHS = st.integers(1, 70) | st.sampled_from([384, 1_536])
WIDTHS = st.integers(1, 300)


def weights_of(random: np.random.Generator, depth: int, width: int, by_column: bool, has_bias: bool) -> Linear:
    """Weights that lie in memory by columns, as most checkpoints have them, or by rows."""
    weight = random.normal(size=(depth, width)).astype(np.float32)
    return Linear(
        np.asfortranarray(weight) if by_column else weight, random.normal(size=width).astype(np.float32) if has_bias else None
    )


def exact(x: Float32, weights: Linear) -> np.ndarray:
    y = x.astype(np.float64) @ weights.weight.astype(np.float64)
    return y if weights.bias is None else y + weights.bias


@pytest.fixture(autouse=True, params=[1, 2, 3])
def processors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """As many processors, and parts so small that each test shares its work out."""
    monkeypatch.setattr(threads, "n_processor", lambda: request.param)
    monkeypatch.setattr(products, "_WORTH_A_THREAD", 1)
    monkeypatch.setattr(products, "_GRAIN", 16)
    return request.param


@given(st.integers(1, 40), DEPTHS, WIDTHS, st.booleans(), st.booleans())
def test_a_product_is_x_times_weight_plus_bias_in_any_layout(
    n: int, depth: int, width: int, by_column: bool, has_bias: bool
) -> None:
    random = np.random.default_rng(n * depth * width)
    x, weights = random.normal(size=(n, depth)).astype(np.float32), weights_of(random, depth, width, by_column, has_bias)
    got = apply(x, weights)
    assert got.dtype == np.float32
    assert got.flags.c_contiguous
    assert np.abs(got - exact(x, weights)).max() <= 1e-5 * np.sqrt(depth) * 10


@given(st.integers(1, 20), st.lists(st.tuples(WIDTHS, st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_several_products_at_once_are_each_product_alone(n: int, shapes: list[tuple[int, bool, bool]]) -> None:
    random = np.random.default_rng(n)
    x = random.normal(size=(n, 96)).astype(np.float32)
    several = [weights_of(random, 96, *shape) for shape in shapes]
    for got, weights in zip(apply_each(x, several), several, strict=True):
        assert np.abs(got - exact(x, weights)).max() <= 1e-3


@given(st.integers(1, 40), DEPTHS, WIDTHS, st.booleans(), st.data())
def test_some_columns_of_a_product_are_those_columns(n: int, depth: int, width: int, by_column: bool, data: st.DataObject) -> None:
    random = np.random.default_rng(width)
    x, weights = random.normal(size=(n, depth)).astype(np.float32), weights_of(random, depth, width, by_column, True)
    start = data.draw(st.integers(0, width - 1))
    columns = slice(start, data.draw(st.integers(start + 1, width)))
    whole = np.full((n, width), np.nan, np.float32)
    multiply(x, weights, columns, whole[:, columns])
    assert np.abs(whole[:, columns] - exact(x, weights)[:, columns]).max() <= 1e-5 * np.sqrt(depth) * 10
    assert np.isnan(np.delete(whole, np.arange(width)[columns], axis=1)).all()


@given(st.integers(1, 50), st.integers(1, 2_000))
def test_each_column_is_in_just_one_part(n: int, width: int) -> None:
    seen = np.zeros(width, int)

    def part(columns: slice) -> None:
        seen[columns] += 1

    in_columns(np.zeros((n, 8), np.float32), width, part)
    assert (seen == 1).all()


@pytest.mark.parametrize("n", [2, 16, 32, 33])
def test_products_with_few_rows_are_made_in_blocks_without_another_result(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(n)
    x, weights = random.normal(size=(n, 384)).astype(np.float32), weights_of(random, 384, 1_000, True, True)
    monkeypatch.setattr(products, "has_small_kernels", lambda: True)
    in_blocks = apply(x, weights)
    monkeypatch.setattr(products, "has_small_kernels", lambda: False)
    assert np.allclose(in_blocks, apply(x, weights), rtol=0, atol=1e-4)

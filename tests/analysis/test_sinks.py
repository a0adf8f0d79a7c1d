"""Attention with keys taken out: the share taken and the weight left make what there was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.sinks import without_keys

Case = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Weights [head, query, key], what a row is a share of, and some keys: attention, with and without a learned sink, or norms."""
    n_head, n_query, n_key = (draw(st.integers(1, most)) for most in (3, 4, 6))
    size = n_head * n_query * n_key
    raw = draw(st.lists(st.sampled_from([0.0, 1e-9, 1e-4, 0.1, 1.0, 2.5, 40.0]), min_size=size, max_size=size))
    weights = np.array(raw).reshape(n_head, n_query, n_key)
    sums = weights.sum(axis=-1, keepdims=True)
    kind = draw(st.sampled_from(["attention", "learned sink", "norms"]))
    if kind != "norms":
        weights /= np.maximum(sums, 1e-12) + (0.5 * sums if kind == "learned sink" else 0.0)
    weights = weights.astype(np.float32)
    total = weights.sum(axis=-1) if kind == "norms" else np.ones(weights.shape[:-1], np.float32)
    return weights, total, np.array(draw(st.lists(st.booleans(), min_size=n_key, max_size=n_key)))


@given(cases(), st.booleans())
def test_each_row_against_its_definition(case: Case, renormalise: bool) -> None:
    weights, total, keys = case
    left, shares = without_keys(*case, renormalise)
    assert left.dtype == shares.dtype == np.float32
    for head, query in np.ndindex(total.shape):
        row = weights[head, query].tolist()
        taken = sum(weight for weight, out in zip(row, keys, strict=True) if out)
        rest = sum(weight for weight, out in zip(row, keys, strict=True) if not out)
        factor = sum(row) / rest if renormalise and rest else 1.0
        expected = [0.0 if out else factor * weight for weight, out in zip(row, keys, strict=True)]
        assert left[head, query].tolist() == pytest.approx(expected, rel=1e-5, abs=1e-30)
        whole = float(total[head, query])
        assert shares[head, query] == pytest.approx(taken / whole if whole else 0.0, rel=1e-5, abs=1e-30)
        assert 0.0 <= shares[head, query] <= 1.0


@given(cases())
def test_what_is_left_and_the_share_taken_make_what_there_was(case: Case) -> None:
    weights, total, _ = case
    left, shares = without_keys(*case, renormalise=False)
    np.testing.assert_allclose(left.sum(axis=-1) + shares * total, weights.sum(axis=-1), rtol=1e-5)


@given(cases())
def test_renormalised_rows_sum_to_what_they_did_or_have_nothing_left(case: Case) -> None:
    weights, _, keys = case
    left, _ = without_keys(*case, renormalise=True)
    kept = weights[..., ~keys].any(axis=-1)
    np.testing.assert_allclose(left.sum(axis=-1)[kept], weights.sum(axis=-1)[kept], rtol=1e-5)
    assert not left[~kept].any()


@given(cases(), st.booleans())
def test_nothing_is_written_into_the_weights(case: Case, renormalise: bool) -> None:
    before = case[0].copy()
    without_keys(*case, renormalise)
    assert np.array_equal(case[0], before)


@given(cases(), st.booleans())
def test_without_any_such_key_nothing_is_copied(case: Case, renormalise: bool) -> None:
    weights, total, keys = case
    left, shares = without_keys(weights, total, np.zeros_like(keys), renormalise)
    assert left is weights
    assert not shares.any()
    assert shares.shape == total.shape


def test_a_row_on_those_keys_alone_has_a_share_of_one_however_its_sum_is_rounded() -> None:
    for n in range(1, 200):
        row = np.full((1, n), 1.0 / n, np.float32)
        left, shares = without_keys(row, np.ones(1, np.float32), np.ones(n, np.bool_), renormalise=True)
        assert not left.any()
        assert 1.0 - 1e-5 < shares[0] <= 1.0


def test_a_rest_next_to_nothing_is_scaled_up_without_overflow() -> None:
    weights = np.array([[1.0, 1e-44, 3e-44]], np.float32)
    left, shares = without_keys(weights, np.ones(1, np.float32), np.array([True, False, False]), renormalise=True)
    assert left[0].tolist() == pytest.approx([0.0, 0.25, 0.75], abs=0.02)  # such small floats have one digit
    assert shares[0] == 1.0

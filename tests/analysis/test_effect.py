"""The one number that says what a what-if did."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.analysis.effect import mean_cosine


@given(st.integers(1, 6), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_mean_cosine_is_the_mean_of_the_cosines_of_the_rows(n_token: int, width: int, seed: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, n_token, width)).astype(np.float32)
    cosines = []
    for x, y in zip(a.tolist(), b.tolist(), strict=True):
        dot = sum(i * j for i, j in zip(x, y, strict=True))
        cosines.append(dot / math.sqrt(sum(i * i for i in x)) / math.sqrt(sum(j * j for j in y)))
    assert mean_cosine(a, b) == pytest.approx(sum(cosines) / n_token, abs=1e-5)


@given(st.integers(1, 6), st.floats(0.01, 100.0), st.integers(0, 2**32 - 1))
def test_only_the_direction_counts(n_token: int, factor: float, seed: int) -> None:
    a = np.random.default_rng(seed).normal(size=(n_token, 8)).astype(np.float32)
    assert mean_cosine(a, a * np.float32(factor)) == pytest.approx(1.0, abs=1e-5)
    assert mean_cosine(a, -a) == pytest.approx(-1.0, abs=1e-5)

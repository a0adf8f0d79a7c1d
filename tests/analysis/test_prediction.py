"""Which token comes next: against the definitions in plain Python, and Philox against its published vectors."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from attnviz.analysis.prediction import likeliest, probabilities, sampled

N_VOCAB_OF_GEMMA = 262_144
SEEDS = st.integers(0, 2**128 - 1)
STEPS = st.integers(0, 2**64)


@st.composite
def many_logits(draw: st.DrawFn) -> NDArray[np.float32]:
    """[..., vocab], from nearly alike to far apart, some of the largest equal and some -inf."""
    shape = (*draw(st.sampled_from([(), (0,), (1,), (2, 3)])), draw(st.integers(1, 9)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    logits = rng.normal(size=shape) * draw(st.sampled_from([1e-3, 1.0, 30.0, 1e4])) + draw(st.sampled_from([0.0, -1e4, 1e4]))
    logits[rng.random(shape) > 0.8] = logits.max(initial=-math.inf)
    logits[..., 1:][rng.random((*shape[:-1], shape[-1] - 1)) > 0.8] = -math.inf
    return logits.astype(np.float32)


@st.composite
def rows(draw: st.DrawFn) -> NDArray[np.float32]:
    """Probabilities of a few tokens, [vocab], not all 0; they sum to about 1, many are 0 and many are equal."""
    raw = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 1e-30, 0.01, 0.2, 0.2, 1.0, 3.0]), min_size=1, max_size=12)))
    assume(raw.any())
    return (raw / raw.sum()).astype(np.float32)


def softmax_slowly(logits: list[float], temperature: float) -> list[float]:
    powers = [math.exp((logit - max(logits)) / temperature) for logit in logits]
    return [power / math.fsum(powers) for power in powers]


def philox(key: int, counter: int) -> list[int]:
    """The four words that Philox4x64-10 makes of a counter, as in Salmon et al. 2011, section 3.3, with plain integers."""
    word = 2**64 - 1
    c = [counter >> shift & word for shift in (0, 64, 128, 192)]
    k = [key & word, key >> 64 & word]
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [second >> 64 ^ c[1] ^ k[0], second & word, first >> 64 ^ c[3] ^ k[1], first & word]
        k = [(k[0] + 0x9E3779B97F4A7C15) & word, (k[1] + 0xBB67AE8584CAA73B) & word]
    return c


def sampled_slowly(row: list[float], seed: int, step: int) -> int:
    share = (philox(seed, step + 1)[0] >> 11) / 2**53  # NumPy counts up before it draws
    up_to = list(accumulate(row))
    return next(token for token, so_far in enumerate(up_to) if share * up_to[-1] < so_far)


@given(many_logits(), st.sampled_from([1e-3, 0.3, 1.0, 2.0, 1e3]))
def test_probabilities_against_the_definition_of_softmax(logits: NDArray[np.float32], temperature: float) -> None:
    before = logits.copy()
    found = probabilities(logits, temperature)
    assert (found.dtype, found.shape) == (np.float32, logits.shape)
    assert np.array_equal(logits, before)
    for at in np.ndindex(logits.shape[:-1]):
        assert found[at].tolist() == pytest.approx(softmax_slowly(logits[at].tolist(), temperature), rel=1e-6, abs=1e-37)


def test_without_a_temperature_it_is_one() -> None:
    logits = np.array([0.0, 1.0, -2.0], np.float32)
    assert np.array_equal(probabilities(logits), probabilities(logits, 1.0))


@given(many_logits(), st.floats(0.0, 1e300))
def test_rows_sum_to_one_at_any_temperature(logits: NDArray[np.float32], temperature: float) -> None:
    found = probabilities(logits, temperature)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=-1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 10.0])
def test_rows_of_a_large_vocabulary_sum_to_one(spread: float) -> None:
    logits = (spread * np.random.default_rng(0).normal(size=N_VOCAB_OF_GEMMA) + 100.0).astype(np.float32)
    assert math.fsum(probabilities(logits).tolist()) == pytest.approx(1.0, abs=1e-5)


@given(many_logits())
def test_at_temperature_0_the_first_of_the_largest_has_it_all(logits: NDArray[np.float32]) -> None:
    found = probabilities(logits, 0.0)
    assert found.dtype == np.float32
    for at in np.ndindex(logits.shape[:-1]):
        row = logits[at].tolist()
        assert found[at].tolist() == [float(token == row.index(max(row))) for token in range(len(row))]


def test_the_ends_of_what_float32_and_a_temperature_can_be_are_safe() -> None:
    logits = np.array([3e38, -3e38, 3e38, 0.0], np.float32)
    for temperature in (5e-324, 1e-30, 1.0):
        assert probabilities(logits, temperature).tolist() == [0.5, 0.0, 0.5, 0.0]
    assert probabilities(np.array([1.0, 2.0], np.float32), 1e308).tolist() == [0.5, 0.5]


@given(many_logits())
def test_a_lower_temperature_never_makes_the_likeliest_less_likely(logits: NDArray[np.float32]) -> None:
    largest = [probabilities(logits, temperature).max(axis=-1) for temperature in (10.0, 1.0, 0.1, 0.0)]
    for warmer, colder in pairwise(largest):
        assert (colder >= warmer * (1 - 1e-6)).all()


@pytest.mark.parametrize("temperature", [-1e-9, -1.0, math.inf, -math.inf, math.nan])
def test_a_temperature_below_0_or_not_finite_is_refused_by_its_value(temperature: float) -> None:
    with pytest.raises(ValueError, match=f"temperature is {temperature};"):
        probabilities(np.zeros(3, np.float32), temperature)


@given(rows(), st.integers(0, 14))
def test_the_likeliest_are_the_first_of_all_sorted_by_probability_then_id(row: NDArray[np.float32], most: int) -> None:
    before = row.copy()
    found = likeliest(row, most)
    assert found == tuple(sorted(enumerate(row.tolist()), key=lambda pair: (-pair[1], pair[0]))[:most])
    assert all(type(token) is int and type(probability) is float for token, probability in found)
    assert np.array_equal(row, before)


@given(st.integers(0, 2**32 - 1), st.integers(1, 50), st.sampled_from([3, 100, 10**6]))
def test_the_likeliest_of_many_are_in_order_too(seed: int, most: int, n_value: int) -> None:
    row = (np.random.default_rng(seed).integers(n_value, size=3000) / n_value).astype(np.float32)
    assert likeliest(row, most) == tuple(sorted(enumerate(row.tolist()), key=lambda pair: (-pair[1], pair[0]))[:most])


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ("0" * 64, "0" * 32, "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b"),
        ("f" * 64, "f" * 32, "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0"),
        (
            "082efa98ec4e6c89a4093822299f31d013198a2e03707344243f6a8885a308d3",
            "be5466cf34e90c6c452821e638d01377",
            "a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6",
        ),
    ],
)
def test_the_reference_is_the_published_philox(counter: str, key: str, expected: str) -> None:
    """Random123, tests/kat_vectors, "philox4x64 10"; the words written there first are the lowest."""
    assert philox(int(key, 16), int(counter, 16)) == [int(word, 16) for word in expected.split()]


@given(rows(), SEEDS, STEPS)
def test_a_draw_is_found_again_with_plain_numbers(row: NDArray[np.float32], seed: int, step: int) -> None:
    token = sampled(row, seed, step)
    assert type(token) is int
    assert token == sampled_slowly(row.tolist(), seed, step)


def test_a_draw_from_a_large_vocabulary_is_found_again_too() -> None:
    row = np.random.default_rng(0).dirichlet(np.ones(N_VOCAB_OF_GEMMA)).astype(np.float32)
    for step in range(5):
        assert sampled(row, 11, step) == sampled_slowly(row.tolist(), 11, step)


@given(rows(), SEEDS, STEPS)
def test_what_has_no_probability_is_never_drawn(row: NDArray[np.float32], seed: int, step: int) -> None:
    assert row[sampled(row, seed, step)] > 0


def share_of(monkeypatch: pytest.MonkeyPatch, bits: int) -> None:
    """Makes the generator give these bits."""

    class Fixed:
        def __init__(self, **_: int) -> None: ...

        def random_raw(self) -> int:
            return bits

    monkeypatch.setattr(np.random, "Philox", Fixed)


@pytest.mark.parametrize("total", [1e-45, 0.1, 1 / 3, 0.9999999, 1.0, 1.0000001, 3.0, 1e30])
def test_the_first_and_the_last_of_all_draws_are_tokens_that_can_come(monkeypatch: pytest.MonkeyPatch, total: float) -> None:
    row = np.array([0.0, total, 0.0, total, 0.0], np.float32)
    share_of(monkeypatch, 0)
    assert sampled(row, 0, 0) == 1
    share_of(monkeypatch, 2**63 - 1)
    assert sampled(row, 0, 0) == 1
    share_of(monkeypatch, 2**63)
    assert sampled(row, 0, 0) == 3
    share_of(monkeypatch, 2**64 - 1)
    assert sampled(row, 0, 0) == 3


def test_draws_come_as_often_as_they_are_likely() -> None:
    row = np.array([0.5, 0.0, 0.3, 0.15, 0.05], np.float32)
    n_draw = 4000
    counts = np.bincount([sampled(row, 7, step) for step in range(n_draw)], minlength=5)
    five_deviations = 5 * np.sqrt(n_draw * row * (1 - row))
    assert (np.abs(counts - n_draw * row) <= five_deviations).all()


def test_seeds_and_steps_draw_apart() -> None:
    row = np.full(50_000, 1 / 50_000, np.float32)
    drawn = {sampled(row, seed, step) for seed in range(10) for step in range(10)}
    assert len(drawn) > 95  # of 100 draws from 50,000, one pair in ten runs is equal


def test_the_sum_of_the_probabilities_does_not_matter() -> None:
    row = np.random.default_rng(0).random(100, dtype=np.float32)
    for step in range(100):
        assert sampled(row, 3, step) == sampled(row * np.float32(4.0), 3, step)


@pytest.mark.parametrize("bad", [[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_probabilities_that_nothing_can_be_drawn_from_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="no token can be drawn"):
        sampled(np.array(bad, np.float32), 0, 0)


@pytest.mark.parametrize(("seed", "step"), [(-1, 0), (2**128, 0), (0, -1)])
def test_seeds_and_steps_out_of_range_are_refused(seed: int, step: int) -> None:
    with pytest.raises(ValueError, match=r"key|counter"):
        sampled(np.ones(2, np.float32), seed, step)

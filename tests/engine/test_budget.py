"""Layers are kept while they fit a budget, which changes how often they are read and never what comes out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.budget import First
from attnviz.engine.model import Model, load_model
from attnviz.errors import Cancelled
from tests.engine.counting import Reads
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.trace import Trace

CASES = ("bert-mlm", "llama-gqa", "mixtral-two-of-four", "gpt-oss-mxfp4", "t5-tied")
TEXT = "Why not? The animal was tired."


def trace_of(model: Model, text: str = TEXT) -> Trace:
    return model.trace(text, text if model.config.decoder else None)


def assert_equal(found: Trace, wanted: Trace) -> None:
    for kind in wanted.kinds:
        for layer in range(wanted.n_layer_of(kind)):
            assert np.array_equal(found.attention(layer, kind), wanted.attention(layer, kind))
            assert np.array_equal(found.q(layer, kind), wanted.q(layer, kind))
    assert np.array_equal(found.hidden, wanted.hidden)
    if wanted.decoder_hidden is not None:
        assert np.array_equal(found.decoder_hidden, wanted.decoder_hidden)


@pytest.mark.parametrize("case", CASES)
def test_every_budget_gives_the_same_trace_bit_for_bit(case: str, tmp_path: Path) -> None:
    folder = write_model(case, tmp_path, dtype="bfloat16")
    wanted = trace_of(load_model(folder))
    for budget in (0, 1, 20_000, 1 << 40):
        model = load_model(folder, budget=budget)
        for _ in range(2):
            assert_equal(trace_of(model), wanted)


@pytest.mark.parametrize("case", CASES)
def test_without_a_budget_each_run_reads_each_layer_again(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads().watch(monkeypatch)
    model = load_model(write_model(case, tmp_path), budget=0)
    reads.take()
    trace_of(model)
    first = reads.take()
    assert first
    trace_of(model)
    assert reads.take() == first
    assert model._kept.n_bytes == 0


@pytest.mark.parametrize("case", CASES)
def test_with_a_large_budget_each_layer_is_read_once(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads().watch(monkeypatch)
    model = load_model(write_model(case, tmp_path), budget=1 << 40)
    reads.take()
    trace_of(model)
    once = reads.take()
    assert once
    if model.config.stack.experts is None:
        assert set(once.values()) == {1}
    trace_of(model)
    assert not reads.take()


def test_a_budget_for_one_layer_keeps_the_first_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads().watch(monkeypatch)
    folder = write_model("llama-gqa", tmp_path)
    needs = load_model(folder)._needs
    model = load_model(folder, budget=needs.largest + needs.always)
    trace_of(model)
    reads.take()
    trace_of(model)
    assert {name.split(".")[2] for name in reads.take()} == {"1"}
    assert model._kept.n_bytes == needs.largest


@pytest.mark.parametrize("case", CASES)
def test_a_released_model_runs_as_before_and_keeps_its_layers_again(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads().watch(monkeypatch)
    model = load_model(write_model(case, tmp_path), budget=1 << 40)
    reads.take()
    before, once = trace_of(model), reads.take()
    kept = model._kept.n_bytes
    assert kept > 0
    model.release()
    assert model._kept.n_bytes == 0
    assert_equal(trace_of(model), before)
    assert reads.take() == once
    assert model._kept.n_bytes == kept


def test_a_model_may_be_released_while_others_run_it(tmp_path: Path) -> None:
    model = load_model(write_model("mixtral-two-of-four", tmp_path, dtype="bfloat16"), budget=60_000)
    wanted = trace_of(model)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(trace_of, model) for _ in range(12)]
        for _ in range(50):
            model.release()
        for run in runs:
            assert_equal(run.result(), wanted)
    assert model._kept.n_bytes == sum(map(model._kept._size, model._kept._kept.values())) <= 60_000


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50)), max_size=60), st.integers(0, 120))
def test_the_first_that_fit_are_kept_and_the_others_made_each_time(asked: list[tuple[int, int]], budget: int) -> None:
    made: list[int] = []

    def make(key: int, n: int) -> str:
        made.append(key)
        return "x" * n

    first: First[str] = First(budget, len, 1 << 40)
    kept: dict[int, str] = {}
    for key, n in asked:
        made.clear()
        found = first.get(key, make, key, n)
        assert made == ([] if key in kept else [key])
        assert found == kept.get(key, "x" * n)
        if sum(map(len, kept.values())) + len(found) <= budget:
            kept.setdefault(key, found)
        assert first.n_bytes == sum(map(len, kept.values())) <= budget


def test_a_lower_limit_keeps_what_there_is_and_takes_nothing_more() -> None:
    first: First[str] = First(10, len, 1 << 40)
    assert first.get("a", str, "aaaa") == "aaaa"
    first.limit(4)
    assert first.get("b", str, "b") == "b"
    assert (first.get("a", str, "other"), first.get("b", str, "other")) == ("aaaa", "other")
    assert first.n_bytes == 4
    first.clear()
    assert first.n_bytes == 0
    assert first.get("a", str, "new") == "new"
    assert first.get("a", str, "newer") == "new"


def test_many_threads_get_one_value_and_never_more_than_fits() -> None:
    first: First[str] = First(100, len, 1 << 40)

    def get(number: int) -> str:
        if number % 50 == 0:
            first.clear()
        return first.get(number % 40, str, "x" * (number % 40))

    with ThreadPoolExecutor(8) as pool:
        for number, found in enumerate(pool.map(get, range(4_000))):
            assert len(found) == number % 40
    assert first.n_bytes == sum(map(len, first._kept.values())) <= 100


@pytest.mark.parametrize("case", CASES)
def test_opening_tells_each_layer_and_stops_at_any(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads().watch(monkeypatch)
    folder = write_model(case, tmp_path)
    told: list[tuple[int, int]] = []
    config = load_model(folder, progress=lambda *done: told.append(done)).config
    total = config.n_layer + (config.decoder.n_layer if config.decoder else 0)
    assert told == [(number, total) for number in range(1, total + 1)]
    for stop in range(total):
        told.clear()
        reads.take()
        with pytest.raises(Cancelled):
            load_model(folder, cancelled=lambda stop=stop: len(told) == stop, progress=lambda *done: told.append(done))
        assert told == [(number, total) for number in range(1, stop + 1)]
        assert not reads.take()


@pytest.mark.parametrize("case", CASES)
def test_a_run_tells_each_layer_and_stops_between_any_two_layers_or_experts(case: str, tmp_path: Path) -> None:
    model = load_model(write_model(case, tmp_path))
    told: list[tuple[int, int]] = []
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked == stop

    def run() -> Trace:
        return model.trace(
            TEXT, TEXT if model.config.decoder else None, cancelled=cancelled, progress=lambda *done: told.append(done)
        )

    stop = -1
    wanted = run()
    total = told[-1][1]
    assert told == [(number, total) for number in range(1, total + 1)]
    n_asked = asked
    assert (n_asked > total) == (model.config.stack.experts is not None)
    for stop in range(1, n_asked + 1):
        told.clear()
        asked = 0
        with pytest.raises(Cancelled):
            run()
        assert asked == stop
        assert len(told) < total
    stop, asked = -1, 0
    assert_equal(run(), wanted)


def test_a_run_keeps_no_more_anew_than_it_may_and_the_next_ones_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_model("llama-gqa", tmp_path, dtype="bfloat16")
    n_layer, largest = load_model(folder).config.n_layer, load_model(folder)._needs.largest
    assert n_layer > 1
    monkeypatch.setattr("attnviz.engine.model._KEPT_AT_A_TIME", 1)  # and so one layer
    model = load_model(folder, budget=1 << 40)
    wanted = trace_of(load_model(folder))
    for run in range(1, n_layer + 2):
        assert_equal(trace_of(model), wanted)
        assert model._kept.n_bytes <= min(run, n_layer) * largest
    assert model._kept.n_bytes > (n_layer - 1) * largest

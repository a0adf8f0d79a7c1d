"""Typing: each keystroke's run takes over from those before it what they have of the text, and they are let go."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.cutting import n_common
from attnviz.engine.trace import Trace
from attnviz.session.request import Request, Writing
from attnviz.session.run import Runner
from tests.engine.changing import layers_computed
from tests.engine.tiny_bert import write_bert
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.run import Run

TEXT: Final = "the fox was tired because it slept " * 4
MUTED: Final = NOTHING.with_muted(HeadAt("decoder", 1, 1), True)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model("llama-gqa", tmp_path_factory.mktemp("llama"))


def typed(text: str, more: str) -> Iterator[str]:
    """The texts on the way from one to that with more behind it."""
    return (text + more[:n] for n in range(1, len(more) + 1))


def n_new(run: Run, before: Run) -> int:
    """How many tokens come from the first on that is another."""
    return len(run.trace.ids) - n_common(run.trace.encoding, before.trace.encoding)


def test_a_character_typed_or_deleted_computes_the_tokens_from_it_on(llama: Path) -> None:
    runner, n_token = Runner(), []
    before = runner.run(Request(llama, TEXT))
    texts = [*typed(TEXT, "and why not"), *typed(TEXT, "and"), *typed(TEXT, "and 12")]
    for text in texts:
        with layers_computed() as computed:
            run = runner.run(Request(llama, text))
        tokens = {n for _, _, n in computed}
        assert tokens <= {n_new(run, before)}  # none where one of the last four was the same text
        n_token += tokens
        before = run
    assert max(n_token) <= 6
    assert before.trace.n_written == 0


@pytest.mark.parametrize("changes", [MUTED, MUTED.with_muting("uniform"), MUTED.with_muting("frozen")], ids=lambda c: c.muting)
def test_a_what_if_of_a_text_that_is_typed_computes_the_new_tokens_of_the_layers_from_the_change_on(
    llama: Path, changes: object
) -> None:
    runner = Runner()
    before = runner.run(Request(llama, TEXT, changes=changes))
    n_layer = before.trace.n_layer
    for text in typed(TEXT, "and why not"):
        with layers_computed() as computed:
            run = runner.run(Request(llama, text, changes=changes))
        new = n_new(run, before)
        assert computed == [("first", layer, new) for layer in (*range(n_layer), *range(1, n_layer))]
        assert run.trace.attended(0, "decoder") is run.trained.attended(0, "decoder")
        before = run


def test_two_runs_that_are_compared_are_both_typed_on(llama: Path) -> None:
    runner, other = Runner(), Request(llama, "why did it cross the street")
    before = runner.run(Request(llama, TEXT, changes=MUTED, against=other))
    for text in typed(TEXT, "and why not"):
        with layers_computed() as computed:
            run = runner.run(Request(llama, text, changes=MUTED, against=other))
        assert {n for _, _, n in computed} == {n_new(run, before)}
        before = run
    for text in typed(other.text, " or not"):
        with layers_computed() as computed:
            run = runner.run(Request(llama, TEXT + "and why not", changes=MUTED, against=replace(other, text=text)))
        assert {n for _, _, n in computed} == {n_new(run.against, before.against)}
        before = run


def test_what_a_model_wrote_is_read_on_when_it_is_typed_too(llama: Path) -> None:
    runner = Runner()
    run = runner.run(Request(llama, TEXT, writing=Writing(temperature=0.0)))
    with layers_computed() as computed:
        again = runner.run(Request(llama, run.trace.text))
    assert {n for _, _, n in computed} == {n_new(again, run)} - {0}
    assert again.trace.n_written == 0


def test_a_model_that_looks_both_ways_reads_each_text_anew(tmp_path: Path) -> None:
    runner, folder = Runner(), write_bert(tmp_path / "model")
    runner.run(Request(folder, "the cat sings"))
    with layers_computed() as computed:
        run = runner.run(Request(folder, "the cat sings the"))
    assert {n for _, _, n in computed} == {len(run.trace.ids)}


def test_three_hundred_characters_keep_no_more_memory_than_the_last_few(llama: Path) -> None:
    runner = Runner()
    texts = list(typed("w", "hy did it cross the street, and was it tired? " * 7))
    for n, text in enumerate([*texts, *texts[-2::-1]]):
        model = runner.run(Request(llama, text, changes=MUTED)).model
        if n > 3 and n % 20 == 0:
            kept = traces_of(model)
            assert len(kept) == 4
            held = {id(base): base.nbytes for trace in kept for base in bases(trace)}
            assert sum(held.values()) <= 2 * sum(array.nbytes for trace in kept for array in arrays(trace))
            del kept


def traces_of(model: Model) -> list[Trace]:
    """All that are alive."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, Trace) and one.config is model.config]


def arrays(trace: Trace) -> list[np.ndarray]:
    """What a trace keeps for each token."""
    found = [trace.hidden, trace.entering(trace.n_layer)]
    for layer in range(trace.n_layer):
        at = trace.attended(layer, "decoder")
        found += [array for array in (at.entering, at.projected.q, at.projected.k, at.projected.v) if array is not None]
    return found


def bases(trace: Trace) -> list[np.ndarray]:
    found = arrays(trace)
    return [array.base if isinstance(array.base, np.ndarray) else array for array in found]

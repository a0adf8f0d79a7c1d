"""A layer a few rows at a time: together the blocks are what the layer is as a whole."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from attnviz.engine.model import Model, load_model
from attnviz.session import row_blocks as module
from attnviz.session.leaving_out import of_words
from attnviz.session.row_blocks import row_blocks
from attnviz.session.sight import kind_of, quantity_of
from attnviz.session.survey import survey_of
from attnviz.session.units import units_of
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import weights_of
from tests.engine.larger_models import write_larger
from tests.golden.families_reader import write_model
from tests.session.test_survey import check_maps

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.trace import Trace

TEXT = "The animal didn't cross the street because it was tired, unfortunately."
VIEWS = {
    "plain": View(layer=1),
    "words": View(layer=1, words=True),
    "mean": View(heads=HeadChoice(frozenset({0, 2}), 4), is_mean=True),
    "mean of no heads": View(heads=HeadChoice(frozenset(), 4), is_mean=True),
    "norms": View(quantity="norms"),
    "rollout of words": View(layer=1, quantity="rollout", words=True),
    "renormalised": View(sinks=Sinks(frozenset({"first", "punctuation"}), "renormalise")),
}


@pytest.fixture(scope="module", params=["llama-mha", "gemma2-caps-windows", "gpt-oss-mxfp4", "bloom-lm", "bert-mlm"])
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return load_model(write_model(request.param, tmp_path_factory.mktemp("model"))).trace(TEXT)


@pytest.fixture(params=[1, 3, 1000], ids="{} rows at once".format)
def rows_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Blocks of so many rows, of a trace that keeps no attention."""
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    monkeypatch.setattr(module, "_FEWEST_ROWS", request.param)
    monkeypatch.setattr("attnviz.engine.needs.ATTENTION_BUDGET", 0)
    return request.param


@pytest.mark.parametrize("name", VIEWS)
def test_the_blocks_together_are_the_layer(trace: Trace, name: str, rows_at_once: int) -> None:
    view, kind = VIEWS[name], kind_of(trace, VIEWS[name])
    heads, units = sorted(view.shown_heads(trace.head_count_of(kind))), units_of(trace, kind, view.words)
    whole = weights_of(trace, kind, view.layer, heads, quantity_of(trace, view), view.is_mean)
    whole = whole if not units.are_words else of_words(units, *whole)
    stop = 0
    for block in row_blocks(trace, view, kind, units, heads):
        assert block.start == stop
        stop, n_key = block.stop, block.weights.shape[2]
        assert stop > block.start
        rows = slice(block.start, stop)
        np.testing.assert_allclose(block.weights, whole[0][:, rows, :n_key], rtol=2e-5, atol=1e-7)
        assert not whole[0][:, rows, n_key:].any()
        np.testing.assert_allclose(block.total, whole[1][:, rows], rtol=1e-5)
        np.testing.assert_allclose(block.learned, whole[2][:, rows], rtol=1e-4, atol=1e-7)
    assert stop == len(units.query_groups)


@pytest.mark.parametrize("name", VIEWS)
def test_a_survey_has_the_maps_of_each_layers_own_picture_however_many_rows_are_read_at_once(
    trace: Trace, name: str, rows_at_once: int
) -> None:
    check_maps(survey_of(trace, VIEWS[name], 7), trace, VIEWS[name], 7, rtol=2e-5)  # products of other rows round otherwise


def test_layers_read_on_several_threads_come_in_order(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("attnviz.session.survey._SOON_READ", 0)
    monkeypatch.setattr("attnviz.session.survey.n_processor", lambda: 3)
    check_maps(survey_of(trace, View(), 8), trace, View(), 8, rtol=2e-5)


def test_a_survey_of_a_long_text_never_holds_a_layer_in_full(tmp_path: Path) -> None:
    model: Model = load_model(write_larger("llama-mha", tmp_path, num_hidden_layers=3, max_position_embeddings=2_048))
    trace = model.trace("the fox " * 500)
    n, n_head = len(trace.tokens), trace.head_count_of()
    assert n > 900
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attnviz.engine.needs.ATTENTION_BUDGET", 0)
        patch.setattr("attnviz.session.survey._SOON_READ", 1 << 40)  # on this thread alone
        tracemalloc.start()
        survey_of(trace, View())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 4 * n_head * n * n

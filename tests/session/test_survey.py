"""All heads at once: the numbers are those of each layer's own picture, and nothing of the work is lost or left behind."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.model import Model, load_model
from attnviz.engine.trace import Trace
from attnviz.errors import Cancelled
from attnviz.session.grid_choice import GridChoice, order_of, passes
from attnviz.session.head_reading import read_head
from attnviz.session.sight import sight_of
from attnviz.session.survey import DIMMED, Survey, chosen_values, finest_size, kept_survey, survey_of, survey_view
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import MEAN
from tests.golden.families_reader import write_model

if TYPE_CHECKING:
    from pathlib import Path

ANIMAL = "The animal didn't cross the street because it was tired."
TWO_HEADS = HeadChoice(frozenset({1, 4}), 12)
EVERY_SINK = frozenset({"special", "first", "punctuation"})
VIEWS = {
    "plain": View(),
    "some heads shown": View(layer=3, heads=TWO_HEADS),
    "all shown": View(sinks=Sinks(treatment="show")),
    "dimmed": View(sinks=Sinks(EVERY_SINK, "dim")),
    "renormalised": View(sinks=Sinks(EVERY_SINK, "renormalise")),
    "words": View(words=True),
    "mean": View(heads=TWO_HEADS, is_mean=True),
    "rollout": View(quantity="rollout"),
    "norms": View(quantity="norms"),
    "summed norms": View(quantity="norms", is_mean=True, heads=TWO_HEADS),
}


@pytest.fixture
def trace(minilm: Model) -> Trace:
    return minilm.trace(ANIMAL)


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load_model(write_model("t5-tied", tmp_path_factory.mktemp("t5")))


def largest_in_cells(weights: np.ndarray, size: int) -> np.ndarray:
    """[query, key] in at most size x size cells, by looking at one cell after the other."""
    ends = [np.linspace(0, n, min(n, size) + 1).astype(int) for n in weights.shape]
    rows, columns = ([range(a, b) for a, b in pairwise(e)] for e in ends)
    return np.array([[weights[np.ix_(row, column)].max() for column in columns] for row in rows], np.float32)


def check_maps(survey: Survey, trace: Trace, view: View, size: int, rtol: float = 1e-6) -> None:
    for layer in range(survey.n_layer):
        sight = sight_of(trace, survey_view(trace, view, layer))
        queries = [unit - sight.first_query for unit in sight.queries]
        dim = np.array([DIMMED if key in sight.dimmed else 1.0 for key in sight.keys], np.float32)
        for column in range(len(survey.heads)):
            shown = sight.weights[column][np.ix_(queries, sight.keys)] * dim
            np.testing.assert_allclose(survey.maps[layer, column], largest_in_cells(shown, size), rtol=rtol)
        assert survey.heads == sight.heads
        assert survey.scale >= sight.scale
    assert (survey.n_query, survey.n_key) == (len(sight.queries), len(sight.keys))


@pytest.mark.parametrize("size", [64, 5])
@pytest.mark.parametrize("name", VIEWS)
def test_each_map_is_that_of_its_layers_own_picture(trace: Trace, name: str, size: int) -> None:
    survey = survey_of(trace, VIEWS[name], size)
    assert survey.n_layer == trace.n_layer
    assert survey.maps.dtype == np.float32
    check_maps(survey, trace, VIEWS[name], size)


@pytest.mark.parametrize("name", VIEWS)
def test_the_numbers_are_those_that_a_slow_sum_gives(trace: Trace, name: str) -> None:
    survey = survey_of(trace, VIEWS[name])
    for layer in (0, 5):
        sight = sight_of(trace, survey_view(trace, VIEWS[name], layer))
        for column in range(len(survey.heads)):
            entropies, distances, shares = [], [], []
            for query in sight.queries:
                row = {key: float(sight.weights[column, query, key]) for key in sight.keys}
                shares.append(float(sight.taken[column, query]))
                if (whole := sum(row.values())) > 0:
                    entropies.append(-sum(w / whole * np.log(w / whole) for w in row.values() if w > 0))
                    at = sight.position(query)
                    distances.append(sum(w / whole * abs(at - sight.position(key)) for key, w in row.items()))
            assert survey.summary.entropy[layer, column] == pytest.approx(np.mean(entropies), rel=1e-4, abs=1e-5)
            assert survey.summary.distance[layer, column] == pytest.approx(np.mean(distances), rel=1e-4)
            assert survey.summary.sink_share[layer, column] == pytest.approx(np.mean(shares), rel=1e-4, abs=1e-6)


def test_what_falls_on_sinks_is_the_same_whether_they_are_shown_or_taken_out(trace: Trace) -> None:
    shares = [survey_of(trace, View(sinks=Sinks(treatment=how))).summary.sink_share for how in ("hide", "renormalise")]
    np.testing.assert_allclose(shares[0], shares[1], rtol=1e-5)
    assert survey_of(trace, View()).shares.sinks == pytest.approx(float(shares[0].mean()), rel=1e-5)


def test_one_column_stands_for_the_shown_heads_and_none_for_no_heads(trace: Trace) -> None:
    assert survey_of(trace, View(heads=TWO_HEADS, is_mean=True)).heads == (MEAN,)
    nothing = survey_of(trace, View(heads=HeadChoice(frozenset(), 12), is_mean=True))
    assert nothing.heads == ()
    assert nothing.maps.shape[:2] == (6, 0)


def test_the_shown_heads_and_the_layer_change_nothing_where_each_head_has_its_square(trace: Trace) -> None:
    survey = survey_of(trace, View())
    assert survey_of(trace, View(layer=4, heads=TWO_HEADS, focus=3)) is survey
    assert survey_of(trace, View(is_mean=True)) is not survey
    assert survey_of(trace, View(words=True)) is not survey


def test_between_two_texts_there_is_no_distance(t5: Model) -> None:
    trace = t5.trace("Why not cross the street?", "The fox.")
    survey = survey_of(trace, View(kind="cross", sinks=Sinks(treatment="show")))
    check_maps(survey, trace, View(kind="cross", sinks=Sinks(treatment="show")), 64)
    assert (survey.n_query, survey.n_key) == (len(trace.decoder_tokens), len(trace.tokens))
    assert np.isnan(survey.summary.distance).all()
    assert chosen_values(survey, GridChoice("distance")) is None
    assert chosen_values(survey, GridChoice("entropy")) is survey.summary.entropy


def test_progress_counts_the_layers_and_a_call_off_leaves_nothing_kept(trace: Trace) -> None:
    seen: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        survey_of(trace, View(), cancelled=lambda: len(seen) == 2, progress=lambda *layers: seen.append(layers))
    assert seen == [(1, 6), (2, 6)]
    assert kept_survey(trace, View()) is None
    seen.clear()
    survey = survey_of(trace, View(), progress=lambda *layers: seen.append(layers))
    assert seen == [(done, 6) for done in range(1, 7)]
    assert kept_survey(trace, View()) is survey


def test_made_on_another_thread_it_pushes_no_picture_out(trace: Trace) -> None:
    view = View(layer=2)
    sight = sight_of(trace, view)
    made: list[Survey] = []
    thread = Thread(target=lambda: made.append(survey_of(trace, view)))
    thread.start()
    thread.join()
    assert sight_of(trace, view) is sight
    assert survey_of(trace, view) is made[0]


def test_surveys_go_with_their_trace(minilm: Model) -> None:
    trace = minilm.trace("cat")
    survey = weakref.ref(survey_of(trace, View()))
    del trace
    gc.collect()
    assert survey() is None


def test_only_the_newest_few_are_kept(trace: Trace) -> None:
    first = survey_of(trace, View(), 1)
    for size in (2, 3, 4):
        survey_of(trace, View(), size)
    assert kept_survey(trace, View(), 1) is None
    assert kept_survey(trace, View(), 4) is not None
    np.testing.assert_array_equal(survey_of(trace, View(), 1).maps, first.maps)


@pytest.mark.parametrize("count", [1, 12, 48])
def test_all_maps_together_stay_small(minilm: Model, count: int) -> None:
    trace = minilm.trace(ANIMAL, None, count)
    size = finest_size(trace, View())
    assert 16 <= size <= 64
    assert 6 * count * size * size <= 1 << 20
    assert finest_size(trace, View(is_mean=True)) == finest_size(trace, View(quantity="rollout")) == 64


@pytest.mark.parametrize("name", VIEWS)
def test_a_head_looked_at_closely_has_the_numbers_of_its_square(trace: Trace, name: str) -> None:
    view = VIEWS[name]
    survey = survey_of(trace, view)
    for column, head in enumerate(survey.heads):
        reading = read_head(trace, view, 3, head)
        np.testing.assert_allclose(reading.weights, survey.maps[3, column], rtol=1e-5)
        for name_of in ("entropy", "distance", "sink_share"):
            number = getattr(survey.summary, name_of)[3, column]
            np.testing.assert_allclose(getattr(reading.summary, name_of)[0], number, rtol=1e-4)


@pytest.mark.parametrize("name", VIEWS)
def test_the_strongest_pairs_are_the_first_of_all_in_order(trace: Trace, name: str) -> None:
    view, head = VIEWS[name], survey_of(trace, VIEWS[name]).heads[-1]
    chosen = replace(view, layer=3, heads=view.heads if head == MEAN else HeadChoice(frozenset({head}), 12))
    sight = sight_of(trace, chosen)
    loud = [key for key in sight.keys if key not in sight.dimmed]
    pairs = [(float(sight.weights[0, q, k]), sight.tokens[q].shown, sight.tokens[k].shown) for q in sight.queries for k in loud]
    wanted = sorted(pairs, key=lambda pair: -pair[0])[:5]
    assert [(pair.weight, pair.query, pair.key) for pair in read_head(trace, view, 3, head).pairs] == wanted


def test_the_known_pair_is_the_strongest_of_its_head(trace: Trace) -> None:
    pair = read_head(trace, View(), 3, 1).pairs[0]
    assert (pair.query, pair.key) == ("it", "animal")
    assert pair.weight == pytest.approx(0.695, abs=1e-3)


def test_pairs_of_weight_zero_are_none(minilm: Model) -> None:
    reading = read_head(minilm.trace("cat"), View(), 0, 2)
    assert len(reading.pairs) == 1
    assert reading.weights.shape == (1, 1)


def test_nothing_to_see_is_no_reading(t5: Model, trace: Trace) -> None:
    assert read_head(t5.trace("Why?"), View(kind="cross"), 0, 0) is None  # a decoder that has read only its start
    assert read_head(trace, View(heads=HeadChoice(frozenset(), 12), is_mean=True), 0, MEAN) is None


NUMBERS = st.lists(st.lists(st.floats(0, 9, width=32) | st.just(float("nan")), min_size=4, max_size=4), min_size=1, max_size=5)


@given(NUMBERS)
def test_sorted_heads_rise_in_each_layer_and_those_without_a_number_come_last(rows: list[list[float]]) -> None:
    values = np.array(rows, np.float32)
    order = order_of(values, len(rows), 4, is_sorted=True)
    for layer, row in enumerate(order.tolist()):
        assert sorted(row) == [0, 1, 2, 3]
        numbers = values[layer, row]
        known = numbers[~np.isnan(numbers)]
        assert (np.diff(known) >= 0).all()
        assert np.isnan(numbers[len(known) :]).all()
        assert all(a < b for a, b, x, y in zip(row, row[1:], numbers, numbers[1:], strict=False) if x == y)
    np.testing.assert_array_equal(order_of(values, len(rows), 4, is_sorted=False), np.tile(np.arange(4), (len(rows), 1)))


@given(NUMBERS, st.none() | st.floats(0, 9, width=32), st.none() | st.floats(0, 9, width=32))
def test_a_head_passes_just_between_the_limits(rows: list[list[float]], least: float | None, most: float | None) -> None:
    values = np.array(rows, np.float32)
    passed = passes(values, len(rows), 4, GridChoice("entropy", False, least, most))
    for value, is_passed in zip(values.ravel().tolist(), passed.ravel().tolist(), strict=True):
        assert is_passed == (not (least is not None and value < least) and not (most is not None and value > most))


def test_a_survey_of_one_map_follows_the_heads_that_it_is_made_of(minilm: Model, tmp_path: Path) -> None:
    write_model("t5-tied", tmp_path)
    crossed = load_model(tmp_path).trace("the fox sat", "the fox is")
    for trace, view in (
        (minilm.trace("The cat sat."), View(is_mean=True)),
        (minilm.trace("The cat sat."), View(quantity="rollout")),
        (crossed, View(kind="cross", quantity="rollout", is_mean=True)),
    ):
        count = trace.head_count_of(view.kind)
        one, other = (survey_of(trace, replace(view, heads=HeadChoice(frozenset({head}), count))) for head in (0, 1))
        assert not np.allclose(one.maps, other.maps)

"""The measures of two runs are what plain loops over the attention find."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.engine.model import load_model
from attnviz.errors import Cancelled
from attnviz.session import measures as measures_module
from attnviz.session.measures import MEASURE_NAMES, Measure, measures, measures_by_layer
from attnviz.session.view import HeadChoice, Sinks, View
from tests.engine.tiny_bert import write_bert
from tests.scene.pictures import SHOWN, run_of
from tests.session.compared import BOY, TIRED, WIDE, against, one_head, two_texts

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.run import Run

HEADS: Final = HeadChoice(frozenset({1, 4, 5}), 12)


@pytest.fixture(scope="module")
def run(minilm: Model) -> Run:
    return one_head(minilm)


def by_loops(weights: np.ndarray, specials: set[int], hidden: bool) -> dict[str, float]:
    """The measures of one layer's heads, [head, query, key], in double precision."""
    n = weights.shape[1]
    seen = [token for token in range(n) if not (hidden and token in specials)]
    entropies, distances, largest, sinks, targets = [], [], [], [], []
    for query in seen:
        best = set()
        for head in weights:
            row = [float(head[query, key]) for key in seen]
            entropies.append(-sum(w / sum(row) * math.log(w / sum(row)) for w in row if w > 0))
            distances.append(sum(w / sum(row) * abs(query - key) for key, w in zip(seen, row, strict=True)))
            largest.append(max(row))
            sinks.append(sum(float(head[query, key]) for key in specials))
            best.add(max(zip(row, seen, strict=True))[1])
        targets.append(len(best))
    means = (sum(values) / len(values) for values in (entropies, targets, largest, distances, sinks))
    return dict(zip(("entropy", "distinct_targets", "largest_weight", "distance", "sink_share"), means, strict=True))


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("heads", [None, HEADS])
def test_each_measure_is_what_loops_find(run: Run, hidden: bool, heads: HeadChoice | None) -> None:
    view = View(3, heads, sinks=Sinks() if hidden else SHOWN)
    found = {row.name: row for row in measures(run, view)}
    for place, side in enumerate((run, run.against)):
        shown = sorted(view.shown_heads(side.trace.head_count))
        specials = {0, len(side.trace.tokens) - 1}
        layers = [by_loops(side.trace.attention(layer)[shown], specials, hidden) for layer in range(6)]
        for name in layers[0]:
            assert found[name].layer[place] == pytest.approx(layers[3][name], abs=1e-4), name
            assert found[name].mean[place] == pytest.approx(np.mean([layer[name] for layer in layers]), abs=1e-4), name
        assert found["heads"].layer[place] == found["heads"].mean[place] == len(shown)


def test_the_output_is_compared_where_either_run_is_a_what_if(run: Run, minilm: Model) -> None:
    row = measures(replace(run, cosine_to_trained=0.63), View())[-1]
    assert (row.name, row.mean) == ("cosine_to_trained", (0.63, 1.0))
    assert all(math.isnan(value) for value in row.layer)
    assert "cosine_to_trained" not in {row.name for row in measures(two_texts(minilm, TIRED, WIDE), View())}


def test_a_single_head_has_one_target_and_twelve_have_several(run: Run) -> None:
    found = {row.name: row for row in measures(run, View())}
    assert found["distinct_targets"].mean[0] == 1.0
    assert found["distinct_targets"].mean[1] > 5.0


def test_the_mean_of_heads_is_measured_head_by_head(minilm: Model) -> None:
    mean = measures(one_head(minilm), View(2, HEADS, is_mean=True))  # on runs of their own, where nothing is kept
    assert mean[:-1] == measures(one_head(minilm), View(2, HEADS))[:-1]
    assert mean[2].mean[1] > 1.0


def test_both_runs_change_places_with_their_numbers(minilm: Model) -> None:
    there = measures(two_texts(minilm, TIRED, WIDE), View(1))
    back = measures(two_texts(minilm, WIDE, TIRED), View(1))
    assert [(row.name, row.layer[::-1], row.mean[::-1]) for row in there] == [(row.name, row.layer, row.mean) for row in back]


def test_a_run_with_fewer_layers_is_measured_in_its_last(minilm: Model, tmp_path: Path) -> None:
    other = run_of(load_model(write_bert(tmp_path)), "the cat")
    rows = {row.name: row for row in measures(against(run_of(minilm, "the cat"), other), View(5))}
    assert rows["entropy"].layer[1] == pytest.approx(measures_by_layer(other.trace, View()).entropy[1])


def test_no_head_has_no_measure(run: Run) -> None:
    rows = measures(run, View(heads=HeadChoice(frozenset(), 12)))
    assert [row.written(row.layer[0]) for row in rows[:2]] == ["0", "\N{EN DASH}"]


def test_they_are_made_once_and_can_be_called_off(minilm: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(minilm, BOY, 2)
    with pytest.raises(Cancelled):
        measures_by_layer(run.trace, View(), cancelled=lambda: True)
    first = measures_by_layer(run.trace, View())
    monkeypatch.setattr(measures_module, "make_sight", None)
    assert measures_by_layer(run.trace, View(4, picture="matrix")) is first


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("heads", 12.0, "12"),
        ("entropy", 1.6652, "1.67"),
        ("sink_share", 0.853, "85 %"),
        ("cosine_to_trained", 0.628, "0.63"),
        ("cosine_to_trained", 0.9984, "0.998"),
        ("cosine_to_trained", 1.0, "1.00"),
    ],
)
def test_values_are_written_with_their_units(name: str, value: float, written: str) -> None:
    assert Measure(name, (value, value), (value, value)).written(value) == written
    assert name in MEASURE_NAMES

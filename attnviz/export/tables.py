"""What each picture shows, as arrays under their names and as the rows of a table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from attnviz.errors import ExportError
from attnviz.export.forms import shortest
from attnviz.export.numbers import CSV_COLUMNS
from attnviz.export.provenance import shares_of
from attnviz.scene.steps.content import content_of
from attnviz.session.sight import sight_of
from attnviz.session.survey import survey_of
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from attnviz.engine.steps import Steps
    from attnviz.session.run import Run
    from attnviz.session.sight import Sight
    from attnviz.session.survey import Survey
    from attnviz.session.view import PictureKind, View

    Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """arrays: for NPZ and JSON; columns, rows: for CSV; facts: to be told besides those of the view."""

    arrays: dict[str, np.ndarray[Any, Any]]
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]
    facts: dict[str, Any] = field(default_factory=dict)


def weights_table(run: Run, view: View, layers: Sequence[int]) -> Table:
    """The weights of arcs and matrix: `weights` [layer, map, query, key], the `heads` of the maps (-1 for one of several), the
    tokens or words of rows and columns with the positions of their first tokens in their own text, and what of each row is not
    among the weights, [layer, map, query]: `taken_out`, the share of hidden sinks; `other_texts`, that of pairs of texts left out;
    `own_sink`, that of the model's own. The table has one weight a row, whose head is "mean" for one map of several."""
    sights = [sight_of(run.trace, replace(view, layer=layer)) for layer in layers]
    one = sights[0]
    nothing = np.zeros((len(one.heads), len(one.rows)), np.float32)
    arrays = {
        "layers": np.array([sight.layer for sight in sights], np.int64),
        "heads": np.array(one.heads, np.int64),
        "query_tokens": np.array([one.tokens[unit].shown for unit in one.queries], np.str_),
        "key_tokens": np.array([one.tokens[unit].shown for unit in one.keys], np.str_),
        "query_positions": np.array([_query_position(one, unit) for unit in one.queries], np.int64),
        "key_positions": np.array([one.position(unit) for unit in one.keys], np.int64),
        "weights": np.stack([sight.shown for sight in sights]),
        "taken_out": np.stack([sight.taken[:, sight.rows] if sight.sinks.are_taken_out else nothing for sight in sights]),
        "other_texts": np.stack([sight.apart[:, sight.rows] for sight in sights]),
        "own_sink": np.stack([sight.learned[:, sight.rows] for sight in sights]),
    }
    facts: dict[str, Any] = {}
    if len(sights) > 1:
        facts = {"layer": list(layers), "shares": [{"layer": sight.layer, **shares_of(sight)} for sight in sights]}
    return Table(arrays, CSV_COLUMNS, partial(_weight_rows, sights), facts)


def _query_position(sight: Sight, unit: int) -> int:
    """The position of a query's first token in its own text, which is the decoder's where that looks at an encoder."""
    return sight.position(unit) - sight.position(sight.first_query)


def grid_table(run: Run, view: View, layers: Sequence[int]) -> Table:
    """The summaries of all heads, [layer, head] each: `entropy` in nats and `distance` in tokens of what is shown, `sink_share` of
    the whole row; distance is not defined (NaN) between two texts."""
    del layers  # a grid has all of them
    survey = survey_of(run.trace, view)
    arrays = {"heads": np.array(survey.heads, np.int64), **vars(survey.summary)}
    return Table(arrays, ("layer", "head", *vars(survey.summary)), partial(_summary_rows, survey))


def steps_table(run: Run, view: View, layers: Sequence[int]) -> Table:
    """Every array of the steps of one token in one head, under its name in engine/steps.py, those of a person's changes among them;
    those of all heads keep them all. The table has one number a row: its step, head, key, number within the vector; -1 where there
    is none of these. Raises ExportError if no head is shown."""
    del layers  # the steps are of one
    content = content_of(run.trace, view)
    if content is None:
        raise ExportError("No head is shown, so there are no steps to write; show one.")
    steps = content.steps
    arrays = {name: np.asarray(value) for name, value in vars(steps).items() if isinstance(value, np.ndarray | float)}
    return Table(arrays, ("step", "head", "key", "number", "value"), partial(_step_rows, steps, arrays))


def _weight_rows(sights: Sequence[Sight]) -> Iterator[Row]:
    for sight in sights:
        queries = [(_query_position(sight, unit), sight.tokens[unit].shown) for unit in sight.queries]
        keys = [(sight.position(unit), sight.tokens[unit].shown) for unit in sight.keys]
        for (number, row, column), weight in np.ndenumerate(sight.shown):
            (query, query_text), (key, key_text) = queries[row], keys[column]
            yield sight.layer, _named(sight.heads[number]), query, key, query_text, key_text, shortest(weight)


def _summary_rows(survey: Survey) -> Iterator[Row]:
    for layer in range(survey.n_layer):
        for number, head in enumerate(survey.heads):
            yield layer, _named(head), *(shortest(array[layer, number]) for array in vars(survey.summary).values())


def _step_rows(steps: Steps, arrays: dict[str, np.ndarray[Any, Any]]) -> Iterator[Row]:
    """By the shape of each array: [H, key, d], [H, key], [H, d], [H], [key] or [d]."""
    n_head, n_key = steps.attention.shape
    for name, array in arrays.items():
        for at, value in np.ndenumerate(array):
            head, key, number = _place(name, at, array.shape, n_head, n_key)
            yield name, head, key, number, shortest(value) if array.dtype == np.float32 else float(value)


def _place(name: str, at: tuple[int, ...], shape: tuple[int, ...], n_head: int, n_key: int) -> tuple[int, int, int]:
    """The head, key and number that a place in an array of the steps stands for."""
    if len(shape) == 3:
        return at[0], at[1], at[2]
    if len(shape) == 2:
        return (at[0], -1, at[1]) if name in _OF_QUERY else (at[0], at[1], -1)
    if len(shape) == 1:
        return (-1, at[0], -1) if name == "hidden" else (at[0], -1, -1) if name in _OF_HEAD else (-1, -1, at[0])
    return -1, -1, -1


_OF_QUERY = {"q_projected", "q_normed", "q_turned", "q", "context"}
_OF_HEAD = {"sink_score", "sink_share", "kv_head", "kv_last", "strength"}


def _named(head: int) -> int | str:
    return "mean" if head == MEAN else head


TABLES: dict[PictureKind, Callable[[Run, View, Sequence[int]], Table]] = {
    "arcs": weights_table,
    "matrix": weights_table,
    "grid": grid_table,
    "steps": steps_table,
}

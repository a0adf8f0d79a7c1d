"""The columns of each stage of the table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.steps.scores import scores_columns
from attnviz.scene.steps.softmax import softmax_columns, weights_heading
from attnviz.scene.steps.table import Cell, Column, keys_of
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName
    from attnviz.scene.steps.table import Row


def columns_of(content: Content, rows: tuple[Row, ...], stage: StageName) -> tuple[Column, ...]:
    """The columns of a stage of the table; the tokens have none beside their names."""
    return _COLUMNS[stage](content, rows) if stage in _COLUMNS else ()


def _vectors(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    steps = content.steps
    heading = "embedding" if content.layer == 0 and not content.is_cross else "vector x"
    cells = {0: Cell(f"vector of {rows[0].text}, the query", steps.entering)}
    cells |= {at: Cell(f"vector of {row.text}", content.vectors[row.key]) for at, row in keys_of(rows)}
    columns = [_strips(heading, cells, 60, 112)]
    if steps.normed is not None:
        columns.append(_strips("normed", {0: Cell(f"vector of {rows[0].text}, normed", steps.normed)}, 60, 112))
    return tuple(columns)


# The stages of queries and keys, as fields of Steps and as a heading names them, with the room that the heading needs.
_PROJECTIONS: Final = (("projected", "W_Q, W_K", 56), ("normed", "normed", 46), ("turned", "turned", 44))


def _projections(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """Queries and keys in one column for each of their stages, the values in the last."""
    columns = []
    for name, heading, least in _PROJECTIONS:
        q, k = (getattr(content.steps, f"{side}_{name}") for side in "qk")
        if q is not None:
            after = "" if name == "projected" else f", {name}"
            cells = {0: Cell(f"query of {rows[0].text}{after}", q[content.head])}
            cells |= {at: Cell(f"key of {row.text}{after}", k[content.head, row.key]) for at, row in keys_of(rows)}
            columns.append(_strips(heading, cells, least, 74))
    values = content.steps.values[content.head]
    cells = {at: Cell(f"value of {row.text}", values[row.key]) for at, row in keys_of(rows)}
    return (*columns, _strips("W_V", cells, 44, 74))


def _weighted(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    weighted, values = content.steps.weighted[content.head], content.steps.values[content.head]
    cells = {}
    for at, row in keys_of(rows):
        parts = (float(content.weights[row.key]), values[row.key])
        cells[at] = Cell(f"{row.text}: weight times value", weighted[row.key], parts=parts)
    for at, row in enumerate(rows):
        if row.kind == "rest":
            what = f"{count_of(len(content.rest), 'other token')}: weight times value, summed"
            cells[at] = Cell(what, weighted[list(content.rest)].sum(axis=0, dtype=np.float32))
        elif row.kind == "sum":
            cells[at] = Cell(f"output of head {content.head}", content.steps.context[content.head])
    return (replace(_strips(f"{weights_heading(content)} × v", cells, 48, 82), is_changed=content.changed is not None),)


_COLUMNS: Final[dict[StageName, Callable[[Content, tuple[Row, ...]], tuple[Column, ...]]]] = {
    "vectors": _vectors,
    "projections": _projections,
    "scores": scores_columns,
    "softmax": softmax_columns,
    "weighted": _weighted,
}


def _strips(heading: str, cells: dict[int, Cell], least: float, wanted: float) -> Column:
    return Column(heading, "strip", cells, least, wanted)

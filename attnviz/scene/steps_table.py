"""The table that runs through the stages from the tokens to the weighted values: a row per key, a column per number it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from attnviz.scene.numbers import decimals_for, fixed
from attnviz.scene.steps_arithmetic import biased_of, capped_of, product_of, scaled_of, weight_of
from attnviz.scene.words import count_of, shortened

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.ops import Float32
    from attnviz.scene.steps_content import Content
    from attnviz.scene.steps_scene import StageName

RowKind = Literal["query", "key", "rest", "sink", "sum"]
CANNOT_SEE: Final = "cannot see"
Q_TIMES_K: Final = "q·k"
_LONGEST_NAME: Final = 14
WEIGHT_DECIMALS: Final = 3


class Row(NamedTuple):
    """A row of the table. key: of a key's row; tokens: the keys that it stands for."""

    kind: RowKind
    text: str
    key: int | None = None


class Cell(NamedTuple):
    """What stands in one row of a column. what: as the pointer names it; values: a strip's numbers, or the one number; text: of a
    number; is_faint: it has no part in the sum; how: the number's arithmetic; parts: the number and the vector that a strip is the
    product of."""

    what: str
    values: Float32
    text: str = ""
    is_faint: bool = False
    how: str = ""
    parts: tuple[float, Float32] | None = None


class Step(NamedTuple):
    """One step of the scores. what: as the pointer names it; values: [key]; how: its arithmetic for a key."""

    heading: str
    what: str
    values: Float32
    how: Callable[[Content, int], str] | None


@dataclass(frozen=True, eq=False)
class Column:
    """One column. cells: by the number of their row; least, wanted: its width, pixels; scale: the number of a bar's whole length,
    where there is one beside each number."""

    heading: str
    form: Literal["strip", "number"]
    cells: dict[int, Cell]
    least: float
    wanted: float
    scale: float | None = None


def rows_of(content: Content) -> tuple[Row, ...]:
    """The rows: the query, its keys in the text's order, the others together, the learned sink, and the sum."""
    keys = tuple(Row("key", name_of(content.keys[key].shown), key) for key in content.shown)
    rest = (Row("rest", f"and {len(content.rest):,} more"),) if content.rest else ()
    sink = (Row("sink", "learned sink"),) if content.steps.sink_share is not None else ()
    return (Row("query", name_of(content.query_token.shown)), *keys, *rest, *sink, Row("sum", "sum"))


def name_of(text: str) -> str:
    """A token's text, shortened where it is very long."""
    return shortened(text, _LONGEST_NAME)


def columns_of(content: Content, rows: tuple[Row, ...], stage: StageName) -> tuple[Column, ...]:
    """The columns of a stage of the table; the tokens have none beside their names."""
    return COLUMNS[stage](content, rows) if stage in COLUMNS else ()


def _vectors(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    steps = content.steps
    heading = "embedding" if content.layer == 0 and not content.is_cross else "vector x"
    cells = {0: Cell(f"vector of {rows[0].text}, the query", steps.entering)}
    cells |= {at: Cell(f"vector of {row.text}", content.vectors[row.key]) for at, row in _keys(rows)}
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
            cells |= {at: Cell(f"key of {row.text}{after}", k[content.head, row.key]) for at, row in _keys(rows)}
            columns.append(_strips(heading, cells, least, 74))
    values = content.steps.values[content.head]
    cells = {at: Cell(f"value of {row.text}", values[row.key]) for at, row in _keys(rows)}
    return (*columns, _strips("W_V", cells, 44, 74))


def _scores(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """A column for each step that the layer has, the last with a bar."""
    steps, head = content.steps, content.head
    made = [
        Step(Q_TIMES_K, "query times key", steps.products[head], product_of),
        Step(f"× {fixed(steps.scale, decimals_for(steps.scale))}", "scaled", steps.scaled[head], scaled_of),
    ]
    if steps.bias is not None:
        made.append(Step("+ bias", "bias for the distance", steps.bias[head], None))
        if steps.capped is None:
            made.append(Step("= score", "score", steps.scores[head], biased_of))
    if steps.capped is not None:
        made.append(Step("capped", "score behind the soft-cap", steps.capped[head], capped_of))
    return tuple(_numbers(content, rows, *step, has_bar=step is made[-1]) for step in made)


def _numbers(
    content: Content,
    rows: tuple[Row, ...],
    heading: str,
    what: str,
    values: Float32,
    how: Callable[[Content, int], str] | None,
    has_bar: bool,
) -> Column:
    """One step of the scores; the keys that cannot be seen have words in the first."""
    seen = values[[row.key for _, row in _keys(rows) if content.sees[row.key]]]
    sink = content.steps.sink_score if has_bar else None
    if sink is not None:
        seen = np.append(seen, sink[content.head])
    decimals = decimals_for(seen)
    cells = {}
    for at, row in _keys(rows):
        if content.sees[row.key]:
            text, made = fixed(float(values[row.key]), decimals), "" if how is None else how(content, row.key)
            cells[at] = Cell(f"{row.text}: {what}", values[row.key], text, how=made)
        elif heading == Q_TIMES_K:
            cells[at] = Cell(f"{row.text} {CANNOT_SEE}", np.float32(-np.inf), CANNOT_SEE, is_faint=True)
    if sink is not None:
        at = next(at for at, row in enumerate(rows) if row.kind == "sink")
        cells[at] = Cell("learned sink: score", sink[content.head], fixed(float(sink[content.head]), decimals))
    return _number_column(heading, cells, float(np.abs(seen).max(initial=0.0)), has_bar)


def _softmax(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    weights, share = content.weights, content.steps.sink_share
    cells = {}
    for at, row in enumerate(rows):
        if row.kind == "key":
            is_seen = content.sees[row.key]
            how = " ".join(weight_of(content, row.key)) if is_seen else CANNOT_SEE
            cells[at] = _weight(f"attention of {rows[0].text} to {row.text}", weights[row.key], how, not is_seen)
        elif row.kind == "rest":
            others = count_of(len(content.rest), "other token")
            cells[at] = _weight(f"attention to {others} together", weights[list(content.rest)].sum(dtype=np.float64))
        elif row.kind == "sink":
            cells[at] = _weight("share of the learned sink", share[content.head], " ".join(weight_of(content, None)))
        elif row.kind == "sum":
            sink = 0.0 if share is None else float(share[content.head])
            cells[at] = _weight("sum", weights.sum(dtype=np.float64) + sink)
    largest = max((float(cell.values) for at, cell in cells.items() if rows[at].kind != "sum"), default=1.0)
    return (_number_column("weight", cells, largest, True),)


def _weight(what: str, value: float, how: str = "", is_faint: bool = False) -> Cell:
    return Cell(what, np.float32(value), "0" if is_faint else fixed(float(value), WEIGHT_DECIMALS), is_faint, how)


def _weighted(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    weighted, values = content.steps.weighted[content.head], content.steps.values[content.head]
    cells = {}
    for at, row in _keys(rows):
        parts = (float(content.weights[row.key]), values[row.key])
        cells[at] = Cell(f"{row.text}: weight times value", weighted[row.key], parts=parts)
    for at, row in enumerate(rows):
        if row.kind == "rest":
            what = f"{count_of(len(content.rest), 'other token')}: weight times value, summed"
            cells[at] = Cell(what, weighted[list(content.rest)].sum(axis=0, dtype=np.float32))
        elif row.kind == "sum":
            cells[at] = Cell(f"output of head {content.head}", content.steps.context[content.head])
    return (_strips("weight × v", cells, 48, 82),)


COLUMNS: Final[dict[StageName, Callable[[Content, tuple[Row, ...]], tuple[Column, ...]]]] = {
    "vectors": _vectors,
    "projections": _projections,
    "scores": _scores,
    "softmax": _softmax,
    "weighted": _weighted,
}


def _strips(heading: str, cells: dict[int, Cell], least: float, wanted: float) -> Column:
    return Column(heading, "strip", cells, least, wanted)


def _number_column(heading: str, cells: dict[int, Cell], largest: float, has_bar: bool) -> Column:
    """As wide as its longest number, figures being about 7 pixels wide, and a bar where it has one."""
    longest = max([len(cell.text) for cell in cells.values() if not cell.is_faint] + [len(heading)], default=4)
    width = 7.0 * max(longest, 4) + 2
    if not has_bar:
        return Column(heading, "number", cells, width, width + 8)
    return Column(heading, "number", cells, width + 26, width + 54, max(largest, 1e-30))


def _keys(rows: tuple[Row, ...]) -> list[tuple[int, Row]]:
    return [(at, row) for at, row in enumerate(rows) if row.kind == "key"]

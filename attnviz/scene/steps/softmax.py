"""The columns of the softmax: the exponentials of the scores with their sum, and the weights, which are their shares of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from attnviz.scene.numbers import decimals_for, fixed
from attnviz.scene.steps.arithmetic import exponential_of, exponentials_of, share_of, taken_off
from attnviz.scene.steps.scores import MORE
from attnviz.scene.steps.table import CANNOT_SEE, Cell, Column, keys_of, number_column
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.table import Row

WEIGHT_DECIMALS: Final = 3


class Shown(NamedTuple):
    """What the columns of the softmax show, all float64. each: [row] the exponential of each row that has one; total: their sum;
    decimals, total_decimals: with which they are written."""

    each: dict[int, float]
    total: float
    decimals: int
    total_decimals: int


def softmax_columns(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """The exponentials of the scores with their sum, and what share of it each is: the weights, with a bar each."""
    weights = _weights(content, rows)
    shown = shown_exponentials(content, rows)
    each = {}
    for at, value in shown.each.items():
        row = rows[at]
        how = "" if row.kind == "rest" else exponential_of(content, row.key)
        each[at] = Cell(f"{row.text}: exponential of the score", np.float32(value), fixed(value, shown.decimals), how=how)
    total = next(at for at, row in enumerate(rows) if row.kind == "sum")
    each[total] = Cell("sum of the exponentials", np.float32(shown.total), fixed(shown.total, shown.total_decimals))
    largest = max((float(cell.values) for at, cell in weights.items() if at != total), default=1.0)
    return number_column(exp_heading(content), each, 0.0, False), number_column("weight", weights, largest, True)


def exp_heading(content: Content) -> str:
    """What the exponentials are headed with."""
    return "exp(s)" if taken_off(content) == 0.0 else "exp(s − max)"


def shown_exponentials(content: Content, rows: tuple[Row, ...]) -> Shown:
    """The exponentials with the fewest decimals from which the weights on the picture, and the sum itself, come out."""
    values, total = exponentials_of(content)
    each = {at: float(values[row.key]) for at, row in keys_of(rows) if content.sees[row.key]}
    each |= {at: float(values[list(content.rest)].sum()) for at, row in enumerate(rows) if row.kind == "rest"}
    each |= {at: total - float(values.sum()) for at, row in enumerate(rows) if row.kind == "sink"}
    weights = np.array([_weight_of(content, rows[at]) for at in each])
    exact, base = np.array(list(each.values())), decimals_for(total)
    for decimals in range(base, base + MORE + 1):
        parts = np.round(exact, decimals)
        for of_total in (decimals, max(decimals - 1, 0)):
            whole = round(total, of_total)
            comes_out = np.array_equal(np.round(parts / whole, WEIGHT_DECIMALS), np.round(weights, WEIGHT_DECIMALS))
            if comes_out and round(float(parts.sum()), of_total) == whole:
                return Shown(each, total, decimals, of_total)
    return Shown(each, total, base + MORE, base + MORE)


def _weight_of(content: Content, row: Row) -> float:
    """The weight of a row of the table that has one."""
    if row.kind == "sink":
        return float(content.steps.sink_share[content.head])
    if row.kind == "rest":
        return float(content.weights[list(content.rest)].sum(dtype=np.float64))
    return float(content.weights[row.key])


def _weights(content: Content, rows: tuple[Row, ...]) -> dict[int, Cell]:
    cells = {}
    for at, row in enumerate(rows):
        if row.kind == "key":
            is_seen = content.sees[row.key]
            how = share_of(content, row.key) if is_seen else CANNOT_SEE
            cells[at] = _weight(f"attention of {rows[0].text} to {row.text}", _weight_of(content, row), how, not is_seen)
        elif row.kind == "rest":
            others = count_of(len(content.rest), "other token")
            cells[at] = _weight(f"attention to {others} together", _weight_of(content, row))
        elif row.kind == "sink":
            cells[at] = _weight("share of the learned sink", _weight_of(content, row), share_of(content, None))
        elif row.kind == "sum":
            sink = content.steps.sink_share
            total = content.weights.sum(dtype=np.float64) + (0.0 if sink is None else float(sink[content.head]))
            cells[at] = _weight("sum", total)
    return cells


def _weight(what: str, value: float, how: str = "", is_faint: bool = False) -> Cell:
    return Cell(what, np.float32(value), "0" if is_faint else fixed(float(value), WEIGHT_DECIMALS), is_faint, how)

"""The columns of the softmax: the exponentials of the scores with their sum, and the weights, which are their shares of it; behind
them, where a person changed them, the weights that take their place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from attnviz.scene.numbers import decimals_for, fixed, number
from attnviz.scene.steps.arithmetic import changed_of, exponential_of, exponentials_of, read, share_of, taken_off
from attnviz.scene.steps.scores import MORE
from attnviz.scene.steps.table import CANNOT_SEE, Cell, Column, keys_of, number_column
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.ops import Float32
    from attnviz.scene.steps.changed import Changed, Way
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.table import Row

WEIGHT_DECIMALS: Final = 3
_FACTOR_DIGITS: Final = (3, 4, 5)
# What the weights are headed with that take the place of the softmax's.
_HEADINGS: Final[dict[Way, str]] = {"set": "as set", "uniform": "uniform", "frozen": "frozen"}
_TOLD: Final[dict[Way, str]] = {"set": "as set by hand", "uniform": "uniform", "frozen": "frozen"}


class Shown(NamedTuple):
    """What the columns of the softmax show, all float64. each: [row] the exponential of each row that has one; total: their sum;
    decimals, total_decimals: with which they are written."""

    each: dict[int, float]
    total: float
    decimals: int
    total_decimals: int


class _Weights(NamedTuple):
    """each: [key]; sink: the learned sink's share beside them, 0 without one; made: how one came about, of a key or of that sink;
    told: what they are, to be added to their names; chosen: the keys set by hand."""

    each: Float32
    sink: float
    made: Callable[[Content, int | None], str]
    told: str = ""
    chosen: tuple[int, ...] = ()


class ShownWeights(NamedTuple):
    """decimals: with which the softmax's weights are written; factor: what they are multiplied by where a person set others, empty
    where they are not."""

    decimals: int
    factor: str = ""


def softmax_columns(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """The exponentials of the scores with their sum, what share of it each is, and what a person made of these; the last of them
    weigh the values and have a bar each."""
    shown, changed = shown_exponentials(content, rows), content.changed
    each = {}
    for at, value in shown.each.items():
        row = rows[at]
        how = "" if row.kind == "rest" else exponential_of(content, row.key)
        each[at] = Cell(f"{row.text}: exponential of the score", np.float32(value), fixed(value, shown.decimals), how=how)
    total = next(at for at, row in enumerate(rows) if row.kind == "sum")
    each[total] = Cell("sum of the exponentials", np.float32(shown.total), fixed(shown.total, shown.total_decimals))
    exponentials = number_column(exp_heading(content), each, 0.0, False)
    weights = _cells(content, rows, _by_softmax(content), shown_weights(content, rows).decimals)
    if changed is None:
        return exponentials, number_column("weight", weights, _largest(weights, total), True)
    as_made = _cells(content, rows, _as_changed(changed), WEIGHT_DECIMALS)
    past = replace(number_column("weight", weights, 0.0, False), is_past=True)
    made = number_column(weights_heading(content), as_made, _largest(as_made, total), True)
    return exponentials, past, replace(made, is_changed=True)


def exp_heading(content: Content) -> str:
    """What the exponentials are headed with."""
    return "exp(s)" if taken_off(content) == 0.0 else "exp(s − max)"


def weights_heading(content: Content) -> str:
    """What the weights of the values are headed with."""
    changed = content.changed
    return "weight" if changed is None else _HEADINGS[changed.way]


def shown_exponentials(content: Content, rows: tuple[Row, ...]) -> Shown:
    """The exponentials with the fewest decimals from which the weights on the picture, and the sum itself, come out."""
    values, total = exponentials_of(content)
    each = {at: float(values[row.key]) for at, row in keys_of(rows) if content.sees[row.key]}
    each |= {at: float(values[list(content.rest)].sum()) for at, row in enumerate(rows) if row.kind == "rest"}
    each |= {at: total - float(values.sum()) for at, row in enumerate(rows) if row.kind == "sink"}
    weights = np.array([_weight_of(content, rows[at], _by_softmax(content)) for at in each])
    exact, base, of_weight = np.array(list(each.values())), decimals_for(total), shown_weights(content, rows).decimals
    more = of_weight - WEIGHT_DECIMALS  # finer weights ask for finer parts, less so for a finer sum
    most = base + MORE + more
    for decimals in range(base, most + 1):
        parts = np.round(exact, decimals)
        for of_total in [max(decimals - less, 0) for less in range(3 if more else 2)]:
            whole = round(total, of_total)
            comes_out = np.array_equal(np.round(parts / whole, of_weight), np.round(weights, of_weight))
            if comes_out and round(float(parts.sum()), of_total) == whole:
                return Shown(each, total, decimals, of_total)
    return Shown(each, total, most, most)


def shown_weights(content: Content, rows: tuple[Row, ...]) -> ShownWeights:
    """The decimals of the softmax's weights and the digits of the factor, the fewest from which the weights that a person made of
    them come out."""
    changed = content.changed
    if changed is None or changed.factor is None:
        return ShownWeights(WEIGHT_DECIMALS)
    scaled = [row for row in rows if row.kind in ("rest", "sink") or (row.key is not None and _is_scaled(content, row.key))]
    before = np.array([_weight_of(content, row, _by_softmax(content)) for row in scaled])
    after = np.array([_weight_of(content, row, _as_changed(changed)) for row in scaled])
    for decimals in range(WEIGHT_DECIMALS, WEIGHT_DECIMALS + MORE + 1):
        for digits in _FACTOR_DIGITS:
            shown = ShownWeights(decimals, number(changed.factor, digits))
            made = np.round(before, decimals) * read(shown.factor)
            if np.array_equal(np.round(made, WEIGHT_DECIMALS), np.round(after, WEIGHT_DECIMALS)):
                return shown
    return shown


def _is_scaled(content: Content, key: int) -> bool:
    return bool(content.sees[key]) and key not in content.changed.chosen


def _by_softmax(content: Content) -> _Weights:
    share = content.steps.sink_share
    return _Weights(content.by_softmax, 0.0 if share is None else float(share[content.head]), share_of)


def _as_changed(changed: Changed) -> _Weights:
    return _Weights(changed.weights, changed.sink, changed_of, f", {_TOLD[changed.way]}", changed.chosen)


def _weight_of(content: Content, row: Row, weights: _Weights) -> float:
    """The weight of a row of the table that has one."""
    if row.kind == "sink":
        return weights.sink
    if row.kind == "rest":
        return float(weights.each[list(content.rest)].sum(dtype=np.float64))
    return float(weights.each[row.key])


def _cells(content: Content, rows: tuple[Row, ...], weights: _Weights, decimals: int) -> dict[int, Cell]:
    """The cells of a column of weights."""
    cells = {}
    for at, row in enumerate(rows):
        if row.kind == "key" and not content.sees[row.key]:
            cells[at] = Cell(f"attention of {rows[0].text} to {row.text}{weights.told}", np.float32(0.0), "0", True, CANNOT_SEE)
        elif row.kind == "key":
            what, how = f"attention of {rows[0].text} to {row.text}{weights.told}", weights.made(content, row.key)
            cells[at] = _weight(what, _weight_of(content, row, weights), decimals, how, row.key in weights.chosen)
        elif row.kind == "rest":
            what = f"attention to {count_of(len(content.rest), 'other token')} together{weights.told}"
            cells[at] = _weight(what, _weight_of(content, row, weights), decimals)
        elif row.kind == "sink":
            what, how = f"share of the learned sink{weights.told}", weights.made(content, None)
            cells[at] = _weight(what, _weight_of(content, row, weights), decimals, how)
        elif row.kind == "sum":
            total = weights.each.sum(dtype=np.float64) + weights.sink
            cells[at] = _weight(f"sum{weights.told}", total, WEIGHT_DECIMALS)
    return cells


def _weight(what: str, value: float, decimals: int, how: str = "", is_set: bool = False) -> Cell:
    return Cell(what, np.float32(value), fixed(float(value), decimals), how=how, is_set=is_set)


def _largest(cells: dict[int, Cell], total: int) -> float:
    """The largest number of a column but for its sum."""
    return max((float(cell.values) for at, cell in cells.items() if at != total), default=1.0)

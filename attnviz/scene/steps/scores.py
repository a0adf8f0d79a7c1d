"""The columns of numbers: each step from the products of query and keys to the weights of the attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from attnviz.scene.numbers import decimals_for, fixed
from attnviz.scene.steps.arithmetic import biased_of, capped_of, product_of, scaled_of, weight_of
from attnviz.scene.steps.table import CANNOT_SEE, Cell, Column, keys_of
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.ops import Float32
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.table import Row

WEIGHT_DECIMALS: Final = 3
_Q_TIMES_K: Final = "q·k"


class Step(NamedTuple):
    """One step of the scores. what: as the pointer names it; values: [key]; how: its arithmetic for a key."""

    heading: str
    what: str
    values: Float32
    how: Callable[[Content, int], str] | None


def scores_columns(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """A column for each step that the layer has, the last with a bar."""
    steps, head = content.steps, content.head
    made = [
        Step(_Q_TIMES_K, "query times key", steps.products[head], product_of),
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
    seen = values[[row.key for _, row in keys_of(rows) if content.sees[row.key]]]
    sink = content.steps.sink_score if has_bar else None
    if sink is not None:
        seen = np.append(seen, sink[content.head])
    decimals = decimals_for(seen)
    cells = {}
    for at, row in keys_of(rows):
        if content.sees[row.key]:
            text, made = fixed(float(values[row.key]), decimals), "" if how is None else how(content, row.key)
            cells[at] = Cell(f"{row.text}: {what}", values[row.key], text, how=made)
        elif heading == _Q_TIMES_K:
            cells[at] = Cell(f"{row.text} {CANNOT_SEE}", np.float32(-np.inf), CANNOT_SEE, is_faint=True)
    if sink is not None:
        at = next(at for at, row in enumerate(rows) if row.kind == "sink")
        cells[at] = Cell("learned sink: score", sink[content.head], fixed(float(sink[content.head]), decimals))
    return _number_column(heading, cells, float(np.abs(seen).max(initial=0.0)), has_bar)


def softmax_columns(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """The weights, with a bar each."""
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


def _number_column(heading: str, cells: dict[int, Cell], largest: float, has_bar: bool) -> Column:
    """As wide as its longest number, figures being about 7 pixels wide, and a bar where it has one."""
    longest = max([len(cell.text) for cell in cells.values() if not cell.is_faint] + [len(heading)], default=4)
    width = 7.0 * max(longest, 4) + 2
    if not has_bar:
        return Column(heading, "number", cells, width, width + 8)
    return Column(heading, "number", cells, width + 26, width + 54, max(largest, 1e-30))

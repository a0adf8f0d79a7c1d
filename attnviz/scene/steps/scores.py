"""The columns of numbers: each step from the products of query and keys to the weights of the attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from attnviz.scene.numbers import decimals_for, fixed
from attnviz.scene.steps.arithmetic import biased_of, capped_of, product_of, scale_of, scaled_of
from attnviz.scene.steps.table import CANNOT_SEE, Cell, Column, keys_of, number_column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.table import Row

    Float64 = NDArray[np.float64]

_Q_TIMES_K: Final = "q·k"
MORE: Final = 4  # decimals of a column, at most, so that the next one comes out of it


class Step(NamedTuple):
    """One step of the scores. what: as the pointer names it; values: [key]; how: its arithmetic for a key; sources: the places of
    the steps that it is made of; made: by what, from their values."""

    heading: str
    what: str
    values: Float32
    how: Callable[[Content, int], str] | None
    sources: tuple[int, ...] = ()
    made: Callable[..., Float64] | None = None


def scores_columns(content: Content, rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """A column for each step that the layer has, the last with a bar; each comes out of the shown numbers before it."""
    made = _steps(content)
    keys = [row.key for _, row in keys_of(rows) if content.sees[row.key]]
    shown = _shown_decimals(made, keys, content)
    return tuple(_numbers(content, rows, step, n, step is made[-1]) for step, n in zip(made, shown, strict=True))


def _steps(content: Content) -> list[Step]:
    steps, head = content.steps, content.head
    scale, cap = float(steps.scale), steps.look.soft_cap
    made = [
        Step(_Q_TIMES_K, "query times key", steps.products[head], product_of),
        Step(scale_of(content), "scaled", steps.scaled[head], scaled_of, (0,), lambda product: product * scale),
    ]
    if steps.bias is not None:
        made.append(Step("+ bias", "bias for the distance", steps.bias[head], None))
        if steps.capped is None:
            made.append(Step("= score", "score", steps.scores[head], biased_of, (1, 2), np.add))
    if steps.capped is not None:
        sources = (1,) if steps.bias is None else (1, 2)
        capped = steps.capped[head]
        made.append(Step("capped", "score behind the soft-cap", capped, capped_of, sources, lambda *x: cap * np.tanh(sum(x) / cap)))
    return made


def _shown_decimals(made: Sequence[Step], keys: Sequence[int], content: Content) -> list[int]:
    """The decimals of each column: so many that three digits of its largest number are seen, and that the next column comes out."""
    seen = [step.values[list(keys)].astype(np.float64) for step in made]
    decimals = [decimals_for(values) for values in seen]
    if content.steps.sink_score is not None:
        decimals[-1] = decimals_for([*seen[-1], content.steps.sink_score[content.head]])
    for at in reversed(range(len(made))):
        sources = made[at].sources
        least = [decimals[source] for source in sources]
        found = _enough(made[at], [seen[source] for source in sources], least, np.round(seen[at], decimals[at]), decimals[at])
        for source, n in zip(sources, found, strict=True):
            decimals[source] = n
    return decimals


def _enough(step: Step, sources: Sequence[Float64], least: Sequence[int], wanted: Float64, decimals: int) -> Sequence[int]:
    """The decimals of a step's sources, the fewest with which all of its numbers come out of them to their own decimals."""
    if step.made is None:
        return least
    found = least
    for more in range(MORE + 1):
        found = [max(n, min(least) + more) for n in least]
        made = step.made(*(np.round(values, n) for values, n in zip(sources, found, strict=True)))
        if np.array_equal(np.round(made, decimals), wanted):
            break
    return found


def _numbers(content: Content, rows: tuple[Row, ...], step: Step, decimals: int, has_bar: bool) -> Column:
    """One step of the scores; the keys that cannot be seen have words in the first."""
    values = step.values
    seen = values[[row.key for _, row in keys_of(rows) if content.sees[row.key]]]
    sink = content.steps.sink_score if has_bar else None
    if sink is not None:
        seen = np.append(seen, sink[content.head])
    cells = {}
    for at, row in keys_of(rows):
        if content.sees[row.key]:
            text, made = fixed(float(values[row.key]), decimals), "" if step.how is None else step.how(content, row.key)
            cells[at] = Cell(f"{row.text}: {step.what}", values[row.key], text, how=made)
        elif step.heading == _Q_TIMES_K:
            cells[at] = Cell(f"{row.text} {CANNOT_SEE}", np.float32(-np.inf), CANNOT_SEE, is_faint=True)
    if sink is not None:
        at = next(at for at, row in enumerate(rows) if row.kind == "sink")
        cells[at] = Cell("learned sink: score", sink[content.head], fixed(float(sink[content.head]), decimals))
    return number_column(step.heading, cells, float(np.abs(seen).max(initial=0.0)), has_bar)

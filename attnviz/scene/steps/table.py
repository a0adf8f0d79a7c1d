"""What the table that runs from the tokens to the weighted values is made of: a row per key, a column per number that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from attnviz.scene.words import shortened

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.scene.steps.content import Content

RowKind = Literal["query", "key", "rest", "sink", "sum"]
CANNOT_SEE: Final = "cannot see"
_LONGEST_NAME: Final = 14


class Row(NamedTuple):
    """A row of the table. key: of a key's row, its place among the keys."""

    kind: RowKind
    text: str
    key: int | None = None


class Cell(NamedTuple):
    """What stands in one row of a column. what: as the pointer names it; values: a strip's numbers, or the one number; text: of a
    number; is_faint: it has no part in the sum; how: the number's arithmetic; parts: the number and the vector that a strip is the
    product of; is_set: a person set it by hand."""

    what: str
    values: Float32
    text: str = ""
    is_faint: bool = False
    how: str = ""
    parts: tuple[float, Float32] | None = None
    is_set: bool = False


@dataclass(frozen=True, eq=False)
class Column:
    """One column. cells: by the number of their row; least, wanted: its width, pixels; scale: the number of a bar's whole length,
    where there is one beside each number; is_changed: it is what a person made of the numbers before it; is_past: it is what there
    was before that."""

    heading: str
    form: Literal["strip", "number"]
    cells: dict[int, Cell]
    least: float
    wanted: float
    scale: float | None = None
    is_changed: bool = False
    is_past: bool = False


def rows_of(content: Content) -> tuple[Row, ...]:
    """The rows: the query, its keys in the text's order, the others together, the learned sink, and the sum."""
    keys = tuple(Row("key", name_of(content.keys[key].shown), key) for key in content.shown)
    rest = (Row("rest", f"and {len(content.rest):,} more"),) if content.rest else ()
    sink = (Row("sink", "learned sink"),) if content.steps.sink_share is not None else ()
    return (Row("query", name_of(content.query_token.shown)), *keys, *rest, *sink, Row("sum", "sum"))


def name_of(text: str) -> str:
    """A token's text, shortened where it is very long."""
    return shortened(text, _LONGEST_NAME)


def keys_of(rows: tuple[Row, ...]) -> list[tuple[int, Row]]:
    """The keys' rows with their numbers."""
    return [(at, row) for at, row in enumerate(rows) if row.kind == "key"]


def number_column(heading: str, cells: dict[int, Cell], largest: float, has_bar: bool) -> Column:
    """As wide as its longest number, figures being about 7 pixels wide, and a bar where it has one."""
    longest = max([len(cell.text) for cell in cells.values() if not cell.is_faint] + [len(heading)], default=4)
    width = 7.0 * max(longest, 4) + 2
    if not has_bar:
        return Column(heading, "number", cells, width, width + 8)
    return Column(heading, "number", cells, width + 26, width + 54, max(largest, 1e-30))

"""Sets the table: names, strips, numbers and bars, each at its row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.page import SMALL
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Box
from attnviz.scene.steps.cells import strongest_of
from attnviz.scene.steps.scene import RowBox, Rule
from attnviz.scene.steps.sheet import heading_middle
from attnviz.scene.steps.table import CANNOT_SEE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnviz.scene.scene import Measure
    from attnviz.scene.steps.layout import FlowRow, Placed
    from attnviz.scene.steps.sheet import Setting
    from attnviz.scene.steps.table import Column


def set_columns(placed: Placed, setting: Setting, middles: Mapping[int, float]) -> None:
    """The columns of a stage; middles: the y of the middle of each row, by its number."""
    for column, (left, right) in zip(placed.draft.columns, placed.columns, strict=True):
        heading = heading_middle(min(middles.values()) - setting.row_height / 2)
        ink = "what_if_ink" if column.is_changed else "muted"
        if column.form == "strip":
            setting.sheet.heading(column.heading, left, right, heading, ink=ink)
            _set_strips(column, placed, left, right, setting, middles)
        else:
            bar = _bar_width(column, right - left, setting.measure)
            setting.sheet.heading(column.heading, left, right - bar, heading, align="right", ink=ink)
            _set_numbers(column, placed, left, right - bar, bar, setting, middles)


def _set_strips(column: Column, placed: Placed, left: float, right: float, setting: Setting, middles: Mapping[int, float]) -> None:
    """A column of vectors, coloured by one scale."""
    scale = strongest_of([cell.values for cell in column.cells.values()], right - left)
    for at, cell in column.cells.items():
        box = Box(left, middles[at] - setting.strip / 2, right, middles[at] + setting.strip / 2)
        setting.sheet.strip(placed.draft.name, cell.what, cell.values, scale, box, parts=cell.parts)


def _set_numbers(
    column: Column, placed: Placed, left: float, right: float, bar: float, setting: Setting, middles: Mapping[int, float]
) -> None:
    """A column of numbers that end at `right`, with bars beside them where there is room for some."""
    for at, cell in column.cells.items():
        if cell.text == CANNOT_SEE:
            setting.sheet.text(cell.text, left, middles[at], "faint")
            continue
        is_sum = setting.rows[at].kind == "sum"
        ink = "faint" if cell.is_faint else "what_if_ink" if cell.is_set else "muted" if column.is_past else "ink"
        stage, value = placed.draft.name, float(cell.values)
        setting.sheet.number(stage, cell.what, value, cell.text, right, middles[at], ink, bold=is_sum or cell.is_set, how=cell.how)
        if bar and not is_sum and not cell.is_faint:
            _set_bar(column, value, right + 8, bar - 8, stage == "softmax", setting, middles[at])


def _set_bar(column: Column, value: float, left: float, room: float, is_weight: bool, setting: Setting, middle: float) -> None:
    """A number's bar: from zero to the right, or of a column with negative ones from the middle."""
    is_signed = any(float(cell.values) < 0 for cell in column.cells.values() if not cell.is_faint)
    zero = left + room / 2 if is_signed else left
    length = value / column.scale * (room / 2 if is_signed else room)
    if is_weight:
        setting.sheet.bar(zero, length, middle, head_colour(setting.content.head, setting.theme), 1.0, 9.0)
    else:
        setting.sheet.bar(zero, length, middle, setting.theme.faint, 0.8, 5.0)


def _bar_width(column: Column, width: float, measure: Measure) -> float:
    """What a column has left for its bars beside its numbers; 0 for one without."""
    if column.scale is None:
        return 0.0
    texts = [cell.text for cell in column.cells.values() if not cell.is_faint] + [column.heading]
    longest = max(measure(text, SMALL, True) for text in texts)
    return max(width - longest - 2, 12.0)


def set_names(flow: FlowRow, setting: Setting, middles: Mapping[int, float]) -> None:
    """The rows' names, a box as wide as the table for each, and a line above the sum."""
    left, right = flow.names
    last = [stage for stage in flow.stages if stage.draft.columns or stage.draft.name == "tokens"][-1]
    content = setting.content
    before, end = list(middles)[-2:] if len(middles) > 1 else (0, 0)
    if setting.rows[end].kind == "sum":
        setting.sheet.rules.append(Rule(left, last.right, (middles[before] + middles[end]) / 2))
    for at, middle in middles.items():
        row = setting.rows[at]
        is_query = row.kind == "query" or (row.key == content.query and not content.is_cross)
        unseen = row.kind == "key" and not content.sees[row.key]
        ink = "accent" if is_query else "faint" if unseen else "ink" if row.kind == "key" else "muted"
        setting.sheet.fitted(row.text, left, right, middle, ink, bold=row.kind == "query")
        position = content.query_position if row.kind == "query" else row.key
        box = Box(left - 5, middle - setting.row_height / 2, last.right + 5, middle + setting.row_height / 2)
        can_query = position is not None and position >= setting.first_query
        setting.sheet.rows.append(RowBox(row.text, position, can_query, box))

"""Sets a row of the flow: the heads of its stages, the table that runs through them, and their arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from attnviz.scene.page import SMALL
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Label
from attnviz.scene.steps_cells import strongest_of
from attnviz.scene.steps_layout import COPY_WIDTH, TITLE_SIZE
from attnviz.scene.steps_list_rows import list_height, set_heads, set_output
from attnviz.scene.steps_scene import Box, RowBox, Rule, Stage
from attnviz.scene.steps_sheet import LINE, STRIP, Sheet, baseline
from attnviz.scene.steps_table import CANNOT_SEE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attnviz.scene.scene import Measure
    from attnviz.scene.steps_content import Content
    from attnviz.scene.steps_layout import FlowRow, Placed
    from attnviz.scene.steps_table import Cell, Column, Row
    from attnviz.scene.theme import Theme

TITLE: Final = 22.0
_HEADING: Final = 18.0
_STRIP_SHARE: Final = 0.6  # of a row's height
_HIGHEST_STRIP: Final = 18.0
_APART: Final = 7.0  # between the query's row and its keys', and before the sum


class Setting(NamedTuple):
    """What every stage is set with. first_query: the first position among the picture's tokens that can be a query."""

    sheet: Sheet
    content: Content
    rows: Sequence[Row]
    theme: Theme
    measure: Measure
    row_height: float
    first_query: int

    @property
    def strip(self) -> float:
        """The height of a strip in such a row."""
        return min(max(_STRIP_SHARE * self.row_height, STRIP), _HIGHEST_STRIP)


def head_height(flow: FlowRow) -> float:
    """The height of titles, sentences, formulas and column headings."""
    sentence = max(len(stage.sentence) for stage in flow.stages)
    formula = max(len(stage.formula) for stage in flow.stages)
    return TITLE + LINE * (sentence + formula) + 10 + _HEADING


def body_height(flow: FlowRow, setting: Setting) -> float:
    """The height below the head: the table's, or more where a list needs it."""
    table = setting.row_height * len(_used(flow, setting)) + 2 * _APART if flow.has_table else 0.0
    return max(table, *(list_height(stage.draft.name, setting) for stage in flow.stages))


def set_flow_row(flow: FlowRow, setting: Setting, top: float) -> float:
    """Set a row of the flow from `top` on; the y of its end."""
    body = top + head_height(flow)
    bottom = body + body_height(flow, setting)
    middles = _middles(flow, setting, body)
    for at, placed in enumerate(flow.stages):
        _set_head(placed, setting, top, body, bottom)
        if at + 1 < len(flow.stages):
            middle = top + TITLE / 2
            setting.sheet.line((placed.right + 4, middle), (flow.stages[at + 1].left - 5, middle), is_strong=False)
        for column, place in zip(placed.draft.columns, placed.columns, strict=True):
            _set_column(column, place, placed, setting, middles)
        if placed.draft.name == "heads":
            set_heads(setting, placed, body, bottom)
        elif placed.draft.name == "output":
            set_output(setting, placed, body, bottom)
    if flow.names is not None:
        _set_names(flow, setting, middles)
    _set_wires(flow, setting, middles, body)
    return bottom


def _used(flow: FlowRow, setting: Setting) -> list[int]:
    """The rows of the table in which there is anything in this row of the flow."""
    filled = {at for stage in flow.stages for column in stage.draft.columns for at in column.cells}
    if any(stage.draft.name == "tokens" for stage in flow.stages):
        filled.add(0)
    return [at for at, row in enumerate(setting.rows) if row.kind in ("key", "rest") or at in filled]


def _middles(flow: FlowRow, setting: Setting, body: float) -> dict[int, float]:
    """The y of the middle of each row of the table that is used, by its number."""
    used = _used(flow, setting)
    shift = [0.0 if setting.rows[at].kind == "query" else 2 * _APART if setting.rows[at].kind == "sum" else _APART for at in used]
    if used and setting.rows[used[0]].kind != "query":
        shift = [apart - _APART for apart in shift]
    return {at: body + setting.row_height * (place + 0.5) + shift[place] for place, at in enumerate(used)}


def _set_head(placed: Placed, setting: Setting, top: float, body: float, bottom: float) -> None:
    draft, sheet = placed.draft, setting.sheet
    number = f"{draft.number}"
    x = placed.left + setting.measure(number, TITLE_SIZE, True) + 7
    sheet.labels.append(Label(number, placed.left, baseline(top + TITLE / 2) + 0.5, TITLE_SIZE, "accent", bold=True))
    sheet.labels.append(Label(draft.title, x, baseline(top + TITLE / 2) + 0.5, TITLE_SIZE, "ink", bold=True))
    y = top + TITLE
    for line in placed.sentence:
        sheet.text(line, placed.left, y + LINE / 2, "muted")
        y += LINE
    # Formulas stand on one line across the stages, right above the columns.
    y = body - _HEADING - 4 - LINE * len(placed.formula)
    for line in placed.formula:
        sheet.text(line, placed.left, y + LINE / 2, "ink")
        y += LINE
    end = x + setting.measure(draft.title, TITLE_SIZE, True) + 5
    copy = Box(end, top + 2, end + COPY_WIDTH, top + TITLE - 2)
    box = Box(placed.left - 4, top, placed.right + 4, bottom)
    sheet.stages.append(Stage(draft.name, draft.title, draft.sentence, draft.formula, box, copy))


def _set_column(column: Column, place: tuple[float, float], placed: Placed, setting: Setting, middles: Mapping[int, float]) -> None:
    left, right = place
    top, bar, scale = min(middles.values()) - setting.row_height / 2 - _HEADING / 2 - 1, 0.0, 1.0
    if column.form == "number":
        bar = _bar_width(column, place, setting.measure)
        setting.sheet.text(column.heading, right - bar, top, "muted", align="right")
    else:
        setting.sheet.fitted(column.heading, left, right, top, "muted")
        scale = strongest_of([cell.values for cell in column.cells.values()], right - left)
    for at, cell in column.cells.items():
        if column.form == "strip":
            box = Box(left, middles[at] - setting.strip / 2, right, middles[at] + setting.strip / 2)
            setting.sheet.strip(placed.draft.name, cell.what, cell.values, scale, box, parts=cell.parts)
        elif cell.text == CANNOT_SEE:
            setting.sheet.text(cell.text, left, middles[at], "faint")
        else:
            _set_number(column, cell, right - bar, bar, placed, setting, middles[at], setting.rows[at])


def _bar_width(column: Column, place: tuple[float, float], measure: Measure) -> float:
    """What a column has left for its bars beside its numbers."""
    if column.scale is None:
        return 0.0
    texts = [cell.text for cell in column.cells.values() if not cell.is_faint] + [column.heading]
    longest = max(measure(text, SMALL, True) for text in texts)
    return max(place[1] - place[0] - longest - 2, 12.0)


def _set_number(
    column: Column, cell: Cell, right: float, bar: float, placed: Placed, setting: Setting, middle: float, row: Row
) -> None:
    """A number, and where its column has bars its own: from zero to the right, or of signed ones from the middle."""
    sheet, value = setting.sheet, float(cell.values)
    ink = "faint" if cell.is_faint else "ink"
    sheet.number(placed.draft.name, cell.what, value, cell.text, right, middle, ink, bold=row.kind == "sum", how=cell.how)
    if column.scale is None or row.kind == "sum" or cell.is_faint:
        return
    is_signed = any(float(other.values) < 0 for other in column.cells.values() if not other.is_faint)
    start, room = right + 8, bar - 8
    zero = start + room / 2 if is_signed else start
    length = value / column.scale * (room / 2 if is_signed else room)
    is_weight = placed.draft.name == "softmax"
    colour = head_colour(setting.content.head, setting.theme) if is_weight else setting.theme.faint
    sheet.bar(zero, length, middle, colour, 1.0 if is_weight else 0.8, 9.0 if is_weight else 5.0)


def _set_names(flow: FlowRow, setting: Setting, middles: Mapping[int, float]) -> None:
    """The tokens' names, and a row as wide as the table for each."""
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


def _set_wires(flow: FlowRow, setting: Setting, middles: Mapping[int, float], body: float) -> None:
    """The ways of the query to the scores, and of the sum to its head."""
    placed = {stage.draft.name: stage for stage in flow.stages}
    sheet = setting.sheet
    if "projections" in placed and "scores" in placed:
        query = placed["projections"].columns[-2][1]
        key = placed["scores"].columns[0]
        at = key[1] - 12
        sheet.line((query + 3, middles[0]), (at, middles[0]), (at, middles[1] - setting.row_height / 2 + 1))
    if "projections" in placed and "weighted" in placed:
        value, weighted = placed["projections"].columns[-1], placed["weighted"].columns[0]
        level, first = middles[0] + 7.0, middles[1] - setting.row_height / 2 + 1
        start, end = (value[0] + value[1]) / 2, (weighted[0] + weighted[1]) / 2
        sheet.line((start, first), (start, level), (end, level), (end, first), is_strong=False)
    if "weighted" in placed and "heads" in placed:
        box = next(box.box for box in sheet.heads if box.head == setting.content.head)
        start, end = placed["weighted"].columns[-1][1] + 3, placed["heads"].left - 3
        turn, total = (start + end) / 2 - 1, middles[len(setting.rows) - 1]
        sheet.line((start, total), (turn, total), (turn, box.middle), (end, box.middle))
    if "heads" in placed and "output" in placed:
        middle = body + setting.row_height / 2
        sheet.line((placed["heads"].right + 4, middle), (placed["output"].left - 5, middle))

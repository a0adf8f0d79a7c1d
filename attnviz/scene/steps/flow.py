"""Sets a row of the flow: the heads of its stages, the table that runs through them, and their arrows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.scene import Box, Label
from attnviz.scene.steps.layout import COPY_WIDTH, TITLE_SIZE
from attnviz.scene.steps.list_rows import list_height, set_heads, set_output
from attnviz.scene.steps.scene import Stage
from attnviz.scene.steps.sheet import LINE, baseline
from attnviz.scene.steps.table_rows import set_columns, set_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from attnviz.scene.steps.layout import FlowRow, Placed
    from attnviz.scene.steps.sheet import Setting

TITLE: Final = 22.0
_HEADING: Final = 18.0
_APART: Final = 7.0  # between the query's row and its keys', and before the sum


def head_height(flow: FlowRow) -> float:
    """The height of titles, sentences, formulas and column headings."""
    sentence = max(len(stage.sentence) + len(stage.change) for stage in flow.stages)
    formula = max(len(stage.formula) for stage in flow.stages)
    return TITLE + LINE * (sentence + formula) + 8 + _HEADING


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
        set_columns(placed, setting, middles)
        if placed.draft.name == "heads":
            set_heads(setting, placed, body, bottom)
        elif placed.draft.name == "output":
            set_output(setting, placed, body, bottom)
    if flow.names is not None:
        set_names(flow, setting, middles)
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
    for lines, ink in ((placed.sentence, "muted"), (placed.change, "what_if_ink")):
        for line in lines:
            sheet.text(line, placed.left, y + LINE / 2, ink)
            y += LINE
    # Formulas stand on one line across the stages, right above the columns.
    y = body - _HEADING - 4 - LINE * len(placed.formula)
    for line in placed.formula:
        sheet.text(line, placed.left, y + LINE / 2, "ink")
        y += LINE
    end = x + setting.measure(draft.title, TITLE_SIZE, True) + 5
    copy = Box(end, top + 2, end + COPY_WIDTH, top + TITLE - 2)
    box = Box(placed.left - 4, top, placed.right + 4, bottom)
    said = f"{draft.sentence} {draft.change}".rstrip()
    sheet.stages.append(Stage(draft.name, draft.title, said, draft.formula, box, copy))


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

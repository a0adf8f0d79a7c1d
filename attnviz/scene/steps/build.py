"""A run and a view become the flow of one token through one head. Pure: the same input gives the same picture."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.captions import caption_of, warnings_of
from attnviz.scene.page import LINE, MARGIN, SMALL, Page
from attnviz.scene.scene import Box
from attnviz.scene.steps.content import MOST_KEYS, content_of, first_query
from attnviz.scene.steps.explained import COLOURS
from attnviz.scene.steps.flow import body_height, head_height, set_flow_row
from attnviz.scene.steps.layout import drafts_of, flow_width, set_flow
from attnviz.scene.steps.scene import StepsScene
from attnviz.scene.steps.sheet import Setting, Sheet
from attnviz.scene.steps.smaller import SIZES, larger_measure, smaller
from attnviz.scene.steps.table import rows_of
from attnviz.scene.steps.words import description_of, lead_line, own_tokens_line
from attnviz.scene.words import wrap
from attnviz.session.sight import frame_of, kind_of
from attnviz.session.view import HeadChoice, Sinks, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.layout import FlowRow
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run

_HEAD: Final = 10.0
_UNDER_LEAD: Final = 4.0
_OVER_FOOT: Final = 10.0
_ROW: Final = (14.0, 30.0)  # the lowest and the highest row of a table that fits a window
_PAPER_ROW: Final = 16.0
_BETWEEN: Final = 34.0  # two rows of the flow
# On narrow paper the flow takes so many rows that a long table in each would fill pages.
_NARROW: Final = 440.0
_FEW_KEYS: Final = 10
# Two rows of the flow in a page's width are 10 in tall with the type of a window, and 7.5 with the next smaller.
_PAGE: Final = 720.0
_FIGURE_ROWS: Final = 2  # of the flow, where smaller type makes so few of them
_NO_HEAD: Final = "there is nothing to follow: no head is shown"
_LEGEND: Final = (
    "from below zero to above; a cell that stands for several numbers shows the largest of them.  W: numbers that were trained, "
    "with their bias"
)
_LEGEND_STRIP: Final = 72.0


def build_steps(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> StepsScene:
    """The steps of one query's attention in one head of one layer of a run."""
    is_narrow = layout.caption and layout.width < _NARROW
    content = content_of(run.trace, view, _FEW_KEYS if is_narrow else MOST_KEYS)
    size = 1.0 if content is None or not layout.caption else _size_for(content, layout, measure)
    room = replace(layout, width=layout.width / size)
    return smaller(_built(run, view, content, theme, room, larger_measure(measure, size)), size)


def _size_for(content: Content, layout: Layout, measure: Measure) -> float:
    """How small a figure is drawn, so that its flow takes two rows: as little as helps, or, where nothing does, as can be read."""
    rows = rows_of(content)
    for size in SIZES if layout.width > _PAGE else SIZES[1:]:
        in_type = larger_measure(measure, size)
        if len(set_flow(drafts_of(content, rows, in_type), layout.width / size, in_type)) <= _FIGURE_ROWS:
            return size
    return SIZES[-1]


def _built(run: Run, view: View, content: Content | None, theme: Theme, layout: Layout, measure: Measure) -> StepsScene:
    """The scene at its own size."""
    kind, trace = kind_of(run.trace, view), run.trace
    heads = HeadChoice(frozenset() if content is None else frozenset({content.head}), trace.head_count_of(kind))
    own = View(layer=view.layer, heads=heads, kind=view.kind, picture="steps", sinks=Sinks(treatment="show"))
    frame = frame_of(trace, own)  # all weights of a layer of 4,096 tokens would take half a second
    caption = caption_of(run, own, frame)
    rows = () if content is None else rows_of(content)
    drafts = () if content is None else drafts_of(content, rows, measure)
    width = flow_width(drafts, layout) if drafts else layout.width
    page, sheet = Page(theme, replace(layout, width=width), measure), Sheet(measure)
    page.band_lines(warnings_of(run, own, frame))
    page.y += _HEAD
    if layout.caption:
        page.text(caption, bold_until=len(run.model.name))
    page.text(_NO_HEAD if content is None else lead_line(content, layout.caption))
    page.y += _UNDER_LEAD
    begin = first_query(trace, kind)
    if content is not None:
        setting = Setting(sheet, content, rows, theme, measure, _PAPER_ROW, begin)
        _set_all(setting, set_flow(drafts, width, measure), page, layout, own_tokens_line(view))
    return StepsScene(
        width=width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        labels=(*page.labels, *sheet.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        description=f"{_NO_HEAD}: {caption}" if content is None else description_of(content, caption),
        content=content,
        head_count=trace.head_count_of(kind),
        focus=None if content is None else content.query_position,
        queries=tuple(range(begin, begin + len(trace.queries(kind)))),
        **sheet.drawn(),
    )


def _set_all(setting: Setting, flow: Sequence[FlowRow], page: Page, layout: Layout, note: str | None) -> None:
    """The rows of the flow one below the other, and the foot."""
    width = max(row.stages[-1].right for row in flow) - MARGIN
    legend = wrap(_LEGEND, SMALL, width - _LEGEND_STRIP - 12, setting.measure)
    foot = LINE * (len(legend) + (0 if note is None else 1)) + 0.5 * MARGIN
    room = layout.height - page.y - foot - _OVER_FOOT
    setting = replace(setting, row_height=_row_height(setting, flow, room))
    free = room - _height(setting, flow)
    page.y += max(free, 0.0) / 3
    for place, row in enumerate(flow):
        top = page.y
        page.y = set_flow_row(row, setting, top)
        if place + 1 < len(flow):
            _set_turn(setting.sheet, row, flow[place + 1], page.y)
            page.y += _BETWEEN
    page.y = max(page.y + _OVER_FOOT, layout.height - foot)
    _set_legend(setting.sheet, legend, page)
    if note is not None:
        page.text(note)


def _height(setting: Setting, flow: Sequence[FlowRow]) -> float:
    return sum(head_height(row) + body_height(row, setting) for row in flow) + _BETWEEN * (len(flow) - 1)


def _row_height(setting: Setting, flow: Sequence[FlowRow], free: float) -> float:
    """The height of a row of the table: one row of the flow fills a window, within what looks well."""
    if len(flow) > 1 or free <= 0:
        return _PAPER_ROW
    rooms = (free - head_height(flow[0]) - 14.0) / len(setting.rows)
    return min(max(rooms, _ROW[0]), _ROW[1])


def _set_turn(sheet: Sheet, above: FlowRow, below: FlowRow, y: float) -> None:
    """The arrow from the end of a row of the flow to the beginning of the next."""
    start, end = above.stages[-1].right - 6, below.stages[0].left + 4
    middle = y + _BETWEEN / 2 - 4
    sheet.line((start, y + 2), (start, middle), (end, middle), (end, y + _BETWEEN - 3), is_strong=False)


def _set_legend(sheet: Sheet, lines: Sequence[str], page: Page) -> None:
    """What the colours say."""
    ramp = np.linspace(-1.0, 1.0, 49, dtype=np.float32)
    sheet.explain(_LEGEND, MARGIN, MARGIN + _LEGEND_STRIP, page.y + LINE / 2, COLOURS)
    sheet.strip(None, "", ramp, 1.0, Box(MARGIN, page.y + 4.5, MARGIN + _LEGEND_STRIP, page.y + 13.5))
    for line in lines:
        sheet.text(line, MARGIN + _LEGEND_STRIP + 12, page.y + LINE / 2)
        page.y += LINE

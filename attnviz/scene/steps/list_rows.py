"""Sets the two stages behind the table: all heads one below the other, and the way of their mixture to the next layer."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from attnviz.scene.numbers import number
from attnviz.scene.page import SMALL
from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Box
from attnviz.scene.steps.cells import strongest_of
from attnviz.scene.steps.explained import meaning_of, strength_meaning
from attnviz.scene.steps.output import output_items
from attnviz.scene.steps.scene import HeadBox
from attnviz.scene.steps.sheet import LINE, heading_middle
from attnviz.scene.steps.strengths import FACTOR_GAP, strength_of, strengths_of, strengths_room

if TYPE_CHECKING:
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.layout import Placed
    from attnviz.scene.steps.output import Item
    from attnviz.scene.steps.scene import StageName
    from attnviz.scene.steps.sheet import Setting

_BELOW: Final = 9.0  # a strip of the output
_LINE_ITEM: Final = LINE + 4.0
_SPREAD: Final = 14.0  # as far as its items part where there is more room
_SIDE_BY_SIDE: Final = 22.0  # what the heads side by side take besides their strip
_LOWEST: Final = 3.0  # row of a head
_EASY_ROW, _EASY_ROWS = 14.0, 168.0  # what a head's row would like to have, and all of them at most
_NAMED: Final = 13.0  # the lowest row that a name fits in
_WIDE_NAME: Final = 32.0
_MORE: Final = LINE + 6.0  # below the heads, for how many more there are, clear of the last one's name
_LIFT: Final = 4.0


def list_height(stage: StageName, setting: Setting) -> float:
    """The least height of such a stage; 0 for one of the table."""
    if stage == "heads":
        return setting.strip + _SIDE_BY_SIDE + min(_EASY_ROW * setting.content.head_count, _EASY_ROWS)
    if stage == "output":
        items = output_items(setting.content)
        return sum(_LINE_ITEM if item.values is None else LINE + setting.strip + _BELOW for item in items)
    return 0.0


def set_heads(setting: Setting, placed: Placed, top: float, bottom: float) -> None:
    """From `top` on, where the query's row of a table begins, the heads' outputs in one vector, this head's part
    lifted out of it, and below it each by itself."""
    content, sheet = setting.content, setting.sheet
    context, count, factors = content.steps.context, content.head_count, strengths_room(content, setting.measure)
    scale = strongest_of(list(context), placed.right - placed.left - _WIDE_NAME - factors)
    sheet.heading("side by side", placed.left, placed.right, heading_middle(top))
    _set_side_by_side(setting, placed, top + (setting.row_height - setting.strip) / 2, scale)
    first = top + setting.strip + _SIDE_BY_SIDE
    low, high = _LOWEST, setting.row_height + 1.0
    n_shown = min(count, max(int((bottom - first) / low), 1))
    n_more = count - n_shown
    if n_more:
        n_shown = max(int((bottom - first - _MORE) / low), 1)
    begin = min(max(content.head - n_shown // 2, 0), count - n_shown)
    pitch = min((bottom - first - (_MORE if n_more else 0.0)) / n_shown, high)
    for place, head in enumerate(range(begin, begin + n_shown)):
        _set_head_row(setting, placed, head, first + pitch * (place + 0.5), pitch, scale, factors)
    if n_more:
        sheet.text(f"and {count - n_shown:,} more heads", placed.left, first + pitch * n_shown + _MORE - LINE / 2)


def _set_side_by_side(setting: Setting, placed: Placed, top: float, scale: float) -> None:
    content, sheet, steps = setting.content, setting.sheet, setting.content.steps
    whole, (count, width) = steps.concatenated, steps.context.shape
    room = placed.right - placed.left
    for first, end in _parts_of(content):
        start, stop, lift = first * width, end * width, _LIFT if first == content.head else 0.0
        box = Box(
            placed.left + room * start / len(whole), top - lift, placed.left + room * stop / len(whole), top + setting.strip - lift
        )
        parts = (float(steps.strength[first]), steps.context[first]) if strength_of(content, first) else None
        sheet.strip("heads", "all heads side by side", whole[start:stop], scale, box, start, parts)
    for head in range(count) if room / count >= 2.0 else (content.head,):
        left, length = placed.left + room * head / count, room / count
        opacity = 1.0 if head == content.head else 0.45
        sheet.bar(
            left,
            max(length - (1.0 if length > 4 else 0.0), 1.0),
            top + setting.strip + 3,
            head_colour(head, setting.theme),
            opacity,
            3.0,
        )


def _parts_of(content: Content) -> list[tuple[int, int]]:
    """The heads side by side in parts, from a head to the one behind the last: this head, each that goes on with another strength,
    and those between."""
    alone = sorted({content.head, *strengths_of(content)})
    edges = sorted({0, content.head_count, *alone, *(head + 1 for head in alone)})
    return list(pairwise(edges))


def _set_head_row(setting: Setting, placed: Placed, head: int, middle: float, pitch: float, scale: float, factors: float) -> None:
    """A head's output; factors: the room behind it for what it is multiplied by."""
    content, sheet = setting.content, setting.sheet
    is_own, factor = head == content.head, strength_of(content, head)
    left, right = placed.left + _WIDE_NAME, placed.right - factors
    height = min(setting.strip, max(pitch - (3.0 if pitch > 8 else 1.0), 1.5))
    box = Box(left, middle - height / 2, right, middle + height / 2)
    if pitch >= _NAMED or is_own:
        sheet.text(f"H{head}", placed.left, middle, "ink" if is_own else "faint", bold=is_own)
    sheet.bar(left - 5, 3.0, middle, head_colour(head, setting.theme), 1.0 if is_own else 0.45, height)
    onward = f", before it goes on {factor}" if factor else ""
    sheet.strip("heads", f"output of head {head}{onward}", content.steps.context[head], scale, box)
    if factor and (pitch >= _NAMED or is_own):
        what, value = f"strength of head {head}", float(content.steps.strength[head])
        end, how = right + FACTOR_GAP + setting.measure(factor, SMALL, is_own), strength_meaning(content, head)
        sheet.number("heads", what, value, factor, end, middle, "what_if_ink", bold=is_own, how=how)
    elif factor:
        sheet.bar(right + FACTOR_GAP / 2, 4.0, middle, setting.theme.what_if_ink, 1.0, height)
    sheet.heads.append(HeadBox(head, Box(placed.left - 2, middle - pitch / 2, placed.right, middle + pitch / 2)))


def set_output(setting: Setting, placed: Placed, top: float, bottom: float) -> None:
    """What becomes of the heads' outputs, from the top down; the first vector is level with the query's row."""
    sheet, steps, strip = setting.sheet, setting.content.steps, setting.strip
    items, width = output_items(setting.content), placed.right - placed.left
    shared = (steps.projected, steps.entering, steps.added)  # what is added up has one scale
    stream = strongest_of(shared, width)
    spread = min(max((bottom - top - list_height("output", setting)) / len(items), 0.0), _SPREAD)
    y = top + (setting.row_height - strip) / 2 - LINE - 2
    for at, item in enumerate(items):
        middle = y + LINE / 2 if at else heading_middle(top)
        if item.values is None:
            _set_cosine(setting, placed, item, middle)
            y += _LINE_ITEM + spread
            continue
        ink = "ink" if item.is_result else "muted"
        sheet.explain(item.line, placed.left, placed.right, middle, item.meaning)
        sheet.fitted(item.line, placed.left, placed.right, middle, ink, bold=item.is_result)
        scale = stream if any(item.values is vector for vector in shared) else strongest_of([item.values], width)
        box = Box(placed.left, y + LINE + 2, placed.right, y + LINE + 2 + strip)
        sheet.strip("output", item.what, item.values, scale, box)
        y += LINE + strip + _BELOW + spread


def _set_cosine(setting: Setting, placed: Placed, item: Item, middle: float) -> None:
    """A line that ends in a number."""
    text = number(item.cosine)
    end = placed.left + setting.measure(f"{item.line} ", SMALL, False) + setting.measure(text, SMALL, True)
    setting.sheet.text(item.line, placed.left, middle)
    setting.sheet.explain(item.line, placed.left, end, middle)
    setting.sheet.number("output", item.what, item.cosine, text, end, middle, bold=True, how=meaning_of(item.line))

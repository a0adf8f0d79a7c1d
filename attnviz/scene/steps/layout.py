"""Where the stages stand: side by side, in as many rows of the flow as the width asks for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Final

from attnviz.scene.page import MARGIN, SMALL
from attnviz.scene.steps.change_words import change_of
from attnviz.scene.steps.columns import columns_of
from attnviz.scene.steps.output import output_items
from attnviz.scene.steps.scene import STAGE_TITLES, StageName
from attnviz.scene.steps.strengths import strengths_room
from attnviz.scene.steps.words import formula_of, sentence_of
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.table import Column, Row

TITLE_SIZE: Final = 13
COPY_WIDTH: Final = 28.0  # of the word beside a title; it may reach into the gap behind the stage
COLUMN_GAP: Final = 8.0
# Between stages, where the arrow from one to the next stands.
_GAPS: Final = (16.0, 26.0)
# A window whose width the stages exceed by less shows them in one row, a little smaller.
_WIDER: Final = 1.3
# What a list's stage needs, and what becomes it: their words and strips are no columns.
_LISTS: Final[dict[StageName, tuple[float, float]]] = {"heads": (104.0, 150.0), "output": (112.0, 156.0)}
# The narrowest that a stage's sentence can be read in, and what becomes it.
_SENTENCE: Final = (94.0, 114.0)
_SENTENCE_LINES: Final = 4.0  # a stage whose sentence would take more is made wider
_NAMES: Final = (58.0, 92.0)
_SHORT_NAMES: Final = 34.0
_MOST_WIDE: Final = 2.8  # of what is wanted beyond the least
TABLE: Final[tuple[StageName, ...]] = ("vectors", "projections", "scores", "softmax", "weighted")


@dataclass(frozen=True, eq=False)
class Draft:
    """A stage that has no place yet. number: its place in the flow, from 1; change: what a person changed in it, empty for nothing;
    least, wanted: its width."""

    name: StageName
    number: int
    title: str
    sentence: str
    change: str
    formula: str
    columns: tuple[Column, ...]
    least: float
    wanted: float


@dataclass(frozen=True, eq=False)
class Placed:
    """A stage in its row of the flow. columns: left and right of each; the lines are those of its head."""

    draft: Draft
    left: float
    right: float
    columns: tuple[tuple[float, float], ...]
    sentence: tuple[str, ...]
    change: tuple[str, ...]
    formula: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FlowRow:
    """A row of the flow. names: left and right of the column in which the tokens are named, None without a table."""

    names: tuple[float, float] | None
    stages: tuple[Placed, ...]

    @property
    def has_table(self) -> bool:
        """Whether a stage of it has a row per key."""
        return self.names is not None


def drafts_of(content: Content, rows: Sequence[Row], measure: Measure) -> tuple[Draft, ...]:
    """The stages in order."""
    drafts = []
    for place, (name, title) in enumerate(STAGE_TITLES.items(), 1):
        columns = columns_of(content, tuple(rows), name)
        sentence, change, formula = sentence_of(content, name), change_of(content, name), formula_of(content, name)
        if name == "tokens":
            least, wanted = _names_width(rows, measure), _NAMES[1]
        elif name in _LISTS:
            least, wanted = _list_widths(content, name, measure)
        else:
            title_width = measure(f"{place}  {title}", TITLE_SIZE, True) + COPY_WIDTH - 8
            gaps = COLUMN_GAP * (len(columns) - 1)
            least = max(sum(column.least for column in columns) + gaps, _SENTENCE[0], title_width)
            wanted = max(sum(column.wanted for column in columns) + gaps, _SENTENCE[1])
        wanted = max(least, wanted, *(measure(text, SMALL, False) / _SENTENCE_LINES for text in (sentence, change)))
        drafts.append(Draft(name, place, title, sentence, change, formula, columns, least, wanted))
    return tuple(drafts)


def _names_width(rows: Sequence[Row], measure: Measure) -> float:
    """The width of the longest name of a row, with a little air."""
    return max(max(measure(row.text, SMALL, True) for row in rows) + 6, _NAMES[0])


def _list_widths(content: Content, name: StageName, measure: Measure) -> tuple[float, float]:
    """What a list's stage needs, for the output all of its lines, and what becomes it."""
    least, wanted = _LISTS[name]
    if name == "output":
        least = max(least, *(measure(item.line, SMALL, item.is_result) + 1 for item in output_items(content)))
    else:
        factors = strengths_room(content, measure)
        least, wanted = least + factors, wanted + factors
    return least, wanted


def flow_width(drafts: Sequence[Draft], layout: Layout) -> float:
    """The width of the picture: a window's, or a little more where the whole flow then stands in one row."""
    needed = _least(drafts) + 2 * MARGIN
    return needed if layout.height and layout.width < needed <= _WIDER * layout.width else layout.width


def set_flow(drafts: Sequence[Draft], width: float, measure: Measure) -> tuple[FlowRow, ...]:
    """All stages in a picture of that width."""
    room = width - 2 * MARGIN
    names = drafts[0].least
    return tuple(_set(band, room, names, measure) for band in _packed(drafts, room, names))


def _packed(drafts: Sequence[Draft], room: float, names: float) -> list[list[Draft]]:
    """The stages in as few rows of the flow as their least widths allow, the rows as evenly full as can be."""
    for n_row in range(1, len(drafts)):
        fitting = []
        for breaks in combinations(range(1, len(drafts)), n_row - 1):
            bands = [list(drafts[start:end]) for start, end in pairwise((0, *breaks, len(drafts)))]
            free = [room - _least(band) - _again(band, names) for band in bands]
            if min(free) >= 0:
                fitting.append((sum(width * width for width in free), breaks, bands))
        if fitting:
            return min(fitting, key=lambda found: found[:2])[2]
    return [[draft] for draft in drafts]


def _again(band: Sequence[Draft], names: float) -> float:
    """The room for the tokens' names where a table goes on in another row of the flow."""
    return names + _GAPS[0] if _repeats_names(band) else 0.0


def _repeats_names(band: Sequence[Draft]) -> bool:
    return band[0].name != "tokens" and any(draft.name in TABLE for draft in band)


def _least(band: Sequence[Draft]) -> float:
    return sum(draft.least for draft in band) + _GAPS[0] * (len(band) - 1)


def _set(band: Sequence[Draft], room: float, names: float, measure: Measure) -> FlowRow:
    """The stages of one row, as wide as becomes them or as there is room, in the middle. A stage that is alone and still too wide
    has the names' room first, then its own."""
    n_gap = len(band) - 1
    names = min(names, max(names - (_least(band) + _again(band, names) - room), _SHORT_NAMES))
    again = _again(band, names)
    least = _least(band) + again
    wanted = sum(draft.wanted for draft in band) + _GAPS[1] * n_gap + again
    share = min((room - least) / max(wanted - least, 1.0), _MOST_WIDE)
    gap = _GAPS[0] + min(max(share, 0.0), 1.0) * (_GAPS[1] - _GAPS[0])
    widths = [_between(draft.least, draft.wanted, share, room) for draft in band]
    left = MARGIN + max((room - sum(widths) - gap * n_gap - again) / 2, 0.0)
    place = None if not again else (left, left + names)
    left += again
    stages = []
    for draft, width in zip(band, widths, strict=True):
        stages.append(_placed(draft, left, width, measure))
        if draft.name == "tokens":
            place = (left, left + width)
        left += width + gap
    return FlowRow(place, tuple(stages))


def _placed(draft: Draft, left: float, width: float, measure: Measure) -> Placed:
    columns, at = [], left
    gaps = COLUMN_GAP * (len(draft.columns) - 1)
    least, wanted = (sum(getattr(column, name) for column in draft.columns) for name in ("least", "wanted"))
    share = (width - gaps - least) / max(wanted - least, 1.0)
    for column in draft.columns:
        size = _between(column.least, column.wanted, share if column.form == "strip" else min(share, 1.3), width)
        columns.append((at, at + size))
        at += size + COLUMN_GAP
    lines = (tuple(wrap(text, SMALL, width, measure)) if text else () for text in (draft.sentence, draft.change, draft.formula))
    return Placed(draft, left, left + width, tuple(columns), *lines)


def _between(least: float, wanted: float, share: float, most: float) -> float:
    """A width so far from the least to the one that is wanted, or beyond."""
    return min(least + share * (wanted - least), most)

"""What the colours of an atlas mean: a small cell for each group with the number of its heads, or a bar of a ramp's colours."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.colours import CLEAREST, group_colour, role_ground
from attnviz.scene.atlas.flow import Flow
from attnviz.scene.atlas.scene import HeldDot, RampBar, Swatch
from attnviz.scene.atlas.words import NO_ROLE, baseline_text
from attnviz.scene.page import MARGIN, SMALL
from attnviz.scene.scene import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.probing.measures import Group
    from attnviz.probing.scores import Measured
    from attnviz.scene.atlas.content import Content
    from attnviz.scene.atlas.values import Range
    from attnviz.scene.page import Page
    from attnviz.scene.theme import Theme

_SWATCH, _SWATCH_HEIGHT = 14.0, 12.0
_AFTER = 6.0
_BAR_WIDTH, _BAR_HEIGHT = 168.0, 8.0
_N_BAR: Final = 42
_STRENGTHS: Final = (0.2, 0.5, 1.0)  # shares of CLEAREST


@dataclass(frozen=True)
class Entry:
    """One thing that a legend says: swatches side by side, each with its fill and its foot, and what they mean."""

    swatches: tuple[tuple[str | None, str | None], ...]
    text: str


def group_counts(contents: Iterable[Content]) -> dict[Group | None, int]:
    """How many heads have their clearest role in each group; None: those without a role."""
    return dict(Counter(content.group for content in contents))


def set_groups(counts: dict[Group | None, int], page: Page, is_bare: bool) -> list[Swatch]:
    """The groups that there are with the number of their heads, and what the strength of a colour says, as a page's next lines.

    is_bare: no text stands on the cells.
    """
    flow, swatches = Flow(page), []
    for entry in _entries(counts, page.theme, is_bare):
        left = flow.place(_SWATCH * len(entry.swatches) + _AFTER, entry.text)
        top = page.y + 3.0
        for at, (fill, foot) in enumerate(entry.swatches):
            x = left + at * _SWATCH
            swatches.append(Swatch(x, top, x + _SWATCH, top + _SWATCH_HEIGHT, fill, foot))
    flow.end()
    return swatches


def _entries(counts: dict[Group | None, int], theme: Theme, is_bare: bool) -> list[Entry]:
    entries = []
    for group, name in GROUPS.items():
        if counts.get(group):
            foot = None if group == "rest" else group_colour(group, theme)
            entries.append(Entry(((role_ground(group, CLEAREST, theme, is_bare), foot),), f"{name} {counts[group]:,}"))
    entries.append(Entry(((None, None),), f"{NO_ROLE} {counts.get(None, 0):,}"))
    jobs = [group for group in GROUPS if counts.get(group) and group != "rest"]
    if jobs:
        most = max(jobs, key=lambda group: counts[group])
        grounds = [role_ground(most, CLEAREST * strength, theme, is_bare) for strength in _STRENGTHS]
        samples = tuple((ground, group_colour(most, theme)) for ground in grounds)
        entries.append(Entry(samples, "stronger: further above its baseline"))
    return entries


def set_bar(span: Range, last: str, unit: str, measured: Measured | None, page: Page) -> tuple[RampBar, list[HeldDot]]:
    """The bar of a range, from 0 to `last`, as the next line of a page, with the mark of the baseline and what else is marked.

    unit: what the numbers are; measured: None where they are no measure's.
    """
    flow, left = Flow(page), float(round(MARGIN + page.measure("0", SMALL, False) + _AFTER))
    width = max(min(_BAR_WIDTH, page.layout.width - MARGIN - page.measure(last, SMALL, False) - _AFTER - left), 24.0)
    page.labels.append(Label("0", MARGIN, page.y + 13.0, SMALL, "muted"))
    flow.place(left + width + _AFTER - MARGIN, f"{last}  {unit}" if unit else last)
    baseline = None if measured is None else measured.baseline
    tick = None if baseline is None else left + width * min(baseline.score / span.last, 1.0)
    bar = RampBar(left, page.y + 5.0, width, _BAR_HEIGHT, _colours(span), tick)
    if measured is None:
        flow.end()
        return bar, []
    flow.place(0.0, f"mark: {baseline_text(measured.measure.unit, baseline)}")
    dots = []
    if measured.measure.is_role:
        x = flow.place(12.0, "has the role")
        dots.append(HeldDot(x + 4.0, page.y + 9.0, 3.0, page.theme.ink))
    flow.end()
    return bar, dots


def _colours(span: Range) -> tuple[str, ...]:
    """Those of equal steps from 0 to the end of the range; that of the paper below its first value."""
    return tuple(span.colours[span.step((at + 0.5) / _N_BAR * span.last)] for at in range(_N_BAR))

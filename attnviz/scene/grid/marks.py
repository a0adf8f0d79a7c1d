"""Which heads of a grid have a role: a line below each of their squares, and what its colours mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.grid.scene import Mark
from attnviz.scene.page import LINE, MARGIN, SMALL
from attnviz.scene.role_words import why_none_line
from attnviz.scene.scene import Box, Dot, Label
from attnviz.scene.words import count_of, wrap
from attnviz.session.head_roles import ShownRoles, job_groups, shown_roles, why_no_roles
from attnviz.session.weights import MEAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.probing.measures import Group
    from attnviz.probing.summary import RoleSummary
    from attnviz.scene.grid.scene import HeadCell
    from attnviz.scene.page import Page
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.survey import Survey
    from attnviz.session.view import View

_GAP, _THICK = 1, 2
# Between a square and the text below it, where marks are; a mark is nearer to its own square than to the one below, however dense.
MARK_ROOM: Final = _GAP + _THICK + 1
_DOT: Final = 4.0


@dataclass(frozen=True)
class RoleNote:
    """What a grid says of roles. roles: those of its heads, None where it tells none; text: the line that says so, "" for none."""

    roles: ShownRoles | None
    text: str
    groups: tuple[Group, ...] = ()

    @property
    def mark_room(self) -> int:
        """The pixels below each square; also kept where a what-if has no marks, so that the squares stay where they are."""
        return MARK_ROOM if self.text else 0

    def put_on(self, page: Page) -> None:
        """Set the line below the squares, with a dot and a name for each group that is marked."""
        if not self.text:
            return
        room = page.layout.width - 2 * MARGIN
        *lines, last = wrap(self.text, SMALL, room, page.measure)
        for line in lines:
            page.text(line)
        page.labels.append(Label(last, MARGIN, page.y + 13.0, SMALL, "muted"))
        x = MARGIN + page.measure(last, SMALL, False) + 12
        for group in self.groups:
            advance = 12 + page.measure(GROUPS[group], SMALL, False)
            if x > MARGIN and x + advance > page.layout.width - MARGIN:
                x, page.y = MARGIN, page.y + LINE
            page.dots.append(Dot(x + _DOT, page.y + 9, _DOT, group_colour(group, page.theme)))
            page.labels.append(Label(GROUPS[group], x + 12, page.y + 13.0, SMALL, "muted"))
            x += advance + 12
        page.y += LINE


def role_note(run: Run, view: View, survey: Survey, summary: RoleSummary | None, on_paper: bool) -> RoleNote:
    """What the grid of a view says of roles; on paper nothing where it has none to tell."""
    why, roles = why_no_roles(run, view, summary), shown_roles(run, view, summary)
    if why == "not_measured" or MEAN in survey.heads:
        return RoleNote(None, "")
    if roles is None:
        return RoleNote(None, "" if on_paper else f"roles: {why_none_line(why)}")
    marked = {group for line in summary.heads for group in job_groups(line.roles)}
    over = f"a role over {count_of(summary.n_sentence, 'sentence')} ({summary.corpus})"
    return RoleNote(
        roles,
        f"marked: heads with {over}" if marked else f"no head has {over}",
        tuple(group for group in GROUPS if group in marked),
    )


def marks_of(cells: Sequence[HeadCell], theme: Theme) -> Iterator[Mark]:
    """A line below the square of each head that has a job, in equal parts for the groups that its jobs are of."""
    for cell in cells:
        groups, top = job_groups(cell.roles or ()), cell.bottom + _GAP
        width = (cell.right - cell.left) / max(len(groups), 1)
        for place, group in enumerate(groups):
            box = Box(cell.left + place * width, top, cell.left + (place + 1) * width, top + _THICK)
            yield Mark(box, group_colour(group, theme), cell.is_faded)

"""Measured roles become an atlas: layers down, heads across, a cell for each head. Pure: the same input gives the same picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.atlas.axes import NAMES_HEIGHT, names_of
from attnviz.scene.atlas.captions import bar_end, foot_lines, shown_line, size_phrase, title_of
from attnviz.scene.atlas.choice import ROLE
from attnviz.scene.atlas.content import contents_of
from attnviz.scene.atlas.legend import group_counts, set_bar, set_groups
from attnviz.scene.atlas.plan import plan_atlas
from attnviz.scene.atlas.scene import AtlasCell, AtlasScene, HeldDot
from attnviz.scene.atlas.texts import DOT_AWAY, DOT_RADIUS, texts_of
from attnviz.scene.atlas.values import range_of
from attnviz.scene.atlas.words import named_roles, unbroken
from attnviz.scene.page import LINE, MARGIN, Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.atlas.choice import AtlasChoice
    from attnviz.scene.atlas.content import Content
    from attnviz.scene.atlas.plan import AtlasPlan
    from attnviz.scene.atlas.scene import RampBar, Swatch
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme

_HEAD: Final = 10.0
_N_LEGEND: Final = 3  # lines above the cells that are kept in a window, so that cells stay where they are whatever is shown


def build_atlas(roles: HeadRoles, choice: AtlasChoice, theme: Theme, layout: Layout, measure: Measure) -> AtlasScene:
    """The atlas of a model's heads, as they were trained. Raises InputError for a choice of colour that is not measured."""
    wanted = True, choice.colour == ROLE
    scene = _built(roles, choice, Page(theme, layout, measure), *wanted)
    got = scene.has_text, scene.has_more
    # What there is no room for changes the colours and the words above, which are there before the room is known.
    return scene if got == wanted else _built(roles, choice, Page(theme, layout, measure), *got)


def _built(roles: HeadRoles, choice: AtlasChoice, page: Page, has_text: bool, has_more: bool) -> AtlasScene:
    """The atlas on an empty page. has_text, has_more: what its cells say if they have room for it, as in AtlasScene."""
    theme, layout, measure = page.theme, page.layout, page.measure
    lines, span = contents_of(roles, choice, theme, not has_text), range_of(roles, choice.colour, theme)
    contents = [content for line in lines for content in line]
    page.y += _HEAD
    title, shown = title_of(roles), shown_line(roles, choice, contents, has_more)
    if layout.caption:
        page.text(f"{title}  ·  {size_phrase(roles)}, both counted from 0", bold_until=len(title))
    page.text(unbroken(shown), "ink")
    swatches: list[Swatch] = []
    bar: RampBar | None = None
    held: list[HeldDot] = []
    if choice.colour == ROLE:
        swatches = set_groups(group_counts(contents), page, not has_text)
    elif span is not None:
        bar, held = set_bar(span, *bar_end(roles, choice, span), page)
    if layout.height:
        page.y = max(page.y, _HEAD + _N_LEGEND * LINE)
    foot = [unbroken(line) for line in foot_lines(roles, choice)]
    foot_height = page.height_of(foot)
    free = layout.height - page.y - foot_height - 1.5 * MARGIN - NAMES_HEIGHT
    room = (layout.width - 2 * MARGIN, max(free, 1.0) if layout.height else 0.0)
    plan = plan_atlas(lines, room, has_text, choice.order == "value" and roles.n_head > 1, measure)
    cells = _placed(lines, plan, page.y + 0.5 * MARGIN + NAMES_HEIGHT, layout.width)
    page.labels.extend(names_of(cells, plan, choice, layout.width, measure))
    texts = [] if plan.form is None else [texts_of(*pair, plan, has_more, measure) for pair in zip(cells, contents, strict=True)]
    page.labels.extend(label for text in texts for label in text.labels)
    held += [_dot(cell, content, plan.form is not None, theme) for cell, content in zip(cells, contents, strict=True) if cell.holds]
    page.y = max(cells[-1].bottom + plan.strip + 0.5 * MARGIN, layout.height - foot_height - 0.5 * MARGIN)
    for line in foot:
        page.text(line)
    return AtlasScene(
        width=layout.width,
        height=max(layout.height, page.y + 0.5 * MARGIN),
        theme=theme,
        labels=tuple(page.labels),
        dots=(),
        bands=(),
        description=f"{title}, {size_phrase(roles)}: {shown} {named_roles(roles)}".strip(),
        cells=cells,
        n_column=plan.n_column,
        thick=plan.thick,
        has_text=plan.form is not None,
        has_more=any(text.has_more for text in texts),
        swatches=tuple(swatches),
        bar=bar,
        held=tuple(held),
        selected=choice.selected,
    )


def _placed(lines: Sequence[Sequence[Content]], plan: AtlasPlan, top: float, width: float) -> tuple[AtlasCell, ...]:
    """The cells from `top` on, in the middle of the picture's width."""
    block, _ = plan.extent(len(lines))
    left, first = round((width - block - plan.beside) / 2 + plan.beside), round(top)
    return tuple(
        AtlasCell(
            layer=content.layer,
            head=content.head,
            left=left + column * plan.pitch_x,
            top=first + row * plan.pitch_y,
            right=left + column * plan.pitch_x + plan.width,
            bottom=first + row * plan.pitch_y + plan.height,
            row=row,
            column=column,
            fill=content.fill,
            foot=content.foot,
            group=content.group,
            value=content.value,
            holds=content.holds,
            told=content.told,
        )
        for row, line in enumerate(lines)
        for column, content in enumerate(line)
    )


def _dot(cell: AtlasCell, content: Content, has_text: bool, theme: Theme) -> HeldDot:
    """The mark of a head that has the role: in the middle of its cell, or at the top right of one with text."""
    small, colour = min(cell.right - cell.left, cell.bottom - cell.top), content.ink or theme.ink
    if not has_text:
        return HeldDot((cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2, min(0.2 * small, 3.0), colour)
    away = DOT_AWAY + DOT_RADIUS
    return HeldDot(cell.right - away, cell.top + away, DOT_RADIUS, colour)

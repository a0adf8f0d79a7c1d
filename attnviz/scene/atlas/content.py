"""What each head's cell says and which colours it has, before it has a place: by its roles, or by a number."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.choice import ROLE
from attnviz.scene.atlas.colours import group_colour, role_ground
from attnviz.scene.atlas.values import range_of, values_of
from attnviz.scene.atlas.words import cell_name, roles_line, value_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.probing.measures import Group
    from attnviz.probing.roles import HeadRoles, Role
    from attnviz.scene.atlas.choice import AtlasChoice
    from attnviz.scene.atlas.values import Range, Value
    from attnviz.scene.theme import Theme

_ORDER: Final = tuple(GROUPS)  # in which groups stand where heads are sorted by their roles


@dataclass(frozen=True)
class Content:
    """A head's cell without its place; most of it as in AtlasCell.

    name: its clearest role in a few letters; number: what is shown of it; more: "+2" for two jobs besides; ink: the colour of its
    text, None for the theme's; rank: where it stands in a sorted line, the least first.
    """

    layer: int
    head: int
    told: str
    rank: tuple[float, ...]
    name: str = ""
    number: str = ""
    more: str = ""
    fill: str | None = None
    foot: str | None = None
    group: Group | None = None
    value: float | None = None
    holds: bool = False
    ink: str | None = None


def contents_of(roles: HeadRoles, choice: AtlasChoice, theme: Theme, is_bare: bool = False) -> list[list[Content]]:
    """The cells of all heads in their order, layer by layer. is_bare: no text will stand on them.

    Raises InputError for a colour that is neither "role" nor "importance" nor the key of a measure.
    """
    heads = list(np.ndindex(roles.n_layer, roles.n_head))
    if choice.colour == ROLE:
        cells = [_role_content(layer, head, roles.roles(layer, head), theme, is_bare) for layer, head in heads]
    else:
        span = range_of(roles, choice.colour, theme)
        values = values_of(roles, choice.colour)
        cells = [_value_content(layer, head, value, span) for (layer, head), value in zip(heads, values, strict=True)]
    lines = [cells[layer * roles.n_head : (layer + 1) * roles.n_head] for layer in range(roles.n_layer)]
    if choice.order == "value":
        return [sorted(line, key=lambda cell: cell.rank) for line in lines]
    return lines


def _role_content(layer: int, head: int, roles: Sequence[Role], theme: Theme, is_bare: bool) -> Content:
    told = f"L{layer}.H{head}   {roles_line(roles)}"
    if not roles:
        return Content(layer, head, told, rank=(len(_ORDER), 0.0))
    first = roles[0]
    group, is_rest = first.measure.group, first.measure.group == "rest"
    more = sum(role.measure.group != "rest" for role in roles) - 1
    return Content(
        layer=layer,
        head=head,
        told=told,
        rank=(_ORDER.index(group), -first.above),
        name=cell_name(first.measure),
        number=value_text(first.measure.unit, first.score),
        more=f"+{more}" if more > 0 else "",
        fill=role_ground(group, first.above, theme, is_bare),
        foot=None if is_rest else group_colour(group, theme),
        group=group,
        value=first.score,
        ink=theme.muted if is_rest else None,
    )


def _value_content(layer: int, head: int, value: Value, span: Range | None) -> Content:
    step = 0 if span is None else span.step(value.value)
    has_colour = span is not None and step > 0
    return Content(
        layer=layer,
        head=head,
        told=f"L{layer}.H{head}   {value.told}",
        rank=(inf if value.value is None else -value.value,),
        number=value.number,
        fill=span.colours[step] if has_colour else None,
        value=value.value,
        holds=value.holds,
        ink=span.inks[step] if has_colour else None,
    )

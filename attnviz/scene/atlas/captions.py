"""The lines round an atlas: what it shows, what its colours reach to, and what stands below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.probing.measures import GROUPS
from attnviz.scene.atlas.choice import IMPORTANCE, ROLE
from attnviz.scene.atlas.legend import group_counts
from attnviz.scene.atlas.values import measured_of
from attnviz.scene.atlas.words import counts_line, measure_line, over_line, rule_line, value_text
from attnviz.scene.numbers import decimals_for, fixed
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.probing.roles import HeadRoles
    from attnviz.probing.scores import Measured
    from attnviz.scene.atlas.choice import AtlasChoice
    from attnviz.scene.atlas.content import Content
    from attnviz.scene.atlas.values import Range

_IMPORTANCE: Final = "how far the final vectors turn when a head is muted, 1 − the mean cosine to those of the whole model"


def title_of(roles: HeadRoles) -> str:
    """ "What the heads of all-MiniLM-L6-v2 do"."""
    return f"What the heads of {roles.model} do"


def size_phrase(roles: HeadRoles) -> str:
    """ "6 layers of 12 heads"."""
    return f"{count_of(roles.n_layer, 'layer')} of {count_of(roles.n_head, 'head')}"


def shown_line(roles: HeadRoles, choice: AtlasChoice, contents: Sequence[Content], has_more: bool) -> str:
    """What the picture shows, in a sentence or two. has_more: cells say how many jobs there are besides."""
    if choice.colour == ROLE:
        counts = group_counts(contents)
        n_rest, n_none = counts.get("rest", 0), counts.get(None, 0)
        counted = counts_line(len(contents) - n_rest - n_none, n_rest, n_none)
        more = "; +2: it has two jobs besides" if has_more else ""
        return f"{counted}. Each cell is one head in the colour of its clearest role{more}."
    if choice.colour == IMPORTANCE:
        return f"Importance: {_IMPORTANCE}." if roles.importance else "Importance was left out when this was measured."
    measured = measured_of(roles, choice.colour)
    title = f"{GROUPS[measured.measure.group]}: {measured.measure.title}"
    if not measured.n_case:
        return f"{title}  ·  no score: {measured.why_none}"
    if not measured.measure.is_role:
        return f"{title}  ·  a number, no role"
    n = len(roles.heads_with(choice.colour))
    return f"{title}  ·  {n} of {count_of(len(contents), 'head')} {'has' if n == 1 else 'have'} this role"


def bar_end(roles: HeadRoles, choice: AtlasChoice, span: Range) -> tuple[str, str, Measured | None]:
    """The number at the end of the bar, its unit, and what was measured where the choice is a measure."""
    if choice.colour == IMPORTANCE:
        return fixed(span.last, decimals_for(span.last, 2)), "1 − cosine", None
    measured = measured_of(roles, choice.colour)
    return value_text(measured.measure.unit, span.last), "", measured


def foot_lines(roles: HeadRoles, choice: AtlasChoice) -> list[str]:
    """The lines below the cells."""
    if choice.colour == ROLE:
        return [rule_line(roles)]
    if choice.colour == IMPORTANCE:
        importance = roles.importance
        return [f"mean over {count_of(importance.n_text, 'sentence')} of {roles.corpus.name}"] if importance else []
    measured = measured_of(roles, choice.colour)
    lines = [measure_line(measured.measure)]
    if measured.n_case:
        cases = f"{count_of(measured.n_case, 'case')} in {count_of(measured.n_text, 'text')}"
        lines.append(rule_line(roles) if measured.measure.is_role else f"{cases}, over {over_line(roles)}")
    return lines

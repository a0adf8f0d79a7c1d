"""What is said of a head's roles beside what it looks at: on its chip, where the pointer names it, in the panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.atlas.words import NO_ROLE, interval_text, role_sentence, value_text
from attnviz.scene.words import count_of
from attnviz.session.head_roles import shown_roles
from attnviz.session.sight import kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.probing.summary import RoleLine, RoleSummary
    from attnviz.session.head_roles import WhyNone
    from attnviz.session.run import Run
    from attnviz.session.view import View

_MOST_IN_BRIEF: Final = 2
_RESTS: Final = "rests on "
_WHY_NONE: Final[dict[WhyNone, str]] = {
    "not_measured": "not measured yet",
    "what_if": "known of the heads as trained, not of these",
    "other_attention": "known of another attention of this model, not of this one",
}


def role_title(role: RoleLine) -> str:
    """ "object → verb"; "rests on punctuation" of what is no job."""
    return role.title if role.is_job else _RESTS + role.title


def role_score(role: RoleLine) -> str:
    """ "78 %"."""
    return value_text(role.unit, role.score)


def role_figures(role: RoleLine) -> str:
    """What stands beside a score where there is little room: "75–81 %, baseline 48 %, 654 cases"."""
    return figures_by_room(role)[0]


def figures_by_room(role: RoleLine) -> tuple[str, ...]:
    """The same in full, without the word "cases", without their number, and the baseline alone: no figure is ever cut short."""
    interval = interval_text(role.unit, role.low, role.high)
    bare = f"{interval}, baseline {value_text(role.unit, role.baseline)}"
    return f"{bare}, {count_of(role.n_case, 'case')}", f"{bare}, {role.n_case:,}", bare, bare.partition(", ")[2]


def short_roles(roles: Sequence[RoleLine]) -> str:
    """The jobs of a head in a few letters each: "obj→verb, previous token"; that it has none."""
    return ", ".join(role.short for role in roles if role.is_job) or NO_ROLE


def told_role(role: RoleLine) -> str:
    """ "object → verb: 78 %, baseline 48 % (fixed offset −2), 95 % interval 75–81 %, 654 cases"."""
    return role_sentence(role) if role.is_job else _RESTS + role_sentence(role)


def told_roles(roles: Sequence[RoleLine], summary: RoleSummary) -> list[str]:
    """The same of all roles of a head, or that it has none."""
    return [told_role(role) for role in roles] or [no_role_line(summary)]


def brief_roles(roles: Sequence[RoleLine]) -> list[str]:
    """A line for each of a head's first two roles, and how many more there are: "object → verb 78 % (75–81 %, baseline 48 %, 654
    cases)   +1"; that it has none."""
    lines = [f"{role_title(role)} {role_score(role)} ({role_figures(role)})" for role in roles[:_MOST_IN_BRIEF]]
    if len(roles) > _MOST_IN_BRIEF:
        lines[-1] += f"   +{len(roles) - _MOST_IN_BRIEF}"
    return lines or [NO_ROLE]


def head_notes(run: Run, view: View, summary: RoleSummary | None) -> dict[int, str]:
    """What is said of a head where an arc of it is named, by the head, of those in the layer that a view shows: "roles: object →
    verb, previous token". What is seen there is one sentence, so that a score would not be of it."""
    shown = shown_roles(run, view, summary)
    if shown is None:
        return {}
    heads = range(run.trace.head_count_of(kind_of(run.trace, view)))
    jobs = {head: [role.title for role in shown.of(view.layer, head) if role.is_job] for head in heads}
    return {head: f"roles: {', '.join(titles)}" for head, titles in jobs.items() if titles}


def no_role_line(summary: RoleSummary) -> str:
    """That a head has no role: "no role found over 600 sentences"."""
    return f"{NO_ROLE} over {count_of(summary.n_sentence, 'sentence')}"


def why_none_line(why: WhyNone) -> str:
    """Why a picture tells no roles, after "roles"."""
    return _WHY_NONE[why]

"""What a report says, from top to bottom."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from attnviz import __version__
from attnviz.export.report.document import Document, Facts, Heading, Listing, Paragraph
from attnviz.export.report.facts import Origin, again_blocks, corpus_facts, settings_blocks
from attnviz.export.report.figures import Pictures
from attnviz.export.report.method import limits_blocks, method_blocks
from attnviz.export.report.references import REFERENCES
from attnviz.export.report.tables import (
    head_name,
    heads_of,
    importance_table,
    layers_table,
    no_role_line,
    not_measured_table,
    roles_table,
    without_role,
    without_role_table,
)
from attnviz.export.roles_tables import roles_provenance
from attnviz.probing.roles import Role
from attnviz.scene.atlas.words import NO_ROLE, role_sentence
from attnviz.scene.words import count_of, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.export.report.document import Block
    from attnviz.probing.evidence import Evidence
    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.scene import Measure
    from attnviz.session.run import Run

# Measures whose clearest head is shown with its evidence: more is not read.
MOST_EVIDENCE: Final = 12
# Heads that are shown in a sentence of one's own.
MOST_SHOWN: Final = 6
_MOST_NAMED: Final = 6
# Heads besides the clearest that have the same role.
_MOST_OTHERS: Final = 8


def report_of(
    roles: HeadRoles,
    evidence: Sequence[Evidence],
    model: Facts,
    measure: Measure,
    run: Run | None = None,
    origin: Origin = Origin(),  # noqa: B008 frozen
) -> Document:
    """The report. Pure: the same input gives the same document.

    evidence: of the heads of `clearest`; model: what the model is; measure: the advance of a line of text; run: the model's, as it
    was trained, of a sentence of one's own.
    """
    title = f"What the heads of {roles.model} do"
    size = f"{count_of(roles.n_layer, 'layer')} of {count_of(roles.n_head, 'head')}"
    over = f"{count_of(len(roles.corpus.sentences), 'sentence')} of {roles.corpus.name}"
    lead = f"{size}, measured over {over} with attnviz {__version__}"
    told = {**roles_provenance(roles), "text": None if run is None else run.request.text, "command": origin.command or None}
    facts = json.dumps({name: value for name, value in told.items() if value is not None}, ensure_ascii=False)
    byline = ", ".join(part for part in (origin.author, origin.date) if part)
    pictures = Pictures(roles, measure)
    blocks = (
        *_in_short(roles),
        pictures.atlas(),
        Heading("The model"),
        model,
        Heading("The corpus"),
        corpus_facts(roles),
        *method_blocks(roles),
        *limits_blocks(roles),
        *_importance(roles, pictures),
        *_all_roles(roles, pictures),
        *_evidence(roles, evidence, pictures),
        *(_sentence(roles, run, pictures) if run is not None else ()),
        *_not_found(roles),
        Heading("How attention is spread"),
        layers_table(roles),
        *settings_blocks(roles),
        Heading("References"),
        REFERENCES,
        *again_blocks(roles, title, origin),
    )
    return Document(title, byline, lead, blocks, facts)


def clearest(roles: HeadRoles, most: int = MOST_EVIDENCE) -> tuple[Role, ...]:
    """The clearest head of each measure whose role is found, in the order of the measures; the clearest of these, jobs before
    resting places, where there are more than `most`."""
    firsts = [Role(roles.by_key[key], *heads[0]) for key in roles.by_key if (heads := roles.heads_with(key))]
    chosen = sorted(firsts, key=lambda role: (role.measure.group == "rest", -role.above))[:most]
    return tuple(role for role in firsts if role in chosen)


def shown_in_sentence(roles: HeadRoles) -> tuple[Role, ...]:
    """Some heads with a job, each another one and with another job, the clearest first."""
    found: list[Role] = []
    jobs = (role for role in clearest(roles, len(roles.measured)) if role.measure.group != "rest")
    for role in sorted(jobs, key=lambda role: -role.above):
        if all((role.layer, role.head) != (other.layer, other.head) for other in found):
            found.append(role)
    return tuple(found[:MOST_SHOWN])


def _in_short(roles: HeadRoles) -> Iterator[Block]:
    """How many heads have what, and the clearest of them."""
    found = [roles.roles(*at) for at in heads_of(roles)]
    n_job = sum(any(role.measure.group != "rest" for role in one) for one in found)
    n_rest = sum(bool(one) for one in found) - n_job
    n_none = len(found) - n_job - n_rest
    yield Heading("In short")
    yield Paragraph(
        f"{n_job} of {count_of(len(found), 'head')} {'has' if n_job == 1 else 'have'} a job that can be measured over these "
        f"sentences; {n_rest} {'does' if n_rest == 1 else 'do'} no such job and {'rests' if n_rest == 1 else 'rest'} on one place, "
        f"such as the first token; for {n_none} it is “{NO_ROLE}”."
    )
    named = shown_in_sentence(roles)[:_MOST_NAMED]
    if named:
        yield Paragraph("The clearest jobs:")
        yield Listing(tuple(f"{head_name(role.layer, role.head)}, {role_sentence(role)}" for role in named))
    else:
        yield Paragraph("No head has a job that can be told from its baseline. That may be so: the rule asks for much.")


def _importance(roles: HeadRoles, pictures: Pictures) -> Iterator[Block]:
    if roles.importance is not None:
        yield Heading("Which heads matter to the output")
        yield pictures.importance()
        yield importance_table(roles)


def _all_roles(roles: HeadRoles, pictures: Pictures) -> Iterator[Block]:
    yield Heading("The heads with a role")
    if any(roles.roles(*at) for at in heads_of(roles)):
        yield roles_table(roles, pictures.theme)
    else:
        yield Paragraph("No head has a role.")
    none = no_role_line(roles)
    if none is not None:
        yield Paragraph(none, is_quiet=True)


def _evidence(roles: HeadRoles, evidence: Sequence[Evidence], pictures: Pictures) -> Iterator[Block]:
    yield Heading("Evidence")
    n_found = sum(bool(roles.heads_with(key)) for key in roles.by_key)
    if not evidence:
        yield Paragraph("No head has a role, so there is none to be shown.")
        return
    more = f" These are the clearest {len(evidence)} of {n_found} roles that were found." if len(evidence) < n_found else ""
    yield Paragraph(
        "For each role its clearest head, with the texts in which it does most of what is counted, and those in which it does "
        f"least. They are chosen by the score alone and are what to look at before a role is believed.{more}"
    )
    for one in evidence:
        role = Role(one.measured, one.layer, one.head)
        yield Heading(f"{role.measure.title}: {head_name(role.layer, role.head)}", 3)
        yield pictures.evidence(one, _others(roles, role))


def _others(roles: HeadRoles, role: Role) -> str:
    """Which other heads have the role."""
    others = [head_name(*at) for at in roles.heads_with(role.measure.key) if at != (role.layer, role.head)]
    if not others:
        return "No other head has this role."
    more = f" and {len(others) - _MOST_OTHERS} more" if len(others) > _MOST_OTHERS else ""
    return f"{'Others have' if len(others) > 1 else 'Another has'} this role: {', '.join(others[:_MOST_OTHERS])}{more}."


def _sentence(roles: HeadRoles, run: Run, pictures: Pictures) -> Iterator[Block]:
    yield Heading("A sentence of one's own")
    yield Paragraph(f"“{shortened(run.request.text, 400)}”")
    shown = shown_in_sentence(roles)
    if not shown:
        yield Paragraph("No head has a job, so there is none to be shown in this text.")
        return
    yield Paragraph(
        f"{count_of(len(shown), 'head')} with a job, each alone. This is an example and no evidence: in one sentence a head with a "
        "role may well do something else, and one without may seem to have it."
    )
    for role in shown:
        yield pictures.sentence(run, role)


def _not_found(roles: HeadRoles) -> Iterator[Block]:
    """What was looked for and not found, and what could not be looked for."""
    if without_role(roles):
        yield Heading("What no head was found to do")
        yield without_role_table(roles)
    if any(not measured.n_case for measured in roles.measured):
        yield Heading("What could not be measured")
        yield not_measured_table(roles)

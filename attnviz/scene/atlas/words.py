"""What is said of heads and their roles: in cells, beside the pointer, in legends and to those who do not see the picture."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attnviz.probing.measures import MARGIN
from attnviz.scene.numbers import MINUS
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.probing.measures import Measure, Unit
    from attnviz.probing.roles import HeadRoles, Importance, Role
    from attnviz.probing.scores import Baseline, Measured
    from attnviz.probing.summary import RoleLine

NO_ROLE: Final = "no role found"
# Words of the roles' short names as grammars abbreviate them, where a cell has no room for more.
_TIGHT: Final = {
    "previous": "prev.",
    "token": "tok.",
    "mention": "ment.",
    "pronoun": "pron.",
    "induction": "induc.",
    "retrieval": "retr.",
    "rarest": "rare",
    "separators": "sep.",
    "punctuation": "punct.",
    "clause": "cl.",
    "marker": "mark",
    "relcl": "rel.",
    "owner": "own.",
    "agree": "agr.",
    "far": "f.",
}
# As many of a head's roles as the description of the whole picture names.
_MOST_NAMED: Final = 12


def value_text(unit: Unit | str, value: float) -> str:
    """A score in its unit: "78 %", "2.31 nats", "5.4 tokens"; a dash for one that is not there."""
    if value != value:
        return "\N{EN DASH}"
    if unit in ("share", "accuracy"):
        return f"{100 * value:.0f} %"
    return f"{value:.2f} nats" if unit == "nats" else f"{value:.1f} tokens"


def interval_text(unit: Unit | str, low: float, high: float) -> str:
    """Both ends of an interval in their unit: "75–81 %"; with a decimal where they would read the same, "99.6–99.8 %"."""
    if unit in ("share", "accuracy") and round(100 * low) == round(100 * high) and low != high:
        return f"{100 * low:.1f}\N{EN DASH}{100 * high:.1f} %"
    first, last = value_text(unit, low).partition(" ")[0], value_text(unit, high)
    return f"{first}\N{EN DASH}{last}"


def baseline_name(name: str) -> str:
    """A baseline's name with true minus signs: "fixed offset −2"."""
    return re.sub(r"-(?=\d)", MINUS, name)


def baseline_text(unit: Unit | str, baseline: Baseline | None) -> str:
    """ "baseline 48 % (fixed offset −2)"; "no baseline" for a measure without one."""
    if baseline is None:
        return "no baseline"
    return f"baseline {value_text(unit, baseline.score)} ({baseline_name(baseline.name)})"


def role_line(role: Role | RoleLine, with_word: bool = True) -> str:
    """A role in a few words: "object → verb 78 % (baseline 48 %)"; with_word: False leaves out "baseline"."""
    line = _line_of(role)
    word = "baseline " if with_word else ""
    return f"{line.title} {value_text(line.unit, line.score)} ({word}{value_text(line.unit, line.baseline)})"


def roles_line(roles: Sequence[Role | RoleLine]) -> str:
    """All roles of a head in one line, the word "baseline" once; "no role found" for none."""
    return ", ".join(role_line(role, number == 0) for number, role in enumerate(roles)) or NO_ROLE


def role_sentence(role: Role | RoleLine) -> str:
    """All that a role stands on: "object → verb: 78 %, baseline 48 % (fixed offset −2), 95 % interval 75–81 %, 654 cases"."""
    line = _line_of(role)
    baseline = f"baseline {value_text(line.unit, line.baseline)} ({baseline_name(line.baseline_name)})"
    interval = f"95 % interval {interval_text(line.unit, line.low, line.high)}"
    return f"{line.title}: {value_text(line.unit, line.score)}, {baseline}, {interval}, {count_of(line.n_case, 'case')}"


def _line_of(role: Role | RoleLine) -> RoleLine:
    from attnviz.probing.summary import RoleLine, line_of  # with what reads files, which no start should pay

    return role if isinstance(role, RoleLine) else line_of(role)


def measured_line(measured: Measured, layer: int, head: int) -> str:
    """The same of any measure of a head, without its title: "78 %, baseline 48 % (…), 95 % interval 75–81 %, 654 cases in 457
    texts"; why there is none where there is no case."""
    if not measured.n_case:
        return measured.why_none or "no case"
    unit, at = measured.measure.unit, (layer, head)
    score, low, high = (float(values[at]) for values in (measured.score, measured.low, measured.high))
    cases = f"{count_of(measured.n_case, 'case')} in {count_of(measured.n_text, 'text')}"
    interval = f"95 % interval {interval_text(unit, low, high)}"
    return f"{value_text(unit, score)}, {baseline_text(unit, measured.baseline)}, {interval}, {cases}"


def importance_line(importance: Importance, layer: int, head: int) -> str:
    """ "muted, it turns the output by 0.0021 (95 % interval 0.0015–0.0026)"."""
    score, low, high = (float(values[layer, head]) for values in (importance.score, importance.low, importance.high))
    return f"muted, it turns the output by {score:.4f} (95 % interval {low:.4f}\N{EN DASH}{high:.4f})"


def cell_name(measure: Measure) -> str:
    """What a head with a role does, in as few letters as its cell may have: "obj→verb", "3 back"."""
    if measure.offset is None:
        return measure.short
    return f"{abs(measure.offset)} {'back' if measure.offset < 0 else 'ahead'}"


def unbroken(text: str) -> str:
    """The text with no line's end before its signs of per cent."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def tight(short: str) -> str:
    """A role's short name with its longer words abbreviated: "prev. tok.", "pron."."""
    return re.sub(r"[^\W\d_]+", lambda word: _TIGHT.get(word[0], word[0]), short)


def counts_line(n_job: int, n_rest: int, n_none: int) -> str:
    """ "19 of 72 heads have a job, 20 only rest on one place, 33: no role found"."""
    n = n_job + n_rest + n_none
    have, rest = "has" if n_job == 1 else "have", "rests" if n_rest == 1 else "rest"
    first = f"{n_job:,} of {count_of(n, 'head')} {have} a job"
    return f"{first}, {n_rest:,} only {rest} on one place, {n_none:,}: {NO_ROLE}"


def over_line(roles: HeadRoles) -> str:
    """What was measured over: "600 sentences of attnviz English probe"."""
    n = sum(text.sentence is not None for text in roles.plan.texts)
    return f"{count_of(n, 'sentence')} of {roles.corpus.name}"


def rule_line(roles: HeadRoles) -> str:
    """When a head has a role, and over what that was measured."""
    return (
        "A head has a role where its score reaches the published threshold, if there is one, and its 95 % interval begins "
        f"{100 * MARGIN:.0f} points or more above the best baseline, over {over_line(roles)}."
    )


def measure_line(measure: Measure) -> str:
    """What is counted by a measure, and where that comes from."""
    return f"{counts_sentence(measure)} {source_sentence(measure)}"


def counts_sentence(measure: Measure) -> str:
    """What is counted by a measure."""
    return f"{measure.counts[:1].upper()}{measure.counts[1:]}."


def source_sentence(measure: Measure) -> str:
    """Where a measure comes from."""
    return f"Source: {measure.source}."


def named_roles(roles: HeadRoles) -> str:
    """The heads with the clearest jobs, each with it; "" where none has one."""
    every = [(layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head)]
    firsts = [found[0] for at in every if (found := roles.roles(*at)) and found[0].measure.group != "rest"]
    clearest = sorted(firsts, key=lambda role: -role.above)[:_MOST_NAMED]
    told = "; ".join(f"L{role.layer}.H{role.head} {role_line(role, number == 0)}" for number, role in enumerate(clearest))
    return f"Clearest: {told}." if told else ""

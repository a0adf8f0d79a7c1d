"""What was measured of a model's heads, as lines of text: the heads that have a job, and what could not be measured."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.cli.columns import in_columns, in_lines
from attnviz.probing.measures import GROUPS, LEAST_CASES, LEAST_TEXTS
from attnviz.scene.atlas.words import counts_line, rule_line, value_text
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from attnviz.probing.measures import Measure
    from attnviz.probing.roles import HeadRoles, Role
    from attnviz.probing.scores import Measured

_HEADINGS: Final = ("HEAD", "ROLE", "SCORE", "95 %", "BASELINE", "", "CASES")
_RIGHT: Final = (2, 4, 6)
_MOST_IMPORTANT: Final = 5
_MOST_IDS: Final = 5
_LEAST_WHOLE: Final = 4  # measures of a group that has none left to name, from which on its name stands for them


def role_lines(roles: HeadRoles, has_sides: bool = False) -> list[str]:
    """All of it: what was measured, a line for each job of each head, what is missing, and at the end, where it is seen, how many
    heads have a job, only rest or have no role, and which change the output most. has_sides: whether the model has other
    attentions than the one that was measured."""
    side = f", {roles.kind} attention" if has_sides else ""
    lines = [
        f"{roles.model}: {count_of(roles.n_layer, 'layer')} of {count_of(roles.n_head, 'head')}{side}, as trained",
        f"{roles.corpus.name}: {count_of(len(roles.corpus.sentences), 'sentence')}",
        "",
    ]
    rows = list(_job_rows(roles))
    if rows:
        lines += [*in_columns([_HEADINGS, *rows], _RIGHT), ""]
    missing = [line for paragraph in _missing(roles) for line in in_lines(paragraph)]
    lines += [*missing, ""] if missing else []
    paragraphs = [rule_line(roles), _counts(roles), *_importance(roles)]
    return [*lines, *(line for paragraph in paragraphs for line in in_lines(paragraph))]


def _job_rows(roles: HeadRoles) -> Iterator[tuple[str, ...]]:
    """The jobs of the heads, each head's name before its first one."""
    for layer, head in _every(roles):
        jobs = [role for role in roles.roles(layer, head) if role.measure.group != "rest"]
        for number, role in enumerate(jobs):
            yield f"L{layer}.H{head}" if number == 0 else "", *_role_cells(role)


def _role_cells(role: Role) -> tuple[str, ...]:
    baseline = role.measured.baseline
    assert baseline is not None  # what has none is no role
    interval = f"[{100 * role.low:.0f}\N{EN DASH}{100 * role.high:.0f}]"
    unit = role.measure.unit
    figures = value_text(unit, role.score), interval, value_text(unit, baseline.score), baseline.name
    return role.measure.title, *figures, f"{role.measured.n_case:,}"


def _counts(roles: HeadRoles) -> str:
    """How many heads have a job, only rest, or have no role at all."""
    found = [roles.roles(*at) for at in _every(roles)]
    jobs = sum(any(role.measure.group != "rest" for role in one) for one in found)
    resting = [one for one in found if one and all(role.measure.group == "rest" for role in one)]
    places = Counter(one[0].measure.title for one in resting)
    where = ", ".join(f"{title} {n}" for title, n in places.most_common())
    counts = counts_line(jobs, len(resting), len(found) - jobs - len(resting))
    generated = {role.measure.title: None for one in found for role in one if _is_generated(roles, role.measured)}
    needless = f" Found in generated texts, which need no corpus: {', '.join(generated)}." if generated else ""
    return f"{counts}.{f' Resting places: {where}.' if where else ''}{needless}"


def _is_generated(roles: HeadRoles, measured: Measured) -> bool:
    """Whether all of a measure's cases are in texts that no corpus has."""
    return all(roles.plan.texts[text].sentence is None for text in measured.texts)


def _importance(roles: HeadRoles) -> Iterator[str]:
    """The heads whose muting turns the final vectors most."""
    if roles.importance is None:
        return
    score = roles.importance.score
    order = np.argsort(-score, axis=None, kind="stable")[:_MOST_IMPORTANT]
    found = [(int(layer), int(head)) for layer, head in zip(*np.unravel_index(order, score.shape), strict=True)]
    told = ", ".join(f"L{layer}.H{head} {score[layer, head]:.3f}" for layer, head in found)
    yield f"Muted, these heads turn the final vectors most (1 - cosine, {count_of(roles.importance.n_text, 'sentence')}): {told}."


def _missing(roles: HeadRoles) -> Iterator[str]:
    """What could not be measured or asked, each with the reason."""
    reasons: dict[str, list[Measure]] = {}
    few: dict[str, list[Measure]] = {}
    for measured in roles.measured:
        if not measured.n_case:
            reasons.setdefault(measured.why_none or "", []).append(measured.measure)
        elif measured.measure.is_role and (measured.n_case < LEAST_CASES or measured.n_text < LEAST_TEXTS):
            few.setdefault(f"{measured.n_case} in {measured.n_text}", []).append(measured.measure)
    if reasons:
        yield f"Not measured: {_by_reason(reasons, roles)}."
    if few:
        yield f"Too few for a role, which asks for {LEAST_CASES} cases in {LEAST_TEXTS} texts: {_by_reason(few, roles)}."
    left_out, too_long = roles.plan.left_out, roles.plan.too_long
    if left_out.words:
        yield (
            f"Left out: {count_of(left_out.words, 'pair')} of words that the tokenizer does not tell apart, "
            f"the first in {left_out.example}."
        )
    if left_out.ahead:
        yield f"Left out: {count_of(left_out.ahead, 'link')} that a model that looks back alone cannot see."
    if left_out.rest:
        yield f"Left out: {count_of(left_out.rest, 'link')} to the first token, which is a resting place."
    if too_long:
        more = f" and {len(too_long) - _MOST_IDS} more" if len(too_long) > _MOST_IDS else ""
        told = f"{', '.join(too_long[:_MOST_IDS])}{more}"
        yield f"Left out: {count_of(len(too_long), 'sentence')} that the model cannot read whole ({told})."


def _by_reason(reasons: Mapping[str, Sequence[Measure]], roles: HeadRoles) -> str:
    """Measures with the reason that they share behind them, a whole group of them by its name."""
    sizes = Counter(measured.measure.group for measured in roles.measured)
    told = []
    for reason, measures in reasons.items():
        found = Counter(measure.group for measure in measures)
        whole = [group for group, n in found.items() if n == sizes[group] >= _LEAST_WHOLE]
        names = [f"all of {GROUPS[group]}" for group in whole]
        names += _titles([measure for measure in measures if measure.group not in whole])
        told.append(f"{', '.join(names)} ({reason})")
    return "; ".join(told)


def _titles(measures: Sequence[Measure]) -> list[str]:
    """The titles of some measures: one of a relation that is among them both ways, and one of all offsets to a side."""
    ways = [{measure.relation for measure in measures if measure.is_forward is way} for way in (True, False)]
    titles = []
    for measure in measures:
        if measure.relation is not None and measure.relation in ways[0] & ways[1]:
            titles += [f"{measure.title} and back"] if measure.is_forward else []
        elif measure.offset is None:
            titles.append(measure.title)
    for way, sign in (("back", -1), ("ahead", 1)):
        offsets = sorted(sign * measure.offset for measure in measures if measure.offset is not None and sign * measure.offset > 0)
        titles += [f"{_in_runs(offsets)} tokens {way}"] if offsets else []
    return titles


def _in_runs(numbers: Sequence[int]) -> str:
    """ "2, 4–8": rising numbers, those that follow each other by the first and the last."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}\N{EN DASH}{run[-1]}" for run in runs)


def _every(roles: HeadRoles) -> Iterator[tuple[int, int]]:
    return ((layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head))

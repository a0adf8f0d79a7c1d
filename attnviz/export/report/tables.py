"""The tables of a report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.export.report.document import Column, Table
from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.atlas.words import NO_ROLE, baseline_name, interval_text, value_text
from attnviz.scene.numbers import signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.engine.ops import Float32
    from attnviz.probing.roles import HeadRoles, Role
    from attnviz.probing.scores import Measured
    from attnviz.scene.theme import Theme

N_IMPORTANT: Final = 10
_FIGURES: Final = (Column("Score", "right"), Column("95 % interval", "right"), Column("Baseline"), Column("Cases", "right"))


def heads_of(roles: HeadRoles) -> Iterator[tuple[int, int]]:
    """All heads, (layer, head)."""
    return ((layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head))


def head_name(layer: int, head: int) -> str:
    """ "L3.H1"."""
    return f"L{layer}.H{head}"


def roles_table(roles: HeadRoles, theme: Theme) -> Table:
    """A row for each role of each head, with the colours of the atlas."""
    found = [role for at in heads_of(roles) for role in roles.roles(*at)]
    rows = tuple((head_name(role.layer, role.head), role.measure.title, *_figures(role)) for role in found)
    marks = tuple(group_colour(role.measure.group, theme) for role in found)
    caption = f"All roles that were found, head by head, the clearest job first and resting places last; {_cases(found)}"
    return Table(caption, (Column("Head"), Column("Role"), *_FIGURES), rows, marks)


def _cases(found: Sequence[Role]) -> str:
    return "cases are what was asked of each head" if found else "there is none"


def _figures(role: Role) -> tuple[str, str, str, str]:
    unit, baseline = role.measure.unit, role.measured.baseline
    guessed = f"{value_text(unit, role.baseline)} ({baseline_name(baseline.name)})"
    return value_text(unit, role.score), interval_text(unit, role.low, role.high), guessed, f"{role.measured.n_case:,}"


def importance_table(roles: HeadRoles) -> Table:
    """The heads whose muting turns the final vectors most, with what they do."""
    importance = roles.importance
    order = np.argsort(-importance.score, axis=None, kind="stable")[:N_IMPORTANT]
    rows = []
    for layer, head in zip(*np.unravel_index(order, importance.score.shape), strict=True):
        score, low, high = (float(values[layer, head]) for values in (importance.score, importance.low, importance.high))
        titles = ", ".join(role.measure.title for role in roles.roles(int(layer), int(head)))
        rows.append((head_name(layer, head), f"{score:.4f}", f"{low:.4f}–{high:.4f}", titles or NO_ROLE))
    columns = Column("Head"), Column("Importance", "right"), Column("95 % interval", "right"), Column("Roles")
    return Table(f"The {len(rows)} heads that the output depends on most", columns, tuple(rows))


def without_role(roles: HeadRoles) -> list[Measured]:
    """The measures with cases whose role no head has, and those that are no role; spread has a table of its own."""
    return [
        measured
        for measured in roles.measured
        if measured.n_case and measured.measure.group != "spread" and not roles.heads_with(measured.measure.key)
    ]


def without_role_table(roles: HeadRoles) -> Table:
    """Of each such measure the head that comes nearest, and what it lacks."""
    rows = []
    for measured in without_role(roles):
        at = nearest_head(measured)
        unit, baseline = measured.measure.unit, measured.baseline
        score, low, high = (float(values[at]) for values in (measured.score, measured.low, measured.high))
        guessed = "\N{EN DASH}" if baseline is None else f"{value_text(unit, baseline.score)} ({baseline_name(baseline.name)})"
        figures = value_text(unit, score), interval_text(unit, low, high), guessed, f"{measured.n_case:,}"
        rows.append((measured.measure.title, head_name(*at), *figures, lacking(measured, at)))
    caption = (
        "Measures whose role no head has: the head whose interval begins highest, and what it lacks. Threshold: the published one. "
        f"Margin: of {100 * MARGIN:.0f} points between the baseline and the beginning of the interval, it has so many. Cases: "
        f"there are fewer than {LEAST_CASES}, or in fewer than {LEAST_TEXTS} texts. No role: a number that is none"
    )
    return Table(caption, (Column("Measure"), Column("Nearest"), *_FIGURES, Column("Lacks")), tuple(rows))


def nearest_head(measured: Measured) -> tuple[int, int]:
    """The (layer, head) whose interval begins highest."""
    layer, head = np.unravel_index(int(measured.low.argmax()), measured.low.shape)
    return int(layer), int(head)


def lacking(measured: Measured, at: tuple[int, int]) -> str:
    """What a head lacks for the role of a measure: cases, the threshold, points of margin."""
    measure, baseline = measured.measure, measured.baseline
    if not measure.is_role:
        return "no role"
    if measured.n_case < LEAST_CASES or measured.n_text < LEAST_TEXTS:
        return "cases"
    told = []
    if measure.threshold is not None and measured.score[at] < measure.threshold:
        told.append(f"threshold {value_text(measure.unit, measure.threshold)}")
    if baseline is not None and measured.low[at] < baseline.score + MARGIN:
        # Never as many points as are asked for where there are fewer.
        told.append(f"margin {signed(math.floor(100 * (float(measured.low[at]) - baseline.score)), 0)}")
    return ", ".join(told)


def not_measured_table(roles: HeadRoles) -> Table:
    """The measures without a case, and why."""
    none = [measured for measured in roles.measured if not measured.n_case]
    rows = tuple((measured.measure.title, measured.why_none or "no case") for measured in none)
    return Table("Measures without a single case", (Column("Measure"), Column("Why")), rows)


def layers_table(roles: HeadRoles) -> Table:
    """Of each layer how many heads have a job, and the mean over its heads of what says how attention is spread."""
    spread = [roles.by_key[key] for key in ("entropy", "distance", "sinks")]
    columns = [Column("Layer"), Column("Heads with a job", "right")]
    columns += [Column(title, "right") for title in ("Entropy, nats", "Distance, tokens", "Share on sinks")]
    rows = []
    for layer in range(roles.n_layer):
        jobs = sum(any(role.measure.group != "rest" for role in roles.roles(layer, head)) for head in range(roles.n_head))
        cells = [_range(measured, measured.score[layer]) for measured in spread]
        important = [] if roles.importance is None else [f"{roles.importance.score[layer].max():.4f}"]
        rows.append((f"L{layer}", f"{jobs} of {roles.n_head}", *cells, *important))
    if roles.importance is not None:
        columns.append(Column("Highest importance", "right"))
    even = ["\N{EN DASH}" if one.baseline is None else _number(one, one.baseline.score) for one in spread]
    rows.append(("even attention", "", *even, *([] if roles.importance is None else [""])))
    caption = (
        "How each layer spreads its attention: mean over its heads, lowest and highest in brackets; sinks are special tokens and "
        "the first token"
    )
    return Table(caption, tuple(columns), tuple(rows))


def _range(measured: Measured, values: Float32) -> str:
    mean, least, most = (_number(measured, float(value)) for value in (values.mean(), values.min(), values.max()))
    return f"{mean} ({least.removesuffix(' %')}–{most})"


def _number(measured: Measured, value: float) -> str:
    """Without its unit, which the column's title has."""
    return value_text(measured.measure.unit, value).removesuffix(" nats").removesuffix(" tokens")


def no_role_line(roles: HeadRoles) -> str | None:
    """The heads for which none was found, layer by layer; None where all have one."""
    told = []
    for layer in range(roles.n_layer):
        none = [head for head in range(roles.n_head) if not roles.roles(layer, head)]
        if none:
            told.append(f"L{layer}: {'all' if len(none) == roles.n_head > 1 else ', '.join(_runs(none))}")
    return f"No role was found for these heads. {'; '.join(told)}." if told else None


def _runs(heads: Sequence[int]) -> list[str]:
    """ "H0", "H4–H6"."""
    runs: list[list[int]] = []
    for head in heads:
        if runs and head == runs[-1][-1] + 1:
            runs[-1].append(head)
        else:
            runs.append([head])
    return [f"H{run[0]}" if len(run) == 1 else f"H{run[0]}\N{EN DASH}H{run[-1]}" for run in runs]

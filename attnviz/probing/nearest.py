"""What a head comes closest to that has no role: scores, and what a role would ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.probing.roles import Role

if TYPE_CHECKING:
    from attnviz.probing.roles import HeadRoles


class Near(NamedTuple):
    """A role that a head has not. needs: the score that it would take, the published threshold or the margin above the baseline
    with an interval as wide as this one, whichever is more."""

    role: Role
    needs: float


def nearest_roles(roles: HeadRoles, layer: int, head: int, n: int = 3) -> tuple[Near, ...]:
    """The jobs that a head comes closest to having, by the share of the needed score that it reaches; without those that it has,
    resting places and measures with too few cases."""
    have = {role.measure.key for role in roles.roles(layer, head)}
    near = []
    for measured in roles.measured:
        measure = measured.measure
        is_open = measure.is_role and measure.group != "rest" and measure.key not in have
        if is_open and measured.baseline is not None and measured.n_case >= LEAST_CASES and measured.n_text >= LEAST_TEXTS:
            role = Role(measured, layer, head)
            near.append(Near(role, max(measure.threshold or 0.0, role.baseline + MARGIN + role.score - role.low)))
    return tuple(sorted(near, key=lambda one: -one.role.score / one.needs)[:n])

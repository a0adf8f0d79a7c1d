"""What a head comes closest to are jobs that it has not, in the order of how much of them it reaches."""

from __future__ import annotations

import pytest

from attnviz.probing.measures import LEAST_CASES, LEAST_TEXTS, MARGIN
from attnviz.probing.nearest import nearest_roles
from tests.probing.made_up import made_up_roles

ROLES = made_up_roles(4, 6)
HEADS = [(layer, head) for layer in range(4) for head in range(6)]


@pytest.mark.parametrize("at", HEADS)
def test_it_has_none_of_them_and_each_is_a_job_with_enough_cases(at: tuple[int, int]) -> None:
    have = {role.measure.key for role in ROLES.roles(*at)}
    near = nearest_roles(ROLES, *at, n=1_000)
    open_jobs = {
        one.measure.key
        for one in ROLES.measured
        if one.measure.is_role
        and one.measure.group != "rest"
        and one.baseline is not None
        and one.n_case >= LEAST_CASES
        and one.n_text >= LEAST_TEXTS
    }
    assert {one.role.measure.key for one in near} == open_jobs - have
    assert len(near) == len(open_jobs - have)


@pytest.mark.parametrize("at", HEADS)
def test_what_is_needed_is_what_a_role_asks_for(at: tuple[int, int]) -> None:
    for role, needs in nearest_roles(ROLES, *at, n=1_000):
        threshold = role.measure.threshold or 0.0
        assert needs >= threshold
        assert needs - (role.score - role.low) >= role.baseline + MARGIN - 1e-6
        assert needs in (threshold, pytest.approx(role.baseline + MARGIN + role.score - role.low))
        assert role.score < needs + 1e-6


@pytest.mark.parametrize("at", HEADS)
def test_the_closest_come_first(at: tuple[int, int]) -> None:
    every = nearest_roles(ROLES, *at, n=1_000)
    reached = [one.role.score / one.needs for one in every]
    assert reached == sorted(reached, reverse=True)
    assert nearest_roles(ROLES, *at) == every[:3]

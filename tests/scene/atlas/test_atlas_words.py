"""What is said of roles: the score always with its baseline, intervals and cases in their units, one head in the singular."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from attnviz.probing.roles import Role
from attnviz.probing.scores import Baseline
from attnviz.probing.summary import line_of
from attnviz.scene.atlas.texts import TextForm, name_lines
from attnviz.scene.atlas.words import (
    baseline_name,
    cell_name,
    counts_line,
    interval_text,
    measured_line,
    role_line,
    role_sentence,
    roles_line,
    tight,
    unbroken,
    value_text,
)
from tests.probing.made_up import made_up_roles
from tests.scene.pictures import stand_in_measure

ROLES = made_up_roles(2, 3)


def role_of(key: str, score: float, low: float, high: float, baseline: Baseline) -> Role:
    numbers = {name: np.full((2, 3), value, np.float32) for name, value in (("score", score), ("low", low), ("high", high))}
    return Role(replace(ROLES.by_key[key], baseline=baseline, n_case=654, **numbers), 1, 2)


OBJECT = role_of("obj>", 0.782, 0.751, 0.81, Baseline("fixed offset -2", 0.476))


def test_a_role_is_said_with_its_baseline() -> None:
    assert role_line(OBJECT) == "object → verb 78 % (baseline 48 %)"
    assert role_line(OBJECT, with_word=False) == "object → verb 78 % (48 %)"
    assert roles_line([OBJECT, OBJECT]) == "object → verb 78 % (baseline 48 %), object → verb 78 % (48 %)"
    assert roles_line([]) == "no role found"


def test_a_role_is_said_with_all_that_it_stands_on() -> None:
    wanted = "object → verb: 78 %, baseline 48 % (fixed offset −2), 95 % interval 75–81 %, 654 cases"
    assert role_sentence(OBJECT) == wanted
    assert role_sentence(line_of(OBJECT)) == wanted  # as kept on disk


def test_a_measure_of_a_head_is_said_with_its_cases_and_texts() -> None:
    told = measured_line(OBJECT.measured, 1, 2)
    assert told == "78 %, baseline 48 % (fixed offset −2), 95 % interval 75–81 %, 654 cases in 12 texts"
    assert measured_line(ROLES.by_key["induction"], 0, 0) == "measured of causal models alone"


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("share", 0.9961, "100 %"),
        ("accuracy", 0.0, "0 %"),
        ("nats", 2.314, "2.31 nats"),
        ("tokens", 5.44, "5.4 tokens"),
        ("share", float("nan"), "–"),
    ],
)
def test_a_score_has_its_unit(unit: str, value: float, text: str) -> None:
    assert value_text(unit, value) == text


@pytest.mark.parametrize(
    ("unit", "low", "high", "text"),
    [
        ("accuracy", 0.751, 0.81, "75–81 %"),
        ("share", 0.9961, 0.9978, "99.6–99.8 %"),
        ("accuracy", 0.0, 0.0, "0–0 %"),
        ("nats", 2.59, 2.62, "2.59–2.62 nats"),
    ],
)
def test_an_interval_never_reads_as_a_point_unless_it_is_one(unit: str, low: float, high: float, text: str) -> None:
    assert interval_text(unit, low, high) == text


def test_a_baselines_offsets_have_true_signs() -> None:
    assert baseline_name("fixed offset -13 or +9") == "fixed offset −13 or +9"
    assert baseline_name("same word, else nearest") == "same word, else nearest"


def test_one_head_is_said_in_the_singular() -> None:
    assert counts_line(1, 0, 0) == "1 of 1 head has a job, 0 only rest on one place, 0: no role found"
    assert counts_line(0, 1, 1_200) == "0 of 1,201 heads have a job, 1 only rests on one place, 1,200: no role found"


def test_fixed_offsets_are_said_in_words() -> None:
    assert cell_name(ROLES.by_key["offset-3"].measure) == "3 back"
    assert cell_name(ROLES.by_key["offset+8"].measure) == "8 ahead"
    assert cell_name(ROLES.by_key["case<"].measure) == "obj→prep"


def test_no_line_ends_before_its_sign_of_per_cent() -> None:
    assert unbroken("95 % of 3 %") == "95\N{NO-BREAK SPACE}% of 3\N{NO-BREAK SPACE}%"


def test_names_are_abbreviated_only_as_far_as_the_room_demands() -> None:
    def lines(name: str, room: float, n_line: int = 2, ease: int = 1) -> tuple[str, ...]:
        return name_lines(name, TextForm(n_line, True, 10, ease), room, stand_in_measure)

    assert tight("previous token") == "prev. tok."
    assert lines("obj→verb", 80.0) == ("obj→verb",)
    assert lines("obj→verb", 30.0) == ("obj", "→verb")
    assert lines("cue→sense", 29.0) == ("cue→", "sense")
    assert lines("previous token", 30.0) == ("prev.", "token")
    assert lines("previous token", 30.0, ease=0) == ()
    assert lines("someone's own relation", 60.0, n_line=1, ease=2) == ("someone's…",)
    assert lines("someone's own relation", 20.0, n_line=1, ease=2) == ()


def test_no_name_of_a_measure_is_cut_off_where_twelve_heads_stand_on_paper(qapp: object) -> None:
    from attnviz.paint.fonts import text_width

    form = TextForm(2, True, 9, 1)
    for measured in ROLES.measured:
        if measured.measure.is_role:
            assert name_lines(cell_name(measured.measure), form, 32.0, text_width), measured.measure.short

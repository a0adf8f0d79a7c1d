"""Which colours a matrix has: as a person chose, else by the length of what can be looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from attnviz.engine.model import load_model
from attnviz.session.logarithm import LONG, is_logarithmic, turned
from attnviz.session.view import View
from tests.golden.families_reader import write_model
from tests.scene.pictures import run_of, text_of

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.session.run import Run


@pytest.fixture(scope="module")
def short(minilm: Model) -> Run:
    return run_of(minilm, text_of(minilm, LONG - 3))  # [CLS] and [SEP] stand round it


@pytest.fixture(scope="module")
def long(minilm: Model) -> Run:
    return run_of(minilm, text_of(minilm, LONG - 2))


def test_a_long_text_alone_has_logarithmic_colours_by_itself(short: Run, long: Run) -> None:
    assert (is_logarithmic(short, View()), is_logarithmic(long, View())) == (False, True)


@pytest.mark.parametrize("is_log", [False, True])
def test_what_a_person_chose_holds_at_each_length(short: Run, long: Run, is_log: bool) -> None:
    assert [is_logarithmic(run, View(is_log=is_log)) for run in (short, long, None)] == [is_log] * 3


def test_both_of_two_runs_have_the_colours_of_the_longer_one(short: Run, long: Run) -> None:
    assert is_logarithmic(replace(short, against=long), View())
    assert is_logarithmic(replace(long, against=short), View())


@pytest.mark.parametrize("is_log", [None, False, True])
def test_turning_the_colours_gives_the_other_ones_and_turning_again_leaves_them_to_the_length(
    short: Run, long: Run, is_log: bool | None
) -> None:
    for run in (short, long, None):
        view = View(is_log=is_log)
        other = replace(view, is_log=turned(run, view))
        back = replace(view, is_log=turned(run, other))
        shown = [is_logarithmic(run, each) for each in (view, other, back)]
        assert shown == [shown[0], not shown[0], shown[0]]
        by_length = is_logarithmic(run, View())
        assert [each.is_log for each in (other, back)] == [None if is_on == by_length else is_on for is_on in shown[1:]]


def test_where_a_decoder_looks_at_an_encoder_the_encoders_text_counts(tmp_path: Path) -> None:
    write_model("t5-tied", tmp_path)
    model = load_model(tmp_path)
    runs = [run_of(model, text, pair=pair) for text, pair in (("the fox " * LONG, "the den"), ("the fox", "the den " * LONG))]
    assert [is_logarithmic(run, View(kind="cross")) for run in runs] == [True, False]
    assert [is_logarithmic(run, View(kind="decoder")) for run in runs] == [False, True]

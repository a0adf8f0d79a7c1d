"""Cells of strips, numbers as they are written, and what the pointer finds."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from attnviz.scene.numbers import decimals_for, fixed, number
from attnviz.scene.steps.cells import cells_of, colours_of
from attnviz.scene.steps.hit import hit_at
from attnviz.scene.steps.sheet import Sheet
from tests.scene.pictures import stand_in_measure
from tests.scene.steps_cases import CASES, Case
from tests.scene.test_steps_scene import of_case

FLOATS = st.floats(-1e6, 1e6, width=32)


def read(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


@given(arrays.arrays(np.float32, st.integers(1, 300), elements=FLOATS), st.floats(1.0, 200.0))
def test_each_cell_shows_the_largest_of_its_neighbours(values: np.ndarray, width: float) -> None:
    cells = cells_of(values, width)
    n, n_cell = len(values), len(cells)
    assert n_cell == min(n, max(int(width / 2.0), 1))
    for cell, place in enumerate(cells):
        run = range(cell * n // n_cell, (cell + 1) * n // n_cell)
        assert place in run
        assert abs(values[place]) == max(abs(values[i]) for i in run)


@given(arrays.arrays(np.float32, 9, elements=FLOATS), st.floats(0.5, 1e6))
def test_colours_keep_order_and_sign(values: np.ndarray, scale: float) -> None:
    colours = colours_of(values, scale)
    assert set(colours.tolist()) <= set(range(256))
    assert (np.diff(colours[np.argsort(values)]) >= 0).all()
    np.testing.assert_allclose(colours_of(-values, scale), 255 - colours, atol=1)


@given(st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-12))
def test_a_number_keeps_three_digits_and_reads_back(value: float) -> None:
    text = number(value)
    assert "-" not in text
    assert abs(read(text) - value) <= 0.00501 * abs(value)


@given(st.lists(st.floats(-1e5, 1e5), min_size=1))
def test_a_columns_numbers_share_their_decimals(values: list[float]) -> None:
    decimals = decimals_for(values)
    texts = [fixed(value, decimals) for value in values]
    assert {len(text.partition(".")[2]) for text in texts} == {decimals}
    for text, value in zip(texts, values, strict=True):
        assert abs(read(text) - value) <= 0.5 * 10.0**-decimals * 1.001
        assert "-" not in text
        assert read(text) != 0 or not text.startswith("\N{MINUS SIGN}")


@given(st.text("abc de", max_size=40), st.floats(8.0, 200.0))
def test_a_line_that_must_fit_does_and_keeps_its_beginning(text: str, room: float) -> None:
    sheet = Sheet(stand_in_measure)
    sheet.fitted(text, 10.0, 10.0 + room, 5.0)
    (label,) = sheet.labels
    kept = label.text.removesuffix("\N{HORIZONTAL ELLIPSIS}")
    assert text.startswith(kept)
    assert stand_in_measure(label.text, label.size, label.bold) <= room
    assert label.text == text or stand_in_measure(text, label.size, label.bold) > room


@pytest.mark.parametrize("case", [CASES[0], Case("gpt-oss-windows-yarn", layer=0)], ids=str)
def test_the_pointer_tells_the_number_of_every_cell(case: Case) -> None:
    scene = of_case(case)
    for strip in (strip for strip in scene.strips if strip.stage is not None):
        width = (strip.box.right - strip.box.left) / len(strip.cells)
        for cell, place in enumerate(strip.cells):
            hit = hit_at(scene, strip.box.left + (cell + 0.5) * width, strip.box.middle)
            told = hit.tip.splitlines()[0]
            assert told == f"{strip.what}, number {strip.first + place}: {number(float(strip.values[place]))}"
            assert hit.stage.name == strip.stage
    for one in scene.numbers:
        tip = hit_at(scene, (one.box.left + one.box.right) / 2, one.box.middle).tip
        assert tip.startswith(one.what)
        assert read(tip.splitlines()[0].rpartition(": ")[2]) == pytest.approx(one.value, rel=1e-4)


HOW_CASES = [
    CASES[0],
    Case("t5-tied", "encoder"),
    Case("bloom-lm"),
    Case("gemma2-caps-windows"),
    Case("gpt-oss-windows-yarn", layer=0),
]


@pytest.mark.parametrize("case", HOW_CASES, ids=str)
def test_the_arithmetic_that_the_pointer_tells_comes_out(case: Case) -> None:
    scene = of_case(case)
    told = [
        hit_at(scene, (one.box.left + one.box.right) / 2, one.box.middle).tip
        for one in scene.numbers
        if one.how and one.stage != "output"
    ]
    for strip in (strip for strip in scene.strips if strip.parts is not None):
        width = (strip.box.right - strip.box.left) / len(strip.cells)
        told += [hit_at(scene, strip.box.left + (at + 0.5) * width, strip.box.middle).tip for at in range(len(strip.cells))]
    checked = set()
    for tip in told:
        head, how = tip.splitlines()[:2]
        what, _, result = head.rpartition(": ")
        if how == "cannot see" or "more" in how:
            continue  # no arithmetic, or a part of the terms; the test below has them
        assert number(worked_out(how), 5 if "number" not in what else 3) == result, tip
        checked.add(what.split(": ")[-1].partition(",")[0].partition(" of ")[0])
    assert checked >= {"scaled", "exponential", "attention", "weight times value"}


def worked_out(how: str) -> float:
    """What an expression of a tip comes to, worked out as it stands there."""
    text = how.replace("\N{MINUS SIGN}", "-").replace(",", "").replace("×", "*").replace("÷", "/").replace("·", "*")
    return float(eval(re.sub(r"√(\d+)", r"\1**0.5", text), {"exp": np.exp, "tanh": np.tanh}))


@pytest.mark.parametrize("name", ["bert-mlm", "llama-gqa", "qwen3-head-dim-tied"])
def test_the_first_terms_of_a_product_are_its_first(name: str) -> None:
    scene = of_case(Case(name))
    q, keys = scene.content.steps.q[scene.content.head], scene.content.steps.k[scene.content.head]
    numbers = [one for one in scene.numbers if one.what.endswith("query times key")]
    for one, key in zip(numbers, scene.content.shown, strict=True):
        terms, _, more = one.how.partition(" and ")
        assert int(more.split()[0]) == len(q) - 3
        first = float(q[:3].astype(np.float64) @ keys[key][:3])
        assert worked_out(terms) == pytest.approx(first, rel=0.03, abs=0.05)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_pointer_explains_every_heading_that_is_a_name(case: Case) -> None:
    scene = of_case(case)
    for word in scene.words:
        assert hit_at(scene, word.box.left + 1, word.box.middle).tip == word.meaning
    named = {"W_Q, W_K", "W_V", "normed", "turned", "capped", "+ bias", "mixed by W_O", "cosine to x:", "+ n, the normed", "weight"}
    labels = {label.text for label in scene.labels}
    assert {word.text for word in scene.words} >= named & labels
    assert sum("feed-forward" in word.meaning for word in scene.words) == 1
    assert any("full colour" in word.meaning for word in scene.words)
    assert any(word.text.startswith("exp(s") for word in scene.words)


def test_the_pointer_finds_rows_heads_and_where_a_stage_is_copied() -> None:
    scene = of_case(CASES[0])
    for row in scene.rows:
        assert hit_at(scene, row.box.left + 2, row.box.middle).row == row
    for head in scene.heads:
        assert hit_at(scene, head.box.left + 1, head.box.middle).head == head.head
    for stage in scene.stages:
        hit = hit_at(scene, (stage.copy.left + stage.copy.right) / 2, stage.copy.middle)
        assert hit.is_copy
        assert hit.stage == stage
    assert hit_at(scene, scene.width - 1, scene.height - 1).stage is None

"""The steps of runs that a person changed: what was changed stands where it happens, and each number follows from those before."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.engine.changes import NOTHING, HeadAt, WeightAt
from attnviz.scene.numbers import number
from attnviz.scene.page import Layout
from attnviz.scene.steps.hit import hit_at
from attnviz.scene.what_if import MUTING_TIPS
from attnviz.session.run import Run
from attnviz.session.view import HeadChoice, View
from tests.scene.pictures import run_of, text_of
from tests.scene.steps_cases import CHANGED_CASES, STRENGTHS, WAYS, Case, change, changed_case
from tests.scene.test_steps_cells import worked_out
from tests.scene.test_steps_scene import (
    ANIMAL,
    LAYOUTS,
    WINDOW,
    check_geometry,
    check_text,
    parsed,
    rounding,
    rows_of,
    scene_of,
    shown_columns,
)

if TYPE_CHECKING:
    from attnviz.engine.changes import Changes
    from attnviz.engine.model import Model
    from attnviz.scene.scene import Label
    from attnviz.scene.steps.scene import Number, StepsScene, Strip

HEADINGS: Final = {"uniform": "uniform", "frozen": "frozen"} | {way: "as set" for way in WAYS if way.startswith("set")}
each_case = pytest.mark.parametrize("case", CHANGED_CASES, ids=str)
each_way = pytest.mark.parametrize("way", WAYS)
each_weighing = pytest.mark.parametrize("way", HEADINGS)


@cache
def of_change(case: Case, way: str, layout: Layout = WINDOW) -> StepsScene:
    made = changed_case(case, way)
    return scene_of(made.run, made.view, layout)


def with_changes(run: Run, changes: Changes) -> Run:
    request = replace(run.request, changes=changes)
    trace = run.model.trace(request.text, request.pair, request.head_count, changes=changes)
    return Run(request, run.model, trace, 0.9, 0.0, run.trained, request)


def in_what_if_ink(scene: StepsScene) -> list[Label]:
    """What is set in the ink of a what-if below the band that says so once for all."""
    below = max(band.top + band.height for band in scene.bands)
    labels = [*scene.labels, *(one.label for one in scene.numbers)]
    return [label for label in labels if label.ink == "what_if_ink" and label.baseline > below]


def sentence(scene: StepsScene, name: str) -> str:
    (said,) = [stage.sentence for stage in scene.stages if stage.name == name]
    return said.replace("\N{NO-BREAK SPACE}", " ")


def tip_of(scene: StepsScene, one: Number) -> str:
    tip = hit_at(scene, (one.box.left + one.box.right) / 2, one.box.middle).tip
    assert tip is not None
    return tip


# --- geometry ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.width:.0f}")
@pytest.mark.parametrize("way", ["zero", "uniform", "frozen", "more", "set_two", "set_frozen"])
@each_case
def test_nothing_overlaps_or_leaves_the_picture(case: Case, way: str, layout: Layout) -> None:
    scene = of_change(case, way, layout)
    check_geometry(scene)
    names = {row.text for row in scene.rows}
    assert not [label.text for label in scene.labels if label.text.endswith("\N{HORIZONTAL ELLIPSIS}") and label.text not in names]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.width:.0f}")
@pytest.mark.parametrize("way", ["set", "half"])
@pytest.mark.parametrize("n_token", [1, 60])
def test_texts_of_any_length_have_room(minilm: Model, n_token: int, way: str, layout: Layout) -> None:
    view = View(picture="steps", layer=3, heads=HeadChoice(frozenset({1}), 12), focus=1)
    made = change(run_of(minilm, text_of(minilm, n_token)), view, 1, way)
    check_geometry(scene_of(made.run, made.view, layout))


@pytest.mark.parametrize("head_count", [1, 3, 96, 384])
@pytest.mark.parametrize("layout", LAYOUTS[:3], ids=lambda layout: f"{layout.width:.0f}")
def test_strengths_of_any_number_of_heads_have_room_and_are_told(minilm: Model, head_count: int, layout: Layout) -> None:
    run = run_of(minilm, ANIMAL, head_count)
    changes = NOTHING
    for head in range(head_count):
        changes = changes.with_strength(HeadAt("encoder", 2, head), 0.25 + head / 256)
    view = View(picture="steps", layer=2, heads=HeadChoice(frozenset({head_count - 1}), head_count))
    scene = scene_of(with_changes(run, changes), view, layout)
    check_geometry(scene)
    outputs = {strip.what: strip for strip in scene.strips if strip.what.startswith("output of head") and strip.stage == "heads"}
    assert len(outputs) == len(scene.heads)
    assert all(re.search(r"before it goes on × \d\.\d+$", what) for what in outputs)
    assert [one for one in scene.numbers if one.what == f"strength of head {head_count - 1}"]


# --- numbers ----------------------------------------------------------------------------------------------------------


@each_weighing
@each_case
def test_the_weights_that_were_made_are_the_traces_and_sum_as_shown(case: Case, way: str) -> None:
    made, scene = changed_case(case, way), of_change(case, way)
    content = scene.content
    assert HEADINGS[way] in [label.text for label in scene.labels if label.ink == "what_if_ink"]
    weights = made.run.trace.attention(content.layer, case.kind)[content.head, content.query]
    rows = {int(at): numbers[-1] for at, numbers in rows_of(scene, "softmax").items()}
    for at, key in enumerate(content.shown, 1):
        assert abs(rows[at].value - weights[key]) <= 1e-6
        assert abs(parsed(rows[at].label.text) - weights[key]) <= 0.00051
        assert rows[at].label.bold == (key in made.weights)
        assert (rows[at].label.ink == "what_if_ink") == (key in made.weights)
    total = len(scene.rows) - 1
    assert rows[total].label.text == "1.000"
    assert abs(sum(parsed(one.label.text) for at, one in rows.items() if at != total) - 1.0) <= 0.0005 * len(rows)
    sink = [at for at, row in enumerate(scene.rows) if row.text == "learned sink"]
    for at in sink:
        assert abs(parsed(rows[at].label.text) - (1.0 - weights.sum(dtype=np.float64))) <= 0.00051
    assert bool(sink) == case.name.startswith("gpt-oss")


@each_weighing
@each_case
def test_each_column_comes_out_of_the_shown_numbers_before_it(case: Case, way: str) -> None:
    check_chain(of_change(case, way), way)


@pytest.mark.parametrize("way", ["set", "set_0", "set_two", "uniform"])
@pytest.mark.parametrize("n_token", [12, 60])
def test_columns_of_a_trained_model_come_out_too(minilm: Model, n_token: int, way: str) -> None:
    run = run_of(minilm, text_of(minilm, n_token))
    for layer, head, query in itertools.product((0, 3), (1, 7), (9,)):
        view = View(picture="steps", layer=layer, heads=HeadChoice(frozenset({head}), 12), focus=query)
        made = change(run, view, query, way)
        check_chain(scene_of(made.run, made.view), way)


def check_chain(scene: StepsScene, way: str) -> None:
    """With a calculator a reader gets the weights from the exponentials, and what was made of them from the weights."""
    *each, (total, _, whole) = shown_columns(scene, "softmax")
    assert whole == "1.000"
    check_text(total, sum(parsed(own) for own, _, _ in each))
    chosen = [one.label.text for one in scene.numbers if one.stage == "softmax" and one.label.ink == "what_if_ink"]
    said, content = sentence(scene, "softmax"), scene.content
    assert all(text in said for text in chosen)
    factor = re.search(r"are scaled to the rest, × (\S+)\.$", said)
    for (own, weight, made), at in zip(each, filled_rows(scene), strict=True):
        check_text(weight, parsed(own) / parsed(total))
        if at <= len(content.shown) and content.shown[at - 1] in content.changed.chosen:
            assert made in chosen
        elif factor:
            check_text(made, parsed(weight) * parsed(factor[1]))
        elif "uniform" in way:
            left, n = (float(found) for found in re.search(r"([\d.]+) ÷ (\d+) each", said).groups())
            n_key = (
                1
                if at <= len(content.shown)
                else 0
                if scene.rows[at].text == "learned sink"
                else content.sees[list(content.rest)].sum()
            )
            assert n + len(chosen) == content.sees.sum()
            check_text(made, left * n_key / n)
    if way in ("set", "set_two"):
        assert factor
    if way == "set_1":
        assert said.endswith("nothing is left for the others.")
        assert {made for _, _, made in each} == {"0.000", "1.000"}


def filled_rows(scene: StepsScene) -> list[int]:
    """The rows that have numbers of the softmax, but for the sum."""
    content = scene.content
    return [at for at in range(1, len(scene.rows) - 1) if at > len(content.shown) or content.sees[content.shown[at - 1]]]


@each_weighing
@each_case
def test_weights_before_the_change_are_the_softmaxs(case: Case, way: str) -> None:
    scene = of_change(case, way)
    content = scene.content
    steps = content.steps
    exact = np.exp(steps.scores[content.head].astype(np.float64))
    sink = 0.0 if steps.sink_score is None else np.exp(float(steps.sink_score[content.head]))
    rows = rows_of(scene, "softmax")
    for at, key in enumerate(content.shown, 1):
        if content.sees[key]:
            assert abs(parsed(rows[str(at)][1].label.text) - exact[key] / (exact.sum() + sink)) <= 0.00051
            assert rows[str(at)][1].label.ink == "muted"


@each_case
@pytest.mark.parametrize("way", ["frozen", "set_frozen"])
def test_frozen_weights_are_those_of_the_run_without_changes(case: Case, way: str) -> None:
    made, scene = changed_case(case, way), of_change(case, way)
    content = scene.content
    before = made.before.trace.attention(content.layer, case.kind)[content.head, content.query].astype(np.float64)
    if way == "set_frozen":
        ((key, value),) = made.weights.items()
        sink = float(made.before.trace.sink(content.layer, case.kind)[content.head, content.query])
        before *= (1.0 - value) / (before.sum() + sink - before[key])
        before[key] = value
    np.testing.assert_allclose(content.weights, before, atol=2e-6)
    assert "run without changes" in sentence(scene, "softmax")
    assert (", but “" in sentence(scene, "softmax")) == (way == "set_frozen")


@each_way
@each_case
def test_weighted_values_follow_from_the_weights_before_them_and_sum_to_the_output(case: Case, way: str) -> None:
    made, scene = changed_case(case, way), of_change(case, way)
    content = scene.content
    steps, head = made.run.trace.steps(content.layer, content.query, case.kind), content.head
    strips = [strip for strip in scene.strips if strip.stage == "weighted"]
    assert ("weight × v" in [label.text for label in scene.labels]) == (way not in HEADINGS)
    if way in HEADINGS:
        assert f"{HEADINGS[way]} × v" in [label.text for label in in_what_if_ink(scene)]
    rows = rows_of(scene, "softmax")
    for at, (strip, key) in enumerate(zip(strips, content.shown, strict=False), 1):
        weight, value = strip.parts
        assert weight == pytest.approx(rows[str(at)][-1].value, abs=1e-7)
        np.testing.assert_array_equal(value, steps.values[head, key])
        np.testing.assert_allclose(strip.values, np.float32(weight) * value, rtol=1e-6)
    np.testing.assert_allclose(sum(s.values.astype(np.float64) for s in strips[:-1]), strips[-1].values, atol=3e-6)
    np.testing.assert_array_equal(strips[-1].values, steps.context[head])


@each_way
@each_case
def test_the_factor_stands_between_a_heads_output_and_the_heads_side_by_side(case: Case, way: str) -> None:
    made, scene = changed_case(case, way), of_change(case, way)
    content = scene.content
    steps = made.run.trace.steps(content.layer, content.query, case.kind)
    strength = np.ones(content.head_count) if steps.strength is None else steps.strength
    assert float(strength[content.head]) == pytest.approx(STRENGTHS.get(way, 1.0))
    heads = [strip for strip in scene.strips if strip.stage == "heads"]
    together = [strip for strip in heads if strip.what == "all heads side by side"]
    np.testing.assert_array_equal(np.concatenate([strip.values for strip in together]), steps.concatenated)
    assert [strip.first for strip in together] == [0, *np.cumsum([len(strip.values) for strip in together])[:-1]]
    outputs = [strip for strip in heads if strip.what.startswith("output of head")]
    shown = {one.what: one.label.text for one in scene.numbers if one.stage == "heads"}
    width = len(outputs[0].values)
    for head, strip in enumerate(outputs):
        np.testing.assert_array_equal(strip.values, steps.context[head])
        text = shown.get(f"strength of head {head}", "× 1")
        factor = parsed(text.removeprefix("× "))
        assert abs(factor - strength[head]) <= rounding(text.removeprefix("× "))
        part = steps.concatenated[head * width : (head + 1) * width]
        np.testing.assert_allclose(part, strip.values * factor, rtol=1e-5, atol=1e-7)
    assert len(shown) == int((strength != 1.0).sum())


@each_way
@each_case
def test_the_softmax_formula_comes_out_as_it_says(case: Case, way: str) -> None:
    scene = of_change(case, way)
    formula = next(stage.formula for stage in scene.stages if stage.name == "softmax").replace("\N{NO-BREAK SPACE}", " ")
    found = re.search(r"(exp\([^)]*\)) ÷ ([\d.,]+) = ([\d.]+)$", formula)
    assert found, formula
    check_text(found[3], worked_out(found[1]) / parsed(found[2]))
    key = scene.content.shown.index(int(scene.content.by_softmax.argmax()))
    assert rows_of(scene, "softmax")[str(key + 1)][1].label.text == found[3]


# --- what the pointer tells -------------------------------------------------------------------------------------------


@each_way
@each_case
def test_the_arithmetic_that_the_pointer_tells_comes_out(case: Case, way: str) -> None:
    scene = of_change(case, way)
    checked = 0
    for one in scene.numbers:
        what, _, how = tip_of(scene, one).partition("\n")
        assert parsed(what.rpartition(": ")[2]) == pytest.approx(one.value, rel=1e-4)
        if one.stage != "softmax" or how in ("", "cannot see"):
            continue
        if re.search("[a-z]{4}", how):
            assert how.startswith(("set by hand", "as in the run without changes"))
        else:
            assert number(worked_out(how), 5) == what.rpartition(": ")[2], (what, how)
            checked += "as set" in what or "uniform" in what
    assert bool(checked) == (way in HEADINGS and "frozen" not in way and way != "set_1") or way == "set_1"


@each_case
@pytest.mark.parametrize("way", [way for way in WAYS if way in STRENGTHS])
def test_the_pointer_tells_the_product_of_output_and_strength(case: Case, way: str) -> None:
    scene = of_change(case, way)
    (own,) = [strip for strip in scene.strips if strip.what == "all heads side by side" and is_own(strip, scene)]
    width = (own.box.right - own.box.left) / len(own.cells)
    for cell in range(len(own.cells)):
        tip = hit_at(scene, own.box.left + (cell + 0.5) * width, own.box.middle).tip
        told, how = tip.splitlines()[:2]
        assert number(worked_out(how)) == told.rpartition(": ")[2]


def is_own(strip: Strip, scene: StepsScene) -> bool:
    width = scene.content.steps.context.shape[1]
    return (strip.first, len(strip.values)) == (scene.content.head * width, width)


@pytest.mark.parametrize(
    ("way", "meaning"), [("zero", MUTING_TIPS["zero"]), ("frozen", MUTING_TIPS["frozen"]), ("half", "a person set")]
)
def test_a_factor_says_what_it_means(way: str, meaning: str) -> None:
    scene = of_change(CHANGED_CASES[0], way)
    (one,) = [one for one in scene.numbers if one.what == f"strength of head {scene.content.head}"]
    assert meaning in tip_of(scene, one)


@each_weighing
def test_the_headings_of_what_was_made_say_what_they_mean(way: str) -> None:
    scene = of_change(CHANGED_CASES[0], way)
    told = {word.text: word.meaning for word in scene.words}
    assert told[HEADINGS[way]]
    assert told[f"{HEADINGS[way]} × v"]


# --- words ------------------------------------------------------------------------------------------------------------


def test_what_was_changed_is_said_in_the_what_ifs_ink(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL)
    it, animal = run.trace.tokens.index("it"), run.trace.tokens.index("animal")
    view = View(picture="steps", layer=3, heads=HeadChoice(frozenset({1}), 12), focus=it)
    at = HeadAt("encoder", 3, 1)
    said = {
        "“animal” is set by hand to 0.200; the others are scaled to the rest,": NOTHING.with_weight(WeightAt(*at, it, animal), 0.2),
        "“animal” and “it” are set by hand to 0.100 and 0.300": NOTHING.with_weight(WeightAt(*at, it, animal), 0.1).with_weight(
            WeightAt(*at, it, it), 0.3
        ),
        "Muted: it looks alike at all 15 tokens that it sees, 1 ÷ 15 each.": NOTHING.with_muted(at, True).with_muting("uniform"),
        "This head is muted: its output goes on × 0.": NOTHING.with_muted(at, True),
        "This head's output goes on × 0.50, set by hand.": NOTHING.with_strength(at, 0.5),
        "Changed: H4 × 1.70, H7 × 0.": NOTHING.with_strength(at._replace(head=4), 1.7).with_muted(at._replace(head=7), True),
    }
    for words, changes in said.items():
        scene = scene_of(with_changes(run, changes), view)
        written = " ".join(label.text for label in in_what_if_ink(scene)).replace("\N{NO-BREAK SPACE}", " ")
        assert words in written
        assert words in scene.description.replace("\N{NO-BREAK SPACE}", " ")
        assert any(words in stage.sentence.replace("\N{NO-BREAK SPACE}", " ") for stage in scene.stages)


@pytest.mark.parametrize("way", ["zero", "uniform", "half", "set"])
def test_nothing_is_emphasised_where_nothing_was_changed(minilm: Model, way: str) -> None:
    run = run_of(minilm, ANIMAL)
    view = View(picture="steps", layer=3, heads=HeadChoice(frozenset({1}), 12), focus=4)
    made = change(run, view, 4, way)
    elsewhere = [replace(view, layer=2)]
    if way in ("uniform", "set"):
        elsewhere.append(replace(view, heads=HeadChoice(frozenset({5}), 12)))
    if way == "set":
        elsewhere.append(replace(view, focus=6))
    for other in elsewhere:
        scene = scene_of(made.run, other)
        assert scene.bands
        assert not in_what_if_ink(scene)
        assert scene.content.changed is None
        assert "weight × v" in [label.text for label in scene.labels]
    assert in_what_if_ink(scene_of(made.run, view))


def test_a_weight_that_was_set_has_a_row_of_its_own_in_a_long_text(minilm: Model) -> None:
    run = run_of(minilm, text_of(minilm, 60))
    at, query = HeadAt("encoder", 3, 1), 20
    weakest = int(run.trace.attention(3)[1, query].argmin())
    view = View(picture="steps", layer=3, heads=HeadChoice(frozenset({1}), 12), focus=query)
    assert weakest not in scene_of(run, view).content.shown
    for value in (0.0, 0.9):
        changed = with_changes(run, NOTHING.with_weight(WeightAt(*at, query, weakest), value))
        content = scene_of(changed, view).content
        assert {weakest, query, int(content.by_softmax.argmax())} <= set(content.shown)
        assert len(content.shown) == 12


def test_a_row_whose_weight_was_all_on_the_key_that_was_set_is_shared_alike(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL, 1)  # one head of so many numbers is sure of itself
    attention = run.trace.attention(5)[0]
    query = int(attention.max(axis=1).argmax())
    view = View(picture="steps", layer=5, heads=HeadChoice(frozenset({0}), 1), focus=query)
    scene = scene_of(
        with_changes(run, NOTHING.with_weight(WeightAt("encoder", 5, 0, query, int(attention[query].argmax())), 0.5)), view
    )
    check_geometry(scene)
    assert "set by hand to 0.500; the others" in sentence(scene, "softmax")


@pytest.mark.parametrize("values", [(0.99999,), (0.1, 0.2, 0.7), (1e-7,), (0.3, 0.3, 0.3)])
def test_any_weights_that_are_set_can_be_shown(minilm: Model, values: tuple[float, ...]) -> None:
    run, changes = run_of(minilm, ANIMAL), NOTHING
    for key, value in enumerate(values):
        changes = changes.with_weight(WeightAt("encoder", 3, 1, 10, key), value)
    view = View(picture="steps", layer=3, heads=HeadChoice(frozenset({1}), 12), focus=10)
    scene = scene_of(with_changes(run, changes), view)
    check_geometry(scene)
    said = sentence(scene, "softmax")
    assert ("nothing is left for the others" in said) == (sum(values) > 0.999999)
    assert ("3 weights are set by hand to" in said) == (len(values) == 3)
    for one in scene.numbers:
        assert tip_of(scene, one)

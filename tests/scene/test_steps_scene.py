"""The steps as a picture: its numbers are the trace's, its stages those that the model has, and nothing lies on anything."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from attnviz.engine.trace import Trace
from attnviz.scene.page import SMALL, Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.steps.scene import STAGE_TITLES, StepsScene
from attnviz.scene.steps.smaller import smaller
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, Sinks, View
from tests.scene.pictures import Room, label_room, run_of, stand_in_measure, text_of
from tests.scene.steps_cases import CASES, SPECIAL, Case, run_of_case, view_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.engine.steps import Steps
    from attnviz.scene.scene import Box, Label, Measure
    from attnviz.scene.steps.scene import Number, StageName
    from attnviz.session.run import Run

LIGHT: Final = load_theme("light")
ANIMAL: Final = "The animal didn't cross the street because it was tired."
WINDOW: Final = Layout(1180.0, 560.0)
LAYOUTS: Final = (WINDOW, Layout(700.0, 460.0), Layout(528.0, caption=True), Layout(312.0, caption=True), Layout(2400.0, 1300.0))
each_case = pytest.mark.parametrize("case", CASES, ids=str)


def scene_of(run: Run, view: View, layout: Layout = WINDOW, measure: Measure = stand_in_measure) -> StepsScene:
    scene = build_scene(run, view, LIGHT, layout, measure)
    assert isinstance(scene, StepsScene)
    return scene


def of_case(case: Case, layout: Layout = WINDOW, query: int | None = None) -> StepsScene:
    run = run_of_case(case.name)
    return scene_of(run, view_of(case, run, query=query), layout)


def steps_of(scene: StepsScene, run: Run, case: Case) -> Steps:
    """The trace's own steps, asked for again."""
    return run.trace.steps(scene.content.layer, scene.content.query, case.kind)


def parsed(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def rounding(text: str) -> float:
    """Half a unit of the last decimal that a number was written with, and a float32's own error."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2]) * 1.001 + 1e-5 * abs(parsed(text))


def rows_of(scene: StepsScene, stage: StageName) -> dict[str, list[Number]]:
    """The numbers of a stage by the row that they stand in, from left to right."""
    found: dict[str, list[Number]] = {}
    for number in sorted((n for n in scene.numbers if n.stage == stage), key=lambda n: n.box.right):
        row = next((at for at, row in enumerate(scene.rows) if row.box.top <= number.box.middle < row.box.bottom), None)
        assert row is not None, number
        found.setdefault(str(row), []).append(number)
    return found


def headings(scene: StepsScene) -> set[str]:
    return {label.text for label in scene.labels} & SPECIAL


def rooms(scene: StepsScene, measure: Measure = stand_in_measure) -> list[Room]:
    """The room of all that is drawn, arrows aside."""

    def of(what: str, box: Box) -> Room:
        return Room(what, box.left, box.top, box.right, box.bottom)

    labels: list[Label] = [*scene.labels, *(number.label for number in scene.numbers)]
    taken = [label_room(label, measure) for label in labels if label.text]
    taken += [of(strip.what, strip.box) for strip in scene.strips]
    return taken + [of("bar", bar.box) for bar in scene.bars if bar.box.right - bar.box.left > 0.5]


def check_geometry(scene: StepsScene, measure: Measure = stand_in_measure) -> None:
    taken = rooms(scene, measure)
    for room in taken:
        assert room.within(scene.width, scene.height), room
    for one, other in itertools.combinations(taken, 2):
        assert not one.overlaps(other), (one, other)
    for x, y in (point for line in scene.connectors for point in line.points):
        assert 0 <= x <= scene.width
        assert 0 <= y <= scene.height


# --- geometry ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.width:.0f}")
@each_case
def test_nothing_overlaps_or_leaves_the_picture(case: Case, layout: Layout) -> None:
    check_geometry(of_case(case, layout))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.width:.0f}")
@pytest.mark.parametrize("n_token", [1, 5, 15, 40, 120])
def test_texts_of_any_length_have_room(minilm: Model, n_token: int, layout: Layout) -> None:
    check_geometry(scene_of(run_of(minilm, text_of(minilm, n_token)), View(layer=2, picture="steps"), layout))


@pytest.mark.parametrize("head_count", [1, 3, 12, 96, 384])
@pytest.mark.parametrize("layout", LAYOUTS[:3], ids=lambda layout: f"{layout.width:.0f}")
def test_any_number_of_heads_has_room(minilm: Model, head_count: int, layout: Layout) -> None:
    run = run_of(minilm, ANIMAL, head_count)
    view = View(layer=2, picture="steps", heads=HeadChoice(frozenset({head_count - 1}), head_count))
    scene = scene_of(run, view, layout)
    check_geometry(scene)
    assert head_count - 1 in [box.head for box in scene.heads]
    assert len(scene.heads) == head_count or any(f"{head_count - len(scene.heads):,} more" in label.text for label in scene.labels)


@each_case
def test_the_stages_follow_one_another_and_each_has_a_sentence_and_a_formula(case: Case) -> None:
    scene = of_case(case)
    assert [stage.name for stage in scene.stages] == list(STAGE_TITLES)
    shown = {label.text for label in scene.labels}
    for number, stage in enumerate(scene.stages, 1):
        assert {str(number), stage.title} <= shown
        assert stage.sentence.endswith(".")
        assert stage.formula
    for before, after in itertools.pairwise(scene.stages):
        assert before.box.right <= after.box.left


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: f"{layout.width:.0f}")
def test_stages_in_several_rows_are_joined_by_arrows(minilm: Model, layout: Layout) -> None:
    scene = scene_of(run_of(minilm, ANIMAL), View(picture="steps"), layout)
    plain = [line for line in scene.connectors if not line.is_strong]
    for before, after in itertools.pairwise(scene.stages):
        ends = [
            line.points[-1]
            for line in plain
            if line.points[0][1] <= before.box.bottom + 3 and before.box.holds(*nudged(line.points[0]))
        ]
        assert any(after.box.left - 8 <= x <= after.box.right and abs(y - after.box.top) < 14 for x, y in ends), after.name


def nudged(point: tuple[float, float]) -> tuple[float, float]:
    """A point beside or below a stage, moved into it."""
    return point[0] - 5, point[1] - 4


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout.width > 400], ids=lambda layout: f"{layout.width:.0f}")
@each_case
def test_rows_of_the_flow_hold_no_more_than_fits(case: Case, layout: Layout) -> None:
    scene = of_case(case, layout)
    size = min(label.size for label in scene.labels) / SMALL  # figures may be drawn smaller
    strips = [strip.box for strip in scene.strips if strip.stage in ("vectors", "projections")]
    assert min(box.right - box.left for box in strips) >= 43.9 * size
    names = {row.text for row in scene.rows}
    assert not [label.text for label in scene.labels if label.text.endswith("\N{HORIZONTAL ELLIPSIS}") and label.text not in names]


def test_figures_keep_the_width_that_was_asked_for(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL)
    for width in (144.0, 312.0, 528.0, 700.0, 1400.0):
        assert scene_of(run, View(picture="steps"), Layout(width, caption=True)).width == width


@pytest.mark.parametrize("width", [528.0, 648.0])
def test_figures_of_a_pages_width_have_two_rows_and_fit_a_page(minilm: Model, width: float) -> None:
    run = run_of(minilm, ANIMAL)
    for layer, head in itertools.product(range(6), (1, 11)):
        view = View(picture="steps", layer=layer, heads=HeadChoice(frozenset({head}), 12))
        scene = scene_of(run, view, Layout(width, caption=True))
        assert len({stage.box.top for stage in scene.stages}) == 2
        assert scene.height < 8.5 * 96
        assert {label.size for label in scene.labels} <= {8, 9, 10}


def test_a_smaller_scene_has_all_lengths_smaller(minilm: Model) -> None:
    scene = scene_of(run_of(minilm, ANIMAL, 4, kept=0.5), View(picture="steps"))
    half = smaller(scene, 0.5)
    assert (half.width, half.height) == (scene.width / 2, scene.height / 2)
    for name in ("stages", "strips", "numbers", "words", "bars", "rows", "heads"):
        for one, other in zip(getattr(scene, name), getattr(half, name), strict=True):
            assert (other.box.left, other.box.right) == (one.box.left / 2, one.box.right / 2)
            assert (other.box.top, other.box.bottom) == (one.box.top / 2, one.box.bottom / 2)
    labels = zip([*scene.labels, *(n.label for n in scene.numbers)], [*half.labels, *(n.label for n in half.numbers)], strict=True)
    for one, other in labels:
        assert (other.x, other.baseline, other.text) == (one.x / 2, one.baseline / 2, one.text)
        assert abs(other.size - one.size / 2) <= 0.5
    assert [(band.top, band.height) for band in half.bands] == [(band.top / 2, band.height / 2) for band in scene.bands]
    assert [rule.y for rule in half.rules] == [rule.y / 2 for rule in scene.rules]
    assert [line.points[-1][1] for line in half.connectors] == [line.points[-1][1] / 2 for line in scene.connectors]
    assert scene.bands
    assert smaller(scene, 1.0) is scene


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [None, 2])
@each_case
def test_every_score_is_the_traces(case: Case, query: int | None) -> None:
    run = run_of_case(case.name)
    scene = of_case(case, query=query and min(query, len(run.trace.queries(case.kind)) - 1))
    steps, head, content = steps_of(scene, run, case), scene.content.head, scene.content
    made = [steps.products, steps.scaled]
    made += [] if steps.bias is None else [steps.bias]
    made += [steps.capped] if steps.capped is not None else [steps.scores] if steps.bias is not None else []
    rows = rows_of(scene, "scores")
    seen = [at for at, key in enumerate(content.shown, 1) if not steps.hidden[key]]
    sink = [at for at, row in enumerate(scene.rows) if row.text == "learned sink"]
    assert sorted(map(int, rows)) == sorted(seen + sink)
    for at in seen:
        key = content.shown[at - 1]
        assert len(rows[str(at)]) == len(made)
        for number, values in zip(rows[str(at)], made, strict=True):
            assert number.value == values[head, key]
            assert abs(parsed(number.label.text) - values[head, key]) <= rounding(number.label.text)
    for at in sink:
        (number,) = rows[str(at)]
        assert abs(parsed(number.label.text) - steps.sink_score[head]) <= rounding(number.label.text)


@pytest.mark.parametrize("query", [None, 2])
@each_case
def test_weights_are_the_traces_and_sum_as_shown(case: Case, query: int | None) -> None:
    run = run_of_case(case.name)
    scene = of_case(case, query=query and min(query, len(run.trace.queries(case.kind)) - 1))
    content, attention = scene.content, run.trace.attention(scene.content.layer, case.kind)
    weights = attention[content.head, content.query].astype(np.float64)
    rows = {int(at): numbers[-1] for at, numbers in rows_of(scene, "softmax").items()}
    for at, key in enumerate(content.shown, 1):
        text = rows[at].label.text
        assert abs(parsed(text) - weights[key]) <= 0.00051, key
    total = len(scene.rows) - 1
    assert parsed(rows[total].label.text) == 1.0
    assert abs(sum(parsed(one.label.text) for at, one in rows.items() if at != total) - 1.0) <= 0.0005 * len(rows)
    if content.rest:
        at = len(content.shown) + 1
        assert abs(parsed(rows[at].label.text) - weights[list(content.rest)].sum()) <= 0.00051
    assert {*content.shown, *content.rest} == set(range(len(weights)))


@each_case
def test_weighted_values_on_the_picture_sum_to_the_heads_output(case: Case) -> None:
    run = run_of_case(case.name)
    scene = of_case(case)
    strips = [strip for strip in scene.strips if strip.stage == "weighted"]
    assert len(strips) == len(scene.content.shown) + bool(scene.content.rest) + 1
    np.testing.assert_allclose(sum(s.values.astype(np.float64) for s in strips[:-1]), strips[-1].values, atol=2e-6)
    np.testing.assert_array_equal(strips[-1].values, steps_of(scene, run, case).context[scene.content.head])


@each_case
def test_strips_hold_the_traces_vectors(case: Case) -> None:
    run = run_of_case(case.name)
    scene = of_case(case)
    steps, content = steps_of(scene, run, case), scene.content
    head, shown = content.head, list(content.shown)
    entering = run.trace.hidden if case.kind == "cross" else run.trace.entering(content.layer, case.kind)
    wanted = {
        "vectors": [steps.entering, *entering[shown], *([] if steps.normed is None else [steps.normed])],
        "projections": [
            vector
            for name in ("projected", "normed", "turned")
            if (q := getattr(steps, f"q_{name}")) is not None
            for vector in (q[head], *getattr(steps, f"k_{name}")[head][shown])
        ]
        + list(steps.values[head][shown]),
    }
    for stage, vectors in wanted.items():
        strips = [strip for strip in scene.strips if strip.stage == stage]
        assert len(strips) == len(vectors)
        for strip, vector in zip(strips, vectors, strict=True):
            np.testing.assert_array_equal(strip.values, vector, err_msg=strip.what)
    heads = [strip for strip in scene.strips if strip.stage == "heads"]
    side_by_side = np.concatenate([s.values for s in heads if s.what == "all heads side by side"])
    np.testing.assert_array_equal(side_by_side, steps.concatenated)
    for strip, vector in zip((s for s in heads if s.what.startswith("output")), steps.context, strict=True):
        np.testing.assert_array_equal(strip.values, vector)


@each_case
def test_the_output_runs_from_the_projection_to_the_next_layer(case: Case) -> None:
    run = run_of_case(case.name)
    scene = of_case(case)
    steps = steps_of(scene, run, case)
    strips = [strip.values for strip in scene.strips if strip.stage == "output"]
    residual = steps.normed if run.model.config.stack.residual_is_normed else steps.entering
    wanted = [steps.projected, *([] if steps.output_normed is None else [steps.output_normed]), residual, steps.added]
    wanted += [] if np.array_equal(steps.added, steps.leaving) else [steps.leaving]
    for strip, vector in zip(strips, [*wanted, steps.next], strict=True):
        np.testing.assert_array_equal(strip, vector)
    (cosine,) = [number for number in scene.numbers if number.stage == "output"]
    before, after = steps.entering.astype(np.float64), steps.leaving.astype(np.float64)
    angle = before @ after / np.sqrt((before @ before) * (after @ after))
    assert abs(parsed(cosine.label.text) - angle) <= 0.006


@each_case
def test_the_softmax_formula_comes_out_as_it_says(case: Case) -> None:
    check_formula(of_case(case))


def test_the_softmax_formula_counts_a_learned_sink() -> None:
    case = Case("gpt-oss-windows-yarn", layer=0)
    run = run_of_case(case.name)
    head, query = np.unravel_index(run.trace.sink(0).argmax(), run.trace.sink(0).shape)
    scene = scene_of(run, view_of(case, run, int(head), int(query)))
    assert scene.content.steps.sink_share[head] > 0.1
    check_formula(scene)


@pytest.mark.parametrize("head_count", [1, 2, 384])
def test_formulas_of_large_scores_take_the_largest_off(minilm: Model, head_count: int) -> None:
    run = run_of(minilm, ANIMAL, head_count)
    for layer in range(6):
        check_formula(scene_of(run, View(picture="steps", layer=layer, focus=3)))


def check_formula(scene: StepsScene) -> None:
    """The formula under the softmax is the largest weight's, its sum is the table's, and its parts give the weight to the digit."""
    formula = next(stage.formula for stage in scene.stages if stage.name == "softmax").replace("\N{MINUS SIGN}", "-")
    formula = formula.replace("\N{NO-BREAK SPACE}", " ")
    found = re.search(r"exp\((-?[\d.,]+)(?: ([-+]) ([\d.]+))?\) ÷ ([\d.,]+) = ([\d.]+)$", formula)
    assert found, formula
    score, sign, taken, total, weight = found.groups()
    exponent = parsed(score) + (0.0 if taken is None else float(f"{sign}{taken}"))
    assert f"{np.exp(exponent) / parsed(total):.3f}" == weight
    key = scene.content.shown.index(int(scene.content.weights.argmax()))
    check_text(rows_of(scene, "softmax")[str(key + 1)][0].label.text, float(np.exp(exponent)))
    assert float(weight) == pytest.approx(float(scene.content.weights.max()), abs=0.00051)
    assert total in [number.label.text for number in scene.numbers if number.what == "sum of the exponentials"]


def shown_columns(scene: StepsScene, stage: StageName) -> list[list[str]]:
    """The texts of the numbers of a stage, row by row; the sum last."""
    return [[one.label.text for one in numbers] for numbers in rows_of(scene, stage).values() if numbers[0].label.ink != "faint"]


@pytest.mark.parametrize("query", [None, 2])
@each_case
def test_each_column_comes_out_of_the_shown_numbers_before_it(case: Case, query: int | None) -> None:
    run = run_of_case(case.name)
    check_columns(of_case(case, query=query and min(query, len(run.trace.queries(case.kind)) - 1)))


@pytest.mark.parametrize("head_count", [1, 12])
@pytest.mark.parametrize("n_token", [1, 12, 60])
def test_columns_of_a_trained_model_come_out_too(minilm: Model, n_token: int, head_count: int) -> None:
    run = run_of(minilm, text_of(minilm, n_token), head_count)
    for layer, head in itertools.product((0, 3, 5), range(0, head_count, 5)):
        check_columns(scene_of(run, View(picture="steps", layer=layer, heads=HeadChoice(frozenset({head}), head_count))))


def check_columns(scene: StepsScene) -> None:
    """What a reader with a calculator gets from the numbers on the picture is what stands there."""
    steps, texts = scene.content.steps, shown_columns(scene, "scores")
    cap = steps.look.soft_cap
    for row in (row for row in texts if len(row) > 1):  # the learned sink has a score alone
        shown = [parsed(text) for text in row]
        check_text(row[1], shown[0] * float(steps.scale))
        before = shown[1] if steps.bias is None else shown[1] + shown[2]
        if cap is not None:
            check_text(row[-1], cap * np.tanh(before / cap))
        elif steps.bias is not None:
            check_text(row[-1], before)
    *each, (total, _) = shown_columns(scene, "softmax")
    check_text(total, sum(parsed(own) for own, _ in each))
    for own, weight in each:
        check_text(weight, parsed(own) / parsed(total))


def check_text(text: str, value: float) -> None:
    """A number as it is written is that value to its last decimal; an exact half may go either way."""
    assert abs(parsed(text) - value) <= 0.5 * 10.0 ** -len(text.partition(".")[2]) + 1e-9, (text, value)


# --- what there is and what not ---------------------------------------------------------------------------------------


@each_case
def test_only_the_steps_that_the_model_has_are_named(case: Case) -> None:
    assert headings(of_case(case)) == case.headings
    words = " ".join(stage.sentence + stage.formula for stage in of_case(case).stages)
    assert ("RoPE" in words) == ("turned" in case.headings)
    assert ("tanh" in words) == ("capped" in case.headings)
    assert ("bias" in words) == ("+ bias" in case.headings)
    assert ("learned sink" in words) == case.name.startswith("gpt-oss")
    assert ("feed-forward part, from the same x" in words) == (case.name == "gpt-neox-parallel")


def test_heads_that_share_keys_are_named() -> None:
    run = run_of_case("llama-gqa")
    sentence = next(s.sentence for s in scene_of(run, view_of(CASES[2], run, head=3)).stages if s.name == "projections")
    assert "group 1 serve heads 2\N{EN DASH}3" in sentence
    alone = next(s.sentence for s in of_case(CASES[0]).stages if s.name == "projections")
    assert "group" not in alone


@pytest.mark.parametrize(
    ("head_count", "head", "said"),
    [
        (4, 2, "Here the trained heads 6\N{EN DASH}8 are one."),
        (1, 0, "Here the trained heads 0\N{EN DASH}11 are one."),
        (24, 7, "Here this is part 2 of 2 of the trained head 3."),
        (12, 7, None),
    ],
)
def test_a_what_if_says_what_its_head_is_made_of(minilm: Model, head_count: int, head: int, said: str | None) -> None:
    run = run_of(minilm, ANIMAL, head_count)
    view = View(picture="steps", layer=2, heads=HeadChoice(frozenset({head}), head_count))
    scene = scene_of(run, view)
    sentence = next(stage.sentence for stage in scene.stages if stage.name == "projections")
    assert ("Here" in sentence) == (said is not None)
    assert (said or "") in sentence
    if head_count == 4:  # of a merged head's query the first third is its first trained head's
        whole = next(strip for strip in scene.strips if strip.what.startswith("query of"))
        query = scene.content.query
        np.testing.assert_allclose(whole.values, run.trace.q(2)[query, 6 * 32 : 9 * 32], atol=1e-6)


def test_a_window_of_both_sides_says_how_far_it_reaches() -> None:
    run = run_of_case("modernbert-mlm")
    layers = run.trace.config.stack.looks
    layer = next(at for at, look in enumerate(layers) if look.reach is not None)
    scene = scene_of(run, View(picture="steps", layer=layer, focus=0))
    assert scene.content.steps.hidden.any()
    assert f"Only {layers[layer].reach} each way are seen." in next(s.sentence for s in scene.stages if s.name == "scores")


def test_keys_that_cannot_be_seen_are_named_and_weigh_nothing() -> None:
    scene = of_case(Case("llama-gqa"), query=4)
    later = [label for label in scene.labels if label.text == "cannot see"]
    assert len(later) == len(scene.content.keys) - 5
    faint = [number for number in scene.numbers if number.stage == "softmax" and number.label.text == "0"]
    assert len(faint) == len(later)
    names = {row.text for row in scene.rows if row.position is not None and row.position > 4}
    inks = {label.text: label.ink for label in scene.labels if label.text in names and label.x < scene.stages[1].box.left}
    assert set(inks) == names - {row.text for row in scene.rows[:6]}
    assert set(inks.values()) == {"faint"}
    assert "Later tokens cannot be seen." in next(s.sentence for s in scene.stages if s.name == "scores")


def test_an_early_query_of_a_long_text_shows_only_the_keys_that_it_sees() -> None:
    model = run_of_case("llama-gqa").model
    run = run_of(model, f"{ANIMAL} {ANIMAL}")
    content = scene_of(run, View(picture="steps", layer=1, focus=3)).content
    assert content.shown == (0, 1, 2, 3)
    assert len(content.rest) == len(run.trace.tokens) - 4 > 16


def test_a_window_says_how_far_it_reaches() -> None:
    run = run_of_case("mistral-window")
    scene = scene_of(run, View(picture="steps", layer=1))
    reach = run.trace.config.stack.looks[1].reach
    assert f"more than {reach} away" in next(s.sentence for s in scene.stages if s.name == "scores")


# --- whose steps ------------------------------------------------------------------------------------------------------


def test_the_query_is_the_pinned_token_or_the_last_of_the_text(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL)
    assert scene_of(run, View(picture="steps", focus=3)).content.query == 3
    last = scene_of(run, View(picture="steps"))
    assert last.content.query == len(run.trace.tokens) - 2
    assert lead_of(last).startswith("how “.” (token 13, the last token of the text; pick another with a click) gets")
    assert "last" not in lead_of(scene_of(run, View(picture="steps", focus=3)))
    paper = lead_of(scene_of(run, View(picture="steps"), Layout(1180.0, caption=True)))
    assert paper.startswith("how “.” (token 13, the last token of the text) gets")
    assert last.focus == last.content.query_position == len(run.trace.tokens) - 2


def test_queries_of_cross_attention_are_the_decoders() -> None:
    case = Case("t5-tied", "cross")
    run = run_of_case(case.name)
    n_key = len(run.trace.keys("cross"))
    view = view_of(case, run, query=0)
    scene = scene_of(run, view)
    assert (scene.content.query, scene.focus) == (0, n_key)
    assert scene.queries == tuple(range(n_key, n_key + len(run.trace.queries("cross"))))
    assert [row.is_query for row in scene.rows if row.position is not None] == [True] + [False] * len(scene.content.shown)
    of_encoder = scene_of(run, replace(view, focus=1))
    assert not of_encoder.content.was_pinned


def test_the_head_is_the_lowest_that_is_shown(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL)
    assert scene_of(run, View(picture="steps", heads=HeadChoice(frozenset({7, 4, 9}), 12))).content.head == 4
    assert scene_of(run, View(picture="steps")).content.head == 0
    # A choice made at 12 heads holds inside the 4 of a what-if.
    what_if = run_of(minilm, ANIMAL, 4, kept=0.7)
    assert scene_of(what_if, View(picture="steps", heads=HeadChoice(frozenset({7}), 12))).content.head == 2


@pytest.mark.parametrize("layout", [WINDOW, Layout(1180.0, caption=True)], ids=["window", "paper"])
def test_the_lead_says_when_the_head_is_one_of_several(minilm: Model, layout: Layout) -> None:
    run = run_of(minilm, ANIMAL)
    for heads in ({4}, {7, 4}, set(range(12))):
        lead = lead_of(scene_of(run, View(picture="steps", focus=3, heads=HeadChoice(frozenset(heads), 12)), layout))
        assert ("the lowest of those shown" in lead) == (len(heads) > 1)


def lead_of(scene: StepsScene) -> str:
    return next(label.text for label in scene.labels if label.text.startswith("how "))


def test_without_a_head_there_is_a_sentence_and_nothing_else(minilm: Model) -> None:
    scene = scene_of(run_of(minilm, ANIMAL), View(picture="steps", heads=HeadChoice(frozenset(), 12)))
    assert scene.content is None
    assert len(scene.stages) == len(scene.strips) == len(scene.numbers) == 0
    assert [label.text for label in scene.labels] == ["there is nothing to follow: no head is shown"]


def test_of_many_keys_the_strongest_have_rows_and_the_query_among_them(minilm: Model) -> None:
    run = run_of(minilm, text_of(minilm, 60))
    places = []
    for query, head in itertools.product((1, 30, 58), range(12)):
        view = View(picture="steps", layer=3, focus=query, heads=HeadChoice(frozenset({head}), 12))
        content = scene_of(run, view).content
        assert list(content.shown) == sorted(content.shown)
        assert len(content.shown) == 12
        assert query in content.shown
        others = [key for key in content.shown if key != query]
        assert content.weights[others].min() >= content.weights[list(content.rest)].max()
        places.append(int((content.weights > content.weights[query]).sum()))
    assert max(places) >= 12 > min(places)  # weak queries and strong ones were among them


def test_other_ways_to_treat_tokens_change_nothing_and_are_told_so(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL)
    plain = View(picture="steps", layer=2, focus=4, sinks=Sinks(treatment="show"))
    scene = scene_of(run, plain)
    assert not any("its own tokens" in label.text for label in scene.labels)
    changed = replace(plain, words=True, quantity="rollout", is_mean=True, between="across", sinks=Sinks())
    other = scene_of(run, changed)
    assert [number.value for number in other.numbers] == [number.value for number in scene.numbers]
    (note,) = [label.text for label in other.labels if "its own tokens" in label.text]
    assert all(word in note for word in ("words", "sinks", "pairs", "quantity", "mean"))


def test_the_description_says_what_the_picture_shows(minilm: Model) -> None:
    run = run_of(minilm, ANIMAL)
    scene = scene_of(run, View(picture="steps", layer=3, focus=10, heads=HeadChoice(frozenset({1}), 12)))
    assert "animal 0.70" in scene.description
    assert "layer 3, head 1 of 12" in scene.description


def test_the_steps_of_a_token_make_no_other_tokens_weights(minilm: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(minilm, ANIMAL)
    monkeypatch.setattr(Trace, "attention", lambda *_: pytest.fail("the attention of all tokens"))
    monkeypatch.setattr("attnviz.session.sight.make_sight", lambda *_: pytest.fail("the weights of all tokens"))
    assert scene_of(run, View(picture="steps", layer=3, focus=10)).content is not None

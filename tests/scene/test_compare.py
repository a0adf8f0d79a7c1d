"""Two runs as one picture: what can be compared looks alike, what differs is told, nothing lies on anything else."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.analysis.edges import Threshold
from attnviz.engine.changes import NOTHING, HeadAt
from attnviz.engine.model import load_model
from attnviz.scene.arcs.focus import focus_labels
from attnviz.scene.arcs.hit import arc_text, arc_under
from attnviz.scene.arcs.rows import set_rows
from attnviz.scene.compare.difference import build_difference
from attnviz.scene.compare.differences import differences
from attnviz.scene.compare.hit import point_at
from attnviz.scene.compare.parts import build_parts, edges_of_both
from attnviz.scene.compare.scene import CompareScene, TableScene
from attnviz.scene.compare.words import layers_phrase
from attnviz.scene.matrix.hit import spot_at, spot_text
from attnviz.scene.matrix.scene import MatrixScene, cell_colours
from attnviz.scene.numbers import MINUS
from attnviz.scene.page import MARGIN, Layout
from attnviz.scene.palette import head_colour
from attnviz.scene.pictures import build_scene
from attnviz.scene.ramps import difference_colours, ramp, steps_of
from attnviz.scene.scene import ArcScene
from attnviz.scene.theme import load_theme
from attnviz.session.comparison import comparison_of
from attnviz.session.measures import Measure, measures
from attnviz.session.sight import sight_of
from attnviz.session.view import HeadChoice, Sinks, View
from tests.golden.families_reader import write_model
from tests.scene.pictures import SHOWN, Room, label_room, run_of, stand_in_measure, text_of
from tests.session.compared import BOY, TIRED, WIDE, against, one_head, two_texts

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model
    from attnviz.scene.scene import Scene
    from attnviz.session.run import Run
    from attnviz.session.view import PictureKind, Setting

LIGHT: Final = load_theme("light")
PAPERS: Final = {"column": Layout(312.0, caption=True), "text": Layout(528.0, caption=True), "slide": Layout(1280.0, caption=True)}
WINDOW: Final = Layout(1000.0, 620.0)
H1: Final = HeadChoice(frozenset({1}), 12)
EVERYTHING: Final = Threshold("weight", 0.0)
each_picture: Final = pytest.mark.parametrize("picture", ["arcs", "matrix"])
each_setting: Final = pytest.mark.parametrize("setting", ["side", "difference"])


@pytest.fixture(scope="module")
def tired(minilm: Model) -> Run:
    return two_texts(minilm, TIRED, WIDE)


@pytest.fixture(scope="module")
def single(minilm: Model) -> Run:
    return one_head(minilm)


def picture(run: Run, view: View, layout: Layout = WINDOW) -> CompareScene:
    scene = build_scene(run, view, LIGHT, layout, stand_in_measure)
    assert isinstance(scene, CompareScene)
    return scene


def part(scene: CompareScene, name: str) -> Scene:
    found = scene.part(name)
    assert found is not None
    return found.scene


def texts(scene: Scene) -> list[str]:
    """All lines of a picture and its parts."""
    inner = [text for one in getattr(scene, "parts", ()) for text in texts(one.scene)]
    return [label.text for label in scene.labels] + inner


def label_rooms(scene: Scene, dx: float = 0.0, dy: float = 0.0) -> list[Room]:
    """The rooms of all labels of a picture and its parts, where they lie in it; and those of tokens and cells."""
    bar = getattr(scene, "bar", None)
    labels = [*scene.labels, *(bar.labels if bar is not None else ())]
    found = [label_room(label, stand_in_measure) for label in labels if label.text]
    if isinstance(scene, ArcScene):
        found += [Room(box.text, box.left, box.top, box.right, box.bottom) for box in scene.tokens]
    if isinstance(scene, MatrixScene):
        found += [Room(panel.title, *scene.cells(panel).room) for panel in scene.panels]
    found = [Room(room.what, room.left + dx, room.top + dy, room.right + dx, room.bottom + dy) for room in found]
    for one in getattr(scene, "parts", ()):
        found += label_rooms(one.scene, dx + one.left, dy + one.top)
    return found


@each_picture
@each_setting
@pytest.mark.parametrize("layout", [*PAPERS.values(), WINDOW], ids=[*PAPERS, "window"])
@pytest.mark.parametrize("focus", [None, 3])
def test_nothing_lies_on_anything_else(
    single: Run, tired: Run, picture_kind: PictureKind, setting: Setting, layout: Layout, focus: int | None
) -> None:
    for run in (single, tired):
        scene = picture(run, View(3, focus=focus, picture=picture_kind, setting=setting), layout)
        taken = label_rooms(scene)
        for number, one in enumerate(taken):
            assert one.within(scene.width, scene.height), one
            for other in taken[number + 1 :]:
                assert not one.overlaps(other, 1.0), (one, other)


@pytest.fixture
def picture_kind(picture: PictureKind) -> PictureKind:
    return picture


# Side by side


def test_arcs_stand_one_above_the_other_and_tokens_that_are_the_same_in_one_place(tired: Run) -> None:
    scene = picture(tired, View(3))
    above, below = scene.parts
    assert (above.name, below.name) == ("A", "B")
    assert above.left == below.left
    assert above.top + above.scene.height <= below.top + 1e-6
    assert above.scene.font_size == below.scene.font_size
    a, b = ({box.index: box for box in one.scene.tokens} for one in scene.parts)
    for i, j in comparison_of(tired, View(3)).alignment.pairs:
        if i in a and j in b:
            assert (a[i].text, a[i].middle, a[i].row) == (b[j].text, b[j].middle, b[j].row)
    tired_box, too, wide = (box[index] for box, index in ((a, 12), (b, 12), (b, 13)))
    assert (tired_box.text, too.text, wide.text) == ("tired", "too", "wide")
    assert too.left <= tired_box.left < tired_box.right <= wide.right


@pytest.mark.parametrize("width", [320.0, 528.0, 900.0])
@pytest.mark.parametrize("n_token", [8, 40])
def test_one_text_is_set_in_both_as_it_is_alone(minilm: Model, width: float, n_token: int) -> None:
    run = one_head(minilm, text_of(minilm, n_token))
    scene = picture(run, View(3), Layout(width, caption=True))
    sight = comparison_of(run, View(3)).a.sight
    alone = set_rows(sight.tokens, sight.visible, width - 2 * MARGIN, stand_in_measure)
    for one in ("A", "B"):
        boxes = part(scene, one).tokens
        assert part(scene, one).font_size == alone.font_size
        assert [(box.index, box.row) for box in boxes] == [(place.index, place.row) for place in alone.places]
        np.testing.assert_allclose(np.diff([box.left for box in boxes]), np.diff([place.left for place in alone.places]), atol=1e-3)


@settings(max_examples=40)
@given(st.text("abc .", min_size=1, max_size=60), st.text("abc .", min_size=1, max_size=60))
def test_any_two_texts_are_set_in_order_without_overlap(minilm: Model, one: str, other: str) -> None:
    run = two_texts(minilm, f"a {one}", f"b {other}")
    for scene in (part(picture(run, View(0), Layout(400.0, caption=True)), name) for name in ("A", "B")):
        places = [(box.row, box.left, box.right) for box in scene.tokens]
        assert [box.index for box in scene.tokens] == sorted(box.index for box in scene.tokens)
        for before, after in itertools.pairwise(places):
            assert before[0] < after[0] or (before[0] == after[0] and before[2] <= after[1] + 1e-3)
        assert all(left >= MARGIN - 1 and right <= 400.0 - MARGIN + 1 for _, left, right in places)


@pytest.mark.parametrize("view", [View(3), View(3, is_mean=True), View(3, quantity="norms"), View(3, H1)])
def test_like_weights_look_alike_in_both_arc_diagrams(tired: Run, view: View) -> None:
    scene = picture(tired, replace(view, threshold=EVERYTHING))
    a, b = (part(scene, name).arcs for name in "AB")
    weights = np.concatenate([a.weight, b.weight])
    order = np.argsort(weights)
    for of_both in (np.concatenate([a.opacity, b.opacity])[order], np.concatenate([a.width, b.width])[order]):
        assert (np.diff(of_both) >= -1e-6).all()
    if view.is_mean or view.quantity == "norms":
        assert max(a.opacity.max(), b.opacity.max()) == pytest.approx(0.98)
        assert min(a.opacity.max(), b.opacity.max()) < 0.98


def test_arches_of_one_span_are_as_high_in_both(single: Run) -> None:
    scene = picture(single, View(0, threshold=Threshold("weight", 0.3)), PAPERS["text"])
    rises = {}
    for name in "AB":
        arcs = part(scene, name).arcs
        for arc in np.flatnonzero((arcs.query == 3) & (arcs.key == 2)):
            ends, top = arcs.curve[arc, [0, 3]], arcs.curve[arc, 1, 1]
            rises[name] = float((ends[0, 1] - top) / abs(ends[1, 0] - ends[0, 0]) ** 0.62)  # as rises grow with spans
    assert rises["A"] == pytest.approx(rises["B"], rel=0.13)  # heads nest within each other


@pytest.mark.parametrize("layout", [WINDOW, PAPERS["text"]])
def test_matrices_stand_beside_each_other_with_one_scale_and_one_size_of_cells(tired: Run, layout: Layout) -> None:
    scene = picture(tired, View(3, H1, picture="matrix"), layout)
    a, b = scene.parts[:2]
    assert a.top == b.top
    assert a.left + a.scene.width <= b.left + 2 * MARGIN
    assert a.scene.scale == b.scene.scale
    assert a.scene.cell_width == pytest.approx(b.scene.cell_width, rel=0.05)
    assert a.scene.cell_height == pytest.approx(b.scene.cell_height, rel=0.05)
    assert a.top + a.scene.panels[0].top == b.top + b.scene.panels[0].top
    assert [bar is None for bar in (a.scene.bar, b.scene.bar, scene.bar)].count(False) == 1
    assert a.scene.can_slant == b.scene.can_slant


def test_matrices_of_many_heads_stand_below_each_other_on_paper(tired: Run) -> None:
    scene = picture(tired, View(3, picture="matrix"), PAPERS["text"])
    a, b = scene.parts[:2]
    assert (a.left, b.left) == (0.0, 0.0)
    assert a.top + a.scene.height <= b.top + 1e-6
    assert len(a.scene.panels) == len(b.scene.panels) == 12


def test_both_matrices_have_the_colours_of_the_larger_scale(tired: Run) -> None:
    view = View(3, H1, picture="matrix", quantity="norms")
    scales = [sight_of(run.trace, view).scale for run in (tired, tired.against)]
    assert scales[0] != scales[1]
    for run in (tired, against(tired.against, replace(tired, against=None))):
        scene = picture(run, view)
        for name in "AB":
            matrix = part(scene, name)
            assert max(scales) <= matrix.scale.top < 1.1 * max(scales)
            shares = steps_of(matrix.panels[0].weights / np.float32(matrix.scale.top))
            np.testing.assert_array_equal(cell_colours(matrix, matrix.panels[0]), ramp(LIGHT, 1)[shares])


def test_a_long_text_gives_both_runs_and_their_difference_logarithmic_colours(minilm: Model) -> None:
    scene = picture(two_texts(minilm, TIRED, text_of(minilm, 80)), View(3, H1, picture="matrix"))
    a, b = part(scene, "A"), part(scene, "B")
    assert a.scale == b.scale
    assert a.scale.is_log
    assert "attention, log" in [label.text for label in b.bar.labels]
    run = two_texts(minilm, text_of(minilm, 80), f"{text_of(minilm, 80)} again")
    for is_log in (None, False):
        difference = part(picture(run, View(3, H1, picture="matrix", setting="difference", is_log=is_log)), "difference")
        assert difference.scale.is_log == (is_log is None)
        assert ("attention, log" in [label.text for label in difference.bar.labels]) == (is_log is None)


@each_setting
def test_compared_matrices_whose_pixels_stand_for_several_weights_say_so(minilm: Model, setting: Setting) -> None:
    told = "a pixel on which several fall shows the " + ("strongest of them" if setting == "side" else "largest of them")
    for n_token, width in ((20, 700.0), (250, 200.0)):
        run = two_texts(minilm, text_of(minilm, n_token), f"{text_of(minilm, n_token)} again")
        view = View(3, H1, picture="matrix", setting=setting)
        for layout in (Layout(width, caption=True), Layout(width, 300.0)):
            scene = picture(run, view, layout)
            cells = [one.scene for one in scene.parts if isinstance(one.scene, MatrixScene)]
            is_shared = min(min(each.cell_width, each.cell_height) for each in cells) < 1
            assert is_shared == (n_token > 20)
            assert " ".join(texts(scene)).count(told) == is_shared
        halves = build_parts(run, view, LIGHT, (Layout(width, 300.0),) * 2, stand_in_measure) if setting == "side" else ()
        assert [" ".join(texts(half)).count(told) for half in halves] == [n_token > 20] * len(halves)


def test_weights_that_share_pixels_are_counted_of_either_run(minilm: Model) -> None:
    same, other = (two_texts(minilm, text_of(minilm, 250), f"{text_of(minilm, n)} no") for n in (249, 240))
    view = View(3, H1, picture="matrix")
    lines = [" ".join(texts(picture(run, view, Layout(200.0, caption=True)))) for run in (same, other)]
    assert "250 x 250 weights of A and B: a pixel" in lines[0]
    assert "250 x 250 weights of A, 241 x 241 weights of B: a pixel" in lines[1]


def test_each_side_of_another_head_count_shows_its_own_heads(single: Run) -> None:
    scene = picture(single, View(0, picture="matrix"), PAPERS["text"])
    assert [len(part(scene, name).panels) for name in "AB"] == [1, 12]
    assert part(scene, "A").panels[0].title == "L0.H0"
    arcs = picture(single, View(0))
    assert set(part(arcs, "A").arcs.head.tolist()) == {0}
    assert set(part(arcs, "B").arcs.head.tolist()) == set(range(12))


# The difference


def test_the_arcs_of_a_difference_have_two_colours_by_who_has_more(tired: Run) -> None:
    scene = part(picture(tired, View(3, setting="difference", threshold=EVERYTHING)), "difference")
    arcs, difference = scene.arcs, comparison_of(tired, View(3, setting="difference")).difference
    assert scene.is_difference
    assert arcs.colours == difference_colours(LIGHT)
    np.testing.assert_array_equal(arcs.weight, difference.sight.weights[arcs.head, arcs.query, arcs.key])
    np.testing.assert_array_equal(arcs.colour, arcs.weight < 0)
    assert len(arcs) == np.count_nonzero(difference.sight.weights)
    assert (np.diff(np.abs(arcs.weight)) >= 0).all()
    assert arcs.opacity[-1] == pytest.approx(0.98)


def test_a_threshold_by_weight_is_of_the_differences_size_either_way(tired: Run) -> None:
    scene = part(picture(tired, View(3, setting="difference", threshold=Threshold("weight", 0.1))), "difference")
    weights = comparison_of(tired, View(3, setting="difference")).difference.sight.weights
    assert len(scene.arcs) == np.count_nonzero(np.abs(weights) >= 0.1) > 0
    assert {-1.0, 1.0} == set(np.sign(scene.arcs.weight).tolist())


def test_which_arcs_are_drawn_of_more_than_can_be_is_said_of_either_run_and_of_the_difference(minilm: Model) -> None:
    run = two_texts(minilm, text_of(minilm, 60), text_of(minilm, 40))
    view = View(3, threshold=EVERYTHING)
    line = next(text for text in texts(picture(run, view, PAPERS["slide"])) if " arcs in A and " in text)
    whole = " ".join(texts(picture(run, view, PAPERS["slide"])))
    for letter, edges in zip("AB", edges_of_both(comparison_of(run, view)), strict=True):
        more = 2_700 - edges.spread.n_strongest
        assert f"2,700 of {edges.n_candidates:,} arcs in {letter}" in line
        assert f"of {edges.n_passed:,} in {letter} the {edges.spread.n_strongest:,} strongest and {more:,} more" in whole
    assert "so that the strongest from each group of 2 neighbouring tokens to each group is among them" in whole
    short = two_texts(minilm, text_of(minilm, 60), TIRED)
    one = " ".join(texts(picture(short, view, PAPERS["slide"])))
    assert re.search(r"of [\d,]+ in A the [\d,]+ strongest", one)
    assert not re.search(r"of [\d,]+ in B the", one)
    told = " ".join(texts(picture(run, replace(view, setting="difference"), PAPERS["slide"])))
    assert re.search(r"2,700 of [\d,]+ arcs, the most that are drawn at once, although [\d,]+ pass .* more, so that", told)


def test_the_numbers_of_a_difference_have_signs(tired: Run) -> None:
    scene = part(picture(tired, View(3, H1, focus=10, setting="difference")), "difference")
    numbers = {label.text: dot.colour for label, dot in focus_labels(scene, stand_in_measure)}
    more_in_a, more_in_b = difference_colours(LIGHT)
    assert numbers["+0.41"] == more_in_a
    assert numbers[f"{MINUS}0.08"] == more_in_b


def test_the_numbers_of_one_run_have_none_and_their_heads_colour(tired: Run) -> None:
    scene = part(picture(tired, View(3, H1, focus=10)), "A")
    assert [(label.text, dot.colour) for label, dot in focus_labels(scene, stand_in_measure)] == [("0.70", head_colour(1, LIGHT))]


def test_the_matrix_of_a_difference_has_both_runs_numbers_under_the_pointer(tired: Run) -> None:
    scene = picture(tired, View(3, H1, picture="matrix", setting="difference"))
    matrix = part(scene, "difference")
    panel, (row, column) = matrix.panels[0], (matrix.queries.texts.index("it"), matrix.keys.texts.index("animal"))
    cells = matrix.cells(panel)
    x, y = cells.left + (column + 0.5) * cells.width, cells.top + (row + 0.5) * cells.height
    told = spot_text(matrix, spot_at(matrix, [cells], x, y, stand_in_measure))
    assert told.endswith("L3.H1   +0.414   A 0.695, B 0.281")
    assert matrix.scale.is_signed
    assert matrix.scale.top >= np.abs(panel.weights).max() > 0.97 * matrix.scale.top
    assert [text for _, text in matrix.scale.ticks()] == [f"{MINUS}0.42", "0", "+0.42"]
    assert matrix.scale.number(-0.3) == f"{MINUS}0.30"
    assert matrix.scale.number(-0.3, short=True) == f"{MINUS}.30"


def test_a_cell_without_a_difference_has_the_papers_colour(minilm: Model) -> None:
    run = against(run_of(minilm, BOY), run_of(minilm, BOY))
    matrix = part(picture(run, View(3, H1, picture="matrix", setting="difference")), "difference")
    paper = [int(LIGHT.paper[i : i + 2], 16) for i in (1, 3, 5)]
    assert (cell_colours(matrix, matrix.panels[0]) == paper).all()


@each_picture
def test_no_difference_is_told(minilm: Model, picture_kind: PictureKind) -> None:
    run = against(run_of(minilm, BOY), run_of(minilm, BOY))
    scene = picture(run, View(3, picture=picture_kind, setting="difference"))
    assert "no difference: both runs have the same weights here" in texts(scene)
    if picture_kind == "arcs":
        assert len(part(scene, "difference").arcs) == 0


def test_what_has_no_counterpart_is_told_and_drawn_faintly(tired: Run) -> None:
    scene = picture(tired, View(3, H1, setting="difference"), Layout(1600.0, 700.0))
    told = next(text for text in texts(scene) if text.startswith("without a counterpart"))
    assert "“tired” in A, “too wide” in B" in told
    assert "20\N{NO-BREAK SPACE}% of what A shows and 36\N{NO-BREAK SPACE}% of what B shows" in told
    box = next(box for box in part(scene, "difference").tokens if box.text == "tired")
    assert box.is_quiet


def test_that_means_are_compared_is_told(single: Run) -> None:
    told = texts(picture(single, View(0, setting="difference")))
    assert "A has 1 head and B 12, so the difference is that of the means of the shown heads" in told


# What is told


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"head_count": 1}, ("with 1 head", "trained with 12 heads")),
        ({"muted": [(3, 1)]}, ("head muted: L3.H1", "no head changed")),
        ({"muted": [(3, 1), (4, 2)], "muting": "uniform"}, ("heads muted (uniform attention): L3.H1, L4.H2", "no head changed")),
        ({}, ("this run", "the same run again")),
    ],
)
def test_what_tells_two_runs_apart_is_said_in_a_few_words(
    minilm: Model, change: dict[str, object], wanted: tuple[str, str]
) -> None:
    changes = NOTHING.with_muting(change.get("muting", "zero"))
    for layer, head in change.get("muted", ()):
        changes = changes.with_muted(HeadAt("encoder", layer, head), True)
    plain = run_of(minilm, BOY)
    trace = minilm.trace(BOY, head_count=change.get("head_count"), changes=changes)
    assert differences(against(replace(plain, trace=trace), plain)) == wanted


def test_of_two_texts_both_are_said_and_of_long_ones_where_they_part(minilm: Model) -> None:
    assert differences(two_texts(minilm, TIRED, WIDE)) == (f"“{TIRED}”", f"“{WIDE}”")
    long = text_of(minilm, 60)
    one, other = differences(two_texts(minilm, f"{long} tired", f"{long} wide"))
    assert one.startswith("“…")
    assert one.endswith("tired”")
    assert other.endswith("wide”")
    assert len(one) < 100


def test_two_models_are_said_by_name(minilm: Model, tmp_path: Path) -> None:
    other = load_model(write_model("llama-gqa", tmp_path))
    assert differences(against(run_of(minilm, "a"), run_of(other, "a"))) == (minilm.name, other.name)


@each_picture
@each_setting
def test_a_what_if_is_told_with_the_letter_of_its_run(single: Run, picture_kind: PictureKind, setting: Setting) -> None:
    scene = picture(single, View(0, picture=picture_kind, setting=setting))
    told = [text for text in texts(scene) if "What if this model had 1 head" in text]
    assert len(told) == 1
    assert told[0].startswith("A: ")


@pytest.mark.parametrize("kind", ["grid", "steps"])
def test_other_pictures_are_of_a_alone_and_say_so(single: Run, kind: PictureKind) -> None:
    scene = build_scene(single, View(0, picture=kind, focus=2), LIGHT, WINDOW, stand_in_measure)
    assert not isinstance(scene, CompareScene)
    assert any(text.startswith("This picture is of A alone, with 1 head") for text in texts(scene))


def test_where_the_weight_of_either_run_went_is_told(single: Run) -> None:
    told = texts(picture(single, View(0)))
    assert any(text.startswith("A\N{EM SPACE}hidden: [CLS] [SEP], mean 24 % of the attention") for text in told)
    assert any(text.startswith("B\N{EM SPACE}hidden: [CLS] [SEP], mean 31 % of the attention") for text in told)


# The table and the chart


def test_a_measure_that_the_other_run_alone_has_is_one_of_the_layer() -> None:
    nan = float("nan")
    assert Measure("entropy", (nan, 1.0), (nan, 1.0)).is_of_layer
    assert not Measure("cosine_to_trained", (nan, nan), (0.9, 1.0)).is_of_layer


def test_the_layer_that_is_measured_of_either_run_is_told(minilm: Model, tmp_path: Path) -> None:
    run = against(run_of(minilm, "the cat"), run_of(load_model(write_model("bert-mlm", tmp_path / "bert")), "the cat"))
    assert layers_phrase(run, View(5)) == "layers 5, 1"
    assert layers_phrase(run, View(1)) == "layer 1"


def test_the_table_has_every_measure_of_both_runs(single: Run) -> None:
    table = part(picture(single, View(0), PAPERS["text"]), "measures")
    assert isinstance(table, TableScene)
    rows = measures(single, View(0))
    for row in rows:
        name = next(label for label in table.labels if row.text.startswith(label.text))
        values = [label.text for label in table.labels if label.baseline == name.baseline and label is not name]
        assert values == [row.written(value) for value in (*row.layer, *row.mean)]
    assert picture(single, View(0)).part("measures") is None  # in the window it stands elsewhere


def test_a_narrow_table_has_long_names_in_two_lines(single: Run) -> None:
    table = part(picture(single, View(0), PAPERS["column"]), "measures")
    assert "cosine of the output to the trained run" not in texts(table)
    assert all(room.within(table.width, table.height) for room in label_rooms(table))


def test_the_chart_is_of_the_token_in_focus(minilm: Model) -> None:
    run = two_texts(minilm, "I deposited money in the bank.", "The muddy bank was covered with reeds.")
    chart = part(picture(run, View(5, focus=run.trace.tokens.index("bank")), PAPERS["text"]), "layers")
    assert [round(point.value, 2) for point in chart.points] == [0.96, 0.86, 0.73, 0.73, 0.74, 0.79, 0.69]
    assert [point.what for point in chart.points if point.is_strong] == ["entering layer 5"]
    assert {"0.96", "0.79", "0.69"} <= set(texts(chart))
    assert all(b.x > a.x for a, b in itertools.pairwise(chart.points))
    assert all((a.value < b.value) == (a.y > b.y) for a in chart.points for b in chart.points if a.value != b.value)
    assert all(chart.box.top - 1 <= point.y <= chart.box.bottom + 1 for point in chart.points)


def test_there_is_no_chart_without_a_focus_or_a_counterpart(tired: Run) -> None:
    assert picture(tired, View(3), PAPERS["text"]).part("layers") is None
    assert picture(tired, View(3, focus=12), PAPERS["text"]).part("layers") is None


# For two widgets, and under the pointer


@each_picture
def test_both_parts_can_have_a_widget_each(single: Run, picture_kind: PictureKind) -> None:
    layouts = (Layout(480.0, 500.0), Layout(520.0, 500.0))
    a, b = build_parts(single, View(0, picture=picture_kind), LIGHT, layouts, stand_in_measure)
    assert (a.width, b.width) == (480.0, 520.0)
    assert any("What if" in text for text in texts(a))
    assert not any("What if" in text for text in texts(b))
    if picture_kind == "matrix":
        assert (a.bar, b.bar is None, a.scale == b.scale) == (None, False, True)
    else:
        assert a.font_size == b.font_size
    for scene in (a, b):
        taken = label_rooms(scene)
        assert all(room.within(scene.width, scene.height) for room in taken)
        assert not any(one.overlaps(other, 1.0) for one, other in itertools.combinations(taken, 2))


def test_a_strip_above_one_of_two_widgets_moves_neither_matrix(minilm: Model) -> None:
    run = against(run_of(minilm, BOY, 12), run_of(minilm, "The girl who studied hard passed it."))
    run = replace(run, trace=minilm.trace(BOY, changes=NOTHING.with_muted(HeadAt("encoder", 0, 1), True)))
    layout = Layout(480.0, 500.0)
    a, b = build_parts(run, View(3, H1, picture="matrix"), LIGHT, (layout, layout), stand_in_measure)
    assert a.bands
    assert not b.bands
    assert a.panels[0].top == b.panels[0].top
    assert a.cell_height == pytest.approx(b.cell_height, rel=0.05)


@each_picture
def test_a_difference_can_have_a_widget_of_its_own(tired: Run, picture_kind: PictureKind) -> None:
    scene = build_difference(tired, View(3, picture=picture_kind), LIGHT, WINDOW, stand_in_measure)
    assert isinstance(scene, ArcScene if picture_kind == "arcs" else MatrixScene)
    assert scene.height == WINDOW.height


def test_an_arc_of_a_difference_is_read_with_its_sign(tired: Run) -> None:
    scene = part(picture(tired, View(3, H1, setting="difference", threshold=Threshold("weight", 0.3))), "difference")
    told = arc_text(scene, arc_under(scene, *arc_middle(scene, 0)))
    assert "animal" in told
    assert told.endswith("H1   +0.414")


def arc_middle(scene: ArcScene, arc: int) -> tuple[float, float]:
    """A point half along an arc."""
    start, one, other, end = scene.arcs.curve[arc].astype(float)
    x, y = (start + 3 * one + 3 * other + end) / 8
    return float(x), float(y)


def test_the_pointer_reads_a_point_of_the_chart(tired: Run) -> None:
    chart = part(picture(tired, View(3, focus=10), PAPERS["text"]), "layers")
    point = chart.points[3]
    assert point_at(chart, point.x + 2.0, point.y - 2.0) is point
    assert point.what == "entering layer 3"
    assert point_at(chart, point.x, point.y + 40.0) is None


# Other models


@each_setting
def test_a_decoder_beside_its_encoder_is_compared_too(tmp_path: Path, setting: Setting) -> None:
    model = load_model(write_model("t5-tied", tmp_path))
    run = against(run_of(model, "the fox sat", pair="the den"), run_of(model, "the den sat", pair="the fox"))
    scene = picture(run, View(1, kind="cross", sinks=SHOWN, setting=setting, threshold=EVERYTHING), PAPERS["text"])
    for one in scene.parts[:1]:
        assert {box.row for box in one.scene.tokens} == {0, 1}


@each_picture
@each_setting
@pytest.mark.parametrize("sinks", [Sinks(treatment="dim"), Sinks(frozenset({"special", "first"}), "renormalise")])
def test_every_treatment_of_sinks_can_be_compared(tired: Run, picture_kind: PictureKind, setting: Setting, sinks: Sinks) -> None:
    scene = picture(tired, View(2, picture=picture_kind, setting=setting, sinks=sinks), PAPERS["text"])
    assert scene.description


@each_picture
@each_setting
def test_no_head_and_no_token_are_compared_too(tired: Run, minilm: Model, picture_kind: PictureKind, setting: Setting) -> None:
    nothing = View(2, HeadChoice(frozenset(), 12), picture=picture_kind, setting=setting)
    picture(tired, nothing, PAPERS["text"])
    full_stops = two_texts(minilm, ".", "!")
    hidden = View(2, picture=picture_kind, setting=setting, sinks=Sinks(frozenset({"special", "punctuation", "first"})))
    picture(full_stops, hidden, PAPERS["text"])
    picture(full_stops, hidden)

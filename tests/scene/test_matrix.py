"""The matrix as data: its numbers are the trace's, nothing on it overlaps or leaves it, and the pointer meets what is there."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attnviz.engine.model import load_model
from attnviz.scene.matrix.colour_bar import level_bar, upright_bar
from attnviz.scene.matrix.colour_scale import ColourScale, difference_scale, scale_for
from attnviz.scene.matrix.hit import NOWHERE, Spot, spot_at, spot_text
from attnviz.scene.matrix.maps import MOST_PANELS
from attnviz.scene.matrix.panels import arrange
from attnviz.scene.matrix.scene import Cells, MatrixScene, TokenSide, cell_colours, number_type, weight_text
from attnviz.scene.matrix.sides import SideLabel, SideSpace, column_labels, elided, pitch, row_labels, way_of
from attnviz.scene.numbers import MINUS
from attnviz.scene.oklab import levels_of
from attnviz.scene.page import Layout
from attnviz.scene.palette import head_colour
from attnviz.scene.pictures import build_scene
from attnviz.scene.ramps import N_STEP, ramp
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import MEAN
from tests.golden.families_reader import read_about, write_model
from tests.scene.pictures import SHOWN, label_room, run_of, stand_in_measure, text_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.session.run import Run

ANIMAL: Final = "The animal didn't cross the street because it was tired."
LIGHT, DARK = load_theme("light"), load_theme("dark")
SIZES: Final = (1, 2, 5, 15, 40, 120)
WIDE: Final = (1180.0, 560.0)

Corners = list[tuple[float, float]]


@pytest.fixture(scope="module")
def runs(minilm: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    made = {str(n): run_of(minilm, text_of(minilm, n)) for n in SIZES}
    made |= {
        "animal": run_of(minilm, ANIMAL),
        "what-if": run_of(minilm, ANIMAL, 4, 0.76),
        "48 heads": run_of(minilm, ANIMAL, 48, 0.7),
    }
    made |= {"pair": run_of(minilm, "Who sang?", pair="The cat sang all night.")}
    made |= {"pieces": run_of(minilm, "unbelievably lighthouses")}
    for name, case in (("causal", "gpt2-lm"), ("translator", "marian-mt")):
        model = load_model(write_model(case, tmp_path_factory.mktemp(case)))
        text, pair = read_about(case)["texts"][0]
        made[name] = run_of(model, text, pair=pair)
    return made


def view_of(*heads: int, of: int = 12, **rest: object) -> View:
    return View(picture="matrix", layer=rest.pop("layer", 1), heads=HeadChoice(frozenset(heads), of), **rest)


def build(run: Run, view: View, size: tuple[float, float] = WIDE, caption: bool = False) -> MatrixScene:
    scene = build_scene(run, view, LIGHT, Layout(*size, caption), stand_in_measure)
    assert isinstance(scene, MatrixScene)
    return scene


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", range(6))
def test_each_cell_is_the_weight_that_the_trace_has(runs: dict[str, Run], layer: int) -> None:
    run = runs["animal"]
    scene = build(run, View(picture="matrix", layer=layer, sinks=SHOWN))
    assert [panel.head for panel in scene.panels] == list(range(12))
    for panel in scene.panels:
        assert panel.title == f"L{layer}.H{panel.head}"
        np.testing.assert_array_equal(panel.weights, run.trace.attention(layer)[panel.head])


def test_the_matrix_of_the_mean_is_the_mean(runs: dict[str, Run]) -> None:
    run = runs["animal"]
    scene = build(run, view_of(2, 5, is_mean=True, sinks=SHOWN))
    (panel,) = scene.panels
    assert panel.head == MEAN
    assert panel.title == "L1 mean"
    np.testing.assert_allclose(panel.weights, run.trace.attention(1)[[2, 5]].mean(axis=0), atol=1e-7)


def test_a_sink_that_is_no_special_token_keeps_its_row_and_loses_its_column(runs: dict[str, Run]) -> None:
    run = runs["animal"]
    scene = build(run, view_of(3, sinks=Sinks(frozenset({"punctuation", "special"}))))
    dots = [i for i, piece in enumerate(run.trace.pieces) if piece.shown in (".", "'")]
    assert set(dots) <= set(scene.queries.positions)
    assert not set(dots) & set(scene.keys.positions)
    kept = np.ix_(scene.queries.positions, scene.keys.positions)
    np.testing.assert_array_equal(scene.panels[0].weights, run.trace.attention(1)[3][kept])
    assert not {0, len(run.trace.pieces) - 1} & {*scene.queries.positions, *scene.keys.positions}


def test_the_columns_of_a_translator_are_the_encoders_tokens(runs: dict[str, Run]) -> None:
    run = runs["translator"]
    scene = build(run, View(picture="matrix", layer=0, kind="cross", sinks=SHOWN))
    n_key = len(run.trace.tokens)
    assert scene.keys.positions == tuple(range(n_key))
    assert scene.queries.positions == tuple(range(n_key, n_key + run.trace.attention(0, "cross").shape[1]))
    np.testing.assert_array_equal(scene.panels[0].weights, run.trace.attention(0, "cross")[0])
    assert scene.masked is None


def test_only_what_comes_after_is_masked(runs: dict[str, Run]) -> None:
    scene = build(runs["causal"], View(picture="matrix", layer=1, sinks=SHOWN))
    n = len(scene.queries)
    np.testing.assert_array_equal(scene.masked, np.triu(np.ones((n, n), bool), 1))
    assert all((panel.weights[scene.masked] == 0).all() for panel in scene.panels)
    assert build(runs["animal"], view_of(1)).masked is None


def test_words_are_one_row_and_one_column(runs: dict[str, Run]) -> None:
    scene = build(runs["pieces"], view_of(1, words=True))
    assert scene.queries.texts == scene.keys.texts == ("unbelievably", "lighthouses")
    assert scene.panels[0].weights.shape == (2, 2)


def test_pieces_of_a_word_are_joined_and_two_texts_are_parted(runs: dict[str, Run]) -> None:
    pieces = build(runs["pieces"], view_of(1)).queries
    assert [text for text, joined in zip(pieces.texts, pieces.joined, strict=True) if not joined] == ["un", "lighthouse"]
    pair = runs["pair"]
    scene = build(pair, view_of(1, sinks=SHOWN))
    second = next(i for i, piece in enumerate(pair.trace.pieces) if piece.sequence == 1)
    assert scene.queries.text_starts == scene.keys.text_starts == (second,)


def test_only_what_stands_side_by_side_is_joined(runs: dict[str, Run]) -> None:
    run = run_of(runs["causal"].model, "well-known, isn't it?")
    joined = 0
    for kinds in ({"special"}, {"punctuation"}, {"first"}):
        for side in (scene := build(run, View(picture="matrix", sinks=Sinks(frozenset(kinds))))).queries, scene.keys:
            for place in np.flatnonzero(side.joined).tolist():
                assert side.positions[place] == side.positions[place - 1] + 1
                joined += 1
    assert joined


def test_what_is_dimmed_is_quiet_on_both_sides(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], view_of(1, sinks=Sinks(frozenset({"punctuation"}), "dim")))
    for side in (scene.queries, scene.keys):
        quiet = [text for text, is_quiet in zip(side.texts, side.is_quiet, strict=True) if is_quiet]
        assert quiet == ["[CLS]", "'", ".", "[SEP]"]


# --- colours ----------------------------------------------------------------------------------------------------------


@given(st.floats(1e-6, 1e6), st.booleans())
def test_a_scale_ends_just_above_the_largest_weight_at_a_round_number(largest: float, bounded: bool) -> None:
    scale = scale_for(largest, 1.0 if bounded else None, False)
    assert scale.top == 1.0 or not bounded or largest <= 1.0
    if not bounded or largest <= 1.0:
        assert largest <= scale.top * (1 + 1e-5)
        assert scale.top <= (2.5 if bounded else 1.1) * largest * (1 + 1e-5)
    digits = f"{scale.top:.6e}".split("e")[0]
    assert digits in ("1.000000", "2.000000", "5.000000") if bounded else digits.endswith("00000")
    shares = [share for share, _ in scale.ticks()]
    assert shares == [0.0, 0.5, 1.0]
    for share, text in scale.ticks():
        assert float(text) == pytest.approx(share * scale.top, rel=1e-2, abs=1e-9)


@given(st.integers(-4, 5), st.sampled_from([1.0, 2.0, 5.0]), st.floats(0, 1))
def test_numbers_in_cells_have_two_digits_or_three_of_the_largest_and_one_width(power: int, step: float, share: float) -> None:
    scale = ColourScale(float(f"{step}e{power}"))
    weight = share * scale.top
    text = scale.number(weight)
    assert len(text) <= len(scale.number(scale.top))
    assert abs(float(text) - weight) <= scale.least_number * (1 + 1e-6)
    assert abs(float(text) - weight) <= 0.05 * scale.top
    assert (float(text) == 0) == (weight < scale.least_number) or weight == pytest.approx(scale.least_number)
    if 0.2 <= scale.top <= 1.0:
        assert text == f"{weight:.2f}"
    short = scale.number(weight, short=True)
    assert float(short) == float(text)
    assert len(short) == len(text) - (scale.top <= 1.0)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=30), st.booleans())
def test_a_larger_weight_never_has_a_smaller_share(weights: list[float], is_log: bool) -> None:
    scale = ColourScale(1.0, is_log)
    ordered = np.sort(np.array(weights, np.float32))
    shares = scale.shares(ordered)
    assert shares.dtype == np.float32
    assert (np.diff(shares) >= 0).all()
    for weight, share in zip(ordered.tolist(), shares.tolist(), strict=True):
        wanted = max(0.0, 1 + math.log10(max(weight, 1e-9)) / 3) if is_log else weight
        assert share == pytest.approx(wanted, abs=1e-5)


def test_the_logarithms_marks_are_three_decades_and_the_least_stands_for_all_below() -> None:
    marks = ColourScale(1.0, True).ticks()
    assert [text for _, text in marks] == ["\N{LESS-THAN OR EQUAL TO} 0.001", "0.01", "0.1", "1"]
    assert [share for share, _ in marks] == pytest.approx([0, 1 / 3, 2 / 3, 1])


@given(st.lists(st.floats(-0.5, 0.5, width=32), min_size=2, max_size=30))
def test_differences_on_a_logarithm_have_two_decades_either_way(weights: list[float]) -> None:
    scale = difference_scale(0.5, is_log=True)
    ordered = np.sort(np.array(weights, np.float32))
    shares = scale.shares(ordered)
    assert shares.dtype == np.float32
    assert (np.diff(shares) >= 0).all()
    np.testing.assert_allclose(shares + scale.shares(-ordered), 1, atol=1e-6)
    for weight, share in zip(ordered.tolist(), shares.tolist(), strict=True):
        strength = max(0.0, 1 + math.log10(max(abs(weight) / 0.5, 1e-9)) / 2)
        assert share == pytest.approx((1 + math.copysign(strength, weight)) / 2, abs=1e-5)
    assert [share for share, _ in scale.ticks()] == [0, 0.25, 0.5, 0.75, 1]
    texts = [f"{MINUS}0.5", f"{MINUS}0.05", "0 \N{PLUS-MINUS SIGN} 0.005", "+0.05", "+0.5"]
    assert [text for _, text in scale.ticks()] == texts


@pytest.mark.parametrize("scale", [scale_for(1.0, 1.0, True), scale_for(0.9, 1.0, False), difference_scale(0.34, is_log=True)])
@pytest.mark.parametrize("length", [56.0, 96.0, 150.0, 400.0])
def test_the_marks_of_a_short_bar_do_not_run_into_each_other_and_both_ends_are_there(scale: ColourScale, length: float) -> None:
    texts = [text for _, text in scale.ticks()]
    upright = upright_bar(0.0, 0.0, length + 24, None, scale, ["attention"])
    level = level_bar(0.0, max(length, 96.0), 0.0, None, scale, ["attention"], stand_in_measure)
    for bar in (upright, level):
        marks = bar.labels[:-1]
        assert [marks[0].text, marks[-1].text] == [texts[0], texts[-1]]
        assert [mark.text for mark in marks] == texts or length < 250
        rooms = [label_room(mark, stand_in_measure) for mark in marks]
        assert not any(one.overlaps(other) for one, other in itertools.pairwise(rooms))


def test_a_long_text_has_logarithmic_colours_and_says_so_in_a_window_as_on_its_bar(runs: dict[str, Run]) -> None:
    for name, is_long in (("40", False), ("120", True)):
        for heads in ((4,), range(12)):
            by_itself, on_paper = (build(runs[name], view_of(*heads), size) for size in ((900.0, 560.0), (600.0, 0.0)))
            chosen = build(runs[name], view_of(*heads, is_log=is_long), (900.0, 560.0))
            assert [scene.scale.is_log for scene in (by_itself, on_paper, chosen)] == [is_long] * 3
            for scene in (by_itself, on_paper, chosen):
                says_why = any(label.text.startswith("the text is long") for label in scene.labels)
                assert says_why == (is_long and scene is by_itself)
                assert any(label.text.startswith("attention, log") for label in scene.bar.labels) == is_long


@pytest.mark.parametrize("is_log", [False, True])
def test_each_cell_has_the_colour_that_the_bar_has_at_its_weight(runs: dict[str, Run], is_log: bool) -> None:
    scene = build(runs["animal"], view_of(4, is_log=is_log))
    (panel,) = scene.panels
    colours = cell_colours(scene, panel)
    steps = ramp(LIGHT, 4)
    for row, column in np.ndindex(panel.weights.shape):
        weight = float(panel.weights[row, column]) / scene.scale.top
        share = max(0.0, 1 + math.log10(max(weight, 1e-9)) / 3) if is_log else weight
        near = [steps[min(max(round(share * (N_STEP - 1)) + d, 0), N_STEP - 1)].tolist() for d in (-1, 0, 1)]
        assert colours[row, column].tolist() in near


def test_zero_is_paper_and_masked_cells_are_not(runs: dict[str, Run]) -> None:
    scene = build(runs["causal"], View(picture="matrix", layer=0, sinks=SHOWN))
    colours = cell_colours(scene, scene.panels[0])
    assert (colours[scene.masked] == levels_of(LIGHT.panel)).all()
    empty = replace(scene.panels[0], weights=np.zeros_like(scene.panels[0].weights))
    assert (cell_colours(scene, empty)[~scene.masked] == levels_of(LIGHT.paper)).all()


def test_dimmed_columns_are_veiled_and_the_others_as_if_those_were_hidden(runs: dict[str, Run]) -> None:
    run = runs["animal"]
    dim, shown, hidden = (build(run, view_of(1, sinks=Sinks(treatment=how))) for how in ("dim", "show", "hide"))
    assert dim.dimmed.tolist() == [position in (0, len(run.trace.pieces) - 1) for position in dim.keys.positions]
    assert dim.scale == hidden.scale
    paper = levels_of(LIGHT.paper).astype(int)
    far = [np.abs(cell_colours(scene, scene.panels[0]).astype(int) - paper).sum(axis=(0, 2)) for scene in (dim, shown)]
    assert far[0][dim.dimmed].sum() < 0.5 * far[1][dim.dimmed].sum()
    inner = np.ix_(range(1, len(dim.queries) - 1), ~dim.dimmed)
    np.testing.assert_array_equal(cell_colours(dim, dim.panels[0])[inner], cell_colours(hidden, hidden.panels[0]))


def test_rollout_is_one_map_of_the_shown_heads(runs: dict[str, Run]) -> None:
    run = runs["animal"]
    scene = build(run, view_of(1, 2, layer=2, quantity="rollout", sinks=SHOWN))
    (panel,) = scene.panels
    assert panel.title == "rollout"
    slow = np.eye(len(run.trace.pieces))
    for layer in range(3):
        slow = (0.5 * run.trace.attention(layer)[[1, 2]].mean(axis=0, dtype=np.float64) + 0.5 * np.eye(len(slow))) @ slow
    np.testing.assert_allclose(panel.weights, slow, atol=1e-5)
    assert any(label.text.startswith("rollout") and label.x == scene.bar.left for label in scene.bar.labels)


def test_norms_have_a_scale_of_their_own(runs: dict[str, Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = runs["animal"]
    norms = 37.0 * run.trace.attention(1)[[4]]
    monkeypatch.setattr("attnviz.session.sight.weights_of", lambda *_: (norms, norms.sum(-1), np.zeros_like(norms[..., 0])))
    scene = build(run, view_of(4, quantity="norms"))
    largest = float(norms[0, 1:-1, 1:-1].max())
    assert largest <= scene.scale.top <= 1.1 * largest
    assert scene.scale.top > 1.0
    told = [label.text for label in scene.bar.labels]
    assert {"norm", f"largest {weight_text(largest, 'norms')}"} <= set(told)
    row, column = np.unravel_index(scene.panels[0].weights.argmax(), scene.panels[0].weights.shape)
    text = spot_text(scene, Spot(0, int(row), int(column)))
    assert text is not None
    assert text.endswith(f"L1.H4   {weight_text(largest, 'norms')}")


def test_all_panels_share_one_scale(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], View(picture="matrix", layer=3))
    largest = max(float(panel.weights.max()) for panel in scene.panels)
    assert scene.scale.top == 1.0
    assert 0.5 < largest <= 1.0
    assert scene.bar is not None
    assert scene.bar.head is None
    assert "largest 0.70" in [label.text for label in scene.bar.labels]
    assert build(runs["animal"], view_of(4)).bar.head == 4


@pytest.mark.parametrize(
    ("weight", "quantity", "text"),
    [
        (0.704, "attention", "0.70"),
        (1.0, "attention", "1.00"),
        (0.0031, "attention", "0.0031"),
        (12.34, "norms", "12"),
        (0.0456, "norms", "0.046"),
        (345.6, "norms", "346"),
    ],
)
def test_weights_are_told_to_two_places(weight: float, quantity: str, text: str) -> None:
    assert weight_text(weight, quantity) == text


# --- what stands where ------------------------------------------------------------------------------------------------


def box(left: float, top: float, right: float, bottom: float) -> Corners:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def label_corners(label: SideLabel, size: int) -> Corners:
    """The turned box of a token's label: capitals reach 0.72 of the size above its baseline, tails 0.24 below."""
    length = stand_in_measure(label.text, size, False)
    start = {"left": 0.0, "middle": -length / 2, "right": -length}[label.align]
    turn = math.radians(label.turn)
    along, up = (math.cos(turn), -math.sin(turn)), (-math.sin(turn), -math.cos(turn))
    ends = [(start, -0.24), (start + length, -0.24), (start + length, 0.72), (start, 0.72)]
    return [(label.x + a * along[0] + b * size * up[0], label.y + a * along[1] + b * size * up[1]) for a, b in ends]


def overlap(one: Corners, other: Corners, slack: float = 0.5) -> bool:
    """Whether two convex shapes share more than `slack` pixels: no line along an edge of either parts them."""
    for axis in (0, 1):  # boxes round them first, which is quick
        ends = [[corner[axis] for corner in corners] for corners in (one, other)]
        if max(ends[0]) <= min(ends[1]) + slack or max(ends[1]) <= min(ends[0]) + slack:
            return False
    for shape in (one, other):
        for (ax, ay), (bx, by) in itertools.pairwise([*shape, shape[0]]):
            length = math.hypot(bx - ax, by - ay) or 1.0
            normal = ((by - ay) / length, (ax - bx) / length)
            spans = [[x * normal[0] + y * normal[1] for x, y in corners] for corners in (one, other)]
            if max(spans[0]) <= min(spans[1]) + slack or max(spans[1]) <= min(spans[0]) + slack:
                return False
    return True


def side_labels(scene: MatrixScene) -> list[SideLabel]:
    rows, columns, labels = scene.row_space, scene.column_space, []
    for panel in scene.panels:
        cells = scene.cells(panel)
        labels += row_labels(scene.queries, cells, rows, stand_in_measure) if panel.has_row_labels else []
        labels += column_labels(scene.keys, cells, columns, stand_in_measure) if panel.has_column_labels else []
    return labels


def shapes(scene: MatrixScene) -> list[tuple[str, Corners]]:
    """All that takes room on a picture."""
    found = [(label.text, label_corners(label, scene.side_size)) for label in side_labels(scene)]
    for label in (*scene.labels, *(scene.bar.labels if scene.bar else ())):
        room = label_room(label, stand_in_measure)
        found.append((room.what, box(room.left, room.top, room.right, room.bottom)))
    found += [(panel.title, box(*scene.cells(panel).room)) for panel in scene.panels]
    if scene.bar is not None:
        bar = scene.bar
        found.append(("bar", box(bar.left, bar.top, bar.left + bar.width, bar.top + bar.height)))
    return found


def check_geometry(scene: MatrixScene) -> None:
    taken = shapes(scene)
    for what, corners in taken:
        for x, y in corners:
            assert -0.01 <= x <= scene.width + 0.01, f"{what} leaves {scene.width} x {scene.height} at {x}"
            assert -0.01 <= y <= scene.height + 0.01, f"{what} leaves {scene.width} x {scene.height} at {y}"
    for (what, one), (other_what, other) in itertools.combinations(taken, 2):
        assert not overlap(one, other), f"{what} lies on {other_what}"


@pytest.mark.parametrize("size", [(700.0, 560.0), WIDE, (420.0, 900.0), (528.0, 0.0), (1600.0, 0.0)])
@pytest.mark.parametrize("name", [*map(str, SIZES), "what-if", "48 heads", "pair", "causal", "translator"])
def test_nothing_overlaps_and_nothing_leaves_the_picture(runs: dict[str, Run], name: str, size: tuple[float, float]) -> None:
    run = runs[name]
    count = run.trace.head_count_of(run.trace.kinds[0])
    for heads in (range(1), range(2), range(count)):
        for sinks in (Sinks(), SHOWN):
            check_geometry(build(run, view_of(*heads, of=count, sinks=sinks), size, caption=not size[1]))


def test_nothing_overlaps_in_a_translators_picture(runs: dict[str, Run]) -> None:
    for size in ((700.0, 560.0), (528.0, 0.0)):
        check_geometry(build(runs["translator"], View(picture="matrix", layer=0, kind="cross", sinks=SHOWN), size))


@pytest.mark.parametrize("name", ["1", "5", "15", "40"])
def test_nothing_overlaps_in_the_narrowest_figure(runs: dict[str, Run], name: str) -> None:
    check_geometry(build(runs[name], view_of(3), (144.0, 0.0), caption=True))


def test_a_window_is_never_taller_than_it_is(runs: dict[str, Run]) -> None:
    for name, heads in (("15", 1), ("15", 12), ("120", 1), ("what-if", 4)):
        scene = build(runs[name], view_of(*range(heads), of=4 if name == "what-if" else 12), (900.0, 420.0))
        assert scene.height == 420.0


def test_one_matrix_is_square_on_paper_and_wider_in_a_window(runs: dict[str, Run]) -> None:
    figure = build(runs["15"], view_of(1), (528.0, 0.0), caption=True)
    assert figure.cell_width == figure.cell_height
    short = build(runs["15"], view_of(1))
    assert short.cell_height <= short.cell_width <= 46
    assert number_type(short.cell_width, short.cell_height, ColourScale(1.0), stand_in_measure) == (13, False)
    assert number_type(26, 20, ColourScale(0.5), stand_in_measure) == (11, False)
    assert number_type(26, 20, ColourScale(0.05), stand_in_measure) == (10, True)
    assert number_type(16, 16, ColourScale(1.0), stand_in_measure) == (8, True)
    assert number_type(15, 16, ColourScale(1.0), stand_in_measure) is None
    assert number_type(16, 11, ColourScale(1.0), stand_in_measure) is None


@pytest.mark.parametrize("name", ["15", "40"])
def test_a_low_window_gives_the_matrix_its_height_and_its_width(runs: dict[str, Run], name: str) -> None:
    scene = build(runs[name], view_of(1), (760.0, 300.0))
    left, top, right, bottom = scene.cells(scene.panels[0]).room
    assert scene.height == 300.0
    assert scene.cell_height <= scene.cell_width <= 2 * scene.cell_height
    assert bottom - top > 0.45 * scene.height
    assert right - left > 1.9 * (bottom - top)
    check_geometry(scene)


def test_a_narrow_figure_has_its_bar_below_and_all_labels_and_the_strong_numbers(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], view_of(1, layer=3), (312.0, 0.0), caption=True)
    left, _, right, bottom = scene.cells(scene.panels[0]).room
    assert scene.bar.is_level
    assert (scene.bar.left, scene.bar.left + scene.bar.width) == pytest.approx((left, right))
    assert scene.bar.top > bottom
    assert right == pytest.approx(312.0 - 24.0, abs=2.0)
    assert [label.text for label in side_labels(scene)] == [*scene.queries.texts, *scene.keys.texts]
    assert number_type(scene.cell_width, scene.cell_height, scene.scale, stand_in_measure) is not None
    assert not build(runs["animal"], view_of(1, layer=3), (528.0, 0.0), caption=True).bar.is_level


@pytest.mark.parametrize("layer", range(6))
def test_where_labels_are_dropped_the_strongest_row_and_column_keep_theirs(runs: dict[str, Run], layer: int) -> None:
    for name, size in (("40", (312.0, 0.0)), ("120", (528.0, 0.0)), ("120", WIDE)):
        for head in range(0, 12, 3):
            scene = build(runs[name], view_of(head, layer=layer), size)
            (panel,) = scene.panels
            labels = side_labels(scene)
            assert len(labels) < len(scene.queries) + len(scene.keys)
            row, column = np.unravel_index(panel.weights.argmax(), panel.weights.shape)
            assert row in [label.place for label in labels if label.align == "right"]
            assert column in [label.place for label in labels if label.align != "right"]


def test_panels_too_small_for_labels_have_the_picture_and_say_how_to_see_more(runs: dict[str, Run]) -> None:
    scene = build(runs["40"], View(picture="matrix", layer=3), (900.0, 470.0))
    assert len(scene.panels) == 12
    assert side_labels(scene) == []
    cells = [scene.cells(panel).room for panel in scene.panels]
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in cells)
    assert area > 0.35 * 900 * 470
    assert any(label.text.startswith("click a panel to see its head alone") for label in scene.labels)
    alone = build(runs["40"], view_of(1), (900.0, 470.0))
    assert not any("click a panel" in label.text for label in alone.labels)
    assert side_labels(build(runs["5"], View(picture="matrix", layer=3), (900.0, 470.0)))


@pytest.mark.parametrize("n_panel", [2, 8, 12])
@pytest.mark.parametrize("n", [500, 2_048, 4_096, 20_000])
def test_panels_of_any_number_of_tokens_fit_into_the_room(n: int, n_panel: int) -> None:
    room = (860.0, 280.0)
    made = arrange(side_of(n), side_of(n), n_panel, room, 70.0, on_paper=False, measure=stand_in_measure)
    assert made.whole_width <= room[0] + 1
    assert made.whole_height <= room[1] + 1
    assert n_panel * made.panel_width * made.panel_height > 0.4 * (room[0] - 70) * room[1]


def test_several_heads_are_as_many_panels_each_with_its_name_in_its_colour(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], view_of(1, 4, 7, layer=3))
    names = {label.text: label.colour for label in scene.labels if label.colour is not None}
    assert names == {f"L3.H{head}": head_colour(head, LIGHT) for head in (1, 4, 7)}
    assert not [label for label in build(runs["animal"], view_of(1, layer=3)).labels if label.text == "L3.H1"]


def test_the_bars_numbers_stand_where_their_weights_colours_are(runs: dict[str, Run]) -> None:
    for is_log in (False, True):
        scene = build(runs["animal"], view_of(1, layer=3, is_log=is_log))
        bar, height = scene.bar, {}
        for label in bar.labels:
            if label.x == bar.left + bar.width + 6:
                height[label.text] = (bar.top + bar.height - (label.baseline - 0.36 * label.size)) / bar.height
        assert set(height) == {text for _, text in scene.scale.ticks()}
        for share, text in scene.scale.ticks():
            assert height[text] == pytest.approx(share, abs=0.06)


@pytest.mark.parametrize("size", [(420.0, 560.0), (700.0, 560.0), (360.0, 0.0)])
def test_long_words_have_room_or_are_cut(minilm: Model, size: tuple[float, float]) -> None:
    run = run_of(minilm, "No electroencephalographically incomprehensible counterrevolutionaries anthropomorphise")
    for heads in ((1,), (1, 2), range(12)):
        scene = build(run, view_of(*heads, words=True), size)
        check_geometry(scene)
        assert any(label.text.endswith("\N{HORIZONTAL ELLIPSIS}") for label in side_labels(scene))


@pytest.mark.parametrize("heads", [1, 2, 12])
def test_tokens_of_usual_length_are_not_cut(runs: dict[str, Run], heads: int) -> None:
    for size in (WIDE, (528.0, 0.0)):
        scene = build(runs["animal"], view_of(*range(heads)), size)
        assert {label.text for label in side_labels(scene)} <= set(scene.queries.texts)


def test_turned_labels_point_at_the_middle_of_their_columns(runs: dict[str, Run]) -> None:
    for heads, turn in (((1,), 45.0), ((1, 2, 3, 4, 5), 90.0)):
        scene = build(runs["animal"], view_of(*heads))
        cells = scene.cells(scene.panels[0])
        labels = [label for label in side_labels(scene) if label.align == "left" and label.x < cells.room[2] + 9]
        assert {label.turn for label in labels} == {turn}
        for label in labels:
            # From the baseline's beginning to the middle of the letters, 0.36 of their size above it.
            along = math.radians(label.turn)
            middle = (label.x - 0.36 * scene.side_size * math.sin(along), label.y - 0.36 * scene.side_size * math.cos(along))
            assert middle[0] == pytest.approx(cells.left + (label.place + 0.5) * cells.width)
            assert middle[1] == pytest.approx(cells.room[1] - 7.0)


def test_more_heads_than_panels_are_told(runs: dict[str, Run]) -> None:
    scene = build(runs["48 heads"], View(picture="matrix", layer=2))
    assert len(scene.panels) == MOST_PANELS == 12
    assert any(label.text == "the first 12 of 48 heads; choose heads to see others" for label in scene.labels)


def test_an_empty_picture_says_why(runs: dict[str, Run], minilm: Model) -> None:
    del minilm
    none = build(runs["animal"], view_of())
    assert "no head is chosen" in [label.text for label in none.labels]
    assert none.panels == ()
    assert none.bar is None
    check_geometry(none)
    only = build(runs["1"], view_of(1, sinks=Sinks(frozenset({"special", "first", "punctuation"}))))
    assert only.panels or any("hidden" in label.text for label in only.labels)


def test_a_text_whose_every_token_is_a_sink_has_rows_and_no_column(minilm: Model) -> None:
    run = run_of(minilm, ".")
    for heads in (HeadChoice(frozenset({1}), 12), None):
        sinks = Sinks(frozenset({"special", "first", "punctuation"}))
        scene = build(run, View(0, heads, picture="matrix", sinks=sinks))
        assert scene.panels == ()
        check_geometry(scene)


def test_a_what_if_says_so_and_moves_nothing(runs: dict[str, Run]) -> None:
    trained, what_if = build(runs["animal"], view_of(1)), build(runs["what-if"], view_of(1, of=4))
    assert trained.bands == ()
    assert [band.kind for band in what_if.bands] == ["what_if"]
    assert what_if.panels[0].left == trained.panels[0].left
    assert what_if.panels[0].top == trained.panels[0].top


def test_another_scale_leaves_the_matrix_where_it_is(runs: dict[str, Run]) -> None:
    places = set()
    for head in range(12):
        for is_log in (False, True):
            scene = build(runs["animal"], view_of(head, is_log=is_log))
            places.add((scene.panels[0].left, scene.panels[0].top, scene.cell_width, scene.cell_height))
    assert len(places) == 1


def test_the_focus_is_a_token_that_is_seen(runs: dict[str, Run]) -> None:
    assert build(runs["animal"], view_of(1, focus=3)).focus == 3
    assert build(runs["animal"], view_of(1, focus=0)).focus is None  # [CLS] is hidden


# --- labels at any zoom -----------------------------------------------------------------------------------------------


def side_of(n: int, text: str = "token") -> TokenSide:
    return TokenSide(tuple(range(n)), tuple(f"{text}{i}" for i in range(n)), (False,) * n, (False,) * n, ())


@given(
    n=st.integers(1, 600),
    step=st.floats(0.3, 80),
    shift=st.floats(0, 1),
    can_slant=st.booleans(),
    first=st.lists(st.integers(0, 599), max_size=3),
)
def test_labels_never_lie_on_each_other_at_any_zoom(n: int, step: float, shift: float, can_slant: bool, first: list[int]) -> None:
    side, room = side_of(n), (100.0, 100.0, 500.0, 500.0)
    start = 100.0 - shift * max(0.0, n * step - 400.0)
    cells = Cells(start, start, step, step, n, n, room)
    space = SideSpace(12, 60.0, can_slant)
    for labels in (
        row_labels(side, cells, space, stand_in_measure, first),
        column_labels(side, cells, space, stand_in_measure, first),
    ):
        drawn = [label_corners(label, 12) for label in labels]
        for one, other in itertools.pairwise(drawn):
            assert not overlap(one, other)
        places = [label.place for label in labels]
        assert places == sorted(set(places))
        if first and first[0] in cells.rows and 100 <= start + (first[0] + 0.5) * step <= 500:
            assert first[0] in places


def test_all_tokens_have_labels_where_there_is_room() -> None:
    cells = Cells(0, 0, 22, 22, 12, 12, (0, 0, 264, 264))
    for labels_of, can_slant in itertools.product((row_labels, column_labels), (True, False)):
        labels = labels_of(side_of(12), cells, SideSpace(12, 60.0, can_slant), stand_in_measure)
        assert [label.place for label in labels] == list(range(12))
    assert way_of(side_of(12), range(12), 22.0, SideSpace(12, 60.0, True), stand_in_measure) == "slanted"
    assert way_of(side_of(12), range(12), 14.0, SideSpace(12, 60.0, True), stand_in_measure) == "upright"
    assert way_of(side_of(12), range(12), 90.0, SideSpace(12, 60.0, False), stand_in_measure) == "level"
    assert pitch("slanted", 12) > pitch("upright", 12) > pitch("level", 12) == 0.0


@given(st.text(min_size=1, max_size=40), st.floats(8, 200))
def test_a_long_token_keeps_its_beginning(text: str, room: float) -> None:
    shown = elided(text, 12, room, stand_in_measure)
    if stand_in_measure(text, 12, True) <= room:
        assert shown == text
    else:
        assert shown.endswith("\N{HORIZONTAL ELLIPSIS}")
        assert text.startswith(shown[:-1])
        assert len(shown) == 1 or stand_in_measure(shown, 12, True) <= room
        assert stand_in_measure(text[: len(shown)] + "\N{HORIZONTAL ELLIPSIS}", 12, True) > room


# --- the pointer ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["animal", "pair", "causal"])
def test_the_middle_of_each_cell_meets_it(runs: dict[str, Run], name: str) -> None:
    count = runs[name].trace.head_count
    scene = build(runs[name], view_of(*range(count), of=count, layer=0))
    placed = [scene.cells(panel) for panel in scene.panels]
    for number, cells in enumerate(placed):
        for row, column in itertools.product(range(len(scene.queries)), range(len(scene.keys))):
            x, y = cells.left + (column + 0.5) * cells.width, cells.top + (row + 0.5) * cells.height
            assert spot_at(scene, placed, x, y, stand_in_measure) == Spot(number, row, column)


@pytest.mark.parametrize("heads", [(1,), (1, 2, 3, 4)])
def test_each_label_meets_its_token(runs: dict[str, Run], heads: tuple[int, ...]) -> None:
    scene = build(runs["animal"], view_of(*heads))
    placed = [scene.cells(panel) for panel in scene.panels]
    met = 0
    for label in side_labels(scene):
        corners = label_corners(label, scene.side_size)
        x, y = (sum(corner[axis] for corner in corners) / 4 for axis in (0, 1))
        spot = spot_at(scene, placed, x, y, stand_in_measure)
        side = scene.queries if label.align == "right" else scene.keys
        assert spot.token(scene) == side.positions[label.place]
        met += 1
    assert met >= 2 * len(scene.queries) - 1


def test_beside_the_matrix_there_is_nothing(runs: dict[str, Run]) -> None:
    scene = build(runs["animal"], view_of(1))
    cells = scene.cells(scene.panels[0])
    for x, y in ((1.0, 1.0), (cells.room[2] + 60, cells.room[3] - 5), (cells.room[0] + 5, cells.room[3] + 5)):
        assert spot_at(scene, [cells], x, y, stand_in_measure) == NOWHERE
    assert spot_text(scene, NOWHERE) is None
    assert spot_text(scene, Spot(row=2)) is None


def test_the_pointer_says_query_key_head_and_weight(runs: dict[str, Run]) -> None:
    run = runs["animal"]
    scene = build(run, view_of(1, layer=3))
    it, animal = (scene.queries.texts.index(word) for word in ("it", "animal"))
    text = spot_text(scene, Spot(0, it, animal))
    assert text is not None
    weight = run.trace.attention(3)[1, scene.queries.positions[it], scene.keys.positions[animal]]
    assert text.replace("\u2068", "").replace("\u2069", "") == f"it → animal   L3.H1   {weight:.3f}"
    masked = spot_text(build(runs["causal"], View(picture="matrix", layer=0)), Spot(0, 0, 1))
    assert masked is not None
    assert masked.endswith("not seen: it comes after")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_same_run_and_view_make_the_same_picture(runs: dict[str, Run], theme: object) -> None:
    made = [build_scene(runs["animal"], view_of(1), theme, Layout(*WIDE), stand_in_measure) for _ in range(2)]
    assert made[0].labels == made[1].labels
    assert made[0].description == made[1].description
    assert "layer 1, head 1 of 12" in made[0].description

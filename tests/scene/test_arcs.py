"""The arc diagram as data: nothing overlaps, nothing leaves the picture, every number on it is the measured one."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attnviz.analysis.edges import Threshold
from attnviz.scene.page import Layout
from attnviz.scene.palette import head_colour
from attnviz.scene.pictures import build_scene
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, View
from tests.scene.pictures import SHOWN, hiding, points_of, rooms, run_of, stand_in_measure, text_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.scene import Scene
    from attnviz.session.run import Run
    from attnviz.session.view import PictureKind

ANIMAL = "The animal didn't cross the street because it was tired."
LIGHT = load_theme("light")
SIZES = (1, 2, 5, 15, 40, 120)
WIDTHS = (300.0, 420.0, 800.0, 1600.0)


@pytest.fixture(scope="module")
def runs(minilm: Model) -> dict[str, Run]:
    made = {str(n): run_of(minilm, text_of(minilm, n)) for n in SIZES}
    made |= {"what-if": run_of(minilm, ANIMAL, 4, 0.76), "one head": run_of(minilm, ANIMAL, 1, 0.57)}
    made |= {"pair": run_of(minilm, "Who sang?", pair="The cat sang all night."), "48 heads": run_of(minilm, ANIMAL, 48, 0.7)}
    return made | {"left out": run_of(minilm, "cat " * 600)}


def build(run: Run, view: View | None = None, width: float = 800.0, height: float = 0.0, caption: bool = True) -> Scene:
    return build_scene(run, view or View(layer=3), LIGHT, Layout(width, height, caption), stand_in_measure)


def check_geometry(scene: Scene) -> None:
    taken = rooms(scene, stand_in_measure)
    for room in taken:
        assert room.within(scene.width, scene.height), f"{room} leaves {scene.width} x {scene.height}"
    for number, room in enumerate(taken):
        for other in taken[:number]:
            assert not room.overlaps(other), f"{room} lies on {other}"
    for band in scene.bands:
        assert band.top >= 0.0
        assert band.top + band.height <= scene.height
    if len(scene.arcs):
        points = points_of(scene.arcs.curve, 25)
        half = scene.arcs.width[:, None] / 2
        assert (points[..., 0] - half).min() >= 0.0
        assert (points[..., 0] + half).max() <= scene.width
        lowest_head = max((label.baseline for label in scene.labels if label.baseline < scene.tokens[0].top), default=0.0)
        highest_foot = min(label.baseline - 12 for label in scene.labels if label.baseline > scene.tokens[-1].bottom)
        assert (points[..., 1] - half).min() >= lowest_head
        assert (points[..., 1] + half).max() <= highest_foot


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [*map(str, SIZES), "what-if", "one head", "48 heads", "pair"])
def test_nothing_overlaps_and_nothing_leaves_the_picture(runs: dict[str, Run], name: str, width: float) -> None:
    for hide in (True, False):
        check_geometry(build(runs[name], View(layer=3, sinks=hiding(hide)), width))


@pytest.mark.parametrize("name", ["5", "15", "40", "what-if", "48 heads"])
def test_nothing_overlaps_in_the_narrowest_figure(runs: dict[str, Run], name: str) -> None:
    check_geometry(build(runs[name], width=1.5 * 96))


@pytest.mark.parametrize("width", [300.0, 700.0, 1600.0])
@pytest.mark.parametrize("height", [120.0, 500.0, 1200.0])
@pytest.mark.parametrize("name", ["1", "15", "40", "what-if"])
def test_nothing_overlaps_in_a_window_of_any_height(runs: dict[str, Run], name: str, height: float, width: float) -> None:
    scene = build(runs[name], width=width, height=height, caption=False)
    assert scene.height >= height
    check_geometry(scene)


def test_a_text_with_a_part_left_out_says_so_and_fits(runs: dict[str, Run]) -> None:
    scene = build(runs["left out"])
    warning = " ".join(label.text for label in scene.labels if label.ink == "warning_ink")
    assert "512 tokens" in warning
    assert "the last 90 tokens of the text are left out" in warning
    assert [band.kind for band in scene.bands] == ["warning"]
    assert len(scene.tokens) == 510


def test_a_text_that_was_read_whole_has_no_band(runs: dict[str, Run]) -> None:
    assert build(runs["15"]).bands == ()


@pytest.mark.parametrize(("name", "count", "kept"), [("what-if", "4 heads", "0.76"), ("one head", "1 head", "0.57")])
def test_a_what_if_says_its_heads_the_trained_ones_and_what_it_kept(runs: dict[str, Run], name: str, count: str, kept: str) -> None:
    scene = build(runs[name], width=420.0)
    said = " ".join(label.text for label in scene.labels if label.ink == "what_if_ink")
    effect = f"its output vectors now have a cosine of {kept} to the trained ones."
    assert said == f"What if this model had {count}? It was trained with 12; {effect}"
    assert [band.kind for band in scene.bands] == ["what_if"]


def test_the_same_input_gives_an_equal_scene(runs: dict[str, Run]) -> None:
    first, second = build(runs["15"]), build(runs["15"])
    assert (first.tokens, first.labels, first.dots, first.bands) == (second.tokens, second.labels, second.dots, second.bands)
    assert (first.width, first.height, first.description) == (second.width, second.height, second.description)
    for name in ("head", "query", "key", "weight", "opacity", "width", "colour", "curve"):
        assert np.array_equal(getattr(first.arcs, name), getattr(second.arcs, name))


@pytest.mark.parametrize("hide", [True, False])
@pytest.mark.parametrize("threshold", [Threshold(), Threshold("mass", 1.0), Threshold("weight", 0.2)], ids=str)
def test_the_shares_on_the_picture_are_the_measured_ones(runs: dict[str, Run], hide: bool, threshold: Threshold) -> None:
    run = runs["15"]
    heads = [1, 4]
    scene = build(run, View(3, HeadChoice(frozenset(heads), 12), None, threshold, sinks=hiding(hide)))
    attention = run.trace.attention(3)[heads].astype(float)
    shown = [i for i, piece in enumerate(run.trace.pieces) if not (hide and piece.is_special)]
    rows = attention[:, shown]
    specials = [i for i in range(len(run.trace.ids)) if i not in shown]
    hidden = rows[:, :, specials].sum() / (len(heads) * len(shown))
    drawn = scene.arcs.weight.sum(dtype=float) / (len(heads) * len(shown))
    line = " ".join(label.text for label in scene.labels)
    numbers = dict(re.findall(r"(hidden|not drawn|drawn):[^%]*?(\d+) %", line))
    assert int(numbers.get("hidden", "0")) == round(100 * hidden)
    assert abs(int(numbers["drawn"]) - 100 * drawn) <= 1.0
    assert sum(map(int, numbers.values())) == 100
    assert ("hidden: [CLS] [SEP]" in line) == hide


def test_the_arcs_are_counted(runs: dict[str, Run]) -> None:
    scene = build(runs["15"], View(3, HeadChoice(frozenset({1}), 12)))
    line = " ".join(label.text for label in scene.labels)
    assert f"{len(scene.arcs)} of 225 arcs: the strongest 70 % of each token's" in line


def test_the_caption_names_model_layer_and_heads(runs: dict[str, Run]) -> None:
    scene = build(runs["what-if"], View(2, HeadChoice(frozenset({1, 2, 3}), 4)), 1200.0)
    line = "".join(label.text for label in scene.labels)
    assert f"{runs['what-if'].model.name}, layer 2, heads 1\N{EN DASH}3 of 4" in line
    assert runs["what-if"].model.name in scene.description
    assert scene.description.endswith(ANIMAL)


def test_the_legend_has_a_dot_of_its_colour_for_each_head(runs: dict[str, Run]) -> None:
    scene = build(runs["15"], View(3, HeadChoice(frozenset({0, 5, 11}), 12)))
    assert [dot.colour for dot in scene.dots] == [head_colour(head, LIGHT) for head in (0, 5, 11)]
    assert [label.text for label in scene.labels if re.fullmatch(r"H\d+", label.text)] == ["H0", "H5", "H11"]
    assert {int(head) for head in scene.arcs.head} <= {0, 5, 11}


def test_no_heads_draw_a_sentence_without_arcs_and_claim_no_share(runs: dict[str, Run]) -> None:
    scene = build(runs["15"], View(3, HeadChoice(frozenset(), 12)))
    assert len(scene.arcs) == 0
    assert len(scene.tokens) == 15
    check_geometry(scene)
    line = " ".join(label.text for label in scene.labels)
    assert "no heads" in line
    assert "100 %" not in line.replace("the strongest", "")


def test_a_text_that_leaves_nothing_to_show_is_an_empty_picture_that_says_so(minilm: Model) -> None:
    run = run_of(minilm, "\u0301\ufe0f")  # signs that the tokenizer drops
    assert run.trace.tokens == ["[CLS]", "[SEP]"]
    scene = build(run)
    assert scene.tokens == ()
    assert "nothing is drawn" in " ".join(label.text for label in scene.labels)
    assert len(build(run, View(3, sinks=SHOWN)).tokens) == 2


def test_specials_that_the_person_wrote_are_words_like_others(minilm: Model) -> None:
    scene = build(run_of(minilm, "[CLS] [MASK] [SEP]"))
    assert [box.text for box in scene.tokens] == ["[CLS]", "[MASK]", "[SEP]"]


def test_both_texts_of_a_pair_are_shown(runs: dict[str, Run]) -> None:
    scene = build(runs["pair"])
    assert [box.text for box in scene.tokens] == ["Who", "sang", "?", "The", "cat", "sang", "all", "night", "."]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["15", "120"])
def test_arcs_leave_their_query_and_land_at_their_key(runs: dict[str, Run], name: str, width: float) -> None:
    scene = build(runs[name], width=width)
    box = {box.index: box for box in scene.tokens}
    for query, key, curve in zip(scene.arcs.query, scene.arcs.key, scene.arcs.curve, strict=True):
        start, end = box[int(query)], box[int(key)]
        assert start.left - 4 <= curve[0, 0] <= start.right + 4
        assert end.left - 4 <= curve[3, 0] <= end.right + 4
        up = key <= query
        assert curve[0, 1] == pytest.approx(start.top - 3 if up else start.bottom + 3, abs=0.01)
        assert curve[3, 1] == pytest.approx(end.top - 3 if up == (start.row == end.row) else end.bottom + 3, abs=0.01)
        assert (curve[1, 1] < curve[0, 1]) == up


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["5", "15", "40"])
def test_arcs_within_a_row_do_not_cross_its_text(runs: dict[str, Run], name: str, width: float) -> None:
    scene = build(runs[name], width=width)
    row = {box.index: box for box in scene.tokens}
    points = points_of(scene.arcs.curve)
    for arc in range(len(scene.arcs)):
        start, end = row[int(scene.arcs.query[arc])], row[int(scene.arcs.key[arc])]
        if start.row == end.row:
            ys = points[arc, :, 1]
            assert ys.max() <= start.top if scene.arcs.key[arc] <= scene.arcs.query[arc] else ys.min() >= start.bottom
            others = [box for box in scene.tokens if box.row != start.row]
            for box in others:
                inside = (ys > box.top) & (ys < box.bottom)
                assert not inside.any()


def test_the_strongest_arcs_are_wide_opaque_and_painted_last(runs: dict[str, Run]) -> None:
    arcs = build(runs["40"], View(3, threshold=Threshold("mass", 0.95))).arcs
    assert (np.diff(arcs.weight) >= 0).all()
    assert (np.diff(arcs.opacity) >= 0).all()
    assert (np.diff(arcs.width) >= 0).all()
    assert arcs.width[-1] > 1.0
    assert arcs.opacity.max() <= 1.0
    assert 0 < (arcs.width > 1.0).sum() <= 48


@pytest.mark.parametrize("picture", ["arcs", "matrix"])
def test_a_foot_whose_lines_wrap_has_its_room_in_a_window(runs: dict[str, Run], picture: PictureKind) -> None:
    view = View(3, HeadChoice(frozenset({1}), 48), threshold=Threshold("weight", 0.0), picture=picture, quantity="norms")
    wide, narrow = (build(runs["48 heads"], view, width, 620.0, caption=False) for width in (1600.0, 500.0))
    assert len(narrow.labels) > len(wide.labels)
    assert (wide.height, narrow.height) == (620.0, 620.0)


def test_arcs_are_limited_to_the_strongest_of_all_and_of_each_part_and_the_picture_says_so(runs: dict[str, Run]) -> None:
    scene = build(runs["120"], View(3, threshold=Threshold("mass", 1.0)), 1600.0)
    assert len(scene.arcs) == 2_700
    line = " ".join(label.text for label in scene.labels)
    assert "2,700 of 172,800 arcs, the most that are drawn at once, although 172,800 pass the threshold" in line
    groups = "so that the strongest from each group of 4 neighbouring tokens to each group is among them"
    said = re.search(rf"the ([\d,]+) strongest and ([\d,]+) more, {groups}", line)
    assert said
    assert sum(int(number.replace(",", "")) for number in said.groups()) == 2_700
    weights = runs["120"].trace.attention(3)[:, 1:-1, 1:-1]
    limit = np.sort(weights, axis=None)[-int(said[1].replace(",", ""))]
    drawn = {(h, q - 1, k - 1) for h, q, k in zip(scene.arcs.head, scene.arcs.query, scene.arcs.key, strict=True)}
    assert {tuple(edge) for edge in np.argwhere(weights >= limit)} <= drawn
    for query, key in itertools.product(range(0, 120, 4), repeat=2):
        part = weights[:, query : query + 4, key : key + 4]
        assert any((h, q + query, k + key) in drawn for h, q, k in np.argwhere(part == part.max()))


@pytest.mark.parametrize(
    ("focus", "hide", "expected"), [(None, True, None), (3, True, 3), (0, True, None), (0, False, 0), (99, True, None)]
)
def test_only_a_token_that_is_shown_can_be_in_focus(
    runs: dict[str, Run], focus: int | None, hide: bool, expected: int | None
) -> None:
    assert build(runs["15"], View(3, focus=focus, sinks=hiding(hide))).focus == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=st.text(st.sampled_from("ab cdé,.W你ing😀  "), min_size=1, max_size=90),
    width=st.floats(300.0, 1600.0),
    heads=st.frozensets(st.integers(0, 11)),
    hide=st.booleans(),
    mass=st.floats(0.01, 1.0),
    height=st.sampled_from([0.0, 400.0, 900.0]),
)
def test_no_text_width_or_choice_breaks_the_picture(
    minilm: Model, text: str, width: float, heads: frozenset[int], hide: bool, mass: float, height: float
) -> None:
    view = View(5, HeadChoice(heads, 12), 1, Threshold("mass", mass), sinks=hiding(hide))
    scene = build(run_of(minilm, text), view, float(np.float32(width)), height, caption=not height)
    if scene.tokens:
        check_geometry(scene)

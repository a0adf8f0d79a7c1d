"""The atlas as data: each head has its cell, nothing overlaps or leaves the picture, all numbers are the measured ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnviz.errors import InputError
from attnviz.paint.fonts import text_width
from attnviz.probing.measures import GROUPS
from attnviz.probing.roles import Role
from attnviz.scene.atlas.build import build_atlas
from attnviz.scene.atlas.choice import IMPORTANCE, ROLE, AtlasChoice
from attnviz.scene.oklab import lab_of
from attnviz.scene.page import Layout
from attnviz.scene.theme import load_theme
from tests.probing.made_up import made_up_roles
from tests.scene.pictures import Room, label_room
from tests.scene.same import same

if TYPE_CHECKING:
    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.atlas.scene import AtlasCell, AtlasScene

pytestmark = pytest.mark.usefixtures("qapp")  # text is measured as it is painted

LIGHT, DARK = load_theme("light"), load_theme("dark")
WINDOW, PAPER = Layout(900.0, 480.0), Layout(5.5 * 96, caption=True)
COLOURS: Final = (ROLE, IMPORTANCE, "previous", "obj>", "entropy", "induction", "prefers")


@lru_cache(maxsize=64)
def roles_of(n_layer: int, n_head: int, with_roles: bool = True) -> HeadRoles:
    return made_up_roles(n_layer, n_head, with_roles=with_roles)


def build(roles: HeadRoles | None = None, choice: AtlasChoice | None = None, layout: Layout = WINDOW) -> AtlasScene:
    return build_atlas(roles or roles_of(6, 12), choice or AtlasChoice(), LIGHT, layout, text_width)


def texts_in(scene: AtlasScene, cell: AtlasCell) -> list[str]:
    """What stands in a cell, from the top."""
    inside = [label for label in scene.labels if cell.left <= label.x <= cell.right and cell.top < label.baseline <= cell.bottom]
    return [label.text for label in sorted(inside, key=lambda label: (label.baseline, label.x))]


def all_text(scene: AtlasScene) -> str:
    return " ".join(label.text for label in scene.labels).replace("\N{NO-BREAK SPACE}", " ")


def distance(colour: str, other: str) -> float:
    return float(np.linalg.norm(lab_of(colour) - lab_of(other)))


def check_geometry(scene: AtlasScene) -> None:
    taken = [label_room(label, text_width) for label in scene.labels if label.text]
    taken += [Room("swatch", s.left, s.top, s.right, s.bottom) for s in scene.swatches]
    taken += [Room("dot", d.x - d.radius, d.y - d.radius, d.x + d.radius, d.y + d.radius) for d in scene.held]
    bar = scene.bar
    if bar is not None:
        taken.append(Room("bar", bar.left, bar.top, bar.left + bar.width, bar.top + bar.height))
    cells = [Room(f"L{c.layer}.H{c.head}", c.left, c.top, c.right, c.bottom) for c in scene.cells]
    for room in (*taken, *cells):
        assert room.within(scene.width, scene.height), f"{room} leaves {scene.width} x {scene.height}"
    sides = np.array([[room.left, room.top, room.right, room.bottom] for room in taken])
    assert not overlaps(sides, sides, same_rooms=True), scene.width
    boxes = np.array([[room.left, room.top, room.right, room.bottom] for room in cells])
    assert not overlaps(boxes, boxes, same_rooms=True)
    for label in scene.labels:
        room = label_room(label, text_width)
        met = [cell for cell in cells if cell.overlaps(room)]
        assert all(cell.left <= room.left and room.right <= cell.right and cell.top <= room.top for cell in met), (room, met)
        assert len(met) <= 1, (room, met)
        assert all(room.bottom <= cell.bottom for cell in met), (room, met)


def overlaps(one: np.ndarray, other: np.ndarray, same_rooms: bool) -> bool:
    slack = 0.5
    (left, top, right, bottom), (x, y, to_x, to_y) = one.T, other.T
    over = (left[:, None] < to_x - slack) & (x < right[:, None] - slack)
    over &= (top[:, None] < to_y - slack) & (y < bottom[:, None] - slack)
    if same_rooms:
        np.fill_diagonal(over, False)
    return bool(over.any())


@settings(max_examples=60)
@given(
    shape=st.sampled_from([(1, 1), (1, 12), (6, 12), (12, 1), (12, 12), (24, 16), (48, 32), (3, 48)]),
    colour=st.sampled_from(COLOURS),
    order=st.sampled_from(["trained", "value"]),
    width=st.integers(320, 1600),
    height=st.sampled_from([0, 220, 480, 900]),
    caption=st.booleans(),
)
def test_nothing_overlaps_and_nothing_leaves_the_picture(
    shape: tuple[int, int], colour: str, order: str, width: int, height: int, caption: bool
) -> None:
    scene = build(roles_of(*shape), AtlasChoice(colour, order, (0, 0)), Layout(float(width), float(height), caption))
    check_geometry(scene)
    assert sorted((cell.layer, cell.head) for cell in scene.cells) == list(np.ndindex(shape))
    assert len({(cell.right - cell.left, cell.bottom - cell.top) for cell in scene.cells}) == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_the_same_input_gives_the_same_picture(colour: str) -> None:
    choice = AtlasChoice(colour, "value", (2, 3))
    assert same(build(made_up_roles(6, 12), choice), build(made_up_roles(6, 12), choice))


def test_layers_run_down_and_heads_across() -> None:
    for cell in build().cells:
        assert (cell.row, cell.column) == (cell.layer, cell.head)
    cells = build().cells
    assert [cell.left for cell in cells[:12]] == sorted(cell.left for cell in cells[:12])
    assert [cell.top for cell in cells[::12]] == sorted(cell.top for cell in cells[::12])


def test_the_pointer_finds_each_cell_and_none_between_them() -> None:
    scene = build()
    for cell in scene.cells:
        for x, y in ((cell.left, cell.top), (cell.right - 0.1, cell.bottom - 0.1)):
            assert scene.cell_at(x, y) is cell
        assert scene.cell_at(cell.right + 1, cell.top + 1) is None
        assert scene.cell_in(cell.row, cell.column) is cell
        assert scene.cell(cell.layer, cell.head) is cell
    assert scene.cell_in(6, 0) is scene.cell_in(-1, 0) is scene.cell_in(0, 12) is scene.cell(9, 9) is None


def test_a_head_without_a_role_has_no_colour_and_no_text() -> None:
    roles, scene = roles_of(6, 12), build()
    without = [cell for cell in scene.cells if not roles.roles(cell.layer, cell.head)]
    assert 10 < len(without) < 62
    for cell in without:
        assert (cell.fill, cell.foot, cell.group) == (None, None, None)
        assert cell.told == f"L{cell.layer}.H{cell.head}   no role found"
        assert texts_in(scene, cell) == []


def test_a_cell_says_its_clearest_role_with_the_score_and_how_many_jobs_there_are_besides() -> None:
    roles, scene = roles_of(6, 12), build(layout=Layout(1600.0, 700.0))
    more = 0
    for cell in scene.cells:
        held = roles.roles(cell.layer, cell.head)
        if not held:
            continue
        first = held[0]
        n_job = sum(role.measure.group != "rest" for role in held)
        besides = [f"+{n_job - 1}"] if n_job > 1 else []
        name = first.measure.short if first.measure.offset is None else first.measure.title.replace("tokens ", "")
        assert texts_in(scene, cell) == [name, f"{100 * first.score:.0f} %", *besides]
        assert cell.group == first.measure.group
        assert cell.value == first.score
        more += len(besides)
    assert more > 3
    assert scene.has_more
    assert "+2: it has two jobs besides" in all_text(scene)


def test_what_no_cell_has_room_for_is_not_explained() -> None:
    for layout in (PAPER, Layout(320.0, 480.0)):
        scene = build(layout=layout)
        assert not scene.has_more
        assert "besides" not in all_text(scene)


def test_a_resting_place_is_grey_and_has_no_line_along_its_foot() -> None:
    scene = build()
    resting = [cell for cell in scene.cells if cell.group == "rest"]
    assert resting
    for cell in resting:
        _, a, b = lab_of(cell.fill)
        assert np.hypot(a, b) < 0.02
        assert cell.foot is None
    assert all(cell.foot is not None for cell in scene.cells if cell.group not in (None, "rest"))


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
@pytest.mark.parametrize("shape", [(6, 12), (32, 32)])
def test_a_clearer_role_has_a_stronger_colour_of_the_same_group(shape: tuple[int, int], theme: object) -> None:
    roles = roles_of(*shape)
    scene = build_atlas(roles, AtlasChoice(), theme, WINDOW, text_width)
    n_stronger = 0
    for group in set(GROUPS) - {"rest", "spread"}:
        cells = [cell for cell in scene.cells if cell.group == group]
        above = sorted(((roles.roles(cell.layer, cell.head)[0].above, cell) for cell in cells), key=lambda pair: pair[0])
        away = [distance(cell.fill, theme.paper) for _, cell in above]
        assert all(b >= a - 0.004 for a, b in pairwise(away))  # 0.004 is a level of the screen
        assert len({cell.foot for cell in cells}) == 1
        if above[0][0] < 0.3 and above[-1][0] > 0.5:
            assert away[-1] > away[0] + 0.04
            n_stronger += 1
    assert n_stronger > 1


def test_the_legend_counts_each_head_once_by_its_clearest_role() -> None:
    roles, scene = roles_of(12, 12), build(roles_of(12, 12))
    firsts = [found[0].measure.group if (found := roles.roles(*at)) else None for at in np.ndindex(12, 12)]
    counts = Counter(firsts)
    texts = [label.text for label in scene.labels]
    assert len(counts) == 7
    for group, n in counts.items():
        assert f"{GROUPS[group] if group else 'no role found'} {n}" in texts
    n_job = 144 - counts["rest"] - counts[None]
    assert f"{n_job} of 144 heads have a job, {counts['rest']} only rest on one place, {counts[None]}: no role found" in all_text(
        scene
    )


def test_a_model_without_roles_says_so_and_its_cells_are_empty() -> None:
    scene = build(roles_of(6, 12, with_roles=False))
    assert "0 of 72 heads have a job, 0 only rest on one place, 72: no role found" in all_text(scene)
    assert all(cell.fill is None for cell in scene.cells)
    assert len(scene.swatches) == 1


def test_the_rule_stands_below_with_the_corpus_and_its_sentences() -> None:
    text = all_text(build())
    assert "its 95 % interval begins 10 points or more above the best baseline, over 12 sentences of made-up sentences" in text


def test_on_paper_the_title_names_the_model_and_twelve_names_fit() -> None:
    roles, scene = roles_of(6, 12), build(layout=PAPER)
    assert scene.labels[0].text == "What the heads of made-up-6x12 do"
    assert scene.labels[0].bold
    for cell in scene.cells:
        held = roles.roles(cell.layer, cell.head)
        told = texts_in(scene, cell)
        assert not held or told[-1] == f"{100 * held[0].score:.0f} %"
        assert bool(told[:-1]) == bool(held)
    assert min(label.size for label in scene.labels) >= 9


def test_cells_stay_where_they_are_in_a_window_whatever_is_shown() -> None:
    choices = [AtlasChoice(colour) for colour in (ROLE, IMPORTANCE, "previous", "obj>")]
    tops = {build(choice=choice).cells[0].top for choice in choices}
    lefts = {tuple(cell.left for cell in build(choice=choice).cells) for choice in choices}
    assert len(tops) == len(lefts) == 1


def test_many_heads_are_squares_without_text_in_fuller_colours() -> None:
    for scene in (build(roles_of(32, 32)), build(roles_of(32, 32), layout=PAPER)):
        assert not scene.has_text
        assert not any(texts_in(scene, cell) for cell in scene.cells)
        strongest = max(distance(cell.fill, LIGHT.paper) for cell in scene.cells if cell.group == "copy")
        with_text = max(distance(cell.fill, LIGHT.paper) for cell in build().cells if cell.group == "copy")
        assert strongest > 1.3 * with_text
        fills = {cell.fill for cell in scene.cells if cell.group == "copy"}
        assert any(swatch.fill in fills for swatch in scene.swatches)


def test_no_text_stands_on_the_fuller_colours_even_where_a_shorter_legend_would_leave_it_room() -> None:
    layout = Layout(753.0, 278.0)
    assert build(layout=replace(layout, height=300.0)).has_text
    scene = build(layout=layout)
    assert not scene.has_text
    assert not any(texts_in(scene, cell) for cell in scene.cells)


def test_sorted_heads_stand_by_group_and_the_clearest_first() -> None:
    roles, order = roles_of(6, 12), list(GROUPS)
    scene = build(choice=AtlasChoice(order="value"))
    for row in range(6):
        line = [cell for cell in scene.cells if cell.row == row]
        assert [cell.column for cell in line] == list(range(12))
        ranks = [order.index(cell.group) if cell.group else len(order) for cell in line]
        assert ranks == sorted(ranks)
        for a, b in pairwise(line):
            if a.group == b.group and a.group is not None:
                first, second = (roles.roles(cell.layer, cell.head)[0] for cell in (a, b))
                assert first.above >= second.above
        names = [label.text for label in scene.labels if line[0].bottom < label.baseline < line[0].bottom + 14]
        assert names == [f"H{cell.head}" for cell in line]
    assert "by group, the clearest first" in all_text(scene)


@pytest.mark.parametrize("colour", [IMPORTANCE, "previous", "entropy"])
def test_sorted_numbers_fall_from_the_left(colour: str) -> None:
    scene = build(choice=AtlasChoice(colour, "value"))
    for row in range(6):
        values = [cell.value for cell in scene.cells if cell.row == row]
        assert values == sorted(values, reverse=True)
    assert {"highest", "lowest"} <= {label.text for label in scene.labels}


def test_importance_is_darkest_where_a_head_matters_most() -> None:
    roles, scene = roles_of(6, 12), build(choice=AtlasChoice(IMPORTANCE))
    cells = sorted(scene.cells, key=lambda cell: cell.value)
    for cell in cells:
        assert cell.value == float(roles.importance.score[cell.layer, cell.head])
    lightness = [lab_of(cell.fill or LIGHT.paper)[0] for cell in cells]
    assert all(b <= a + 0.002 for a, b in pairwise(lightness))
    assert lightness[-1] < 0.3
    assert scene.bar is not None
    assert "1 − cosine" in all_text(scene)
    assert f"{cells[-1].value:.3f}" in all_text(scene)
    assert "mean over 12 sentences" in all_text(scene)
    assert "95 % interval" in cells[-1].told


def test_importance_that_was_left_out_is_said_to_be() -> None:
    scene = build(replace(roles_of(6, 12), importance=None), AtlasChoice(IMPORTANCE))
    assert scene.bar is None
    assert all(cell.fill is None for cell in scene.cells)
    assert "left out" in all_text(scene)


@pytest.mark.parametrize("key", ["previous", "obj>", "prefers", "first"])
def test_a_measure_colours_what_is_above_its_baseline_and_marks_who_has_the_role(key: str) -> None:
    roles = roles_of(6, 12)
    scene, measured = build(choice=AtlasChoice(key)), roles.by_key[key]
    for cell in scene.cells:
        assert cell.value == float(measured.score[cell.layer, cell.head])
        assert texts_in(scene, cell) == [f"{100 * cell.value:.0f} %"]
        assert (cell.fill is None) == (cell.value <= measured.baseline.score + 0.002), cell.value
    holders = roles.heads_with(key)
    assert sorted((cell.layer, cell.head) for cell in scene.cells if cell.holds) == sorted(holders)
    in_legend = 1 if measured.measure.is_role else 0
    assert len(scene.held) == len(holders) + in_legend
    tick = scene.bar.left + scene.bar.width * measured.baseline.score
    assert scene.bar.tick == pytest.approx(tick)
    assert f"mark: baseline {100 * measured.baseline.score:.0f} %" in all_text(scene)


@pytest.mark.parametrize("layout", [Layout(520.0, 460.0), Layout(520.0, 450.0), PAPER])
def test_the_mark_of_a_role_covers_no_number(layout: Layout) -> None:
    scene = build(roles_of(12, 12), AtlasChoice("duplicate"), layout)
    assert len(scene.held) > 5
    check_geometry(scene)


def test_entropy_reaches_from_nothing_to_its_highest_value() -> None:
    roles = roles_of(6, 12)
    scene, measured = build(choice=AtlasChoice("entropy")), roles.by_key["entropy"]
    top = max(measured.baseline.score, float(measured.score.max()))
    assert f"{top:.2f} nats" in all_text(scene)
    assert "a number, no role" in all_text(scene)
    assert not scene.held


def test_a_measure_without_a_case_says_why() -> None:
    scene = build(choice=AtlasChoice("induction"))
    assert "measured of causal models alone" in all_text(scene)
    assert scene.bar is None
    assert all(cell.fill is None and cell.value is None for cell in scene.cells)


def test_a_baseline_that_cannot_be_passed_leaves_all_cells_without_colour() -> None:
    roles = roles_of(6, 12)
    certain = replace(roles.by_key["obj>"].baseline, score=1.0)
    measured = tuple(replace(m, baseline=certain) if m.measure.key == "obj>" else m for m in roles.measured)
    scene = build(replace(roles, measured=measured), AtlasChoice("obj>"))
    assert all(cell.fill is None for cell in scene.cells)


def test_a_colour_that_is_not_measured_is_refused() -> None:
    with pytest.raises(InputError, match='"colour" is not measured of heads; use "role", "importance" or the key of a measure'):
        build(choice=AtlasChoice("colour"))


def test_the_selected_head_stands_forward_among_the_names() -> None:
    scene = build(choice=AtlasChoice(selected=(2, 5)))
    assert scene.selected == (2, 5)
    bold = [label.text for label in scene.labels if label.bold and not any(label.text in texts_in(scene, c) for c in scene.cells)]
    assert sorted(bold) == ["H5", "L2"]


def test_the_pointer_tells_all_roles_of_a_head() -> None:
    roles, scene = roles_of(6, 12), build()
    cell = max(scene.cells, key=lambda cell: len(roles.roles(cell.layer, cell.head)))
    held = roles.roles(cell.layer, cell.head)
    assert len(held) > 2
    assert cell.told.startswith(f"L{cell.layer}.H{cell.head}   {held[0].measure.title} {100 * held[0].score:.0f} % (baseline ")
    assert all(role.measure.title in cell.told for role in held)
    assert cell.told.count("baseline") == 1


def test_the_description_says_the_picture_in_words() -> None:
    roles = roles_of(6, 12)
    told = build().description
    assert told.startswith("What the heads of made-up-6x12 do, 6 layers of 12 heads: ")
    jobs = [found[0] for at in np.ndindex(6, 12) if (found := roles.roles(*at)) and found[0].measure.group != "rest"]
    clearest: Role = max(jobs, key=lambda role: role.above)
    assert f"Clearest: L{clearest.layer}.H{clearest.head} {clearest.measure.title}" in told

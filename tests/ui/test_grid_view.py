"""The grid on the screen and the panel beside it: by pointer and by keys."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from attnviz.paint.fonts import text_width
from attnviz.scene.grid.build import build_grid
from attnviz.scene.page import Layout
from attnviz.scene.ramps import ramp
from attnviz.session.grid_choice import GridChoice
from attnviz.session.head_reading import read_head
from attnviz.session.run import Run
from attnviz.session.survey import survey_of
from attnviz.session.view import HeadChoice, Sinks, View
from attnviz.session.weights import MEAN
from attnviz.ui.appearance import Appearance
from attnviz.ui.panels.head_panel import HeadPanel
from attnviz.ui.pictures.grid_view import GridView
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

    from attnviz.engine.model import Model
    from attnviz.scene.grid.scene import GridScene

ANIMAL = "The animal didn't cross the street because it was tired."
LEFT = Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class ViewWithChoice(View):
    """A view that has a choice for the grid."""

    grid: GridChoice = field(default_factory=GridChoice)


@pytest.fixture(scope="module")
def run(minilm: Model) -> Run:
    return run_of(minilm, ANIMAL)


@pytest.fixture
def appearance(fusion: QApplication) -> Appearance:
    appearance = Appearance(fusion)
    appearance.choose("light")
    return appearance


@pytest.fixture
def build(run: Run, appearance: Appearance) -> Callable[..., GridScene]:
    """Builds the scene of a view for a window of 900 x 480."""

    def build_it(view: View | None = None, height: float = 480.0) -> GridScene:
        return build_grid(run, view or View(layer=3), appearance.theme, Layout(900.0, height), text_width)

    return build_it


@pytest.fixture
def grid(qtbot: QtBot, build: Callable[..., GridScene]) -> GridView:
    view = GridView()
    qtbot.addWidget(view)
    view.resize(900, 480)
    view.set_scene(build())
    view.show()
    view.setFocus()
    return view


@pytest.fixture
def panel(qtbot: QtBot, appearance: Appearance) -> HeadPanel:
    panel = HeadPanel(appearance)
    qtbot.addWidget(panel)
    panel.resize(panel.width(), 700)
    panel.show()
    return panel


def middle(grid: GridView, layer: int, head: int) -> QPoint:
    cell = grid.scene.cell(layer, head)
    return grid.on_screen((cell.left + cell.right) / 2, (cell.top + cell.bottom) / 2).toPoint()


def select(grid: GridView, head: tuple[int, int] | None) -> None:
    """Show the same picture with another (layer, head) selected."""
    grid.set_scene(replace(grid.scene, selected=head))


def picked(grid: GridView) -> list[tuple[int, int]]:
    """The heads that were picked, one after the other; each is then selected, as a window does it."""
    heads: list[tuple[int, int]] = []

    def take(layer: int, head: int) -> None:
        heads.append((layer, head))
        select(grid, (layer, head))

    grid.headPicked.connect(take)
    return heads


def image_of(widget: QWidget) -> QImage:
    return widget.grab().toImage()


# --- the grid ---------------------------------------------------------------------------------------------------------


def test_the_pointer_lights_the_head_it_is_on(grid: GridView, qtbot: QtBot) -> None:
    before = image_of(grid)
    qtbot.mouseMove(grid, middle(grid, 2, 5))
    assert grid.hovered == (2, 5)
    assert image_of(grid) != before
    cell = grid.scene.cell(2, 5)
    qtbot.mouseMove(grid, grid.on_screen(cell.right + 2, cell.top + 2).toPoint())
    assert grid.hovered is None
    assert image_of(grid) == before


def test_a_head_stays_lit_when_a_new_picture_comes_under_the_pointer(grid: GridView, qtbot: QtBot, build: Callable) -> None:
    qtbot.mouseMove(grid, middle(grid, 2, 5))
    grid.set_scene(build(View(layer=4)))
    assert grid.hovered == (2, 5)
    grid.set_scene(None)
    assert grid.hovered is None


def test_a_click_picks_a_head_and_one_beside_picks_none(grid: GridView, qtbot: QtBot) -> None:
    heads = picked(grid)
    for head in ((0, 0), (5, 11), (3, 1)):
        qtbot.mouseClick(grid, LEFT, pos=middle(grid, *head))
    assert heads == [(0, 0), (5, 11), (3, 1)]
    qtbot.mouseClick(grid, LEFT, pos=QPoint(5, 5))
    assert len(heads) == 3


def test_a_double_click_opens_a_head(grid: GridView, qtbot: QtBot) -> None:
    opened: list[tuple[int, int]] = []
    grid.headOpened.connect(lambda *head: opened.append(head))
    qtbot.mouseDClick(grid, LEFT, pos=middle(grid, 4, 7))
    assert opened == [(4, 7)]
    qtbot.mouseDClick(grid, LEFT, pos=QPoint(5, 5))
    assert opened == [(4, 7)]


def test_arrows_walk_from_head_to_head_and_stop_at_the_edges(grid: GridView, qtbot: QtBot) -> None:
    heads = picked(grid)
    keys = Qt.Key
    for key in (keys.Key_Right, keys.Key_Right, keys.Key_Down, keys.Key_Left, keys.Key_Up, keys.Key_Left, keys.Key_Left):
        qtbot.keyClick(grid, key)
    # The first key shows where one is: the first head of the layer in view.
    assert heads == [(3, 0), (3, 1), (4, 1), (4, 0), (3, 0), (3, 0), (3, 0)]


def test_home_end_and_page_keys_reach_the_ends_of_lines_and_columns(grid: GridView, qtbot: QtBot) -> None:
    select(grid, (3, 4))
    heads = picked(grid)
    qtbot.keyClick(grid, Qt.Key.Key_End)
    qtbot.keyClick(grid, Qt.Key.Key_PageDown)
    qtbot.keyClick(grid, Qt.Key.Key_PageUp)
    qtbot.keyClick(grid, Qt.Key.Key_Home)
    qtbot.keyClick(grid, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(grid, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert heads == [(3, 11), (5, 11), (0, 11), (0, 0), (5, 11), (0, 0)]


def test_enter_opens_the_selected_head(grid: GridView, qtbot: QtBot) -> None:
    opened: list[tuple[int, int]] = []
    grid.headOpened.connect(lambda *head: opened.append(head))
    select(grid, (2, 9))
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    qtbot.keyClick(grid, Qt.Key.Key_Enter)
    assert opened == [(2, 9), (2, 9)]


def test_keys_that_mean_nothing_here_are_left_to_the_window(grid: GridView, qtbot: QtBot) -> None:
    heads = picked(grid)
    for key in (Qt.Key.Key_A, Qt.Key.Key_3, Qt.Key.Key_BracketRight):
        qtbot.keyClick(grid, key)
    assert heads == []


def test_keys_walk_along_sorted_heads_in_their_order(grid: GridView, qtbot: QtBot, build: Callable) -> None:
    grid.set_scene(build(ViewWithChoice(layer=3, grid=GridChoice("entropy", True))))
    line = [(cell.layer, cell.head) for cell in grid.scene.cells if cell.row == 3]
    select(grid, line[0])
    heads = picked(grid)
    for _ in range(12):
        qtbot.keyClick(grid, Qt.Key.Key_Right)
    assert heads == [*line[1:], line[-1]]


def test_tab_leaves_the_grid(qtbot: QtBot, build: Callable) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    grid, other = GridView(window), QPushButton("next", window)
    grid.set_scene(build())
    window.show()
    window.activateWindow()
    grid.setFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Tab)
    assert window.focusWidget() is other


def test_a_selection_is_framed_and_told(grid: GridView) -> None:
    before = image_of(grid)
    select(grid, (3, 1))
    assert image_of(grid) != before
    assert grid.accessibleDescription().startswith("L3.H1   entropy")
    assert "all-MiniLM-L6-v2" in grid.accessibleDescription()
    select(grid, None)
    assert image_of(grid) == before
    assert grid.accessibleDescription().startswith("All heads")


def test_a_part_of_a_square_is_under_the_pointer_that_is_on_it_at_every_zoom(grid: GridView) -> None:
    scene = grid.scene
    at = next(number for number, cell in enumerate(scene.cells) if (cell.layer, cell.head) == (2, 6))
    cell, levels = scene.cells[at], scene.levels[at]
    for factor in (1.0, 2.0, 2.0, 0.125):
        grid.zoom_by(factor)
        image = image_of(grid)
        for row, column in np.ndindex(levels.shape):
            x = cell.left + (column + 0.5) * (cell.right - cell.left) / levels.shape[1]
            y = cell.top + (row + 0.5) * (cell.bottom - cell.top) / levels.shape[0]
            point = grid.on_screen(x, y).toPoint()
            if factor > 1.0 and grid.rect().contains(point):
                wanted = ramp(scene.theme, 6)[levels[row, column]].tolist()
                assert image.pixelColor(point).getRgb()[:3] == tuple(wanted)
                assert scene.cell_at(*grid.viewport.to_scene(point.x(), point.y())) is cell
    grid.fit()
    assert grid.zoom == 1.0


def test_each_new_scene_is_painted_anew(grid: GridView, build: Callable, qtbot: QtBot) -> None:
    views = (View(quantity="rollout"), View(is_mean=True), View(sinks=Sinks(treatment="renormalise")), View())
    views += (ViewWithChoice(grid=GridChoice("entropy")), ViewWithChoice(grid=GridChoice("entropy", False, 2.0)))
    for view in views:
        grid.set_scene(build(view))
        fresh = GridView()
        qtbot.addWidget(fresh)
        fresh.resize(900, 480)
        fresh.set_scene(build(view))
        assert image_of(grid) == image_of(fresh)


def test_squares_that_are_scrolled_into_sight_look_as_if_they_had_been_there(grid: GridView, build: Callable, qtbot: QtBot) -> None:
    grid.zoom_by(3.0)
    image_of(grid)
    for dx, dy in ((-90, 0), (-200, -130), (0, -700), (150, 60), (400, 300)):
        grid.pan(dx, dy)
        fresh = GridView()
        qtbot.addWidget(fresh)
        fresh.resize(900, 480)
        fresh.set_scene(build())
        fresh.viewport = grid.viewport
        assert image_of(grid) == image_of(fresh)


def test_another_layer_or_head_leaves_the_squares_as_they_were_drawn(
    grid: GridView, build: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_of(grid)
    drawn: list[object] = []
    monkeypatch.setattr("attnviz.ui.pictures.grid_view.squares_image", lambda *asked: drawn.append(asked))
    for view in (View(layer=5), View(layer=2, heads=HeadChoice(frozenset({1}), 12))):
        grid.set_scene(build(view))
        image_of(grid)
    assert not drawn


def test_zoom_stays_while_the_squares_stay(grid: GridView, build: Callable) -> None:
    grid.zoom_by(2.0)
    grid.set_scene(build(View(layer=5)))
    assert grid.zoom == 2.0
    grid.set_scene(build(ViewWithChoice(grid=GridChoice("entropy"))))
    assert grid.zoom == 1.0


def test_keys_bring_a_head_that_is_out_of_sight_into_it(grid: GridView, qtbot: QtBot) -> None:
    select(grid, (0, 0))
    picked(grid)
    grid.zoom_by(4.0)
    qtbot.keyClick(grid, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    cell = grid.scene.cell(5, 11)
    assert grid.rect().contains(grid.on_screen(cell.left, cell.top).toPoint())
    assert grid.rect().contains(grid.on_screen(cell.right, cell.bottom).toPoint())


def test_a_grid_without_squares_answers_nothing_and_paints(grid: GridView, qtbot: QtBot, build: Callable) -> None:
    grid.set_scene(build(View(is_mean=True, heads=HeadChoice(frozenset(), 12))))
    heads = picked(grid)
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    qtbot.mouseClick(grid, LEFT, pos=QPoint(450, 240))
    grid.set_scene(None)
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    image_of(grid)
    assert heads == []


# --- the panel --------------------------------------------------------------------------------------------------------


def test_the_panel_says_of_a_head_what_its_reading_says(panel: HeadPanel, run: Run) -> None:
    view = View(layer=0)
    panel.show_head(run, view, (3, 1))
    reading = read_head(run.trace, view, 3, 1)
    assert panel.title() == "L3.H1"
    share = float(reading.summary.sink_share[0])
    assert panel.numbers() == {
        "entropy": f"{reading.summary.entropy[0]:.2f} nats",
        "distance": f"{reading.summary.distance[0]:.1f}",
        "sink_share": f"{100 * share:.0f} %",
    }
    plain = [("".join(c for c in looks if c.isprintable()), weight) for looks, weight in panel.pairs()]
    assert plain == [(f"{p.query} \N{RIGHTWARDS ARROW} {p.key}", f"{p.weight:.2f}") for p in reading.pairs]
    assert plain[0] == ("it \N{RIGHTWARDS ARROW} animal", "0.70")


def test_the_preview_has_the_colours_of_the_strongest_pair_where_it_is(panel: HeadPanel, run: Run) -> None:
    panel.show_head(run, View(sinks=Sinks(treatment="show")), (0, 2))
    image = image_of(panel.preview)
    weights = run.trace.attention(0)[2]
    at = [int((place + 0.5) * image.width() / 15) for place in range(15)]
    lightness = np.array([[image.pixelColor(x, y).lightness() for x in at] for y in at])
    assert image_of(panel.preview) == image
    panel.show_head(run, View(sinks=Sinks(treatment="show")), (0, 3))
    assert image_of(panel.preview) != image
    darkest = np.unravel_index(np.argmin(lightness), lightness.shape)
    assert weights[darkest] > 0.95 * weights.max()
    assert np.corrcoef(np.sqrt(weights).ravel(), lightness.ravel())[0, 1] < -0.98


def test_a_mean_and_a_rollout_are_read_as_one_map(panel: HeadPanel, run: Run) -> None:
    for view in (View(is_mean=True, heads=HeadChoice(frozenset({1, 4}), 12)), View(quantity="rollout")):
        panel.show_head(run, view, (3, MEAN))
        assert panel.title() == "L3"
        wanted = read_head(run.trace, view, 3, MEAN).pairs[0].weight
        assert panel.pairs()[0][1] == f"{wanted:.2f}"


def test_without_a_head_the_panel_says_how_to_get_there(panel: HeadPanel, run: Run) -> None:
    assert panel.title() == "Pick a head"
    assert not panel.preview.isVisible()
    panel.show_head(run, View(), (3, 1))
    assert panel.preview.isVisible()
    panel.show_head(run, View(is_mean=True, heads=HeadChoice(frozenset(), 12)), (3, MEAN))
    assert panel.title() == "L3"
    assert not panel.preview.isVisible()
    panel.show_head(None)
    assert panel.title() == "Pick a head"


def test_fewer_pairs_leave_no_lines_of_the_head_before(panel: HeadPanel, run: Run, minilm: Model) -> None:
    panel.show_head(run, View(), (3, 1))
    assert len(panel.pairs()) == 5
    panel.show_head(run_of(minilm, "cat"), View(), (0, 2))
    assert len(panel.pairs()) == 1


def test_the_buttons_ask_for_a_picture(panel: HeadPanel, run: Run, qtbot: QtBot) -> None:
    panel.show_head(run, View(), (3, 1))
    wanted: list[str] = []
    panel.pictureWanted.connect(wanted.append)
    for name in ("arcs", "matrix"):
        qtbot.mouseClick(panel.findChild(QPushButton, name), LEFT)
    assert wanted == ["arcs", "matrix"]


# --- the controls -----------------------------------------------------------------------------------------------------


@pytest.fixture
def told(panel: HeadPanel, run: Run) -> list[GridChoice]:
    """The choices that the panel tells, each of which is then shown, as a window does it."""
    choices: list[GridChoice] = []
    survey = survey_of(run.trace, View())

    def take(choice: GridChoice) -> None:
        choices.append(choice)
        panel.show_choice(choice, survey)

    panel.choiceChanged.connect(take)
    panel.show_choice(GridChoice(), survey)
    return choices


def test_a_number_can_be_chosen_and_its_options_come_with_it(panel: HeadPanel, told: list[GridChoice]) -> None:
    controls = panel.controls
    assert not controls.sort_box.isVisible()
    assert not controls.least.isVisible()
    controls.summary_box.setCurrentIndex(1)
    assert told == [GridChoice("entropy")]
    assert controls.sort_box.isVisible()
    assert controls.least.isVisible()
    controls.sort_box.click()
    assert told[-1] == GridChoice("entropy", True)
    controls.summary_box.setCurrentIndex(0)
    assert told[-1] == GridChoice(None, True)
    assert not controls.sort_box.isVisible()


def test_the_sliders_run_over_the_numbers_that_there_are(panel: HeadPanel, told: list[GridChoice], run: Run) -> None:
    values = survey_of(run.trace, View()).summary.distance
    controls = panel.controls
    controls.summary_box.setCurrentIndex(2)
    controls.least.setValue(50)
    half = float(values.min() + values.max()) / 2
    assert told[-1].least == pytest.approx(half, rel=1e-5)
    assert told[-1].most is None
    controls.most.setValue(75)
    assert told[-1].most == pytest.approx((half + float(values.max())) / 2, rel=1e-5)
    controls.least.setValue(0)
    assert told[-1].least is None


def test_a_slider_takes_the_other_one_along(panel: HeadPanel, told: list[GridChoice]) -> None:
    controls = panel.controls
    controls.summary_box.setCurrentIndex(1)
    controls.most.setValue(40)
    controls.least.setValue(60)
    assert (controls.least.value(), controls.most.value()) == (60, 60)
    assert told[-1].least == told[-1].most
    controls.most.setValue(20)
    assert (controls.least.value(), controls.most.value()) == (20, 20)


def test_a_slider_that_moves_leaves_the_other_limit_as_it_is(panel: HeadPanel, told: list[GridChoice], run: Run) -> None:
    survey, controls = survey_of(run.trace, View()), panel.controls
    beyond = float(survey.summary.entropy.max()) + 5.0  # a limit from a longer text
    panel.show_choice(GridChoice("entropy", False, None, beyond), survey)
    assert f"{beyond:.2f}" in [label.text() for label in controls.findChildren(QLabel)]
    controls.least.setValue(30)
    assert told[-1].most == beyond
    assert told[-1].least is not None
    between = 0.3 * float(survey.summary.entropy.min()) + 0.7 * float(survey.summary.entropy.max()) + 0.001
    panel.show_choice(GridChoice("entropy", False, between), survey)
    controls.most.setValue(90)
    assert told[-1].least == between


def test_the_limits_of_one_number_are_not_those_of_another(panel: HeadPanel, told: list[GridChoice]) -> None:
    controls = panel.controls
    controls.summary_box.setCurrentIndex(1)
    controls.least.setValue(60)
    controls.summary_box.setCurrentIndex(3)
    assert told[-1] == GridChoice("sink_share")
    assert (controls.least.value(), controls.most.value()) == (0, 100)


def test_a_choice_from_outside_is_shown_in_silence(panel: HeadPanel, told: list[GridChoice], run: Run) -> None:
    survey = survey_of(run.trace, View())
    choice = GridChoice("entropy", True, float(np.median(survey.summary.entropy)))
    panel.show_choice(choice, survey)
    assert told == []
    assert panel.controls.choice == choice
    assert panel.controls.sort_box.isChecked()
    assert 0 < panel.controls.least.value() < 100
    panel.show_choice(replace(choice, summary="distance"), None)
    assert told == []
    assert not panel.controls.least.isVisible()

"""The painted grid is the scene: each square in its head's colours, sharp, and none of its strong parts lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from attnviz.export.figure import Paper, pdf_bytes, svg_bytes
from attnviz.paint.fonts import text_width
from attnviz.paint.grid import squares_image
from attnviz.paint.painter import paint_scene
from attnviz.scene.grid.build import build_grid
from attnviz.scene.page import Layout
from attnviz.scene.ramps import ramp
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, View
from tests.probing.summaries import summary_for
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.grid.scene import GridScene

pytestmark = pytest.mark.usefixtures("qapp")
LIGHT = load_theme("light")
ANIMAL = "The animal didn't cross the street because it was tired."


@pytest.fixture(scope="module")
def scene(qapp: object, minilm: Model) -> GridScene:
    view = View(layer=3, heads=HeadChoice(frozenset({1}), 12))
    return build_grid(run_of(minilm, ANIMAL), view, LIGHT, Layout(900.0, 480.0), text_width)


def painted(scene: GridScene, scale: float = 1.0) -> np.ndarray:
    """The whole picture's pixels, [y, x, red green blue]."""
    image = QImage(round(scene.width * scale), round(scene.height * scale), QImage.Format.Format_RGB32)
    image.fill(QColor(scene.theme.paper))
    painter = QPainter(image)
    painter.scale(scale, scale)
    paint_scene(scene, painter)
    painter.end()
    return pixels_of(image)


def pixels_of(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[:, : image.width(), 2::-1].astype(int)


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.125])
def test_each_part_of_each_square_has_its_colour_of_the_heads_ramp(scene: GridScene, scale: float) -> None:
    pixels = painted(scene, scale)
    for cell, levels in zip(scene.cells, scene.levels, strict=True):
        rows, columns = levels.shape
        y = cell.top + (np.arange(rows) + 0.5) * (cell.bottom - cell.top) / rows
        x = cell.left + (np.arange(columns) + 0.5) * (cell.right - cell.left) / columns
        seen = pixels[np.ix_((y * scale).astype(int), (x * scale).astype(int))]
        np.testing.assert_array_equal(seen, ramp(LIGHT, cell.head)[levels])


def test_a_faded_square_is_nearer_to_the_paper_everywhere(scene: GridScene) -> None:
    faded = replace(scene, cells=tuple(replace(cell, is_faded=cell.head == 0) for cell in scene.cells))
    paper = np.array(QColor(LIGHT.paper).getRgb()[:3])
    before, after = (np.abs(painted(each) - paper).sum(-1) for each in (scene, faded))
    for cell in scene.cells:
        box = np.s_[cell.top : cell.bottom, cell.left : cell.right]
        if cell.head == 0:
            assert after[box].sum() < 0.4 * before[box].sum()
        else:
            np.testing.assert_array_equal(after[box], before[box])


def test_a_square_smaller_than_its_map_loses_no_strong_part(scene: GridScene) -> None:
    levels = np.zeros((len(scene.cells), 300, 300), np.uint8)
    levels[:, 211, :] = 255  # one token that looks at all: less than a pixel high
    pixels = painted(replace(scene, levels=levels))
    for cell in scene.cells:
        strongest = ramp(LIGHT, cell.head)[255].astype(int)
        lines = (pixels[cell.top : cell.bottom, cell.left : cell.right] == strongest).all(-1)
        assert lines.all(axis=1).sum() == 1


def test_the_frame_of_the_selected_head_lies_round_its_square_and_nowhere_else(scene: GridScene) -> None:
    with_frame, without = painted(scene), painted(replace(scene, selected=None))
    changed = np.argwhere((with_frame != without).any(-1))
    cell = scene.cell(3, 1)
    (top, left), (bottom, right) = changed.min(0), changed.max(0)
    assert (top, left, bottom, right) == (cell.top - 2, cell.left - 2, cell.bottom + 1, cell.right + 1)
    inside = np.s_[cell.top : cell.bottom, cell.left : cell.right]
    np.testing.assert_array_equal(with_frame[inside], without[inside])


def test_an_image_of_any_scale_covers_just_the_squares(scene: GridScene) -> None:
    cells = scene.cells
    width, height = cells[11].right - cells[0].left, cells[-1].bottom - cells[0].top
    for scale in (0.5, 1.0, 1.5, 4.0):
        image = squares_image(scene, scale).image
        assert (image.width(), image.height()) == (round(width * scale), round(height * scale))
        assert image.pixelColor(0, 0).alpha() == 255
    assert squares_image(scene, 1.0).image.pixelColor(cells[0].right - cells[0].left, 0).alpha() == 0
    closest = squares_image(scene, 60.0).image
    assert closest.width() * closest.height() < 25_000_000


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.5, 3.125])
@pytest.mark.parametrize("seen", [(0, 0, 900, 480), (300, 200, 90, 40), (420, 100, 1, 1), (880, 470, 50, 50)])
def test_squares_in_sight_have_the_pixels_that_they_have_among_all(
    scene: GridScene, seen: tuple[int, int, int, int], scale: float, ahead: bool
) -> None:
    scene = replace(scene, cells=tuple(replace(cell, is_faded=cell.head % 3 == 0) for cell in scene.cells))
    whole, part = squares_image(scene, scale), squares_image(scene, scale, QRectF(*seen), ahead)
    x, y = (round(scale * (a - b)) for a, b in ((part.place.x(), whole.place.x()), (part.place.y(), whole.place.y())))
    if part.place.isEmpty():
        assert not [cell for cell in scene.cells if QRectF(*seen).intersects(QRectF(cell.left, cell.top, 1, 1))]
        return
    np.testing.assert_array_equal(part.pixels, whole.pixels[y:, x:][: part.pixels.shape[0], : part.pixels.shape[1]])
    for cell in scene.cells:
        box = QRectF(cell.left, cell.top, cell.right - cell.left, cell.bottom - cell.top)
        if box.intersects(QRectF(*seen)):
            assert part.place.adjusted(-1.1 / scale, -1.1 / scale, 1.1 / scale, 1.1 / scale).contains(box)


def test_the_image_of_a_close_view_is_no_larger_than_the_squares_in_sight(scene: GridScene) -> None:
    cell = scene.cell(2, 5)
    image = squares_image(scene, 60.0, QRectF(cell.left, cell.top, 10, 10), ahead=True)
    assert image.pixels.size <= (60 * (cell.right - cell.left)) * (60 * (cell.bottom - cell.top))


def test_the_squares_of_an_svg_are_those_of_the_scene(scene: GridScene) -> None:
    renderer = QSvgRenderer(svg_bytes(scene, Paper(), "{}"))
    assert renderer.isValid()
    image = QImage(round(scene.width) * 2, round(scene.height) * 2, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    pixels = pixels_of(image)
    for cell, levels in zip(scene.cells, scene.levels, strict=True):
        y = cell.top + 0.5 * (cell.bottom - cell.top) / levels.shape[0]
        x = cell.left + (np.arange(levels.shape[1]) + 0.5) * (cell.right - cell.left) / levels.shape[1]
        seen = pixels[int(2 * y), (2 * x).astype(int)]
        assert np.abs(seen - ramp(LIGHT, cell.head)[levels[0]]).max() <= 2


def test_a_pdf_holds_the_squares_without_loss(scene: GridScene) -> None:
    assert b"DCTDecode" not in pdf_bytes(scene, Paper(), "{}")


def test_a_scene_without_squares_can_be_painted(scene: GridScene, minilm: Model) -> None:
    nothing = build_grid(
        run_of(minilm, ANIMAL), View(is_mean=True, heads=HeadChoice(frozenset(), 12)), LIGHT, Layout(900.0, 480.0), text_width
    )
    assert (painted(nothing) != painted(scene)).any()


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize("selected", [None, frozenset({1})])
def test_the_line_below_a_head_with_a_role_is_seen_in_its_colours(
    minilm: Model, scale: float, selected: frozenset[int] | None
) -> None:
    run = run_of(minilm, ANIMAL)
    roles = summary_for(run, {(3, 1): ("pronoun", "obj>"), (2, 4): ("previous",)})
    view = View(layer=3, heads=None if selected is None else HeadChoice(selected, 12))
    scene = build_grid(run, view, LIGHT, Layout(900.0, 480.0), text_width, roles)
    pixels = painted(scene, scale)
    assert len(scene.marks) == 3
    for mark in scene.marks:
        x, y = (mark.box.left + mark.box.right) / 2, (mark.box.top + mark.box.bottom) / 2
        assert tuple(pixels[int(y * scale), int(x * scale)]) == QColor(mark.colour).getRgb()[:3]

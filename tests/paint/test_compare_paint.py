"""The painted comparison is its parts, each in its place; the table and the chart are painted as they are set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from attnviz.export.figure import Paper, pdf_bytes, svg_bytes
from attnviz.paint.fonts import text_width
from attnviz.paint.painter import paint_scene
from attnviz.scene.compare.scene import CompareScene
from attnviz.scene.matrix.scene import MatrixScene
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.ramps import difference_colours
from attnviz.scene.scene import ArcScene
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, View
from tests.paint.test_paint import ink_in, painted
from tests.session.compared import TIRED, WIDE, one_head, two_texts

if TYPE_CHECKING:
    from attnviz.engine.model import Model

pytestmark = pytest.mark.usefixtures("qapp")
LIGHT, DARK = load_theme("light"), load_theme("dark")
H1: Final = HeadChoice(frozenset({1}), 12)
PAPER: Final = Layout(528.0, caption=True)


def scene_of(minilm: Model, view: View, layout: Layout = PAPER, theme: object = LIGHT) -> CompareScene:
    scene = build_scene(two_texts(minilm, TIRED, WIDE), view, theme, layout, text_width)
    assert isinstance(scene, CompareScene)
    return scene


def levels(colour: str) -> list[int]:
    """A colour as pixels have it: blue, green, red."""
    return [int(colour[i : i + 2], 16) for i in (5, 3, 1)]


@pytest.mark.parametrize("picture", ["arcs", "matrix"])
@pytest.mark.parametrize("setting", ["side", "difference"])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_each_part_is_painted_as_it_is_alone(minilm: Model, picture: str, setting: str, theme: object) -> None:
    scene = scene_of(minilm, View(3, H1, focus=10, picture=picture, setting=setting), theme=theme)
    whole = painted(scene, lambda painter: paint_scene(scene, painter))
    for part in scene.parts:
        # On the same fractions of a pixel, or antialiasing would differ.
        left, top = int(part.left), int(part.top)
        off = (part.left - left, part.top - top)

        def paint_alone(painter: QPainter, part: object = part, off: tuple[float, float] = off) -> None:
            painter.translate(*off)
            paint_scene(part.scene, painter)

        alone = painted(part.scene, paint_alone)
        inner = alone[2:-2, 24:-24]
        there = whole[top + 2 : top + 2 + inner.shape[0], left + 24 : left + 24 + inner.shape[1]]
        if setting == "side" and part.name in "AB":
            end = inner.shape[0] - 30  # into whose lower margin the next part, or the bar of both, reaches
            inner, there = inner[:end], there[:end]
        np.testing.assert_array_equal(there, inner)


def test_a_difference_is_painted_in_the_two_runs_colours(minilm: Model) -> None:
    scene = scene_of(minilm, View(3, H1, picture="matrix", setting="difference"))
    matrix, pixels = scene.parts[0].scene, painted(scene, lambda painter: paint_scene(scene, painter))
    cells, panel = matrix.cells(matrix.panels[0]), matrix.panels[0]
    row, column = np.unravel_index(np.abs(panel.weights).argmax(), panel.weights.shape)
    at = pixels[int(cells.top + (row + 0.2) * cells.height), int(cells.left + (column + 0.2) * cells.width)]
    assert np.abs(at - levels(difference_colours(LIGHT)[0])).max() <= 8  # the largest is a little below the scale's end
    bar = matrix.bar
    above, below = (pixels[int(y), int(bar.left + bar.width / 2)] for y in (bar.top + 2, bar.top + bar.height - 2))
    for seen, colour in ((above, difference_colours(LIGHT)[0]), (below, difference_colours(LIGHT)[1])):
        assert np.abs(seen - levels(colour)).max() <= 12  # two pixels from its end


def test_the_bar_of_both_matrices_is_painted_below_them(minilm: Model) -> None:
    scene = scene_of(minilm, View(3, H1, picture="matrix"))
    pixels, bar = painted(scene, lambda painter: paint_scene(scene, painter)), scene.bar
    row = pixels[int(bar.top + bar.height / 2), int(bar.left) + 2 : int(bar.left + bar.width) - 2]
    assert (np.diff(row.sum(axis=1)) <= 0).all()
    assert row[0].sum() - row[-1].sum() > 400


def test_the_table_has_its_rules_and_numbers(minilm: Model) -> None:
    scene = build_scene(one_head(minilm), View(0), LIGHT, PAPER, text_width)
    part = scene.part("measures")
    pixels = painted(part.scene, lambda painter: paint_scene(part.scene, painter))
    for line in part.scene.lines:
        assert ink_in(pixels, line.x, line.y - 1, line.to_x, line.y + 1) > 0
    for label in part.scene.labels:
        width = text_width(label.text, label.size, label.bold)
        left = label.x - {"left": 0.0, "middle": width / 2, "right": width}[label.align]
        assert ink_in(pixels, left, label.baseline - 9, left + width, label.baseline) > 50, label.text


def test_the_chart_has_a_point_for_each_layer_and_its_line(minilm: Model) -> None:
    chart = scene_of(minilm, View(3, focus=10)).part("layers").scene
    pixels = painted(chart, lambda painter: paint_scene(chart, painter), 2.0)
    for point in chart.points:
        assert np.abs(pixels[round(2 * point.y), round(2 * point.x)] - levels(chart.colour)).max() <= 2
    a, b = chart.points[2:4]
    assert ink_in(pixels, a.x + b.x - 2, a.y + b.y - 2, a.x + b.x + 2, a.y + b.y + 2) > 100


@pytest.mark.parametrize("picture", ["arcs", "matrix"])
@pytest.mark.parametrize("setting", ["side", "difference"])
def test_a_vector_file_shows_the_same(minilm: Model, picture: str, setting: str) -> None:
    scene = bare(scene_of(minilm, View(3, H1, picture=picture, setting=setting)))
    svg = svg_bytes(scene, Paper(background="theme"), "{}")
    image = QImage(round(scene.width), round(scene.height), QImage.Format.Format_RGB32)
    image.fill(QColor(scene.theme.paper))
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg)).render(painter)
    painter.end()
    seen = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3].astype(int)
    whole = painted(scene, lambda painter: paint_scene(scene, painter, 0.8))
    height = min(len(seen), len(whole))
    apart = np.abs(seen[:height] - whole[:height]).max(axis=2)
    ink = (np.abs(whole - whole[0, 0]).max(axis=2) > 40).mean()
    assert ink > 0.003
    assert (apart > 40).mean() < 0.3 * ink  # the edges of lines, and a number here and there
    assert len(pdf_bytes(scene, Paper(), "{}")) > 4_000


def bare(scene: CompareScene) -> CompareScene:
    """The picture without its type, which readers of vector files set in their own way."""
    parts = []
    for part in scene.parts:
        inner = replace(part.scene, labels=())
        if isinstance(inner, ArcScene):
            inner = replace(inner, tokens=())
        if isinstance(inner, MatrixScene):
            panels = tuple(replace(panel, has_row_labels=False, has_column_labels=False) for panel in inner.panels)
            inner = replace(inner, panels=panels, bar=inner.bar and replace(inner.bar, labels=()))
        parts.append(replace(part, scene=inner))
    return replace(scene, labels=(), parts=tuple(parts), bar=scene.bar and replace(scene.bar, labels=()))

"""The painted steps: every cell has the colour of its number, in every form of file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from attnviz.export.figure import Paper, figure_image, figure_scene, pdf_bytes, svg_bytes
from attnviz.paint.fonts import text_width
from attnviz.scene.ramps import two_sided
from attnviz.scene.steps.cells import colours_of
from attnviz.session.view import HeadChoice, View
from tests.scene.pictures import run_of
from tests.scene.test_steps_scene import ANIMAL, check_geometry

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.steps.scene import StepsScene
    from attnviz.scene.theme import ThemeName

pytestmark = pytest.mark.usefixtures("qapp")
VIEW = View(picture="steps", layer=3, focus=10, heads=HeadChoice(frozenset({1}), 12))
SCALE = 3.0


def pixels_of(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[:, : image.width(), 2::-1].astype(int)


def check_cells(scene: StepsScene, pixels: np.ndarray, scale: float, most: int) -> None:
    """The middle of each cell has the colour of the ramp; most: how far a channel may be off."""
    ramp = two_sided(scene.theme).astype(int)
    for strip in scene.strips:
        wanted = ramp[colours_of(strip.values[strip.cells], strip.scale)]
        edges = np.linspace(strip.box.left, strip.box.right, len(strip.cells) + 1)
        x = ((edges[:-1] + edges[1:]) / 2 * scale).astype(int)
        found = pixels[int(strip.box.middle * scale), x]
        assert np.abs(found - wanted).max() <= most, strip.what


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_cell_has_the_colour_of_its_number(minilm: Model, theme: ThemeName) -> None:
    paper = Paper(width=12.0, theme=theme, background="theme")
    scene = figure_scene(run_of(minilm, ANIMAL), VIEW, paper)
    check_cells(scene, pixels_of(figure_image(scene, paper, 96 * SCALE)), SCALE, 0)


def test_an_svg_shows_the_same_colours(minilm: Model) -> None:
    paper = Paper(width=12.0)
    scene = figure_scene(run_of(minilm, ANIMAL), VIEW, paper)
    renderer = QSvgRenderer(svg_bytes(scene, paper, "{}"))
    image = QImage(round(scene.width * SCALE), round(scene.height * SCALE), QImage.Format.Format_RGB32)
    image.fill(QColor(scene.theme.paper))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    check_cells(scene, pixels_of(image), SCALE, 2)


def test_a_pdf_is_one_page_of_text_and_shapes(minilm: Model) -> None:
    paper = Paper(width=5.5)
    scene = figure_scene(run_of(minilm, ANIMAL), VIEW, paper)
    assert pdf_bytes(scene, paper, "{}").startswith(b"%PDF")
    check_geometry(scene, text_width)

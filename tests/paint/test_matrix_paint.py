"""The painted matrix is the scene: each cell its colour, each number in its cell, on screens as in vector files."""

from __future__ import annotations

import base64
import io
import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pypdf
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from attnviz.export.figure import Paper, pdf_bytes, svg_bytes
from attnviz.paint.fonts import text_width
from attnviz.paint.matrix import paint_matrix_scene
from attnviz.scene.matrix.colour_scale import ColourScale
from attnviz.scene.matrix.scene import MatrixScene, TokenSide, cell_colours, number_type
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.ramps import ramp
from attnviz.scene.theme import load_theme
from attnviz.session.view import HeadChoice, View
from tests.paint.test_paint import ink_in, painted
from tests.scene import test_matrix
from tests.scene.pictures import SHOWN, run_of, text_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.matrix.scene import MatrixPanel

pytestmark = pytest.mark.usefixtures("qapp")
LIGHT = load_theme("light")
ANIMAL = "The animal didn't cross the street because it was tired."


def scene_of(minilm: Model, text: str, *heads: int, size: tuple[float, float] = (900.0, 560.0), **rest: object) -> MatrixScene:
    view = View(picture="matrix", layer=3, heads=HeadChoice(frozenset(heads), 12), **rest)
    scene = build_scene(run_of(minilm, text), view, LIGHT, Layout(*size), text_width)
    assert isinstance(scene, MatrixScene)
    return scene


def paint(scene: MatrixScene, scale: float = 1.0) -> np.ndarray:
    """The pixels, [y, x, channel]: blue, green, red."""
    return painted(scene, lambda painter: paint_matrix_scene(scene, painter), scale)


def in_cells(scene: MatrixScene, panel: MatrixPanel, pixels: np.ndarray, part: float, scale: float) -> np.ndarray:
    """The pixel in each cell at a part of its width and height, red first: [row, column, 3]."""
    cells = scene.cells(panel)
    x = (scale * (cells.left + (np.arange(cells.n_column) + part) * cells.width)).astype(int)
    y = (scale * (cells.top + (np.arange(cells.n_row) + part) * cells.height)).astype(int)
    return pixels[np.ix_(y, x)][..., ::-1]


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_each_cell_has_its_colour(minilm: Model, scale: float) -> None:
    for heads in ((4,), (1, 4, 5)):
        scene = scene_of(minilm, text_of(minilm, 30), *heads)
        pixels = paint(scene, scale)
        for panel in scene.panels:
            seen = in_cells(scene, panel, pixels, 0.2, scale)  # where no number stands
            np.testing.assert_array_equal(seen, cell_colours(scene, panel))


@pytest.mark.parametrize("n_token", [10, 30, 70])
def test_a_vector_file_shows_the_same_cells(minilm: Model, n_token: int) -> None:
    scene = scene_of(minilm, text_of(minilm, n_token), 4, sinks=SHOWN)
    assert (scene.panels[0].weights.size > 4_096) == (n_token == 70)
    svg = svg_bytes(scene, Paper(background="theme"), "{}")
    assert (b"<image" in svg) == (n_token == 70)
    image = QImage(round(2 * scene.width), round(2 * scene.height), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(svg)).render(painter)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3].astype(int)
    # In the corner of a cell, where no number stands.
    seen = in_cells(scene, scene.panels[0], pixels, 0.2, 2.0)
    assert np.abs(seen - cell_colours(scene, scene.panels[0])).max() <= 2


def test_numbers_in_a_vector_file_are_text_and_the_weights(minilm: Model) -> None:
    scene = scene_of(minilm, "The animal was tired.", 1)
    svg = svg_bytes(replace(scene, labels=(), bar=None), Paper(), "{}").decode()
    shown = sorted(re.findall(r">(\d\.\d\d)<", svg))
    told = sorted(f"{weight:.2f}" for weight in scene.panels[0].weights.ravel() if weight >= 0.005)
    assert 0 < len(told) < scene.panels[0].weights.size
    assert shown == told
    for token in scene.queries.texts:
        assert svg.count(f">{token}<") == 2
    assert not re.search(rb"/Subtype\s*/Image", pdf_bytes(scene, Paper(), "{}"))


@pytest.mark.parametrize("is_log", [False, True])
def test_small_type_tells_the_strong_weights_alone_without_their_nought(minilm: Model, is_log: bool) -> None:
    scene = scene_of(minilm, ANIMAL, 1, size=(312.0, 0.0), is_log=is_log)
    svg = svg_bytes(replace(scene, labels=(), bar=None), Paper(), "{}").decode()
    strong = scene.panels[0].weights[scene.panels[0].weights >= 0.1 * scene.scale.top]
    assert 3 < len(strong) < 30
    assert sorted(re.findall(r">(\.\d\d)<", svg)) == sorted(f"{weight:.2f}"[1:] for weight in strong)


@pytest.mark.parametrize("top", [1.0, 0.2, 0.1, 0.05, 5.0, 200.0])
def test_no_number_is_wider_than_its_cell(minilm: Model, top: float) -> None:
    scene = scene_of(minilm, ANIMAL, 1, size=(528.0, 0.0))
    shares = np.random.default_rng(7).random(scene.panels[0].weights.shape, np.float32) ** 4
    panels = (replace(scene.panels[0], weights=np.float32(top) * shares),)
    scene = replace(scene, scale=ColourScale(top), panels=panels, labels=(), bar=None)
    svg = svg_bytes(scene, Paper(), "{}").decode()
    numbers = re.findall(r'<text [^>]*font-size="(\d+)"[^>]*>([\d.]*\d[\d.]*)</text>', svg)
    assert bool(numbers) == (number_type(scene.cell_width, scene.cell_height, scene.scale, text_width) is not None)
    assert all(text_width(text, int(size), False) <= scene.cell_width - 3 for size, text in numbers)


def test_a_number_is_painted_inside_its_cell(minilm: Model) -> None:
    scene = scene_of(minilm, "The animal was tired.", 1)
    panel = scene.panels[0]
    cells = scene.cells(panel)
    for row, column in itertools.product(range(cells.n_row), range(cells.n_column)):
        weights = np.zeros_like(panel.weights)
        with_one = weights.copy()
        with_one[row, column] = 0.006  # pale, so that the number is nearly all of it
        pages = [paint(replace(scene, panels=(replace(panel, weights=w),), labels=())) for w in (weights, with_one)]
        changed = np.argwhere((pages[0] != pages[1]).any(axis=2))
        (top, left), (bottom, right) = changed.min(axis=0), changed.max(axis=0)
        assert int(cells.left + column * cells.width) <= left
        assert right <= cells.left + (column + 1) * cells.width + 1
        assert int(cells.top + row * cells.height) <= top
        assert bottom <= cells.top + (row + 1) * cells.height + 1
        assert right - left > 0.5 * cells.width


def synthetic(scene: MatrixScene, weights: np.ndarray) -> MatrixScene:
    """The scene with another map in the place of its own."""
    n = len(weights)
    side = TokenSide(tuple(range(n)), tuple(f"t{i}" for i in range(n)), (False,) * n, (False,) * n, ())
    whole = scene.cells(scene.panels[0]).room
    size = {"cell_width": (whole[2] - whole[0]) / n, "cell_height": (whole[3] - whole[1]) / n}
    panels = (replace(scene.panels[0], weights=weights),)
    return replace(scene, panels=panels, queries=side, keys=side, dimmed=np.zeros(n, bool), labels=(), **size)


@pytest.mark.parametrize("n", [400, 512, 777, 1000])
def test_no_column_is_lost_where_cells_are_smaller_than_pixels(minilm: Model, n: int) -> None:
    scene = scene_of(minilm, text_of(minilm, 40), 1)
    empty = paint(synthetic(scene, np.zeros((n, n), np.float32)))
    for column in range(0, n, 61):
        weights = np.zeros((n, n), np.float32)
        weights[:, column] = scene.scale.top
        made = synthetic(scene, weights)
        cells = made.cells(made.panels[0])
        x = cells.left + (column + 0.5) * cells.width
        changed = np.flatnonzero((paint(made) != empty).any(axis=(0, 2)))
        assert changed.size
        assert abs(changed.mean() + 0.5 - x) < 1.5


STRONG_PLACES = [(0, 0), (4_095, 4_095), (2_047, 11), (1_234, 4_000)]


def one_strong(scene: MatrixScene, row: int, column: int, n: int = 4_096) -> MatrixScene:
    weights = np.zeros((n, n), np.float32)
    weights[row, column] = scene.scale.top
    return synthetic(scene, weights)


def strongest_in(pixels: np.ndarray) -> np.ndarray:
    """Where the colour of the largest weight of head 1 is, [place, (y, x)], in pixels of blue, green and red; at the edges a little
    of the frame may lie on it."""
    return np.argwhere(np.abs(pixels - ramp(LIGHT, 1)[255][::-1].astype(int)).max(axis=2) <= 40)


@pytest.mark.parametrize("scale", [1.0, 2.0, 3.125])
def test_one_strong_weight_among_sixteen_million_is_a_pixel_of_its_colour(minilm: Model, scale: float) -> None:
    scene = scene_of(minilm, text_of(minilm, 40), 1)
    for place in STRONG_PLACES:
        made = one_strong(scene, *place)
        cells = made.cells(made.panels[0])
        left, top, right, bottom = (round(scale * end) for end in cells.room)
        (found,) = np.add(strongest_in(paint(made, scale)[top:bottom, left:right]), (top, left))
        y, x = (cells.top + (place[0] + 0.5) * cells.height) * scale, (cells.left + (place[1] + 0.5) * cells.width) * scale
        assert abs(found[1] + 0.5 - x) <= 1.51
        assert abs(found[0] + 0.5 - y) <= 1.51


def test_vector_files_hold_it_too_and_stay_small(minilm: Model) -> None:
    scene = replace(scene_of(minilm, text_of(minilm, 40), 1), bar=None)
    for place in STRONG_PLACES[1:3]:
        made = one_strong(scene, *place)
        svg, pdf = svg_bytes(made, Paper(), "{}"), pdf_bytes(made, Paper(), "{}")
        (encoded,) = re.findall(rb"base64,\s*([A-Za-z0-9+/=\s]+)", svg)
        image = QImage.fromData(base64.b64decode(encoded))
        assert max(image.width(), image.height()) <= 2_000
        (found,) = strongest_in(pixels_of(image))
        assert np.abs((found + 0.5) / (image.height(), image.width()) - (np.array(place) + 0.5) / 4_096).max() < 0.001
        assert ramp(LIGHT, 1)[255].tobytes() in images_in(pdf)
        assert b"DCTDecode" not in pdf
        assert max(len(svg), len(pdf)) < 400_000


def images_in(pdf: bytes) -> bytes:
    """The bytes of all images of a file."""
    objects = (found.get_object() for found in pypdf.PdfReader(io.BytesIO(pdf)).pages[0]["/Resources"]["/XObject"].values())
    return b"".join(found.get_data() for found in objects if found["/Subtype"] == "/Image")


def pixels_of(image: QImage) -> np.ndarray:
    """[y, x, channel]: blue, green, red."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[..., :3].astype(int)


def test_a_picture_whose_pixels_stand_for_several_weights_says_so(minilm: Model) -> None:
    told = "a pixel on which several fall shows the strongest of them"
    for n_token, size in ((30, (900.0, 560.0)), (250, (320.0, 300.0)), (250, (200.0, 0.0))):
        scene = scene_of(minilm, text_of(minilm, n_token), 1, size=size)
        is_shared = min(scene.cell_width, scene.cell_height) < 1
        assert is_shared == (n_token > 30)
        text = " ".join(label.text for label in scene.labels)
        assert (told in text) == is_shared
        assert (f"{len(scene.queries)} x {len(scene.keys)} weights" in text) == is_shared


def test_the_focus_is_outlined_and_its_labels_stand_out(minilm: Model) -> None:
    scene = scene_of(minilm, "The animal was tired.", 1)
    pinned = replace(scene, focus=scene.queries.positions[2])
    cells = scene.cells(scene.panels[0])
    accent = np.array([QColor(LIGHT.accent).blue(), QColor(LIGHT.accent).green(), QColor(LIGHT.accent).red()])
    middle = int(cells.left + 0.5 * cells.width)
    edge = int(cells.top + 2 * cells.height)
    near = [np.abs(paint(s)[edge - 2 : edge + 3, middle] - accent).sum(axis=1).min() for s in (scene, pinned)]
    assert near[1] < 90 < near[0]
    left = [
        ink_in(paint(s), 0, cells.top + 2 * cells.height, cells.left - 4, cells.top + 3 * cells.height) for s in (scene, pinned)
    ]
    assert left[1] > 1.3 * left[0]


@pytest.mark.parametrize("n_token", [1, 5, 15, 40])
@pytest.mark.parametrize("size", [(700.0, 560.0), (1180.0, 560.0), (528.0, 0.0)])
def test_with_the_real_type_nothing_overlaps_either(
    minilm: Model, monkeypatch: pytest.MonkeyPatch, n_token: int, size: tuple[float, float]
) -> None:
    monkeypatch.setattr(test_matrix, "stand_in_measure", text_width)
    for heads in ((1,), range(12)):
        test_matrix.check_geometry(scene_of(minilm, text_of(minilm, n_token), *heads, size=size, sinks=SHOWN))


def test_an_empty_matrix_can_be_painted(minilm: Model) -> None:
    scene = scene_of(minilm, "cat")
    assert scene.panels == ()
    assert ink_in(paint(scene), 0, 0, scene.width, scene.height) > 0

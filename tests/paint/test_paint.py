"""Paths, type and pixels: the painted picture is the scene."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFontInfo, QImage, QPainter, QPainterPath

from attnviz.paint.arcs import paint_arcs, paint_text
from attnviz.paint.fonts import FAMILY, font, text_width
from attnviz.paint.painter import paint_scene
from attnviz.paint.paths import cubic_path
from attnviz.scene.page import Layout
from attnviz.scene.pictures import build_scene
from attnviz.scene.scene import Box
from attnviz.scene.theme import load_theme
from attnviz.session.view import View
from tests.scene.pictures import run_of, text_of
from tests.scene.test_arcs import check_geometry as check_with_stand_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from attnviz.scene.scene import Scene

pytestmark = pytest.mark.usefixtures("qapp")
LIGHT = load_theme("light")
ANIMAL = "The animal didn't cross the street because it was tired."


@pytest.fixture(scope="module")
def scene(qapp: object, minilm: Model) -> Scene:
    return build_scene(run_of(minilm, ANIMAL), View(layer=3), LIGHT, Layout(700.0, caption=True), text_width)


def painted(scene: Scene, paint: Callable[[QPainter], None], scale: float = 1.0) -> np.ndarray:
    """The pixels after `paint`, [y, x, channel] 0 to 255, on the scene's paper."""
    image = QImage(round(scene.width * scale), round(scene.height * scale), QImage.Format.Format_RGB32)
    image.fill(QColor(scene.theme.paper))
    painter = QPainter(image)
    painter.scale(scale, scale)
    paint(painter)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[:, : image.width(), :3].astype(int)


def ink_in(pixels: np.ndarray, left: float, top: float, right: float, bottom: float) -> float:
    """How much the pixels of a box differ from the picture's paper, summed."""
    paper = pixels[0, 0]
    return float(np.abs(pixels[int(top) : int(bottom) + 1, int(left) : int(right) + 1] - paper).sum())


@given(arrays.arrays(np.float32, st.tuples(st.integers(0, 12), st.just(4), st.just(2)), elements=st.floats(-1e4, 1e4, width=32)))
def test_a_path_is_the_one_built_call_by_call(curve: np.ndarray) -> None:
    assume((np.abs(curve[:, 1:] - curve[:, :1]).max(axis=(1, 2)) > 1e-3).all())  # Qt leaves out a curve that is one point
    slow = QPainterPath()
    for start, first, second, end in curve.tolist():
        slow.moveTo(QPointF(*start))
        slow.cubicTo(QPointF(*first), QPointF(*second), QPointF(*end))
    fast = cubic_path(curve)
    assert fast.elementCount() == slow.elementCount() == 4 * len(curve)
    for i in range(slow.elementCount()):
        a, b = fast.elementAt(i), slow.elementAt(i)
        assert (a.x, a.y, a.type) == (b.x, b.y, b.type)


def test_the_type_is_the_one_that_is_shipped() -> None:
    for bold in (False, True):
        info = QFontInfo(font(17, bold))
        assert info.family() == FAMILY
        assert info.exactMatch()
        assert info.pixelSize() == 17
        assert info.bold() == font(17, bold).bold()


def test_bold_is_wider_than_plain() -> None:
    assert text_width("attention", 17, True) > text_width("attention", 17, False)


@pytest.mark.parametrize("size", [11, 12, 13, 17, 24])
@pytest.mark.parametrize("bold", [False, True])
def test_all_figures_have_one_width(size: int, bold: bool) -> None:
    assert len({round(text_width(digit, size, bold), 4) for digit in "0123456789"}) == 1


def test_a_line_has_one_length_at_every_size() -> None:
    small, large = (text_width("The animal", size, False) / size for size in (10, 40))
    assert small == pytest.approx(large, rel=0.02)


@pytest.mark.parametrize("n_token", [1, 15, 40, 120])
@pytest.mark.parametrize("width", [300.0, 800.0, 1600.0])
def test_with_the_real_type_nothing_overlaps_either(
    minilm: Model, monkeypatch: pytest.MonkeyPatch, n_token: int, width: float
) -> None:
    monkeypatch.setattr("tests.scene.test_arcs.stand_in_measure", text_width)
    run = run_of(minilm, text_of(minilm, n_token), 4, 0.5)
    check_with_stand_in(build_scene(run, View(layer=3), LIGHT, Layout(width, caption=True), text_width))


def test_each_tokens_ink_is_where_the_scene_says(scene: Scene) -> None:
    whole = painted(scene, lambda painter: paint_text(scene, painter))
    for box in scene.tokens:
        one = replace(scene, tokens=(box,), labels=(), dots=(), bands=())
        pixels = painted(scene, lambda painter, one=one: paint_text(one, painter))
        assert ink_in(pixels, box.left - 1, box.top, box.right + 1, box.bottom) > 0
        everywhere = ink_in(pixels, 0, 0, scene.width, scene.height)
        within = ink_in(pixels, box.left - 0.5 * scene.font_size, box.top, box.right + 1, box.bottom)
        assert within == everywhere
        assert ink_in(whole, box.left, box.top, box.right, box.bottom) > 0


@pytest.mark.parametrize("focus", [None, 20])
def test_what_is_in_sight_is_the_same_without_the_tokens_that_are_not(minilm: Model, focus: int | None) -> None:
    view = View(layer=3, focus=focus)
    scene = build_scene(run_of(minilm, text_of(minilm, 120)), view, LIGHT, Layout(500.0), text_width)
    top, bottom = scene.height / 3, scene.height / 2
    whole = painted(scene, lambda painter: paint_text(scene, painter))
    seen = painted(scene, lambda painter: paint_text(scene, painter, Box(0.0, top, scene.width, bottom)))
    rows = slice(int(top) + 1, int(bottom))
    assert np.array_equal(seen[rows], whole[rows])
    assert not np.array_equal(seen, whole)


def test_arcs_are_painted_along_their_curves_and_nowhere_else(scene: Scene) -> None:
    strongest = len(scene.arcs) - 1
    only = np.arange(len(scene.arcs)) == strongest
    pixels = painted(scene, lambda painter: paint_arcs(scene, painter, 1.0, only))
    x, y = scene.arcs.curve[strongest].min(axis=0) - 5, scene.arcs.curve[strongest].max(axis=0) + 5
    assert ink_in(pixels, 0, 0, scene.width, scene.height) > 0
    pixels[max(int(x[1]), 0) : int(y[1]), max(int(x[0]), 0) : int(y[0])] = pixels[0, 0]
    assert ink_in(pixels, 0, 0, scene.width, scene.height) == 0


@pytest.mark.parametrize("hairline", [0.0, 0.8, 1.0])
def test_a_picture_is_painted_with_any_hairline(scene: Scene, hairline: float) -> None:
    pixels = painted(scene, lambda painter: paint_scene(scene, painter, hairline), 2.0)
    paper = painted(scene, lambda painter: paint_text(scene, painter), 2.0)
    assert (pixels != paper).any(axis=2).sum() > 1_000


def test_another_weight_is_another_picture(scene: Scene) -> None:
    weaker = replace(scene, arcs=replace(scene.arcs, opacity=scene.arcs.opacity * np.float32(0.6)))
    first, again, other = (painted(scene, lambda painter, s=s: paint_scene(s, painter)) for s in (scene, scene, weaker))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    light = first.sum() - other.sum()
    assert light < 0  # less opaque arcs leave more of the light paper


def test_a_stronger_arc_is_darker(scene: Scene) -> None:
    amounts = []
    for opacity in (0.2, 0.5, 0.9):
        arcs = replace(
            scene.arcs, opacity=np.full(len(scene.arcs), opacity, np.float32), width=np.ones(len(scene.arcs), np.float32)
        )
        one = replace(scene, arcs=arcs)
        only = np.arange(len(arcs)) == 0
        pixels = painted(one, lambda painter, one=one, only=only: paint_arcs(one, painter, 1.0, only))
        amounts.append(ink_in(pixels, 0, 0, scene.width, scene.height))
    assert amounts == sorted(amounts)
    assert amounts[2] > 2 * amounts[0]


def test_a_token_in_focus_brings_its_arcs_forward(scene: Scene) -> None:
    it = next(box.index for box in scene.tokens if box.text == "it")
    focused = replace(scene, focus=it)
    others = replace(
        scene.arcs,
        **{
            name: getattr(scene.arcs, name)[scene.arcs.query != it]
            for name in ("head", "query", "key", "weight", "opacity", "width", "colour", "curve")
        },
    )
    quiet = painted(scene, lambda painter: paint_arcs(replace(scene, arcs=others), painter))
    plain = painted(scene, lambda painter: paint_scene(scene, painter))
    pinned = painted(scene, lambda painter: paint_scene(focused, painter))
    assert pinned.sum() > plain.sum()  # the other arcs faded
    assert not np.array_equal(pinned, quiet)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_theme_paints_in_its_own_ink(minilm: Model, theme: str) -> None:
    scene = build_scene(run_of(minilm, "cat"), View(), load_theme(theme), Layout(300.0), text_width)
    pixels = painted(scene, lambda painter: paint_text(scene, painter))
    ink = QColor(scene.theme.ink)
    wanted = np.array([ink.blue(), ink.green(), ink.red()])
    box = scene.tokens[0]
    inside = pixels[int(box.top) : int(box.bottom), int(box.left) : int(box.right) + 1]
    assert np.abs(inside - wanted).max(axis=2).min() <= 12


def test_an_empty_picture_can_be_painted(minilm: Model) -> None:
    scene = build_scene(run_of(minilm, "\u0301\ufe0f"), View(), LIGHT, Layout(300.0, caption=True), text_width)
    assert painted(scene, lambda painter: paint_scene(scene, painter)).size

"""The painted atlas and the painted evidence are their scenes: each cell in its colours, sharp, each line where it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from attnviz.export.figure import Paper, pdf_bytes, svg_bytes
from attnviz.paint.fonts import text_width
from attnviz.paint.frames import paint_frame
from attnviz.paint.painter import paint_scene
from attnviz.scene.atlas.build import build_atlas
from attnviz.scene.atlas.choice import AtlasChoice
from attnviz.scene.atlas.evidence import build_evidence
from attnviz.scene.oklab import levels_of
from attnviz.scene.page import Layout
from attnviz.scene.theme import load_theme
from tests.probing.made_up import made_up_evidence, made_up_roles

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.scene.atlas.evidence_scene import EvidenceScene
    from attnviz.scene.atlas.scene import AtlasScene
    from attnviz.scene.scene import Scene

pytestmark = pytest.mark.usefixtures("qapp")
LIGHT, DARK = load_theme("light"), load_theme("dark")
ROLES = made_up_roles(6, 12)


@pytest.fixture(scope="module")
def atlas(qapp: object) -> AtlasScene:
    return build_atlas(ROLES, AtlasChoice(selected=(2, 3)), LIGHT, Layout(900.0, 480.0), text_width)


@pytest.fixture(scope="module")
def evidence(qapp: object) -> EvidenceScene:
    return build_evidence(made_up_evidence(ROLES, 0, 1, "obj>"), LIGHT, Layout(700.0), text_width)


def painted(scene: Scene, scale: float = 1.0, paint: Callable[[QPainter], None] | None = None, hairline: float = 1.0) -> np.ndarray:
    """The whole picture's pixels, [y, x, red green blue]."""
    image = QImage(round(scene.width * scale), round(scene.height * scale), QImage.Format.Format_RGB32)
    image.fill(QColor(scene.theme.paper))
    painter = QPainter(image)
    painter.scale(scale, scale)
    paint_scene(scene, painter, hairline)
    if paint is not None:
        paint(painter)
    painter.end()
    return pixels_of(image)


def pixels_of(image: QImage) -> np.ndarray:
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4)[:, :, 2::-1].astype(int)


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_each_cell_has_its_ground_to_its_last_pixel_and_its_line_below(theme: object, scale: int) -> None:
    scene = build_atlas(ROLES, AtlasChoice(), theme, Layout(900.0, 480.0), text_width)
    pixels = painted(scene, scale)
    for cell in scene.cells:
        left, top, right, bottom = (side * scale for side in (cell.left, cell.top, cell.right, cell.bottom))
        if cell.fill is None:
            inside = pixels[top + 2 * scale : bottom - 2 * scale, left + 2 * scale : right - 2 * scale]
            assert (inside == levels_of(theme.paper)).all()
            assert (pixels[top:bottom, left] != levels_of(theme.paper)).any(axis=-1).all()
            continue
        corner = pixels[top : top + 2 * scale, left:right]
        assert (corner == levels_of(cell.fill)).all()
        foot = pixels[bottom - scene.thick * scale : bottom, left:right]
        assert (foot == levels_of(cell.foot or cell.fill)).all()
        assert (pixels[bottom, left:right] == levels_of(theme.paper)).all()


def test_the_frame_stands_outside_of_the_selected_cell(atlas: AtlasScene) -> None:
    with_frame, without = painted(atlas), painted(replace(atlas, selected=None))
    changed = np.argwhere((with_frame != without).any(-1))
    cell = atlas.cell(2, 3)
    (top, left), (bottom, right) = changed.min(0), changed.max(0)
    assert (top, left, bottom, right) == (cell.top - 2, cell.left - 2, cell.bottom + 1, cell.right + 1)
    inside = np.s_[cell.top : cell.bottom, cell.left : cell.right]
    np.testing.assert_array_equal(with_frame[inside], without[inside])


def test_a_frame_round_a_head_that_is_not_there_is_none(atlas: AtlasScene) -> None:
    plain = painted(atlas)
    np.testing.assert_array_equal(plain, painted(atlas, paint=lambda p: paint_frame(atlas.cell(9, 9), "#ff0000", 2.0, p)))
    framed = painted(atlas, paint=lambda p: paint_frame(atlas.cell(0, 0), "#ff0000", 2.0, p))
    assert (framed != plain).any()


def test_the_bar_of_a_measure_begins_at_its_baseline_and_heads_with_the_role_are_marked() -> None:
    scene = build_atlas(ROLES, AtlasChoice("duplicate"), LIGHT, Layout(900.0, 480.0), text_width)
    pixels, bar = painted(scene), scene.bar
    y = int(bar.top + bar.height / 2)
    row = pixels[y, int(bar.left) : int(bar.left + bar.width)]
    tick = bar.tick - bar.left
    before = row[2 : int(tick) - 3]
    assert (before == levels_of(LIGHT.paper)).all()
    assert (row[int(tick)] < 120).all()
    after = row[int(tick) + 8 : -3].sum(axis=-1)
    assert (np.diff(after) <= 0).all()
    assert len(scene.held) > 1
    for dot in scene.held:
        np.testing.assert_array_equal(pixels[int(dot.y), int(dot.x)], levels_of(dot.colour))


@pytest.mark.parametrize("hairline", [0.0, 1.0])
def test_arcs_and_lines_of_the_evidence_have_their_colours_at_their_places(evidence: EvidenceScene, hairline: float) -> None:
    pixels = painted(evidence, 2.0, hairline=hairline)
    for line in evidence.underlines:
        strip = pixels[round(2 * line.y), round(2 * line.left) : round(2 * line.right)]
        share = (np.abs(strip - levels_of(line.colour)).max(axis=-1) <= 3).mean()
        assert share > 0.95 if not line.is_dashed else 0.3 < share < 0.75
    assert len(evidence.missed) > 3
    without = painted(replace(evidence, missed=evidence.missed[:0]), 2.0, hairline=hairline)
    assert (pixels != without).any()


def test_the_words_of_the_evidence_are_painted_where_they_stand(evidence: EvidenceScene) -> None:
    pixels = painted(evidence, 2.0)
    blank = painted(replace(evidence, words=()), 2.0)
    changed = (pixels != blank).any(-1)
    for word in evidence.words:
        box = np.s_[round(2 * word.top) : round(2 * word.bottom), round(2 * word.left) : round(2 * word.right)]
        assert changed[box].any(), word
        changed[box[0], box[1].start - 4 : box[1].stop + 4] = False
    assert not changed.any()


def test_both_can_be_written_as_vectors_with_text(atlas: AtlasScene, evidence: EvidenceScene) -> None:
    for scene, words in ((atlas, ("position", "no role found")), (evidence, ("lighthouse", "Best"))):
        svg = svg_bytes(scene, Paper(), "{}")
        assert QSvgRenderer(svg).isValid()
        assert all(word.encode() in svg for word in words)
        assert b"<image" not in svg
        assert pdf_bytes(scene, Paper(), "{}").startswith(b"%PDF")


def test_a_picture_of_nothing_can_be_painted() -> None:
    nothing = build_evidence(made_up_evidence(ROLES, 0, 0, "induction"), DARK, Layout(400.0), text_width)
    assert (painted(nothing) != levels_of(DARK.paper)).any()
    tiny = build_atlas(
        made_up_roles(1, 1), AtlasChoice("importance", "value", (0, 0)), DARK, Layout(320.0, caption=True), text_width
    )
    assert (painted(tiny) != levels_of(DARK.paper)).any()

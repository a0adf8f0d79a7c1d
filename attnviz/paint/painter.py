"""Paints any Scene with any QPainter: on a screen, an image, a vector file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.paint.arcs import paint_arc_scene
from attnviz.paint.atlas import paint_atlas_scene
from attnviz.paint.compare import paint_chart_scene, paint_compare_scene, paint_table_scene
from attnviz.paint.evidence import paint_evidence_scene
from attnviz.paint.grid import paint_grid_scene
from attnviz.paint.matrix import paint_matrix_scene
from attnviz.paint.steps import paint_steps_scene
from attnviz.scene.atlas.evidence_scene import EvidenceScene
from attnviz.scene.atlas.scene import AtlasScene
from attnviz.scene.compare.scene import ChartScene, CompareScene, TableScene
from attnviz.scene.grid.scene import GridScene
from attnviz.scene.matrix.scene import MatrixScene
from attnviz.scene.scene import ArcScene
from attnviz.scene.steps.scene import StepsScene

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPainter

    from attnviz.scene.scene import Scene


def _paint_comparison(scene: CompareScene, painter: QPainter, hairline: float = 1.0) -> None:
    paint_compare_scene(scene, painter, hairline, paint_scene)


PAINTERS: dict[type[Scene], Callable[..., None]] = {
    ArcScene: paint_arc_scene,
    AtlasScene: paint_atlas_scene,
    ChartScene: paint_chart_scene,
    CompareScene: _paint_comparison,
    EvidenceScene: paint_evidence_scene,
    GridScene: paint_grid_scene,
    MatrixScene: paint_matrix_scene,
    StepsScene: paint_steps_scene,
    TableScene: paint_table_scene,
}


def paint_scene(scene: Scene, painter: QPainter, hairline: float = 1.0) -> None:
    """The whole picture. hairline: the width of the thinnest lines, logical pixels; 0 means one device pixel, Qt's fast path."""
    PAINTERS[type(scene)](scene, painter, hairline)

"""A run and a view become the picture that the view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.scene.arcs.build import build_arcs
from attnviz.scene.grid.build import build_grid
from attnviz.scene.matrix.build import build_matrix
from attnviz.scene.steps.build import build_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure, Scene
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.view import PictureKind, View

BUILDERS: dict[PictureKind, Callable[[Run, View, Theme, Layout, Measure], Scene]] = {
    "arcs": build_arcs,
    "grid": build_grid,
    "matrix": build_matrix,
    "steps": build_steps,
}


def build_scene(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> Scene:
    """The picture of a run. Pure: the same input gives the same picture."""
    return BUILDERS[view.picture](run, view, theme, layout, measure)

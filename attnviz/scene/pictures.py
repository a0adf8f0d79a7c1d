"""A run and a view become the picture that the view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure, Scene
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.view import View


def build_scene(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> Scene:
    """The picture of a run. Pure: the same input gives the same picture."""
    # Each is loaded when it is first wanted: a start pays for the picture that it shows alone.
    match view.picture:
        case "arcs":
            from attnviz.scene.arcs.build import build_arcs as build
        case "grid":
            from attnviz.scene.grid.build import build_grid as build
        case "matrix":
            from attnviz.scene.matrix.build import build_matrix as build
        case "steps":
            from attnviz.scene.steps.build import build_steps as build
    return build(run, view, theme, layout, measure)

"""A run and a view become the picture that the view asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from attnviz.probing.summary import RoleSummary
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure, Scene
    from attnviz.scene.theme import Theme
    from attnviz.session.run import Run
    from attnviz.session.view import PictureKind, View

# The pictures that show a run and the one that it is compared with; the others are of the run alone.
COMPARED: Final[tuple[PictureKind, ...]] = ("arcs", "matrix")


def build_scene(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure, roles: RoleSummary | None = None) -> Scene:
    """The picture of a run, and of arcs and matrices of the one that it is compared with too; roles: what was measured of the run's
    model, which the grid marks. Pure: the same input gives the same picture."""
    if is_compared(run, view):
        from attnviz.scene.compare.build import build_comparison

        return build_comparison(run, view, theme, layout, measure)
    # Each is loaded when it is first wanted: a start pays for the picture that it shows alone.
    match view.picture:
        case "arcs":
            from attnviz.scene.arcs.build import build_arcs as build
        case "grid":
            from attnviz.scene.grid.build import build_grid

            return build_grid(run, view, theme, layout, measure, roles)
        case "matrix":
            from attnviz.scene.matrix.build import build_matrix as build
        case "steps":
            from attnviz.scene.steps.build import build_steps as build
    return build(run, view, theme, layout, measure)


def is_compared(run: Run, view: View) -> bool:
    """Whether a view shows a run together with the one that it is compared with."""
    return run.against is not None and view.picture in COMPARED

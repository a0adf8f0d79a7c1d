"""The pictures of two runs, or of their difference, set to the room that there is for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.paint.fonts import text_width
from attnviz.scene.compare.difference import build_difference
from attnviz.scene.compare.parts import build_parts
from attnviz.scene.page import Layout
from attnviz.session.comparison import comparison_of

if TYPE_CHECKING:
    from attnviz.scene.scene import ArcScene, Scene
    from attnviz.scene.theme import Theme
    from attnviz.session.comparison import Comparison
    from attnviz.session.run import Run
    from attnviz.session.view import View

# Arcs a little too tall are set smaller, so that both runs of a sentence are seen whole in the usual window, captions in 9.6 pixels
# at the least; taller ones keep their size and scroll, as a text of more tokens than that does from the first.
_ZOOMS: Final = (1.0, 0.9, 0.8)
_MOST_TO_SHRINK: Final = 120


def compared_scenes(
    run: Run, view: View, theme: Theme, width: float, height: float, beside: float | None
) -> tuple[tuple[Scene, ...], dict[int, int]]:
    """A picture for each of two runs, or one for their difference, and for the positions of the one's tokens their counterparts.

    width, height: the room; beside: the width of each of two pictures side by side, None where they do not fit so: of matrices, and
    of arcs from a decoder to its encoder that are too tall to stand one above the other.
    """
    comparison = comparison_of(run, view)
    assert comparison is not None
    if view.setting == "difference":
        return (_difference(comparison, view, theme, width, height),), {}
    a, b = (side.sight for side in comparison.sides)
    counterparts = {a.position(i): b.position(j) for i, j in comparison.alignment.pairs}
    if view.picture == "matrix":
        one = Layout(beside, height) if beside is not None else Layout(width, height / 2)
        return build_parts(run, view, theme, (one, one), text_width), counterparts
    return _arcs(comparison, view, theme, width, height, beside), counterparts


def _difference(comparison: Comparison, view: View, theme: Theme, width: float, height: float) -> Scene:
    """The difference as large as the room has it."""
    run = comparison.a.run
    if view.picture == "matrix":
        return build_difference(run, view, theme, Layout(width, height), text_width)
    scenes = []
    for zoom in _zooms(comparison):
        scenes.append(build_difference(run, view, theme, Layout(width / zoom, height / zoom), text_width))
        if zoom * scenes[-1].height <= height + 1:
            return scenes[-1]
    return scenes[0]


def _arcs(
    comparison: Comparison, view: View, theme: Theme, width: float, height: float, beside: float | None
) -> tuple[ArcScene, ...]:
    """Both arc diagrams one above the other: each as tall as it needs to be, and what is left shared out."""
    run = comparison.a.run
    lowest = []
    for zoom in _zooms(comparison):
        plain = Layout(width / zoom, 1.0)  # as low as arcs may be
        lowest.append(build_parts(run, view, theme, (plain, plain), text_width))
        spare = (height / zoom - sum(scene.height for scene in lowest[-1])) / 2
        if spare >= 0:
            layouts = tuple(Layout(width / zoom, scene.height + spare) for scene in lowest[-1])
            return build_parts(run, view, theme, layouts, text_width)
    if len(lowest) > 1 and beside is not None and all(side.sight.kind == "cross" for side in comparison.sides):
        half = Layout(beside, height)
        scenes = build_parts(run, view, theme, (half, half), text_width)
        if max(scene.height for scene in scenes) <= height + 1:
            return scenes
    return lowest[0]


def _zooms(comparison: Comparison) -> tuple[float, ...]:
    """The sizes to try, largest first."""
    longest = max(len(side.sight.visible) for side in comparison.sides)
    return _ZOOMS if longest <= _MOST_TO_SHRINK else _ZOOMS[:1]

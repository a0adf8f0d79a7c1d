"""Two runs and a view become one picture: both beside each other or their difference, and on paper their measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.scene.compare.chart import build_layer_chart
from attnviz.scene.compare.choice import edges_of_both
from attnviz.scene.compare.difference import build_difference
from attnviz.scene.compare.differences import told_apart
from attnviz.scene.compare.measures import build_measures
from attnviz.scene.compare.parts import (
    HEAD,
    Part,
    arc_parts,
    arranged,
    direction_of_both,
    matrix_parts,
    shown_of_both,
)
from attnviz.scene.compare.scene import CompareScene, Placed
from attnviz.scene.compare.words import (
    bands_of_comparison,
    caption_of_comparison,
    drawn_in_both_line,
    shares_lines,
    side_title,
)
from attnviz.scene.matrix.build import matrix_legend
from attnviz.scene.matrix.colour_bar import level_bar
from attnviz.scene.matrix.setting import head_of_bar, shared_pixels_line
from attnviz.scene.page import LINE, MARGIN, Layout, Page
from attnviz.scene.shares import quantity_line
from attnviz.scene.words import shortened
from attnviz.session.comparison import comparison_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.scene.matrix.colour_bar import ColourBar
    from attnviz.scene.matrix.panels import Arrangement
    from attnviz.scene.matrix.scene import MatrixScene
    from attnviz.scene.matrix.shown import Shown
    from attnviz.scene.scene import Measure, Scene
    from attnviz.scene.theme import Theme
    from attnviz.session.comparison import Comparison
    from attnviz.session.run import Run
    from attnviz.session.view import View

_LONGEST_BAR: Final = 220.0
_LEAST_CELL: Final = 12.0  # of matrices side by side on paper, where smaller ones stand one below the other
_TWO_COLUMNS: Final = 480.0  # a figure so wide has two single matrices side by side, or a page would be too short for it
_BETWEEN: Final = 10.0  # parts on paper


def build_comparison(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> CompareScene:
    """A run and the one that it is compared with as one picture, as the view's setting says: arcs one above the other, matrices
    side by side where that has room, or the difference; on paper with the measures below it, and for a token in focus the cosines
    of its vectors. Raises InputError as `comparison_of`."""
    if view.setting == "difference":
        whole = Page(theme, layout, measure)
        scene = build_difference(run, view, theme, layout, measure)
        parts = [Placed("difference", scene, 0.0, 0.0)]
        whole.y = scene.height
        return _finished(run, view, whole, parts, None, scene.description)
    comparison = comparison_of(run, view)
    assert comparison is not None
    page = _head(comparison, Page(theme, layout, measure), view)
    parts, bar, foot = (_matrices if view.picture == "matrix" else _arcs)(comparison, page)
    page.y = max(page.y, layout.height - page.height_of(foot) - 0.5 * MARGIN)
    for line in foot:
        page.text(line)
    caption, _ = caption_of_comparison(comparison)
    what = "Matrices" if view.picture == "matrix" else "Arcs"
    return _finished(
        run, view, page, parts, bar, f"{what} of two runs, {caption}: {told_apart(run)}; {shortened(run.trace.text, 200)}"
    )


def _finished(run: Run, view: View, page: Page, parts: Sequence[Placed], bar: ColourBar | None, description: str) -> CompareScene:
    """The picture with what belongs to both runs below it: in a window that stands elsewhere."""
    parts = [*parts]
    if page.layout.caption:
        page.y += _BETWEEN
        inner = Layout(page.layout.width, caption=True)
        below: list[tuple[str, Scene | None]] = [("measures", build_measures(run, view, page.theme, inner, page.measure))]
        if view.focus is not None:
            below.append(("layers", build_layer_chart(run, view, page.theme, inner, page.measure)))
        for name, scene in below:
            if scene is not None:
                parts.append(Placed(name, scene, 0.0, page.y))
                page.y += scene.height + _BETWEEN
        page.y -= _BETWEEN
    return CompareScene(
        width=page.layout.width,
        height=max(page.layout.height, page.y + (0.5 * MARGIN if page.labels else 0.0)),
        theme=page.theme,
        labels=tuple(page.labels),
        dots=tuple(page.dots),
        bands=tuple(page.bands),
        description=description,
        parts=tuple(parts),
        bar=bar,
    )


def _head(comparison: Comparison, page: Page, view: View) -> Page:
    """What stands above both."""
    page.band_lines(bands_of_comparison(comparison))
    page.y += HEAD
    if page.layout.caption:
        caption, bold = caption_of_comparison(comparison)
        page.text(caption, bold_until=bold)
        if view.picture == "arcs":
            page.heads(sorted({head for side in comparison.sides for head in side.sight.heads}))
    page.text(matrix_legend(comparison.a.sight) if view.picture == "matrix" else direction_of_both(comparison, page))
    return page


def _arcs(comparison: Comparison, page: Page) -> tuple[list[Placed], None, list[str]]:
    """A above, B below."""
    edges, layout = edges_of_both(comparison), page.layout
    quantity = quantity_line(comparison.a.sight)
    foot = [*shares_lines(comparison, edges), drawn_in_both_line(comparison, edges, comparison.a.view.threshold)]
    foot += [quantity] if quantity else []
    height = max((layout.height - page.y - page.height_of(foot) - MARGIN) / 2, 0.0) if layout.height else 0.0
    inner = [Page(page.theme, replace(layout, height=height), page.measure) for _ in comparison.sides]
    for one, side in zip(inner, comparison.sides, strict=True):
        one.y = 4.0
        one.text(side_title(comparison, side, with_texts=False), "ink", bold_until=1)
    placed = []
    for name, scene in zip("AB", arc_parts(comparison, edges, [Part(one) for one in inner], page.measure), strict=True):
        placed.append(Placed(name, scene, 0.0, page.y))
        page.y += scene.height - (0.0 if layout.height else 0.5 * MARGIN)  # which is the margin of a picture that stands alone
    return placed, None, foot


def _matrices(comparison: Comparison, page: Page) -> tuple[list[Placed], ColourBar | None, list[str]]:
    """A left and B right, or B below where that makes the cells larger or, on paper, where they would be small otherwise."""
    foot = [*shares_lines(comparison, (None, None)), *filter(None, (quantity_line(comparison.a.sight, tells_largest=False),))]
    layout, shown = page.layout, shown_of_both(comparison)
    layouts, cells = _larger(comparison, shown, page, foot)
    sharing = {letter: one for letter, one, each in zip("AB", shown, cells, strict=True) if one.n_panel and each.share_pixels}
    if sharing:
        foot.append(shared_pixels_line(sharing))
        layouts, _ = _larger(comparison, shown, page, foot)
    is_beside = layouts[0].width < layout.width
    scenes = matrix_parts(comparison, _parts(comparison, page, layouts), page.measure)
    placed = [Placed("A", scenes[0], 0.0, page.y)]
    left = layouts[0].width - MARGIN if is_beside else 0.0
    placed.append(Placed("B", scenes[1], left, page.y if is_beside else page.y + scenes[0].height))
    page.y = max(part.top + part.scene.height for part in placed)
    bar = None
    if not layout.height and any(scene.panels for scene in scenes):
        bar = _bar(scenes, shown[1].notes, page)
        page.y = bar.top + bar.height + 2 * LINE + 18.0
    return placed, bar, foot


def _larger(
    comparison: Comparison, shown: tuple[Shown, Shown], page: Page, foot: Sequence[str]
) -> tuple[tuple[Layout, Layout], tuple[Arrangement, Arrangement]]:
    """The rooms of both matrices above the lines of `foot` and how their panels lie there: side by side, or one below the other."""
    layout, room = page.layout, page.layout.height - page.y - page.height_of(foot) - MARGIN
    beside, below = (_layouts(layout, room, is_beside) for is_beside in (True, False))
    cells = [arranged(shown, _parts(comparison, page, layouts), page.measure) for layouts in (beside, below)]
    sizes = [min(one.width * one.height for one in both) for both in cells]
    is_single = all(one.n_panel < 2 for one in shown)
    is_wide = sizes[0] >= _LEAST_CELL**2 or (is_single and layout.width >= _TWO_COLUMNS)
    is_beside = sizes[0] >= sizes[1] if layout.height else is_wide
    return (beside, cells[0]) if is_beside else (below, cells[1])


def _layouts(layout: Layout, room: float, is_beside: bool) -> tuple[Layout, Layout]:
    """The room of either part; `room`: the height for both, in a window. Side by side their margins overlap."""
    height = 0.0 if not layout.height else max(room if is_beside else room / 2, 1.0)
    if not is_beside:
        return Layout(layout.width, height), Layout(layout.width, height)
    half = (layout.width + MARGIN) / 2
    return Layout(half, height), Layout(half, height)


def _parts(comparison: Comparison, page: Page, layouts: Sequence[Layout]) -> list[Part]:
    parts = []
    for number, (side, layout) in enumerate(zip(comparison.sides, layouts, strict=True)):
        inner = Page(page.theme, layout, page.measure)
        inner.y = 4.0
        inner.text(side_title(comparison, side), "ink", bold_until=1)
        parts.append(Part(inner, bar="none" if not layout.height else "drawn" if number else "free"))
    return parts


def _bar(scenes: Sequence[MatrixScene], notes: Sequence[str], page: Page) -> ColourBar:
    """The bar of colours below both, on paper."""
    width = min(page.layout.width - 2 * MARGIN, _LONGEST_BAR)
    left = (page.layout.width - width) / 2
    head = head_of_bar([panel for scene in scenes for panel in scene.panels])
    return level_bar(left, left + width, page.y - 12.0, head, scenes[0].scale, [", ".join(notes)], page.measure)

"""Both runs as pictures of their own that can be compared: one scale, one size of type, the same place for the same token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from attnviz.scene.arcs.diagram import Diagram, common_strengths, set_diagram
from attnviz.scene.compare.choice import edges_of_both
from attnviz.scene.compare.columns import common_rows
from attnviz.scene.compare.differences import differences
from attnviz.scene.compare.words import bands_of_comparison, caption_of_comparison, side_title
from attnviz.scene.matrix.build import matrix_legend
from attnviz.scene.matrix.place import arrange_panels, place_panels
from attnviz.scene.matrix.setting import bar_of, panels_of, set_matrix, shared_pixels_line
from attnviz.scene.matrix.shown import shown_of
from attnviz.scene.page import MARGIN, Page
from attnviz.scene.shares import nothing_read_line, quantity_phrase, shares_line
from attnviz.scene.words import direction_legend, shortened
from attnviz.session.comparison import comparison_of
from attnviz.session.logarithm import is_logarithmic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.analysis.edges import Edges
    from attnviz.scene.matrix.panels import Arrangement
    from attnviz.scene.matrix.scene import MatrixScene
    from attnviz.scene.matrix.shown import Shown
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import ArcScene, Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.comparison import Comparison, Side
    from attnviz.session.run import Run
    from attnviz.session.view import View

HEAD: Final = 10.0
_ONE_OF_MANY: Final = (30.0, 30.0)  # on paper, the largest cells of a matrix beside several small ones


@dataclass(frozen=True)
class Part:
    """Where one of two pictures is set: on a page, with lines of its own at its foot; bar: whether there is room for a bar of
    colours beside its matrix, in which it is drawn, or which is left free since the other one has it."""

    page: Page
    foot: tuple[str, ...] = ()
    bar: Literal["drawn", "free", "none"] = "none"

    @property
    def has_bar(self) -> bool:
        """Whether there is room for a bar."""
        return self.bar != "none"


def build_parts(
    run: Run,
    view: View,
    theme: Theme,
    layouts: tuple[Layout, Layout],
    measure: Measure,
) -> tuple[ArcScene, ArcScene] | tuple[MatrixScene, MatrixScene]:
    """A and B, each as a whole picture for a widget of its own, arcs or matrices as the view says; layouts: the room of each.

    What is told of both (strips, how to read it) stands on A's; B's matrix has the bar of colours.
    """
    comparison = comparison_of(run, replace(view, setting="side"))
    assert comparison is not None
    pages = [Page(theme, layout, measure) for layout in layouts]
    a, b = comparison.sides
    pages[0].band_lines(bands_of_comparison(comparison))
    for page, side in zip(pages, comparison.sides, strict=True):
        page.y += HEAD
        page.text(side_title(comparison, side, view.picture == "matrix"), "ink", bold_until=1)
    if view.picture == "matrix":
        pages[0].text(matrix_legend(a.sight))
        feet = [(nothing_read_line(side.sight) or shares_line(side.sight),) for side in comparison.sides]
        parts = [Part(page, foot, bar) for page, foot, bar in zip(pages, feet, ("free", "drawn"), strict=True)]
        return matrix_parts(comparison, _with_shared_pixels(comparison, parts, measure), measure)
    edges = edges_of_both(comparison)
    pages[0].text(direction_of_both(comparison, pages[0]))
    feet = [(nothing_read_line(side.sight) or shares_line(side.sight, drawn),) for side, drawn in zip((a, b), edges, strict=True)]
    parts = [Part(page, foot) for page, foot in zip(pages, feet, strict=True)]
    return arc_parts(comparison, edges, parts, measure)


def direction_of_both(comparison: Comparison, page: Page) -> str:
    """How to tell an arc's query from its key on both sides."""
    rows = common_rows(comparison, page.layout.width - 2 * MARGIN, page.measure)
    told = direction_legend(comparison.a.sight, max(one.n_row for one in rows), page.layout.caption)
    other = direction_legend(comparison.b.sight, max(one.n_row for one in rows), page.layout.caption)
    return told if told == other else f"A: {told}; B: {other}"


def arc_parts(
    comparison: Comparison, edges: tuple[Edges, Edges], parts: Sequence[Part], measure: Measure
) -> tuple[ArcScene, ArcScene]:
    """The arcs of both sides: like weights look alike, arches of one span are as high, tokens that are aligned stand alike."""
    width = min(part.page.layout.width for part in parts)
    rows = common_rows(comparison, width - 2 * MARGIN, measure)
    diagrams = [
        Diagram(side.sight, drawn, set_in, part.page.layout.width)
        for side, drawn, set_in, part in zip(comparison.sides, edges, rows, parts, strict=True)
    ]
    strengths = common_strengths(*(diagram.strengths() for diagram in diagrams))
    return tuple(
        set_diagram(diagram, strengths, part.page, part.foot, side.view.focus, description_of(comparison, side))
        for side, diagram, part in zip(comparison.sides, diagrams, parts, strict=True)
    )


def matrix_parts(comparison: Comparison, parts: Sequence[Part], measure: Measure) -> tuple[MatrixScene, MatrixScene]:
    """The matrices of both sides on one scale, with cells of one size where both have as many panels."""
    shown = shown_of_both(comparison)
    _level(parts)
    cells = arranged(shown, parts, measure)
    places = [
        place_panels(one, part.page.layout, *_top_and_below(part), measure, part.has_bar, arrangement)
        for one, part, arrangement in zip(shown, parts, cells, strict=True)
    ]
    top = min(place.top for place in places)
    made = []
    for side, one, part, place in zip(comparison.sides, shown, parts, places, strict=True):
        place = replace(place, top=top, end=place.end - (place.top - top))
        panels = panels_of(side.sight, one, place)
        bar = bar_of(one, panels, place, measure) if panels and part.bar == "drawn" else None
        description = description_of(comparison, side)
        made.append(set_matrix(side.sight, one, place, panels, bar, part.page, part.foot, side.view.focus, description))
    return made[0], made[1]


def _with_shared_pixels(comparison: Comparison, parts: Sequence[Part], measure: Measure) -> list[Part]:
    """The parts, each of those whose cells share pixels with a line that says so."""
    shown = shown_of_both(comparison)
    _level(parts)
    told = [
        (*part.foot, shared_pixels_line({"": one})) if one.n_panel and cells.share_pixels else part.foot
        for one, part, cells in zip(shown, parts, arranged(shown, parts, measure), strict=True)
    ]
    return [replace(part, foot=foot) for part, foot in zip(parts, told, strict=True)]


def _level(parts: Sequence[Part]) -> None:
    """Begin both at one height: what stands above one of them alone must not make its cells smaller than the other's."""
    for part in parts:
        part.page.y = max(one.page.y for one in parts)


def shown_of_both(comparison: Comparison) -> tuple[Shown, Shown]:
    """What the matrices of both sides show, on the scale of the larger weights."""
    a, b = comparison.sides
    is_log = is_logarithmic(a.run, a.view)
    other = shown_of(b.sight, is_log)
    one = shown_of(a.sight, is_log, other)
    return one, shown_of(b.sight, is_log, one)


def arranged(shown: Sequence[Shown], parts: Sequence[Part], measure: Measure) -> tuple[Arrangement, Arrangement]:
    """The panels of both sides: where they are as many, in cells of one size, which begin at one height."""
    rooms = [(part.page.layout, *_top_and_below(part)) for part in parts]
    bars = [part.has_bar for part in parts]
    is_alike = shown[0].n_panel == shown[1].n_panel
    cells = [
        arrange_panels(one, *room, measure, bar, _ONE_OF_MANY if one.n_panel == 1 and not (is_alike or room[0].height) else None)
        for one, room, bar in zip(shown, rooms, bars, strict=True)
    ]
    if not is_alike:
        return cells[0], cells[1]
    up = max(one.column_room for one in cells)
    most = (min(one.width for one in cells), min(one.height for one in cells))
    again = []
    for one, room, bar, own in zip(shown, rooms, bars, cells, strict=True):
        layout, top, below = room
        made = arrange_panels(one, layout, top, below + up - own.column_room, measure, bar, most)
        again.append(replace(made, column_room=max(up, made.column_room)))
    return again[0], again[1]


def description_of(comparison: Comparison, side: Side) -> str:
    """One side in words, for those who do not see it."""
    caption, _ = caption_of_comparison(comparison)
    told = differences(comparison.a.run)[0 if side is comparison.a else 1]
    what = quantity_phrase(side.sight.quantity).capitalize()
    return f"{what} of {caption}, {told}: {shortened(side.run.trace.text, 200)}"


def _top_and_below(part: Part) -> tuple[float, float]:
    return part.page.y + 0.5 * MARGIN, part.page.height_of(part.foot) + MARGIN

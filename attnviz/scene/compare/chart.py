"""How alike two runs see a token, from layer to layer, as a chart."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Final

from attnviz.errors import InputError
from attnviz.scene.compare.scene import ChartPoint, ChartScene, Line
from attnviz.scene.numbers import fixed
from attnviz.scene.page import LINE, MARGIN, SMALL
from attnviz.scene.scene import Box, Label
from attnviz.scene.words import wrap
from attnviz.session.comparison import side_by_side
from attnviz.session.layer_cosines import layer_cosines

if TYPE_CHECKING:
    from attnviz.scene.page import Layout
    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme
    from attnviz.session.layer_cosines import LayerCosines
    from attnviz.session.run import Run
    from attnviz.session.view import View

_HEIGHT: Final = 190.0  # on paper
_WIDEST: Final = 560.0
_TICK_ROOM, _BELOW = 34.0, 40.0
_ROOMY: Final = 34.0  # pixels from point to point with which all values are written
_NUMBER_UP, _NUMBER_DOWN = 9.0, 17.0
_AXIS: Final = "entering layer; out: leaving the last one"
_DIFFERS: Final = 5e-4  # by which a final norm has to change the cosine to be shown


def build_layer_chart(run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> ChartScene | None:
    """The cosine of the vectors of the token in focus and its counterpart, entering each layer and leaving the last one; without a
    focus the mean over all tokens that both have.

    None where there is nothing to show: the token has no counterpart, or the models are of other shapes.
    """
    found = course_of(run, view)
    return None if found is None else set_layer_chart(found, run, view, theme, layout, measure)


def course_of(run: Run, view: View) -> LayerCosines | None:
    """What the chart shows; None where there is nothing to show."""
    comparison = side_by_side(run, view)
    try:
        return None if comparison is None else layer_cosines(comparison)
    except InputError:
        return None


def set_layer_chart(found: LayerCosines, run: Run, view: View, theme: Theme, layout: Layout, measure: Measure) -> ChartScene:
    """The chart of what `course_of` gives for the run and the view."""
    title = _title(found, run)
    lines = wrap(title, SMALL, min(layout.width - 2 * MARGIN, _WIDEST), measure)
    labels = [Label(line, MARGIN, 15.0 + LINE * number, SMALL, "muted") for number, line in enumerate(lines)]
    top = LINE * len(lines) + 28.0
    width = min(layout.width - 2 * MARGIN, _WIDEST)
    below = _BELOW + LINE * (len(wrap(_AXIS, SMALL, width - _TICK_ROOM, measure)) - 1)
    bottom = max((layout.height or _HEIGHT) - below, top + 60.0)
    box = Box(MARGIN + _TICK_ROOM, top, MARGIN + width, bottom)
    points = _points(found, box, min(view.layer, len(found.by_layer) - 2))
    low = _low(found, box.bottom - box.top)
    labels += _ticks(box, low) + _names(found, points, box, measure) + _numbers(points, box, measure)
    return ChartScene(
        width=layout.width,
        height=max(layout.height, bottom + below),
        theme=theme,
        labels=tuple(labels),
        dots=(),
        bands=(),
        description=f"{title}: " + ", ".join(f"{point.what} {point.value:.2f}" for point in points),
        box=box,
        lines=(Line(box.left, box.bottom, box.right, box.bottom), Line(box.left, box.top, box.left, box.bottom)),
        points=points,
        colour=theme.accent,
    )


def _title(found: LayerCosines, run: Run) -> str:
    if found.texts is None:
        what = f"the {found.n_unit} tokens that A and B have, mean cosine of their vectors"
    else:
        a, b = (f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}" for text in found.texts)
        what = f"cosine of {a} in A and {b} in B"
    apart = run.against is not None and run.against.model.path != run.model.path
    return what + ("; it means something only if one model was trained from the other" if apart else "")


def _values(found: LayerCosines) -> list[tuple[float, str, str]]:
    """Each value with its short name and what it is; the final norm's where it changes anything."""
    n_layer = len(found.by_layer) - 1
    values = [(float(value), str(layer), f"entering layer {layer}") for layer, value in enumerate(found.by_layer[:-1])]
    values.append((float(found.by_layer[-1]), "out", f"leaving layer {n_layer - 1}"))
    if abs(found.output - values[-1][0]) > _DIFFERS:
        values.append((found.output, "norm", "behind the final norm"))
    return values


def _low(found: LayerCosines, height: float) -> float:
    """Where the axis begins: at a tenth so far below the least value that its number has room under its point."""
    least = min(value for value, _, _ in _values(found))
    low = min(floor(10 * least) / 10, 0.9)
    while low > -1.0 and height * (least - low) / (1.0 - low) < _NUMBER_DOWN + 4.0:
        low = round(low - 0.1, 1)
    return max(low, -1.0)


def _points(found: LayerCosines, box: Box, layer: int) -> tuple[ChartPoint, ...]:
    values, low = _values(found), _low(found, box.bottom - box.top)
    step = (box.right - box.left - 24.0) / max(len(values) - 1, 1)
    return tuple(
        ChartPoint(
            box.left + 12.0 + step * place,
            box.bottom - (box.bottom - box.top) * (value - low) / (1.0 - low),
            value,
            what,
            is_strong=place == layer,
        )
        for place, (value, _, what) in enumerate(values)
    )


def _ticks(box: Box, low: float) -> list[Label]:
    ends = ((fixed(low, 1), box.bottom), ("1.0", box.top))
    return [Label(text, box.left - 6.0, y + 4.0, SMALL, "muted", align="right") for text, y in ends]


def _names(found: LayerCosines, points: tuple[ChartPoint, ...], box: Box, measure: Measure) -> list[Label]:
    """The layers below their points, as many as have room, and what they are."""
    labels, end = [], 0.0
    names = [name for _, name, _ in _values(found)]
    for name, point in zip(names, points, strict=True):
        half = measure(name, SMALL, True) / 2
        last = point is points[-1]
        if point.x - half < end + 6.0 and not (point.is_strong or last):
            continue
        if point.x - half < end + 6.0:  # one that must be told takes the place of the one before
            labels.pop()
        ink = "ink" if point.is_strong else "muted"
        labels.append(Label(name, point.x, box.bottom + 16.0, SMALL, ink, bold=point.is_strong, align="middle"))
        end = point.x + half
    told = wrap(_AXIS, SMALL, box.right - box.left, measure)
    return [*labels, *(Label(line, box.left, box.bottom + 33.0 + LINE * at, SMALL, "muted") for at, line in enumerate(told))]


def _numbers(points: tuple[ChartPoint, ...], box: Box, measure: Measure) -> list[Label]:
    """The values at their points: all of them where they have room, else the first, the least, the last and the shown layer's."""
    step = points[1].x - points[0].x if len(points) > 1 else box.right - box.left
    least = min(points, key=lambda point: point.value)
    told = points if step >= _ROOMY else [point for point in points if point in (points[0], least, points[-1]) or point.is_strong]
    labels, end = [], 0.0
    for point in told:
        text = fixed(point.value, 2)
        half = measure(text, SMALL, True) / 2
        if point.x - half < end + 4.0 and not point.is_strong:
            continue
        if point.x - half < end + 4.0:
            labels.pop()
        y = point.y - _NUMBER_UP if _rises_to(points, point) else point.y + _NUMBER_DOWN
        if y > box.bottom - 2.0:
            y = point.y - _NUMBER_UP
        labels.append(Label(text, point.x, y, SMALL, "ink", bold=point.is_strong, align="middle"))
        end = point.x + half
    return labels


def _rises_to(points: tuple[ChartPoint, ...], point: ChartPoint) -> bool:
    """Whether a point lies above the middle of its neighbours, so that its number has room above it."""
    place = points.index(point)
    beside = [points[other].y for other in (place - 1, place + 1) if 0 <= other < len(points)]
    return not beside or point.y <= sum(beside) / len(beside)

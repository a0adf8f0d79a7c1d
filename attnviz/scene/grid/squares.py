"""The squares of a grid of heads: in which order, how large, with which text below each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

import numpy as np

from attnviz.scene.grid.plan import GridPlan, plan_grid
from attnviz.scene.grid.scene import HeadCell
from attnviz.scene.grid.summaries import summary_number
from attnviz.scene.page import SMALL
from attnviz.scene.ramps import steps_of
from attnviz.scene.words import head_name
from attnviz.session.grid_choice import order_of, passes
from attnviz.session.survey import chosen_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from attnviz.scene.scene import Measure
    from attnviz.session.grid_choice import GridChoice
    from attnviz.session.head_roles import ShownRoles
    from attnviz.session.survey import Survey

NAME_GAP: Final = 10  # between a line of squares and the name of its layer
# What may stand below a square, in the order of preference: (height, size of type, its name, its number). The smallest names are
# heads' bare numbers.
_BELOW: Final = ((16, 11, True, True), (16, 11, True, False), (12, 9, True, False), (16, 11, False, True), (0, 9, False, False))
_TINY: Final = 9
# Each survey's levels, in its own order; of 1,024 heads they take 9 ms. Pictures are made on several threads, of which at worst two
# make the same.
_LEVELS: WeakKeyDictionary[Survey, NDArray[np.uint8]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Squares:
    """The squares before they have a place on the page, layer by layer.

    order: [layer, place] the column of the survey that stands there; faded: [cell]; names, numbers: the text below each square, ""
    for none; text_size: its pixel size; beside: the room at the left of a line for the name of its layer; below: that between a
    square and its text.
    """

    survey: Survey
    order: NDArray[np.intp]
    faded: NDArray[np.bool_]
    plan: GridPlan
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    text_size: int
    beside: float
    below: int = 0

    @property
    def is_flow(self) -> bool:
        """Whether there is one map a layer, so that layers stand side by side."""
        return _is_flow(self.survey)

    @property
    def extent(self) -> tuple[int, int]:
        """The width and height that all squares take."""
        return self.plan.extent(self.order.size)

    def levels(self) -> NDArray[np.uint8]:
        """The step of its ramp for each part of each square's map, [cell, height, width]; of one survey in its own order the same
        array each time, which tells a picture that it is unchanged."""
        levels = _LEVELS.get(self.survey)
        if levels is None:
            levels = steps_of(np.sqrt(self.survey.maps * np.float32(1.0 / self.survey.scale)))
            levels = _LEVELS.setdefault(self.survey, levels.reshape(-1, *levels.shape[2:]))
        places = (np.arange(len(self.order))[:, None] * self.order.shape[1] + self.order).ravel()
        return levels if (np.diff(places) == 1).all() else levels[places]

    def cells(self, left: int, top: int, roles: ShownRoles | None = None) -> Iterator[HeadCell]:
        """Each square in its place, the first one's corner at (left, top), with its head's roles where there are any to tell."""
        survey, plan = self.survey, self.plan
        summary = [getattr(survey.summary, name) for name in ("entropy", "distance", "sink_share")]
        numbers = np.stack([_in_order(values, self.order) for values in summary], axis=1).tolist()
        for at, column in enumerate(self.order.ravel().tolist()):
            line, place = divmod(at, plan.n_place)
            x, y = left + place * plan.pitch_x, top + line * plan.pitch_y
            box = (x, y, x + plan.width, y + plan.height)
            layer, head = at // self.order.shape[1], survey.heads[column]
            told = None if roles is None else roles.of(layer, head)
            yield HeadCell(layer, head, *box, line, place, *numbers[at], bool(self.faded[at]), told)


def arrange(survey: Survey, choice: GridChoice, room: tuple[float, float], measure: Measure, below: int = 0) -> Squares:
    """The squares of a survey that has any map, as large as the room allows, with as much text below each as then fits.

    room: width and height in pixels, height 0 for as tall as it needs; below: pixels between each square and its text.
    """
    n_layer, n_head = survey.maps.shape[:2]
    values = chosen_values(survey, choice)
    order = order_of(values, n_layer, n_head, choice.is_sorted)
    is_flow = _is_flow(survey)
    beside = 0.0 if is_flow else measure(f"L{n_layer - 1}", SMALL, True) + NAME_GAP
    names = _names(survey, order) if is_flow or (choice.is_sorted and values is not None) else ()
    numbers = () if values is None else tuple(summary_number(choice.summary, v) for v in _in_order(values, order).tolist())
    maps, shape, empty = survey.maps.shape[2:], (survey.n_query, survey.n_key), ("",) * order.size
    n_place, width = 0 if is_flow else n_head, room[0] - beside
    for strip, size, with_name, with_number in _BELOW:
        if (names and strip and not with_name) or (with_name and not names) or (with_number and not numbers):
            continue
        texts = [tuple(name.removeprefix("H") for name in names) if size == _TINY else names] * with_name + [numbers] * with_number
        plan = plan_grid(order.size, n_place, maps, shape, (width, room[1]), strip + below)
        if sum(max(measure(text, size, False) for text in set(part)) + size - 7 for part in texts) <= plan.pitch_x:
            break
    shown_names = texts[0] if with_name else empty
    faded = ~_in_order(passes(values, n_layer, n_head, choice), order)
    return Squares(survey, order, faded, plan, shown_names, numbers if with_number else empty, size, beside, below)


def _is_flow(survey: Survey) -> bool:
    return len(survey.heads) == 1


def _names(survey: Survey, order: NDArray[np.intp]) -> tuple[str, ...]:
    """The name of each square: its layer's where there is one map a layer, else its head's."""
    if _is_flow(survey):
        return tuple(f"L{layer}" for layer in range(survey.n_layer))
    return tuple(head_name(survey.heads[column]) for column in order.ravel().tolist())


def _in_order(values: NDArray[np.generic], order: NDArray[np.intp]) -> NDArray[np.generic]:
    """[layer, column, ...] values of the squares in their order, [cell, ...]."""
    places = order.reshape(*order.shape, *(1,) * (values.ndim - 2))
    return np.take_along_axis(values, places, axis=1).reshape(order.size, *values.shape[2:])

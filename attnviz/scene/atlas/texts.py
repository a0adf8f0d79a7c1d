"""The text in the cells of an atlas: as much as they have room for, in one size for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from attnviz.scene.atlas.words import tight
from attnviz.scene.scene import Label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from attnviz.scene.atlas.content import Content
    from attnviz.scene.atlas.plan import AtlasPlan
    from attnviz.scene.atlas.scene import AtlasCell
    from attnviz.scene.scene import Measure

# What a cell may say, in the order of preference: (lines of its name, whether its number).
_FULL: Final = ((1, True), (2, True))
_NAME_ALONE, _NUMBER_ALONE = ((1, False),), ((0, True),)
# In which sizes, and how far names may be shortened for it, in the order of preference.
_WAYS: Final = (((12, 11, 10), 0), ((12, 11, 10), 1), ((9,), 0), ((9,), 1), ((10, 9), 2))
_ROOMY: Final = 48  # the width from which on text keeps farther from a cell's ends
_ABOVE, _BELOW = 4, 4
DOT_RADIUS, DOT_AWAY = 2.5, 2.5  # of the mark of a head that has the role that is shown, and how far it is from its cell's sides
_LEAST_LETTERS: Final = 5  # of a name that is cut off
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class TextForm:
    """n_name: lines of a cell's name; has_number: whether its number stands below; ease: how far names may be shortened, 0 not at
    all, 1 abbreviated, 2 cut off."""

    n_name: int
    has_number: bool
    size: int
    ease: int

    @property
    def number_size(self) -> int:
        """The size of numbers: a little less than that of the names above them."""
        return max(self.size - 1, 9) if self.n_name else self.size

    @property
    def line(self) -> int:
        """From one line of text to the next."""
        return round(1.2 * self.size)

    @property
    def depth(self) -> int:
        """The height of a cell that has room for it, without the line along its foot."""
        n_line = self.n_name + self.has_number
        return self.line + 2 if n_line == 1 else _ABOVE + _BELOW + self.line * n_line - 2


def form_for(contents: Sequence[Content], width: int, depth: float, measure: Measure) -> TextForm | None:
    """The form in which all cells have room for what they say; None where there is none.

    width, depth: of a cell without the line along its foot, pixels; depth is infinite where cells can be as tall as they need.
    """
    names = {content.name for content in contents if content.name}
    numbers = {content.number for content in contents if content.number}
    marked = {content.number for content in contents if content.holds}
    room = width - 2 * side_of(width)
    for form in _forms(bool(names)):
        is_clear = all(_is_clear_of_dot(number, form, width, depth, measure) for number in marked)
        if form.depth <= depth and is_clear and _fits(form, names, numbers, room, measure):
            return form
    return None


def _forms(has_names: bool) -> Iterator[TextForm]:
    """All forms, the best first."""
    for shapes in (_FULL, _NAME_ALONE, _NUMBER_ALONE) if has_names else (_NUMBER_ALONE,):
        for sizes, ease in _WAYS:
            yield from (TextForm(*shape, size, ease) for size in sizes for shape in shapes)


def _is_clear_of_dot(number: str, form: TextForm, width: float, depth: float, measure: Measure) -> bool:
    """Whether a number in the middle of a cell leaves the mark of a role its place, beside it or above."""
    taken = DOT_AWAY + 2 * DOT_RADIUS + 1
    return measure(number, form.size, False) + 2 * taken <= width or depth >= 2 * taken + 0.72 * form.size


def side_of(width: int) -> int:
    """How far text keeps from the ends of a cell of that width."""
    return 4 if width >= _ROOMY else 2


def _fits(form: TextForm, names: set[str], numbers: set[str], room: float, measure: Measure) -> bool:
    if form.has_number and any(measure(number, form.number_size, False) > room for number in numbers):
        return False
    return not form.n_name or all(name_lines(name, form, room, measure) for name in names)


def name_lines(name: str, form: TextForm, room: float, measure: Measure) -> tuple[str, ...]:
    """A name in the lines of its form; () where it has no room."""
    return _name_lines(name, form.n_name, form.size, form.ease, room, measure)


@lru_cache(maxsize=4_096)
def _name_lines(name: str, n_line: int, size: int, ease: int, room: float, measure: Measure) -> tuple[str, ...]:
    ways = ((name,), *_parts(name))[: 2 * n_line - 1]
    for is_tight in (False, True)[: ease + 1]:
        for way in ways:
            lines = tuple(tight(line) if is_tight and measure(line, size, True) > room else line for line in way)
            if all(measure(line, size, True) <= room for line in lines):
                return lines
    return _cut_off(ways[-1], size, room, measure) if ease > 1 else ()


def _parts(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two ways to set a name in two lines: before or behind its arrow, or else at its first blank; in one where it has neither."""
    first, arrow, second = name.partition("→")
    if arrow:
        return (first, arrow + second), (first + arrow, second)
    first, blank, second = name.partition(" ")
    return ((first, second),) * 2 if blank else ((name,),) * 2


def _cut_off(lines: Sequence[str], size: int, room: float, measure: Measure) -> tuple[str, ...]:
    shown = []
    for line in (tight(line) if measure(line, size, True) > room else line for line in lines):
        if measure(line, size, True) <= room:
            shown.append(line)
            continue
        fits = [n for n in range(_LEAST_LETTERS, len(line)) if measure(line[:n] + _CUT, size, True) <= room]
        if not fits:
            return ()
        shown.append(line[: fits[-1]] + _CUT)
    return tuple(shown)


@dataclass(frozen=True)
class CellText:
    """The text of a cell; has_more: it says how many jobs there are besides the first."""

    labels: tuple[Label, ...]
    has_more: bool = False


def texts_of(cell: AtlasCell, content: Content, plan: AtlasPlan, has_more: bool, measure: Measure) -> CellText:
    """The text of a cell in a plan that has any: its name, below it its number, and with has_more at the right of that how many
    jobs there are besides; a number alone stands in the middle."""
    form = plan.form
    if form.n_name:
        return _named(cell, content, form, plan.thick, has_more, measure)
    baseline = (cell.top + cell.bottom - (plan.thick if content.foot else 0)) / 2 + 0.36 * form.size
    number = Label(content.number, (cell.left + cell.right) / 2, baseline, form.size, colour=content.ink, align="middle")
    return CellText((number,) if content.number else ())


def _named(cell: AtlasCell, content: Content, form: TextForm, thick: int, has_more: bool, measure: Measure) -> CellText:
    side, size = side_of(cell.right - cell.left), form.number_size
    left, right, room = cell.left + side, cell.right - side, cell.right - cell.left - 2 * side
    spare = max(cell.bottom - cell.top - thick - form.depth, 0) // 2
    top = cell.top + spare + (_ABOVE if form.n_name + form.has_number > 1 else 1)
    lines = name_lines(content.name, form, room, measure) if content.name else ()
    labels = [
        Label(line, left, top + form.line * at + 0.86 * form.size, form.size, colour=content.ink, bold=True)
        for at, line in enumerate(lines)
    ]
    if not (form.has_number and content.number):
        return CellText(tuple(labels))
    baseline = cell.bottom - thick - spare - _BELOW - 0.5
    labels.append(Label(content.number, left, baseline, size, colour=content.ink))
    taken = measure(content.number, size, False) + 4 + measure(content.more, size, False)
    if not (has_more and content.more) or taken > room:
        return CellText(tuple(labels))
    labels.append(Label(content.more, right, baseline, size, colour=content.ink, align="right"))
    return CellText(tuple(labels), has_more=True)

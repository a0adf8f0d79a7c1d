"""What the stages of the steps are set with, and the sheet that takes down all that is set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from attnviz.scene.page import SMALL
from attnviz.scene.scene import Box, Label
from attnviz.scene.steps.cells import cells_of
from attnviz.scene.steps.explained import meaning_of
from attnviz.scene.steps.scene import Bar, Connector, HeadBox, Number, RowBox, Rule, Stage, Strip, Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Ink, Measure
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName
    from attnviz.scene.steps.table import Row
    from attnviz.scene.theme import Theme

LINE: Final = 15.0  # of the stages' small text
_STRIP: Final = (11.0, 18.0)  # the lowest and the highest
_STRIP_SHARE: Final = 0.6  # of a row's height
_BESIDE_HEADING: Final = 10.0  # a heading's middle above the row that it heads


class Sheet:
    """What was set down so far, in lists of each sort."""

    def __init__(self, measure: Measure) -> None:
        self.stages: list[Stage] = []
        self.strips: list[Strip] = []
        self.numbers: list[Number] = []
        self.words: list[Word] = []
        self.bars: list[Bar] = []
        self.connectors: list[Connector] = []
        self.rules: list[Rule] = []
        self.rows: list[RowBox] = []
        self.heads: list[HeadBox] = []
        self.labels: list[Label] = []
        self._measure = measure

    def drawn(self) -> dict[str, tuple[Any, ...]]:
        """All of it but the labels, by the names of a StepsScene's fields."""
        names = ("stages", "strips", "numbers", "words", "bars", "connectors", "rules", "rows", "heads")
        return {name: tuple(getattr(self, name)) for name in names}

    def text(self, text: str, x: float, middle: float, ink: Ink = "muted", align: str = "left", bold: bool = False) -> None:
        """A line of small text about a height."""
        self.labels.append(Label(text, x, baseline(middle), SMALL, ink, align=align, bold=bold))

    def fitted(self, text: str, left: float, right: float, middle: float, ink: Ink = "muted", bold: bool = False) -> None:
        """A line of small text from the left, its end cut off where there is no room."""
        while len(text) > 1 and self._measure(text, SMALL, bold) > right - left:
            text = text.rstrip("\N{HORIZONTAL ELLIPSIS}")[:-1] + "\N{HORIZONTAL ELLIPSIS}"
        self.text(text, left, middle, ink, bold=bold)

    def heading(self, text: str, left: float, right: float, middle: float, align: str = "left", ink: Ink = "muted") -> None:
        """A column's heading, which tells what it means."""
        if align == "left":
            self.fitted(text, left, right, middle, ink)
        else:
            self.text(text, right, middle, ink, align=align)
        self.explain(text, left, right, middle)

    def explain(self, text: str, left: float, right: float, middle: float, meaning: str | None = None) -> None:
        """Tell what words that stand there mean, where they have a meaning that is not plain."""
        told = meaning_of(text) if meaning is None else meaning
        if told:
            self.words.append(Word(text, told, Box(left, middle - LINE / 2, right, middle + LINE / 2)))

    def strip(
        self,
        stage: StageName | None,
        what: str,
        values: Float32,
        scale: float,
        box: Box,
        first: int = 0,
        parts: tuple[float, Float32] | None = None,
    ) -> None:
        """A vector, or a part of one."""
        if len(values):
            self.strips.append(Strip(stage, what, values, cells_of(values, box.right - box.left), scale, box, first, parts))

    def number(
        self,
        stage: StageName,
        what: str,
        value: float,
        text: str,
        right: float,
        middle: float,
        ink: Ink = "ink",
        bold: bool = False,
        how: str = "",
    ) -> None:
        """A number whose figures end at `right`."""
        label = Label(text, right, baseline(middle), SMALL, ink, align="right", bold=bold)
        width = self._measure(text, SMALL, bold)
        self.numbers.append(Number(stage, what, float(value), label, Box(right - width, middle - 8, right, middle + 8), how))

    def bar(self, left: float, length: float, middle: float, colour: str, opacity: float = 1.0, height: float = 8.0) -> None:
        """A bar from `left` on, to the left for a negative length."""
        start, end = sorted((left, left + length))
        self.bars.append(Bar(Box(start, middle - height / 2, end, middle + height / 2), colour, opacity))

    def line(self, *points: tuple[float, float], is_strong: bool = True) -> None:
        """A line that ends in an arrowhead."""
        self.connectors.append(Connector(points, is_strong))


@dataclass(frozen=True)
class Setting:
    """What every stage is set with. row_height: of the table; first_query: the first position among the picture's tokens that can
    be a query."""

    sheet: Sheet
    content: Content
    rows: Sequence[Row]
    theme: Theme
    measure: Measure
    row_height: float
    first_query: int

    @property
    def strip(self) -> float:
        """The height of a strip in such a row."""
        low, high = _STRIP
        return min(max(_STRIP_SHARE * self.row_height, low), high)


def heading_middle(top: float) -> float:
    """The height about which the headings of columns stand whose first row begins at `top`."""
    return top - _BESIDE_HEADING


def baseline(middle: float) -> float:
    """Where small text stands that is centred about a height."""
    return middle + 0.36 * SMALL

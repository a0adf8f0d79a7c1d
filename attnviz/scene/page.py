"""Lines of text and tinted strips, set one below the other: what every picture has round it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Band, Dot, Label
from attnviz.scene.words import head_name, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from attnviz.scene.scene import Measure
    from attnviz.scene.theme import Theme

MARGIN = 24.0
SMALL = 12  # pixel size of captions and notes
LINE = 18.0  # of small text
_BAND_LINE = 20.0
ONE_BAND = _BAND_LINE + 10.0


@dataclass(frozen=True)
class Layout:
    """The room for a picture. width, height: logical pixels, height 0 for as tall as it needs;
    caption: model, layer and a legend of heads are part of the picture (on paper) rather than beside it (in the window)."""

    width: float
    height: float = 0.0
    caption: bool = False


class Page:
    """Sets text from `y` downwards; what is set is in `labels`, `dots` and `bands`."""

    def __init__(self, theme: Theme, layout: Layout, measure: Measure) -> None:
        self.y = 0.0
        self.labels: list[Label] = []
        self.dots: list[Dot] = []
        self.bands: list[Band] = []
        self.theme = theme
        self.layout = layout
        self.measure = measure

    def band_lines(self, lines: Iterable[tuple[str | None, str]]) -> None:
        """A tinted strip for each (text, kind of band) that has a text."""
        for text, kind in lines:
            if text is not None:
                self._band(text, kind)

    def _band(self, text: str, kind: str) -> None:
        lines = wrap(text, 13, self.layout.width - 2 * MARGIN, self.measure)
        height = _BAND_LINE * len(lines) + 10
        self.bands.append(Band(self.y, height, kind))
        for number, line in enumerate(lines):
            baseline = self.y + 5 + _BAND_LINE * number + 14.5
            self.labels.append(Label(line, self.layout.width / 2, baseline, 13, f"{kind}_ink", align="middle"))
        self.y += height

    def height_of(self, lines: Iterable[str]) -> float:
        """The height that paragraphs of small text take."""
        width = self.layout.width - 2 * MARGIN
        return LINE * sum(len(wrap(line, SMALL, width, self.measure)) for line in lines)

    def text(self, text: str, ink: str = "muted", bold_until: int = 0) -> None:
        """A paragraph of small text, its first `bold_until` characters bold."""
        for line in wrap(text, SMALL, self.layout.width - 2 * MARGIN, self.measure):
            x, baseline = MARGIN, self.y + 13.0
            if bold_until:
                start, line = line[:bold_until], line[bold_until:]
                self.labels.append(Label(start, x, baseline, SMALL, "ink", bold=True))
                x += self.measure(start, SMALL, True)
                bold_until = 0
            self.labels.append(Label(line, x, baseline, SMALL, ink))
            self.y += LINE

    def heads(self, heads: Sequence[int]) -> None:
        """A legend: a dot in its colour and the name of each head."""
        x = MARGIN
        for head in heads:
            name = head_name(head)
            advance = 12 + self.measure(name, SMALL, False) + 12
            if x > MARGIN and x + advance - 12 > self.layout.width - MARGIN:
                x, self.y = MARGIN, self.y + LINE
            self.dots.append(Dot(x + 4, self.y + 9, 4, head_colour(head, self.theme)))
            self.labels.append(Label(name, x + 12, self.y + 13.0, SMALL, "muted"))
            x += advance
        self.y += LINE + 4 if heads else 0

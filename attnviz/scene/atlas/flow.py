"""A legend's marks and words from left to right, on as many lines as they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.page import LINE, MARGIN, SMALL
from attnviz.scene.scene import Label
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from attnviz.scene.page import Page

_BETWEEN: Final = 20.0


class Flow:
    """Sets what a legend says from left to right on the next lines of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.x = MARGIN

    def place(self, mark: float, text: str) -> float:
        """The x of a mark that is so wide, behind which `text` stands; on a new line where this one has no room for both."""
        page, most = self.page, self.page.layout.width - MARGIN
        advance = mark + page.measure(text, SMALL, False)
        if self.x > MARGIN and self.x + advance > most:
            self.x = MARGIN
            page.y += LINE
        x = self.x
        for number, line in enumerate(wrap(text, SMALL, max(most - x - mark, 40.0), page.measure)):
            page.y += LINE if number else 0.0
            page.labels.append(Label(line, x + mark, page.y + 13.0, SMALL, "muted"))
        self.x += advance + _BETWEEN
        return x

    def end(self) -> None:
        """What comes next stands on a line of its own."""
        self.page.y += LINE

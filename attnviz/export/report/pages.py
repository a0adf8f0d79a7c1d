"""Filling pages with strips: headings stay with what they head, nothing is cut in two, tables go on under their titles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from attnviz.export.report.strip import ROOM
from attnviz.export.report.strips import strips_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.export.report.document import Document
    from attnviz.export.report.strip import Strip
    from attnviz.scene.scene import Measure

# A4 in logical pixels, 96 to the inch.
PAGE_WIDTH, PAGE_HEIGHT = 210 / 25.4 * 96, 297 / 25.4 * 96
LEFT: Final = (PAGE_WIDTH - ROOM) / 2
TOP, BOTTOM = 84.0, 96.0
HEIGHT: Final = PAGE_HEIGHT - TOP - BOTTOM
# Sums of heights are not exact.
_SLACK: Final = 0.01


@dataclass
class Page:
    """Strips with the y of their upper edges, from the upper edge of what is printed; y: where the next one goes."""

    strips: list[tuple[float, Strip]] = field(default_factory=list)
    y: float = 0.0
    gap: float = 0.0

    def room_for(self, strips: Iterable[Strip]) -> bool:
        """Whether all of them fit below what is there."""
        y, gap = self.y, self.gap
        for at, strip in enumerate(strips):
            y += (max(gap, strip.gap) if self.strips or at else 0.0) + strip.height
            gap = strip.below
        return y <= HEIGHT + _SLACK

    def put(self, strip: Strip) -> None:
        """Set it below what is there."""
        self.y += max(self.gap, strip.gap) if self.strips else 0.0
        self.strips.append((self.y, strip))
        self.y += strip.height
        self.gap = strip.below


def pages_of(document: Document, measure: Measure) -> list[Page]:
    """All pages. Strips that hold on to one another go to the next page together; where they are more than a page, one by one."""
    pages = [Page()]
    for chunk in _chunks(strips_of(document, HEIGHT, measure)):
        if not pages[-1].room_for(chunk):
            pages.append(Page())
        for strip in chunk:
            if not pages[-1].room_for([strip]):
                pages.append(Page())
            if not pages[-1].strips:
                for again in strip.head:
                    pages[-1].put(again)
            pages[-1].put(strip)
    return [page for page in pages if page.strips]


def _chunks(strips: Iterable[Strip]) -> list[list[Strip]]:
    """Strips that stay together."""
    chunks: list[list[Strip]] = [[]]
    for strip in strips:
        chunks[-1].append(strip)
        if not strip.holds:
            chunks.append([])
    return [chunk for chunk in chunks if chunk]

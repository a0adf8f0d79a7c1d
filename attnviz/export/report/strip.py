"""A strip of a page: what is set side by side across it, and how it keeps to the strips around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from attnviz.export.report.document import bound
from attnviz.scene.scene import Label
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.scene.scene import Box, Dot, Ink, Measure, Scene

# Logical pixels, 96 to the inch: of A4 the width less two margins of 22 mm.
ROOM: Final = 624.0
SIZE, LINE = 13, 20.0  # of text, 9.75 points
SMALL, SMALL_LINE = 11, 16.0  # of tables, captions and notes


@dataclass(frozen=True)
class Picture:
    """A scene, its left upper corner and the factor on its lengths."""

    scene: Scene
    left: float
    top: float
    scale: float


@dataclass(frozen=True)
class Link:
    """Where a click opens an address."""

    box: Box
    address: str


@dataclass(frozen=True)
class Mark:
    """A heading, for the outline; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Strip:
    """Places are counted from its left upper corner. grounds: boxes with the name of their colour in the theme, below the text.

    gap: above it, not at the top of a page; below: under it, not at the end of a page; holds: it is never the last on a page;
    head: strips set once more above it where it comes first on a page.
    """

    height: float
    labels: tuple[Label, ...] = ()
    grounds: tuple[tuple[Box, str], ...] = ()
    dots: tuple[Dot, ...] = ()
    pictures: tuple[Picture, ...] = ()
    links: tuple[Link, ...] = ()
    marks: tuple[Mark, ...] = ()
    gap: float = 0.0
    below: float = 0.0
    holds: bool = False
    head: tuple[Strip, ...] = ()


def lines_of(
    text: str, size: int, line: float, measure: Measure, ink: Ink = "ink", left: float = 0.0, right: float = 0.0, gap: float = 0.0
) -> Iterator[Strip]:
    """A paragraph, at least two lines of which stay together at either end of a page; left, right: how far it is set in."""
    lines = wrap(bound(text), size, ROOM - left - right, measure)
    for at, words in enumerate(lines):
        holds = len(lines) > 1 and at in (0, len(lines) - 2)
        yield Strip(line, (Label(words, left, 0.75 * line, size, ink),), gap=gap if at == 0 else 0.0, holds=holds)

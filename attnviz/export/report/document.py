"""A report as plain data, block by block, before it is written in any form."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from attnviz.scene.scene import Scene

# Logical pixels: how wide pictures are built. Their own margins stand outside the text, so that what they show begins where it
# does.
PICTURE_WIDTH: Final = 672.0
_LOOSE: Final = re.compile(" (?=%|→)")


@dataclass(frozen=True)
class Heading:
    """level: 2 for a section, 3 inside one; the report's title is the only one of level 1."""

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True)
class Paragraph:
    """is_quiet: said in passing, such as a note below a table."""

    text: str
    is_quiet: bool = False


@dataclass(frozen=True)
class Listing:
    """Some short paragraphs that belong together."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """Names with their values, line by line."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """A column's title and how its cells stand below it."""

    title: str
    align: Literal["left", "right"] = "left"


@dataclass(frozen=True)
class Table:
    """rows: a text for each column, the first one the row's name; marks: of each row the colour of the dot before its name, or
    None; () for no dots at all."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    marks: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A picture; it says in words what it shows, for those who do not see it."""

    caption: str
    scene: Scene


@dataclass(frozen=True)
class Command:
    """What can be typed or copied as it stands; its lines are kept."""

    text: str


@dataclass(frozen=True)
class Reference:
    """Something published, and where it can be read, "" for nowhere in particular."""

    text: str
    address: str = ""


@dataclass(frozen=True)
class References:
    """What the report cites, in the order of its authors."""

    items: tuple[Reference, ...]


Block = Heading | Paragraph | Listing | Facts | Table | Figure | Command | References


@dataclass(frozen=True)
class Document:
    """byline: author and date, "" for neither; lead: what was measured, in a line; facts: where it all comes from, as JSON."""

    title: str
    byline: str
    lead: str
    blocks: tuple[Block, ...]
    facts: str


def numbered(blocks: Iterable[Block]) -> Iterator[tuple[Block, int]]:
    """Each block with its number among those of its kind, from 1: tables and figures are numbered in either form alike."""
    counts: Counter[type] = Counter()
    for block in blocks:
        counts[type(block)] += 1
        yield block, counts[type(block)]


def caption_of(block: Table | Figure, number: int) -> str:
    """ "Table 2. The heads with a role"."""
    return f"{type(block).__name__} {number}. {block.caption}"


def bound(text: str) -> str:
    """The text with no line broken before a sign of per cent or an arrow."""
    return _LOOSE.sub("\N{NO-BREAK SPACE}", text)

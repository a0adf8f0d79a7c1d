"""The blocks of a report as strips that pages are filled with: what must not be torn apart is one, or holds on to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.export.report.document import (
    Command,
    Facts,
    Figure,
    Heading,
    Listing,
    Paragraph,
    References,
    Table,
    bound,
    caption_of,
    numbered,
)
from attnviz.export.report.rows import table_strips
from attnviz.export.report.strip import LINE, ROOM, SIZE, SMALL, SMALL_LINE, Link, Mark, Picture, Strip, lines_of
from attnviz.scene.page import MARGIN
from attnviz.scene.scene import Box, Label
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.export.report.document import Block, Document
    from attnviz.scene.scene import Measure

_TITLE, _TITLE_LINE = 28, 36.0
# Of the headings of level 2 and 3: pixel size, line, gap above.
_HEADINGS: Final = {2: (19, 26.0, 36.0), 3: (14, 20.0, 24.0)}
_GAP: Final = 10.0  # between paragraphs
_INDENT: Final = 18.0
_NAMES: Final = 144.0  # of the names of facts
_PADDING: Final = 10.0
_ABOVE_FIGURE: Final = 48.0  # room for a heading and a line above one that fills a page


def strips_of(document: Document, height: float, measure: Measure) -> Iterator[Strip]:
    """All of a report, from top to bottom. height: of a page; nothing is higher."""
    yield from _title(document, measure)
    for block, number in numbered(document.blocks):
        yield from _strips(block, number, height, measure)


def _title(document: Document, measure: Measure) -> Iterator[Strip]:
    """wrap measures letters of normal weight, and these are heavier."""
    lines = wrap(bound(document.title), _TITLE, 0.9 * ROOM, measure)
    for at, line in enumerate(lines):
        mark = (Mark(1, document.title),) if at == 0 else ()
        yield Strip(_TITLE_LINE, (Label(line, 0, 28.0, _TITLE, bold=True),), marks=mark, holds=True)
    if document.byline:
        yield from lines_of(document.byline, SIZE, LINE, measure, gap=6.0)
    yield from lines_of(document.lead, SIZE, LINE, measure, "muted", gap=6.0)


def _strips(block: Block, number: int, height: float, measure: Measure) -> Iterator[Strip]:
    match block:
        case Heading(text, level):
            yield from _heading(text, level, measure)
        case Paragraph(text, is_quiet):
            size, line, ink = (SMALL, SMALL_LINE, "muted") if is_quiet else (SIZE, LINE, "ink")
            yield from lines_of(text, size, line, measure, ink, gap=_GAP)
        case Listing(items):
            for item in items:
                first, *rest = lines_of(item, SIZE, LINE, measure, left=_INDENT, gap=0.6 * _GAP)
                yield replace(first, labels=(Label("\N{BULLET}", 4.0, first.labels[0].baseline, SIZE, "muted"), *first.labels))
                yield from rest
        case Facts(rows):
            yield from _facts(rows, measure)
        case Table():
            yield from table_strips(block, caption_of(block, number), measure)
        case Figure():
            yield from _figure(block, caption_of(block, number), height, measure)
        case Command(text):
            yield from _command(text, measure)
        case References(items):
            for item in items:
                yield from _reference(item.text, item.address, measure)


def _heading(text: str, level: int, measure: Measure) -> Iterator[Strip]:
    size, line, gap = _HEADINGS[level]
    for at, words in enumerate(wrap(bound(text), size, 0.9 * ROOM, measure)):
        label = Label(words, 0, 0.75 * line, size, bold=True)
        yield Strip(line, (label,), marks=(Mark(level, text),) if at == 0 else (), gap=gap if at == 0 else 0.0, holds=True)


def _facts(rows: tuple[tuple[str, str], ...], measure: Measure) -> Iterator[Strip]:
    """All of them stay together."""
    strips: list[Strip] = []
    for name, value in rows:
        first, *rest = lines_of(value, SMALL, SMALL_LINE, measure, left=_NAMES, gap=4.0 if strips else _GAP)
        strips += [replace(first, labels=(Label(name, 0, first.labels[0].baseline, SMALL, "muted"), *first.labels)), *rest]
    for at, strip in enumerate(strips):
        yield replace(strip, holds=at < len(strips) - 1)


def _figure(figure: Figure, caption: str, height: float, measure: Measure) -> Iterator[Strip]:
    """The picture as large as it is, its margins outside the text, or smaller so as to fit a page with a heading and caption."""
    words = list(lines_of(caption, SMALL, SMALL_LINE, measure, "muted", gap=4.0))
    below = sum(strip.height + strip.gap for strip in words)
    scene = figure.scene
    scale = min(1.0, (ROOM + 2 * MARGIN) / scene.width, (height - below - _ABOVE_FIGURE) / scene.height)
    picture = Picture(scene, -MARGIN * scale, 0.0, scale)
    yield Strip(scale * scene.height, pictures=(picture,), gap=_GAP, holds=True)
    for strip in words[:-1]:
        yield replace(strip, holds=True)
    yield replace(words[-1], below=_GAP)


def _command(text: str, measure: Measure) -> Iterator[Strip]:
    """On a ground of its own; lines keep what they are set in, and where one is too long, so do those that it becomes."""
    lines = [(left, part) for line in text.splitlines() for left, part in _broken(line, measure)]
    for at, (left, line) in enumerate(lines):
        top, bottom = (_PADDING if at == 0 else 0.0), (_PADDING if at == len(lines) - 1 else 0.0)
        height = top + SMALL_LINE + bottom
        ground = ((Box(0, 0, ROOM, height), "panel"),)
        label = Label(line, _PADDING + left, top + 0.75 * SMALL_LINE, SMALL)
        yield Strip(height, (label,), ground, gap=_GAP if at == 0 else 0.0, holds=at < len(lines) - 1)


def _broken(line: str, measure: Measure) -> Iterator[tuple[float, str]]:
    words = line.lstrip(" ")
    left = min(measure(" ", SMALL, False) * (len(line) - len(words)), 0.5 * ROOM)
    return ((left, part) for part in wrap(words, SMALL, ROOM - 2 * _PADDING - left, measure))


def _reference(text: str, address: str, measure: Measure) -> Iterator[Strip]:
    """Its lines below the first one set in; a line of its own for where it can be read."""
    lines = list(lines_of(text, SMALL, SMALL_LINE, measure, right=_INDENT, gap=6.0))
    for at, strip in enumerate(lines):
        labels = strip.labels if at == 0 else tuple(replace(label, x=_INDENT) for label in strip.labels)
        yield replace(strip, labels=labels, holds=bool(address) or at < len(lines) - 1)
    if address:
        box = Box(_INDENT, 0, _INDENT + measure(address, SMALL, False), SMALL_LINE)
        yield Strip(SMALL_LINE, (Label(address, _INDENT, 0.75 * SMALL_LINE, SMALL, "accent"),), links=(Link(box, address),))

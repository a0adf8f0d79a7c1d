"""A report as a PDF: A4 pages of vectors and real text."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, Qt
from PySide6.QtGui import QColor, QPageLayout, QPageSize, QPainter, QPdfWriter

from attnviz import __version__
from attnviz.export.report.pages import BOTTOM, LEFT, PAGE_HEIGHT, TOP, pages_of
from attnviz.export.report.pdf_file import Region, Section, finish_pdf
from attnviz.export.report.strip import ROOM, SMALL
from attnviz.paint.fonts import text_width
from attnviz.paint.page import paint_lines, rect_of
from attnviz.paint.painter import paint_scene
from attnviz.scene.scene import Label
from attnviz.scene.theme import load_theme
from attnviz.scene.words import wrap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from attnviz.export.report.document import Document
    from attnviz.export.report.pages import Page
    from attnviz.export.report.strip import Picture

_DPI: Final = 1200
_POINT: Final = 72 / 96  # of a logical pixel
_HAIRLINE: Final = 0.8  # as in figures


def pdf_bytes(document: Document) -> bytes:
    """The whole file. The same document gives the same bytes."""
    pages = pages_of(document, text_width)
    info = {"Title": document.title, "Subject": document.lead, "Author": document.byline, "Keywords": document.facts}
    info["Creator"] = f"attnviz {__version__}"
    return finish_pdf(_painted(document, pages), info, list(_sections(pages)), list(_regions(pages)))


def _painted(document: Document, pages: list[Page]) -> bytes:
    """The pages as Qt writes them."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(_DPI)
    size = QPageSize(QPageSize.PageSizeId.A4)
    writer.setPageLayout(QPageLayout(size, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    theme = replace(load_theme("light"), paper="#ffffff")
    foot = _foot(document)
    painter = QPainter(writer)
    for number, page in enumerate(pages):
        if number:
            writer.newPage()
        painter.resetTransform()
        painter.scale(_DPI / 96, _DPI / 96)
        painter.translate(LEFT, TOP)
        for y, strip in page.strips:
            painter.save()
            painter.translate(0, y)
            painter.setPen(Qt.PenStyle.NoPen)
            for box, ground in strip.grounds:
                painter.fillRect(rect_of(box), QColor(getattr(theme, ground)))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_lines(strip.labels, strip.dots, theme, painter)
            for picture in strip.pictures:
                _paint(picture, painter)
            painter.restore()
        below = PAGE_HEIGHT - TOP - 0.5 * BOTTOM
        count = Label(f"{number + 1} / {len(pages)}", ROOM, below, SMALL, "muted", align="right")
        paint_lines([Label(foot, 0, below, SMALL, "muted"), count], (), theme, painter)
    painter.end()
    return bytes(buffer.data().data())


def _foot(document: Document) -> str:
    """The title at the foot of each page, as much of it as there is room for."""
    first, *rest = wrap(document.title, SMALL, 0.8 * ROOM, text_width)
    return f"{first}\N{HORIZONTAL ELLIPSIS}" if rest else first


def _paint(picture: Picture, painter: QPainter) -> None:
    painter.save()
    painter.translate(picture.left, picture.top)
    painter.scale(picture.scale, picture.scale)
    painter.setClipRect(QRectF(0, 0, picture.scene.width, picture.scene.height))
    paint_scene(picture.scene, painter, _HAIRLINE)
    painter.restore()


def _sections(pages: list[Page]) -> Iterator[Section]:
    for number, page in enumerate(pages):
        for y, strip in page.strips:
            for mark in strip.marks:
                yield Section(mark.level, mark.text, number, _POINT * (PAGE_HEIGHT - TOP - y + 12.0))


def _regions(pages: list[Page]) -> Iterator[Region]:
    for number, page in enumerate(pages):
        for y, strip in page.strips:
            for link in strip.links:
                left, right = (_POINT * (LEFT + x) for x in (link.box.left, link.box.right))
                top, bottom = (_POINT * (PAGE_HEIGHT - TOP - y - edge) for edge in (link.box.top, link.box.bottom))
                yield Region(number, (left, bottom, right, top), link.address)

"""One scene as a file: PNG, SVG or PDF, by the ending of its name."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from attnviz.errors import ExportError
from attnviz.export.compared import compared_facts
from attnviz.export.provenance import provenance, roles_facts, view_facts
from attnviz.library.whole import write_whole
from attnviz.paint.fonts import text_width
from attnviz.paint.painter import paint_scene
from attnviz.scene.compare.scene import CompareScene
from attnviz.scene.page import Layout
from attnviz.scene.pictures import COMPARED, build_scene
from attnviz.scene.scene import ArcScene
from attnviz.scene.theme import load_theme

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.probing.summary import RoleSummary
    from attnviz.scene.scene import Scene
    from attnviz.scene.theme import Theme, ThemeName
    from attnviz.session.run import Run
    from attnviz.session.view import View

Background = Literal["theme", "white", "transparent"]

PIXELS_PER_INCH = 96.0  # of a Scene
NARROWEST_INCHES, WIDEST_INCHES = 1.5, 60.0
MOST_PIXELS = 200_000_000  # 800 MB of image
_PDF_DPI = 1200
# What no XML 1.0 file may hold, not even escaped: https://www.w3.org/TR/xml/#charsets
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A line of text as QSvgGenerator writes it.
_TEXT = re.compile(r'(<text [^>]*?font-family=)"([^"]*)" font-size="(\d+)" font-weight="(\d+)"([^>]*?)\s*>([^<]*)</text>')
_MUCH_REDUCED = 0.75  # of its size: from there on text is clearer as it is painted than made smaller
_MOST_PREVIEWED = 8_000_000  # pixels: 32 MB, and a tenth of a second
_HAIRLINE = 0.8  # logical pixels, 0.6 pt: thin, but above the quarter point that printers lose


@dataclass(frozen=True)
class Paper:
    """What a figure is painted on. width: inches; dpi: of a PNG; background "theme" is the theme's own paper."""

    width: float = 5.5
    dpi: int = 300
    theme: ThemeName = "light"
    background: Background = "white"


def figure_scene(run: Run, view: View, paper: Paper, roles: RoleSummary | None = None) -> Scene:
    """The scene of a figure: with caption and legend, as tall as it needs to be. Grid and steps are of the run alone, though it may
    be compared with another. roles: what was measured of the run's model, marked on a grid.

    Raises ExportError for a width outside 1.5 to 60 inches.
    """
    theme, layout = page_of(paper)
    run = run if view.picture in COMPARED else replace(run, against=None)
    return build_scene(run, view, theme, layout, text_width, roles)


def page_of(paper: Paper) -> tuple[Theme, Layout]:
    """The colours and the room of a figure on that paper. Raises ExportError for a width outside 1.5 to 60 inches."""
    if not NARROWEST_INCHES <= paper.width <= WIDEST_INCHES:
        raise ExportError(
            f"A figure {paper.width:.2f} in wide cannot be drawn; choose from {NARROWEST_INCHES} to {WIDEST_INCHES:.0f} in."
        )
    theme = load_theme(paper.theme)
    if paper.background == "white":
        theme = replace(theme, paper="#ffffff")
    return theme, Layout(paper.width * PIXELS_PER_INCH, caption=True)


def save_figure(run: Run, view: View, path: Path, paper: Paper, roles: RoleSummary | None = None) -> None:
    """Paint a figure and write it to `path`; roles: as for `figure_scene`.

    Raises ExportError if the ending is not .png, .svg or .pdf, the picture would be too large, or the file cannot be written.
    """
    paint = _surface_of(path)
    write_whole(path, paint(figure_scene(run, view, paper, roles), paper, figure_facts(run, view, roles)))


def write_scene(scene: Scene, path: Path, paper: Paper, facts: str) -> None:
    """Paint any scene and write it to `path`; facts: what it takes to make it again, as JSON. Raises ExportError as
    `save_figure`."""
    write_whole(path, _surface_of(path)(scene, paper, facts))


def _surface_of(path: Path) -> Callable[[Scene, Paper, str], bytes]:
    paint = SURFACES.get(path.suffix.lower())
    if paint is None:
        raise ExportError(f"{path}: the ending says the form; use one of {', '.join(SURFACES)}.")
    return paint


def figure_facts(run: Run, view: View, roles: RoleSummary | None = None) -> str:
    """What it takes to make a figure again, as JSON: where its numbers come from, and what of them it shows."""
    compared = compared_facts(run, view) if run.against is not None and view.picture in COMPARED else {}
    told = {**view_facts(run, view), **roles_facts(run, view, roles)}
    return json.dumps({**provenance(run), **told, **compared}, ensure_ascii=False)


def figure_image(scene: Scene, paper: Paper, dpi: float, hairline: float = _HAIRLINE) -> QImage:
    """The figure as an image that knows its resolution. Raises ExportError above MOST_PIXELS.

    hairline: logical pixels; 0 for one pixel of the image, which is quick.
    """
    scale = dpi / PIXELS_PER_INCH
    width, height = round(scene.width * scale), round(scene.height * scale)
    if width * height > MOST_PIXELS or max(width, height) > 32_000:
        raise ExportError(f"A picture of {width:,} x {height:,} pixels is too large; choose a smaller width or fewer dpi.")
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDotsPerMeterX(round(dpi / 0.0254))
    image.setDotsPerMeterY(round(dpi / 0.0254))
    image.fill(Qt.GlobalColor.transparent if paper.background == "transparent" else QColor(scene.theme.paper))
    painter = QPainter(image)
    painter.scale(width / scene.width, height / scene.height)
    paint_scene(scene, painter, hairline)
    painter.end()
    return image


def preview_image(scene: Scene, paper: Paper, dpi: float) -> QImage:
    """The figure at a screen's resolution, quickly: thin lines are one pixel wide.

    In a figure that is much reduced, such as that of a long text, they would be a multiple of their width and cover it all: it is
    painted in its own size and made smaller, as a viewer does with the file. Raises ExportError above MOST_PIXELS.
    """
    scale, own = dpi / PIXELS_PER_INCH, min(1.0, math.sqrt(_MOST_PREVIEWED / (scene.width * scene.height)))
    parts = scene.parts if isinstance(scene, CompareScene) else ()
    has_arcs = any(isinstance(one, ArcScene) for one in (scene, *(part.scene for part in parts)))
    if scale >= _MUCH_REDUCED * own or not has_arcs:
        return figure_image(scene, paper, dpi, hairline=0.0)
    whole = figure_image(scene, paper, own * PIXELS_PER_INCH, hairline=0.0)
    size, aspect = whole.size() * (scale / own), Qt.AspectRatioMode.IgnoreAspectRatio
    return whole.scaled(size, aspect, Qt.TransformationMode.SmoothTransformation)


def svg_bytes(scene: Scene, paper: Paper, facts: str) -> bytes:
    """The figure as SVG with real text, its size in millimetres and a viewBox in logical pixels."""
    buffer = _open_buffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(round(PIXELS_PER_INCH))
    generator.setSize(QSize(round(scene.width), round(scene.height)))
    generator.setViewBox(QRectF(0, 0, scene.width, scene.height))
    generator.setTitle(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", scene.description))
    generator.setDescription(_NOT_IN_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", facts))  # JSON's own way to write it
    painter = QPainter(generator)
    _lay_paper(scene, paper, painter)
    paint_scene(scene, painter, _HAIRLINE)
    painter.end()
    return _TEXT.sub(_fitted_text, bytes(buffer.data().data()).decode()).encode()


def _fitted_text(found: re.Match[str]) -> str:
    """A line of SVG text that a reader without the font sets in its sans-serif, drawn together to the same length."""
    start, family, size, weight, rest, text = found.groups()
    length = text_width(html.unescape(text), int(size), int(weight) >= QFont.Weight.DemiBold)
    fitted = f' textLength="{length:.2f}" lengthAdjust="spacingAndGlyphs"' if length else ""
    return f'{start}"{family}, sans-serif" font-size="{size}" font-weight="{weight}"{rest}{fitted}>{text}</text>'


def pdf_bytes(scene: Scene, paper: Paper, facts: str) -> bytes:
    """The figure as a PDF page of just its size, vectors and embedded fonts."""
    buffer = _open_buffer()
    writer = QPdfWriter(buffer)
    writer.setResolution(_PDF_DPI)
    size = QSizeF(scene.width, scene.height) / PIXELS_PER_INCH
    page = QPageSize(size, QPageSize.Unit.Inch, "figure", QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    writer.setTitle(scene.description)
    writer.setCreator(facts)
    painter = QPainter(writer)
    painter.scale(_PDF_DPI / PIXELS_PER_INCH, _PDF_DPI / PIXELS_PER_INCH)
    _lay_paper(scene, paper, painter)
    paint_scene(scene, painter, _HAIRLINE)
    painter.end()
    return bytes(buffer.data().data())


def png_bytes(scene: Scene, paper: Paper, facts: str) -> bytes:
    """The figure as PNG at `paper.dpi`, which the file states."""
    image = figure_image(scene, paper, paper.dpi)
    image.setText("Title", scene.description)
    image.setText("Provenance", facts)
    buffer = _open_buffer()
    image.save(buffer, "PNG")
    return bytes(buffer.data().data())


def _lay_paper(scene: Scene, paper: Paper, painter: QPainter) -> None:
    if paper.background != "transparent":
        painter.fillRect(QRectF(0, 0, scene.width, scene.height), QColor(scene.theme.paper))


def _open_buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


SURFACES: dict[str, Callable[[Scene, Paper, str], bytes]] = {".png": png_bytes, ".svg": svg_bytes, ".pdf": pdf_bytes}

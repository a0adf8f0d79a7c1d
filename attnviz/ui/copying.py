"""The picture on the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage

if TYPE_CHECKING:
    from attnviz.export.figure import Paper
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.run import Run
    from attnviz.session.view import View


class Copy(NamedTuple):
    """A figure, ready for the clipboard."""

    image: QImage
    svg: bytes


def make_copy(run: Run, view: View, paper: Paper | None = None, roles: RoleSummary | None = None) -> Copy:
    """The figure as a picture and as SVG, on usual paper unless some is given; roles: to mark on a grid; for any thread."""
    from attnviz.export.figure import Paper, figure_facts, figure_image, figure_scene, svg_bytes

    paper = Paper() if paper is None else paper
    scene = figure_scene(run, view, paper, roles)
    return Copy(figure_image(scene, paper, paper.dpi), svg_bytes(scene, paper, figure_facts(run, view, roles)))


def put_on_clipboard(copy: Copy) -> None:
    """Offer both forms to other programs; for the GUI thread."""
    content = QMimeData()
    content.setImageData(copy.image)
    content.setData("image/svg+xml", copy.svg)
    QGuiApplication.clipboard().setMimeData(content)


def leave_clipboard() -> None:
    """Let go of the clipboard before the program ends.

    Qt's offscreen platform deletes it too late and crashes; the real ones hand it over or drop it themselves.
    """
    if QGuiApplication.platformName() == "offscreen" and QGuiApplication.clipboard().ownsClipboard():
        QGuiApplication.clipboard().clear()

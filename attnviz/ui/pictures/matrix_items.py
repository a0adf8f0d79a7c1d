"""What pyqtgraph draws of a matrix: a view box with an image for each panel, and axes that carry tokens.

pyqtgraph keeps the cells of 1,000 tokens as one image and shows any part of it at any scale; what stands on and beside them is
painted by paint/, as in every figure. A view box has columns and rows for coordinates: cell (r, c) reaches from (c, r) to
(c + 1, r + 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pyqtgraph import AxisItem, GraphicsObject, GraphicsView, ImageItem, ViewBox
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from attnviz.paint.matrix import paint_bar, paint_over_cells
from attnviz.paint.page import paint_page
from attnviz.paint.sides import paint_columns_side, paint_rows_side
from attnviz.scene.matrix.scene import Cells, cell_colours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from PySide6.QtWidgets import QWidget

    from attnviz.paint.matrix import Lit
    from attnviz.scene.matrix.scene import MatrixPanel, MatrixScene

_NONE_LIT: Lit = (None, None)


class MatrixPlot(GraphicsView):
    """All panels of a scene, in its coordinates. It is never shown by itself: the widget that holds it renders it.

    Its view boxes stay for the next scene, since making one takes about as long as a picture may.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, background=None)
        self.hide()
        self.setCentralItem(None)
        self._panels: list[_PanelItems] = []
        self._scene: MatrixScene | None = None
        self._aside = 0.0  # how far the bar has moved right, for cells that are enlarged

    def show_scene(self, scene: MatrixScene) -> None:
        """Take another scene's panels."""
        self._scene, self._aside = scene, 0.0
        self.resize(round(scene.width), round(scene.height))
        while len(self._panels) < len(scene.panels):
            self._panels.append(_PanelItems(self))
        for number, items in enumerate(self._panels):
            items.show_panel(scene, scene.panels[number] if number < len(scene.panels) else None)

    def set_focus(self, scene: MatrixScene) -> None:
        """The same scene in another focus."""
        self._scene = scene
        for items in self._panels:
            items.set_focus(scene)

    def place(self, placed: Sequence[Cells]) -> None:
        """Let the cells of each panel lie there, and the bar beside them."""
        if self._scene is not None and self._scene.panels:
            self._aside = placed[0].room[2] - self._scene.cells(self._scene.panels[0]).room[2]
        for items, cells in zip(self._panels, placed, strict=False):
            items.place(cells)

    def light(self, lit: Lit) -> None:
        """Have a row and a column stand out."""
        for items in self._panels:
            items.light(lit)

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        if self._scene is not None:
            painter.fillRect(rect, self._scene.theme.paper)
            paint_page(self._scene, painter)
            paint_bar(self._scene.bar and self._scene.bar.moved(self._aside), self._scene.theme, painter)


class _PanelItems:
    """The items of one panel."""

    def __init__(self, plot: MatrixPlot) -> None:
        self.box = ViewBox(enableMenu=False, enableMouse=False, invertY=True, defaultPadding=0)
        self.image = _CellImage(axisOrder="row-major")
        self._width = 0.0  # of the picture
        self.box.addItem(self.image, ignoreBounds=True)
        self.over = _OverCells(self.box)
        self.rows, self.columns = _TokenAxis("left"), _TokenAxis("top")
        for axis in (self.rows, self.columns):
            axis.linkToView(self.box)
        for item in (self.box, self.rows, self.columns):
            plot.addItem(item)

    def show_panel(self, scene: MatrixScene, panel: MatrixPanel | None) -> None:
        """Show a panel, or nothing."""
        shown = panel is not None
        self.box.setVisible(shown)
        self.rows.setVisible(shown and panel.has_row_labels)
        self.columns.setVisible(shown and panel.has_column_labels)
        if panel is None:
            return
        colours = cell_colours(scene, panel)
        self._width = scene.width
        self.image.setImage(colours, levels=(0, 255), autoDownsample=True)
        self.over.show_panel(scene, panel, colours)
        self.set_focus(scene)
        self.place(scene.cells(panel))

    def set_focus(self, scene: MatrixScene) -> None:
        self.over.scene = self.rows.scene_shown = self.columns.scene_shown = scene

    def place(self, cells: Cells) -> None:
        left, top, right, bottom = cells.room
        self.box.setGeometry(QRectF(left, top, right - left, bottom - top))
        self.rows.setGeometry(QRectF(0, top, left, bottom - top))
        self.columns.setGeometry(QRectF(left, 0, self._width - left, top))
        x, y = (cells.room[0] - cells.left) / cells.width, (cells.room[1] - cells.top) / cells.height
        wide, high = (cells.room[2] - cells.room[0]) / cells.width, (cells.room[3] - cells.room[1]) / cells.height
        self.box.setRange(xRange=(x, x + wide), yRange=(y, y + high), padding=0)

    def light(self, lit: Lit) -> None:
        self.over.lit, self.rows.lit, self.columns.lit = lit, lit[0], lit[1]


class _CellImage(ImageItem):
    """The cells. pyqtgraph averages whole numbers of cells that fall into one pixel; what is left of the scale is smoothed, for
    otherwise at 0.8 pixels a cell each fifth column would be missing."""

    def paint(self, painter: QPainter, *rest: object) -> None:
        scale = painter.deviceTransform()
        is_small = min(abs(scale.m11()), abs(scale.m22())) < 1.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=is_small)
        super().paint(painter, *rest)


class _OverCells(GraphicsObject):
    """Numbers, gaps and outlines, painted in pixels over the part of the cells that is seen."""

    def __init__(self, box: ViewBox) -> None:
        super().__init__(box)
        self._box = box
        self._panel: MatrixPanel | None = None
        self._colours: NDArray | None = None
        self.scene: MatrixScene | None = None
        self.lit: Lit = _NONE_LIT

    def show_panel(self, scene: MatrixScene, panel: MatrixPanel, colours: NDArray) -> None:
        self.scene, self._panel, self._colours = scene, panel, colours

    def boundingRect(self) -> QRectF:
        return self._box.rect().adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, *_rest: object) -> None:
        if self._panel is not None:
            painter.translate(-self._box.pos())
            paint_over_cells(self.scene, self._panel, self._colours, seen_in(self._box, self.scene), painter, self.lit)


class _TokenAxis(AxisItem):
    """An axis with the tokens of its side for marks; it follows its view box as any of pyqtgraph's does."""

    def __init__(self, side: Literal["left", "top"]) -> None:
        super().__init__(side)
        self.scene_shown: MatrixScene | None = None
        self.lit: int | None = None

    def paint(self, painter: QPainter, *_rest: object) -> None:
        if self.scene_shown is not None:
            painter.translate(-self.pos())
            paint = paint_rows_side if self.orientation == "left" else paint_columns_side
            paint(self.scene_shown, seen_in(self.linkedView(), self.scene_shown), painter, self.lit)


def seen_in(box: ViewBox, scene: MatrixScene) -> Cells:
    """Where the cells lie that a view box shows, by its range."""
    (x, x_end), (y, y_end) = box.viewRange()
    room = box.geometry()
    width, height = room.width() / (x_end - x), room.height() / (y_end - y)
    return Cells(
        left=room.left() - x * width,
        top=room.top() - y * height,
        width=width,
        height=height,
        n_row=len(scene.queries),
        n_column=len(scene.keys),
        room=(room.left(), room.top(), room.right(), room.bottom()),
    )

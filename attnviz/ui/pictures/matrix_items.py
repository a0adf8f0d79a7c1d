"""What pyqtgraph draws of a matrix: a view box with an image for each panel, and axes that carry tokens.

pyqtgraph keeps the boxes, their ranges and their axes; what is in and beside them is painted by paint/, as in every figure. Its own
images are not used: where several cells fall on a pixel they show their mean, and leave out the last few. A view box has columns
and rows for coordinates: cell (r, c) reaches from (c, r) to (c + 1, r + 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pyqtgraph import AxisItem, GraphicsView, ViewBox
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QGraphicsItem

from attnviz.paint.matrix import CellsImage, paint_bar, paint_cells, paint_over_cells
from attnviz.paint.page import paint_page
from attnviz.paint.sides import paint_columns_side, paint_rows_side
from attnviz.scene.matrix.scene import Cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPainter
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
            painter.save()  # a view box fills itself with whatever brush was last used
            painter.fillRect(rect, self._scene.theme.paper)
            paint_page(self._scene, painter)
            paint_bar(self._scene.bar and self._scene.bar.moved(self._aside), self._scene.theme, painter)
            painter.restore()


class _PanelItems:
    """The items of one panel."""

    def __init__(self, plot: MatrixPlot) -> None:
        self.box = ViewBox(enableMenu=False, enableMouse=False, invertY=True, defaultPadding=0)
        self._width = 0.0  # of the picture
        self.cells = _PanelCells(self.box)
        self.rows, self.columns = _TokenAxis("left"), _TokenAxis("top")
        for axis in (self.rows, self.columns):
            axis.linkToView(self.box)
        for item in (self.box, self.cells, self.rows, self.columns):
            plot.addItem(item)

    def show_panel(self, scene: MatrixScene, panel: MatrixPanel | None) -> None:
        """Show a panel, or nothing."""
        shown = panel is not None
        self.box.setVisible(shown)
        self.cells.setVisible(shown)
        self.rows.setVisible(shown and panel.has_row_labels)
        self.columns.setVisible(shown and panel.has_column_labels)
        if panel is None:
            self.cells.let_go()
            self.rows.scene_shown = self.columns.scene_shown = None
            return
        self._width = scene.width
        self.cells.show_panel(scene, panel)
        self.set_focus(scene)
        self.place(scene.cells(panel))

    def set_focus(self, scene: MatrixScene) -> None:
        if self.cells.scene_shown is None:
            return  # it shows none, and a scene holds the weights of all panels
        self.cells.scene_shown = self.rows.scene_shown = self.columns.scene_shown = scene

    def place(self, cells: Cells) -> None:
        left, top, right, bottom = cells.room
        self.cells.prepareGeometryChange()
        self.box.setGeometry(QRectF(left, top, right - left, bottom - top))
        self.rows.setGeometry(QRectF(0, top, left, bottom - top))
        self.columns.setGeometry(QRectF(left, 0, self._width - left, top))
        x, y = (cells.room[0] - cells.left) / cells.width, (cells.room[1] - cells.top) / cells.height
        wide, high = (cells.room[2] - cells.room[0]) / cells.width, (cells.room[3] - cells.room[1]) / cells.height
        self.box.setRange(xRange=(x, x + wide), yRange=(y, y + high), padding=0)

    def light(self, lit: Lit) -> None:
        self.cells.lit, self.rows.lit, self.columns.lit = lit, lit[0], lit[1]


class _PanelCells(QGraphicsItem):
    """The cells and what lies on them, painted in pixels where a view box shows them; not inside the box, which would cut off their
    frame."""

    def __init__(self, box: ViewBox) -> None:
        super().__init__()
        self._box = box
        self._panel: MatrixPanel | None = None
        self._image: CellsImage | None = None
        self.scene_shown: MatrixScene | None = None
        self.lit: Lit = _NONE_LIT

    def show_panel(self, scene: MatrixScene, panel: MatrixPanel) -> None:
        self.scene_shown, self._panel, self._image = scene, panel, CellsImage(scene, panel)

    def let_go(self) -> None:
        """Show nothing, and hold no panel."""
        self.scene_shown = self._panel = self._image = None

    def boundingRect(self) -> QRectF:
        return self._box.geometry().adjusted(-2, -2, 2, 2)

    def paint(self, painter: QPainter, *_rest: object) -> None:
        if self._panel is not None:
            cells = seen_in(self._box, self.scene_shown)
            paint_cells(self._image, cells, painter)
            paint_over_cells(self.scene_shown, self._panel, cells, painter, self.lit)


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

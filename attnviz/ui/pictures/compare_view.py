"""Two runs on the screen: a picture for each, one above the other or side by side, or one for their difference."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QBoxLayout, QWidget

from attnviz.scene.scene import ArcScene
from attnviz.ui.pictures.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PySide6.QtGui import QResizeEvent

    from attnviz.scene.scene import Scene
    from attnviz.session.view import Arc
    from attnviz.ui.pictures.picture_view import PictureView

_NARROWEST = 320
_LOWEST = 100  # two of them are as high as one picture alone may be
_GAP = 1


class SideCanvas(Canvas):
    """One of two arc diagrams, one above the other: tells when a person moves it, and can be brought to where the other is."""

    shifted = Signal()

    def pan(self, dx: float, dy: float) -> None:
        super().pan(dx, dy)
        self.shifted.emit()

    def fit(self) -> None:
        super().fit()
        self.shifted.emit()

    def follow(self, other: SideCanvas) -> None:
        """Be as large as the other one, and have the same row of tokens in the middle."""
        if self.scene is None or other.scene is None:
            return
        _, middle = other.viewport.to_scene(0.0, other.height() / 2)
        y = float(np.interp(middle, _row_heights(other.scene), _row_heights(self.scene)))
        self.viewport.zoom, self.viewport.x = other.viewport.zoom, other.viewport.x
        self.viewport.y = self.height() / 2 - self.viewport.zoom * y
        if self.viewport.zoom * self.scene.height > self.height():  # else all of it stays in sight
            self.viewport.y = min(max(self.viewport.y, self.height() - self.viewport.zoom * self.scene.height), 0.0)
        else:
            self.viewport.y = max((self.height() - self.viewport.zoom * self.scene.height) / 2, 0.0)
        self.moved()
        self.update()

    def _zoom(self, factor: float, about: QPointF) -> None:
        super()._zoom(factor, about)
        self.shifted.emit()


def _row_heights(scene: ArcScene) -> list[float]:
    """Where a scene begins, its rows of tokens, which are as many on both sides, and where it ends."""
    rows = {box.row: box.top for box in scene.tokens}
    return [0.0, *(rows[row] for row in sorted(rows)), scene.height]


class CompareView(QWidget):
    """Shows one or two scenes, arcs or matrices. Tokens are told by their positions in the first run."""

    tokenPinned = Signal(object)  # position of the token, or None
    focusMoved = Signal(object)
    tokenDoubleClicked = Signal(int)  # position of the token; of the first run's alone
    arcPicked = Signal(int, int)  # positions of query and key
    headPicked = Signal(int)  # of several panels one was clicked: the head to show alone
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Two runs")
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(_GAP)
        self._views: dict[tuple[bool, int], PictureView] = {}
        self._shown: list[PictureView] = []
        self._there: Mapping[int, int] = {}  # from a token of the first run to its counterpart
        self._back: dict[int, int] = {}
        self._pair: Arc | None = None

    @property
    def scene(self) -> Scene | None:
        """The first run's picture, or that of the difference."""
        return self._shown[0].scene if self._shown else None

    def views(self) -> list[PictureView]:
        """The pictures on the screen."""
        return list(self._shown)

    @property
    def beside(self) -> float | None:
        """The width of each of two matrices side by side; None where there is no room for that."""
        return (self.width() - _GAP) / 2 if self.width() >= 2 * _NARROWEST else None

    def show_scenes(self, scenes: Sequence[Scene], counterparts: Mapping[int, int]) -> None:
        """Show a scene for each run, or one for their difference; counterparts: for the positions of the first run's tokens those
        of the other's."""
        self._there, self._back = counterparts, {there: here for here, there in counterparts.items()}
        is_matrix = not isinstance(scenes[0], ArcScene)
        shown = [self._view(is_matrix, side) for side in range(len(scenes))]
        if shown != self._shown:
            has_focus = any(view.hasFocus() for view in self._shown)
            for view in self._shown:
                self._box.removeWidget(view)
                view.hide()
            self._shown = shown
            for view in shown:
                self._box.addWidget(view, 1)
                view.show()
            self.setFocusProxy(shown[0])
            if has_focus:
                shown[0].setFocus()
        is_beside = len(scenes) > 1 and scenes[0].width <= self.width() / 2
        self._box.setDirection(QBoxLayout.Direction.LeftToRight if is_beside else QBoxLayout.Direction.TopToBottom)
        for place, scene in enumerate(scenes):
            self._box.setStretch(place, 1 if is_matrix or is_beside else max(1, round(scene.height)))
        self._box.activate()
        for view, scene in reversed(list(zip(shown, scenes, strict=True))):  # the first run's tells last what is in focus
            view.set_scene(scene)
        self.show_pair(self._pair)

    def set_focus(self, token: int | None) -> None:
        """Pin a token of the first run and its counterpart, or none: an overlay, the pictures stay as they are."""
        for side, view in reversed(list(enumerate(self._shown))):
            view.set_focus(self._on_side(side, token))

    def show_pair(self, pair: Arc | None) -> None:
        """Have a pair of the first run stand out in arcs, and its counterparts, or none: an overlay."""
        self._pair = pair
        for side, view in enumerate(self._shown):
            if isinstance(view, Canvas):
                there = (None, None) if pair is None else (self._on_side(side, pair.query), self._on_side(side, pair.key))
                view.show_pair(None if None in there else replace(pair, query=there[0], key=there[1]))

    def set_scene(self, scene: None) -> None:
        """Show nothing."""
        for view in self._shown:
            view.set_scene(scene)

    def set_busy(self, busy: bool) -> None:
        """Dim the pictures if newer ones are not there within a moment."""
        for view in self._shown:
            view.set_busy(busy)

    def zoom_by(self, factor: float) -> None:
        """Enlarge or reduce all pictures."""
        for view in self._shown:
            view.zoom_by(factor)

    def fit(self) -> None:
        """Show the whole pictures."""
        for view in self._shown:
            view.fit()

    def move_pin(self, step: int) -> None:
        """Pin the next or the previous token of the first run."""
        if self._shown:
            self._shown[0].move_pin(step)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def _view(self, is_matrix: bool, side: int) -> PictureView:
        if (is_matrix, side) not in self._views:
            view = self._views[is_matrix, side] = self._make(is_matrix)
            view.setMinimumHeight(_LOWEST)
            view.tokenPinned.connect(partial(self._on_token_pinned, side))
            view.focusMoved.connect(partial(self._on_focus_moved, side))
            if isinstance(view, Canvas):
                view.arcPicked.connect(partial(self._on_arc_picked, side))
                view.shifted.connect(partial(self._on_shifted, side))
                if side == 0:
                    view.tokenDoubleClicked.connect(self.tokenDoubleClicked)
            else:
                view.headPicked.connect(self.headPicked)
        return self._views[is_matrix, side]

    def _make(self, is_matrix: bool) -> PictureView:
        if is_matrix:
            from attnviz.ui.pictures.matrix_view import MatrixView  # with pyqtgraph a third of a second

            return MatrixView(self)
        return SideCanvas(self)

    def _here(self, side: int, token: int | None) -> int | None:
        """A token of one side by its position in the first run; None where it has no counterpart there."""
        return token if side == 0 or token is None else self._back.get(token)

    def _on_side(self, side: int, token: int | None) -> int | None:
        """A token of the first run by its position on one side; None where it has no counterpart there."""
        return token if side == 0 or token is None else self._there.get(token)

    def _on_shifted(self, side: int) -> None:
        """Have the other one's rows move along."""
        views = self._shown
        if len(views) == 2 and views[side].isVisible():
            views[1 - side].follow(views[side])

    def _on_token_pinned(self, side: int, token: int | None) -> None:
        here = self._here(side, token)
        if here is not None or token is None:
            self.tokenPinned.emit(here)

    def _on_focus_moved(self, side: int, token: int | None) -> None:
        """Have the counterpart of the token under the pointer stand forward too."""
        self.focusMoved.emit(self._here(side, token))
        other = next((view for view in self._shown if view is not self._views.get((False, side))), None)
        source = self._views.get((False, side))
        if isinstance(source, Canvas) and isinstance(other, Canvas):
            hovered = source.hovered_token
            there = None if hovered is None else (self._there.get(hovered) if side == 0 else self._back.get(hovered))
            other.lend_focus(there)

    def _on_arc_picked(self, side: int, query: int, key: int) -> None:
        here = (self._here(side, query), self._here(side, key))
        if None not in here:
            self.arcPicked.emit(*here)

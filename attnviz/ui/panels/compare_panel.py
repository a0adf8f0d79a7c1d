"""Beside two runs: their measures, and how alike they see the token in focus from layer to layer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QGridLayout, QLabel, QToolTip, QVBoxLayout, QWidget

from attnviz.paint.fonts import font, text_width
from attnviz.scene.page import Layout
from attnviz.session.preparing import is_at_hand, is_survey_at_hand
from attnviz.ui.lines import line
from attnviz.ui.newest import Newest
from attnviz.ui.panels.heading import heading, title
from attnviz.ui.panels.scrolling import scrolling

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent

    from attnviz.scene.compare.scene import ChartScene
    from attnviz.session.layer_cosines import LayerCosines
    from attnviz.session.measures import Measure
    from attnviz.session.run import Run
    from attnviz.session.state import State
    from attnviz.session.view import View
    from attnviz.ui.appearance import Appearance

_CHART_HEIGHT: Final = 190.0
_MOST_AT_ONCE: Final = 200  # units whose courses take no longer than a glance
_OFF: Final = 16.0  # of the chart's own margin, since the panel has one


class ComparePanel(QWidget):
    """Shows what two runs of a State have and how they differ."""

    failed = Signal(str)  # the sentence to show

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Two runs")
        self._title = title("Two runs", self)
        self._sides = line("", self, quiet=True)
        self._note = line("", self, quiet=True)
        self.of_layer, self.of_all = _Table(self), _Table(self)
        self._layer_label, self._all_label = heading("", self), heading("mean of all layers", self)
        self.chart = ChartWidget(appearance, self)
        self._newest = Newest("attnviz-measures", self)
        self._newest.arrived.connect(self._on_measured)
        self._newest.failed.connect(self.failed)
        inner = QWidget(self)
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(16, 12, 12, 16)
        self._column.setSpacing(4)
        top = (self._title, self._sides, self.chart)
        for widget in (*top, self._layer_label, self.of_layer, self._all_label, self.of_all, self._note):
            self._column.addWidget(widget)
        self._column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(inner, self))

    @property
    def is_making(self) -> bool:
        """Whether the measures are still to come."""
        return self._newest.is_making or self.chart.is_making

    def show_state(self, state: State) -> None:
        """Show the two runs of a state."""
        from attnviz.scene.compare.differences import differences  # what few starts need
        from attnviz.session.comparison import views_of
        from attnviz.session.measures import are_kept, measures

        run, view = state.run, state.view
        a, b = differences(run)
        self._sides.setText(f"A  {a}\nB  {b}")
        layers = [one.layer for one in views_of(run, view)]
        self._layer_label.setText(f"layer {layers[0]}" if layers[0] == layers[1] else f"layer {layers[0]} of A, {layers[1]} of B")
        self._note.setText("Pin a token to see how alike both runs see it, layer by layer." if view.focus is None else "")
        self._note.setVisible(view.focus is None)
        self._place_chart(is_first=view.focus is not None)
        self.chart.show_state(state)
        plain = (run, view.layer, view.heads, view.kind, view.quantity, view.words, view.sinks, view.between)
        is_quick = are_kept(run, view) or all(is_survey_at_hand(one.trace, view) for one in (run, run.against))
        self._newest.ask(plain, partial(measures, run, view), is_quick)
        if self._newest.is_making:  # the numbers that stand there are of another layer or run
            for table in (self.of_layer, self.of_all):
                table.show_rows([(name, "", "") for name, _, _ in table.rows()])

    def forget(self) -> None:
        """Let go of what was compared last, and want nothing any more."""
        self._newest.forget()
        self.chart.forget()
        for table in (self.of_layer, self.of_all):
            table.show_rows([])

    def _place_chart(self, is_first: bool) -> None:
        """The chart over the measures where a token is in focus, else below them."""
        place = self._column.indexOf(self._sides if is_first else self.of_all) + 1
        if self._column.indexOf(self.chart) != place:
            self._column.removeWidget(self.chart)
            self._column.insertWidget(self._column.indexOf(self._sides if is_first else self.of_all) + 1, self.chart)

    def stop(self) -> None:
        """End what is computed on other threads."""
        self._newest.stop()
        self.chart.stop()

    def _on_measured(self, found: tuple[Measure, ...]) -> None:
        self.of_layer.show_rows([(one.text, *map(one.written, one.layer)) for one in found if one.is_of_layer])
        self.of_all.show_rows([(one.text, *map(one.written, one.mean)) for one in found])


class _Table(QWidget):
    """Rows of a name and two values."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(3)
        self._grid.setColumnStretch(0, 1)
        self._rows: list[tuple[str, str, str]] = []
        self._labels: list[tuple[QLabel, QLabel, QLabel]] = []

    def rows(self) -> list[tuple[str, str, str]]:
        """The rows as they stand there."""
        return list(self._rows)

    def show_rows(self, rows: list[tuple[str, str, str]]) -> None:
        """Show these rows."""
        self._rows = list(rows)
        shown = [("", "A", "B"), *rows]
        while len(self._labels) < len(shown):
            row = len(self._labels)
            labels = (line("", self, quiet=True), QLabel(self), QLabel(self))
            for column, label in enumerate(labels):
                self._grid.addWidget(label, row, column)
            for label in labels[1:]:
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
                label.setMinimumWidth(38)
                label.setFont(font(13, row == 0))
            self._labels.append(labels)
        for number, labels in enumerate(self._labels):
            for label, text in zip(labels, shown[number] if number < len(shown) else ("", "", ""), strict=True):
                label.setText(text)
                label.setVisible(number < len(shown))


class ChartWidget(QWidget):
    """The course of a token through the layers of two runs, as wide as its place."""

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._state: State | None = None
        self._scene: ChartScene | None = None
        self._key: tuple[object, ...] | None = None
        self._found: LayerCosines | None = None
        self._newest = Newest("attnviz-course", self)
        self._newest.arrived.connect(self._on_found)
        self._newest.failed.connect(self._on_failed)
        self.setMouseTracking(True)
        appearance.changed.connect(self._build)

    @property
    def scene(self) -> ChartScene | None:
        """What is drawn."""
        return self._scene

    def show_state(self, state: State) -> None:
        """Show the token in focus, as soon as its course is known; nothing where it has no counterpart."""
        from attnviz.scene.compare.chart import course_of

        run, view = state.run, state.view
        key = (run, view.focus, view.kind, view.words, view.sinks, view.between, view.layer)
        if key == self._key:
            return
        self._state, self._key = state, key

        def make(_: object) -> LayerCosines | None:
            return course_of(run, view)

        self._newest.ask(key[:-1], make, _is_quick(run, view))  # the layer is but marked
        if self._newest.is_making:  # the place is kept
            self._scene = None
            self.update()

    @property
    def is_making(self) -> bool:
        """Whether the course is still to come."""
        return self._newest.is_making

    def forget(self) -> None:
        """Let go of what was shown last."""
        self._newest.forget()
        self._state = self._key = self._found = self._scene = None

    def stop(self) -> None:
        """End what is computed on another thread."""
        self._newest.stop()

    def sizeHint(self) -> QSize:
        return QSize(236, 0 if self._scene is None else round(self._scene.height))

    def resizeEvent(self, event: object) -> None:
        if self._scene is not None and abs(self._scene.width - self._room()) > 1:
            self._build()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._scene is None:
            return
        from attnviz.paint.painter import paint_scene

        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._scene.theme.paper))
        painter.drawRoundedRect(QRectF(0, 0, self.width(), self.height()), 6, 6)
        painter.translate(-_OFF, 0)
        paint_scene(self._scene, painter)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        from attnviz.scene.compare.hit import point_at

        at = event.position()
        point = None if self._scene is None else point_at(self._scene, at.x() + _OFF, at.y())
        text = "" if point is None else f"{point.what}: {point.value:.3f}"
        QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def _room(self) -> float:
        return max(self.width(), 200) + 2 * _OFF

    def _on_found(self, found: LayerCosines | None) -> None:
        self._found = found
        self._build()

    def _on_failed(self, _: str) -> None:
        """Show nothing; the picture has said why."""
        self._on_found(None)

    def _build(self) -> None:
        from attnviz.scene.compare.chart import set_layer_chart

        state, self._scene = self._state, None
        if self._newest.is_making:
            return
        if state is not None and self._found is not None:
            layout = Layout(self._room(), _CHART_HEIGHT)
            self._scene = set_layer_chart(self._found, state.run, state.view, self._appearance.theme, layout, text_width)
        self.setVisible(self._scene is not None)
        self.setFixedHeight(0 if self._scene is None else round(self._scene.height))
        self.setAccessibleDescription("" if self._scene is None else self._scene.description)
        self.update()


def _is_quick(run: Run, view: View) -> bool:
    """Whether the course of the token in focus, or without one the mean of all, takes no longer than a glance."""
    from attnviz.session.comparison import views_of

    sides = zip((run, run.against), views_of(run, view), strict=True)
    is_short = view.focus is not None or len(run.trace.tokens) <= _MOST_AT_ONCE
    return is_short and all(is_at_hand(side.trace, own) for side, own in sides)

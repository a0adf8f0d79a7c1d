"""A chip per head: click switches it, double-click shows it alone, one click brings all back. It says what the head does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from attnviz.paint.fonts import font, text_width
from attnviz.scene.atlas.colours import group_colour
from attnviz.scene.palette import head_colour
from attnviz.scene.role_words import told_roles
from attnviz.session.head_roles import job_groups

if TYPE_CHECKING:
    from PySide6.QtGui import QMouseEvent, QPaintEvent, QResizeEvent, QShowEvent

    from attnviz.probing.summary import RoleLine
    from attnviz.session.head_roles import ShownRoles
    from attnviz.ui.appearance import Appearance

_HEIGHT = 26
_GAP = 5
_NAME_GAP = 6  # between a head and the name of its role
_MARK_TOP, _MARK = 20.0, 2.0


class Chip(QAbstractButton):
    """A small round-ended button with a dot of its colour, or none."""

    doubleClicked = Signal(object)  # its head

    def __init__(self, text: str, head: int | None, appearance: Appearance, parent: QWidget) -> None:
        super().__init__(parent)
        self.head = head
        self._appearance = appearance
        self.setText(text)
        self.setCheckable(head is not None)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._roles: tuple[RoleLine, ...] = ()
        self._is_named = False

    @property
    def role_name(self) -> str:
        """The short name of the head's clearest job, "" without one."""
        return next((role.short for role in self._roles if role.is_job), "")

    @property
    def is_named(self) -> bool:
        """Whether that name stands on the chip."""
        return self._is_named and bool(self.role_name)

    def set_roles(self, roles: tuple[RoleLine, ...]) -> None:
        """Mark what the head does, jobs first; () for nothing that is known."""
        self._roles = roles
        self.update()

    def set_named(self, is_named: bool) -> None:
        """Have the name of the head's job on the chip, or a line in its colour alone."""
        self._is_named = is_named
        self.update()

    def width_with(self, name: str) -> int:
        """Its width with the name of a role, "" for none."""
        beside = _NAME_GAP + text_width(name, 12, False) if name else 0
        return _chip_width(self.text(), self.head is not None) + round(beside)

    def sizeHint(self) -> QSize:
        return QSize(self.width_with(self.role_name if self._is_named else ""), _HEIGHT)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.doubleClicked.emit(self.head)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._appearance.theme
        on = self.isChecked() or not self.isCheckable()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = theme.accent if self.hasFocus() else theme.faint if self.underMouse() else theme.hairline
        painter.setPen(QPen(QColor(edge), 1.0))
        is_pressed = on and self.head is None and self.isCheckable()
        painter.setBrush(QColor(theme.focus_ground if is_pressed else theme.field if on else theme.panel))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _HEIGHT / 2, _HEIGHT / 2)
        x = 9.0
        if self.head is not None:
            colour = QColor(head_colour(self.head, theme))
            painter.setPen(QPen(colour, 1.5))
            painter.setBrush(colour if on else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(QRectF(x, _HEIGHT / 2 - 4, 8, 8))
            x += 14
        painter.setPen(QColor(theme.ink if on else theme.muted))
        painter.setFont(font(12))
        painter.drawText(QRectF(x, 0, self.width() - x, _HEIGHT), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._roles:
            self._paint_role(x, painter)

    def _paint_role(self, x: float, painter: QPainter) -> None:
        """What the head does, behind its name at x: a line below that in the groups' colours, grey where it only rests."""
        theme, width = self._appearance.theme, text_width(self.text(), 12, False)
        if self.is_named:
            painter.setPen(QColor(theme.muted))
            room = QRectF(x + width + _NAME_GAP, 0, self.width() - x - width, _HEIGHT)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self.role_name)
        colours = [group_colour(group, theme) for group in job_groups(self._roles)] or [theme.faint]
        painter.setPen(Qt.PenStyle.NoPen)
        part = (width - (len(colours) - 1)) / len(colours)
        for place, colour in enumerate(colours):
            painter.setBrush(QColor(colour))
            painter.drawRoundedRect(QRectF(x + place * (part + 1), _MARK_TOP, part, _MARK), _MARK / 2, _MARK / 2)


class HeadChips(QWidget):
    """The chips of all heads, in as many lines as the width asks for."""

    headsPicked = Signal(object)  # frozenset of heads
    meanPicked = Signal(bool)

    def __init__(self, appearance: Appearance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._appearance = appearance
        self._shown: frozenset[int] = frozenset()
        self._chips: list[Chip] = []
        self._all = Chip("All heads", None, appearance, self)
        self._all.setToolTip("Show all heads (A)")
        self._all.setCheckable(True)
        self._all.clicked.connect(self._on_all_clicked)
        self._mean = Chip("Mean", None, appearance, self)
        self._mean.setCheckable(True)
        self._mean.setToolTip("The mean of the shown heads in place of each of them (M)")
        self._mean.clicked.connect(self.meanPicked)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        appearance.changed.connect(self.update)

    def chip(self, head: int) -> Chip:
        """The chip of a head."""
        return self._chips[head]

    @property
    def all_chip(self) -> Chip:
        """The chip that shows all heads."""
        return self._all

    @property
    def mean_chip(self) -> Chip:
        """The chip that makes one map of the shown heads."""
        return self._mean

    def line_width(self, head_count: int) -> int:
        """The width of the chips of `head_count` heads on one line."""
        heads = sum(_chip_width(f"H{head}", True) + _GAP for head in range(head_count))
        return self._all.sizeHint().width() + self._mean.sizeHint().width() + 2 * _GAP + heads

    def set_heads(
        self,
        head_count: int,
        shown: frozenset[int],
        trained: int,
        is_mean: bool = False,
        layer: int = 0,
        roles: ShownRoles | None = None,
    ) -> None:
        """Have one chip per head of a layer, those of `shown` switched on; trained: the model's own count, to say what a head
        holds; is_mean: whether they are shown as one map; roles: None where nothing is known of them."""
        self._mean.setChecked(is_mean)
        self._all.setChecked(len(shown) == head_count)
        while len(self._chips) > head_count:
            gone = self._chips.pop()
            gone.hide()
            gone.deleteLater()
        while len(self._chips) < head_count:
            self._chips.append(self._new_chip(len(self._chips)))
        self._shown = shown
        for chip in self._chips:
            chip.setChecked(chip.head in shown)
            held = f"{_held(chip.head, head_count, trained)}: click shows or hides it, double-click shows it alone"
            found = () if roles is None else roles.of(layer, chip.head)
            told = [] if roles is None else told_roles(found, roles.summary)
            chip.set_roles(found)
            chip.setToolTip("\n".join([held, *told]))
            chip.setAccessibleDescription("; ".join(told))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        self._arrange()

    def _new_chip(self, head: int) -> Chip:
        chip = Chip(f"H{head}", head, self._appearance, self)
        chip.setAccessibleName(f"Head {head}")
        chip.clicked.connect(self._on_chip_clicked)
        chip.doubleClicked.connect(self._on_chip_double_clicked)
        chip.show()
        return chip

    def _on_chip_clicked(self) -> None:
        self.headsPicked.emit(frozenset(chip.head for chip in self._chips if chip.isChecked()))

    def _on_chip_double_clicked(self, head: int) -> None:
        self.headsPicked.emit(frozenset({head}))

    def _on_all_clicked(self) -> None:
        self._all.setChecked(True)
        self.headsPicked.emit(frozenset(range(len(self._chips))))

    def _arrange(self) -> None:
        height = self._lay_out(self.width(), move=True)
        # Before it is shown it has no width of its own, and as many lines as that asks for would make the window grow.
        self.setFixedHeight(height if self.isVisible() else _HEIGHT)

    def _lay_out(self, width: int, move: bool) -> int:
        at = QPoint(0, 0)
        named = sum(chip.width_with(chip.role_name) + _GAP for chip in (self._all, self._mean, *self._chips)) - _GAP
        for chip in self._chips:
            chip.set_named(named <= width)
        for chip in (self._all, self._mean, *self._chips):
            size = chip.sizeHint()
            if at.x() and at.x() + size.width() > width:
                at = QPoint(0, at.y() + _HEIGHT + _GAP)
            if move:
                chip.setGeometry(QRect(at, size))
            at.setX(at.x() + size.width() + _GAP)
        return at.y() + _HEIGHT


def _held(head: int, head_count: int, trained: int) -> str:
    """What a head is in terms of the trained ones."""
    if head_count < trained:
        size = trained // head_count
        return f"Head {head}, the trained heads {head * size} to {(head + 1) * size - 1} as one"
    if head_count > trained:
        return f"Head {head}, a part of the trained head {head * trained // head_count}"
    return f"Head {head}"


def _chip_width(text: str, has_dot: bool) -> int:
    return round(text_width(text, 12, False)) + (14 if has_dot else 0) + 18

"""Light and dark: which one holds, and what the widgets make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette

from attnviz.paint.fonts import font
from attnviz.resources import resource_path
from attnviz.scene.theme import Theme, load_theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

Choice = Literal["system", "light", "dark"]
UI_SIZE = 13

_STYLE = """
QWidget {{ font-size: {size}px; }}
QMainWindow, QDialog {{ background: {panel}; }}
QMenuBar {{ background: {panel}; padding: 2px 8px; }}
QMenuBar::item {{ padding: 4px 10px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {hairline}; }}
QMenu {{ background: {field}; border: 1px solid {hairline}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {focus_ground}; color: {ink}; }}
QMenu::item:disabled {{ color: {faint}; }}
QMenu::separator {{ height: 1px; background: {hairline}; margin: 4px 8px; }}
QPlainTextEdit, QLineEdit, QComboBox, QAbstractSpinBox {{
  background: {field}; border: 1px solid {hairline}; border-radius: 6px; padding: 4px 8px; color: {ink};
  selection-background-color: {accent}; selection-color: {accent_ink}; }}
QPlainTextEdit:focus, QLineEdit:focus, QComboBox:focus, QAbstractSpinBox:focus {{ border: 1px solid {accent}; }}
QComboBox {{ padding: 4px 24px 4px 10px; }}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: url("{icons}/down-{name}.svg"); width: 10px; height: 6px; }}
QAbstractSpinBox {{ padding: 4px 20px 4px 8px; }}
QAbstractSpinBox QLineEdit {{ border: none; padding: 0; background: transparent; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent; width: 20px; }}
QAbstractSpinBox::up-arrow {{ image: url("{icons}/up-{name}.svg"); width: 8px; height: 5px; }}
QAbstractSpinBox::down-arrow {{ image: url("{icons}/down-{name}.svg"); width: 8px; height: 5px; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 15px; height: 15px; border: 1px solid {faint}; border-radius: 4px; background: {field}; }}
QCheckBox::indicator:focus {{ border: 1px solid {accent}; }}
QCheckBox::indicator:checked {{ background: {accent}; border: 1px solid {accent}; image: url("{icons}/check-{name}.svg"); }}
QRadioButton {{ spacing: 8px; }}
QRadioButton::indicator {{ width: 13px; height: 13px; border: 1px solid {faint}; border-radius: 7px; background: {field}; }}
QRadioButton::indicator:focus {{ border: 1px solid {accent}; }}
QRadioButton::indicator:checked {{ border: 4px solid {accent}; width: 7px; height: 7px; background: {accent_ink}; }}
QFrame#popup {{ background: {field}; border: 1px solid {hairline}; }}
QSlider::groove:horizontal {{ height: 3px; border-radius: 1px; background: {hairline}; }}
QSlider::sub-page:horizontal {{ height: 3px; border-radius: 1px; background: {accent}; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -6px 0; border-radius: 7px; background: {field};
  border: 1px solid {faint}; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {accent}; }}
QComboBox QAbstractItemView {{ background: {field}; border: 1px solid {hairline}; selection-background-color: {focus_ground};
  selection-color: {ink}; outline: none; }}
QToolButton, QPushButton {{
  background: {field}; border: 1px solid {hairline}; border-radius: 6px; padding: 5px 12px; color: {ink}; }}
QToolButton:hover, QPushButton:hover {{ border: 1px solid {faint}; }}
QToolButton:focus, QPushButton:focus {{ border: 1px solid {accent}; }}
QToolButton:pressed, QPushButton:pressed {{ background: {hairline}; }}
QToolButton:checked {{ background: {focus_ground}; border: 1px solid {accent}; }}
QToolButton[segment="first"] {{ border-top-right-radius: 0; border-bottom-right-radius: 0; }}
QToolButton[segment="middle"] {{ border-radius: 0; border-left: none; }}
QToolButton[segment="last"] {{ border-top-left-radius: 0; border-bottom-left-radius: 0; border-left: none; }}
QToolButton[segment]:checked {{ background: {focus_ground}; border-color: {hairline}; color: {accent}; font-weight: 600; }}
QToolButton[narrow="true"] {{ padding: 4px 9px; }}
QToolButton[segment]:focus {{ color: {accent}; }}
QToolButton[small="true"] {{ padding: 0 7px; color: {muted}; font-size: 12px; border-radius: 4px; }}
QToolButton[small="true"]:checked {{ background: {what_if_ground}; border: 1px solid {what_if_ink}; color: {what_if_ink}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {faint}; background: {panel}; }}
QToolButton::menu-indicator {{ image: none; }}
QPushButton[primary="true"] {{ background: {accent}; color: {accent_ink}; border: 1px solid {accent}; }}
QPushButton[primary="true"]:disabled {{ background: {hairline}; color: {faint}; border: 1px solid {hairline}; }}
QLabel[quiet="true"] {{ color: {muted}; }}
QLabel[title="true"] {{ font-size: 26px; }}
QStatusBar {{ background: {panel}; color: {muted}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QToolButton {{ padding: 2px 10px; margin: 0 12px 4px 0; }}
QStatusBar QLabel {{ color: {muted}; padding: 0 12px; }}
QSplitter::handle {{ background: {hairline}; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {hairline}; border-radius: 4px; min-height: 24px; margin: 1px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
QProgressBar {{ background: {hairline}; border: none; border-radius: 4px; max-height: 8px; min-height: 8px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 4px; }}
QTreeView {{ background: {field}; border: 1px solid {hairline}; border-radius: 6px; outline: none; }}
QTreeView:focus {{ border: 1px solid {accent}; }}
QTreeView::item {{ padding: 5px 10px; border: none; }}
QTreeView::item:selected {{ background: {focus_ground}; color: {ink}; }}
QHeaderView, QHeaderView::section {{ background: {field}; }}
QHeaderView::section {{ border: none; border-bottom: 1px solid {hairline}; padding: 6px 10px; color: {muted}; }}
QHeaderView::down-arrow {{ image: url("{icons}/down-{name}.svg"); width: 8px; height: 5px; }}
QHeaderView::up-arrow {{ image: url("{icons}/up-{name}.svg"); width: 8px; height: 5px; }}
QToolTip {{ background: {field}; color: {ink}; border: 1px solid {hairline}; padding: 4px 6px; }}
"""


class Appearance(QObject):
    """The theme in force, following the system or a choice."""

    changed = Signal()

    def __init__(self, app: QApplication, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._choice: Choice = "system"
        self._theme = self._resolve()
        self._apply()
        app.styleHints().colorSchemeChanged.connect(self._on_system_changed)

    @property
    def theme(self) -> Theme:
        """The theme in force."""
        return self._theme

    @property
    def choice(self) -> Choice:
        """What was chosen: to follow the system, or one theme."""
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Follow the system, or hold one theme."""
        self._choice = choice
        self._update()

    def _on_system_changed(self) -> None:
        self._update()

    def _update(self) -> None:
        theme = self._resolve()
        if theme != self._theme:
            self._theme = theme
            self._apply()
            self.changed.emit()

    def _resolve(self) -> Theme:
        if self._choice != "system":
            return load_theme(self._choice)
        dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return load_theme("dark" if dark else "light")

    def _apply(self) -> None:
        self._app.setFont(font(UI_SIZE))
        self._app.setPalette(_palette(self._theme))
        self._app.setStyleSheet(_STYLE.format(size=UI_SIZE, icons=resource_path("icons").as_posix(), **vars(self._theme)))


def _palette(theme: Theme) -> QPalette:
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, name in {
        roles.Window: theme.panel,
        roles.WindowText: theme.ink,
        roles.Base: theme.field,
        roles.AlternateBase: theme.panel,
        roles.Text: theme.ink,
        roles.PlaceholderText: theme.faint,
        roles.Button: theme.field,
        roles.ButtonText: theme.ink,
        roles.BrightText: theme.ink,
        roles.Highlight: theme.accent,
        roles.HighlightedText: theme.accent_ink,
        roles.Link: theme.accent,
        roles.ToolTipBase: theme.field,
        roles.ToolTipText: theme.ink,
        roles.Light: theme.field,
        roles.Midlight: theme.hairline,
        roles.Mid: theme.hairline,
        roles.Dark: theme.faint,
        roles.Shadow: theme.hairline,
        roles.Accent: theme.accent,
    }.items():
        palette.setColor(role, QColor(name))
    for role in (roles.WindowText, roles.Text, roles.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faint))
    return palette

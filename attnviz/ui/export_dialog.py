"""Export: a figure with its preview, or the numbers behind it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from attnviz.errors import AttnvizError, ExportError
from attnviz.export.command import figure_command, numbers_command
from attnviz.export.figure import Paper, figure_scene, preview_image, save_figure
from attnviz.export.numbers import save_numbers
from attnviz.export.shown import save_shown
from attnviz.session.lengths import PER_INCH
from attnviz.session.sight import KIND_NAMES, kind_of
from attnviz.ui.copying import Copy, make_copy, put_on_clipboard
from attnviz.ui.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.probing.summary import RoleSummary
    from attnviz.scene.theme import ThemeName
    from attnviz.session.run import Run
    from attnviz.session.view import View


@dataclass(frozen=True)
class Form:
    """A kind of file that can be written."""

    suffix: str
    label: str
    is_figure: bool


FORMS = (
    Form(".png", "PNG picture", True),
    Form(".svg", "SVG, vectors and text", True),
    Form(".pdf", "PDF, vectors and fonts", True),
    Form(".npz", "NPZ numbers (NumPy)", False),
    Form(".json", "JSON numbers", False),
    Form(".csv", "CSV table", False),
)
PRESETS = (
    ("Own width", None),
    ("NeurIPS, ICLR: text", 5.5),
    ("ICML: column", 3.25),
    ("ICML: page", 6.75),
    ("ACL: column", 3.3),
    ("ACL: page", 6.8),
    ("Slide 16:9", 13.33),
)
_TEXT, _SLIDE = 1, 6
_BACKGROUNDS = (("White", "white"), ("Transparent", "transparent"), ("As shown", "theme"))
_THEMES = ("light", "dark")
_UNITS = ("in", "mm", "cm", "px")
_PREVIEW = (520, 380)


class ExportDialog(QDialog):
    """Writes the picture as it stands in the window. Nothing is overwritten without a second press."""

    exported = Signal(object)  # Path

    def __init__(
        self,
        run: Run,
        view: View,
        theme: ThemeName,
        folder: Path,
        parent: QWidget | None = None,
        roles: RoleSummary | None = None,
    ) -> None:
        """roles: what was measured of the run's model, marked on a grid."""
        super().__init__(parent)
        self.setWindowTitle("Export")
        self.setObjectName("export")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._run, self._view, self._shown_theme, self._roles = run, view, theme, roles
        self._confirmed: Path | None = None
        self._write_job = Job("attnviz-export", self)
        self._write_job.done.connect(self._on_written)
        self._copy_job = Job("attnviz-copy", self)
        self._copy_job.done.connect(self._on_copied)
        for job in (self._write_job, self._copy_job):
            job.failed.connect(self._end)
        self._build(folder)
        self._on_form_changed()

    def paper(self) -> Paper:
        """The paper that the fields describe."""
        theme = _THEMES[self.theme_box.currentIndex()]
        return Paper(self._inches, self.dpi_box.value(), theme, _BACKGROUNDS[self.background_box.currentIndex()][1])

    def message(self) -> str:
        """The sentence at the foot."""
        return self._message.text()

    def _build(self, folder: Path) -> None:
        self.form_box = _combo([form.label for form in FORMS], self)
        self.preset_box = _combo([name for name, _ in PRESETS], self)
        preset = _SLIDE if self._view.picture == "steps" else _TEXT  # a flow that wraps into three rows is hard to follow
        self.preset_box.setCurrentIndex(preset)
        self._inches = PRESETS[preset][1]
        self.width_box = QDoubleSpinBox(self)
        self.width_box.setDecimals(2)
        self.unit_box = _combo(list(_UNITS), self)
        self.dpi_box = QSpinBox(self)
        self.dpi_box.setRange(36, 2400)
        self.dpi_box.setValue(300)
        self.dpi_box.setSuffix(" dpi")
        for box in (self.width_box, self.dpi_box):
            box.lineEdit().setTextMargins(7, 0, 0, 0)  # a style sheet's padding does not reach the field inside
        self.theme_box = _combo(["Light", "Dark"], self)
        self.background_box = _combo([name for name, _ in _BACKGROUNDS], self)
        self.numbers_box = _combo(["What the picture shows", "The whole run"], self)
        self.path_field = QLineEdit(str(folder / "attention.png"), self)
        self.path_field.setMinimumWidth(260)
        browse = QPushButton("Browse\N{HORIZONTAL ELLIPSIS}", self)
        self._size = QLabel(self)
        self._size.setProperty("quiet", True)
        self._preview = QLabel(self)
        self._preview.setFixedSize(*_PREVIEW)
        self._preview.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._preview.setAccessibleName("Preview")
        self._message = QLabel(self)
        self._message.setWordWrap(True)
        self._message.setTextFormat(Qt.TextFormat.PlainText)
        self.copy_button = QPushButton("Copy picture", self)
        self.command_button = QPushButton("Copy command", self)
        self.command_button.setToolTip("The command that writes this file again, for a terminal or a Makefile")
        self.export_button = QPushButton("Export", self)
        self.export_button.setProperty("primary", True)
        self.export_button.setDefault(True)
        close = QPushButton("Close", self)

        self._fields = QFormLayout()
        self._fields.setSpacing(10)
        self._fields.addRow("Kind", self.form_box)
        self._fields.addRow("For", self.preset_box)
        self._fields.addRow("Width", _row(self.width_box, self.unit_box))
        self._fields.addRow("Resolution", self.dpi_box)
        self._fields.addRow("Theme", self.theme_box)
        self._fields.addRow("Background", self.background_box)
        self._fields.addRow("", self._size)
        self._fields.addRow("Numbers", self.numbers_box)
        self._fields.addRow("File", _row(self.path_field, browse))
        right = QVBoxLayout()
        right.addLayout(self._fields)
        right.addStretch(1)
        right.addWidget(self._message)
        right.addLayout(_row(self.copy_button, self.command_button, close, self.export_button))
        whole = QHBoxLayout(self)
        whole.setContentsMargins(20, 20, 20, 20)
        whole.setSpacing(20)
        whole.addWidget(self._preview)
        whole.addLayout(right)

        self._show_width()
        self.form_box.currentIndexChanged.connect(self._on_form_changed)
        self.preset_box.currentIndexChanged.connect(self._on_preset_changed)
        self.width_box.valueChanged.connect(self._on_width_changed)
        self.unit_box.currentIndexChanged.connect(self._on_unit_changed)
        self.dpi_box.valueChanged.connect(self._refresh)
        self.theme_box.currentIndexChanged.connect(self._on_theme_changed)
        self.background_box.currentIndexChanged.connect(self._on_background_changed)
        self.numbers_box.currentIndexChanged.connect(self._refresh)
        self.path_field.textChanged.connect(self._on_path_changed)
        browse.clicked.connect(self._on_browse_clicked)
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.command_button.clicked.connect(self._on_command_clicked)
        self.export_button.clicked.connect(self._on_export_clicked)
        close.clicked.connect(self.close)

    def _form(self) -> Form:
        return FORMS[self.form_box.currentIndex()]

    def _on_form_changed(self) -> None:
        form = self._form()
        for row in range(1, 7):
            self._fields.setRowVisible(row, form.is_figure and (row != 3 or form.suffix == ".png"))
        self._fields.setRowVisible(7, not form.is_figure)
        self.copy_button.setVisible(form.is_figure)
        self._preview.setVisible(form.is_figure)
        self._message.setText("")
        path = Path(self.path_field.text())
        if path.name:
            self.path_field.setText(str(path.with_suffix(form.suffix)))
        self._refresh()
        self.layout().activate()
        self.adjustSize()

    def _on_preset_changed(self, index: int) -> None:
        width = PRESETS[index][1]
        if width is not None:
            self._inches = width
            self._show_width()
            self._refresh()

    def _on_width_changed(self, value: float) -> None:
        self._inches = value / PER_INCH[self.unit_box.currentText()]
        self.preset_box.setCurrentIndex(0)
        self._refresh()

    def _on_unit_changed(self) -> None:
        self._show_width()

    def _on_theme_changed(self, index: int) -> None:
        if _THEMES[index] == "dark" and self.background_box.currentText() == "White":
            self.background_box.setCurrentIndex(1)  # light ink on white could not be read
        self._refresh()

    def _on_background_changed(self) -> None:
        if self.background_box.currentText() == "As shown":
            self.theme_box.setCurrentIndex(_THEMES.index(self._shown_theme))
        elif self.background_box.currentText() == "White":
            self.theme_box.setCurrentIndex(_THEMES.index("light"))
        self._refresh()

    def _on_path_changed(self) -> None:
        self._confirmed = None
        self.export_button.setText("Export")

    def _on_browse_clicked(self) -> None:
        kinds = ";;".join(f"{form.label} (*{form.suffix})" for form in FORMS)
        form = self._form()
        name, _ = QFileDialog.getSaveFileName(
            self,
            "Export",
            self.path_field.text(),
            kinds,
            f"{form.label} (*{form.suffix})",
            QFileDialog.Option.DontConfirmOverwrite,
        )
        if name:
            self.path_field.setText(name if Path(name).suffix else name + form.suffix)

    def _on_copy_clicked(self) -> None:
        self._begin(self._copy_job, partial(make_copy, self._run, self._view, self.paper(), self._roles))

    def _on_command_clicked(self) -> None:
        try:
            path = self._path()
        except AttnvizError as error:
            self._message.setText(str(error))
            return
        if self._form().is_figure:
            command = figure_command(self._run, self._view, path, self.paper(), self._roles)
        else:
            command = numbers_command(self._run, self._view, path, self._is_shown_only())
        QGuiApplication.clipboard().setText(command)
        self._message.setText("Copied the command that writes this file.")

    def _on_copied(self, copy: Copy) -> None:
        put_on_clipboard(copy)
        self._end("Copied, as a picture and as SVG.")

    def _on_export_clicked(self) -> None:
        try:
            path = self._path()
        except AttnvizError as error:
            self._message.setText(str(error))
            return
        form = next((form for form in FORMS if form.suffix == path.suffix.lower()), self._form())
        if os.path.exists(path) and self._confirmed != path:  # Path.exists raises on names that are too long
            self._confirmed = path
            self.export_button.setText("Replace")
            self._message.setText(f"{path.name} is there already; press Replace to write over it, or change the name.")
            return
        paper = self.paper() if form.is_figure else None
        self._begin(self._write_job, partial(_write, self._run, self._view, path, paper, self._is_shown_only(), self._roles))

    def _on_written(self, path: Path) -> None:
        self._on_path_changed()
        self._end(f"Written: {path}")
        self.exported.emit(path)

    def _begin(self, job: Job, work: Callable[[], object]) -> None:
        """Have a figure made on a thread of its own; a long text at 300 dpi takes seconds."""
        if job.start(work):
            self.export_button.setEnabled(False)
            self.copy_button.setEnabled(False)
            self._message.setText("Writing\N{HORIZONTAL ELLIPSIS}")

    def _end(self, sentence: str) -> None:
        self.export_button.setEnabled(True)
        self.copy_button.setEnabled(True)
        self._message.setText(sentence)

    def _path(self) -> Path:
        """The file that the name means, with the kind's ending if it has none. Raises ExportError if it means no file."""
        text = self.path_field.text().strip()
        try:
            path = Path(text).expanduser()
        except RuntimeError as error:  # ~somebody
            raise ExportError(f"{text}: there is no such home folder; choose another place.") from error
        if not path.name or os.path.isdir(path):
            raise ExportError(f"{text or 'The file'} needs a name; add one, such as attention{self._form().suffix}.")
        return path if path.suffix else path.with_name(path.name + self._form().suffix)

    def _show_width(self) -> None:
        """The width in the chosen unit, in silence."""
        per_inch = PER_INCH[self.unit_box.currentText()]
        was = self.width_box.blockSignals(True)
        self.width_box.setRange(1.5 * per_inch, 60.0 * per_inch)
        self.width_box.setSingleStep(0.25 * per_inch)
        self.width_box.setValue(self._inches * per_inch)
        self.width_box.blockSignals(was)

    def _is_shown_only(self) -> bool:
        return self.numbers_box.currentIndex() == 0

    def _about_numbers(self) -> str:
        """What a file of numbers will hold."""
        trace = self._run.trace
        if self._is_shown_only():
            return "The numbers of this picture, with words, sinks and heads as it has them, and where they come from."
        if self._form().suffix != ".csv":
            attention = "attention" if len(trace.kinds) == 1 else "all three attentions"
            return f"Tokens, {attention} of all layers and final vectors, with where they come from."
        kind = kind_of(trace, self._view)
        which = "The attention" if len(trace.kinds) == 1 else f"The attention shown ({KIND_NAMES[kind].lower()})"
        return f"{which} of all layers, one weight a line, with where it comes from."

    def _refresh(self) -> None:
        if not self._form().is_figure:
            self._message.setText(self._about_numbers())
            return
        paper = self.paper()
        try:
            scene = figure_scene(self._run, self._view, paper, self._roles)
            ratio = self.devicePixelRatioF()
            dpi = 96 * ratio * min(_PREVIEW[0] / scene.width, _PREVIEW[1] / scene.height)
            pixmap = QPixmap.fromImage(preview_image(scene, paper, dpi))
        except AttnvizError as error:
            self._message.setText(str(error))
            return
        pixmap.setDevicePixelRatio(ratio)
        self._preview.setPixmap(pixmap)
        width, height = scene.width / 96, scene.height / 96
        pixels = f", {width * paper.dpi:,.0f} x {height * paper.dpi:,.0f} px" if self._form().suffix == ".png" else ""
        self._size.setText(f"{width:.2f} x {height:.2f} in, {25.4 * width:.0f} x {25.4 * height:.0f} mm{pixels}")

    def done(self, result: int) -> None:
        """The end of the dialog, also by Escape, which sends no close event: not before all is written."""
        self._write_job.wait()
        self._copy_job.wait()
        self._preview.clear()
        super().done(result)


def _write(run: Run, view: View, path: Path, paper: Paper | None, is_shown_only: bool, roles: RoleSummary | None) -> Path:
    """Write the figure, or without a paper the numbers, those of the picture or all; the path."""
    if paper is not None:
        save_figure(run, view, path, paper, roles)
    elif is_shown_only:
        save_shown(run, view, path)
    else:
        save_numbers(run, path, kind=kind_of(run.trace, view))
    return path


def _combo(items: list[str], parent: QWidget) -> QComboBox:
    box = QComboBox(parent)
    box.addItems(items)
    return box


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    return row

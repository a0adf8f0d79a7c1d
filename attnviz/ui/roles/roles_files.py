"""Files of what was measured: the atlas as a figure, the scores as a table, a report."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from attnviz.ui.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles
    from attnviz.scene.atlas.choice import AtlasChoice


@dataclass(frozen=True)
class Form:
    """A kind of file that can be written."""

    suffix: str
    label: str

    @property
    def filter(self) -> str:
        """The same for a file dialog."""
        return f"{self.label} (*{self.suffix})"


EXPORTS: Final = (
    Form(".png", "PNG picture of the atlas"),
    Form(".svg", "SVG of the atlas, vectors and text"),
    Form(".pdf", "PDF of the atlas, vectors and fonts"),
    Form(".csv", "CSV table of all scores"),
    Form(".json", "JSON of all that was measured"),
)
REPORTS: Final = (Form(".html", "HTML report"), Form(".pdf", "PDF report"))
_TABLES: Final = (".csv", ".json")
_PER_INCH: Final = 96.0
_NARROWEST, _WIDEST = 5.5, 13.3  # inches: a page's text, a slide


class RolesFiles(QObject):
    """Asks for a file's name and writes it on another thread, one at a time and whole or not at all."""

    began = Signal(str)  # what is being written
    written = Signal(object)  # Path
    failed = Signal(str)  # the sentence to show

    def __init__(self, folder: Path, window: QWidget) -> None:
        """folder: where the first dialog begins."""
        super().__init__(window)
        self._window = window
        self._folder = folder
        self._closing = Event()
        self._job = Job("attnviz-roles-file", self)
        self._job.done.connect(self.written)
        self._job.failed.connect(self.failed)

    @property
    def is_writing(self) -> bool:
        """Whether a file is being written."""
        return self._job.is_running

    def export(self, roles: HeadRoles, choice: AtlasChoice, width: float) -> None:
        """Ask for a file, and write the atlas or the scores to it, by its ending. width: of the figure, inches."""
        self._ask("Export head roles", EXPORTS, f"{roles.model} roles", partial(_export, roles, choice, width))

    def report(self, model: Model, roles: HeadRoles, text: str) -> None:
        """Ask for a file, and write a report to it. text: the sentence that it shows as an example."""
        self._ask("Report", REPORTS, f"{roles.model} report", partial(_report, model, roles, text, self._closing.is_set))

    def stop(self) -> None:
        """Finish what is being written, but for a report, for which much is read before."""
        self._closing.set()
        self._job.wait()

    def _ask(self, title: str, forms: Sequence[Form], name: str, write: Callable[[Path], Path]) -> None:
        dialog = QFileDialog(self._window, title, str(self._folder if self._folder.is_dir() else Path.home()))
        dialog.setObjectName("save-roles")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([form.filter for form in forms])
        dialog.setDefaultSuffix(forms[0].suffix)
        dialog.selectFile(name + forms[0].suffix)
        dialog.filterSelected.connect(partial(_follow_filter, dialog, forms))
        dialog.fileSelected.connect(partial(self._on_selected, write))
        dialog.open()

    def _on_selected(self, write: Callable[[Path], Path], name: str) -> None:
        path = Path(name)
        self._folder = path.parent
        if self._job.start(partial(write, path)):
            self.began.emit(f"Writing {path.name}\N{HORIZONTAL ELLIPSIS}")
        else:
            self.failed.emit("Another file is still being written; export this one in a moment.")


def figure_inches(pixels: float) -> float:
    """The width of a figure that is as wide as a picture on the screen, within what can be read on paper."""
    return min(max(pixels / _PER_INCH, _NARROWEST), _WIDEST)


def _follow_filter(dialog: QFileDialog, forms: Sequence[Form], chosen: str) -> None:
    """Have a name without an ending get that of the kind that was chosen; one that has another is changed by the dialog itself."""
    dialog.setDefaultSuffix(next(form.suffix for form in forms if form.filter == chosen))


def _export(roles: HeadRoles, choice: AtlasChoice, width: float, path: Path) -> Path:
    # With what writes figures a tenth of a second, which no window should pay for opening.
    from attnviz.export.figure import Paper
    from attnviz.export.roles_figure import save_roles_figure
    from attnviz.export.roles_tables import save_roles

    if path.suffix.lower() in _TABLES:
        save_roles(roles, path)
    else:
        save_roles_figure(roles, choice, path, Paper(width))
    return path


def _report(model: Model, roles: HeadRoles, text: str, cancelled: Callable[[], bool], path: Path) -> Path:
    from attnviz.export.report.making import make_report

    make_report(model, roles, path, text, cancelled)
    return path

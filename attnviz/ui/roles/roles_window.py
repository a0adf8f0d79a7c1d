"""The window of head roles: joins what is measured, the atlas and the evidence. It composes and forwards; it computes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QVBoxLayout, QWidget

from attnviz.probing.roles import HeadRoles
from attnviz.ui.notice import Notice
from attnviz.ui.roles.atlas_page import AtlasPage
from attnviz.ui.roles.corpus_box import dropped_corpus
from attnviz.ui.roles.foot import FootLine
from attnviz.ui.roles.roles_files import RolesFiles, figure_inches
from attnviz.ui.roles.roles_work import Found, RolesWork
from attnviz.ui.roles.start_page import StartPage
from attnviz.ui.roles.top_row import TopRow

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent

    from attnviz.engine.model import Model
    from attnviz.probing.evidence import Evidence, Shown
    from attnviz.ui.appearance import Appearance

_SMALLEST: Final = (760, 560)
_NO_MODEL: Final = "There is no model yet; open one in the main window."
_MEASURE_FIRST: Final = "A report is made of measured heads; press Measure first."


class RolesWindow(QWidget):
    """Shows what the heads of one model do over one corpus, as far as that is measured. `stop` ends its threads."""

    measured = Signal(object)  # Found, with roles
    headOpened = Signal(int, int)  # layer, head
    sentenceWanted = Signal(object, object, object)  # Found, Evidence, Shown
    reportWanted = Signal()
    exported = Signal(object)  # Path
    sizeLeft = Signal(int, int)  # width and height as it closes

    def __init__(self, appearance: Appearance, folder: Path) -> None:
        """folder: where exports begin. It has no parent: a window that has one is always in front of it, and what is chosen here is
        to be seen in the main window."""
        super().__init__()
        self.setWindowTitle("Head roles")
        self.setAccessibleName("Head roles")
        self.setAcceptDrops(True)
        self.setMinimumSize(*_SMALLEST)
        self._model: Model | None = None
        self._found: Found | None = None
        self._head_wanted: tuple[int, int] | None = None  # before anything was there to choose it from
        self._report_wanted: str | None = None  # the text of a report that waits for the roles
        self._has_looked = False
        self._is_measuring = False
        self.work = RolesWork(self)
        self.files = RolesFiles(folder, self)
        self.top = TopRow(self)
        self.notice = Notice(appearance, self)
        self.start = StartPage(self)
        self.page = AtlasPage(appearance, self)
        self.foot = FootLine(self)
        self._pages = QStackedWidget(self)
        self._compose()
        self._connect()
        self.start.show_nothing(_NO_MODEL)

    # --- what there is --------------------------------------------------------------------------------------------

    @property
    def roles(self) -> HeadRoles | None:
        """What was measured, as it stands there; None while it is not there."""
        return None if self._found is None or not isinstance(self._found.roles, HeadRoles) else self._found.roles

    def is_settled(self) -> bool:
        """Whether nothing is being looked for, measured, read or laid out."""
        return not self.work.is_working and self.page.is_settled()

    # --- what is asked of it --------------------------------------------------------------------------------------

    def follow(self, model: Model | None) -> None:
        """Be about the model that the main window shows; what is being measured of another one is called off."""
        if model is self._model:
            return
        self._model = model
        self._let_go()
        self.top.show_model(model)
        self.setWindowTitle("Head roles" if model is None else f"Head roles \N{EN DASH} {model.name}")
        self._has_looked = False
        if self.isVisible():
            self._look_once()

    def choose_head(self, layer: int, head: int) -> None:
        """Choose a head, as soon as there is something to choose it from."""
        if self.roles is None:
            self._head_wanted = layer, head
        else:
            self.page.choose_head(layer, head)

    def export(self) -> None:
        """Ask for a file for the atlas as it stands, or the scores."""
        if self.roles is not None:
            self.files.export(self.roles, replace(self.page.choice, selected=None), figure_inches(self.page.atlas.width()))

    def report(self, text: str) -> None:
        """Ask for a file for a report, once the roles are there. text: the sentence that it shows as an example."""
        self._report_wanted = text
        if self.roles is not None or not self.work.is_working or self._is_measuring:
            self._settle_report()

    def stop(self) -> None:
        """Close, call off what is being measured, and finish what is being written."""
        self._let_go()
        self._model = None
        self.close()
        self.work.stop()
        self.page.stop()
        self.files.stop()

    # --- Qt's events ----------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look_once()

    def closeEvent(self, event: QCloseEvent) -> None:
        for dialog in self.findChildren(QFileDialog):
            dialog.reject()
        self.sizeLeft.emit(self.width(), self.height())
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_corpus(event) is not None and self._model is not None and not self._is_measuring:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        source = dropped_corpus(event)
        if source is not None:
            event.acceptProposedAction()
            self._look(source)

    # --- building -------------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        self._pages.addWidget(self.start)
        self._pages.addWidget(self.page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top)
        column.addWidget(self.notice)
        column.addWidget(self._pages, 1)
        column.addWidget(self.foot)

    def _connect(self) -> None:
        for keys in ("Ctrl+W", "Esc"):
            QShortcut(QKeySequence(keys), self).activated.connect(self.close)
        self.top.corpus_box.sourcePicked.connect(self._look)
        self.top.exportWanted.connect(self.export)
        self.top.reportWanted.connect(self.reportWanted)
        self.start.measureWanted.connect(self._on_measure_wanted)
        self.start.cancelWanted.connect(self._on_cancel_wanted)
        self.work.found.connect(self._on_found)
        self.work.failed.connect(self._on_work_failed)
        self.work.progressed.connect(self.start.show_progress)
        self.page.headOpened.connect(self.headOpened)
        self.page.sentenceOpened.connect(self._on_sentence_opened)
        self.page.failed.connect(self.notice.show_sentence)
        self.files.began.connect(self.foot.say)
        self.files.written.connect(self._on_written)
        self.files.failed.connect(self._on_file_failed)

    # --- what becomes of it ---------------------------------------------------------------------------------------

    def _look_once(self) -> None:
        """Find what is kept of this model's heads, unless that has been done."""
        if self._model is not None and not self._has_looked:
            self._has_looked = True
            self._look(self.top.corpus_box.source)

    def _look(self, source: Path | None) -> None:
        """Find what is kept over a corpus; what is shown stays until something is found."""
        if self._model is None:
            return
        self.notice.show_sentence(None)
        if self.roles is None:
            self._show_start()
            self.start.show_looking()
        self.page.atlas.set_busy(self.roles is not None)
        self.work.look(self._model, source)

    def _show_start(self) -> None:
        self._pages.setCurrentWidget(self.start)
        self.top.show_can_export(False)
        self.foot.show_left_out(None)

    def _show_found(self) -> None:
        """Show what is there: the atlas, or what there is to measure."""
        found, roles = self._found, self.roles
        if found is None:
            self._show_start()
            self.start.show_nothing("")
        elif roles is None:
            self._show_start()
            self.start.show_missing(found.model, found.corpus, found.roles)
        else:
            self.top.show_can_export(True)
            self.foot.show_left_out(roles)
            if self._pages.currentWidget() is not self.page:
                self._pages.setCurrentWidget(self.page)
                self.page.atlas.setFocus(Qt.FocusReason.OtherFocusReason)
            self.page.show_roles(found.model, roles, self._head_wanted)
            self._head_wanted = None

    def _let_go(self) -> None:
        """Forget what is of a model that is shown no more."""
        self.work.cancel()
        self._found, self._is_measuring, self._report_wanted = None, False, None
        self.page.forget()
        self.top.corpus_box.setEnabled(True)
        self._show_start()
        self.start.show_nothing(_NO_MODEL if self._model is None else "")

    def _settle_report(self) -> None:
        """Begin the report that was asked for, or say what it takes."""
        text, self._report_wanted = self._report_wanted, None
        if text is not None and self.roles is not None:
            self.files.report(self._found.model, self.roles, text)
        elif text is not None:
            self.notice.show_sentence(_MEASURE_FIRST)

    # --- slots ----------------------------------------------------------------------------------------------------

    def _on_found(self, found: Found) -> None:
        self._is_measuring = False
        self._found = found
        self.notice.show_sentence(None)
        self.top.corpus_box.show_source(found.source)
        self.top.corpus_box.setEnabled(True)
        self._show_found()
        if self.roles is not None:
            self.measured.emit(found)
        self._settle_report()

    def _on_work_failed(self, sentence: str) -> None:
        """Say what went wrong, and show again what was there before."""
        self._is_measuring = False
        self.top.corpus_box.setEnabled(True)
        self._report_wanted = None
        self._show_found()
        self.notice.show_sentence(sentence)

    def _on_measure_wanted(self) -> None:
        found = self._found
        if found is not None and not self._is_measuring:
            self._is_measuring = True
            self.notice.show_sentence(None)
            self.top.corpus_box.setEnabled(False)
            self.start.show_measuring()
            self.work.measure(found.model, found.source, found.corpus)

    def _on_cancel_wanted(self) -> None:
        self._is_measuring = False
        self.top.corpus_box.setEnabled(True)
        self._look(self._found.source)  # how far it has come
        self.start.show_stopping()

    def _on_sentence_opened(self, evidence: Evidence, shown: Shown) -> None:
        self.sentenceWanted.emit(self._found, evidence, shown)

    def _on_written(self, path: Path) -> None:
        self.foot.say(f"Written: {path}")
        self.exported.emit(path)

    def _on_file_failed(self, sentence: str) -> None:
        self.foot.say("")
        self.notice.show_sentence(sentence)

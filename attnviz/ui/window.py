"""The main window: joins session, worker and pages. It composes and forwards; it computes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMainWindow, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from attnviz.engine.folder import enclosing_folder
from attnviz.scene.words import facts_line
from attnviz.session.recovery import ENDING
from attnviz.session.session import Session
from attnviz.session.settings import Settings, load_settings, save_settings
from attnviz.ui.actions import ACTIONS, ActionRow, ticks_of
from attnviz.ui.appearance import Appearance, Choice
from attnviz.ui.collector import Collector
from attnviz.ui.compare_actions import CompareActions
from attnviz.ui.copying import Copy, leave_clipboard, make_copy, put_on_clipboard
from attnviz.ui.help_dialog import about_dialog, keys_dialog
from attnviz.ui.job import Job
from attnviz.ui.kept_roles import KeptRoles
from attnviz.ui.memory_menu import MemoryMenu
from attnviz.ui.model_choice import ModelChoice
from attnviz.ui.reader import ReaderPage
from attnviz.ui.roles.roles_actions import RolesActions
from attnviz.ui.session_files import SessionFiles
from attnviz.ui.view_actions import ViewActions
from attnviz.ui.welcome import WelcomePage
from attnviz.ui.what_if_actions import WhatIfActions
from attnviz.ui.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent

    from attnviz.errors import AttnvizError
    from attnviz.session.examples import Example
    from attnviz.session.request import Request
    from attnviz.session.run import Run, Stage
    from attnviz.session.state import State

_JOB_AFTER_MS = 150
_STAGES = {"opening": "Opening the model", "reading": "Reading"}


class MainWindow(QMainWindow):
    """One window on one session. `close` ends its threads."""

    def __init__(self, app: QApplication) -> None:
        super().__init__()
        self.setWindowTitle("attnviz")
        self.setAcceptDrops(True)
        self._settings: Settings = load_settings()
        self._collector = Collector(self)
        self.appearance = Appearance(app, self)
        self.appearance.choose(self._settings.theme if self._settings.theme in ("light", "dark") else "system")
        self._worker = Worker(self)
        self._worker.set_budget(self._settings.weights_gib)
        self._copy_job = Job("attnviz-copy", self)
        self.session = Session(self._worker.submit)
        self.reader = ReaderPage(self.appearance, self)
        self.models = ModelChoice(self, self.reader.model_box, self._settings.recent)
        self.welcome = WelcomePage(self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(self.reader)
        self.setCentralWidget(QWidget(self))
        column = QVBoxLayout(self.centralWidget())
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._pages, 1)
        self.files = SessionFiles(self.session, self.appearance, self._settings.sessions, self, column)
        self._facts, self._job = QLabel(self), QLabel(self)
        self._cancel = QToolButton(self)
        self._cancel.setText("Cancel")
        self._cancel.setVisible(False)
        self._job_timer = QTimer(self)
        self._job_timer.setSingleShot(True)
        self._job_timer.timeout.connect(self._on_job_lasts)
        self.statusBar().addWidget(self._facts, 1)
        self.statusBar().addPermanentWidget(self._job)
        self.statusBar().addPermanentWidget(self._cancel)
        self.statusBar().setSizeGripEnabled(False)
        self.view_actions = ViewActions(self.session, self.reader, self)
        self.what_if_actions = WhatIfActions(self.session, self.reader, self)
        self.compare_actions = CompareActions(self.session, self.reader, self)
        size = (self._settings.roles_width, self._settings.roles_height)
        self.roles_actions = RolesActions(self.session, size, self._export_folder, self)
        self.actions_by_slot: dict[str, QAction] = {}
        self._make_menus()
        self._connect()
        self.resize(self._settings.width, self._settings.height)
        self.session.subscribe(self._on_session_changed)
        self._kept_roles = KeptRoles(self.session, self)

    # --- what the menus and keys do -------------------------------------------------------------------------------

    def open_model(self, path: Path) -> None:
        """Read the text with the model at `path`."""
        self.session.ask(model=enclosing_folder(path.absolute()))  # a session that is saved must find it from anywhere

    def choose_example(self, example: Example) -> None:
        """Read an example, in the view that shows what its line says."""
        self.session.ask(text=example.text, head_count=None, arrival=example.arrival)

    def write_sentence(self) -> None:
        self.reader.sentence.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.reader.sentence.selectAll()

    def export(self) -> None:
        """Open the export dialog for the picture as it stands."""
        state = self.session.state
        if state.run is None:
            self.statusBar().showMessage("There is no picture to export yet.", 4_000)
            return
        if not self.reader.pictures.is_settled():  # the preview would compute it once more, and the window wait for it
            self.statusBar().showMessage("The picture is still being made; export it in a moment.", 4_000)
            return
        folder = self._export_folder()
        from attnviz.ui.export_dialog import ExportDialog  # with what writes figures a tenth of a second, which no start should pay

        dialog = ExportDialog(state.run, state.view, self.appearance.theme.name, folder, self, roles=state.roles)
        dialog.exported.connect(self._on_exported)
        dialog.open()

    def copy_picture(self) -> None:
        """Put the picture on the clipboard, as a figure for print."""
        state = self.session.state
        if state.run is not None and self._copy_job.start(partial(make_copy, state.run, state.view, None, state.roles)):
            self.statusBar().showMessage("Copying\N{HORIZONTAL ELLIPSIS}")

    def show_roles(self, layer: int | None = None, head: int | None = None) -> None:
        """Show what each head does, in a window of its own; layer, head: which one is chosen there."""
        self.roles_actions.show_roles(layer, head)

    def undo(self) -> None:
        """Go back to before the last gesture."""
        self._move_through_history(self.session.undo)

    def redo(self) -> None:
        """Do again what was undone last."""
        self._move_through_history(self.session.redo)

    def follow_system(self) -> None:
        self._choose_theme("system")

    def go_light(self) -> None:
        self._choose_theme("light")

    def go_dark(self) -> None:
        self._choose_theme("dark")

    def toggle_motion(self) -> None:
        self.set_reduced_motion(not self.reader.pictures.reduced_motion)

    def set_reduced_motion(self, reduced: bool) -> None:
        """Have arcs jump instead of glide, or glide again."""
        self.reader.pictures.reduced_motion = reduced
        self.actions_by_slot["toggle_motion"].setChecked(reduced)
        self._keep(reduced_motion=reduced)

    def show_models(self) -> None:
        self.models.show_models()

    def open_folder(self) -> None:
        self.models.open_folder()

    def open_file(self) -> None:
        self.models.open_file()

    def get_from_hub(self) -> None:
        self.models.get_from_hub()

    def fewer_heads(self) -> None:
        self.reader.head_counts.setValue(self.reader.head_counts.value() - 1)

    def more_heads(self) -> None:
        self.reader.head_counts.setValue(self.reader.head_counts.value() + 1)

    def trained_heads(self) -> None:
        self.session.ask(head_count=None)

    def show_keys(self) -> None:
        keys_dialog(self).open()

    def show_about(self) -> None:
        about_dialog(self).open()

    # --- Qt's events ----------------------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        self._keep(width=self.width(), height=self.height())
        self.welcome.stop()
        for dialog in self.findChildren(QDialog, "export"):
            dialog.close()
        self.roles_actions.stop()
        self.models.stop()
        self.files.stop()
        self._copy_job.wait()
        self.reader.pictures.stop()
        self.reader.side.stop()
        self._kept_roles.stop()
        self._worker.stop()
        leave_clipboard()
        self._collector.stop()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_path(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_path(event)
        if path is not None:
            event.acceptProposedAction()
            if path.suffix.lower() == ENDING:
                self.files.open_path(path)
            else:
                self.open_model(path)

    # --- building -------------------------------------------------------------------------------------------------

    def _make_menus(self) -> None:
        menus = {name: self.menuBar().addMenu(name) for name in dict.fromkeys(row.menu for row in ACTIONS)}
        for row in ACTIONS:
            if row.separated:
                menus[row.menu].addSeparator()
            menus[row.menu].addAction(self._make_action(row))
        menus["File"].insertMenu(self.actions_by_slot["save_session"], self.files.recent_menu)
        self.memory_menu = MemoryMenu(self._settings.weights_gib, self)
        self.memory_menu.budgetPicked.connect(self._on_budget_picked)
        menus["Model"].addSeparator()
        menus["Model"].addMenu(self.memory_menu)
        self.set_reduced_motion(self._settings.reduced_motion)
        self._show_choice()
        self._tick(self.session.state)

    def _make_action(self, row: ActionRow) -> QAction:
        action = QAction(row.text, self)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setCheckable(row.checkable)
        doers = (self.view_actions, self.what_if_actions, self.compare_actions, self.roles_actions, self.files, self)
        action.triggered.connect(getattr(next(doer for doer in doers if hasattr(doer, row.slot)), row.slot))
        if row.checkable:  # a click on what is on already switches off the tick and changes nothing else
            action.triggered.connect(self._tick_again)
        self.actions_by_slot[row.slot] = action
        return action

    def _connect(self) -> None:
        reader = self.reader
        reader.sentence.textEdited.connect(self._on_text_edited)
        reader.sentence.pasteRefused.connect(reader.notice.show_sentence)
        reader.exampleChosen.connect(self.choose_example)
        reader.pair.textEdited.connect(self._on_pair_edited)
        reader.pair.pasteRefused.connect(reader.notice.show_sentence)
        self.models.modelChosen.connect(self.open_model)
        self.files.recentChanged.connect(self._on_recent_sessions_changed)
        reader.head_counts.valueChanged.connect(self._on_head_count_changed)
        self.welcome.modelArrived.connect(self.models.take)
        self.welcome.folderWanted.connect(self.open_folder)
        self.welcome.fileWanted.connect(self.open_file)
        self.welcome.hubWanted.connect(self.get_from_hub)
        reader.pictures.copied.connect(self.statusBar().showMessage)
        self.what_if_actions.said.connect(self.statusBar().showMessage)
        reader.head_panel.rolesWanted.connect(self.show_roles)
        self.roles_actions.said.connect(self._on_roles_said)
        self.roles_actions.exported.connect(self._on_exported)
        self.roles_actions.sizeLeft.connect(self._on_roles_size_left)
        self._copy_job.done.connect(self._on_copied)
        self._copy_job.failed.connect(self._on_copy_failed)
        reader.notice.dismissed.connect(self.session.dismiss_failure)
        self._worker.done.connect(self._on_run_done)
        self._worker.failed.connect(self._on_run_failed)
        self._worker.loading.connect(self._on_loading)
        self._worker.progressed.connect(self._on_progressed)
        self._worker.cancelled.connect(self._on_run_cancelled)
        self._cancel.clicked.connect(self._worker.call_off)

    # --- slots ----------------------------------------------------------------------------------------------------

    def _on_session_changed(self, old: State, new: State) -> None:
        if new.model is None:
            if new.failure:
                self.welcome.show_failure(new.failure)
            self._pages.setCurrentWidget(self.welcome)
        else:
            self._pages.setCurrentWidget(self.reader)
        if new.model != old.model:
            self.models.show_current(new.model)
        self.reader.show_state(old, new)
        self._tick(new)
        if new.run is not old.run and new.run is not None:
            self._show_facts(new.run)
            if old.run is None or old.run.model is not new.run.model:
                self._keep(recent=self.models.remember(new.run.request.model))
        self._show_job(new.busy)

    def _tick(self, state: State) -> None:
        """Tick the menus' entries that are on, and enable those of what can be undone."""
        for slot, is_on in ticks_of(state).items():
            self.actions_by_slot[slot].setChecked(is_on)
        self.actions_by_slot["undo"].setEnabled(self.session.can_undo)
        self.actions_by_slot["redo"].setEnabled(self.session.can_redo)

    def _tick_again(self) -> None:
        self._tick(self.session.state)
        self._show_choice()

    def _show_job(self, busy: bool) -> None:
        """Name the running job once it lasts; a word that flickers at each key would tell nothing."""
        if not busy:
            self._job_timer.stop()
            self._job.setText("")
            self._cancel.setVisible(False)
        elif not self._job.text() and not self._job_timer.isActive():
            self._job_timer.start(_JOB_AFTER_MS)

    def _on_job_lasts(self) -> None:
        self._job.setText(_STAGES["reading"] + "\N{HORIZONTAL ELLIPSIS}")

    def _show_facts(self, run: Run) -> None:
        self._facts.setText(facts_line(run))

    def _on_text_edited(self, text: str) -> None:
        self.session.ask(text=text)

    def _on_pair_edited(self, text: str) -> None:
        self.session.ask(pair=text or None)

    def _on_budget_picked(self, gibibytes: float) -> None:
        self._worker.set_budget(gibibytes)
        self._keep(weights_gib=gibibytes)

    def _on_head_count_changed(self) -> None:
        run = self.session.state.run
        count = self.reader.head_counts.stop()
        trained = run is not None and count == run.model.config.n_head
        self.session.ask(head_count=None if trained else count)
        if self.session.state.failure is not None:  # the text cannot be read: the state may be the same, the slider is not
            self.reader.controls.show_head_count(self.session.state)

    def _on_run_done(self, run: Run) -> None:
        self.session.accept(run)

    def _on_run_failed(self, request: Request, error: AttnvizError) -> None:
        self.session.fail(request, error)

    def _on_loading(self) -> None:
        self._job.setText(_STAGES["opening"] + "\N{HORIZONTAL ELLIPSIS}")

    def _on_progressed(self, stage: Stage, done: int, total: int) -> None:
        if self.session.state.busy:
            self._job.setText(f"{_STAGES[stage]}\N{HORIZONTAL ELLIPSIS} layer {done:,} of {total:,}")
            self._cancel.setVisible(True)

    def _on_run_cancelled(self, request: Request) -> None:
        self.session.call_off(request)

    def _on_copied(self, copy: Copy) -> None:
        put_on_clipboard(copy)
        self.statusBar().showMessage("Copied, as a picture and as SVG.", 4_000)

    def _on_copy_failed(self, sentence: str) -> None:
        self.statusBar().showMessage(sentence, 8_000)

    def _on_recent_sessions_changed(self, paths: list[str]) -> None:
        self._keep(sessions=paths)

    def _move_through_history(self, move: Callable[[], None]) -> None:
        """Undo or redo, after what has been typed up to now."""
        self.reader.sentence.tell_now()
        self.reader.pair.tell_now()
        self.reader.compare_bar.text.tell_now()
        before = self.session.wish
        move()
        self.files.follow(before)

    def _on_exported(self, path: Path) -> None:
        self._keep(export_folder=str(path.parent))

    def _on_roles_said(self, sentence: str) -> None:
        self.statusBar().showMessage(sentence, 8_000)

    def _on_roles_size_left(self, width: int, height: int) -> None:
        self._keep(roles_width=width, roles_height=height)

    def _export_folder(self) -> Path:
        """Where the last export went, if that is still there."""
        folder = Path(self._settings.export_folder or Path.home())
        return folder if folder.is_dir() else Path.home()

    def _choose_theme(self, choice: Choice) -> None:
        self.appearance.choose(choice)
        self._show_choice()
        self._keep(theme=choice)

    def _show_choice(self) -> None:
        """Tick what was chosen of light and dark."""
        for slot, choice in (("follow_system", "system"), ("go_light", "light"), ("go_dark", "dark")):
            self.actions_by_slot[slot].setChecked(self.appearance.choice == choice)

    def _keep(self, **changes: object) -> None:
        self._settings = replace(self._settings, **changes)
        save_settings(self._settings)


def _dropped_path(event: QDropEvent) -> Path | None:
    urls = event.mimeData().urls()
    return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None

"""The session of a window as a file: opened, saved, named in the title, kept against a process that ends badly.

Closing a window asks nothing. What was never saved is let go with it; what was changed since a session was saved or opened is
kept, and the next window offers it.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QMainWindow, QVBoxLayout

from attnviz.session.recovery import ENDING
from attnviz.session.state import shows_what_is_asked
from attnviz.ui.job import QueuedJob
from attnviz.ui.notice import Notice
from attnviz.ui.recent_sessions import RecentSessions
from attnviz.ui.recovery_offer import RecoveryOffer
from attnviz.ui.session_work import ReadSession, WrittenSession, compare_weights, read_file, read_lost, write_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.session.opening import Opening
    from attnviz.session.session import Session
    from attnviz.session.state import State, Wish
    from attnviz.ui.appearance import Appearance
    from attnviz.ui.notice import Tone

_FILTER: Final = f"attnviz sessions (*{ENDING})"
_NAME_WORDS: Final = 5


class _Coming(NamedTuple):
    """A session that is being opened, and what is there before it."""

    opening: Opening
    before: Wish
    is_lost: bool


class SessionFiles(QObject):
    """Opens and saves. column: takes the sentences about that, above all else in the window."""

    recentChanged = Signal(list)  # list[str]
    refused = Signal(str)  # why a session that was to be opened could not be shown

    def __init__(
        self, session: Session, appearance: Appearance, recent: Sequence[str], window: QMainWindow, column: QVBoxLayout
    ) -> None:
        super().__init__(window)
        self._session, self._appearance, self._window, self._column = session, appearance, window, column
        self._notices: dict[str, Notice] = {}
        self.path: Path | None = None  # of the session file that is open
        self._held: dict[Path, Wish] = {}  # what the files hold, as far as they were opened or saved here
        self._path_at: dict[Wish, Path | None] = {}  # which file was open, on both sides of each opening
        self._coming: _Coming | None = None
        self._closing = threading.Event()
        self.recent_menu = RecentSessions(recent, window)
        self.recent_menu.chosen.connect(self.open_path)
        self.recent_menu.changed.connect(self.recentChanged)
        self._open_job = QueuedJob("attnviz-open", self)
        self._open_job.done.connect(self._on_read)
        self._open_job.failed.connect(self.warn)
        self._save_job = QueuedJob("attnviz-save", self)
        self._save_job.done.connect(self._on_written)
        self._save_job.failed.connect(self.warn)
        self._sum_job = QueuedJob("attnviz-sum", self)
        self._sum_job.done.connect(self._on_summed)
        self.recovery = RecoveryOffer(session, self)
        self.recovery.found.connect(self._on_lost_found)
        self.recovery.search()
        session.subscribe(self._on_session_changed)

    @property
    def is_modified(self) -> bool:
        """Whether what is there differs from what the open file holds."""
        return self.path is not None and self._held.get(self.path) != self._session.wish

    # --- opening --------------------------------------------------------------------------------------------------

    def open_session(self) -> None:
        """Ask for a session file."""
        dialog = self._dialog("Open session")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_open_selected)
        dialog.open()

    def open_path(self, path: Path) -> None:
        """Show the session in a file."""
        self._open_job.begin(partial(read_file, path.absolute()))

    def show(self, opening: Opening, is_lost: bool = False) -> None:
        """Show a session that was read; if it cannot be had, everything stays as it is but for the sentence that says why."""
        self._take_over()
        before = self._session.wish
        self._session.open(opening.wish)
        self._coming = _Coming(opening, before, is_lost)
        self._settle()

    def follow(self, before: Wish) -> None:
        """Go to the file that was open then, after undoing or redoing across an opening. before: what was there before that."""
        now = self._session.wish
        if now in self._path_at:
            self._path_at[before], self.path = self.path, self._path_at[now]
            self._show_name()

    # --- saving ---------------------------------------------------------------------------------------------------

    def save_session(self) -> None:
        """Save to the open file; ask for one if there is none."""
        if self.path is None:
            self.save_session_as()
        else:
            self._save(self.path)

    def save_session_as(self) -> None:
        """Ask for a file to save to."""
        if not self._can_be_saved():
            return
        dialog = self._dialog("Save session")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(ENDING)
        dialog.selectFile(self.path.name if self.path is not None else _name_for(self._session.state.text))
        dialog.fileSelected.connect(self._on_save_selected)
        dialog.open()

    def stop(self) -> None:
        """Finish what is being written, close the dialogs, and leave behind what was not saved."""
        for dialog in self._window.findChildren(QFileDialog):
            dialog.reject()
        self._closing.set()
        self._open_job.finish()
        self._save_job.finish()
        self._sum_job.finish()
        written = self._save_job.outcome
        if isinstance(written, WrittenSession):  # of which this window may not have heard yet
            self._take_name(written)
        self.recovery.stop(leaves_changes=self.is_modified)

    # --- what becomes of it ---------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Take the name of a session that is being opened, once it is there; or tell that it cannot be had."""
        state, wish = self._session.state, self._session.wish
        if self._coming is None or state.busy:
            return
        is_there = replace(self._coming.opening.wish, view=wish.view) == wish
        if wish == self._coming.before and not is_there:
            self._coming = None
            self.refused.emit(state.failure or "")
        else:
            self._take_over()

    def _take_over(self) -> None:
        """Take the name of the session that is being opened, if one is."""
        if self._coming is None:
            return
        (opening, before, is_lost), self._coming = self._coming, None
        wish, run = self._session.wish, self._session.state.run
        self._path_at[before] = self.path
        self._path_at[wish] = self.path = opening.path
        self._quiet()
        if opening.path is not None and opening.held is not None:
            # A view may have to give way to the picture: a file that was written by hand may name a layer that is not there.
            self._held[opening.path] = wish if replace(opening.held, view=wish.view) == wish else opening.held
            self.recent_menu.add(opening.path)
        if is_lost:
            self.recovery.take_over_lost(opening.path)
        if opening.sha256 is not None and run is not None and run.request.model == wish.model:
            self._sum_job.begin(partial(compare_weights, run.model, opening.sha256, self._closing.is_set))
        self._show_name()

    def _save(self, path: Path) -> None:
        if not self._can_be_saved():
            return
        wish, run = self._session.wish, self._session.state.run
        model = run.model if run is not None and run.request.model == wish.model else None
        self._window.statusBar().showMessage("Saving\N{HORIZONTAL ELLIPSIS}")
        self._save_job.begin(partial(write_file, path, wish, self.path, model, self._closing.is_set))

    def _take_name(self, written: WrittenSession) -> None:
        """Take the name that a session was saved under, unless another one has been opened since."""
        self._held[written.path] = written.wish
        if self.path == written.before:
            self._path_at = {wish: written.path if path == self.path else path for wish, path in self._path_at.items()}
            self.path = written.path

    def _can_be_saved(self) -> bool:
        """Whether there is a session; says why if not. One that could not be shown could not be opened again either."""
        state = self._session.state
        if state.run is None:
            self._window.statusBar().showMessage("There is no session to save yet.", 4_000)
        elif not state.busy and not shows_what_is_asked(state):
            self.warn(f"The session is not saved: {state.failure or 'what it asks for could not be had; change that first.'}")
        return state.run is not None and (state.busy or shows_what_is_asked(state))

    def _dialog(self, title: str) -> QFileDialog:
        beside = self.recent_menu.folder if self.path is None else self.path.parent
        dialog = QFileDialog(self._window, title, str(beside), _FILTER)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog

    def _show_name(self) -> None:
        """Name the session in the title, with an asterisk where it differs from its file."""
        self.recovery.file = self.path
        title = "attnviz" if self.path is None else f"{self.path.stem}[*] \N{EN DASH} attnviz"
        if self._window.windowTitle() != title:
            self._window.setWindowModified(False)  # a title that has no place for the asterisk is not one that is modified
            self._window.setWindowTitle(title)
        self._window.setWindowModified(self.is_modified)

    def notice(self, what: str, tone: Tone = "warning", action: str = "") -> Notice:
        """The line for one kind of sentence, made when it is first needed."""
        if what not in self._notices:
            notice = Notice(self._appearance, self._window, tone, action)
            self._column.insertWidget(0, notice)
            self._notices[what] = notice
        return self._notices[what]

    def warn(self, sentence: str) -> None:
        """Say why a session could not be opened or saved."""
        self._window.statusBar().clearMessage()
        self.notice("files").show_sentence(sentence)

    def _quiet(self) -> None:
        """Take away what was said of a session before."""
        for what in ("files", "weights"):
            if what in self._notices:
                self._notices[what].show_sentence(None)

    # --- slots ----------------------------------------------------------------------------------------------------

    def _on_session_changed(self, _old: State, _new: State) -> None:
        self._settle()
        self._show_name()

    def _on_open_selected(self, name: str) -> None:
        self.open_path(Path(name))

    def _on_save_selected(self, name: str) -> None:
        path = Path(name)
        if path.suffix.lower() != ENDING:
            path = path.with_name(path.name + ENDING)
            if path.exists():  # nobody was asked whether this one may be replaced
                self.warn(f"{path}: is there already; save under another name, or choose that file.")
                return
        self._save(path)

    def _on_read(self, read: ReadSession) -> None:
        if read.opening is not None:
            self.show(read.opening, read.is_lost)
            return
        self.warn(read.sentence)
        if read.gone is not None:
            self.recent_menu.remove(read.gone)

    def _on_written(self, written: WrittenSession) -> None:
        self._take_name(written)
        self._quiet()
        self.recent_menu.add(written.path)
        self._show_name()
        self._window.statusBar().showMessage(f"Saved {written.path.name}.", 4_000)

    def _on_summed(self, sentence: str | None) -> None:
        if sentence is not None:
            self.notice("weights", "what_if").show_sentence(sentence)

    def _on_lost_found(self, sentence: str) -> None:
        notice = self.notice("lost", "what_if", "Restore")
        notice.taken.connect(self._on_restore_taken)
        notice.dismissed.connect(self.recovery.forget_lost)
        notice.show_sentence(sentence)

    def _on_restore_taken(self) -> None:
        lost = self.recovery.lost
        if lost is not None:
            self._open_job.begin(partial(read_lost, lost.saved))


def _name_for(text: str) -> str:
    """A name for a file, from the first words of a text."""
    words = ["".join(char for char in word if char.isalnum()) for word in text.split()]
    return " ".join([word for word in words if word][:_NAME_WORDS])[:60] or "session"

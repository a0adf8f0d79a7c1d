"""Keeps what a window shows against a process that ends badly, and offers what an earlier window left behind."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from attnviz.session.recovery import Keeper, Lost, find_lost
from attnviz.session.state import shows_what_is_asked
from attnviz.ui.job import Job, QueuedJob

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.session.saved import SavedModel
    from attnviz.session.session import Session
    from attnviz.session.state import State

_PAUSE_MS: Final = 2_000


class RecoveryOffer(QObject):
    """Keeps a session a moment after each change, once something was done in it. file: the session file that it belongs to.

    Only what is there to see is kept: what is still being computed may be what ends the process.
    """

    found = Signal(str)  # the sentence that offers it

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.file: Path | None = None
        self.lost: Lost | None = None
        self._session = session
        self._keeper = Keeper()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.keep)
        self._keep_job = QueuedJob("attnviz-recovery", self)
        self._find_job = Job("attnviz-lost", self)
        self._find_job.done.connect(self._on_found)
        session.subscribe(self._on_session_changed)

    def search(self) -> None:
        """Look for what earlier windows left behind, off the GUI thread."""
        self._find_job.start(find_lost)

    def keep(self) -> None:
        """Keep what is there to see."""
        if shows_what_is_asked(self._session.state):
            self._keep_job.begin(partial(self._keeper.keep, self._session.wish, self._model(), self.file))

    def take_over_lost(self, file: Path | None) -> None:
        """Keep what has been restored as what this window shows, and then take away what it was restored from."""
        self.file = file
        self.keep()
        self._keep_job.finish()
        self.forget_lost()

    def forget_lost(self) -> None:
        """Take away what was offered: it has been restored, or nobody wants it."""
        if self.lost is not None:
            self.lost.forget()
            self.lost = None

    def stop(self, leaves_changes: bool) -> None:
        """End it with the window. leaves_changes: its file lacks changes, which the next window shall offer."""
        self._timer.stop()
        if leaves_changes:
            self.keep()
        self._keep_job.finish()
        self._keeper.close(leaves_changes and self._keeper.has_kept)
        self._find_job.wait()
        if self.lost is not None:
            self.lost.leave()

    def _model(self) -> SavedModel | None:
        from attnviz.session.saved import SavedModel

        run = self._session.state.run
        return None if run is None else SavedModel(run.model.name)

    def _on_session_changed(self, _old: State, new: State) -> None:
        is_worth_it = self._keeper.has_kept or self._session.can_undo
        if is_worth_it and not self._timer.isActive() and shows_what_is_asked(new):
            self._timer.start()

    def _on_found(self, lost: Lost | None) -> None:
        self.lost = lost
        if lost is None:
            return
        name = "" if lost.saved.file is None else lost.saved.file.stem
        if lost.was_closed and name:
            self.found.emit(f"{name} has changes from last time that were not saved.")
        else:
            self.found.emit("attnviz did not close properly last time.")

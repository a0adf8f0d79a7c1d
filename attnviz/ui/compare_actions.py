"""What menus, keys and controls do to compare two runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from attnviz.session.comparing import kept, other_text, trained

if TYPE_CHECKING:
    from attnviz.session.comparing import Against
    from attnviz.session.session import Session
    from attnviz.ui.reader import ReaderPage
    from attnviz.ui.window import MainWindow


class CompareActions(QObject):
    """The part of the menus and of the reader's bar that asks the session for another run beside this one."""

    def __init__(self, session: Session, reader: ReaderPage, window: MainWindow) -> None:
        super().__init__(window)
        self._session = session
        self._reader = reader
        bar = reader.compare_bar
        bar.settingPicked.connect(self._on_setting_picked)
        bar.textEdited.connect(self._on_text_edited)
        bar.stopped.connect(self.compare_nothing)

    def compare_trained(self) -> None:
        self._compare(trained())

    def compare_kept(self) -> None:
        """Keep the run as it is, to be compared with whatever comes."""
        run = self._session.state.run
        if run is not None:
            self._compare(kept(run.request))

    def compare_text(self) -> None:
        """Read another text beside this one: at first the same, to be changed."""
        against = self._session.state.against
        if against is None or against.kind != "text":
            self._compare(other_text(self._session.state.text))
        field = self._reader.compare_bar.text
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    def compare_side(self) -> None:
        self._session.show(setting="side")

    def compare_difference(self) -> None:
        self._session.show(setting="difference")

    def compare_nothing(self) -> None:
        self._session.ask(against=None)

    def _compare(self, against: Against) -> None:
        if self._session.state.run is not None:
            if self._session.state.view.picture not in ("arcs", "matrix"):
                self._session.show(picture="arcs")
            self._session.ask(against=against)

    def _on_setting_picked(self, setting: str) -> None:
        self._session.show(setting=setting)

    def _on_text_edited(self, text: str) -> None:
        self._session.ask(against=other_text(text), gesture=("against", len(text.split())))

"""What menus and other windows do with the window of head roles, and what it does to the main window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.session.view import Arrival, HeadChoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.probing.evidence import Evidence, Shown
    from attnviz.session.session import Session
    from attnviz.session.state import State
    from attnviz.session.view import PictureKind
    from attnviz.ui.roles.roles_window import RolesWindow
    from attnviz.ui.roles.roles_work import Found
    from attnviz.ui.window import MainWindow


class RolesActions(QObject):
    """Makes the window of head roles when it is first asked for, and has it follow the session's model."""

    sizeLeft = Signal(int, int)
    exported = Signal(object)  # Path
    said = Signal(str)  # something for the main window's last line

    def __init__(self, session: Session, size: tuple[int, int], folder: Callable[[], Path], window: MainWindow) -> None:
        """size: of the window at first; folder: where exports begin."""
        super().__init__(window)
        self._session, self._size, self._folder, self._main = session, size, folder, window
        self._picture: PictureKind = "arcs"
        self.window: RolesWindow | None = None
        session.subscribe(self._on_session_changed)

    def open_roles(self) -> None:
        """Show what each head does, or how to measure it."""
        self.show_roles()

    def show_roles(self, layer: int | None = None, head: int | None = None) -> None:
        """Show the window of head roles before all others; layer, head: which one is chosen there."""
        window = self._made()
        if layer is not None and head is not None:
            window.choose_head(layer, head)
        window.show()
        window.raise_()
        window.activateWindow()

    def report(self) -> None:
        """Ask for a file for a report on the model's heads."""
        run = self._session.state.run
        self.show_roles()
        if run is not None:
            self.window.report(run.request.text)

    def stop(self) -> None:
        """Close the window and end its threads."""
        if self.window is not None:
            self.window.stop()
            self.window.deleteLater()
            self.window = None

    def _made(self) -> RolesWindow:
        if self.window is None:
            from attnviz.ui.roles.roles_window import RolesWindow  # what few starts need

            window = RolesWindow(self._main.appearance, self._folder())
            window.resize(*self._size)
            window.measured.connect(self._on_measured)
            window.headOpened.connect(self._on_head_opened)
            window.sentenceWanted.connect(self._on_sentence_wanted)
            window.reportWanted.connect(self.report)
            window.exported.connect(self.exported)
            window.sizeLeft.connect(self.sizeLeft)
            self.window = window
            self._follow(self._session.state)
        return self.window

    def _follow(self, state: State) -> None:
        if self.window is not None:
            self.window.follow(None if state.run is None else state.run.model)

    def _on_session_changed(self, _old: State, new: State) -> None:
        if new.view.picture != "grid":
            self._picture = new.view.picture
        self._follow(new)

    def _on_measured(self, found: Found) -> None:
        self._session.set_roles(found.summary, found.model)
        if not self.window.isVisible():
            self.said.emit(f"The heads of {found.model.name} are measured; Ctrl+R shows what they do.")

    def _on_head_opened(self, layer: int, head: int) -> None:
        """Show a head alone, as it was trained, in the picture that was last looked at beside the grid."""
        state = self._session.state
        if state.run is None:
            return
        n_head = state.run.model.config.stack.n_head
        if state.head_count is not None:
            self._session.ask(head_count=None)
        heads = HeadChoice(frozenset({head}), n_head)
        self._session.show(layer=layer, heads=heads, kind=None, quantity="attention", picture=self._picture)
        self._to_front()

    def _on_sentence_wanted(self, found: Found, evidence: Evidence, shown: Shown) -> None:
        """Read a sentence that is evidence for a head, with that head alone and what it was asked about in focus."""
        from attnviz.probing.reading import asked_token, typed_text

        plan = found.roles.plan
        text = typed_text(found.model, plan, shown.text)
        if text is None:
            self.window.notice.show_sentence(
                "These tokens were drawn by chance and cannot be typed as a text; choose a sentence of another measure."
            )
            return
        heads = HeadChoice(frozenset({evidence.head}), found.roles.n_head)
        focus = asked_token(plan, shown.text, evidence.measured.measure.key)
        self._session.ask(text=text, pair=None, head_count=None, arrival=Arrival(evidence.layer, heads, focus=focus))
        self._session.show(quantity="attention", picture=self._picture)
        self._to_front()

    def _to_front(self) -> None:
        self._main.raise_()
        self._main.activateWindow()

"""The roles that were once measured of the model on the screen, fetched while nobody waits for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from attnviz.ui.newest import Newest

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.model import Model
    from attnviz.probing.summary import RoleSummary
    from attnviz.session.session import Session
    from attnviz.session.state import State

# After a model's first picture: the sum of its weights is read from the disk, which must not compete with what is seen next.
_AFTER_MS: Final = 400


class KeptRoles(QObject):
    """Hands a session the roles of its model, where they were measured on this machine. What goes wrong there is no matter."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._is_stopped = False
        self._found = Newest("attnviz-roles", self)
        self._found.arrived.connect(self._on_found)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_AFTER_MS)
        self._pause.timeout.connect(self._look)
        session.subscribe(self._on_session_changed)

    def stop(self) -> None:
        """Look no further, and wait for the end of what is under way."""
        self._is_stopped = True
        self._pause.stop()
        self._found.stop()

    def _on_session_changed(self, old: State, new: State) -> None:
        if _model_of(old) is _model_of(new):
            return
        self._found.forget()
        if not self._is_stopped and new.run is not None:
            self._pause.start()

    def _look(self) -> None:
        run = self._session.state.run
        if run is not None and self._session.state.roles is None:
            kind = run.trace.kinds[0]
            shape = run.trace.n_layer_of(kind), run.model.config.stack_of(kind).n_head
            self._found.ask(run.model, partial(_kept, run.model, shape), is_quick=False)

    def _on_found(self, found: tuple[Model, RoleSummary | None]) -> None:
        model, roles = found
        self._found.forget()  # it holds the model
        if roles is not None and self._session.state.roles is None:
            self._session.set_roles(roles, model)


def _model_of(state: State) -> Model | None:
    return None if state.run is None else state.run.model


def _kept(model: Model, shape: tuple[int, int], cancelled: Callable[[], bool]) -> tuple[Model, RoleSummary | None]:
    """A model with what was measured of it on this machine; shape: its layers and heads. Raises Cancelled, ModelError."""
    from attnviz.probing.summary import kept_shapes, kept_summary  # what few starts need

    return model, kept_summary(model.read_sum(cancelled)) if shape in kept_shapes() else None

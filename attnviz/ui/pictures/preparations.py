"""What pictures need besides the run, made off the GUI thread where it takes longer than a glance."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.errors import AttnvizError, Cancelled
from attnviz.scene.preparing import is_at_hand, preparation_key, prepare
from attnviz.ui.job import Job

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.session.run import Run
    from attnviz.session.view import View


class Preparations(QObject):
    """Makes one at a time; the newest that is wanted comes next, and calls off the one before."""

    arrived = Signal()
    failed = Signal(str)  # the sentence to show

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job = Job("attnviz-prepare", self)
        self._job.done.connect(self._on_done)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self._begin)
        self._wanted: tuple[Run, View] | None = None
        self._failed: tuple[Run, View] | None = None

    def is_ready(self, run: Run, view: View) -> bool:
        """Whether the picture of a view can be built at once; if not, what is missing is begun to be prepared, and `arrived` tells
        of it. One that is under way for another picture is called off."""
        if is_at_hand(run, view):
            self._wanted = self._failed = None
            return True
        wish = (run, view)
        if not (_is_same(self._wanted, wish) or _is_same(self._failed, wish)):  # what failed would only fail again
            self._wanted, self._failed = wish, None
            self._begin()
        return False

    @property
    def is_making(self) -> bool:
        """Whether what a picture needs is still to come."""
        return self._wanted is not None

    def stop(self) -> None:
        """Call off what is being made and wait for its end."""
        self._wanted = None
        self._job.wait()

    def _begin(self) -> None:
        if self._wanted is not None:
            self._job.start(partial(_prepared, self._wanted, partial(self._is_stale, self._wanted)))

    def _is_stale(self, made: tuple[Run, View]) -> bool:
        return self._wanted is not made

    def _on_done(self, error: AttnvizError | None) -> None:
        if self._wanted is None:  # nobody wants it any more
            return
        if error is not None:
            self._on_failed(str(error))
            return
        if not is_at_hand(*self._wanted):  # another one was asked for at its very end
            self._begin()
            return
        self._wanted = None
        self.arrived.emit()

    def _on_failed(self, sentence: str) -> None:
        if self._wanted is not None:
            self._failed, self._wanted = self._wanted, None
            self.failed.emit(sentence)


def _prepared(wish: tuple[Run, View], cancelled: Callable[[], bool]) -> AttnvizError | None:
    """Prepare a wish; why it cannot be, if it cannot. Raises Cancelled if nobody wants it any more, even to know that."""
    try:
        prepare(*wish, cancelled=cancelled)
    except AttnvizError as error:
        if cancelled():
            raise Cancelled from error
        return error
    return None


def _is_same(one: tuple[Run, View] | None, other: tuple[Run, View]) -> bool:
    """Whether two wishes need the same."""
    return one is not None and preparation_key(*one) == preparation_key(*other)

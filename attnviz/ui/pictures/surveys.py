"""Surveys of all heads, made off the GUI thread where they take longer than a glance."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from attnviz.session.sight import kind_of
from attnviz.session.survey import kept_survey, survey_key, survey_of
from attnviz.ui.job import Job

if TYPE_CHECKING:
    from attnviz.engine.trace import Trace
    from attnviz.session.view import View

# Weights of all layers and heads; 6 layers of 12 heads and 64 tokens are 0.3 million and take 15 ms.
_AT_ONCE = 1 << 20
_NORM = 3  # what a norm costs in weights; its value vectors are computed


class Surveys(QObject):
    """Makes one survey at a time; the newest that is wanted comes next, and calls off the one before."""

    arrived = Signal()
    failed = Signal(str)  # the sentence to show

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job = Job("attnviz-survey", self)
        self._job.done.connect(self._on_done)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self._begin)
        self._wanted: tuple[Trace, View] | None = None

    def is_ready(self, trace: Trace, view: View) -> bool:
        """Whether the grid of a trace can be built at once; if not its survey is begun, and `arrived` tells of it."""
        if kept_survey(trace, view) is not None or _n_weight(trace, view) <= _AT_ONCE:
            return True
        if self._wanted is None or self._wanted[0] is not trace or survey_key(trace, self._wanted[1]) != survey_key(trace, view):
            self._wanted = (trace, view)
            self._begin()
        return False

    @property
    def is_making(self) -> bool:
        """Whether a survey is still to come."""
        return self._wanted is not None

    def stop(self) -> None:
        """Call off what is being made and wait for its end."""
        self._wanted = None
        self._job.wait()

    def _begin(self) -> None:
        if self._wanted is not None:
            self._job.start(partial(survey_of, *self._wanted, cancelled=partial(self._is_stale, self._wanted)))

    def _is_stale(self, made: tuple[Trace, View]) -> bool:
        return self._wanted is not made

    def _on_done(self) -> None:
        if self._wanted is not None and kept_survey(*self._wanted) is None:  # another one was asked for in its last layer
            self._begin()
            return
        self._wanted = None
        self.arrived.emit()

    def _on_failed(self, sentence: str) -> None:
        self._wanted = None
        self.failed.emit(sentence)


def _n_weight(trace: Trace, view: View) -> int:
    kind = kind_of(trace, view)
    each = _NORM if view.quantity == "norms" else 1
    return each * trace.n_layer_of(kind) * trace.head_count_of(kind) * len(trace.queries(kind)) * len(trace.keys(kind))

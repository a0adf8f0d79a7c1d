"""Measuring heads off the GUI thread: what is kept of them is read, what is missing is measured."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

from PySide6.QtCore import QObject, Signal

from attnviz.corpus.opening import open_corpus
from attnviz.engine.blas import keep_to_one_thread
from attnviz.errors import Cancelled
from attnviz.probing.roles import HeadRoles, kept_roles, measure_heads
from attnviz.probing.summary import keep_summary, summary_of
from attnviz.ui.newest import Newest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.corpus.corpus import Corpus
    from attnviz.engine.model import Model
    from attnviz.probing.roles import Begun
    from attnviz.probing.summary import RoleSummary

Stage = Literal["reading", "muting"]


class Found(NamedTuple):
    """What is known of a model's heads over a corpus. source: the corpus' file, None for the bundled one; roles: all of it, or how
    much of it is kept; summary: the same in short, None where it is not all there."""

    model: Model
    source: Path | None
    corpus: Corpus
    roles: HeadRoles | Begun
    summary: RoleSummary | None


class RolesWork(QObject):
    """One piece of work at a time; a newer one calls off the one before. Signals arrive on the thread that made it."""

    found = Signal(object)  # Found
    failed = Signal(str)  # the sentence to show
    progressed = Signal(str, int, int)  # Stage, done, of how many

    _told = Signal(int, str, int, int)  # from the other thread; the number of the work first

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._number = 0
        self._newest = Newest("attnviz-measure", self)
        self._newest.arrived.connect(self.found)
        self._newest.failed.connect(self.failed)
        self._told.connect(self._on_told)

    @property
    def is_working(self) -> bool:
        """Whether something is still to come."""
        return self._newest.is_making

    def look(self, model: Model, source: Path | None) -> None:
        """Open a corpus, and find what is kept of a model's heads over it."""
        self._begin(model, partial(_looked, model, source))

    def measure(self, model: Model, source: Path | None, corpus: Corpus) -> None:
        """Measure a model's heads over a corpus, from where the last time has stopped."""
        number = self._number + 1

        def tell(stage: Stage, done: int, total: int) -> None:
            self._told.emit(number, stage, done, total)

        self._begin(model, partial(_measured, model, source, corpus, tell))

    def cancel(self) -> None:
        """Call off what is under way; nothing more comes of it."""
        self._number += 1
        self._newest.forget()

    def stop(self) -> None:
        """Call off what is under way and wait for its end."""
        self._newest.stop()

    def _begin(self, model: Model, work: Callable[[Callable[[], bool]], Found]) -> None:
        self.cancel()  # the same file may hold something else by now, so that nothing is taken for known
        self._newest.ask((model, self._number), work, is_quick=False)

    def _on_told(self, number: int, stage: Stage, done: int, total: int) -> None:
        if number == self._number:  # else of a work that was called off
            self.progressed.emit(stage, done, total)


def _looked(model: Model, source: Path | None, cancelled: Callable[[], bool]) -> Found:
    keep_to_one_thread()
    corpus = open_corpus(source)
    if cancelled():
        raise Cancelled
    return _found(model, source, corpus, kept_roles(model, corpus, cancelled=cancelled))


def _measured(
    model: Model, source: Path | None, corpus: Corpus, tell: Callable[[Stage, int, int], None], cancelled: Callable[[], bool]
) -> Found:
    keep_to_one_thread()
    roles = measure_heads(model, corpus, cancelled=cancelled, reading=partial(tell, "reading"), muting=partial(tell, "muting"))
    return _found(model, source, corpus, roles)


def _found(model: Model, source: Path | None, corpus: Corpus, roles: HeadRoles | Begun) -> Found:
    """The same, with the roles kept in short for the next time that the model is opened."""
    if not isinstance(roles, HeadRoles):
        return Found(model, source, corpus, roles, None)
    summary = summary_of(roles)
    keep_summary(summary)
    return Found(model, source, corpus, roles, summary)

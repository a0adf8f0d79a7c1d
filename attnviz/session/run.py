"""Computing a request: the model stays loaded, and each run takes over from the ones before what is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from attnviz.analysis.effect import mean_cosine
from attnviz.engine.blas import keep_to_one_thread
from attnviz.engine.model import Model, load_model
from attnviz.errors import InputError, ModelError, never
from attnviz.session.recent_traces import RecentTraces
from attnviz.session.request import check_text
from attnviz.session.writing import next_token

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.trace import Trace
    from attnviz.session.request import Request

Stage = Literal["opening", "reading"]


def unwatched(stage: Stage, done: int, total: int) -> None:
    """The progress of somebody who does not watch."""


@dataclass(frozen=True)
class Run:
    """A request with what came of it.

    request: what the trace is of; asked: what it answers, which may have asked for one token more to be written;
    trained: the run of the same text with the model as it is, the trace itself where nothing is changed;
    cosine_to_trained: the mean cosine of the final token vectors to that run's, -1 to 1; milliseconds: the forward pass alone;
    against: the run that it is compared with; has_ended: the model has written its last token, or can read no further.
    """

    request: Request
    model: Model
    trace: Trace
    cosine_to_trained: float
    milliseconds: float
    trained: Trace
    asked: Request
    against: Run | None = None
    has_ended: bool = False


class Runner:
    """Runs requests one after the other, each matrix product on one thread; for use from one thread.

    budget: bytes of weights to keep ready, None for half of the free memory; a model is opened anew for another one.
    """

    def __init__(self) -> None:
        keep_to_one_thread()
        self.budget: int | None = None
        self._opened: dict[tuple[Path, int | None], Model] = {}
        self._traces = RecentTraces()
        self._milliseconds: WeakKeyDictionary[Trace, float] = WeakKeyDictionary()

    def run(
        self,
        request: Request,
        cancelled: Callable[[], bool] = never,
        loading: Callable[[], None] = lambda: None,
        progress: Callable[[Stage, int, int], None] = unwatched,
    ) -> Run:
        """Compute `request`; `loading()` is called first if another model has to be opened. progress(stage, layers
        done, of how many) is called while it is opened and again while it runs.

        Raises InputError, ModelError or Cancelled.
        """
        check_text(request.text)
        if request.against is not None:
            check_text(request.against.text)
        wanted = {one.model for one in (request, request.against) if one is not None}
        self._let_go(wanted)
        run = self._run_one(request, wanted, cancelled, loading, progress)
        if request.against is None:
            return run
        if request.writing is not None and request.writing.takes_along:
            run = replace(run, request=replace(run.request, against=run.request.as_trained()))
        against = self._run_one(run.request.against, wanted, cancelled, loading, progress)
        return replace(run, against=against)

    def _let_go(self, wanted: set[Path]) -> None:
        """Let go of a model that a run was compared with, and is no more. The last one stays until another has to be opened."""
        if len(self._opened) > 1:
            for key in [key for key in self._opened if key[0] not in wanted]:
                self._opened.pop(key).release()
                self._traces.keep_only(wanted)

    def _run_one(
        self,
        request: Request,
        wanted: set[Path],
        cancelled: Callable[[], bool],
        loading: Callable[[], None],
        progress: Callable[[Stage, int, int], None],
    ) -> Run:
        """A request without what it is compared with; wanted: the models to keep open."""
        try:
            model = self._open(request.model, wanted, loading, cancelled, partial(progress, "opening"))
        except MemoryError as error:
            raise ModelError(
                f"{request.model}: not enough memory to open it; close other programs or choose a smaller model."
            ) from error
        try:
            return self._read(model, request, cancelled, partial(progress, "reading"))
        except MemoryError as error:
            raise InputError("There is not enough memory for this text; use a shorter one.") from error

    def _read(self, model: Model, request: Request, cancelled: Callable[[], bool], reading: Callable[[int, int], None]) -> Run:
        """What `model` makes of the request's text."""
        head_count = None if request.head_count == model.config.n_head else request.head_count
        shown, has_ended = replace(request.alone(), head_count=head_count), False
        # First, since the others take over from it.
        trained, milliseconds = self._trace(model, shown.as_trained(), cancelled, reading)
        trace = trained
        if shown != shown.as_trained():
            trace, milliseconds = self._trace(model, shown, cancelled, reading)
        if request.writing is not None:
            number = next_token(trace, request.writing)
            shown = replace(shown, written=(*shown.written, number))
            trace, milliseconds = self._trace(model, shown, cancelled, reading)
            trained, _ = self._trace(model, shown.as_trained(), cancelled, reading)
            has_ended = number in model.ends or len(trace.output_pieces) >= model.config.n_position
        cosine = mean_cosine(trace.output, trained.output) if trace.is_what_if else 1.0
        shown = replace(request, written=shown.written, writing=None)
        return Run(shown, model, trace, cosine, milliseconds, trained, request, has_ended=has_ended)

    def _trace(
        self, model: Model, request: Request, cancelled: Callable[[], bool], reading: Callable[[int, int], None]
    ) -> tuple[Trace, float]:
        """The trace of a request, made of what earlier ones have of it, and the milliseconds that it took when it was made."""
        found = self._traces.find(request)
        if found is None:
            like, started = self._traces.of(request.model), perf_counter()
            found = model.trace(
                request.text,
                request.pair,
                request.head_count,
                cancelled,
                reading,
                changes=request.changes,
                written=request.written,
                like=like,
            )
            self._traces.keep(request, found)
            self._milliseconds[found] = 1000 * (perf_counter() - started)
        return found, self._milliseconds.get(found, 0.0)

    def _open(
        self,
        path: Path,
        wanted: set[Path],
        loading: Callable[[], None],
        cancelled: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> Model:
        """The model at `path`, kept until others have been opened."""
        key = (path, self.budget)
        if key not in self._opened:
            loading()
            # Those before go first: two models need not fit the memory together, unless both are wanted. A picture, which stays
            # until there is another, holds its own, but no longer the layers that it kept ready.
            for old in [old for old in self._opened if old[0] not in wanted or old[1] != self.budget]:
                self._opened.pop(old).release()
            self._traces.clear()
            self._opened[key] = load_model(path, budget=self.budget, cancelled=cancelled, progress=progress)
        return self._opened[key]

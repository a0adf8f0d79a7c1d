"""Computing a request: the model stays loaded, the trained run of a text is kept to measure what-ifs against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from attnviz.analysis.effect import mean_cosine
from attnviz.engine.blas import keep_to_one_thread
from attnviz.engine.model import Model, load_model
from attnviz.errors import InputError, ModelError, never
from attnviz.session.request import check_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.request import Request

Stage = Literal["opening", "reading"]


def unwatched(stage: Stage, done: int, total: int) -> None:
    """The progress of somebody who does not watch."""


@dataclass(frozen=True)
class Run:
    """A request with what came of it.

    cosine_to_trained: for a what-if, the mean cosine of the final token vectors to the trained run's, -1 to 1; 1.0 for the
    trained run. milliseconds: the forward pass alone.
    """

    request: Request
    model: Model
    trace: Trace
    cosine_to_trained: float
    milliseconds: float


class Runner:
    """Runs requests one after the other, each matrix product on one thread; for use from one thread.

    budget: bytes of weights to keep ready, None for half of the free memory; a model is opened anew for another one.
    """

    def __init__(self) -> None:
        keep_to_one_thread()
        self.budget: int | None = None
        self._opened: tuple[tuple[Path, int | None], Model] | None = None
        self._trained: tuple[Request, Trace, float] | None = None

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
        try:
            model = self._open(request.model, loading, cancelled, partial(progress, "opening"))
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
        trained, milliseconds = self._run_trained(model, request, cancelled, reading)
        if request.head_count is None or request.head_count == model.config.n_head:
            return Run(request, model, trained, 1.0, milliseconds)
        started = perf_counter()
        trace = model.trace(request.text, request.pair, request.head_count, cancelled, reading)
        milliseconds = 1000 * (perf_counter() - started)
        return Run(request, model, trace, mean_cosine(_output(trace), _output(trained)), milliseconds)

    def _open(
        self,
        path: Path,
        loading: Callable[[], None],
        cancelled: Callable[[], bool],
        progress: Callable[[int, int], None],
    ) -> Model:
        """The model at `path`, kept until another one has been opened."""
        wanted = (path, self.budget)
        if self._opened is None or self._opened[0] != wanted:
            loading()
            # The one before goes first: two models need not fit the memory together. Its picture, which stays until there is
            # another, holds it, but no longer the layers that it kept ready.
            if self._opened is not None:
                self._opened[1].release()
            self._opened = self._trained = None
            self._opened = (wanted, load_model(path, budget=self.budget, cancelled=cancelled, progress=progress))
        return self._opened[1]

    def _run_trained(
        self, model: Model, request: Request, cancelled: Callable[[], bool], progress: Callable[[int, int], None]
    ) -> tuple[Trace, float]:
        """The trained run of the request's text, and the milliseconds that it took when it was made."""
        key = replace(request, head_count=None)
        if self._trained is None or self._trained[0] != key:
            started = perf_counter()
            trace = model.trace(request.text, request.pair, None, cancelled, progress)
            self._trained = (key, trace, 1000 * (perf_counter() - started))
        return self._trained[1:]


def _output(trace: Trace) -> Float32:
    """The vectors that a model's answer is made of: the decoder's where it has two sides."""
    return trace.hidden if trace.decoder_hidden is None else trace.decoder_hidden

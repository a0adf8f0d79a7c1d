"""Computing a request: the model stays loaded, the trained run of a text is kept to measure what-ifs against."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from attnviz.analysis.effect import mean_cosine
from attnviz.engine.model import Model, load_model, never
from attnviz.session.request import Request, check_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.trace import Trace


@dataclass(frozen=True)
class Run:
    """A request with what came of it.

    kept_direction: for a what-if, the mean cosine of the final token vectors to the trained run's, -1 to 1; 1.0 for the
    trained run. milliseconds: the forward pass alone.
    """

    request: Request
    model: Model
    trace: Trace
    kept_direction: float
    milliseconds: float


class Runner:
    """Runs requests one after the other; for use from one thread."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._trained: tuple[Request, Trace] | None = None

    def run(
        self,
        request: Request,
        cancelled: Callable[[], bool] = never,
        loading: Callable[[], None] = lambda: None,
    ) -> Run:
        """Compute `request`; `loading()` is called first if another model has to be opened.

        Raises InputError, ModelError or Cancelled.
        """
        check_text(request.text)
        model = self._open(request, loading)
        started = perf_counter()
        trace = self._trained_trace(model, request, cancelled)
        kept = 1.0
        if request.head_count is not None and request.head_count != model.config.n_head:
            started = perf_counter()
            trained, trace = trace, model.trace(request.text, request.pair, request.head_count, cancelled)
            kept = mean_cosine(trace.hidden, trained.hidden)
        return Run(request, model, trace, kept, 1000 * (perf_counter() - started))

    def _open(self, request: Request, loading: Callable[[], None]) -> Model:
        if self._model is None or self._model.path != request.model:
            loading()
            self._model = self._trained = None
            self._model = load_model(request.model)
        return self._model

    def _trained_trace(self, model: Model, request: Request, cancelled: Callable[[], bool]) -> Trace:
        key = Request(model.path, request.text, request.pair)
        if self._trained is None or self._trained[0] != key:
            self._trained = (key, model.trace(request.text, request.pair, None, cancelled))
        return self._trained[1]

"""The newest traces of a runner, from which the next run takes over what is the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.engine.cutting import can_be_cut, until

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.trace import Trace
    from attnviz.session.request import Request

# The run shown, the same as trained and with its heads alone, and one that it is compared with. A trace of a long text and a large
# model takes hundreds of MB.
_MOST: Final = 4


class RecentTraces:
    """Traces by what was asked for; of a text that a model went on with, the one that went furthest. Requests name the trained head
    count by None."""

    def __init__(self) -> None:
        self._kept: dict[Request, Trace] = {}

    def clear(self) -> None:
        """Let go of all."""
        self._kept.clear()

    def keep_only(self, models: set[Path]) -> None:
        """Let go of the traces of all models but those at these paths."""
        self._kept = {request: trace for request, trace in self._kept.items() if request.model in models}

    def find(self, request: Request) -> Trace | None:
        """The trace of just this request, cut from one that was written further where need be."""
        trace = self._kept.get(_key(request))
        if trace is None or _common(trace, request) < len(request.written):
            return None
        self.keep(request, trace)
        return _cut(trace, len(request.written))

    def of(self, model: Path) -> list[Trace]:
        """All traces of a model, the newest first: what a further run may take over from."""
        return [trace for request, trace in reversed(self._kept.items()) if request.model == model]

    def keep(self, request: Request, trace: Trace) -> None:
        """Keep a trace as the newest."""
        key = _key(request)
        self._kept.pop(key, None)
        self._kept[key] = trace
        while len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]


def _key(request: Request) -> Request:
    return replace(request.alone(), written=(), changes=request.changes.effective())


def _cut(trace: Trace, n_written: int) -> Trace | None:
    """The trace with so many written tokens; None if it cannot be cut so."""
    n = len(trace.output_pieces) - trace.n_written + n_written
    return until(trace, n) if can_be_cut(trace, n) else None


def _common(trace: Trace, request: Request) -> int:
    """How many of the tokens that the model wrote are those of the request, from the first on."""
    pieces = trace.output_pieces[len(trace.output_pieces) - trace.n_written :]
    pairs = enumerate(zip(pieces, request.written, strict=False))
    return next((at for at, (piece, number) in pairs if piece.id != number), min(len(pieces), len(request.written)))

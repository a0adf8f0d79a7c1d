"""Whether a matrix has its colours by the logarithm of its weights: as a person chose, else by how long the text is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from attnviz.session.sight import kind_of

if TYPE_CHECKING:
    from attnviz.session.run import Run
    from attnviz.session.view import View

# Tokens to look at. Shared out evenly among 64 the attention is 0.016 each, 4 of the 256 steps from the paper where a scale ends at
# 1, so that the map of a longer text is one shade but for a few cells; a logarithm of three decades has such weights 102 steps off.
LONG: Final = 64


def is_logarithmic(run: Run | None, view: View) -> bool:
    """Whether the colours of a run's matrix follow the logarithm; of two that are compared, on one scale, both or neither."""
    if view.is_log is not None or run is None:
        return bool(view.is_log)
    traces = [one.trace for one in (run, run.against) if one is not None]
    return any(len(trace.keys(kind_of(trace, view))) >= LONG for trace in traces)


def turned(run: Run | None, view: View) -> bool | None:
    """What a view is to say for the other colours: None where its length gives them."""
    wanted = not is_logarithmic(run, view)
    return None if wanted == is_logarithmic(run, replace(view, is_log=None)) else wanted

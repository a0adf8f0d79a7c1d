"""Which roles a picture may tell of its heads: those of the very model that it shows, run as it was trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from attnviz.session.sight import is_one_map, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from attnviz.probing.measures import Group
    from attnviz.probing.summary import RoleLine, RoleSummary
    from attnviz.session.run import Run
    from attnviz.session.view import View

# Why there is none to tell: nothing was measured, of this attention nothing was, or these are not the heads that were measured.
WhyNone = Literal["not_measured", "other_attention", "what_if"]


@dataclass(frozen=True)
class ShownRoles:
    """The roles of all heads of the attention that a picture shows. summary: the measuring that they are of."""

    summary: RoleSummary

    def of(self, layer: int, head: int) -> tuple[RoleLine, ...]:
        """The roles of a head, jobs first; () for none found, and for a map of several heads."""
        return self._by_head.get((layer, head), ())

    @cached_property
    def _by_head(self) -> Mapping[tuple[int, int], tuple[RoleLine, ...]]:
        return {(line.layer, line.head): line.roles for line in self.summary.heads}


def shown_roles(run: Run, view: View, summary: RoleSummary | None) -> ShownRoles | None:
    """What the picture of a view may tell of its heads; None where that is nothing. summary: of the run's model, as it is known."""
    return ShownRoles(summary) if why_no_roles(run, view, summary) is None else None


def marks_roles(run: Run, view: View, summary: RoleSummary | None) -> bool:
    """Whether the picture of a view marks roles: a grid of single heads that there are any to tell of."""
    return view.picture == "grid" and not is_one_map(run.trace, view) and shown_roles(run, view, summary) is not None


def job_groups(roles: Iterable[RoleLine]) -> tuple[Group, ...]:
    """The groups of a head's jobs, each once, that of the clearest one first; () where it has none, or rests."""
    return tuple(dict.fromkeys(role.group for role in roles if role.is_job))


def why_no_roles(run: Run, view: View, summary: RoleSummary | None) -> WhyNone | None:
    """Why a picture tells no roles; None where it may."""
    if summary is None or _is_of_another_model(run, summary):
        return "not_measured"
    if run.trace.is_what_if:
        return "what_if"
    return None if kind_of(run.trace, view) == summary.kind else "other_attention"


def _is_of_another_model(run: Run, summary: RoleSummary) -> bool:
    """Whether the model is known to be another one; its weights are not read for that."""
    known = vars(run.model).get("sha256")
    measured = next((kind for kind in run.trace.kinds if kind == summary.kind), None)
    if measured is None or (known is not None and known != summary.model_sha256):
        return True
    trained = run.model.config.stack_of(measured).n_head, run.trace.n_layer_of(measured)
    return trained != (summary.n_head, summary.n_layer)

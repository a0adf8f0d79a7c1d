"""Roles of heads as a measuring leaves them, made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.corpus.relations import RELATIONS
from attnviz.probing.measures import measures_of
from attnviz.probing.summary import HeadLine, RoleLine, RoleSummary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from attnviz.session.run import Run

MEASURES: Final = {measure.key: measure for measure in measures_of(RELATIONS)}
_BASELINES: Final = {"share": ("even attention", 0.06), "accuracy": ("fixed offset -2", 0.48)}


def role(key: str, score: float = 0.78, n_case: int = 654) -> RoleLine:
    """One role of a head, its interval 3 points to both sides."""
    measure = MEASURES[key]
    name, baseline = _BASELINES[measure.unit]
    figures = score, score - 0.03, score + 0.03, baseline, name, n_case
    return RoleLine(measure.key, measure.group, measure.title, measure.short, measure.unit, *figures, measure.source)


def summary_for(run: Run, heads: Mapping[tuple[int, int], Sequence[str | RoleLine]], sha256: str | None = None) -> RoleSummary:
    """Roles of a run's model: those of some (layer, head), by their measures' keys. sha256: None for that of its weights."""
    kind = run.trace.kinds[0]
    lines = (HeadLine(*at, tuple(role(one) if isinstance(one, str) else one for one in roles)) for at, roles in heads.items())
    return RoleSummary(
        version=1,
        model=run.model.name,
        model_sha256=run.model.sha256 if sha256 is None else sha256,
        corpus="made-up probe",
        corpus_sha256=64 * "0",
        kind=kind,
        n_layer=run.trace.n_layer_of(kind),
        n_head=run.model.config.stack_of(kind).n_head,
        n_sentence=600,
        heads=tuple(lines),
    )

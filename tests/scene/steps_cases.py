"""Runs whose steps are drawn: one tiny model of each way in which models tell positions apart, and what its picture must name."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final, NamedTuple

from attnviz.engine.changes import NOTHING, Changes, HeadAt, WeightAt
from attnviz.engine.model import load_model
from attnviz.session.run import Run
from attnviz.session.view import HeadChoice, View
from tests.golden.families_reader import expected, write_model
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from attnviz.engine.config import Kind


class Case(NamedTuple):
    """A golden model and the kind of attention to follow, with the headings of the columns that only some models have."""

    name: str
    kind: Kind | None = None
    headings: frozenset[str] = frozenset()
    layer: int = 1

    def __str__(self) -> str:
        return self.name if self.kind is None else f"{self.name}-{self.kind}"


SPECIAL: Final = frozenset({"normed", "turned", "+ bias", "= score", "capped"})
CASES: Final = (
    Case("bert-mlm"),
    Case("distilbert-sinusoidal-bare"),
    Case("llama-gqa", headings=frozenset({"normed", "turned"})),
    Case("llama-rope-yarn", headings=frozenset({"normed", "turned"})),
    Case("gpt-neox-parallel", headings=frozenset({"normed", "turned"})),
    Case("bloom-lm", headings=frozenset({"normed", "+ bias", "= score"})),
    Case("bloom-six-heads-normed-residual", headings=frozenset({"normed", "+ bias", "= score"})),
    Case("t5-tied", "encoder", frozenset({"normed", "+ bias", "= score"})),
    Case("t5-tied", "decoder", frozenset({"normed", "+ bias", "= score"})),
    Case("t5-tied", "cross", frozenset({"normed"})),
    Case("bart-lm", "cross"),
    Case("qwen3-head-dim-tied", headings=frozenset({"normed", "turned"})),
    Case("olmo2-lm", headings=frozenset({"normed", "turned"})),
    Case("gemma2-caps-windows", headings=frozenset({"normed", "turned", "capped"}), layer=0),
    Case("modernbert-mlm", headings=frozenset({"normed", "turned"})),
    Case("gpt-oss-windows-yarn", headings=frozenset({"normed", "turned"}), layer=0),
)


@cache
def run_of_case(name: str, head_count: int | None = None) -> Run:
    """The golden model's run on its longest text."""
    model = load_model(write_model(name, Path(mkdtemp()) / name))
    longest = max(expected(name), key=lambda wanted: len(wanted.text) + len(wanted.pair or ""))
    return run_of(model, longest.text, head_count, pair=longest.pair)


def view_of(case: Case, run: Run, head: int = 1, query: int | None = None) -> View:
    """The case's layer and kind, that head alone, that query by its place among the tokens that look."""
    kind = case.kind or run.trace.kinds[0]
    first = len(run.trace.keys(kind)) if kind == "cross" else 0
    return View(
        picture="steps",
        layer=min(case.layer, run.trace.n_layer_of(kind) - 1),
        kind=case.kind,
        heads=HeadChoice(frozenset({head}), run.trace.head_count_of(kind)),
        focus=None if query is None else first + query,
    )


# What a person may have changed in the head, layer and query that are followed.
WAYS: Final = ("zero", "uniform", "frozen", "half", "more", "set", "set_0", "set_1", "set_two", "set_uniform", "set_frozen")
STRENGTHS: Final = {"zero": 0.0, "frozen": 0.0, "half": 0.5, "more": 1.7, "set_frozen": 0.0}
CHANGED_CASES: Final = (
    Case("bert-mlm"),
    Case("llama-gqa"),
    Case("gpt-oss-windows-yarn", layer=1),
    Case("gemma2-caps-windows", layer=1),
    Case("t5-tied", "cross"),
)


class ChangedCase(NamedTuple):
    """The run of a case without and with what was changed, the view of it, and the weights set in it by their keys."""

    before: Run
    run: Run
    view: View
    weights: dict[int, float]


@cache
def changed_case(case: Case, way: str, head: int = 1) -> ChangedCase:
    """A case in which something is changed in the head that is followed, and for the query that is."""
    run = run_of_case(case.name)
    query = len(run.trace.queries(case.kind)) - 1
    return change(run, view_of(case, run, head, query), query, way)


def change(run: Run, view: View, query: int, way: str) -> ChangedCase:
    """A run with something changed in the head that a view shows, and for a query of it."""
    kind = view.kind or run.trace.kinds[0]
    (head,) = view.heads.heads
    at = HeadAt(kind, view.layer, head)
    weights = _weights_set(run, at, query, way)
    changes = _changes_of(run, at, way)
    for key, value in weights.items():
        changes = changes.with_weight(WeightAt(*at, query, key), value)
    request = replace(run.request, changes=changes)
    trace = run.model.trace(request.text, request.pair, request.head_count, changes=changes)
    return ChangedCase(run, Run(request, run.model, trace, 0.9, 0.0, run.trained, request), view, weights)


def _weights_set(run: Run, at: HeadAt, query: int, way: str) -> dict[int, float]:
    """The weights that a way sets by hand: of the strongest key, or of the two strongest."""
    strongest = run.trace.attention(at.layer, at.kind)[at.head, query].argsort()[::-1].tolist()
    values = {"set_0": (0.0,), "set_1": (1.0,), "set_two": (0.1, 0.45)}.get(way, (0.2,) if way.startswith("set") else ())
    return dict(zip(strongest, values, strict=False))


def _changes_of(run: Run, at: HeadAt, way: str) -> Changes:
    """What a way changes of heads. Where attention is frozen one of the first layer is muted too, so that it would move."""
    if way in ("half", "more"):
        return NOTHING.with_strength(at, STRENGTHS[way]).with_strength(at._replace(head=0), 0.25)
    muting = way.removeprefix("set_")
    if muting not in ("zero", "uniform", "frozen"):
        return NOTHING
    muted = NOTHING.with_muting(muting).with_muted(at, True)
    return muted.with_muted(HeadAt(run.trace.kinds[0], 0, 0), True) if muting == "frozen" else muted

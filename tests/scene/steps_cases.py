"""Runs whose steps are drawn: one tiny model of each way in which models tell positions apart, and what its picture must name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final, NamedTuple

from attnviz.engine.model import load_model
from attnviz.session.view import HeadChoice, View
from tests.golden.families_reader import expected, write_model
from tests.scene.pictures import run_of

if TYPE_CHECKING:
    from attnviz.engine.config import Kind
    from attnviz.session.run import Run


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

"""What the default model's heads do over the bundled corpus: the figures that README.md shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from attnviz.corpus.opening import bundled_corpus
from attnviz.probing.kept import Shelf
from attnviz.probing.roles import measure_heads

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.probing.roles import HeadRoles

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def roles(minilm: Model) -> HeadRoles:
    return measure_heads(minilm, bundled_corpus(), muted=0, shelf=Shelf(None))


def row(roles: HeadRoles, key: str) -> str:
    """A role as README's table has it: the clearest head with its figures, and the others."""
    measured, (first, *others) = roles.by_key[key], roles.heads_with(key)
    score, low, high = (f"{100 * float(side[first]):.0f}" for side in (measured.score, measured.low, measured.high))
    baseline = f"{100 * measured.baseline.score:.0f} %, {measured.baseline.name.replace('-', MINUS)}"
    names = [f"L{layer}.H{head}" for layer, head in (first, *sorted(others))]
    cells = [measured.measure.title, names[0], f"{score} %", f"{low}–{high} %", baseline, f"{measured.n_case:,}"]
    return " | ".join([*cells, ", ".join(names[1:]) or "–"])


MINUS = "\N{MINUS SIGN}"


def test_readme_shows_the_clearest_head_of_each_role(roles: HeadRoles) -> None:
    table = README.split("<!-- roles -->")[1].split("<!-- /roles -->")[0].strip().splitlines()[2:]
    found = [measured.measure.key for measured in roles.measured if roles.heads_with(measured.measure.key)]
    assert table == [f"| {row(roles, key)} |" for key in found]


def test_readme_counts_the_heads_with_and_without_a_job(roles: HeadRoles) -> None:
    every = [roles.roles(layer, head) for layer in range(roles.n_layer) for head in range(roles.n_head)]
    jobs = sum(bool(found) and found[0].measure.group != "rest" for found in every)
    rests = sum(bool(found) and found[0].measure.group == "rest" for found in every)
    none = len(every) - jobs - rests
    told = f"{jobs} of the {len(every)} heads have a job, {rests} only rest on the first token, and for {none} no role"
    assert told in " ".join(README.split())


def test_the_head_that_finds_it_in_the_lesson_finds_antecedents_over_the_corpus(roles: HeadRoles) -> None:
    assert roles.heads_with("pronoun") == [(3, 1)]

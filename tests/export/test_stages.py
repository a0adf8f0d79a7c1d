"""Stages as text: the programs run and give the trace's numbers, the formulas are whole and hold them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pytest

from attnviz.export.stage_latex import as_latex
from attnviz.export.stage_numpy import as_numpy, program_of
from attnviz.export.stages import COPIES
from attnviz.scene.numbers import number
from attnviz.scene.steps.content import content_of
from attnviz.scene.steps.scene import STAGE_TITLES
from attnviz.session.view import HeadChoice, View
from tests.scene.pictures import run_of
from tests.scene.steps_cases import CASES, CHANGED_CASES, WAYS, Case, change, changed_case, run_of_case, view_of

if TYPE_CHECKING:
    from attnviz.engine.model import Model
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName

STAGES: Final = tuple(STAGE_TITLES)
each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_stage = pytest.mark.parametrize("stage", STAGES)


def content(case: Case, query: int | None = None, head_count: int | None = None) -> Content:
    run = run_of_case(case.name, head_count)
    made = content_of(run.trace, view_of(case, run, head=1 if head_count is None else 0, query=query))
    assert made is not None
    return made


def results(of: Content, stage: StageName) -> dict[str, Any]:
    """The names that a stage's program leaves behind."""
    names: dict[str, Any] = {}
    exec(compile(as_numpy(of, stage), stage, "exec"), names)
    assert set(program_of(of, stage).results) <= set(names)
    return names


def wanted(of: Content, stage: StageName) -> dict[str, Any]:
    """What the trace has for them."""
    steps, head = of.steps, of.head
    return {
        "tokens": {"query_token": of.query_token.text},
        "vectors": {"x": steps.entering if steps.normed is None else steps.normed},
        "projections": {"q": steps.q[head], "k": steps.k[head], "v": steps.values[head]},
        "scores": {"scores": steps.scores[head]},
        "softmax": {"attention": steps.attention[head]} | ({} if of.changed is None else {"changed": steps.changed[head]}),
        "weighted": {"weighted": steps.weighted[head], "output": steps.context[head]},
        "heads": {"concatenated": steps.concatenated},
        "output": {"added": steps.added, "new": steps.leaving, "cosine": of.cosine},
    }[stage]


def check(of: Content, stage: StageName) -> None:
    names, known = results(of, stage), wanted(of, stage)
    assert set(program_of(of, stage).results) == set(known)
    for name, values in known.items():
        if isinstance(values, str):
            assert names[name] == values
            continue
        assert np.asarray(names[name]).dtype == np.float32 or name == "cosine"
        np.testing.assert_allclose(names[name], values, rtol=2e-5, atol=2e-6, err_msg=name)


@each_stage
@each_case
def test_every_program_runs_and_gives_the_traces_numbers(case: Case, stage: StageName) -> None:
    check(content(case), stage)


@each_stage
@pytest.mark.parametrize("name", ["llama-gqa", "gemma2-caps-windows", "gpt-oss-windows-yarn", "mistral-window"])
def test_programs_of_early_queries_hide_what_cannot_be_seen(name: str, stage: StageName) -> None:
    of = content(Case(name, layer=0), query=3)
    assert of.steps.hidden.any()
    check(of, stage)


@each_stage
@pytest.mark.parametrize("head_count", [2, 8])
def test_programs_of_what_ifs_give_their_numbers(head_count: int, stage: StageName) -> None:
    check(content(Case("llama-gqa"), head_count=head_count), stage)


@each_stage
def test_the_real_models_programs_run(minilm: Model, stage: StageName) -> None:
    of = content_of(run_of(minilm, "It's “quoted” \\ and {braced} $5 #1 a_b 100% ~^&").trace, View(layer=3))
    assert of is not None
    check(of, stage)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CHANGED_CASES, ids=str)
def test_programs_of_what_was_changed_give_the_traces_numbers(case: Case, way: str) -> None:
    of = changed_content(case, way)
    for stage in STAGES:
        check(of, stage)
    assert ("changed = " in as_numpy(of, "softmax")) == ("changed = " in as_numpy(of, "weighted")) == (of.changed is not None)
    assert ("strength = " in as_numpy(of, "heads")) == (of.steps.strength is not None)


@pytest.mark.parametrize("way", WAYS)
def test_the_real_models_programs_run_with_something_changed(minilm: Model, way: str) -> None:
    view = View(layer=3, heads=HeadChoice(frozenset({1}), 12), focus=10)
    made = change(run_of(minilm, "The animal didn't cross the street because it was tired."), view, 10, way)
    of = content_of(made.run.trace, view)
    assert of is not None
    for stage in STAGES:
        check(of, stage)


def test_programs_run_one_after_the_other_lead_from_the_scores_to_the_heads_side_by_side() -> None:
    """What one stage computes is what the next begins with, to the last digit but for rounding."""
    for way in WAYS:
        of = changed_content(Case("gpt-oss-windows-yarn"), way)
        softmax, weighted, heads = (results(of, stage) for stage in ("softmax", "weighted", "heads"))
        weights = softmax["attention" if of.changed is None else "changed"]
        np.testing.assert_allclose(weights @ weighted["v"], heads["outputs"][of.head], rtol=2e-5, atol=2e-6)
        width = len(weighted["output"])
        part = heads["concatenated"][of.head * width : (of.head + 1) * width]
        np.testing.assert_allclose(part, weighted["output"] * of.strength, rtol=2e-5, atol=2e-6)


def changed_content(case: Case, way: str) -> Content:
    made = changed_case(case, way)
    of = content_of(made.run.trace, made.view)
    assert of is not None
    assert (of.changed is not None) == (way in ("uniform", "frozen") or way.startswith("set"))
    return of


@each_stage
def test_programs_need_numpy_alone_and_say_whose_they_are(stage: StageName) -> None:
    text = as_numpy(content(CASES[0]), stage)
    assert re.findall(r"^(?:import|from) .*", text, re.M) == ["import numpy as np"]
    assert text.startswith(f"# {STAGE_TITLES[stage]}: layer 1, head 1 of ")


@each_stage
@each_case
def test_every_formula_is_whole(case: Case, stage: StageName) -> None:
    check_formula(as_latex(content(case), stage))


@each_stage
def test_formulas_of_awkward_tokens_are_whole(minilm: Model, stage: StageName) -> None:
    of = content_of(run_of(minilm, "\\ {x} $5 # a_b 100% ~ ^ &").trace, View(layer=1))
    assert of is not None
    check_formula(as_latex(of, stage))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CHANGED_CASES, ids=str)
def test_formulas_of_what_was_changed_are_whole_and_hold_it(case: Case, way: str) -> None:
    of, steps = (
        changed_content(case, way),
        changed_case(case, way).run.trace.steps(case.layer, changed_content(case, way).query, case.kind),
    )
    for stage in STAGES:
        check_formula(as_latex(of, stage))
    softmax, weighted, heads = (as_latex(of, stage) for stage in ("softmax", "weighted", "heads"))
    letter = "a" if of.changed is None else "a'"
    assert f"&= {letter} V =" in weighted
    assert weighted.startswith(f"\\[\n\\begin{{aligned}}\n{letter} &=")
    assert ("a' &=" in softmax) == (of.changed is not None)
    for key, value in changed_case(case, way).weights.items():
        assert f"a'_{{{key}}} &= {value:g} \\\\" in softmax
    if way == "uniform":
        assert f"\\frac{{1}}{{{int(of.sees.sum())}}}" in softmax
    factor = re.search(r"a'_j &= ([\d.]+)\\, a_j \\text\{ for the others\}", softmax)
    assert bool(factor) == (way.startswith("set") and way not in ("set_uniform", "set_frozen"))
    if factor:
        others = [key for key in range(len(of.weights)) if key not in of.changed.chosen]
        np.testing.assert_allclose(of.weights[others], float(factor[1]) * of.by_softmax[others], rtol=1e-4, atol=1e-7)
    strengths = {
        head: float(value) for names, value in re.findall(r"^(c_.*) &= ([\d.]+) \\\\$", heads, re.M) for head in heads_in(names)
    }
    known = np.ones(of.head_count) if steps.strength is None else steps.strength
    assert strengths == {head: pytest.approx(float(value)) for head, value in enumerate(known) if value != 1.0}


def heads_in(names: str) -> list[int]:
    return [int(head) for head in re.findall(r"c_\{(\d+)\}", names)]


def check_formula(text: str) -> None:
    """Braces and environments close, only known commands are used, no matrix is wider or taller than six."""
    bare = re.sub(r"\\[{}&%$#_]", "", text)
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    opened: list[str] = []
    for way, name in re.findall(r"\\(begin|end)\{(\w+)\}", bare):
        if way == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    assert not set("%$#~") & set(bare)
    assert set(re.findall(r"\\([A-Za-z]+)", bare)) <= COMMANDS
    for matrix in re.findall(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", bare, re.S):
        rows = matrix.split("\\\\")
        assert len(rows) <= 6
        assert len({row.count("&") for row in rows}) == 1
        assert rows[0].count("&") <= 5


COMMANDS: Final = set(
    "begin end text cdots vdots cdot mathrm frac sum top tanh left right infty cos "
    "textasciitilde textasciicircum textbackslash".split()
)


@each_case
def test_a_formula_begins_with_the_traces_first_numbers(case: Case) -> None:
    of = content(case)
    for stage, name, values in (
        ("scores", "s", of.steps.scores[of.head]),
        ("softmax", "a", of.steps.attention[of.head]),
        ("output", "y", of.steps.leaving),
    ):
        line = re.search(rf"^{name} &= .*\\begin{{pmatrix}} (.*?) \\end{{pmatrix}}", as_latex(of, stage), re.M)
        assert line
        parts = line[1].split(" & ")
        assert ("\\cdots" in parts) == (len(values) > 6)
        for part, value in zip(parts[:3], values[:3], strict=False):
            if np.isinf(value):
                assert part == "-\\infty"
            else:
                plain = re.sub(r" \\cdot 10\^\{(-?\d+)\}", r"e\1", part)
                assert float(plain) == float(number(float(value)).replace("\N{MINUS SIGN}", "-"))


def test_both_forms_are_on_offer() -> None:
    assert {name: label for name, (label, _) in COPIES.items()} == {"numpy": "NumPy", "latex": "LaTeX"}

"""A stage of the steps as a LaTeX formula with its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.numbers import MINUS, number
from attnviz.scene.steps.words import inputs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.ops import Float32
    from attnviz.scene.steps.changed import Changed
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName

# A matrix in a formula shows so many rows and columns at most; of a larger one so many of the first and the last.
# Six columns of these numbers fit the 345 pt of an article's text, eight stood out of it by up to 176 pt.
_MOST: Final = 6
_FIRST, _LAST = 3, 2
_SIGNS: Final = str.maketrans(
    {sign: f"\\{sign}" for sign in "&%$#_{}"} | {"~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "\\": "\\textbackslash{}"}
)
# The stages of queries and keys, as fields of Steps and as a subscript names them.
_SUBSCRIPTS: Final = {"projected": "", "normed": "_{\\mathrm{norm}}", "turned": "_{\\mathrm{RoPE}}"}


def as_latex(content: Content, stage: StageName) -> str:
    """A stage as a displayed formula for amsmath with this run's numbers, large matrices cut to their edges.

    Letters are the picture's: x what enters, n behind a norm, e the encoder's vectors; W a linear layer with its bias; capitals
    have a row per key.
    """
    lines = " \\\\\n".join(_FORMULAS[stage](content))
    return f"\\[\n\\begin{{aligned}}\n{lines}\n\\end{{aligned}}\n\\]\n"


def _tokens_formula(content: Content) -> list[str]:
    names = [f"\\text{{{_escaped(token.shown)}}}" for token in content.keys]
    row = " & ".join(_cut(names, "\\cdots"))
    query = f"\\text{{query}} &= \\text{{{_escaped(content.query_token.shown)}}}"
    return [f"\\text{{tokens}} &= \\begin{{pmatrix}} {row} \\end{{pmatrix}}", query]


def _vectors_formula(content: Content) -> list[str]:
    steps = content.steps
    lines = [f"x &= {_matrix(steps.entering)}"]
    return lines if steps.normed is None else [*lines, f"n &= \\mathrm{{norm}}(x) = {_matrix(steps.normed)}"]


def _projections_formula(content: Content) -> list[str]:
    steps, head = content.steps, content.head
    lines, (query, key) = [], inputs_of(content)
    for side, letter, made in (("q", "q", f"{query} W_Q"), ("k", "K", f"{key.upper()} W_K")):
        for name, subscript in _SUBSCRIPTS.items():
            values = getattr(steps, f"{side}_{name}")
            if values is not None:
                how = f"{made} = " if name == "projected" else ""
                lines.append(f"{letter}{subscript} &= {how}{_matrix(values[head])}")
    return [*lines, f"V &= {key.upper()} W_V = {_matrix(steps.values[head])}"]


def _scores_formula(content: Content) -> list[str]:
    steps, head = content.steps, content.head
    lines = [f"q &= {_matrix(steps.q[head])}", f"K &= {_matrix(steps.k[head])}"]
    made = f"{_tex(steps.scale)}\\, q K^{{\\top}}"
    if steps.bias is not None:
        lines.append(f"b &= {_matrix(steps.bias[head])}")
        made += " + b"
    if steps.capped is not None:
        cap = f"{steps.look.soft_cap:g}"
        made = f"{cap} \\tanh\\left(\\frac{{{made}}}{{{cap}}}\\right)"
    return [*lines, f"s &= {made} = {_matrix(steps.scores[head])}"]


def _softmax_formula(content: Content) -> list[str]:
    steps, head = content.steps, content.head
    total, lines = "\\sum_i e^{s_i}", [f"s &= {_matrix(steps.scores[head])}"]
    if steps.sink_score is not None:
        total += " + e^{s_{\\mathrm{sink}}}"
        lines.append(f"s_{{\\mathrm{{sink}}}} &= {_tex(float(steps.sink_score[head]))}")
    lines += [f"a_j &= \\frac{{e^{{s_j}}}}{{{total}}}", f"a &= {_matrix(steps.attention[head])}"]
    return lines if content.changed is None else [*lines, *_changed_lines(content.changed)]


def _changed_lines(changed: Changed) -> list[str]:
    """What a person made of the weights: how, and what they are then."""
    lines, others = [], " \\text{ for the others}" if changed.chosen else ""
    if len(changed.chosen) <= _MOST:
        lines += [f"a'_{{{key}}} &= {_chosen(changed.weights[key])}" for key in changed.chosen]
    if changed.base == "frozen":
        scaled = ", scaled," if changed.chosen else ""
        lines.append(f"a'_j &= \\text{{as in the run without changes}}{scaled}{others}")
    elif changed.factor is not None:
        lines.append(f"a'_j &= {_tex(changed.factor, 5)}\\, a_j{others}")
    elif changed.n_other:
        whom = "the others" if changed.chosen else "all"
        lines.append(f"a'_j &= \\frac{{{_chosen(changed.left)}}}{{{changed.n_other}}} \\text{{ for {whom} that are seen}}")
    return [*lines, f"a' &= {_matrix(changed.weights)}"]


def _weighted_formula(content: Content) -> list[str]:
    steps, head = content.steps, content.head
    weights = "a" if content.changed is None else "a'"
    return [
        f"{weights} &= {_matrix(content.weights)}",
        f"V &= {_matrix(steps.values[head])}",
        f"o_{{{head}}} &= {weights} V = {_matrix(steps.context[head])}",
    ]


def _heads_formula(content: Content) -> list[str]:
    strength = content.steps.strength
    names = [f"o_{{{head}}}" if strength is None else f"c_{{{head}}} o_{{{head}}}" for head in range(content.head_count)]
    row = " & ".join(_cut(names, "\\cdots"))
    lines = [f"o &= \\begin{{pmatrix}} {row} \\end{{pmatrix}}", f"&= {_matrix(content.steps.concatenated)}"]
    return lines if strength is None else [*_strength_lines(strength), *lines]


def _strength_lines(strength: Float32) -> list[str]:
    """The factors on the heads' outputs: those that are not 1, each with its heads."""
    heads: dict[float, list[str]] = {}
    for head, value in enumerate(strength):
        if value != 1.0:
            heads.setdefault(float(value), []).append(f"c_{{{head}}}")
    lines = [", ".join(_cut(names, "\\cdots")) + f" &= {_chosen(value)}" for value, names in heads.items()]
    return [*lines, "c_j &= 1 \\text{ for the others}"] if sum(map(len, heads.values())) < len(strength) else lines


def _output_formula(content: Content) -> list[str]:
    steps = content.steps
    part = "o W_O"
    projected = [f"{part} &= {_matrix(steps.projected)}"]
    if steps.output_normed is not None:
        part = f"\\mathrm{{norm}}({part})"
        projected.append(f"{part} &= {_matrix(steps.output_normed)}")
    letter = "n" if content.residual_is_normed and steps.normed is not None else "x"
    total = f"{letter} + {part}"
    if not np.array_equal(steps.added, steps.leaving):
        total = f"\\mathrm{{norm}}({total})"
    angle = f"\\cos(x, y) &= {_tex(content.cosine)}"
    before = [f"x &= {_matrix(steps.entering)}"]
    if letter == "n":
        before.append(f"n &= {_matrix(steps.normed)}")
    return [*projected, *before, f"y &= {total} = {_matrix(steps.leaving)}", angle]


_FORMULAS: Final[dict[StageName, Callable[[Content], list[str]]]] = {
    "tokens": _tokens_formula,
    "vectors": _vectors_formula,
    "projections": _projections_formula,
    "scores": _scores_formula,
    "softmax": _softmax_formula,
    "weighted": _weighted_formula,
    "heads": _heads_formula,
    "output": _output_formula,
}


def _matrix(values: Float32) -> str:
    """A vector as a row, a matrix with its rows, both without their middle where they are large."""
    rows = np.atleast_2d(values)
    lines = _cut([" & ".join(_cut([_tex(float(value)) for value in row], "\\cdots")) for row in rows], None)
    width = lines[0].count("&") + 1
    dots = " & ".join(["\\vdots"] * width)
    return "\\begin{pmatrix} " + " \\\\ ".join(line if line is not None else dots for line in lines) + " \\end{pmatrix}"


def _cut(parts: list[str], dots: str | None) -> list[str | None]:
    """The first and the last parts with dots between them, where there are many."""
    return parts if len(parts) <= _MOST else [*parts[:_FIRST], dots, *parts[-_LAST:]]


def _tex(value: float, digits: int = 3) -> str:
    """A number as a formula writes it, with so many significant digits."""
    if not np.isfinite(value):
        return "-\\infty" if value < 0 else "\\infty"
    mantissa, _, exponent = number(value, digits).replace(MINUS, "-").partition("e")
    return f"{mantissa} \\cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def _chosen(value: float) -> str:
    """A number that a person chose, which has few decimals."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _escaped(text: str) -> str:
    """Text that TeX sets as it is."""
    return text.translate(_SIGNS)

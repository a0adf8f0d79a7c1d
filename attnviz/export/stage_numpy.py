"""A stage of the steps as a program that needs NumPy alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np

from attnviz.scene.steps.scene import STAGE_TITLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from attnviz.scene.steps.changed import Changed
    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName

    Array = NDArray[Any]

Rest = Literal["others", "sink", "nobody"]


class Program(NamedTuple):
    """arrays: what a stage begins with, by name; lines: what makes its results of them; results: their names."""

    arrays: dict[str, Array | float]
    lines: tuple[str, ...]
    results: tuple[str, ...]


def as_numpy(content: Content, stage: StageName) -> str:
    """A stage as a program: its arrays, float32 to the last digit, and the lines that compute its results.

    Products with weights and norms of whole vectors, whose weights would fill pages, stand as the model made them.
    """
    program = program_of(content, stage)
    token = f"{content.query_token.text!r} (token {content.query})"
    head = f"# {STAGE_TITLES[stage]}: layer {content.layer}, head {content.head} of {content.head_count}, query {token}"
    arrays = [f"{name} = {_literal(values)}" for name, values in program.arrays.items()]
    return "\n".join([head, "import numpy as np", "", *arrays, *program.lines, ""])


def program_of(content: Content, stage: StageName) -> Program:
    """What a stage begins with, and what it computes."""
    return _PROGRAMS[stage](content)


def _tokens_program(content: Content) -> Program:
    tokens = np.array([token.text for token in content.keys])
    if content.is_cross:
        return Program({"tokens": tokens, "query_token": np.array(content.query_token.text)}, (), ("query_token",))
    return Program({"tokens": tokens, "query": content.query}, ("query_token = tokens[query]",), ("query_token",))


def _vectors_program(content: Content) -> Program:
    steps = content.steps
    if steps.normed is None:
        return Program({"x": steps.entering}, (), ("x",))
    return Program({"entering": steps.entering, "x": steps.normed}, ("# x is `entering` behind the layer's norm",), ("x",))


def _projections_program(content: Content) -> Program:
    """The projected vectors with their norms as they are; the turn by the position is computed where the heads are the trained."""
    steps, head = content.steps, content.head
    arrays, lines = {}, []
    for side in "qk":
        for name in ("projected", "normed", "turned"):
            values = getattr(steps, f"{side}_{name}")
            if values is not None and name != "turned":
                arrays[f"{side}_{name}"] = values[head]
            elif values is not None:
                arrays |= _turn(content, side, arrays, lines, values[head])
        last = next(name for name in ("turned", "normed", "projected") if getattr(steps, f"{side}_{name}") is not None)
        lines.append(f"{side} = {side}_{last}")
    arrays["v"] = steps.values[head]
    return Program(arrays, tuple(lines), ("q", "k", "v"))


def _turn(content: Content, side: str, arrays: dict[str, Array], lines: list[str], turned: Array) -> dict[str, Array]:
    """The arrays that a turn by the positions needs; with a what-if its result, for a head there is no head that was turned."""
    if content.head_count != content.steps.n_head:
        return {f"{side}_turned": turned}
    before = f"{side}_normed" if f"{side}_normed" in arrays else f"{side}_projected"
    cos, sin = content.steps.look.rope.table(len(content.keys))
    rows = content.query if side == "q" else slice(None)
    half = cos.shape[-1]
    lines += [
        f"left, right = {before}[..., :{half}], {before}[..., {half} : {2 * half}]",
        f"turned = [left * cos_{side} - right * sin_{side}, right * cos_{side} + left * sin_{side}, {before}[..., {2 * half} :]]",
        f"{side}_turned = np.concatenate(turned, axis=-1)",
    ]
    return {f"cos_{side}": cos[rows], f"sin_{side}": sin[rows]}


def _scores_program(content: Content) -> Program:
    steps, head = content.steps, content.head
    arrays = {"q": steps.q[head], "k": steps.k[head], "scale": steps.scale}
    lines = ["scores = k @ q * np.float32(scale)"]
    if steps.bias is not None:
        arrays["bias"] = steps.bias[head]
        lines.append("scores += bias")
    if steps.capped is not None:
        arrays["cap"] = float(steps.look.soft_cap)
        lines.append("scores = np.float32(cap) * np.tanh(scores / np.float32(cap))")
    if steps.hidden.any():
        arrays["hidden"] = steps.hidden
        lines.append("scores[hidden] = -np.inf")
    return Program(arrays, tuple(lines), ("scores",))


def _softmax_program(content: Content) -> Program:
    steps, head = content.steps, content.head
    arrays: dict[str, Array | float] = {"scores": steps.scores[head]}
    if steps.sink_score is None:
        lines = ["shares = np.exp(scores - scores.max())", "attention = shares / shares.sum()"]
    else:
        arrays["sink"] = float(steps.sink_score[head])
        lines = [
            "largest = np.maximum(scores.max(), np.float32(sink))",
            "shares = np.exp(scores - largest)",
            "attention = shares / (shares.sum() + np.exp(np.float32(sink) - largest))",
        ]
    if content.changed is None:
        return Program(arrays, tuple(lines), ("attention",))
    _change(content, content.changed, arrays, lines)
    return Program(arrays, tuple(lines), ("attention", "changed"))


def _change(content: Content, changed: Changed, arrays: dict[str, Array | float], lines: list[str]) -> None:
    """Add what a person made of the attention: `changed`."""
    if changed.base == "frozen":  # of another run, with what was set by hand
        arrays["changed"] = changed.weights
        but = ", but for weights set by hand" if changed.chosen else ""
        lines.append(f"# changed is the attention of the run without changes{but}")
        return
    if changed.is_alike:
        arrays["visible"] = content.sees
        lines.append("changed = visible.astype(np.float32) / np.float32(visible.sum())")
    else:
        lines.append("changed = attention.copy()")
    if changed.chosen:
        arrays["set_keys"] = np.array(changed.chosen)
        arrays["set_weights"] = changed.weights[list(changed.chosen)]
        lines += ["left = max(np.float32(0), 1 - set_weights.sum())", "changed[set_keys] = 0", *_SCALED[_rest_of(content, changed)]]
        lines.append("changed[set_keys] = set_weights")


# How what is left of a row is shared by the others, for each way in which they had something.
_SCALED: Final[dict[Rest, tuple[str, ...]]] = {
    "others": ("changed *= left / changed.sum()",),
    "sink": (
        "share = np.exp(np.float32(sink) - largest) / (shares.sum() + np.exp(np.float32(sink) - largest))",
        "changed *= left / (changed.sum() + share)",
    ),
    "nobody": (),
}


def _rest_of(content: Content, changed: Changed) -> Rest:
    """Who shares what is left beside the keys set by hand: the other keys, with the learned sink or without it, or nobody."""
    if not changed.is_alike and content.steps.sink_score is not None:
        return "sink"
    return "others" if changed.n_other else "nobody"


def _weighted_program(content: Content) -> Program:
    name = "attention" if content.changed is None else "changed"
    arrays = {name: content.weights, "v": content.steps.values[content.head]}
    lines = (f"weighted = {name}[:, None] * v", "output = weighted.sum(axis=0)")
    return Program(arrays, lines, ("weighted", "output"))


def _heads_program(content: Content) -> Program:
    outputs, strength = content.steps.context, content.steps.strength
    if strength is None:
        return Program({"outputs": outputs}, ("concatenated = outputs.reshape(-1)",), ("concatenated",))
    lines = ("concatenated = (outputs * strength[:, None]).reshape(-1)",)
    return Program({"outputs": outputs, "strength": strength}, lines, ("concatenated",))


def _output_program(content: Content) -> Program:
    """The sum with the residual; the products with W_O and the norms as the model made them."""
    steps = content.steps
    arrays = {"projected": steps.projected}
    if steps.output_normed is not None:
        arrays["output_normed"] = steps.output_normed
    residual = "normed" if content.residual_is_normed and steps.normed is not None else "entering"
    arrays["entering"] = steps.entering
    if residual == "normed":
        arrays["normed"] = steps.normed
    lines = [f"added = {'projected' if steps.output_normed is None else 'output_normed'} + {residual}"]
    if np.array_equal(steps.added, steps.leaving):
        lines.append("new = added")
    else:
        arrays["new"] = steps.leaving
        lines.append("# new is `added` behind the layer's norm")
    lines.append("cosine = entering @ new / (np.linalg.norm(entering) * np.linalg.norm(new))")
    return Program(arrays, tuple(lines), ("added", "new", "cosine"))


_PROGRAMS: Final[dict[StageName, Callable[[Content], Program]]] = {
    "tokens": _tokens_program,
    "vectors": _vectors_program,
    "projections": _projections_program,
    "scores": _scores_program,
    "softmax": _softmax_program,
    "weighted": _weighted_program,
    "heads": _heads_program,
    "output": _output_program,
}


def _literal(values: Array | float) -> str:
    """An array or a number as Python writes it."""
    if isinstance(values, int | float):
        return repr(values)
    kind = {"f": ", dtype=np.float32", "b": ", dtype=bool"}.get(values.dtype.kind, "")
    if values.ndim == 2:
        rows = "\n".join(f"    {_row(row)}," for row in values)
        return f"np.array([\n{rows}\n]{kind})"
    return repr(str(values)) if values.ndim == 0 else f"np.array({_row(values)}{kind})"


def _row(values: Array) -> str:
    if values.dtype.kind != "f":
        return repr(values.tolist())
    # str() of a float32 has just the digits that make it again.
    return "[" + ", ".join(str(value).replace("inf", "np.inf").replace("nan", "np.nan") for value in values) + "]"

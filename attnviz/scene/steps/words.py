"""What the stages of the steps say: one plain sentence and one formula each, with the true sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.numbers import fixed, number
from attnviz.scene.steps.arithmetic import exponential_of, scale_of
from attnviz.scene.steps.change_words import change_of
from attnviz.scene.steps.scene import STAGE_TITLES
from attnviz.scene.steps.softmax import shown_exponentials, shown_weights
from attnviz.scene.steps.table import name_of, rows_of
from attnviz.scene.words import count_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.scene.steps.content import Content
    from attnviz.scene.steps.scene import StageName
    from attnviz.session.view import View

_BREAK: Final = "\n"  # where a formula may go on in another line


def sentence_of(content: Content, stage: StageName) -> str:
    """What happens in a stage, for somebody who never saw it."""
    return _SENTENCES[stage](content)


def formula_of(content: Content, stage: StageName) -> str:
    """The formula of a stage with the sizes or numbers of this one; its parts keep together where it is wrapped."""
    return _FORMULAS[stage](content).replace(" ", "\N{NO-BREAK SPACE}").replace(_BREAK, " ")


def lead_line(content: Content, is_captioned: bool) -> str:
    """Which token's way it is, through which head where no caption says so, and how either came to be taken."""
    chosen = ""
    if not content.was_pinned:
        last = "the last token" if content.query_token.is_special else "the last token of the text"
        chosen = f", {last}" if is_captioned else f", {last}; pick another with a click"
    way = f"how “{content.query_token.shown}” (token {content.query}{chosen}) gets its new vector"
    lowest = content.n_shown_head > 1
    if is_captioned:
        return way + (f", in head {content.head}, the lowest of those shown" if lowest else "")
    where = f"in layer {content.layer}, head {content.head} of {content.head_count}"
    return f"{way} {where}{' (the lowest of those shown)' if lowest else ''}  ·  arrow keys: another token, another head"


def own_tokens_line(view: View) -> str | None:
    """That nothing of how the other pictures treat tokens changes this one; None where the view has nothing of the kind."""
    asked = [
        name
        for name, is_set in (
            ("whole words", view.words),
            ("sinks", view.sinks.treatment != "show"),
            ("pairs of texts", view.between != "all"),
            ("the quantity", view.quantity != "attention"),
            ("the mean of heads", view.is_mean),
        )
        if is_set
    ]
    if not asked:
        return None
    listed = asked[0] if len(asked) == 1 else f"{', '.join(asked[:-1])} and {asked[-1]}"
    return f"the model computes with its own tokens, all of them: nothing here is changed by {listed}"


def description_of(content: Content, caption: str) -> str:
    """The picture in words."""
    top = np.argsort(-content.weights, kind="stable")[:3]
    looks = ", ".join(f"{content.keys[key].shown} {content.weights[key]:.2f}" for key in top if content.weights[key] > 0)
    told = (
        f"Steps of the attention of {content.query_token.shown} in {caption}: it looks most at {looks}; "
        f"its vector before and after have a cosine of {number(content.cosine)}."
    )
    return " ".join(filter(None, (told, *(change_of(content, stage) for stage in STAGE_TITLES))))


def _tokens_sentence(content: Content) -> str:
    if content.is_cross:
        return "The query, on top, looks at the encoder's tokens."
    return f"The query, on top, looks {'back' if content.steps.look.is_causal else 'at all tokens'}."


def _vectors_sentence(content: Content) -> str:
    if content.is_cross:
        start = "Each is a row of numbers: the query's of the decoder, the others as the encoder left them."
    elif content.layer == 0:
        start = "Each is a row of numbers, its embedding: what it means by itself."
    else:
        start = f"Each is a row of numbers, as layer {content.layer - 1} left it."
    return start if content.steps.normed is None else f"{start} A norm evens it out first."


def _projections_sentence(content: Content) -> str:
    parts = ["What a token asks for (q), offers (k), passes on (v)."]
    if content.head_count != content.steps.n_head:
        parts.append(_what_if_sentence(content))
    group = content.group
    if len(group) > 1:
        first, last = int(content.steps.kv_head[content.head]), int(content.steps.kv_last[content.head])
        which = f"group {first}" if first == last else f"groups {first}\N{EN DASH}{last}"
        parts.append(f"Keys and values of {which} serve heads {group[0]}\N{EN DASH}{group[-1]}.")
    if content.steps.q_normed is not None:
        parts.append("Both are normed.")
    if content.steps.q_turned is not None:
        parts.append(f"RoPE turns both by position, the query by {content.query}.")
    return " ".join(parts)


def _what_if_sentence(content: Content) -> str:
    """What a head of a what-if is made of: several trained heads as one, or a part of one."""
    head, count, n_head = content.head, content.head_count, content.steps.n_head
    if count < n_head:
        size = n_head // count
        return f"Here the trained heads {head * size}\N{EN DASH}{(head + 1) * size - 1} are one."
    parts = count // n_head
    return f"Here this is part {head % parts + 1} of {parts} of the trained head {head // parts}."


def _scores_sentence(content: Content) -> str:
    parts = ["How well the query fits each key: multiplied number by number, and summed."]
    if content.steps.bias is not None:
        parts.append("A bias for the distance is added.")
    if content.steps.hidden.any():
        look = content.steps.look
        if look.is_causal:
            parts.append("Later tokens cannot be seen.")
        if look.reach is not None:
            parts.append(
                f"Nor can those more than {look.reach} away." if look.is_causal else f"Only {look.reach} each way are seen."
            )
    return " ".join(parts)


def _softmax_sentence(content: Content) -> str:
    sink = "" if content.steps.sink_share is None else ", a learned sink's in it,"
    return f"exp makes all scores positive; each one's share of the sum{sink} is its weight: the attention."


def _weighted_sentence(content: Content) -> str:
    return "Values times weights. Their sum is what the head found."


def _heads_sentence(content: Content) -> str:
    if content.head_count == 1:
        return "The only head's output is the whole."
    return f"All {content.head_count} did the same at once. Side by side they make one vector."


def _output_sentence(content: Content) -> str:
    together = " So is the feed-forward part, from the same x." if content.is_parallel else ""
    return f"W_O mixes the heads; the token's own vector is added: now it knows its context.{together}"


_SENTENCES: Final[dict[StageName, Callable[[Content], str]]] = {
    "tokens": _tokens_sentence,
    "vectors": _vectors_sentence,
    "projections": _projections_sentence,
    "scores": _scores_sentence,
    "softmax": _softmax_sentence,
    "weighted": _weighted_sentence,
    "heads": _heads_sentence,
    "output": _output_sentence,
}


def _vectors_formula(content: Content) -> str:
    size = len(content.steps.entering)
    return f"x [{size}]" if content.steps.normed is None else f"n = norm(x){_BREAK}[{size}]"


def inputs_of(content: Content) -> tuple[str, str]:
    """The letters of what queries and of what keys and values are made of: x as it entered, n behind the norm, e the encoder's."""
    query = "x" if content.steps.normed is None else "n"
    return query, "e" if content.is_cross else query


def _projections_formula(content: Content) -> str:
    size, width = len(content.steps.entering), content.steps.q.shape[-1]
    query, key = inputs_of(content)
    sizes = f"[{size}] \N{RIGHTWARDS ARROW} [{width}]"
    return _BREAK.join((f"q = {query}·W_Q,", f"k = {key}·W_K,", f"v = {key}·W_V", sizes))


def _scores_formula(content: Content) -> str:
    steps = content.steps
    formula = f"s = q·k {scale_of(content)}" + ("" if steps.bias is None else " + bias")
    cap = steps.look.soft_cap
    return formula if cap is None else f"{formula}, then{_BREAK}{cap:g}·tanh(s ÷ {cap:g})"


def _softmax_formula(content: Content) -> str:
    """The softmax's largest weight as its exponential over the sum of all, which is the one in the table's row of sums."""
    key, rows = int(content.by_softmax.argmax()), rows_of(content)
    shown, decimals = shown_exponentials(content, rows), shown_weights(content, rows).decimals
    total, weight = round(shown.total, shown.total_decimals), fixed(float(content.by_softmax[key]), decimals)
    own = round(shown.each[1 + content.shown.index(key)], shown.decimals)

    def is_right(made: float) -> bool:
        return round(made, shown.decimals) == own and fixed(made / total, decimals) == weight

    over = exponential_of(content, key, is_right)
    return _BREAK.join((f"{name_of(content.keys[key].shown)}:", over, f"÷ {fixed(total, shown.total_decimals)} = {weight}"))


def _weighted_formula(content: Content) -> str:
    return f"o = Σ weight·v{_BREAK}[{content.steps.context.shape[-1]}]"


def _heads_formula(content: Content) -> str:
    count, width = content.steps.context.shape
    each = "o: " if content.steps.strength is None else f"o × strength:{_BREAK}"
    return f"{each}{count} × [{width}] = [{count * width}]"


def _output_formula(content: Content) -> str:
    steps = content.steps
    part = "o·W_O" if steps.output_normed is None else "norm(o·W_O)"
    total = f"{'n' if content.residual_is_normed and steps.normed is not None else 'x'} + {part}"
    norm = total if np.array_equal(steps.added, steps.leaving) else f"norm({total})"
    return f"y = {norm}{_BREAK}[{len(steps.concatenated)}] \N{RIGHTWARDS ARROW} [{len(steps.projected)}]"


_FORMULAS: Final[dict[StageName, Callable[[Content], str]]] = {
    "tokens": lambda content: count_of(len(content.keys), "token"),
    "vectors": _vectors_formula,
    "projections": _projections_formula,
    "scores": _scores_formula,
    "softmax": _softmax_formula,
    "weighted": _weighted_formula,
    "heads": _heads_formula,
    "output": _output_formula,
}

"""The arithmetic behind single numbers of the steps, as one writes it down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.numbers import MINUS, fixed, number

if TYPE_CHECKING:
    from attnviz.scene.steps.content import Content

# Beyond this size the exponential of a score is no number to read, and the largest score is taken off first, as the run does.
_READABLE: Final = 12.0
_N_TERM: Final = 3


def product_of(content: Content, key: int) -> str:
    """q·k of a key by its first terms: "2.42·1.10 − 1.15·1.13 + 2.96·0.983 and 29 more"."""
    q, k = content.steps.q[content.head], content.steps.k[content.head, key]
    terms = [f"{_signed(float(a), first=i == 0)}·{_factor(float(b))}" for i, (a, b) in enumerate(zip(q[:_N_TERM], k, strict=False))]
    more = len(q) - len(terms)
    return " ".join(terms) + (f" and {more} more" if more else "")


def scaled_of(content: Content, key: int) -> str:
    """The scaled product: "22.1 × 0.177"."""
    return f"{number(float(content.steps.products[content.head, key]))} × {number(content.steps.scale)}"


def biased_of(content: Content, key: int) -> str:
    """The score with its bias: "0.472 − 1.67"."""
    scaled, bias = (float(values[content.head, key]) for values in (content.steps.scaled, content.steps.bias))
    return f"{number(scaled)} {_signed(bias)}"


def capped_of(content: Content, key: int) -> str:
    """The score behind the soft-cap: "50·tanh(3.11 ÷ 50)"."""
    steps, cap = content.steps, f"{content.steps.look.soft_cap:g}"
    before = number(float(steps.scaled[content.head, key])) if steps.bias is None else biased_of(content, key)
    return f"{cap}·tanh({before if steps.bias is None else f'({before})'} ÷ {cap})"


def weight_of(content: Content, key: int | None) -> tuple[str, str]:
    """A key's weight, or for None the learned sink's, as ("exp(3.90)", "÷ 71.3"): its exponential over the sum of all."""
    steps, head = content.steps, content.head
    scores = steps.scores[head].astype(np.float64)
    if steps.sink_score is not None:
        scores = np.append(scores, float(steps.sink_score[head]))
    largest = float(scores.max())
    taken = largest if abs(largest) > _READABLE else 0.0
    less = "" if taken == 0.0 else f" {MINUS if taken > 0 else '+'} {fixed(abs(taken), 2)}"
    score = float(scores[-1 if key is None else key])
    return f"exp({fixed(score, 2)}{less})", f"÷ {number(float(np.exp(scores - taken).sum()))}"


def _signed(value: float, first: bool = False) -> str:
    """A term of a sum."""
    if first:
        return number(value)
    return f"{MINUS if value < 0 else '+'} {number(abs(value))}"


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)

"""The arithmetic behind single numbers of the steps, as one writes it down: whoever works it out gets what the picture says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.scene.numbers import MINUS, fixed, number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from attnviz.scene.steps.changed import Changed
    from attnviz.scene.steps.content import Content

TOLD_DIGITS: Final = 5  # of a number that the pointer is at
# Between these largest scores the exponentials are numbers to read; else the largest is taken off first, as the run always does.
_READABLE: Final = (-2.0, 7.0)
_N_TERM: Final = 3
_MOST_DIGITS: Final = 9  # a float32 has no more


def product_of(content: Content, key: int) -> str:
    """q·k of a key by its first terms: "2.42·1.10 − 1.15·1.13 + 2.96·0.983 and 29 more"."""
    q, k = content.steps.q[content.head], content.steps.k[content.head, key]
    pairs = zip(q[:_N_TERM], k[:_N_TERM], strict=True)
    terms = [f"{_signed(number(float(a)), first=at == 0)}·{_factor(float(b))}" for at, (a, b) in enumerate(pairs)]
    more = len(q) - len(terms)
    return " ".join(terms) + (f" and {more} more" if more else "")


def scale_of(content: Content) -> str:
    """What a product is scaled by, as a heading has it: "÷ √32", or "× 0.0625" where that is no such root."""
    scale, width = content.steps.scale, content.steps.q.shape[-1]
    return f"÷ √{width}" if math.isclose(scale, 1 / math.sqrt(width), rel_tol=1e-5) else f"× {scale:.6g}"


def scaled_of(content: Content, key: int) -> str:
    """The scaled product: "22.066 ÷ √32"."""
    steps, head = content.steps, content.head
    return _fitting(
        lambda parts: f"{parts[0]} {scale_of(content)}",
        lambda values: values[0] * steps.scale,
        [steps.products[head, key]],
        steps.scaled[head, key],
    )


def biased_of(content: Content, key: int) -> str:
    """The score with its bias: "0.472 − 1.67"."""
    steps, head = content.steps, content.head
    parts = [steps.scaled[head, key], steps.bias[head, key]]
    return _fitting(_sum, sum, parts, steps.scores[head, key])


def capped_of(content: Content, key: int) -> str:
    """The score behind the soft-cap: "50·tanh(3.11 ÷ 50)"."""
    steps, head, cap = content.steps, content.head, float(content.steps.look.soft_cap)
    parts = [steps.scaled[head, key]] + ([] if steps.bias is None else [steps.bias[head, key]])

    def written(texts: Sequence[str]) -> str:
        return f"{cap:g}·tanh({texts[0] if len(texts) == 1 else f'({_sum(texts)})'} ÷ {cap:g})"

    return _fitting(written, lambda values: cap * math.tanh(sum(values) / cap), parts, steps.capped[head, key])


def times_of(weight: float, value: float, result: float) -> str:
    """A weight times a number of a value: "0.695 × 1.39", which gives the result to its three digits."""
    return _fitting(" × ".join, math.prod, [weight, value], result, told=3)


def taken_off(content: Content) -> float:
    """What is taken off scores before their exponentials, which changes no share: the largest, or 0 where none is hard to read."""
    sink = _sink(content)
    largest = max(float(content.steps.scores[content.head].max()), -math.inf if sink is None else sink)
    return 0.0 if _READABLE[0] <= largest <= _READABLE[1] else largest


def exponentials_of(content: Content) -> tuple[NDArray[np.float64], float]:
    """exp of each score less what is taken off, float64 [key], and their sum with the learned sink's: weights are their shares."""
    taken, sink = taken_off(content), _sink(content)
    each = np.exp(content.steps.scores[content.head].astype(np.float64) - taken)
    return each, float(each.sum()) + (0.0 if sink is None else math.exp(sink - taken))


def exponential_of(content: Content, key: int | None, is_right: Callable[[float], bool] | None = None) -> str:
    """A key's exponential, or for None the learned sink's: "exp(3.9007)", so written that what it comes to is right, which it is
    where nothing else is asked for with as many digits as the pointer tells."""
    score = _sink(content) if key is None else float(content.steps.scores[content.head, key])
    taken = taken_off(content)
    wanted = math.exp(score - taken)
    is_right = is_right or (lambda made: number(made, TOLD_DIGITS) == number(wanted, TOLD_DIGITS))
    decimals = next((d for d in range(2, _MOST_DIGITS) if is_right(math.exp(round(score, d) - round(taken, d)))), _MOST_DIGITS)
    less = "" if taken == 0.0 else f" {MINUS if taken > 0 else '+'} {fixed(abs(taken), decimals)}"
    return f"exp({fixed(score, decimals)}{less})"


def share_of(content: Content, key: int | None) -> str:
    """A key's weight behind the softmax, or for None the learned sink's, by what the exponentials come to: "49.437 ÷ 71.13"."""
    each, total = exponentials_of(content)
    own = math.exp(_sink(content) - taken_off(content)) if key is None else float(each[key])
    weight = content.steps.sink_share[content.head] if key is None else content.by_softmax[key]
    return _fitting(" ÷ ".join, lambda values: values[0] / values[1], [own, total], weight)


def changed_of(content: Content, key: int | None) -> str:
    """How a key, or for None the learned sink, came by its weight where a person changed them: "0.0412 × 2.624", "1 ÷ 15"."""
    changed, steps = content.changed, content.steps
    if key in changed.chosen:
        return "set by hand"
    if changed.base == "frozen":
        return "as in the run without changes" + (", scaled to what is left" if changed.chosen else "")
    if changed.is_alike:
        return "" if key is None else each_of(changed)
    before = steps.sink_share[content.head] if key is None else content.by_softmax[key]
    return _fitting(" × ".join, math.prod, [before, changed.factor], changed.sink if key is None else changed.weights[key])


def each_of(changed: Changed) -> str:
    """What each key gets where all are alike: "1 ÷ 15"; of what those leave that were set by hand: "0.8 ÷ 14"."""
    return f"{changed.left:.9g} ÷ {changed.n_other}"


def read(text: str) -> float:
    """The number that a text of `number` or `fixed` stands for."""
    return float(text.replace(MINUS, "-"))


def _sink(content: Content) -> float | None:
    """The learned sink's score."""
    score = content.steps.sink_score
    return None if score is None else float(score[content.head])


def _fitting(
    written: Callable[[Sequence[str]], str],
    made: Callable[[Sequence[float]], float],
    parts: Sequence[float],
    result: float,
    told: int = TOLD_DIGITS,
) -> str:
    """An expression of some parts, each with the fewest digits, three or more, from which the result comes out as it is told."""
    texts: list[str] = []
    for digits in range(3, _MOST_DIGITS + 1):
        texts = [number(float(part), digits) for part in parts]
        if number(made([read(text) for text in texts]), told) == number(float(result), told):
            break
    return written(texts)


def _sum(texts: Sequence[str]) -> str:
    return " ".join(_signed(text, first=place == 0) for place, text in enumerate(texts))


def _signed(text: str, first: bool = False) -> str:
    """A term of a sum."""
    if first:
        return text
    return f"{MINUS} {text.removeprefix(MINUS)}" if text.startswith(MINUS) else f"+ {text}"


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)

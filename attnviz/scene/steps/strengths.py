"""A person's factors on the outputs of heads, as the picture writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.numbers import fixed
from attnviz.scene.page import SMALL

if TYPE_CHECKING:
    from attnviz.scene.scene import Measure
    from attnviz.scene.steps.content import Content

_DECIMALS: Final = (2, 4)  # the fewest and the most that a strength is written with
FACTOR_GAP: Final = 8.0  # between a head's strip and its factor


def strengths_of(content: Content) -> dict[int, str]:
    """The factors on heads' outputs that are not 1, by their heads."""
    each = {head: strength_of(content, head) for head in range(content.head_count)}
    return {head: text for head, text in each.items() if text}


def strength_of(content: Content, head: int) -> str:
    """The factor on a head's output: "× 0.50", "× 0" for one that is muted; empty where it goes on as it is."""
    if content.steps.strength is None or (strength := float(content.steps.strength[head])) == 1.0:
        return ""
    few, most = _DECIMALS
    decimals = next((n for n in range(few, most) if abs(round(strength, n) - strength) < 1e-6), most)
    return f"× {fixed(strength, decimals) if strength else '0'}"


def strengths_room(content: Content, measure: Measure) -> float:
    """The width that the factors need behind the heads' strips; 0 where there are none."""
    return max((measure(text, SMALL, True) + FACTOR_GAP for text in strengths_of(content).values()), default=0.0)

"""The stages behind the table, in which the vectors stand one below the other: all heads' outputs, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from attnviz.scene.steps.explained import ONWARD

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32
    from attnviz.scene.steps.content import Content


class Item(NamedTuple):
    """One vector with a line above it. values: None for a line alone; cosine: a number that the line ends with; meaning: of the
    line, None for that of its words."""

    line: str
    what: str = ""
    values: Float32 | None = None
    cosine: float | None = None
    is_result: bool = False
    meaning: str | None = None


def output_items(content: Content) -> tuple[Item, ...]:
    """What happens to the heads' outputs, down to the vector that enters the next layer; the steps that the layer has."""
    steps, token = content.steps, content.query_token.shown
    items = [Item("mixed by W_O", "behind the output projection", steps.projected)]
    if steps.output_normed is not None:
        items.append(Item("normed", "the output, normed", steps.output_normed))
    if content.residual_is_normed and steps.normed is not None:
        items.append(Item("+ n, the normed", f"normed vector of {token}", steps.normed))
    else:
        items.append(Item("+ x, its own vector", f"vector of {token} that entered", steps.entering))
    items.append(
        Item(
            "= new vector" if _is_last(content) else "= sum",
            f"sum of the output and the vector of {token}",
            steps.added,
            is_result=_is_last(content),
        )
    )
    if not _is_last(content):
        items.append(Item("normed: new vector", f"new vector of {token}", steps.leaving, is_result=True))
    items.append(Item("cosine to x:", "cosine between the vector before and after", None, content.cosine))
    items.append(Item(_onward(content), f"vector of {token} behind the whole layer", steps.next, meaning=ONWARD))
    return tuple(items)


def _is_last(content: Content) -> bool:
    """Whether the sum itself is what the attention part leaves."""
    return np.array_equal(content.steps.added, content.steps.leaving)


def _onward(content: Content) -> str:
    """Where the vector goes from here."""
    if content.layer + 1 < content.n_layer:
        return f"enters layer {content.layer + 1}"
    return "leaves the last layer"

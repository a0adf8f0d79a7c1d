"""What a token in focus reads: its numbers as a list, and as labels at its keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.palette import head_colour
from attnviz.scene.scene import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.engine.ops import Float32
    from attnviz.scene.scene import Measure, Scene

NUMBER_SIZE = 12


@dataclass(frozen=True)
class Reading:
    """One token that another looks at, with the largest weight among some heads and the head that has it."""

    token: int
    weight: float
    head: int


def looks_at(attention: Float32, heads: Iterable[int], query: int) -> list[Reading]:
    """All keys of a query, the strongest first. attention: [head, query, key]."""
    return _strongest(attention[:, query, :], heads)


def looked_at_by(attention: Float32, heads: Iterable[int], key: int) -> list[Reading]:
    """All queries that look at a key, the strongest first. attention: [head, query, key]."""
    return _strongest(attention[:, :, key], heads)


def focus_labels(scene: Scene, measure: Measure) -> list[Label]:
    """The largest weight of each arc's key in the scene's focus, across the text from where its arcs land.

    Where two numbers would overlap the weaker one is left out; it stands in the list beside the picture.
    """
    if scene.focus is None:
        return []
    arcs = scene.arcs
    labels: list[Label] = []
    taken: list[tuple[int, float, float]] = []
    done: set[int] = set()
    for arc in np.flatnonzero(arcs.query == scene.focus)[::-1]:
        key = int(arcs.key[arc])
        box = scene.token_at(key)
        if key in done or key == scene.focus or box is None or arcs.weight[arc] < 0.005:
            continue
        done.add(key)
        text = f"{arcs.weight[arc]:.2f}"
        half = measure(text, NUMBER_SIZE, True) / 2 + 3
        if any(row == box.row and box.middle - half < right and left < box.middle + half for row, left, right in taken):
            continue
        taken.append((box.row, box.middle - half, box.middle + half))
        lands_above = (key < scene.focus) == (box.row == _row(scene, scene.focus))
        baseline = box.bottom + NUMBER_SIZE + 1 if lands_above else box.top - 4
        colour = head_colour(int(arcs.head[arc]), scene.theme)
        labels.append(Label(text, box.middle, baseline, NUMBER_SIZE, colour=colour, bold=True, align="middle"))
    return labels


def _row(scene: Scene, token: int) -> int:
    box = scene.token_at(token)
    return -1 if box is None else box.row


def _strongest(weights: Float32, heads: Iterable[int]) -> list[Reading]:  # [head, token]
    shown = np.array(sorted(heads), dtype=np.intp)
    if not shown.size:
        return []
    best = weights[shown].argmax(axis=0)
    largest = weights[shown].max(axis=0)
    order = np.argsort(-largest, kind="stable")
    return [Reading(int(i), float(largest[i]), int(shown[best[i]])) for i in order]

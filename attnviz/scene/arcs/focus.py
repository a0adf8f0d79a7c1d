"""Which arcs a token in focus brings forward, and their numbers at the other ends.

They are those to its keys; a token that is only looked at, one of an encoder's beside its decoder's, has those from its queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from attnviz.scene.numbers import signed
from attnviz.scene.scene import Dot, Label

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.scene.scene import ArcScene, Measure

NUMBER_SIZE = 12
_DOT = 3.0


def arcs_in_focus(scene: ArcScene) -> NDArray[np.bool_]:
    """Whether each arc belongs to the scene's focus, [arc]; all of them where there is none."""
    arcs = scene.arcs
    if scene.focus is None:
        return np.ones(len(arcs), bool)
    return (arcs.query if scene.focus >= scene.first_query else arcs.key) == scene.focus


def other_ends(scene: ArcScene) -> NDArray[np.intp]:
    """The token at the other end of each arc of the scene's focus, [arc]."""
    return scene.arcs.key if scene.focus is not None and scene.focus >= scene.first_query else scene.arcs.query


def focus_labels(scene: ArcScene, measure: Measure) -> list[tuple[Label, Dot]]:
    """For each other end of the focus's arcs the weight of the strongest drawn one, and a dot in the colour of that arc.

    A number stands across the text from where its arc lands. Where two would overlap the weaker one is left out; it stands in
    the list beside the picture.
    """
    if scene.focus is None:
        return []
    arcs, ends = scene.arcs, other_ends(scene)
    labels: list[tuple[Label, Dot]] = []
    taken: list[tuple[int, float, float]] = []
    done: set[int] = set()
    for arc in np.flatnonzero(arcs_in_focus(scene))[::-1]:
        key = int(ends[arc])
        box = scene.token_at(key)
        weight = float(arcs.weight[arc])
        if key in done or box is None or abs(weight) < 0.005:
            continue
        done.add(key)
        text = signed(weight, 2) if scene.is_difference else f"{weight:.2f}"
        width = measure(text, NUMBER_SIZE, True) + 2 * _DOT + 3
        left = box.middle - width / 2
        if any(row == box.row and left - 3 < end and start < left + width + 3 for row, start, end in taken):
            continue
        taken.append((box.row, left, left + width))
        lands_above = (key <= scene.focus) == (box.row == _row(scene, scene.focus))
        baseline = box.bottom + NUMBER_SIZE + 1 if lands_above else box.top - 4
        number = Label(text, left + 2 * _DOT + 3, baseline, NUMBER_SIZE, "ink", bold=True)
        labels.append((number, Dot(left + _DOT, baseline - 4.5, _DOT, arcs.colours[arcs.colour[arc]])))
    return labels


def _row(scene: ArcScene, token: int) -> int:
    box = scene.token_at(token)
    return -1 if box is None else box.row

"""Runs to draw and the plain geometry of a scene: who takes which room."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.session.request import Request
from attnviz.session.run import Run
from attnviz.session.view import Sinks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from attnviz.engine.model import Model
    from attnviz.scene.scene import Label, Measure, Scene

_WORDS: Final = (
    "The old captain of the ferry didn't believe in lighthouses, and unbelievably he was right about one of them; so".split()
)


SHOWN: Final = Sinks(treatment="show")


def hiding(specials: bool) -> Sinks:
    """Special tokens hidden, or everything shown."""
    return Sinks() if specials else SHOWN


def stand_in_measure(text: str, size: int, bold: bool) -> float:
    """A measure without Qt: each character half as wide as high, bold ones a little more."""
    return (0.56 if bold else 0.52) * size * len(text)


def text_of(model: Model, n_token: int) -> str:
    """A sentence that the model reads as exactly `n_token` tokens, specials not counted."""
    words: list[str] = []
    while (n := len(model.tokenizer.encode(" ".join(words), None, 10_000).tokens) - 2) < n_token:
        word = _WORDS[len(words) % len(_WORDS)]
        room = n_token - n
        longer = len(model.tokenizer.encode(" ".join([*words, word]), None, 10_000).tokens) - 2
        words.append(word if longer - n <= room else "a")
    return " ".join(words)


def run_of(model: Model, text: str, head_count: int | None = None, kept: float = 1.0, pair: str | None = None) -> Run:
    """A run of the model, with the kept direction as given."""
    request, trained = Request(model.path, text, pair, head_count), model.trace(text, pair)
    return Run(request, model, model.trace(text, pair, head_count), kept, 0.0, trained, request)


@dataclass(frozen=True)
class Room:
    """A box that something fills; what: for the message of a failing test."""

    what: str
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Room, slack: float = 0.5) -> bool:
        return (
            self.left < other.right - slack
            and other.left < self.right - slack
            and self.top < other.bottom - slack
            and other.top < self.bottom - slack
        )

    def within(self, width: float, height: float) -> bool:
        return self.left >= -0.01 and self.top >= -0.01 and self.right <= width + 0.01 and self.bottom <= height + 0.01


def label_room(label: Label, measure: Measure) -> Room:
    """The room of a line of text: capitals reach 0.72 of the size above its baseline, tails 0.24 below."""
    width = measure(label.text, label.size, label.bold)
    left = label.x - {"left": 0.0, "middle": width / 2, "right": width}[label.align]
    return Room(label.text, left, label.baseline - 0.72 * label.size, left + width, label.baseline + 0.24 * label.size)


def rooms(scene: Scene, measure: Measure) -> list[Room]:
    """The room of each label, dot and token's text."""
    taken = [label_room(label, measure) for label in scene.labels if label.text]
    taken += [Room("dot", d.x - d.radius, d.y - d.radius, d.x + d.radius, d.y + d.radius) for d in scene.dots]
    taken += [Room(box.text, box.left, box.top, box.right, box.bottom) for box in scene.tokens]
    return taken


def points_of(curve: NDArray[np.float32], n: int = 60) -> NDArray[np.float64]:
    """Points along cubics, by de Casteljau's steps: [arc, 4, 2] -> [arc, n, 2]."""
    t = np.linspace(0.0, 1.0, n)[None, :, None]
    points = [curve[:, None, i, :].astype(np.float64) for i in range(4)]
    while len(points) > 1:
        points = [a + t * (b - a) for a, b in itertools.pairwise(points)]
    return points[0]

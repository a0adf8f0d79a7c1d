"""The sentences of the examples menu, each with what to look for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from attnviz.resources import read_json
from attnviz.session.view import Arrival, HeadChoice


@dataclass(frozen=True)
class Example:
    """A sentence; look: one line on what to look for, true for the default model; arrival: the view that shows it."""

    id: str
    title: str
    text: str
    look: str
    arrival: Arrival


@cache
def load_examples(n_head: int = 12) -> tuple[Example, ...]:
    """All examples, the one for a fresh start first. n_head: the trained heads of the model they were measured on."""
    return tuple(
        Example(
            id=row["id"],
            title=row["title"],
            text=row["text"],
            look=row["look"],
            arrival=Arrival(
                row["layer"], None if row["heads"] is None else HeadChoice(frozenset(row["heads"]), n_head), row["focus"]
            ),
        )
        for row in read_json("examples.json")
    )

"""What a token looks at, and what looks at it, as lists of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.engine.ops import Float32


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


def _strongest(weights: Float32, heads: Iterable[int]) -> list[Reading]:  # [head, token]
    shown = np.array(sorted(heads), dtype=np.intp)
    if not shown.size:
        return []
    best = weights[shown].argmax(axis=0)
    largest = weights[shown].max(axis=0)
    order = np.argsort(-largest, kind="stable")
    # From lists at once: number by number 2,000 tokens take 4 ms, in which a pointer has moved on.
    return [Reading(*one) for one in zip(order.tolist(), largest[order].tolist(), shown[best[order]].tolist(), strict=True)]

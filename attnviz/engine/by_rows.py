"""What follows the queries and keys of a layer, shared between processors by rows of the tokens.

Each processor takes its rows from their attention to the end of the layer, so that the processors meet twice in a layer and not at
each product, and what a step leaves is in the cache of the next. On two processors a run takes that much less time than where each
product is shared by columns: MiniLM 5 % at 256 tokens and 9 % at 500, GPT-2's plan of width 256 7 % at 128 and 18 % at 500, LLaMA's
of width 768 2 % at 500 and 6 % at 900.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.engine.products import n_worth
from attnviz.engine.threads import all_of, n_free

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32

# Each processor reads all weights, in place of its own columns of them: with fewer rows for each than this share of the width that
# takes longer. On two processors both ways are equal at about 100 tokens of width 384, 250 of 768 and 900 of 2,048.
_OF_WIDTH: Final = 1 / 6


def rows_of_each(n: int, width: int, grain: int, costs: Callable[[], NDArray[np.int64]]) -> list[slice]:
    """The rows of each processor, such that each has as much to do, or all of them in one slice where that is quicker.

    n: rows; width: d_model; grain: the rows that stay together; costs: gives the multiplications of each row, [row].
    """
    if n_free() < 2 or n < n_free() * width * _OF_WIDTH:
        return [slice(0, n)]
    until = np.cumsum(costs())
    n_part = n_worth(int(until[-1]))
    if n_part < 2:
        return [slice(0, n)]
    shares = until[-1] * np.arange(1, n_part) // n_part
    ends = np.rint(np.searchsorted(until, shares) / grain).astype(int) * grain
    return [slice(start, stop) for start, stop in pairwise(sorted({0, n, *ends.clip(0, n).tolist()}))]


def in_rows(part: Callable[[slice], Float32], rows: Sequence[slice]) -> Float32:
    """What `part` makes of all rows, [row, width], one behind the other; rows: slices that make them up, done at once."""
    made = all_of([partial(part, some) for some in rows])
    return made[0] if len(made) == 1 else np.concatenate(made)

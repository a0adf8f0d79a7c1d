"""Which pairs of tokens are kept when a model reads two texts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Between = Literal["all", "within", "across", "first_to_second", "second_to_first"]

# Whether a pair is kept, by the text of its query and then that of its key. Queries look at keys: "first_to_second" has the
# first text's tokens looking at the second's.
_KEPT: Final[dict[Between, tuple[tuple[bool, bool], tuple[bool, bool]]]] = {
    "all": ((True, True), (True, True)),
    "within": ((True, False), (False, True)),
    "across": ((False, True), (True, False)),
    "first_to_second": ((False, True), (False, False)),
    "second_to_first": ((False, False), (True, False)),
}


def between_texts(queries: NDArray[np.intp], keys: NDArray[np.intp], which: Between) -> NDArray[np.bool_]:
    """Which pairs of a query and a key are between the texts asked for: [query, key].

    queries, keys: [query] and [key], the text each belongs to, 0 for the first and 1 for the second.
    """
    return np.array(_KEPT[which])[queries[:, None], keys]

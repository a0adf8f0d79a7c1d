"""Places along an axis of an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def as_slice(places: Sequence[int] | NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """The places as a slice where each is the one behind the last, as they mostly are: an index that copies nothing."""
    places = np.asarray(places, np.intp)
    if len(places) and (np.diff(places) == 1).all():
        return slice(int(places[0]), int(places[-1]) + 1)
    return places

"""What a what-if did to a model's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from attnviz.engine.ops import Float32


def mean_cosine(a: Float32, b: Float32) -> float:
    """The mean over tokens of the cosine between their vectors in two runs, -1 to 1; [token, d_model] twice."""
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.mean(np.einsum("td,td->t", a, b) / norms))

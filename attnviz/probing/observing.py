"""What heads do at the places that are asked for: attention of one layer in, numbers per head and question out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from attnviz.analysis.words import merge_to_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from attnviz.engine.ops import Float32
    from attnviz.probing.cases import Asked, Level, Part, Question

# Weights that differ by less are alike: what rounding does to equal ones.
_ALIKE: Final = 1e-5


def observe(asked: Asked, attention: Float32, said: NDArray[np.bool_] | None = None) -> tuple[Float32, Float32]:
    """What each head gets of each question, and the weight it puts on the targets, summed over the cases: [head, question] twice.

    attention: [head, query, key] over all tokens; said: of a text with predictions, whether each was the token that should come;
    without it each counts as said.
    """
    seen = levels_of(asked, attention)
    gets, weights = (np.zeros((len(attention), len(asked.questions)), np.float32) for _ in range(2))
    for part in asked.parts:
        matrix = seen[part.level]
        weights[:, part.numbers] = part.sums(_at(matrix, part.places))
        if part.way == "weight":
            gets[:, part.numbers] = weights[:, part.numbers]
        elif part.way in ("largest", "said"):
            hits = _largest(matrix, part, asked.is_blocked and part.level != "all")
            gets[:, part.numbers] = part.sums(hits if part.way == "largest" or said is None else hits * said[part.cases])
        else:
            for number in part.numbers:
                gets[:, number] = _of_rows(matrix, asked.questions[number])
    return gets, weights


def levels_of(asked: Asked, attention: Float32) -> Mapping[Level, Float32]:
    """The attention over all tokens, over those of the text, and between units of words: [head, query, key] each."""
    if asked.aligned is None:
        return {"all": attention}
    first, groups = asked.aligned.first, asked.aligned.groups
    inside = slice(first, first + asked.aligned.n_token)
    tokens = attention[:, inside, inside]
    return {"all": attention, "token": tokens, "word": merge_to_words(tokens, groups, groups)}


def _at(matrix: Float32, places: NDArray[np.intp]) -> Float32:
    """[head, query, key] at some places of [query x key], [head, place]."""
    return matrix.reshape(len(matrix), -1).take(places, axis=1)


def _largest(matrix: Float32, part: Part, is_blocked: bool) -> Float32:
    """Of each target of a part, whether its query's largest weight is there, [head, target]: 1, and equal parts of it where several
    are alike.

    With the first of them alone, a head that looks at all words alike would look like one that looks at the first word.
    """
    n = matrix.shape[-1]
    left = matrix.copy()
    if not part.has_self:
        left.reshape(len(left), -1)[:, :: n + 1] = -1.0
    if is_blocked:
        left[:, :, 0] = -1.0
    top = left.max(axis=-1, keepdims=True)
    tied = left >= top * np.float32(1 - _ALIKE)
    return np.where(_at(tied, part.places), 1 / np.count_nonzero(tied, axis=-1).astype(np.float32)[:, part.queries], np.float32(0))


def _of_rows(matrix: Float32, question: Question) -> Float32:
    """What each head gets of a question that is about whole rows, [head]."""
    rows = matrix[:, question.queries]  # [head, case, key]
    match question.way:
        case "prefers":
            on_targets = (rows * question.targets).sum(axis=-1)
            return (on_targets > np.where(question.rivals, rows, -1.0).max(axis=-1)).sum(axis=1)
        case "entropy":
            return -(rows * np.log(np.maximum(rows, np.finfo(np.float32).tiny))).sum(axis=(1, 2))
        case "distance":
            apart = np.abs(question.queries[:, None] - np.arange(rows.shape[-1])).astype(np.float32)
            return (rows * apart).sum(axis=(1, 2))
    raise ValueError(f"{question.way} is no way of counting")

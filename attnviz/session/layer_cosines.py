"""How alike two runs see a token, layer by layer: the cosine of its vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from attnviz.analysis.likeness import cosines
from attnviz.errors import InputError
from attnviz.session.sight import kind_of

if TYPE_CHECKING:
    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.trace import Trace
    from attnviz.session.comparison import Comparison
    from attnviz.session.run import Run
    from attnviz.session.view import View


@dataclass(frozen=True)
class LayerCosines:
    """The likeness of one unit in two runs, or of all that both have.

    by_layer: [n_layer + 1] the cosine of its vectors entering each layer, and last of those leaving the last one; output: of the
    final vectors, which some models norm once more; texts: the unit's in A and in B, None for the mean over `n_unit` of them.
    """

    by_layer: Float32
    output: float
    texts: tuple[str, str] | None
    n_unit: int


def layer_cosines(comparison: Comparison) -> LayerCosines | None:
    """The course of the unit in focus and its counterpart; without a focus the mean over all visible units that are aligned,
    of those that look where others are but looked at.

    None where the unit in focus has no counterpart, or no visible unit has one. Raises InputError as `cosines_by_layer` does.
    """
    a, b = comparison.a, comparison.b
    unit = None if a.view.focus is None else a.sight.units.unit_at(a.view.focus)
    if unit is not None:
        pairs = [(unit, comparison.counterpart(unit))]
    else:
        pairs = [pair for pair in comparison.alignment.pairs if pair[0] in a.sight.visible and pair[1] in b.sight.visible]
    if not pairs or pairs[0][1] is None:
        return None
    if len({a.sight.is_query(i) for i, _ in pairs}) > 1:  # an encoder and a decoder may be of other depths: of the one that looks
        pairs = [pair for pair in pairs if a.sight.is_query(pair[0])]
    places = [(a.sight.units.places[i], b.sight.units.places[j]) for i, j in pairs]
    courses = [cosines_by_layer(a.run, b.run, one, other, a.view) for one, other in places]
    outputs = [cosine_of_output(a.run, b.run, one, other, a.view) for one, other in places]
    texts = None if unit is None else (a.sight.tokens[pairs[0][0]].shown, b.sight.tokens[pairs[0][1]].shown)
    return LayerCosines(np.mean(courses, axis=0, dtype=np.float64).astype(np.float32), float(np.mean(outputs)), texts, len(pairs))


def cosines_by_layer(run: Run, other: Run, unit_a: range, unit_b: range, view: View) -> Float32:
    """The cosine of a unit's vectors in two runs, entering each layer and leaving the last one: [n_layer + 1], -1 to 1.

    unit_a, unit_b: the positions of its tokens among those of the view's picture of each run; a word of several has their mean.
    The first is that of the embeddings. Vectors of two models that were trained apart have nothing to do with each other.
    Raises InputError for runs of other widths or with other numbers of layers.
    """
    (kind, one), (other_kind, another) = (_in_stack(side.trace, view, unit) for side, unit in ((run, unit_a), (other, unit_b)))
    n_layer, n_other = run.trace.n_layer_of(kind), other.trace.n_layer_of(other_kind)
    width, other_width = (side.trace.entering(0, of).shape[1] for side, of in ((run, kind), (other, other_kind)))
    if (n_layer, width) != (n_other, other_width):
        raise InputError(
            f"The vectors of these runs cannot be compared: one model has {n_layer} layers of width {width}, "
            f"the other {n_other} of width {other_width}."
        )
    vectors = [
        np.stack([side.trace.entering(layer, of)[places].mean(axis=0) for layer in range(n_layer + 1)])
        for side, of, places in ((run, kind, one), (other, other_kind, another))
    ]
    return cosines(*vectors)


def cosine_of_output(run: Run, other: Run, unit_a: range, unit_b: range, view: View) -> float:
    """The same of the final vectors, behind the final norm where the model has one."""
    vectors = []
    for side, unit in ((run, unit_a), (other, unit_b)):
        kind, places = _in_stack(side.trace, view, unit)
        final = side.trace.hidden if kind == side.trace.kinds[0] else side.trace.decoder_hidden
        vectors.append(final[places].mean(axis=0))
    return float(cosines(*vectors))


def _in_stack(trace: Trace, view: View, unit: range) -> tuple[Kind, slice]:
    """The stack that a unit of a picture is read by, and its tokens' positions in it."""
    kind = kind_of(trace, view)
    if kind != "cross":
        return kind, slice(unit.start, unit.stop)
    n_encoder = len(trace.encoding.tokens)  # which stand first
    if unit.start < n_encoder:
        return "encoder", slice(unit.start, unit.stop)
    return "decoder", slice(unit.start - n_encoder, unit.stop - n_encoder)

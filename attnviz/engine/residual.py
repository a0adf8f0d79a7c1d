"""The residual stream: a part of a layer reads it, and what the part makes of it is added, with norms where the layer has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.engine.ops import NORMS, Float32
from attnviz.engine.watch import EVERY, Watch, unwatched

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.config import Stack
    from attnviz.engine.layers import Norm, Norms


def add_part(
    x: Float32,
    part: Callable[[Float32], Float32],
    norms: Norms,
    stack: Stack,
    rows: slice = EVERY,
    watch: Watch = unwatched,
) -> Float32:
    """x [token, d_model] with a part's output added; rows: of which tokens the part gives an output."""
    inner = normed(x, norms.before, stack)
    if norms.before is not None:
        watch("normed", inner)
    return added(part(inner), x[rows], inner[rows], norms, stack, watch)


def added(y: Float32, x: Float32, inner: Float32, norms: Norms, stack: Stack, watch: Watch = unwatched) -> Float32:
    """x with a part's output y added, perhaps in its place, all [token, d_model]; inner: what the part read, x behind its norm."""
    watch("projected", y)
    if norms.output is not None:
        y = normed(y, norms.output, stack)
        watch("output_normed", y)
    y += inner if stack.residual_is_normed else x
    watch("added", y)
    y = normed(y, norms.after, stack)
    watch("leaving", y)
    return y


def normed(x: Float32, norm: Norm | None, stack: Stack) -> Float32:
    """The norm of the stack's kind, or x itself without one."""
    return x if norm is None else NORMS[stack.norm](x, norm.scale, norm.shift, stack.norm_eps)

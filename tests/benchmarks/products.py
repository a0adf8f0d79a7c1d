"""The matrix products of a pass: how many floating-point operations they are, and how quickly NumPy makes them alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

from tests.benchmarks.timing import passes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from attnviz.engine.config import Stack

LARGE: Final = 2_048  # a product of two matrices of this size runs as fast as they do here


class Product(NamedTuple):
    """`times` products of [m, k] by [k, n]."""

    times: int
    m: int
    k: int
    n: int

    @property
    def flops(self) -> int:
        """A multiplication and an addition for each of m·k·n numbers."""
        return 2 * self.times * self.m * self.k * self.n


def products_of(stack: Stack, n_token: int, is_gated: bool) -> list[Product]:
    """All products of a text's way through a stack: projections, feed-forward, q·k and attention·v, each one in full, also where
    a causal model needs half of it."""
    d, q, kv = stack.d_model, stack.n_head * stack.d_head, stack.n_kv_head * stack.d_head
    layers = stack.n_layer
    return [
        Product(layers, n_token, d, q),
        Product(2 * layers, n_token, d, kv),
        Product(layers, n_token, q, d),
        Product((2 if is_gated else 1) * layers, n_token, d, stack.d_ff),
        Product(layers, n_token, stack.d_ff, d),
        Product(layers * stack.n_head, n_token, stack.d_head, n_token),
        Product(layers * stack.n_head, n_token, n_token, stack.d_head),
    ]


def flops_of(products: Sequence[Product]) -> int:
    """The floating-point operations of all of them."""
    return sum(product.flops for product in products)


def product_milliseconds(products: Sequence[Product]) -> list[float]:
    """Milliseconds of each of some passes that make these products and nothing else, with BLAS on all threads.

    Each pass multiplies the same matrices, so they lie in the caches more readily than a model's weights do.
    """
    random = np.random.default_rng(0)
    arrays = [
        (one.times, *(random.random(shape, np.float32) for shape in ((one.m, one.k), (one.k, one.n), (one.m, one.n))))
        for one in products
    ]

    def work() -> None:
        for times, a, b, out in arrays:
            for _ in range(times):
                np.matmul(a, b, out=out)

    with ThreadpoolController().limit(limits=n_thread(), user_api="blas"):
        return passes(work)


def n_thread() -> int:
    """The threads that this process may run at one time."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

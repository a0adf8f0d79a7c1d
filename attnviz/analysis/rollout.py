"""Attention followed through all layers back to the tokens that came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from attnviz.engine.ops import Float32


def rollout(layers: Iterable[Float32], n: int, below: Float32 | None = None) -> Float32:
    """How much of each token, after the last of `layers`, stems from each token of the input: [query, key], rows sum to 1.

    layers: the attention of layers 0, 1, ... of one stack, each [head, query, key] with n queries and keys. They are asked for one
    after another and let go again, so an iterator that makes them needs room for one. No layers give the identity. below: the
    rollout up to the layer before, where `layers` do not begin with layer 0.
    Heads count alike, and a layer passes on half of what it attends to and half of what was there: R = A·R of the layer below,
    A = (mean over heads + identity) / 2. Each row of A is divided by its sum: with a learned sink that is less than 1.

    Not a measure of influence. Values, projections and the feed-forward parts are not looked at; and in a causal model the first
    tokens gather weight only because more positions see them, in each layer again (Wu et al. 2025, "On the Emergence of Position
    Bias in Transformers"). Compare rows with those of flat attention before a first token is called important.
    Source: Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers", eq. 1; the mean over heads and the division as in
    their code.
    """
    rolled = below
    for mixed in map(_with_residual, layers):  # a loop over the layers themselves would hold one while the next is made
        rolled = mixed if rolled is None else mixed @ rolled
    return np.eye(n, dtype=np.float32) if rolled is None else rolled


def _with_residual(attention: Float32) -> Float32:  # [head, query, key] -> [query, key]
    """The mean over heads plus the identity, each row divided by its sum: of rows that sum to 1, half and half."""
    mixed = attention.mean(axis=0)
    mixed.reshape(-1)[:: mixed.shape[1] + 1] += np.float32(1)  # an identity of 4,096 tokens would hold the window for 150 ms
    mixed /= mixed.sum(axis=1, keepdims=True)
    return mixed

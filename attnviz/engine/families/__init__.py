"""The model families, one row each: the `model_type` of config.json -> how to read its configuration and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from attnviz.engine.families import bert

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.config import ConfigKeys, ModelConfig
    from attnviz.engine.layers import Weights
    from attnviz.engine.weights import TensorFile


@dataclass(frozen=True)
class Family:
    """What differs between families before the forward pass begins."""

    read_config: Callable[[ConfigKeys], ModelConfig]
    read_weights: Callable[[ModelConfig, TensorFile], Weights]


FAMILIES = {
    "bert": Family(bert.read_config, bert.read_weights),
}

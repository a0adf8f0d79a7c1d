"""What differs between families before the forward pass begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config import ModelConfig
    from attnviz.engine.config_keys import ConfigKeys
    from attnviz.engine.layers import Weights


@dataclass(frozen=True)
class Family:
    """One model family.

    read_config raises ModelError for a key or value that is not understood; read_weights for a tensor that is missing or of a
    wrong shape. probe: a tensor that each checkpoint has; prefixes: what may stand before the names, tried in this order;
    known: names of tensors that a checkpoint may hold besides, which the attention does not depend on.
    """

    read_config: Callable[[ConfigKeys], ModelConfig]
    read_weights: Callable[[ModelConfig, Checkpoint], Weights]
    probe: str
    prefixes: tuple[str, ...] = ("",)
    known: re.Pattern[str] = re.compile(r"(?!)")

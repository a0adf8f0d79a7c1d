"""What one row of the tables of tiny models says, and the texts that are run.

Part of `make_families`; plain data, needs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

# Words that a model must relate; accents, Chinese and an emoji; repeated words and numbers; a short one.
TEXTS: Final[tuple[tuple[str, str | None], ...]] = (
    ("The animal didn't cross the street because it was tired.", None),
    ("Café 東京 🦊 naïve – 你好!", None),
    ("Tick tock, tick tock: 12 and 12 make 24, 24, 24!", None),
    ("Why not?", None),
)
PAIR_TEXTS: Final = (*TEXTS, ("Who slept in the café?", "The fox 🦊, because it was tired."))
TRANSLATED_TEXTS: Final[tuple[tuple[str, str | None], ...]] = (
    (TEXTS[0][0], "L'animal n'a pas traversé la rue."),
    (TEXTS[1][0], "The fox 🦊."),
    (TEXTS[2][0], None),
    (TEXTS[3][0], "Why not cross? It was 12!"),
)


@dataclass(frozen=True)
class Row:
    """One tiny model."""

    name: str
    model: str  # class in transformers
    config: dict[str, Any]  # what the model's configuration class is given
    tokenizer: str  # file in tokenizers/
    texts: tuple[tuple[str, str | None], ...] = TEXTS
    # Changes of the configuration that must show in attention or hidden states: proof that the case tests them.
    matters: tuple[dict[str, Any], ...] = ()
    gain: float = 1.0  # more makes attention sharper
    notes: str = ""


@dataclass(frozen=True)
class Spelling:
    """Another config.json of the same model, as older versions of transformers wrote it (or people did by hand)."""

    name: str
    of: str
    put: dict[str, Any]
    drop: tuple[str, ...] = ("rope_parameters", "dtype", "layer_types")
    notes: str = ""
    tensors: dict[str, Any] = field(default_factory=dict)

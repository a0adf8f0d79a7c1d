"""What an atlas of heads shows of each: its clearest role, how much it matters, or one measure's score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Order = Literal["trained", "value"]
# The two colours that are no measure's; every other value of `AtlasChoice.colour` is the key of one.
ROLE: Final = "role"
IMPORTANCE: Final = "importance"


@dataclass(frozen=True)
class AtlasChoice:
    """colour: "role" for each head's clearest role, "importance" for how far the output turns without it, or a measure's key;
    order: of the heads of a layer, as they were trained, or by what is shown, the clearest or highest first;
    selected: the (layer, head) that is framed, None for none."""

    colour: str = ROLE
    order: Order = "trained"
    selected: tuple[int, int] | None = None

"""What the words on the picture mean, for whoever points at one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attnviz.scene.what_if import MUTING_TIPS

if TYPE_CHECKING:
    from attnviz.scene.steps.content import Content

_NORMED: Final = "normed: the numbers of the vector brought to one usual size,\nthen multiplied by factors that were trained"
_WEIGHTS: Final = "trained numbers of this layer; where it has a bias, that is added"
_WEIGHED: Final = "each number of the value times the key's weight"

# By the heading or line as it stands on the picture.
_MEANINGS: Final = {
    "embedding": "the vector that stands for the token itself, wherever it is met;\nsome models add its position",
    "vector x": "what entered this layer for each token",
    "normed": _NORMED,
    "+ n, the normed": _NORMED,
    "normed: new vector": _NORMED,
    "W_Q, W_K": f"the query's vector times W_Q, the keys' times W_K:\n{_WEIGHTS}",
    "W_V": f"each vector times W_V:\n{_WEIGHTS}",
    "turned": "RoPE: pairs of its numbers turned, the further on in the text the further",
    "q·k": "the numbers of query and key multiplied one by one, and summed",
    "+ bias": "a trained or fixed number for how far the key is from the query",
    "= score": "s: the score",
    "capped": "a score cannot leave the range from −cap to cap",
    "exp(s)": "e to the power of the score",
    "exp(s \N{MINUS SIGN} max)": "e to the power of the score less the largest:\nthe shares are the same, and easier to read",
    "weight": "which share of the sum the exponential is",
    "weight × v": _WEIGHED,
    "as set": "weights that a person set by hand; what they leave of the row\nis shared by the others as they had it",
    "uniform": MUTING_TIPS["uniform"],
    "frozen": "every head keeps the attention of the run without changes:\nonly what the muted heads write is missed",
    "as set × v": _WEIGHED,
    "uniform × v": _WEIGHED,
    "frozen × v": _WEIGHED,
    "side by side": "the outputs of all heads in one vector",
    "mixed by W_O": f"all heads side by side times W_O:\n{_WEIGHTS}",
    "+ x, its own vector": "what entered this layer is kept, and added",
    "cosine to x:": "how alike the new vector and x are: 1 the same direction,\n0 nothing in common, \N{MINUS SIGN}1 the opposite",
}
ONWARD: Final = (
    "the feed-forward part of the layer follows, which works on each token by itself;\nthis is the token's vector behind it"
)
COLOURS: Final = (
    "the largest hundredth of a column's numbers all have the full colour:\none very large number would leave the others pale"
)


def meaning_of(text: str) -> str:
    """What a heading or a line says, in other words; empty where it needs none."""
    return _MEANINGS.get(text, "")


def strength_meaning(content: Content, head: int) -> str:
    """What the factor on a head's output means."""
    if content.is_muted(head) and content.changes.muting != "uniform":
        return MUTING_TIPS[content.changes.muting]
    return "a person set how much of the head's output goes on"

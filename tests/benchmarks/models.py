"""The models that are measured: the default one, and decoders of random numbers written as Hugging Face folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.engine.larger_models import write_larger

if TYPE_CHECKING:
    from pathlib import Path

    from attnviz.engine.model import Model

WORDS: Final = (
    "the animal did not cross the street because it was too tired and the night was cold and very long and all the birds had gone "
    "home before the rain came down on the roofs of the small town by the river"
).split()


@dataclass(frozen=True)
class Made:
    """A model to be written: its golden case, whose shape these keys of its configuration change."""

    case: str
    keys: dict[str, Any]

    def write(self, folder: Path) -> Path:
        """The folder, with the model in it: float32, one file."""
        return write_larger(self.case, folder, **self.keys)


def llama(n_layer: int, width: int, n_position: int = 1_024) -> Made:
    """LLaMA's plan with 8 heads and 4 of keys and values; its feed-forward part is 2.75 times as wide, as LLaMA's is about."""
    return Made(
        "llama-gqa",
        {
            "hidden_size": width,
            "intermediate_size": width * 11 // 4,
            "num_hidden_layers": n_layer,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "head_dim": width // 8,
            "max_position_embeddings": n_position,
            "rms_norm_eps": 1e-5,
        },
    )


def gpt2(n_layer: int, width: int, n_position: int = 1_024) -> Made:
    """GPT-2's plan with 8 heads."""
    return Made("gpt2-bare", {"n_embd": width, "n_layer": n_layer, "n_head": 8, "n_positions": n_position})


def text_of(model: Model, n_token: int) -> str:
    """A text of exactly so many tokens, special ones included; it begins as the longer ones do.

    Raises ValueError where none is found.
    """
    text = ""
    for number in range(4 * n_token):
        for piece in (WORDS[number % len(WORDS)], "a", "b"):
            longer = f"{text} {piece}".strip()
            if n_tokens(model, longer) <= n_token:
                break
        else:
            break
        text = longer
        if n_tokens(model, text) == n_token:
            return text
    for letter in "abcdefghijklmnopqrstuvwxyz":
        if n_tokens(model, text + letter) == n_token:
            return text + letter
    raise ValueError(f"no text of {n_token} tokens for {model.path}")


def another_text(text: str, number: int) -> str:
    """A text that differs in its first word alone, so that a run of it can take nothing over from a run of this one; number: which.
    It is as long where each of WORDS is one token."""
    first, _, rest = text.partition(" ")
    others = sorted({word for word in WORDS if word != first})
    return f"{others[number % len(others)]} {rest}"


def n_tokens(model: Model, text: str) -> int:
    """How many tokens a text has, special ones included."""
    return len(model.tokenizer.encode(text, None, 1 << 20).tokens)

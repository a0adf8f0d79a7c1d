"""Golden data of predictions: the probabilities and the greedy continuations that transformers gives for tiny models.

`predictions.json` has what is said and counted, `predictions.npz` the numbers; `make_predictions` describes both. The
models are cases of `families_reader`, whose `write_model` makes their folders. Nothing here needs torch or transformers.

    for wanted in causal_cases():
        model = load_model(write_model(wanted.case, tmp_path / wanted.case))
        logits = model.trace(wanted.text).logits()[-1]  # its softmax: wanted.probabilities

All numbers are the reference's to the last bit, so that small probabilities can be compared by their ratio. Each token of a
continuation is one that the tokenizer can spell.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Float32 = NDArray[np.float32]

ABOUT: Final = Path(__file__).parent / "predictions.json"
NUMBERS: Final = Path(__file__).parent / "predictions.npz"
COOLER: Final = 0.7  # the temperature of CausalCase.cooler

PartName = Literal["masked", "causal", "translators"]


@dataclass(frozen=True)
class MaskedCase:
    """One text with masks, and what a masked language model puts in their places."""

    case: str  # of families_reader.CASES
    text: str  # with the mask token written in it, as the tokenizer spells it
    ids: list[int]  # with the special tokens
    positions: list[int]  # of the masks in `ids`
    probabilities: Float32  # [mask, vocab], rows sum to 1


@dataclass(frozen=True)
class CausalCase:
    """One prompt, and what a causal language model puts behind it, token by token with its cache of keys and values.

    Nothing stops at an end token. The best token of each step leads by `smallest_gap` in the logits and more, so that
    another order of additions chooses the same; only where `is_greedy` is False is the continuation a given one.
    """

    case: str
    text: str
    ids: list[int]  # of the prompt, with the special tokens
    is_greedy: bool  # False: the first logits are too close together to choose by (or equal, where a cap saturates)
    continuation: list[int]  # the new tokens
    smallest_gap: float  # between the two largest logits of a step
    cooler: Float32  # [vocab], of the first new token at temperature COOLER
    step_probabilities: Float32  # [step, vocab], of each new token at temperature 1, before it is chosen
    last_attention: Float32  # [layer, head, key] of the last step; its query is continuation[-2], which is also the last key

    @property
    def probabilities(self) -> Float32:
        """[vocab], of the token behind the prompt at temperature 1."""
        return self.step_probabilities[0]


@dataclass(frozen=True)
class TranslatorCase:
    """One text for the encoder, and what the decoder writes from an empty text on, as in CausalCase."""

    case: str
    text: str
    ids: list[int]  # the encoder's, with the special tokens
    start: list[int]  # what the decoder reads of an empty text: the start token, then specials but the closing one
    continuation: list[int]
    smallest_gap: float
    step_probabilities: Float32  # [step, vocab]

    @property
    def probabilities(self) -> Float32:
        """[vocab], of the decoder's first token."""
        return self.step_probabilities[0]


def masked_cases() -> list[MaskedCase]:
    """The texts with masks: for each masked language model one with one mask, one with two."""
    return [MaskedCase(**fields) for fields in _read("masked")]


def causal_cases() -> list[CausalCase]:
    """The prompts, one for each causal language model; two where rotations change within the continuation (phi3-longrope)."""
    return [CausalCase(**fields) for fields in _read("causal")]


def translator_cases() -> list[TranslatorCase]:
    """The texts for encoder-decoders, one for each."""
    return [TranslatorCase(**fields) for fields in _read("translators")]


def _read(part: PartName) -> list[dict[str, Any]]:
    """The fields of each case of a part, by name."""
    rows: list[dict[str, Any]] = json.loads(ABOUT.read_text(encoding="utf-8"))[part]
    with np.load(NUMBERS, allow_pickle=False) as file:
        for key in file.files:
            of, number, name = key.split(".")
            if of == part:
                rows[int(number)][name] = from_bytes(file[key])
    return rows


def to_bytes(values: Float32) -> NDArray[np.uint8]:
    """The four bytes of each number, lowest first, [byte, ...]: planes of like bytes pack better than numbers do."""
    parts = np.ascontiguousarray(values, "<f4")[..., None].view(np.uint8)
    return np.moveaxis(parts, -1, 0)


def from_bytes(planes: NDArray[np.uint8]) -> Float32:
    """The numbers that `to_bytes` was given, the same to the last bit."""
    parts = np.ascontiguousarray(np.moveaxis(planes, 0, -1))
    return parts.view("<f4")[..., 0].astype(np.float32)

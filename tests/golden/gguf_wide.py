"""Models like the golden ones with widths that quantised blocks divide.

No reference is stored for them: they are compared with their own dequantised weights, run from a Hugging Face folder.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from tests.golden.families_reader import read_about, seeded_tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Golden case -> what becomes of the sizes in its tensors and its configuration; every row is then whole blocks of 32 numbers.
WIDER: Final[dict[str, dict[int, int]]] = {
    "bert-mlm": {36: 96, 50: 64},
    "roberta-mlm": {36: 96, 50: 64},
    "distilbert-mlm": {36: 96, 47: 64},
    "modernbert-mlm": {36: 96, 29: 64, 58: 128, 108: 288},
    "gpt2-lm": {36: 96, 108: 288, 144: 384},
    "gpt-neox-parallel": {45: 64},
    "bloom-lm": {},
    "llama-gqa": {45: 64},
    "mixtral-two-of-four": {45: 64},
    "qwen2-tied": {45: 64},
    "qwen3-head-dim-tied": {12: 16, 24: 32, 48: 64, 45: 96},
    "gemma-one-key-head": {10: 16, 40: 64, 45: 96},
    "gemma2-caps-windows": {10: 16, 20: 32, 40: 64, 45: 96},
    "gemma3-two-bases": {10: 16, 20: 32, 40: 64, 45: 96},
    "phi3-window": {45: 64, 90: 128},
    "olmo2-lm": {45: 64},
    "gpt-oss-windows-yarn": {12: 16, 24: 32, 48: 64, 45: 64, 90: 128},
    "t5-v11-untied": {30: 64, 43: 96, 33: 96, 11: 32},
}
# The same for blocks of 256.
WIDEST: Final[dict[str, dict[int, int]]] = {"llama-gqa": {8: 64, 16: 128, 32: 256, 45: 512}}


def widened(case: str, sizes: dict[int, int]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Configuration and tensors of a golden case with other sizes; the numbers shrink as the sums over them grow."""
    about = read_about(case)
    config = {key: sizes.get(value, value) if type(value) is int else value for key, value in about["config"].items()}
    tensors = {}
    for name, (shape, low, high, *dtype) in about["tensors"].items():
        wide = [sizes.get(size, size) for size in shape]
        grown = 1.0 if len(shape) == 1 or "embed" in name else math.sqrt(wide[-1] / shape[-1])
        tensors[name] = seeded_tensor(f"{case}-wide", name, wide, low / grown, high / grown, *dtype)
    return config, tensors

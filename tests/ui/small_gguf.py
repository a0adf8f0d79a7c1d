"""A small GGUF model for the window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf

from tests.golden.families_reader import read_about, weights
from tests.golden.gguf_metadata import tokenizer_metadata
from tests.golden.gguf_writer import convert, write_gguf

if TYPE_CHECKING:
    from pathlib import Path


def write_small_gguf(path: Path, case: str = "llama-gqa") -> Path:
    """The golden case as a float32 GGUF file with its tokenizer; returns the path."""
    about = read_about(case)
    converted = convert(about["config"], weights(case))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_gguf(path, converted, lambda name, tensor: gguf.GGMLQuantizationType.F32, tokenizer_metadata(about["tokenizer"]))
    return path

"""The files of a model on a disk: their names, how large they may be, and which are files at all.

Light to import: the list of models needs it before the program's window is there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from attnviz.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

INDEX: Final = "model.safetensors.index.json"
# Endings of files that hold Python pickles. Opening one can run any code, so they are never opened nor fetched.
PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
# What llama.cpp's gguf-split calls the parts of a model.
GGUF_PART: Final = re.compile(r"(?P<name>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
LARGEST_CONFIG: Final = 10 << 20  # bytes; a config.json has a few thousand


def check_regular(path: Path) -> None:
    """Raises ModelError for what is there and is no regular file: to open a pipe waits for whoever writes into it."""
    if path.exists() and not path.is_file():
        raise ModelError(f"{path}: not a regular file, and attnviz opens no others; put the model's own file there.")

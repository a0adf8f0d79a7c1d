"""Parts of checkpoints that several families store alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attnviz.engine.layers import Head, Linear

if TYPE_CHECKING:
    from attnviz.engine.checkpoint import Checkpoint
    from attnviz.engine.config import ModelConfig


def split(fused: Linear, *widths: int) -> list[Linear]:
    """The products that lie side by side in one, by their widths."""
    parts, start = [], 0
    for width in widths:
        columns = slice(start, start + width)
        parts.append(Linear(fused.weight[:, columns], None if fused.bias is None else fused.bias[columns]))
        start += width
    return parts


def output_head(config: ModelConfig, file: Checkpoint, output: str, words: str, width: int = 0) -> Head | None:
    """The head of a language model, or None for a bare checkpoint and for a classifier.

    It is the file's own matrix where there is one, else the word vectors if they are tied (as transformers 5 does it). Raises
    ModelError where a language model that is not tied lacks it.
    """
    shape = (config.n_vocab, width or config.d_model)
    is_whole = config.predicts and not config.is_tied and file.prefix
    if is_whole or file.has(output, prefixed=False):
        return Head(file.table(output, shape, prefixed=False))
    return Head(file.table(words, shape)) if config.is_tied and config.predicts else None

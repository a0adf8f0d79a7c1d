"""Causal runs cut shorter: the run of a text's first tokens, which do not know those behind them, is a part of the text's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from attnviz.engine.attended import first_rows
from attnviz.engine.positions import places_stay
from attnviz.engine.trace import Trace

if TYPE_CHECKING:
    from attnviz.engine.config import Kind
    from attnviz.engine.ops import Float32
    from attnviz.engine.tokenizer import Encoding


def n_common(one: Encoding, other: Encoding) -> int:
    """How many of their first tokens two texts have in common, as a model reads them."""
    n = min(len(one.tokens), len(other.tokens))
    same = (one.ids[:n] == other.ids[:n]) & (one.segments[:n] == other.segments[:n])
    return n if same.all() else int(same.argmin())


def can_be_cut(trace: Trace, n: int) -> bool:
    """Whether the run of the first `n` tokens is a part of this one: they look back alone, from places that are the same."""
    length = len(trace.output_pieces)
    stack = trace.config.stack_of(trace.kinds[-1])
    return n == length or ("decoder" in trace.kinds and 0 < n < length and places_stay(stack, n, length))


def until(trace: Trace, n: int) -> Trace:
    """The run of the first `n` tokens of a causal model, or of its decoder; it shares the arrays. Only where it can be cut."""
    if n == len(trace.output_pieces):
        return trace
    decoding = trace.decoder_encoding
    written = max(0, trace.n_written - (len(trace.output_pieces) - n))
    short = replace(trace.encoding if decoding is None else decoding, tokens=trace.output_pieces[:n])
    encodings = (short, None) if decoding is None else (trace.encoding, short)
    text, pair = (_text_until(trace, n), trace.pair) if decoding is None else (trace.text, _text_until(trace, n))
    unchanged = None if trace.unchanged is None else until(trace.unchanged, n)
    texts = text, pair, encodings[1]
    cut = Trace(trace.config, encodings[0], trace.head_count, *texts, trace.changes, written, unchanged, trace.begun)
    for kind in trace.kinds:
        _cut_layers(trace, cut, kind, n)
    if decoding is None:
        cut.finish_as(trace, first_rows(trace.hidden, n), None)
    else:
        cut.finish_as(trace, trace.hidden, first_rows(trace.decoder_hidden, n))
    return cut


def _cut_layers(trace: Trace, cut: Trace, kind: Kind, n: int) -> None:
    is_cut, n_layer = kind != "encoder", trace.n_layer_of(kind)
    for layer in range(n_layer):
        at = trace.attended(layer, kind)
        cut.keep(kind, at.until(n, kind == "cross") if is_cut else at, None)
    leaving: Float32 = trace.entering(n_layer, kind)
    cut.leave([kind], first_rows(leaving, n) if is_cut else leaving)


def _text_until(trace: Trace, n: int) -> str | None:
    """What the first `n` tokens stand for, on the side that writes. Blanks before a token are no part of its span."""
    written = trace.n_written - (len(trace.output_pieces) - n)
    if written == 0:
        return trace.begun
    text, kept = (trace.text if trace.decoder_encoding is None else trace.pair or ""), trace.output_pieces[n - 1].span
    if written > 0 and kept is not None:
        return text[: kept[1]]
    gone = [token.span[0] for token in trace.output_pieces[n:] if token.span is not None]
    return text[: gone[0]] if gone else text
